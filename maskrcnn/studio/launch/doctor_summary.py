"""A short summary of the doctor's findings, shown on the Launch page before a training."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import streamlit as st

from maskrcnn.annotations.doctor import CHECKS, Finding
from maskrcnn.annotations.store import Project, StoredImage
from maskrcnn.studio.dataset import doctor_view, project_cache
from maskrcnn.studio.dataset.doctor_view import SIGNS
from maskrcnn.studio.shell import session
from maskrcnn.studio.shell.markdown_escape import plain
from maskrcnn.words import counted

WORST = 3
"""Number of kinds of findings that are listed."""

AT_ONCE = 2.0
"""Maximum duration of an automatic examination, in seconds; a longer one starts with a button."""

_PER_MEGAPIXEL, _PER_REGION = 0.008, 0.0006  # seconds of an examination, measured on one slow core


def worst(found: Sequence[Finding]) -> list[tuple[str, str, int]]:
    """The kinds of findings that harm a training, the worst first: (severity, title, count). Without hints."""
    order = list(SIGNS)
    kinds = Counter((finding.severity, finding.check) for finding in found if finding.severity != "hint")
    ranked = sorted(kinds.items(), key=lambda kind: (order.index(kind[0][0]), -kind[1]))
    return [(severity, CHECKS[check].title, number) for (severity, check), number in ranked]


def show(project: Project) -> None:
    """Draw the summary of the findings with a link to the doctor, or a button to start an examination that is long."""
    images = project.images()
    if not images:
        return
    with session.fail_softly(stop=False):
        state = project_cache.stamp(project)
        is_due = project_cache.is_cached("doctor", project, state) or seconds_to_examine(images) <= AT_ONCE
        if not is_due and not st.button(
            f"Let the doctor look at {counted(len(images), 'picture')}",
            icon=":material/stethoscope:",
            width="stretch",
            help="What in the labels hurts training: outlines that leave their picture, regions drawn twice, "
            "pictures in both halves, and more. It reads each picture once.",
            key="launch_examine",
        ):
            return
        _summary(project, doctor_view.findings(project, state))


def seconds_to_examine(images: Sequence[StoredImage]) -> float:
    """The estimated duration of the doctor's examination in seconds, from the numbers of pixels and regions."""
    pixels = sum(image.width * image.height for image in images)
    return pixels / 1e6 * _PER_MEGAPIXEL + sum(image.n_regions for image in images) * _PER_REGION


def _summary(project: Project, found: Sequence[Finding]) -> None:
    """Draw the number of findings by severity, the worst kinds, and a link to the doctor."""
    ranked = worst(found)
    if not ranked:
        st.markdown(":material/check: The doctor found nothing in the labels that hurts training.")
        return
    counts = Counter(finding.severity for finding in found)
    parts = [
        f":{SIGNS[severity][1]}[{SIGNS[severity][0]} {counted(counts[severity], severity)}]"
        for severity in ("error", "warning")
        if counts[severity]
    ]
    with st.container(border=True, gap="xsmall"):
        st.markdown(f"**The doctor found** {', '.join(parts)}")
        lines = [f"- {plain(title)} ({number})" for _, title, number in ranked[:WORST]]
        if len(ranked) > WORST:
            lines.append(f"- and {counted(len(ranked) - WORST, 'other kind')}")
        st.markdown("\n".join(lines))
        st.page_link(
            "pages/label/dataset.py",
            label="Open the doctor",
            icon=":material/stethoscope:",
            query_params={"project": project.folder.name, "view": "doctor"},
        )
