"""The Pictures view: thumbnails with filters, and actions on several pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from maskrcnn.annotations.dataset import SPLITS, Split
from maskrcnn.annotations.store import STATUSES, PictureCounts, Project, Status, StoredImage
from maskrcnn.errors import StudioError
from maskrcnn.studio.components import gallery, thumbnails
from maskrcnn.studio.components.gallery import Tile
from maskrcnn.studio.shell import session, url_state
from maskrcnn.studio.shell.markdown_escape import plain
from maskrcnn.words import counted

PAGE = "dataset"
PER_PAGE = 50
ALL, REMOVED = "all", "removed"
SIGNS: dict[Status, str] = {"new": "○", "in progress": "◐", "done": "✓"}
MEANINGS = (
    "new: nothing drawn and never saved. in progress: something was drawn or saved. done: marked so, here or on "
    "Annotate. removed: hidden everywhere, also from training and export, and kept here. A number in brackets counts "
    "the pictures that a filter shows beside the other filters."
)
SPLIT_WORDS: dict[str, str] = {"train": "training", "val": "validation"}

_SIDE = 240  # pixels of a thumbnail: sharp on a screen with two device pixels per CSS pixel
_GENERATION = "dataset_gallery_generation"


class PictureFilter(NamedTuple):
    """Which pictures are shown; None means any. Removed pictures are shown only with `removed`."""

    removed: bool
    status: Status | None
    split: Split | None
    class_name: str | None


def show(project: Project) -> None:
    """Draw the filters, the buttons for the ticked pictures, and a page of thumbnails."""
    with session.fail_softly():
        counts, removed = project.picture_counts(), project.removed()
        wanted, end_of_row = _filters(counts, len(removed))
        total = len(removed) if wanted.removed else counts.count(wanted.status, wanted.split, wanted.class_name)
        with end_of_row:
            page = _page_number(wanted, max(1, -(-total // PER_PAGE)))
        first = (page - 1) * PER_PAGE
        images = (
            removed[first : first + PER_PAGE] if wanted.removed else _filtered_images(project, wanted, PER_PAGE, first)
        )
    if not images:
        _no_pictures(wanted)
        return
    key = f"dataset_gallery_{project.folder}_{wanted}_{page}_{st.session_state.get(_GENERATION, 0)}"
    ticked = set(gallery.ticked(key))
    _picture_actions(project, [image.id for image in images if image.id in ticked], removed=wanted.removed)
    with st.spinner("Making the thumbnails"):
        tiles = [_picture_tile(project, image, removed=wanted.removed) for image in images]
    opened = gallery.show(tiles, key, f"all {len(images)} on this page")
    image = next((image for image in images if image.id == opened), None)
    if image is not None and wanted.removed:
        st.toast(f"{plain(image.file_name)} was removed. Put it back to open it.", icon=":material/info:")
    elif image is not None:
        st.switch_page(
            "pages/label/annotate.py", query_params={"project": project.folder.name, "image": image.file_name}
        )


def _filters(counts: PictureCounts, removed: int) -> tuple[PictureFilter, DeltaGenerator]:
    """Draw the row of filters. Returns the filter, and the container at the end of the row.

    A number in brackets is the number of pictures that the choice would show with the other two filters as they are.
    """
    status, split, class_name = (url_state.current(name, ALL, page=PAGE) for name in ("status", "split", "class"))
    chosen = _filter_of_url(status, split, class_name, counts.classes)
    numbers = {ALL: counts.count(None, chosen.split, chosen.class_name)}
    numbers |= {str(status): counts.count(status, chosen.split, chosen.class_name) for status in STATUSES}
    if removed:
        numbers[REMOVED] = removed
    signs = {REMOVED: "✕", **{str(status): sign for status, sign in SIGNS.items()}}
    splits = {ALL: "both splits"}
    classes = {ALL: "any class"}
    if chosen.removed:  # then split and class do not filter
        splits |= SPLIT_WORDS
        classes |= {f"class {name}": name for name in counts.classes}
    else:
        splits |= {
            split: f"{SPLIT_WORDS[split]} ({counts.count(chosen.status, split, chosen.class_name)})" for split in SPLITS
        }
        classes |= {
            f"class {name}": f"{name} ({counts.count(chosen.status, chosen.split, name)})" for name in counts.classes
        }
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        status = url_state.segments(
            "Status",
            "status",
            list(numbers),
            ALL,
            page=PAGE,
            show=lambda name: f"{signs.get(name, '')} {name} ({numbers[name]:,})".strip(),
        )
        collapsed: Any = {"page": PAGE, "label_visibility": "collapsed"}
        with st.container(width=195):
            split = url_state.select("Split", "split", list(splits), ALL, show=splits.__getitem__, **collapsed)
        with st.container(width=160):
            class_name = url_state.select("Class", "class", list(classes), ALL, show=classes.__getitem__, **collapsed)
        end_of_row = st.container(horizontal=True, horizontal_alignment="right", width="stretch")
    return _filter_of_url(status, split, class_name, counts.classes), end_of_row


def _filter_of_url(status: str, split: str, class_name: str, classes: Sequence[str]) -> PictureFilter:
    """The filter for these choices in the URL. A value that is not one of the options means any."""
    return PictureFilter(
        status == REMOVED,
        next((known for known in STATUSES if known == status), None),
        next((known for known in SPLITS if known == split), None),
        next((name for name in classes if f"class {name}" == class_name), None),
    )


def _filtered_images(project: Project, wanted: PictureFilter, limit: int, offset: int) -> list[StoredImage]:
    """The pictures of one page of the grid."""
    return project.images(wanted.split, status=wanted.status, class_name=wanted.class_name, limit=limit, offset=offset)


def _page_number(wanted: PictureFilter, pages: int) -> int:
    """Draw the choice of the page of the grid, and return it: `?page=N` in the URL. A new filter starts at page 1."""
    memory = f"{PAGE}_page_of"
    asked = st.query_params.get("page", "1")
    if st.session_state.get(memory, wanted) != wanted:
        asked = "1"
        st.query_params.pop("page", None)
    st.session_state[memory] = wanted
    if pages == 1:
        return 1
    page = min(max(1, int(asked)), pages) if asked.isdecimal() else 1
    key = f"{PAGE}_page_{wanted}_{page}"
    return st.pagination(
        pages, default=page, key=key, on_change=lambda: url_state.choose("page", st.session_state[key])
    )


def _picture_tile(project: Project, image: StoredImage, *, removed: bool) -> Tile:
    """The tile of a picture in the grid, with its status and number of regions."""
    status = "✕ removed" if removed else f"{SIGNS[image.status]} {image.status}"
    says = f"{status} · {counted(image.n_regions, 'region')}"
    badge = "val" if image.split == "val" else ""
    try:
        content = thumbnails.thumbnail(project, image, _SIDE)
    except StudioError as error:
        return Tile(image.id, None, image.file_name, says, str(error), badge)
    title = f"{image.file_name}: {image.width} x {image.height} px, {SPLIT_WORDS[image.split]}. Click to open it."
    return Tile(image.id, content, image.file_name, says, title, badge)


def _picture_actions(project: Project, ids: Sequence[int], *, removed: bool) -> None:
    """Draw the buttons that change the ticked pictures."""

    def done(value: bool) -> None:
        for image_id in ids:
            project.set_done(image_id, value)

    def move(split: Split) -> None:
        project.set_splits({image_id: split for image_id in ids})

    def remove(value: bool) -> None:
        for image_id in ids:
            project.set_removed(image_id, value)

    def button(label: str, icon: str, after: str, action: Callable[[], None]) -> None:
        def act() -> None:
            with session.fail_softly(stop=False):
                action()
                st.session_state[_GENERATION] = st.session_state.get(_GENERATION, 0) + 1
                st.toast(f"{counted(len(ids), 'picture')} {after}", icon=icon)

        st.button(label, icon=icon, key=f"dataset_{label}", disabled=not ids, on_click=act)

    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if removed:
            button("Put back", ":material/restore_from_trash:", "put back", partial(remove, False))
        else:
            button("Mark done", ":material/check:", "marked as done", partial(done, True))
            button("Not done", ":material/remove_done:", "marked as not done", partial(done, False))
            button("To training", ":material/school:", "moved to training", partial(move, "train"))
            button("To validation", ":material/fact_check:", "moved to validation", partial(move, "val"))
            button("Remove", ":material/delete:", "removed; they are kept under “removed”", partial(remove, True))
        words = f"{counted(len(ids), 'picture')} ticked" if ids else "Tick pictures to change several at once."
        st.markdown(words, help=MEANINGS)


def _no_pictures(wanted: PictureFilter) -> None:
    """Draw a message that no picture matches the filter, and a button that shows all pictures."""
    only_status = wanted.split is None and wanted.class_name is None
    message = "No picture is like that."
    if only_status and wanted.status == "new":
        message = "Here would be the pictures that nobody has labelled yet: there are none left."
    elif only_status and wanted.status == "done":
        message = "Here would be the pictures marked as done. Mark one on Annotate, or tick some under “all”."
    st.info(message, icon=":material/filter_alt_off:")

    def reset() -> None:
        for name in ("status", "split", "class"):
            url_state.choose(name, ALL)

    st.button("Show all pictures", type="primary", on_click=reset)
