"""The HTTP address of everything that a network could find in one picture, for the browser.

Candidates with their soft masks are large, so the page sends only the address. The browser loads them once, and then
selects and draws them by itself (`tried_picture.js`).
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from maskrcnn.errors import StudioError
from maskrcnn.studio.serving import kept_answers

if TYPE_CHECKING:
    from maskrcnn.model.candidates import Candidates


@dataclass(frozen=True)
class CandidatesFile:
    """A file of candidates in the state that its modification time and size name."""

    path: str
    modified: int
    size: int


def candidates_url(path: Path) -> str:
    """Return the URL path of the candidates in a file that `Candidates.save` wrote.

    Raises `StudioError` if there is no such file. A damaged one is reported where the picture is.
    """
    try:
        state = path.stat()
    except OSError:
        raise StudioError(f"{path.name}: is not there any more; predict this picture again") from None
    return kept_answers.url_path("try_it", CandidatesFile(str(path), state.st_mtime_ns, state.st_size))


def routes() -> list[Route]:
    """Return the route of candidates."""
    return [Route("/studio/try_it/{key}", _candidates)]


def for_browser(candidates: Candidates) -> dict[str, Any]:
    """Return candidates as a JSON value.

    `boxes` (xyxy), `labels` and so on are those of `Candidates`. `masks` are the soft masks, one after the other, row
    by row, each cell a byte (0 to 255), in base64; `side` is the number of cells of a side. What a network does not
    find is null.

    >>> from maskrcnn.model.candidates import Candidates
    >>> one, box = np.zeros(1, np.int64), np.array([[0, 0, 4, 2]], np.float32)
    >>> mask = np.array([[[0, 1]] * 2], np.float16)
    >>> sent = for_browser(Candidates(2, 4, box, one + 1, np.ones(1, np.float32), one, mask))
    >>> sent["boxes"], sent["side"], base64.b64decode(sent["masks"]).hex()
    ([[0.0, 0.0, 4.0, 2.0]], 2, '00ff00ff')
    """
    masks, keypoints = candidates.masks, candidates.keypoints
    cells = None if masks is None else np.rint(np.clip(masks.astype(np.float32), 0, 1) * 255).astype(np.uint8)
    return {
        "height": candidates.height,
        "width": candidates.width,
        "boxes": candidates.boxes.tolist(),
        "labels": candidates.labels.tolist(),
        "scores": candidates.scores.tolist(),
        "ranks": candidates.ranks.tolist(),
        "side": 0 if cells is None else cells.shape[-1],
        "masks": None if cells is None else base64.b64encode(cells.tobytes()).decode("ascii"),
        "keypoints": None if keypoints is None else keypoints.tolist(),
        "legacy": bool(candidates.legacy),
    }


def _candidates(request: Request) -> Response:
    """Answer with the candidates of a picture, or with the reason why there are none (422)."""
    return kept_answers.answer(request, CandidatesFile, _content)


@lru_cache(maxsize=16)
def _content(file: CandidatesFile) -> bytes:
    """Return the candidates in a file as JSON. Raises `StudioError` if it cannot be read."""
    from maskrcnn.model.candidates import Candidates  # loads torch

    return kept_answers.json_bytes(for_browser(Candidates.open(Path(file.path))))
