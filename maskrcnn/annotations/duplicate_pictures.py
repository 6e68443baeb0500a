"""Pictures with the same content: exact copies, and copies that were saved again or scaled.

`digest` is the fingerprint of the decoded pixels. A copy that was saved anew as JPEG, or scaled, has other pixels but
looks the same: its `Likeness` is a grid of 64 x 64 mean brightnesses, which neither changes much. Two pictures are
alike if all of these hold:

- their aspects agree within 3 %;
- on a grid of 16 x 16, no cell differs by more than 20 of 255, and all by no more than 5 in root mean square. The
  single cell tells apart pictures of one scene from one place: an object that came or went and covers half a cell is
  seen if it is 40 brighter or darker than what is behind it;
- the two grids of 64 x 64 correlate by more than 0.95. That tells apart surfaces of one brightness by their grain.

On 259 photographs (balloon, car_damage, COCO, VIA's own) copies at JPEG quality 30, and at a quarter of the width and
height, differ by up to 19 in a cell and 4.5 in root mean square and correlate by 0.968 and more; the two most similar
different photographs differ by 65 and 16 and correlate by 0.895 (`tests/annotations/test_duplicate_pictures.py`).
Copies that were cropped, mirrored or turned are not found.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from maskrcnn.annotations import pictures
from maskrcnn.annotations.progress_callback import Progress
from maskrcnn.annotations.regions import ImageRecord
from maskrcnn.errors import StudioError

CELLS, COARSE = 64, 16
LARGEST_DIFFERENCE = 20.0
MEAN_DIFFERENCE = 5.0
LEAST_CORRELATION = 0.95
ASPECT_SHARE = 0.03

SIDE = 4 * CELLS
"""The longer side of the pixels that a likeness is made of."""

_BLOCK = 256
"""Pictures compared at a time; bounds the memory of `pairs`."""


@dataclass(frozen=True)
class Likeness:
    """A picture reduced for comparison: its displayed `size` (width, height) and `cells`, uint8 `(64, 64)`."""

    size: tuple[int, int]
    cells: np.ndarray


def digest(path: Path | str) -> str:
    """A fingerprint of the displayed pixels, equal for pictures that are equal to the pixel, whatever their files are.

    Raises `StudioError` for a picture that cannot be read.
    """
    pixels = pictures.load(path)
    found = hashlib.sha256(repr(pixels.shape).encode())
    found.update(np.ascontiguousarray(pixels).data)  # which is not copied
    return found.hexdigest()


def likeness(path: Path | str) -> Likeness:
    """The reduced picture for comparison; the file is decoded to its end, JPEGs at a smaller scale.

    Raises `StudioError` for a picture that cannot be read.
    """
    return of_pixels(pictures.reduced(path, SIDE), pictures.size(path))


def of_pixels(pixels: np.ndarray, size: tuple[int, int]) -> Likeness:
    """`likeness` of a picture of that displayed size, from its pixels at `SIDE`, uint8 `(h, w, 3)`."""
    grey = Image.fromarray(pixels).convert("L")
    return Likeness(size, np.asarray(grey.resize((CELLS, CELLS), Image.Resampling.BOX)))


def alike(one: Likeness, other: Likeness) -> bool:
    """Whether two pictures look like copies of one another, by the thresholds above."""
    return bool(pairs([one], [other]))


def pairs(ones: Sequence[Likeness], others: Sequence[Likeness]) -> list[tuple[int, int]]:
    """The places `(i, j)` of all that are alike, `i` in `ones` and `j` in `others`."""
    if not ones or not others:
        return []
    right, right_aspect, right_mean = _coarse(others)
    found: list[tuple[int, int]] = []
    for start in range(0, len(ones), _BLOCK):
        left, left_aspect, left_mean = _coarse(ones[start : start + _BLOCK])
        # Means differ by no more than root mean squares do, so few pairs are left to be compared cell by cell.
        near = np.abs(left_mean[:, None] - right_mean) <= MEAN_DIFFERENCE
        near &= np.abs(np.log(left_aspect[:, None] / right_aspect)) <= np.log(1 + ASPECT_SHARE)
        for i, candidates in enumerate(near):
            places = np.flatnonzero(candidates)
            difference = np.abs(right[places] - left[i])
            same = (difference.max(axis=1, initial=0) <= LARGEST_DIFFERENCE) & (
                np.sqrt((difference**2).mean(axis=1)) <= MEAN_DIFFERENCE
            )
            one = ones[start + i]
            found += [(start + i, int(j)) for j in places[same] if _correlate(one.cells, others[j].cells)]
    return found


def groups(records: Iterable[ImageRecord], progress: Progress | None = None) -> list[tuple[str, ...]]:
    """The file names of pictures that look like copies of one another, for each picture that has copies.

    Pictures that are missing or cannot be read are in no group. Reads each picture once; `progress(done, total)` is
    called after each.
    """
    listed = list(records)
    names: list[str] = []
    seen: list[Likeness] = []
    for done, record in enumerate(listed, start=1):
        if record.path is not None:
            try:
                seen.append(likeness(record.path))
                names.append(record.file_name)
            except StudioError:
                pass  # whoever needs the picture will say so
        if progress is not None:
            progress(done, len(listed))
    group = list(range(len(seen)))
    for i, j in pairs(seen, seen):
        if group[i] != group[j]:
            old, new = max(group[i], group[j]), min(group[i], group[j])
            group = [new if number == old else number for number in group]
    together: dict[int, list[str]] = {}
    for number, name in zip(group, names, strict=True):
        together.setdefault(number, []).append(name)
    return [tuple(found) for found in together.values() if len(found) > 1]


def _coarse(several: Sequence[Likeness]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Coarse cells `(N, 256)`, aspects `(N,)` and mean brightnesses `(N,)`, as float32."""
    side = CELLS // COARSE
    cells = np.stack([one.cells for one in several]).reshape(-1, COARSE, side, COARSE, side).astype(np.float32)
    means = cells.mean(axis=(2, 4)).reshape(len(several), -1)
    aspects = np.array([one.size[0] / one.size[1] for one in several], dtype=np.float32)
    return means, aspects, means.mean(axis=1)


def _correlate(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two grids follow one another; two that are as good as plain do."""
    a, b = one - one.mean(), other - other.mean()
    if max(a.std(), b.std()) < 1:
        return True
    return bool((a * b).mean() > LEAST_CORRELATION * a.std() * b.std())
