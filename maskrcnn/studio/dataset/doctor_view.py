"""The Doctor view: findings by kind with crops of the pictures, and fixes that can be undone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from maskrcnn.annotations import doctor
from maskrcnn.annotations.dataset import Dataset
from maskrcnn.annotations.doctor import CHECKS, Finding, Severity
from maskrcnn.annotations.store import Project
from maskrcnn.drawing.labelled_picture import Colours
from maskrcnn.errors import StudioError
from maskrcnn.runs.readiness import learnable_in_project
from maskrcnn.studio.components.class_colours import class_colours
from maskrcnn.studio.dataset import project_cache, undo_bar
from maskrcnn.studio.dataset.finding_crops import crops_before_and_after_fix
from maskrcnn.studio.dataset.project_cache import Stamp
from maskrcnn.studio.shell import session, url_state
from maskrcnn.studio.shell.markdown_escape import bullets, plain
from maskrcnn.studio.shell.page_messages import on_page
from maskrcnn.words import counted, sentence

EXAMINED_AT_ONCE = 300
"""Projects with more pictures are examined only on request, because each picture must be decoded."""
PER_KIND = 20
"""Number of findings of a kind that are shown at first, and added by "Show more"."""
SIGNS: dict[Severity, tuple[str, str, str]] = {
    "error": (":material/error:", "red", "Training stops there, or learns something false."),
    "warning": (":material/warning:", "orange", "Training suffers."),
    "hint": (":material/lightbulb:", "blue", "Worth a thought."),
}
_WANTED = "dataset_doctor_wanted"


def show(project: Project) -> None:
    """Draw the view: examine the project, then show the kinds of findings and the findings of the selected kind."""
    undo_bar.bar(project)
    with session.fail_softly():
        state = project_cache.stamp(project)
        if not _may_examine(project, state):
            return
        found = findings(project, state)
        _learned_objects_line(project, state)
    if not found:
        pictures = counted(state[0], "picture")
        st.success(f"Nothing found that hurts training, in {pictures} and all their regions.", icon=":material/check:")
        with st.expander("What was looked for"):
            st.markdown("\n".join(f"- **{check.title}**: {check.why}" for check in CHECKS.values()))
        return
    kinds = {name: [finding for finding in found if finding.check == name] for name in CHECKS}
    kinds = {name: findings for name, findings in kinds.items() if findings}
    left, right = st.columns([1, 2.9], gap="medium")
    with left:
        chosen = _choose_kind(kinds)
        _fix_everything(project, found, state)
    with right:
        _findings_of_kind(project, kinds[chosen], state)


def _learned_objects_line(project: Project, state: Stamp) -> None:
    """Draw the Doctor view's line about the regions that are learned from, and remarks about those that are not."""
    found = project_cache.cached_result(
        "learned",
        project,
        "Counting the objects",
        lambda progress: learnable_in_project(project, progress=progress),
        (*state, hash(tuple(image.id for image in project.images() if image.done))),
    )
    st.markdown(plain(f"Learned from: {found.in_short()}."))
    if remarks := found.remarks():
        st.markdown(bullets([sentence(line) for line in remarks]))


def findings(project: Project, state: Stamp) -> list[Finding]:
    """Return the doctor's findings, cached for each state of the project. Shows a progress bar."""
    return project_cache.cached_result(
        "doctor",
        project,
        "Examining the pictures",
        lambda progress: doctor.examine(
            project.dataset(), progress=progress, file_notes=_picture_facts_cache(str(project.folder))
        ),
        state,
    )


def _may_examine(project: Project, state: Stamp) -> bool:
    """Whether to examine now. A large project is examined only on request; then a button is drawn."""
    if state[0] <= EXAMINED_AT_ONCE or st.session_state.get(_WANTED) == str(project.folder):
        return True
    if project_cache.is_cached("doctor", project, state):
        return True

    def want() -> None:
        st.session_state[_WANTED] = str(project.folder)

    st.info(
        "Here you see what in the labels or pictures hurts training, and mend it with a click. For that each of the "
        f"{state[0]:,} pictures is read once.",
        icon=":material/stethoscope:",
    )
    st.button(f"Examine {counted(state[0], 'picture')}", type="primary", icon=":material/stethoscope:", on_click=want)
    return False


@st.cache_resource(max_entries=4, show_spinner=False)
def _picture_facts_cache(folder: str) -> dict[Any, doctor.PictureFileNotes]:
    """Return a cache of picture facts for `doctor.examine`, so that it reads only changed pictures."""
    return {}


def _choose_kind(kinds: Mapping[str, Sequence[Finding]]) -> str:
    """Draw the choice of a kind of findings, stored in the URL as `?check=...`, and return it."""
    total = sum(len(findings) for findings in kinds.values())
    by_severity = {sign: sum(f.severity == sign for findings in kinds.values() for f in findings) for sign in SIGNS}
    st.subheader(counted(total, "finding"))
    with st.container(horizontal=True, gap="small"):
        for severity, (icon, colour, meaning) in SIGNS.items():
            if by_severity[severity]:
                st.badge(
                    counted(by_severity[severity], severity),
                    icon=icon,
                    color=colour,  # type: ignore[arg-type]
                    help=meaning,
                )
    return url_state.radio(
        "Kind of finding",
        "check",
        list(kinds),
        next(iter(kinds)),
        page="dataset",
        show=lambda name: f"{SIGNS[_worst_severity(kinds[name])][0]} {CHECKS[name].title} ({len(kinds[name])})",
    )


def _worst_severity(findings: Sequence[Finding]) -> Severity:
    """The most severe severity among the findings."""
    return min((finding.severity for finding in findings), key=list(SIGNS).index)


def _fix_everything(project: Project, found: Sequence[Finding], state: Stamp) -> None:
    """Draw the button that applies all fixes that need no choice of the user."""
    mendable = [finding for finding in found if finding.fix is not None]
    st.space("small")
    if st.button(
        f"Fix all that is surely wrong ({len(mendable):,})" if mendable else "Nothing can be fixed unasked",
        key="dataset_fix_everything",
        icon=":material/healing:",
        disabled=not mendable,
        help="One step that can be undone. What can be meant in several ways, or would be lost, is left: choose there, "
        "kind by kind.",
    ):
        _apply_fixes(project, mendable, state, f"before fixing {counted(len(mendable), 'finding')}")


def _findings_of_kind(project: Project, findings: Sequence[Finding], state: Stamp) -> None:
    """Draw the findings of one kind: why they harm a training, the buttons, and a card for each finding."""
    check = CHECKS[findings[0].check]
    icon, colour, _ = SIGNS[_worst_severity(findings)]
    st.subheader(f":{colour}[{icon}] {check.title}")
    st.markdown(check.why)
    mendable = [finding for finding in findings if finding.fix is not None]
    ticks = {_checkbox_key(finding, state): finding for finding in mendable}
    ticked = [finding for key, finding in ticks.items() if st.session_state.get(key)]
    _choose_for_all(project, findings, state)
    if mendable:
        with st.container(horizontal=True, gap="small"):
            some = st.button(
                f"Fix selected ({len(ticked)})",
                key="dataset_fix_selected",
                icon=":material/check_box:",
                disabled=not ticked,
            )
            every = st.button(
                f"Fix all of this kind ({len(mendable)})",
                key="dataset_fix_kind",
                type="primary",
                icon=":material/healing:",
            )
        if some or every:
            _apply_fixes(project, ticked if some else mendable, state, f"before fixing: {check.title}")
    limit_key = f"dataset_shown_{findings[0].check}"
    limit = st.session_state.get(limit_key, PER_KIND)
    with session.fail_softly():
        dataset = project_cache.cached_result(
            "labels", project, "Reading the labels", lambda _: project.dataset(), state
        )
        colours = class_colours(project)
    shown = findings[:limit]
    with st.spinner("Cutting out the places"):
        # A card with a fix has two crops and takes a whole row. Cards without a fix have one crop; three fit in a row.
        across = 1 if any(finding.fix or finding.choices for finding in findings) else 3
        for start in range(0, len(shown), across):
            for column, finding in zip(st.columns(across, gap="small"), shown[start : start + across], strict=False):
                with column, st.container(border=True, gap="xsmall"):
                    _finding_card(project, dataset, finding, colours, state)
    if len(findings) > limit:

        def more() -> None:
            st.session_state[limit_key] = limit + PER_KIND

        st.button(
            f"Show more ({counted(len(findings) - limit, 'is', 'are')} left)",
            icon=":material/expand_more:",
            on_click=more,
        )


def _checkbox_key(finding: Finding, state: Stamp) -> str:
    """The Streamlit key of a finding's check box. It changes with the state of the project."""
    where = (finding.check, finding.picture, finding.region_number, finding.region_id, finding.what)
    return f"dataset_tick_{state[1]}_{where}"


def _choose_for_all(project: Project, findings: Sequence[Finding], state: Stamp) -> None:
    """Draw a button for each option that the user can choose for all findings of a kind."""
    offered: dict[str, list[Finding]] = {}
    for finding in findings:
        for choice in finding.choices:
            offered.setdefault(choice.option_name, []).append(replace(finding, fix=choice))
    if not offered:
        return
    st.markdown(
        ":material/help: Only you know which is right, so nothing of this is fixed unasked. For all of this kind:"
    )
    with st.container(horizontal=True, gap="small"):
        for option, chosen in offered.items():
            words = dict.fromkeys(finding.fix.words for finding in chosen if finding.fix)
            like = " and the like" if len(words) > 1 else ""
            if st.button(
                f"{plain(sentence(next(iter(words))).rstrip('.'))}{like} ({len(chosen):,})",
                key=f"dataset_choose_{findings[0].check}_{option}",
                icon=":material/rule:",
                help="One step that can be undone. Below, each finding can be decided by itself.",
            ):
                _apply_fixes(project, chosen, state, f"before: {CHECKS[findings[0].check].title}, {option}")


def _finding_card(project: Project, dataset: Dataset, finding: Finding, colours: Colours, state: Stamp) -> None:
    """Draw one finding: crops before and after its fix, and its texts and buttons.

    If the user can choose between several fixes, the crop shows the first one.
    """
    key = _checkbox_key(finding, state)
    now = after = None
    mend = finding.fix or next(iter(finding.choices), None)
    if finding.picture is not None:
        record = dataset.images[finding.picture]
        now, after = crops_before_and_after_fix(dataset, record, replace(finding, fix=mend), colours)
    if mend is None:
        if now is not None:
            st.image(now, width="stretch", alt=finding.what)
        _finding_words(project, finding, key, state)
        return
    first, second, words = st.columns([1, 1, 1], gap="small")
    label_after = "After the fix" if finding.fix else f"If you {plain(mend.words)}"
    for column, piece, label in ((first, now, "Now"), (second, after, label_after)):
        if piece is not None:
            column.image(piece, width="stretch", alt=f"{finding.what}: {label}")
            column.markdown(label)
    with words:
        _finding_words(project, finding, key, state)


def _finding_words(project: Project, finding: Finding, key: str, state: Stamp) -> None:
    """Draw the texts of a finding, its check box, the buttons of its options, and the link to the Annotate page."""
    place = plain(finding.file_name) if finding.file_name else "The whole dataset"
    if finding.region_number:
        place += f", region {finding.region_number}"
    if finding.fix is not None:
        st.checkbox(f"**{place}**", key=key, wrap=True, help="Tick to fix it with “Fix selected”.")
    else:
        st.markdown(f"**{place}**")
    st.markdown(sentence(plain(on_page(finding.what))))
    if finding.fix is not None:
        st.markdown(f":material/healing: Fix: {plain(finding.fix.words)}.")
    for choice in finding.choices:
        words = plain(sentence(choice.words).rstrip("."))
        if st.button(words, key=f"{key}_{choice.option_name}", icon=":material/rule:", help=words):
            _apply_fixes(
                project, [replace(finding, fix=choice)], state, f"before: {finding.title}, {choice.option_name}"
            )
    if finding.file_name:
        st.page_link(
            "pages/label/annotate.py",
            label="Open in Annotate",
            icon=":material/draw:",
            query_params={"project": project.folder.name, "image": finding.file_name},
        )


def _apply_fixes(project: Project, findings: Sequence[Finding], state: Stamp, reason: str) -> None:
    """Apply the fixes to the project in one step that can be undone, and rerun the page."""
    with session.fail_softly(stop=False):
        with st.spinner(f"Fixing {counted(len(findings), 'finding')}"):
            if project_cache.stamp(project) != state:
                raise StudioError("the project was changed while you looked; look at the new findings, then fix them")
            before = project.dataset()
            snapshot = project.apply(before, doctor.apply(before, findings), reason)
        undo_bar.remember(
            project,
            f"{counted(len(findings), 'finding')} fixed.",
            "Undo these fixes",
            lambda: project.restore(snapshot.id),
            labels=True,
        )
        st.rerun()
