"""The toy worlds by name, and `generate`, which draws pictures of a world into a folder with a label file."""

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

from maskrcnn.annotations.dataset import Dataset, ImageRecord
from maskrcnn.annotations.formats import writing
from maskrcnn.annotations.progress_callback import Watch, unwatched
from maskrcnn.annotations.regions import Skeleton
from maskrcnn.errors import ArgumentError, StudioError
from maskrcnn.toys import people_world, shapes_world

_JPEG_QUALITY = 88
_MIN_PICTURES_FOR_PROCESSES = 60
"""Fewer pictures are drawn in this process: starting other processes would take longer."""


@dataclass(frozen=True)
class World:
    """A toy world. `draw(seed, index)` returns a picture, uint8 `(H, W, 3)` RGB, and its record with the labels.

    `labels` is the name of the label file, `format` is its label format (as in `convert --to`). `attribute`, `extras`
    and `skeletons` are fields of the `Dataset` of its pictures.
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
        """The dataset of drawn pictures, with the classes and other shared fields of this world."""
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
    """Draw pictures 0, 1, ... of a seed into a folder as JPEG files, write their label file, and return the dataset.

    The label file is written last, so a folder that has it is complete. The same seed gives the same pixels and labels
    with any number of processes (`workers`). `watch` gets the pictures as they are drawn, for a progress bar.

    Raises `ArgumentError` for fewer than one picture or a negative seed. Raises `StudioError` if the folder cannot be
    written, or holds other files than pictures of that seed (those of an interrupted call are overwritten).

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
        own_names = re.compile(rf"[a-z]+{seed}-\d+\.jpg")
        if others := sorted(path for path in folder.iterdir() if not own_names.fullmatch(path.name)):
            raise StudioError(f"{others[0]} exists already; name a new folder, or remove that one")
        draw_one = partial(_draw_into, world.name, folder, seed)
        records = watch(_map_indices(draw_one, pictures, workers), f"drawing {world.name}", pictures)
        dataset = world.dataset(records)
        writing.write(dataset, labels, world.format)
    except OSError as error:
        raise StudioError(f"{folder}: cannot be written ({error.strerror}); choose another folder") from None
    return dataset


def _draw_into(name: str, folder: Path, seed: int, index: int) -> ImageRecord:
    """Draw one picture of the world `name` into a JPEG file of the folder, and return its record."""
    picture, record = WORLDS[name].draw(seed, index)
    path = folder / record.file_name
    _, encoded = cv2.imencode(".jpg", picture[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    path.write_bytes(encoded.tobytes())
    return replace(record, path=path, file_size=len(encoded))


def _map_indices(draw_one: Callable[[int], ImageRecord], pictures: int, workers: int | None) -> Iterator[ImageRecord]:
    """`draw_one(index)` for index 0, 1, ..., in that order; in several processes if there are many pictures."""
    indices: Iterable[int] = range(pictures)
    workers = workers or (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
    if workers == 1 or pictures < _MIN_PICTURES_FOR_PROCESSES:
        yield from map(draw_one, indices)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_exit_worker_with_parent) as pool:
        yield from pool.map(draw_one, indices, chunksize=8)


def _exit_worker_with_parent() -> None:
    """Make a worker process that draws pictures exit when its parent exits.

    Otherwise it would wait for work forever if the parent is killed.
    """
    parent = parent_process()
    assert parent is not None

    def wait_for_parent() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait_for_parent, daemon=True).start()
