"""How the project store does on 100 to 10,000 pictures, and beside it a single JSON file that holds all labels.

    python benchmarks/store.py [--sizes 100 1000 10000] [--saves 200]

For each size, pictures of 64 x 48 px and a VIA 2.x file with 10 polygons of 30 vertices each are made in a temporary
folder. Two processes of their own then do the same work: read the file and take all in, open, show a page of 50
pictures with the counts, save one picture after another. The peer is what many tools do: one document in memory, and
for each save all of it written to a new file, brought to disk (fsync) and renamed.

Prints a table with the targets, how each figure grows, and its ratio to the peer's. Exits with 1 if a target is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

POLYGONS, VERTICES = 10, 30
WIDTH, HEIGHT = 64, 48
CLASSES = ("nucleus", "cell", "vessel", "debris", "fold")
PAGE = 50

Figures = dict[str, float]

TARGETS: dict[str, tuple[str, str, float | None]] = {
    "import_s": ("read and import", "s", 15.0),
    "open_s": ("open", "s", 0.5),
    "page_ms": ("a page of 50 with counts", "ms", 50.0),
    "save_p50_ms": ("save one picture, p50", "ms", None),
    "save_p95_ms": ("save one picture, p95", "ms", 20.0),
    "peak_mb": ("peak memory", "MB", 400.0),
    "labels_mb": ("labels on disk", "MB", None),
}
"""Figure -> its words, unit, and what it must not exceed at any size."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 1000, 10000], metavar="PICTURES")
    parser.add_argument("--saves", type=int, default=200, help="saves of the store at each size (default 200)")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the figures to a file as well")
    parser.add_argument("--step", choices=("make", "store", "peer"), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.step:
        print(json.dumps(STEPS[args.step](args.folder, args.sizes[0], args.saves)))
        return 0

    found: dict[str, dict[int, Figures]] = {"store": {}, "peer": {}}
    for size in args.sizes:
        with tempfile.TemporaryDirectory(prefix="maskrcnn-benchmark-") as folder:
            _child("make", Path(folder), size, args.saves)
            for who in found:
                found[who][size] = _child(who, Path(folder), size, args.saves)
    if args.json:
        args.json.write_text(json.dumps(found, indent=1))
    return _report(found, args.sizes)


def _child(step: str, folder: Path, size: int, saves: int) -> Figures:
    """Run one step in a process of its own, so that its peak memory is its own too."""
    print(f"{size} pictures: {step} ...", end="\r", file=sys.stderr, flush=True)
    command = [sys.executable, __file__, "--step", step, "--folder", str(folder)]
    command += ["--sizes", str(size), "--saves", str(saves)]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parent.parent)}
    done = subprocess.run(command, stdout=subprocess.PIPE, env=environment, check=True, text=True)
    return json.loads(done.stdout)


# What is measured


def make(folder: Path, size: int, saves: int) -> Figures:
    """The pictures, each with a content of its own, and their labels."""
    import cv2
    import numpy as np

    random = np.random.default_rng(0)
    pictures = folder / "pictures"
    pictures.mkdir()
    document = {}
    angles = np.linspace(0, 2 * np.pi, VERTICES, endpoint=False)
    for number in range(size):
        name = f"picture{number:05}.jpg"
        noise = random.integers(0, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8)
        cv2.imwrite(str(pictures / name), noise)
        centres = random.uniform((20, 16), (WIDTH - 20, HEIGHT - 16), (POLYGONS, 1, 2))
        radii = random.uniform(6, 14, (POLYGONS, VERTICES, 1))
        outlines = centres + radii * np.stack((np.cos(angles), np.sin(angles)), axis=1)
        regions = [
            {
                "shape_attributes": {
                    "name": "polygon",
                    "all_points_x": np.round(outline[:, 0]).astype(int).tolist(),
                    "all_points_y": np.round(outline[:, 1]).astype(int).tolist(),
                },
                "region_attributes": {"class": CLASSES[number % len(CLASSES)]},
            }
            for number, outline in enumerate(outlines)
        ]
        file_size = (pictures / name).stat().st_size
        document[f"{name}{file_size}"] = {
            "filename": name,
            "size": file_size,
            "regions": regions,
            "file_attributes": {},
        }
    (pictures / "labels.json").write_text(json.dumps(document))
    if hasattr(os, "sync"):
        os.sync()  # so that nobody is timed while the system still writes these
    return {}


def store(folder: Path, size: int, saves: int) -> Figures:
    """The project store."""
    from dataclasses import replace

    from maskrcnn.annotations import read
    from maskrcnn.annotations.regions import Polygon
    from maskrcnn.annotations.store import Project

    def take_in() -> Project:
        project = Project.create(folder / "store")
        report = project.import_dataset(read(folder / "pictures" / "labels.json"), "train")
        assert (report.added, report.regions) == (size, POLYGONS * size)
        return project

    project, import_s = _timed(take_in)
    opening = [_timed(lambda: Project.open(folder / "store"))[1] for _ in range(5)]

    def page(first: int) -> None:
        assert project.counts().regions == POLYGONS * size
        assert len(project.images(limit=PAGE, offset=first)) == min(PAGE, size)

    paging = [_timed(page, first)[1] for first in _spread(max(1, size - PAGE + 1), 40)]

    saving = []
    for number in _spread(size, saves):
        image_id = number + 1
        regions, revision = project.regions(image_id)
        first = regions[0]
        assert isinstance(first.shape, Polygon)
        moved = replace(first, shape=Polygon(tuple((x + 1, y) for x, y in first.shape.points)))
        saving.append(_timed(project.save, image_id, (moved, *regions[1:]), revision)[1])
    database = project.folder / "project.db"
    return _figures(import_s, opening, paging, saving, database.stat().st_size)


def peer(folder: Path, size: int, saves: int) -> Figures:
    """One JSON file for all: loaded whole, written whole with each save."""
    place = folder / "peer"

    def write(document: Any) -> None:
        with (place / "labels.tmp").open("w") as file:
            json.dump(document, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(place / "labels.tmp", place / "labels.json")

    def take_in() -> Any:
        (place / "images").mkdir(parents=True)
        document = json.loads((folder / "pictures" / "labels.json").read_text())
        for image in document.values():
            shutil.copyfile(folder / "pictures" / image["filename"], place / "images" / image["filename"])
        write(document)
        return document

    _, import_s = _timed(take_in)
    opening = []
    for _ in range(3):
        document, seconds = _timed(lambda: json.loads((place / "labels.json").read_text()))
        opening.append(seconds)

    keys = list(document)

    def page(first: int) -> None:
        shown = [(key, len(document[key]["regions"])) for key in keys[first : first + PAGE]]
        counts: dict[str, int] = {}
        for image in document.values():
            for region in image["regions"]:
                name = region["region_attributes"]["class"]
                counts[name] = counts.get(name, 0) + 1
        assert len(shown) == min(PAGE, size)
        assert sum(counts.values()) == POLYGONS * size

    paging = [_timed(page, first)[1] for first in _spread(max(1, size - PAGE + 1), 40)]

    def save(key: str) -> None:
        drawn = document[key]["regions"][0]["shape_attributes"]
        drawn["all_points_x"] = [x + 1 for x in drawn["all_points_x"]]
        write(document)

    # At 10,000 pictures each takes seconds, so that a few must do.
    saving = [_timed(save, keys[number])[1] for number in _spread(size, max(5, min(saves, 20_000 // size)))]
    return _figures(import_s, opening, paging, saving, (place / "labels.json").stat().st_size)


STEPS: dict[str, Callable[[Path, int, int], Figures]] = {"make": make, "store": store, "peer": peer}


def _timed(do: Callable[..., Any], *args: Any) -> tuple[Any, float]:
    start = time.perf_counter()
    result = do(*args)
    return result, time.perf_counter() - start


def _spread(number: int, wanted: int) -> list[int]:
    """`wanted` places over `number`, in an order that jumps about."""
    return [(place * 7919) % number for place in range(wanted)]


def _figures(import_s: float, opening: list[float], paging: list[float], saving: list[float], size: int) -> Figures:
    return {
        "import_s": import_s,
        "open_s": max(opening),
        "page_ms": 1000 * _p95(paging),
        "save_p50_ms": 1000 * statistics.median(saving),
        "save_p95_ms": 1000 * _p95(saving),
        "peak_mb": _peak_mb(),
        "labels_mb": size / 1e6,
    }


def _p95(seconds: list[float]) -> float:
    return sorted(seconds)[max(0, -(-95 * len(seconds) // 100) - 1)]


def _peak_mb() -> float:
    """The most memory that this process ever had."""
    if os.name == "nt":
        import psutil

        return psutil.Process().memory_info().peak_wset / 1e6
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


# What is said


def _report(found: dict[str, dict[int, Figures]], sizes: list[int]) -> int:
    missed = []
    heads = [f"{size:,}" for size in sizes]
    growth = f"x from {heads[0]}" if len(sizes) > 1 else ""
    print(f"\n{POLYGONS} polygons of {VERTICES} vertices in each picture, {_machine()}")
    print(f"\n{'project store':28}{''.join(f'{head:>10}' for head in heads)}{growth:>12}{'target':>12}")
    for key, (words, unit, most) in TARGETS.items():
        values = [found["store"][size][key] for size in sizes]
        wrong = most is not None and max(values) > most
        missed += [words] if wrong else []
        target = f"<= {most:g} {unit}" if most is not None else unit
        print(f"{words:28}{_row(values)}{_growth(values)}{target:>12}{'  MISSED' if wrong else ''}")
    print(f"\n{'one JSON file for all':28}{''.join(f'{head:>10}' for head in heads)}{growth:>12}")
    for key, (words, unit, _) in TARGETS.items():
        values = [found["peer"][size][key] for size in sizes]
        print(f"{words:28}{_row(values)}{_growth(values)}{unit:>12}")
    print(f"\n{'one JSON file / store':28}{''.join(f'{head:>10}' for head in heads)}")
    for key, (words, _, _) in TARGETS.items():
        print(f"{words:28}{_row([found['peer'][size][key] / found['store'][size][key] for size in sizes])}")
    if missed:
        print(f"\nmissed: {', '.join(missed)}")
    return 1 if missed else 0


def _row(values: list[float]) -> str:
    return "".join(f"{value:>10.3g}" if value < 1000 else f"{value:>10,.0f}" for value in values)


def _growth(values: list[float]) -> str:
    return f"{values[-1] / values[0]:>12.3g}" if len(values) > 1 else f"{'':12}"


def _machine() -> str:
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return f"{os.cpu_count()} cores{load}, Python {sys.version.split()[0]}"


if __name__ == "__main__":
    sys.exit(main())
