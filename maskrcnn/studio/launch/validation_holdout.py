"""Create a validation set with one click, for a project without one: hold out some of its labelled pictures."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

import streamlit as st

from maskrcnn.annotations import duplicate_pictures, learnable_objects
from maskrcnn.annotations.dataset import Dataset
from maskrcnn.annotations.splitting import held_back, known_to_training, stratified
from maskrcnn.annotations.store import Project
from maskrcnn.errors import StudioError
from maskrcnn.runs.training_documents import labelled_dataset
from maskrcnn.studio.dataset import project_cache, undo_bar
from maskrcnn.studio.dataset.split_view import CHECKED_AT_ONCE
from maskrcnn.studio.launch.launch_data import LaunchData
from maskrcnn.studio.shell import session
from maskrcnn.words import counted

SHARE, SEED = 0.2, 0
"""The share of the labelled pictures for validation, and the seed of the split."""

_SPLIT_PROJECT = "launch_kept_back"
"""Session key: the folder of the project that was split on this page, so that the undo bar is shown."""


@dataclass(frozen=True)
class HoldoutPlan:
    """A proposed validation set: `held` of the `labelled` training pictures become validation pictures.

    `names` are their file names. It is None if no split is possible, because each picture has a class that no other
    picture has; then `held` is only the number that would be held out.
    """

    labelled: int
    held: int
    names: frozenset[str] | None


def holdout_plan(dataset: Dataset, groups: Iterable[Collection[str]] = (), *, outlines: bool = True) -> HoldoutPlan:
    """Choose the validation pictures among the labelled training pictures in `dataset`.

    About `SHARE` of the pictures are chosen, at least one with an object. Each class in them is also in the remaining
    training pictures. If this is not possible, `names` of the plan is None. All pictures of a group in `groups` are in
    the same split. `outlines` says whether masks are learned.
    """
    groups = [tuple(group) for group in groups]
    classes_of_picture = {
        record.file_name: frozenset(
            region.class_name for region in learnable_objects.objects(record, outlines=outlines)
        )
        for record in dataset.images
    }
    splits = known_to_training(dataset, stratified(dataset, SHARE, SEED, groups), classes_of_picture, groups)
    names = frozenset(name for name, split in splits.items() if split == "val")
    if any(classes_of_picture[name] for name in names):
        return HoldoutPlan(labelled=len(classes_of_picture), held=len(names), names=names)
    return HoldoutPlan(labelled=len(classes_of_picture), held=held_back(len(classes_of_picture), SHARE), names=None)


def offer(project: Project, data: LaunchData) -> None:
    """Draw a warning and a button for the split if there are no validation objects; after a split, the undo bar."""
    if data.val.objects:
        if st.session_state.get(_SPLIT_PROJECT) == project.folder:
            undo_bar.bar(project)
        return
    if not data.train.objects:
        return
    with session.fail_softly(stop=False):
        outlines = "mask" in data.tasks
        found = project_cache.cached_result(
            f"hold back, outlines {outlines}",
            project,
            "Choosing validation pictures",
            lambda progress: holdout_plan(labelled_dataset(project, "train"), outlines=outlines),
        )
        with st.container(border=True, gap="xsmall", key="launch-holdback"):
            st.markdown(
                ":orange[:material/warning:] **Nothing to validate on**: there will be no AP, and the last epoch "
                "counts as the best."
            )
            if found.names is None:
                st.markdown(
                    ":small[Label more pictures: each has a class that no other picture has, so none can be kept back.]"
                )
                return
            st.button(
                f"Keep {found.held:,} of {counted(found.labelled, 'picture')} back",
                icon=":material/call_split:",
                width="stretch",
                help=f"A stratified split: {SHARE:.0%} of the labelled pictures, seed {SEED}, each class in the same "
                "proportion where whole pictures allow. They are validated on and not learned from. It can be undone "
                "here and on Dataset > Split, where other shares can be chosen.",
                on_click=_hold_out,
                args=(project, outlines),
                key="launch-keep-back",
            )


def _hold_out(project: Project, outlines: bool) -> None:
    """Split the project. Duplicate pictures go to the same split, if the project is small enough to search for them."""
    with session.fail_softly(stop=False):
        dataset = labelled_dataset(project, "train")
        groups: list[tuple[str, ...]] = []
        if len(dataset.images) <= CHECKED_AT_ONCE:
            groups = duplicate_pictures.groups(dataset.images)
        found = holdout_plan(dataset, groups, outlines=outlines)
        if found.names is None:
            raise StudioError(
                "the pictures that look alike cannot be divided so that training has every class; choose a split on "
                "Dataset > Split"
            )
        moved = [image.id for image in project.images("train") if image.file_name in found.names]
        project.snapshot(f"before a new split ({SHARE:.0%}, seed {SEED})")
        project.set_splits(dict.fromkeys(moved, "val"))
        words = f"{found.held:,} of {counted(found.labelled, 'picture')} {'is' if found.held == 1 else 'are'} kept back"
        undo_bar.remember(
            project,
            f"{words} to validate on.",
            "Undo this split",
            lambda: project.set_splits(dict.fromkeys(moved, "train")),
            labels=False,
        )
        st.session_state[_SPLIT_PROJECT] = project.folder
