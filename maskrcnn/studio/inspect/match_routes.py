"""The HTTP address of what a run found in one picture: objects, detections and their IoUs, for the browser.

They can be large, so the page sends only the address. The browser loads them once and keeps them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from maskrcnn.evaluation.coco_documents import Id
from maskrcnn.runs.folder import RunFolder
from maskrcnn.studio.inspect.match_table import match_table
from maskrcnn.studio.runs.labels_and_detections import detection_stamps, pictures_with_detections
from maskrcnn.studio.serving import kept_answers


@dataclass(frozen=True)
class PictureOfEpoch:
    """A picture of a run after an epoch. `stamps` are the modification times of the files of labels and detections."""

    run: str
    epoch: int
    image_id: Id
    stamps: tuple[int, ...]


def table_url(run: RunFolder, epoch: int, image_id: Id) -> str:
    """Return the URL path of the objects and detections of a picture (`match_table`).

    They are computed here, so that an error is shown on the page. Raises `StudioError` if a file cannot be read.
    """
    picture = PictureOfEpoch(str(run.path), epoch, image_id, detection_stamps(run, epoch))
    _content(picture)
    return kept_answers.url_path("inspect", picture)


def routes() -> list[Route]:
    """Return the route of objects and detections."""
    return [Route("/studio/inspect/{key}", _table)]


def _table(request: Request) -> Response:
    """Answer with the objects and detections of a picture, or with the reason why there are none (422)."""
    return kept_answers.answer(request, PictureOfEpoch, _content)


@lru_cache(maxsize=64)
def _content(picture: PictureOfEpoch) -> bytes:
    """Return the table of a picture as JSON."""
    run = RunFolder(picture.run)
    table = match_table(
        pictures_with_detections(run), run.detections(picture.epoch), picture.image_id, run.config().tasks
    )
    return kept_answers.json_bytes(table)
