"""The texts of the RoIPool and RoIAlign page as Markdown, with results from the paper, and the lines about its map."""

from __future__ import annotations

import streamlit as st

from maskrcnn.lessons.roi_pooling import pyramid_level
from maskrcnn.studio.learn.pooled_roi import RoiOnMap
from maskrcnn.studio.learn.roi_choices import RoiChoices
from maskrcnn.studio.shell.markdown_escape import plain

INTRODUCTION = (
    "Every box that the network proposes, large or small, must become a grid of the same size before the heads can "
    "look at it. **Drag a box** and see how :orange[**RoIPool**] and :blue[**RoIAlign**] fill that grid from the "
    "feature map, and what lies between the two."
)

NAMES = {
    "pool": ":orange[**RoIPool**]",
    "warp": "**RoIWarp**",
    "align-legacy": ":blue[**RoIAlign (legacy)**]",
    "align": ":blue[**RoIAlign**]",
}
"""Method (a key of `roi_pooling.METHODS`) -> its name in its colour."""

ROUNDING = {
    "pool": "rounds box and bins",
    "warp": "rounds the box only",
    "align-legacy": "is half a cell off",
    "align": "rounds nothing",
}
"""Method -> what it rounds, to follow its name in a sentence."""

READING = {
    "pool": "The dot is the largest cell of each bin.",
    "warp": "In the rounded box each bin is the average of its points, which lie between the cells.",
    "align-legacy": "Each bin is the average of its points. All lie half a cell too far right and down.",
    "align": "Each bin is the average of its points, which lie between the cells.",
}
"""Method -> explanation of the points on its map."""

DEVIATION = {
    "pool": "the edges of the cells that RoIPool reads, minus those of the drawn box. A far edge may move by more than "
    "half a cell, as the cell that it is rounded to is read whole. Cells off the map are not there to be read, and do "
    "not count.",
    "warp": "the edges of the rounded box, as far as it lies on the map, minus those of the drawn box. RoIWarp rounds "
    "it to the same cells as RoIPool; only what it does inside is RoIAlign's.",
    "align-legacy": "the edges of the box that it really reads, as far as it lies on the map, minus those of the drawn "
    "box. It takes the value of a cell to sit at the cell's corner instead of its middle, and enlarges a box that is "
    "smaller than a cell.",
}
"""Method -> how the deviation of its box from the drawn box is measured. RoIAlign has no deviation."""

WHY_IT_MATTERS = """
**Why it matters.** RoIPool rounds twice: the box to whole cells, and the bins to whole cells again. At stride 16
the left and upper edges can end up 8 pixels from where they were drawn (half a cell), the right and lower ones 24 (one
and a half). A class label does not mind, but a mask has to be right to the pixel. RoIAlign rounds nothing: it places
points evenly in each bin, reads the map there by bilinear interpolation between the four nearest cell middles, and
averages. Move the box by one pixel and RoIAlign's grid moves along; RoIPool's stays where it is until an edge crosses
the middle of a cell, and then jumps.

**RoIWarp** tells which of the two it is, the rounding or the reading. It reads between the cells as RoIAlign does, but
in a box that was rounded as RoIPool's is, and in the paper it is hardly better: what counts is not to round the box.

| Mask AP in the paper | RoIPool | RoIWarp | RoIAlign |
|---|---|---|---|
| ResNet-50-C4, stride 16 | 26.9 | 27.2 | **30.3** |
| the same at AP75 | 26.4 | 27.1 | **31.5** |
| ResNet-50-C5, stride 32 | 23.6 | | **30.9** |
| the same at AP75 | 21.6 | | **32.1** |

**RoIAlign (legacy)** is RoIAlign as it was first published. It takes the value of a cell to sit at the cell's corner
instead of its middle, so everything is read half a cell too far right and down. It rounds nothing, so a network can
learn to live with it: torchvision's COCO weights have, and need it (`pooling = "align-legacy"`).

*He, Gkioxari, Dollár, Girshick: Mask R-CNN, ICCV 2017, section 3 (RoIAlign) and table 2. Girshick: Fast R-CNN, ICCV
2015, section 2.1 (RoI pooling). Dai, He, Sun: Instance-aware Semantic Segmentation via Multi-task Network Cascades,
CVPR 2016 (RoIWarp). The numbers here equal those of `torchvision.ops.roi_pool` and `roi_align`, and of the studio's
networks.*
"""


def show_map_origin(chosen: RoiChoices) -> None:
    """Draw a line that says which network or filters made the map."""
    if chosen.network is not None:
        level = chosen.level
        kind = f"level {level} of the feature pyramid" if len(chosen.levels) > 1 else f"{level}, the only map,"
        origin = f"The map is {kind} of {plain(chosen.source)}, for the picture as that network sees it."
    elif chosen.any_network:
        origin = "The map is made by hand-written filters, not by a network."
    else:
        origin = (
            "The map is made by hand-written filters, not by a network, as this project has no trained run yet. Once "
            "there is one, its maps can be chosen above."
        )
    st.markdown(f":small[{origin}]")


def show_map_scale(chosen: RoiChoices, roi: RoiOnMap) -> None:
    """Draw a line with the width of a cell in picture pixels and the pyramid level for a box of this size."""
    level, level_note = chosen.level, ""
    if chosen.roi_level is not None:
        pooled_from = pyramid_level(roi.network_box, roi_level=chosen.roi_level)
        level_note = f" For a box of this size Mask R-CNN takes P{pooled_from:d}."
    st.markdown(
        f":small[One cell of {level} is {roi.cell_width:.1f} picture pixels wide.{level_note}]",
        help=f"The stride of {level} is {roi.stride:d} pixels of the picture as the network sees it, which is the "
        f"original times {roi.picture_scale[0]:.2f}. Which level of a pyramid a box is pooled from depends on its size "
        "(Lin et al. 2017, equation 1).",
    )
