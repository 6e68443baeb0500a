"""Pictures with the same content: exact copies, and copies that were saved again or scaled.

`digest` is a hash of the decoded pixels. A copy that was saved again as JPEG, or scaled, has other pixels but looks the
same. Its `Likeness` is a grid of 64 x 64 mean brightness values, which saving and scaling change little. Two pictures
are alike if all of these hold:

- their aspect ratios agree within 3 %;
- on a grid of 16 x 16, no cell differs by more than 20 of 255, and the root mean square of all differences is at most
  5. The limit for a single cell distinguishes pictures of one scene from a fixed camera: an object that appeared or
  disappeared and covers half a cell is detected if it is 40 brighter or darker than the background;
- the correlation of the two grids of 64 x 64 is more than 0.95. This distinguishes surfaces of equal brightness by
  their texture.

On 259 photographs (balloon, car_damage, COCO, VIA's own) copies at JPEG quality 30, and at a quarter of the width and
height, differ by up to 19 in a cell and 4.5 in root mean square and correlate by 0.968 and more; the two most similar
different photographs differ by 65 and 16 and correlate by 0.895 (`tests/annotations/test_duplicate_pictures.py`).
Copies that were cropped, flipped or rotated are not found.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from maskrcnn.annotations import pictures
from maskrcnn.annotations.dataset import ImageRecord, Split
from maskrcnn.annotations.progress_callback import Progress
from maskrcnn.errors import StudioError
from maskrcnn.name_order import natural_key

CELLS, COARSE = 64, 16
LARGEST_DIFFERENCE = 20.0
MEAN_DIFFERENCE = 5.0
LEAST_CORRELATION = 0.95
ASPECT_SHARE = 0.03

SIDE = 4 * CELLS
"""The longer side (px) to which a picture is reduced before its likeness is computed."""

_BLOCK = 256
"""Number of pictures compared at once; limits the memory of `pairs`."""


@dataclass(frozen=True)
class Likeness:
    """A picture reduced for comparison: its displayed `size` (width, height) and `cells`, uint8 `(64, 64)`."""

    size: tuple[int, int]
    cells: np.ndarray


def digest(path: Path | str) -> str:
    """Return a SHA-256 hash of the displayed pixels.

    Pictures with identical pixels have the same hash, even if their file formats differ. Raises `StudioError` for a
    picture that cannot be read.
    """
    pixels = pictures.load(path)
    found = hashlib.sha256(repr(pixels.shape).encode())
    found.update(np.ascontiguousarray(pixels).data)  # `.data` avoids a copy
    return found.hexdigest()


def likeness(path: Path | str) -> Likeness:
    """Return the `Likeness` of a picture file, for comparison with others.

    Decodes the whole file, JPEGs at a reduced scale. Raises `StudioError` for a picture that cannot be read.
    """
    return of_pixels(pictures.reduced(path, SIDE), pictures.size(path))


def of_pixels(pixels: np.ndarray, size: tuple[int, int]) -> Likeness:
    """Return the `Likeness` of a picture from its reduced pixels (uint8 `(h, w, 3)`, longer side `SIDE`).

    `size` is the displayed size (width, height) of the full picture.
    """
    grey = Image.fromarray(pixels).convert("L")
    return Likeness(size, np.asarray(grey.resize((CELLS, CELLS), Image.Resampling.BOX)))


def alike(one: Likeness, other: Likeness) -> bool:
    """Whether two pictures look like copies of each other, by the thresholds above."""
    return bool(pairs([one], [other]))


def pairs(ones: Sequence[Likeness], others: Sequence[Likeness]) -> list[tuple[int, int]]:
    """Return all index pairs `(i, j)` for which `ones[i]` and `others[j]` are alike."""
    if not ones or not others:
        return []
    right, right_aspect, right_mean = _coarse(others)
    found: list[tuple[int, int]] = []
    for start in range(0, len(ones), _BLOCK):
        left, left_aspect, left_mean = _coarse(ones[start : start + _BLOCK])
        # The difference of the means is never larger than the root mean square of the differences. So this cheap test
        # loses no pair and leaves few pairs to compare cell by cell.
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
    """Return groups of file names; the pictures of a group look like copies of each other.

    A picture without copies, a missing picture and an unreadable picture are in no group. Reads each picture once and
    calls `progress(done, total)` after each.
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
                pass  # the code that needs the pixels reports the error
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
    """Return the coarse cells `(N, 256)`, aspect ratios `(N,)` and mean brightness values `(N,)`, all float32."""
    side = CELLS // COARSE
    cells = np.stack([one.cells for one in several]).reshape(-1, COARSE, side, COARSE, side).astype(np.float32)
    means = cells.mean(axis=(2, 4)).reshape(len(several), -1)
    aspects = np.array([one.size[0] / one.size[1] for one in several], dtype=np.float32)
    return means, aspects, means.mean(axis=1)


def _correlate(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two grids correlate by more than `LEAST_CORRELATION`. Two nearly uniform grids count as correlated."""
    a, b = one - one.mean(), other - other.mean()
    if max(a.std(), b.std()) < 1:
        return True
    return bool((a * b).mean() > LEAST_CORRELATION * a.std() * b.std())


def duplicates_in_both_splits(splits: Mapping[str, Split], groups: Iterable[Collection[str]]) -> list[tuple[str, ...]]:
    """Return the groups of duplicate pictures that have pictures in both splits, in natural order.

    Pictures without a split are ignored.

    >>> splits = {"a.png": "train", "b.png": "val", "c.png": "val"}
    >>> duplicates_in_both_splits(splits, groups=[("a.png", "b.png"), ("b.png", "c.png")])
    [('a.png', 'b.png')]
    """
    found = []
    for group in groups:
        known = sorted({name for name in group if name in splits}, key=natural_key)
        if len({splits[name] for name in known}) > 1:
            found.append(tuple(known))
    return sorted(found, key=lambda names: list(map(natural_key, names)))
