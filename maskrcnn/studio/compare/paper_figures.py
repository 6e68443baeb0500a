"""RoIPool beside RoIAlign in the paper that introduced RoIAlign, and in the two networks that ship."""

from __future__ import annotations

import streamlit as st

from maskrcnn.annotations.store import Project
from maskrcnn.runs import shipped_models
from maskrcnn.studio.compare.compared_runs import SHIPPED_PAIR
from maskrcnn.words import counted

_TABLES = """\
| ResNet-50-C4, stride 16, masks | AP | AP50 | AP75 |
|:--|--:|--:|--:|
| RoIPool | 26.9 | 48.8 | 26.4 |
| RoIWarp | 27.2 | 49.2 | 27.1 |
| RoIAlign | **30.3** | **51.2** | **31.5** |

| ResNet-50-C5, stride 32, masks | AP | AP50 | AP75 |
|:--|--:|--:|--:|
| RoIPool | 23.6 | 46.5 | 21.6 |
| RoIAlign | **30.9** | **51.8** | **32.1** |
"""
_MORE = """\
| ResNet-50-FPN, keypoints | AP | AP50 | AP75 |
|:--|--:|--:|--:|
| RoIPool | 59.8 | 86.2 | 66.7 |
| RoIAlign | **64.2** | **86.6** | **69.7** |

With a feature pyramid, RoIAlign gains 1.5 mask AP.
"""


def show(project: Project, pictures: int) -> None:
    """Draw the figures of the paper, and those of the shipped pair on its test pictures.

    `pictures` is the number of those that the page compares.
    """
    with st.container(border=True):
        st.markdown("**RoIPool beside RoIAlign: what the paper measured**")
        first, second = st.columns([1, 1], gap="large")
        first.markdown(_TABLES)
        second.markdown(_MORE)
        if words := shipped_words():
            second.markdown(words)
            second.markdown(f"Above, {counted(pictures, 'picture')} are compared. A small set says little.")
        st.markdown(
            ":small[He et al. 2017, *Mask R-CNN*, tables 2c, 2d and 6, COCO, in per cent. RoIPool rounds the box to "
            "whole cells; an outline is then off by a part of a stride. At IoU 0.5 that hardly matters, so look at "
            "AP75: there it shows, and most at stride 32.]"
        )
        st.page_link(
            "pages/learn/roi_align.py",
            label="See why, cell by cell",
            icon=":material/grid_on:",
            query_params={"project": project.folder.name},
        )


def shipped_words() -> str:
    """The mask AP of the shipped pair on its test pictures, as Markdown; empty if a card is missing."""
    cards = [shipped_models.card(name) for name in SHIPPED_PAIR]
    lines = []
    for words, card in zip(("RoIPool", "RoIAlign"), cards, strict=True):
        figures = ((card or {}).get("ap") or {}).get("segm") or {}
        if card is None or not {"AP", "AP50", "AP75"} <= figures.keys():
            return ""
        values = " | ".join(f"{100 * figures[name]:.1f}" for name in ("AP", "AP50", "AP75"))
        lines.append(f"| {words} | {values} |")
    pictures = cards[0]["test"]["pictures"] if cards[0] else 0
    head = f"| The shipped pair, stride 32, masks, {pictures:,} test pictures | AP | AP50 | AP75 |\n|:--|--:|--:|--:|\n"
    return head + "\n".join(lines)
