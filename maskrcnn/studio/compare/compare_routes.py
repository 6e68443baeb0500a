"""The HTTP address of what both sides found in one picture: objects, detections and their IoUs, for the browser."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from maskrcnn.errors import StudioError
from maskrcnn.studio.compare.compared_sets import ComparedEpochs, ComparedSets, compared_sets
from maskrcnn.studio.inspect.match_table import match_table
from maskrcnn.studio.serving import kept_answers


@dataclass(frozen=True)
class ComparedPicture:
    """A picture of a comparison, by its position among the pictures in common."""

    epochs: ComparedEpochs
    position: int


def table_url(epochs: ComparedEpochs, position: int) -> str:
    """The URL path of the objects and detections of a picture (`picture_table`)."""
    return kept_answers.url_path("compare", ComparedPicture(epochs, position))


def routes() -> list[Route]:
    """The route of objects and detections."""
    return [Route("/studio/compare/{key}", _table)]


def picture_table(sets: ComparedSets, position: int) -> dict[str, Any]:
    """The `objects` of a picture, and under `a` and `b` the rest of each side's `match_table`."""
    truth, image_id = sets.common.truth, sets.common.truth["images"][position]["id"]
    a, b = (
        match_table(truth, found, image_id, sets.tasks)
        for found in (sets.common.detections_a, sets.common.detections_b)
    )
    objects = a.pop("objects")
    del b["objects"]  # the same
    return {"objects": objects, "a": a, "b": b}


def _table(request: Request) -> Response:
    """Answer with the objects and detections of a picture, or with the reason why there are none (422)."""
    return kept_answers.answer(request, ComparedPicture, _content)


@lru_cache(maxsize=64)
def _content(picture: ComparedPicture) -> bytes:
    """The table of a picture as JSON. Raises `StudioError` if it cannot be read, or is not in the runs any more."""
    try:
        table = picture_table(compared_sets(picture.epochs), picture.position)
    except IndexError:  # the run was changed while the page was open
        raise StudioError("this picture is not in the runs any more; load the page again") from None
    return kept_answers.json_bytes(table)
