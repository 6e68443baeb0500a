"""The large picture of the Try it page, and what is chosen in it: kept with its set."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st
from pydantic import TypeAdapter, ValidationError
from streamlit.delta_generator import DeltaGenerator

from maskrcnn.errors import StudioError
from maskrcnn.studio.components.picture.viewer import shown_picture, usual_aspect
from maskrcnn.studio.inspect import picture_steps
from maskrcnn.studio.shell import hotkeys
from maskrcnn.studio.shell.markdown_escape import plain
from maskrcnn.studio.try_it import tried_picture
from maskrcnn.studio.try_it.candidate_routes import candidates_url
from maskrcnn.studio.try_it.opened_set import PAGE, OpenedSet
from maskrcnn.studio.try_it.sets import tried_set
from maskrcnn.studio.try_it.sets.figures import usual_selection
from maskrcnn.studio.try_it.tried_picture import UNITS, KnownLength, TriedPicture

if TYPE_CHECKING:
    from maskrcnn.model.candidates import Selection

SHORTCUTS = (*hotkeys.PICTURES, *tried_picture.SHORTCUTS, hotkeys.SHEET)
_LENGTH: TypeAdapter[KnownLength] = TypeAdapter(KnownLength)
_SELECTION, _LENGTHS = f"{PAGE}_selection", f"{PAGE}_lengths"


@dataclass(frozen=True)
class Choice:
    """What the person chose for a set: the selection, and the known length of a pixel with its unit."""

    selection: Selection
    scale: tuple[float, str] | None


def choice_of(opened: OpenedSet) -> Choice:
    """What was chosen for a set in this tab, else what was kept with the set, else what the network says."""
    from maskrcnn.model.candidates import Selection

    key = f"{_SELECTION}_{opened.tried.id}"
    if key not in st.session_state:
        kept = tried_set.chosen(opened.workspace, opened.tried.id)
        fields = tried_set.selection_fields(kept.selection)
        st.session_state[key] = usual_selection(opened.tried.config) if fields is None else Selection(**fields)
        st.session_state[f"{_LENGTHS}_{opened.tried.id}"] = _lengths(kept.lengths)
    return Choice(st.session_state[key], _scale(opened, None))


def choose(opened: OpenedSet, order: Sequence[int], columns: tuple[DeltaGenerator, DeltaGenerator]) -> int:
    """Draw the list of pictures with its buttons, and return the position of the chosen one in the set."""
    names = [opened.tried.pictures[position].name for position in order]
    return order[picture_steps.choose(names, names[0], PAGE, SHORTCUTS, *columns, label_visibility="collapsed")]


def show(opened: OpenedSet, position: int) -> Choice:
    """Draw the large picture with its controls, and return what is chosen in it."""
    tried, config = opened.tried, opened.tried.config
    name = tried.pictures[position].name
    choice = choice_of(opened)
    lengths: dict[int, KnownLength] = st.session_state[f"{_LENGTHS}_{tried.id}"]
    try:
        picture = shown_picture(opened.path(position), name)
    except (StudioError, OSError) as error:
        st.error(plain(str(error) if isinstance(error, StudioError) else f"{name}: is not there any more"))
        return choice
    tasks = config.tasks
    data = TriedPicture(
        picture,
        candidates_url(tried_set.candidates_path(opened.workspace, tried.id, position)),
        list(zip(config.names, opened.colours, strict=True)),
        usual_selection(opened.tried.config),
        choice.selection,
        name,
        ("boxes", *["masks"] * ("mask" in tasks), *["keypoints"] * ("keypoints" in tasks)),
        config.keypoint_edges,
        lengths.get(position),
        _scale(opened, position),
        usual_aspect((about.width, about.height) for about in tried.pictures),
    )
    shown = tried_picture.show_picture(f"{PAGE}_picture_{tried.id}", data)
    if shown.selection != choice.selection:
        st.session_state[f"{_SELECTION}_{tried.id}"] = shown.selection
        tried_set.keep_chosen(opened.workspace, tried.id, selection=asdict(shown.selection))
    if shown.length != lengths.get(position):
        if shown.length is None:
            lengths.pop(position, None)
        else:
            lengths[position] = shown.length
        kept = {str(place): asdict(length) | {"line": list(length.line)} for place, length in lengths.items()}
        tried_set.keep_chosen(opened.workspace, tried.id, lengths=kept)
    return choice_of(opened)


def _scale(opened: OpenedSet, but: int | None) -> tuple[float, str] | None:
    """The length of a pixel by the last known length that holds for the set, but not that of the picture `but`.

    In a set of one picture, its own holds.
    """
    lengths: dict[int, KnownLength] = st.session_state.get(f"{_LENGTHS}_{opened.tried.id}", {})
    for position, length in reversed(lengths.items()):
        if position != but and (length.shared or len(opened.tried.pictures) == 1):
            return length.per_pixel, length.unit
    return None


def _lengths(kept: dict[str, dict[str, Any]]) -> dict[int, KnownLength]:
    """The known lengths from JSON, by the position of their picture; odd ones are left out."""
    found = {}
    for place, value in kept.items():
        with suppress(ValidationError, ZeroDivisionError, OverflowError):
            length = _LENGTH.validate_python(value)
            if place.isdecimal() and length.unit in UNITS and 0 < length.per_pixel < 1e12:
                found[int(place)] = length
    return found
