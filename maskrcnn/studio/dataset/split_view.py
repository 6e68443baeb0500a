"""The Split view: preview and apply a stratified split, and find copies of pictures in both splits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from maskrcnn.annotations import duplicate_pictures, learnable_objects
from maskrcnn.annotations.dataset import Dataset, ImageRecord, Split
from maskrcnn.annotations.duplicate_pictures import duplicates_in_both_splits
from maskrcnn.annotations.progress_callback import Progress
from maskrcnn.annotations.regions import Rect, Region
from maskrcnn.annotations.splitting import ClassShare, shares, stratified
from maskrcnn.annotations.store import Project, StoredImage
from maskrcnn.errors import StudioError
from maskrcnn.name_order import natural_key
from maskrcnn.studio.components import thumbnails
from maskrcnn.studio.dataset import project_cache, undo_bar
from maskrcnn.studio.dataset.pictures_view import SPLIT_WORDS
from maskrcnn.studio.shell import session
from maskrcnn.studio.shell.markdown_escape import plain
from maskrcnn.words import counted

Splits = Mapping[str, Split]
Groups = list[tuple[str, ...]]

CHECKED_AT_ONCE = 300
"""In a project with more pictures, copies are searched only on request, because each picture must be decoded."""
_SHOWN = 6

STRATIFIED = (
    "Each class is divided in the same proportion, beginning with the rarest, as far as whole pictures allow. A class "
    "that only one picture shows goes to training. The same seed gives the same split."
)
LEAK = (
    "The same photograph in training and in validation, also if it was saved anew or scaled. The network is then "
    "measured on what it has learned by heart, and validation looks better than it is. Cropped, mirrored or turned "
    "copies are not found."
)
COLUMNS: dict[str, tuple[str, str]] = {
    "train now": ("%d", "Objects of the class in training pictures, as the project is now."),
    "val now": ("%d", "Objects of the class in validation pictures, as the project is now."),
    "train after": ("%d", "Objects of the class in training pictures after the change."),
    "val after": ("%d", "Objects of the class in validation pictures after the change."),
    "share now": ("%.1f %%", "The share of the class's objects that lie in validation, as the project is now."),
    "share after": ("%.1f %%", "The share of the class's objects that lie in validation after the change."),
    "off by": ("%+.1f", "How far that is from the share asked for, in percentage points."),
    "train pictures": ("%d", "Training pictures that show the class after the change."),
    "val pictures": ("%d", "Validation pictures that show the class after the change."),
}
COUNTS = (
    "Objects are regions that are learned from, as Statistics and Launch count them. Unlabelled pictures have no "
    "region and are not marked as done: they stay out of training. A class lacks on a side that has none of its "
    "pictures, although at least two show it."
)


def show(project: Project) -> None:
    """Draw the inputs of the split, the tables of what would change, the button that applies it, and the copies."""
    with session.fail_softly():
        images = project.images()
        groups = _duplicate_groups(project, images)
    now: Splits = {image.file_name: image.split for image in images}
    undo_bar.bar(project)
    left, right = st.columns([1, 2.6], gap="large")
    with left:
        share, seed, together = _split_inputs(groups)
    with session.fail_softly():
        after, table_now, table_after = _stratified_split(project, share, seed, groups if together and groups else [])
    moved = [image for image in images if after[image.file_name] != image.split]
    with left:
        _move_button(project, images, after, moved, share, seed)
    with right:
        st.subheader("Now and after", help=COUNTS)
        st.dataframe(
            pd.DataFrame(now_and_after(images, after, table_now, table_after)),
            hide_index=True,
            column_config={"": st.column_config.TextColumn(width=140)}
            | {name: st.column_config.TextColumn(alignment="right", width=80) for name in NOW_AND_AFTER},
        )
    _class_shares(table_now, table_after, share)
    _duplicates_in_both_splits(project, images, now, after, groups)


def _duplicate_groups(project: Project, images: Sequence[StoredImage]) -> Groups | None:
    """Return the groups of pictures with the same content; None if the search was not requested yet."""
    # Copies depend on the pictures only, so the result stays valid when labels change.
    state = (len(images), hash(tuple((image.id, image.file_name) for image in images)))
    wanted = len(images) <= CHECKED_AT_ONCE or st.session_state.get("dataset_look_for_copies") == str(project.folder)
    if not wanted and not project_cache.is_cached("copies", project, state):
        return None
    return project_cache.cached_result(
        "copies",
        project,
        "Looking for copies",
        lambda progress: duplicate_pictures.groups(project.dataset().images, progress),
        state,
    )


def _split_inputs(groups: Groups | None) -> tuple[float, int, bool]:
    """Draw the inputs of the new split. Returns the share for validation, the seed, and "keep copies on one side"."""
    st.subheader("A new split", help=STRATIFIED)
    percent = st.slider(
        "Validation pictures",
        5,
        50,
        20,
        5,
        format="%d %%",
        key="dataset_share",
        persist_state="session",
        help="Of all pictures, rounded, and at least one on each side. More of them measure more exactly, fewer leave "
        "more to learn from. A fifth is usual.",
    )
    seed = st.number_input(
        "Seed",
        0,
        2**31 - 1,
        0,
        key="dataset_seed",
        persist_state="session",
        help="Another seed is another split of the same kind.",
    )
    together = st.checkbox(
        "Keep copies on one side",
        True,
        key="dataset_together",
        disabled=not groups,
        help="Pictures that look the same go to the same side. " + LEAK,
    )
    return percent / 100, int(seed), together


def _stratified_split(
    project: Project, share: float, seed: int, groups: Groups
) -> tuple[dict[str, Split], list[ClassShare], list[ClassShare]]:
    """Compute the new split, cached for these inputs.

    Returns file name -> split, and the objects of each class in both splits, now and after the change.
    """
    state = project_cache.stamp(project)
    classes = project_cache.cached_result(
        "classes", project, "Counting the objects", lambda progress: _classes_of_objects(project, progress), state
    )

    def work(progress: Progress) -> tuple[dict[str, Split], list[ClassShare], list[ClassShare]]:
        after = stratified(classes, share, seed, groups)
        return after, shares(classes), shares(classes, after)

    with st.spinner("Dealing the pictures out"):
        wishes = (*state, share, seed, tuple(groups))
        return project_cache.cached_result("split", project, "Dealing the pictures out", work, wishes)


def _classes_of_objects(project: Project, progress: Progress) -> Dataset:
    """Return the dataset of the project with only the class of each object, and the same unit square as each shape.

    A split needs only the classes of the objects, and a dataset without outlines fits into memory for any project.
    """
    dataset = project.dataset()
    of_class: dict[str | None, Region] = {}
    images = []
    for number, record in enumerate(dataset.images, 1):
        names = [region.class_name for region in learnable_objects.objects(record)]
        regions = [of_class.setdefault(name, Region(Rect(0, 0, 1, 1), name)) for name in names]
        images.append(ImageRecord(record.file_name, tuple(regions), split=record.split))
        progress(number, len(dataset.images))
    return Dataset(images, dataset.classes)


def _move_button(
    project: Project,
    images: Sequence[StoredImage],
    after: Splits,
    moved: Sequence[StoredImage],
    share: float,
    seed: int,
) -> None:
    """Draw the button that moves pictures to their new split, and a line about the move. It can be undone."""

    def act() -> None:
        with session.fail_softly(stop=False):
            before = {image.id: image.split for image in moved}
            project.snapshot(f"before a new split ({share:.0%}, seed {seed})")
            project.set_splits({image.id: after[image.file_name] for image in moved})
            undo_bar.remember(
                project,
                f"{counted(len(moved), 'picture')} moved.",
                "Undo this split",
                lambda: project.set_splits(before),
                labels=False,
            )

    to_val = sum(after[image.file_name] == "val" for image in moved)
    st.button(
        f"Move {counted(len(moved), 'picture')}" if moved else "Nothing to move",
        key="dataset_split_apply",
        type="primary",
        icon=":material/call_split:",
        disabled=not moved,
        on_click=act,
        width="stretch",
    )
    if moved:
        st.markdown(f"{to_val} to validation, {len(moved) - to_val} to training. This can be undone.")
    elif len(images) == 1:
        st.markdown("One picture alone goes to training: add more to have something to validate on.")
    else:
        st.markdown("The project is split exactly like this already.")


def _class_shares(table_now: Sequence[ClassShare], table_after: Sequence[ClassShare], share: float) -> None:
    """Draw the table of the classes: their objects in both splits, now and after the change."""
    frame = pd.DataFrame(
        [
            {
                "class": new.name,
                "train now": old.train_objects,
                "val now": old.val_objects,
                "train after": new.train_objects,
                "val after": new.val_objects,
                "share now": 100 * old.val_share,
                "share after": 100 * new.val_share,
                "off by": 100 * (new.val_share - share),
                "train pictures": new.train_pictures,
                "val pictures": new.val_pictures,
            }
            for old, new in zip(table_now, table_after, strict=True)
        ]
    )
    if frame.empty:
        st.info("There is no object yet, so there is no class to keep in balance.", icon=":material/balance:")
        return
    config = {
        name: st.column_config.NumberColumn(format=format, help=meaning) for name, (format, meaning) in COLUMNS.items()
    }
    st.dataframe(frame, hide_index=True, column_config=config, placeholder="–", height=min(420, 36 + 35 * len(frame)))
    if one_side := [row.name for row in table_after if row.on_one_side]:
        names = ", ".join(f"“{plain(name)}”" for name in one_side[:8])
        more = f" and {counted(len(one_side) - 8, 'more class', 'more classes')}" if len(one_side) > 8 else ""
        st.warning(
            f"On one side only after the change: {names}{more}. Another seed or a larger share may help.",
            icon=":material/warning:",
        )


NOW_AND_AFTER = ("train now", "val now", "train after", "val after")


def now_and_after(
    images: Sequence[StoredImage],
    after: Splits,
    table_now: Sequence[ClassShare],
    table_after: Sequence[ClassShare],
) -> list[dict[str, str]]:
    """The rows of the table "Now and after": pictures, unlabelled pictures, objects and lacking classes in both splits.

    A class is lacking in a split if none of the split's pictures show it, although it is on at least two pictures of
    the project.
    """
    now: Splits = {image.file_name: image.split for image in images}
    pictures = [sum(side == of for side in splits.values()) for splits in (now, after) for of in ("train", "val")]
    waiting = {image.file_name for image in images if not image.n_regions and not image.done}
    unlabelled = [sum(splits[name] == of for name in waiting) for splits in (now, after) for of in ("train", "val")]
    objects = [
        sum(numbers)
        for table in (table_now, table_after)
        for numbers in ([row.train_objects for row in table], [row.val_objects for row in table])
    ]
    lacking = [
        sum(row.on_one_side and not (row.train_pictures, row.val_pictures)[side] for row in table)
        for table in (table_now, table_after)
        for side in (0, 1)
    ]
    rows = {"pictures": pictures, "of them unlabelled": unlabelled, "objects": objects, "classes lacking": lacking}
    return [
        {"": title, **{name: f"{number:,}" for name, number in zip(NOW_AND_AFTER, numbers, strict=True)}}
        for title, numbers in rows.items()
    ]


def _duplicates_in_both_splits(
    project: Project, images: Sequence[StoredImage], now: Splits, after: Splits, groups: Groups | None
) -> None:
    """Draw the groups of pictures that look the same, those in both splits first."""
    st.subheader("The same picture on both sides", help=LEAK)
    if groups is None:

        def look() -> None:
            st.session_state["dataset_look_for_copies"] = str(project.folder)

        st.markdown(f"To find copies, {counted(len(images), 'picture')} must be decoded once.")
        st.button("Look for copies", icon=":material/search:", on_click=look)
        return
    if not groups:
        st.success("No two pictures look the same, so nothing can leak.", icon=":material/check:")
        return
    leaking = duplicates_in_both_splits(now, groups)
    later = duplicates_in_both_splits(after, groups)
    words = f"{counted(len(groups), 'group')} of pictures that look the same"
    on_both = f"{counted(len(leaking), 'lies', 'lie')} on both sides now, and {len(later):,} after the change"
    if leaking or later:
        st.warning(f"{words}: {on_both}.", icon=":material/warning:")
    else:
        st.success(f"{words}: each lies on one side, now and after the change.", icon=":material/check:")
    by_name = {image.file_name: image for image in images}
    ordered = [*leaking, *(group for group in groups if tuple(sorted(group, key=natural_key)) not in set(leaking))]
    with st.container(horizontal=True, gap="small"):
        for group in ordered[:_SHOWN]:
            shown = group[:_SHOWN]
            with st.container(horizontal=True, gap="small", border=True, width=34 + 176 * len(shown), wrap=False):
                for name in shown:
                    _picture_of_group(project, by_name[name], after)
    if len(ordered) > _SHOWN:
        st.markdown(f"and {counted(len(ordered) - _SHOWN, 'more group')}")


def _picture_of_group(project: Project, image: StoredImage, after: Splits) -> None:
    """Draw one picture of a group of copies, with its split now and after the change."""
    with st.container(width=160, gap="xsmall"):
        try:
            st.image(thumbnails.thumbnail(project, image, 240), width=160, alt=image.file_name)
        except StudioError:
            st.markdown(":material/broken_image:")
        change = f" → {SPLIT_WORDS[after[image.file_name]]}" if after[image.file_name] != image.split else ""
        st.markdown(f"{plain(image.file_name)}  \n**{SPLIT_WORDS[image.split]}**{change}")
