"""How well a box becomes an outline: GrabCut beside the mask head of networks, on photographs with people's polygons.

    python benchmarks/hints.py [--data FOLDER] [--networks toy RUN ...] [--sets balloon/val ...] [--json OUT]

FOLDER (else MASKRCNN_TEST_DATA) holds `balloon/{train,val}` and `car_damage/{train,val}`, photographs with polygons. Of
each polygon only its box is given, once exactly and once as a hand draws it: each side moved by up to 5 % of the box,
at random from a seed. The outline that comes back, in the simplified form that the editor offers, is compared with the
polygon: IoU of the pixels.

- **ellipse** is the ellipse in the box: what a person gets without any computation.
- **colours** is `annotations.hints.box_outline`, GrabCut on a small copy.
- **NETWORK** is `inference.prompted_masks`: the mask head of that network, given the box. The class is the network's
  only one, else the likeliest.
- **NETWORK + colours** is GrabCut that begins with that mask.

Seconds are those from the box to the outline, of one thread, with the picture in memory; those of a network include its
body for the first box of a picture. Constants of these functions were chosen on `balloon/train` and `car_damage/train`.

Prints a table for each set. Exits with 1 if no way reaches a median of 0.85 on balloons.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from maskrcnn.annotations import pictures, raster, reading
from maskrcnn.annotations.hints.box_outline import box_outline
from maskrcnn.annotations.hints.mask_outline import simplified_outline
from maskrcnn.annotations.raster import Box
from maskrcnn.annotations.regions import Ellipse, Shape
from maskrcnn.annotations.simplification import vertex_count
from maskrcnn.errors import StudioError

AIM = 0.85
LOOSE = 0.05
LABELS = {"car_damage/train": "car-damage-train.json", "car_damage/val": "car-damage-val.json"}
"""Label files of folders that hold several."""

Way = Callable[[np.ndarray, Box], Shape | None]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("MASKRCNN_TEST_DATA"), metavar="FOLDER")
    parser.add_argument("--networks", nargs="*", default=["toy"], metavar="MODEL", help="shipped models and runs (toy)")
    parser.add_argument("--sets", nargs="+", default=["balloon/val", "car_damage/val"], metavar="SET")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only every Nth picture (1)")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the figures to a file as well")
    options = parser.parse_args()
    if options.data is None:
        parser.error("give --data, or name the folder of photographs in MASKRCNN_TEST_DATA")
    cv2.setNumThreads(1)
    figures = {name: measured(options.data, name, options) for name in options.sets}
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1))
    reached = [row["median"] for name, rows in figures.items() if name.startswith("balloon") for row in rows.values()]
    if reached:
        print(f"balloons: best median IoU {max(reached):.3f}, aim {AIM}")
    return 1 if reached and max(reached) < AIM else 0


def measured(data: Path, name: str, options: argparse.Namespace) -> dict[str, dict[str, float]]:
    """The figures of each way on one set, printed as a table."""
    scores: dict[str, list[tuple[float, float, float, int]]] = {}
    random = np.random.default_rng(0)
    networks = [Network(model) for model in options.networks]
    for picture, objects in labelled(data, name, options.every):
        for inside, box in objects:
            width, height = box[2] - box[0], box[3] - box[1]
            moves = random.uniform(-LOOSE, LOOSE, 4) * [width, height, width, height]
            by_hand = tuple(float(side) for side in np.add(box, moves))
            for way, outline in ways(networks).items():
                began = time.perf_counter()
                found = simplified(outline(picture, box))
                seconds = time.perf_counter() - began
                loose = simplified(outline(picture, by_hand))  # type: ignore[arg-type]
                vertices = 0 if found is None else vertex_count(found)
                scores.setdefault(way, []).append((iou(found, inside), iou(loose, inside), seconds, vertices))
    print(f"\n{name}: {len(next(iter(scores.values()), []))} objects")
    print("| way | median IoU | mean | below 0.5 | box by hand: median | vertices, median | seconds, median | most |")
    print("|---|---|---|---|---|---|---|---|")
    rows = {}
    for way, found in scores.items():
        exact, loose, seconds, vertices = (list(column) for column in zip(*found, strict=True))
        rows[way] = {
            "median": statistics.median(exact),
            "mean": statistics.fmean(exact),
            "below_half": sum(value < 0.5 for value in exact) / len(exact),
            "by_hand": statistics.median(loose),
            "vertices": statistics.median(vertices),
            "seconds": statistics.median(seconds),
            "most_seconds": max(seconds),
        }
        row = rows[way]
        print(
            f"| {way} | {row['median']:.3f} | {row['mean']:.3f} | {row['below_half']:.0%} | {row['by_hand']:.3f} "
            f"| {row['vertices']:.0f} | {row['seconds']:.2f} | {row['most_seconds']:.2f} |",
            flush=True,
        )
    return rows


class Network:
    """A network, with the maps of the picture that is looked at."""

    def __init__(self, model: str) -> None:
        import torch

        from maskrcnn.inference import load

        torch.set_num_threads(1)
        self.name = Path(model).name
        self.model = load(model, device="cpu")
        self.maps: Any = None
        self.picture: np.ndarray | None = None

    def mask(self, picture: np.ndarray, box: Box) -> Any:
        """The soft mask of the object in a box."""
        from maskrcnn.inference.prompted_masks import picture_maps, prompted_mask

        if picture is not self.picture:
            self.picture, self.maps = picture, picture_maps(self.model, picture)
        names = self.model.config.names
        return prompted_mask(self.model, self.maps, box, names[0] if len(names) == 1 else None).soft


def ways(networks: list[Network]) -> dict[str, Way]:
    """Name of each way -> its function from a picture and a box to an outline."""
    from maskrcnn.inference.prompted_masks import outline_of_soft_mask

    found: dict[str, Way] = {"ellipse": lambda _, box: ellipse(box), "colours": box_outline}
    for network in networks:
        found[network.name] = lambda picture, box, network=network: outline_of_soft_mask(network.mask(picture, box))
        found[f"{network.name} + colours"] = lambda picture, box, network=network: box_outline(
            picture, box, first_guess=network.mask(picture, box)
        )
    return found


def ellipse(box: Box) -> Shape:
    x0, y0, x1, y1 = box
    return Ellipse((x0 + x1) / 2, (y0 + y1) / 2, (x1 - x0) / 2, (y1 - y0) / 2)


def labelled(data: Path, name: str, every: int) -> Iterator[tuple[np.ndarray, list[tuple[np.ndarray, Box]]]]:
    """The pictures of a set, each with the masks and boxes of its objects."""
    folder = data / name
    if not folder.is_dir():
        raise SystemExit(f"{folder} is not there; give --data the folder that holds balloon and car_damage")
    for image in reading.read(folder / LABELS.get(name, "")).images[::every]:
        if image.path is None:
            continue
        picture = pictures.load(image.path)
        objects = []
        for region in image.regions:
            inside = raster.mask(region.shape, *picture.shape[:2])
            if raster.has_area(region.shape) and inside.any():
                rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
                box = float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)
                objects.append((inside, box))
        yield picture, objects


def simplified(shape: Shape | None) -> Shape | None:
    """The outline as the editor offers it."""
    try:
        return None if shape is None else simplified_outline(shape)
    except StudioError:
        return shape


def iou(shape: Shape | None, inside: np.ndarray) -> float:
    """The IoU of a shape and a mask."""
    if shape is None:
        return 0.0
    found = raster.mask(shape, *inside.shape)
    return float((found & inside).sum() / (found | inside).sum())


if __name__ == "__main__":
    sys.exit(main())
