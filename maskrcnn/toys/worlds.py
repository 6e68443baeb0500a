"""The toy worlds by name, and how any number of their pictures gets into a folder with its labels."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from maskrcnn.annotations.formats import writing
from maskrcnn.annotations.regions import Dataset, ImageRecord, Skeleton
from maskrcnn.annotations.trainable import Watch, unwatched
from maskrcnn.errors import ArgumentError, StudioError
from maskrcnn.toys import people_world, shapes_world

_JPEG_QUALITY = 88
_FEW = 60
"""So many pictures are drawn sooner than other processes have started."""


@dataclass(frozen=True)
class World:
    """What can be drawn: `draw(seed, index)` gives a picture, uint8 `(H, W, 3)` RGB, and its labels.

    `labels` is the name of the label file, `format` what is written into it (a word of `convert --to`).
    """

    name: str
    draw: Callable[[int, int], tuple[np.ndarray, ImageRecord]]
    classes: tuple[str, ...]
    labels: str
    format: str
    attribute: str | None = None
    extras: Mapping[str, Any] = field(default_factory=dict)
    skeletons: Mapping[str, Skeleton] = field(default_factory=dict)

    def dataset(self, records: Iterable[ImageRecord]) -> Dataset:
        """Drawn pictures with what their label file says of all of them."""
        return Dataset(
            tuple(records), self.classes, self.attribute, Path(self.name), self.extras, skeletons=self.skeletons
        )


WORLDS: dict[str, World] = {
    "shapes": World(
        *("shapes", shapes_world.draw, shapes_world.CLASSES, "via_project.json", "via-project"),
        attribute=shapes_world.ATTRIBUTE,
        extras={"flavour": "via-project", "via_attributes": shapes_world.VIA_ATTRIBUTES},
    ),
    "people": World(
        *("people", people_world.draw, people_world.CLASSES, "coco_keypoints.json", "coco"),
        skeletons={name: people_world.SKELETON for name in people_world.CLASSES},
    ),
}


def generate(
    world: World, folder: Path | str, pictures: int, seed: int, workers: int | None = None, watch: Watch = unwatched
) -> Dataset:
    """Draw pictures 0, 1, ... of a seed into a folder as JPEGs, then write their labels, so that a folder with labels
    is whole. The same seed gives the same pixels and labels, however many processes (`workers`) draw.

    Raises `ArgumentError` for fewer than one picture or a negative seed, `StudioError` where the folder holds anything
    but pictures of that seed, which were drawn before somebody stopped it, or cannot be written.

    >>> from tempfile import mkdtemp
    >>> dataset = generate(WORLDS["shapes"], Path(mkdtemp()) / "shapes", pictures=2, seed=1)
    >>> [record.file_name for record in dataset.images]
    ['toy1-001.jpg', 'toy1-002.jpg']
    """
    if pictures < 1 or seed < 0:
        raise ArgumentError(f"--pictures {pictures} --seed {seed}: give one picture at least, and no negative seed")
    folder = Path(folder)
    labels = folder / world.labels
    try:
        folder.mkdir(parents=True, exist_ok=True)
        ours = re.compile(rf"[a-z]+{seed}-\d+\.jpg")
        if others := sorted(path for path in folder.iterdir() if not ours.fullmatch(path.name)):
            raise StudioError(f"{others[0]} exists already; name a new folder, or remove that one")
        one = partial(_draw_into, world.name, folder, seed)
        records = watch(_spread(one, pictures, workers), f"drawing {world.name}", pictures)
        dataset = world.dataset(records)
        writing.write(dataset, labels, world.format)
    except OSError as error:
        raise StudioError(f"{folder}: cannot be written ({error.strerror}); choose another folder") from None
    return dataset


def _draw_into(name: str, folder: Path, seed: int, index: int) -> ImageRecord:
    picture, record = WORLDS[name].draw(seed, index)
    path = folder / record.file_name
    _, encoded = cv2.imencode(".jpg", picture[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    path.write_bytes(encoded.tobytes())
    return replace(record, path=path, file_size=len(encoded))


def _spread(one: Callable[[int], ImageRecord], pictures: int, workers: int | None) -> Iterator[ImageRecord]:
    """`one` of 0, 1, ..., in that order, in several processes where it pays."""
    indices: Iterable[int] = range(pictures)
    workers = workers or (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
    if workers == 1 or pictures < _FEW:
        yield from map(one, indices)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_end_with_parent) as pool:
        yield from pool.map(one, indices, chunksize=8)


def _end_with_parent() -> None:
    """A worker whose parent was killed would wait for work for ever."""
    parent = parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
