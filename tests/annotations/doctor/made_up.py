"""Datasets made for the doctor's tests: a healthy one, and for each check one that has just that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from maskrcnn.annotations.dataset import Dataset, ImageRecord
from maskrcnn.annotations.doctor import Finding
from maskrcnn.annotations.regions import Circle, Keypoints, MultiPolygon, Points, Polygon, Polyline, Rect, Region

WIDTH, HEIGHT = 200, 160

ORIENTATION = 0x0112

DENT = Polygon(((20, 20), (80, 25), (75, 90), (25, 85)))
SCRATCH = Polygon(((110, 30), (180, 30), (180, 100), (110, 100)))
PAIR = (Region(DENT, "dent"), Region(SCRATCH, "scratch"))


def picture(path: Path, seed: int = 0, size: tuple[int, int] = (WIDTH, HEIGHT), **options: Any) -> Path:
    """A picture of soft random blobs, each seed another, saved under that path."""
    coarse = np.random.default_rng(seed).integers(0, 255, (6, 8, 3), dtype=np.uint8)
    Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).save(path, **options)
    return path


def record(folder: Path, name: str, *regions: Region, seed: int = 0, **fields: Any) -> ImageRecord:
    """A record with its picture; `seed` also stands in for the picture's content."""
    return ImageRecord(name, tuple(regions), picture(folder / name, seed), **fields)


def dataset(*records: ImageRecord, **fields: Any) -> Dataset:
    classes = tuple(sorted({r.class_name for i in records for r in i.regions if r.class_name}))
    return Dataset(tuple(records), **{"classes": classes, **fields})


def healthy(folder: Path) -> Dataset:
    """Two pictures of two sound regions each, and one of each split."""
    return dataset(
        record(folder, "a.png", *PAIR, seed=1, split="train", width=WIDTH, height=HEIGHT),
        record(folder, "b.png", *PAIR, seed=2, split="val"),
    )


def decided(findings: list[Finding]) -> list[Finding]:
    """The findings after somebody chose the first mend that each offers."""
    return [replace(f, fix=f.choices[0]) if f.choices else f for f in findings]


def with_region(folder: Path, shape: Any, class_name: str | None = "dent", **fields: Any) -> Dataset:
    """The healthy dataset with one more region on its first picture."""
    first, second = healthy(folder).images
    more = Region(shape, class_name, **fields)
    return dataset(replace(first, regions=(*first.regions, more)), second)


def polygon(*points: tuple[float, float]) -> Polygon:
    return Polygon(points)


def _missing(folder: Path) -> Dataset:
    sound = healthy(folder)
    return replace(sound, images=(sound.images[0], replace(sound.images[1], path=None)))


def _unreadable(folder: Path) -> Dataset:
    sound = healthy(folder)
    (folder / "b.png").write_bytes((folder / "b.png").read_bytes()[:2000])
    return sound


def stored_labels(folder: Path, orientation: int, shape: Any, **fields: Any) -> Dataset:
    """One record whose shape was drawn on the stored pixels, 200 x 160, of a picture with an EXIF orientation."""
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    path = picture(folder / f"turned{orientation}.jpg", exif=exif)
    return dataset(ImageRecord(path.name, (Region(shape, "dent"),), path, **fields))


def _size_mismatch(folder: Path) -> Dataset:
    sound = healthy(folder)
    larger = [Region(_doubled(region.shape.points), region.class_name) for region in PAIR]
    return replace(
        sound,
        images=(replace(sound.images[0], regions=tuple(larger), width=2 * WIDTH, height=2 * HEIGHT), sound.images[1]),
    )


def _doubled(points: Points) -> Polygon:
    return Polygon(tuple((2 * x, 2 * y) for x, y in points))


def _no_regions(folder: Path) -> Dataset:
    sound = healthy(folder)
    return dataset(*sound.images, record(folder, "c.png", seed=3))


def _typo(folder: Path) -> Dataset:
    renamed = (replace(PAIR[0], class_name="Dent"), PAIR[1])
    return dataset(*healthy(folder).images, record(folder, "c.png", *renamed, seed=3))


def _both_splits(folder: Path) -> Dataset:
    return dataset(*healthy(folder).images, record(folder, "c.png", *PAIR, seed=1, split="val"))


def _narrow_range(folder: Path) -> Dataset:
    sound = healthy(folder)
    for record in sound.images:
        assert record.path is not None
        dark = np.asarray(Image.open(record.path)).astype(np.uint16) // 8
        Image.fromarray(dark.astype(np.uint8)).save(record.path)
    return sound


def _imbalance(folder: Path) -> Dataset:
    places = [Rect(20 * column, 40 * row, 18, 38) for row in range(3) for column in range(8)]
    many = [Region(place, "dent") for place in places[:20]]
    return dataset(record(folder, "a.png", *many, Region(Rect(0, 120, 180, 38), "window")))


def _normalised(folder: Path) -> Dataset:
    """A third picture whose labels are shares of width and height."""
    shares = [polygon(*((x / WIDTH, y / HEIGHT) for x, y in region.shape.points)) for region in PAIR]
    drawn = [replace(region, shape=shape) for region, shape in zip(PAIR, shares, strict=True)]
    return dataset(*healthy(folder).images, record(folder, "c.png", *drawn, seed=3))


def _one_corner(folder: Path) -> Dataset:
    """Four pictures whose labels were drawn on copies of half the size."""
    halved = [replace(r, shape=polygon(*((x / 2, y / 2) for x, y in r.shape.points))) for r in PAIR]
    return dataset(*(record(folder, f"{n}.png", *halved, seed=n) for n in range(4)))


def _several_attributes(folder: Path) -> Dataset:
    """Three regions of which one attribute says the class, and one that another attribute names."""
    orange = Region(Rect(20, 100, 60, 40), None, {"orange": "orange"})
    mangos = [Region(shape, "mango") for shape in (DENT, SCRATCH)]
    sound = dataset(record(folder, "a.png", *mangos, orange), record(folder, "b.png", *mangos, seed=1))
    return replace(sound, classes=("mango",), class_attribute="mango")


def _below_anchor(folder: Path) -> Dataset:
    path = picture(folder / "large.jpg", size=(2000, 1600))
    drawn = Region(Rect(100, 100, 100, 100), "dent"), Region(Rect(300, 300, 800, 800), "dent")
    return dataset(ImageRecord("large.jpg", drawn, path))


MADE_UP: dict[str, Callable[[Path], Dataset]] = {
    "picture-missing": _missing,
    "picture-unreadable": _unreadable,
    "turned-labels": lambda folder: stored_labels(folder, 6, polygon((100, 20), (190, 20), (190, 100), (100, 100))),
    "size-mismatch": _size_mismatch,
    "normalised": _normalised,
    "one-corner": _one_corner,
    "outside-picture": lambda folder: with_region(folder, polygon((150, 110), (230, 110), (230, 150), (150, 150))),
    "self-crossing": lambda folder: with_region(folder, polygon((20, 100), (80, 150), (80, 100), (20, 150))),
    "box-mismatch": lambda folder: with_region(
        folder, polygon((20, 100), (80, 100), (80, 150), (20, 150)), extras={"coco": {"bbox": [100, 20, 60, 50]}}
    ),
    "few-vertices": lambda folder: with_region(folder, polygon((20, 100), (80, 150))),
    "no-area": lambda folder: with_region(folder, polygon((20, 100), (50, 120), (80, 140))),
    "thin-box": lambda folder: with_region(folder, Rect(20, 100, 60, 0.5)),
    "tiny": lambda folder: with_region(folder, Rect(20, 100, 5, 3)),
    "crowd": lambda folder: with_region(folder, Rect(20, 100, 60, 40), iscrowd=True),
    "line-or-point": lambda folder: with_region(folder, Polyline(((20, 100), (80, 100), (80, 140)))),
    "unlabelled-keypoints": lambda folder: with_region(
        folder, Rect(20, 100, 60, 40), keypoints=Keypoints(((30, 110, 0), (60, 120, 2), (0, 0, 0)))
    ),
    "duplicate": lambda folder: with_region(folder, polygon((20, 20), (80, 25), (75, 91), (25, 85))),
    "several-attributes": _several_attributes,
    "no-class": lambda folder: with_region(folder, Rect(20, 100, 60, 40), None),
    "class-typo": _typo,
    "narrow-range": _narrow_range,
    "in-both-splits": _both_splits,
    "no-regions": _no_regions,
    "class-imbalance": _imbalance,
    "below-anchor": _below_anchor,
}
"""Check -> a dataset that trips it and no other (but for the regions without a class of several attributes)."""

MORE: list[tuple[str, Callable[[Path], Dataset]]] = [
    ("outside-picture", lambda folder: with_region(folder, polygon((-0.5, 100), (60, 100), (60, 150)))),
    ("outside-picture", lambda folder: with_region(folder, Rect(150, 120, 60, 20))),
    ("outside-picture", lambda folder: with_region(folder, Circle(30, 170, 50))),
    ("outside-picture", lambda folder: with_region(folder, Rect(300, 300, 50, 50))),
    ("outside-picture", lambda folder: with_region(folder, Keypoints(((100, 100, 2), (205, 100, 1), (0, 0, 0))))),
    ("self-crossing", lambda folder: with_region(folder, polygon((20, 100), (80, 100), (80, 150), (80, 90)))),
    ("few-vertices", lambda folder: with_region(folder, polygon((20, 100), (80, 150), (20, 100)))),
    ("few-vertices", lambda folder: with_region(folder, MultiPolygon(()))),
    ("no-area", lambda folder: with_region(folder, Rect(20, 100, 60, 0))),
    ("no-area", lambda folder: with_region(folder, Circle(50, 120, 0))),
    ("tiny", lambda folder: with_region(folder, Circle(50, 120, 2))),
]
"""Other ways to trip a check, again alone."""
