"""Whether a large set trains as a small one does: memory, and time per step.

    python benchmarks/large_set.py [--pictures 1000] [--megapixels 12] [--polygons 50] [--steps 60] [--out DIR]

Makes a set of JPEG photographs (soft ground, sensor noise, 50 coloured blobs of 30 to 60 vertices each; about 3 MB a
picture of 12 megapixels, every one a file of its own with labels of its own), trains `classroom` on it in a process of
its own, and the peer is the same training on the first 50 pictures of that set. Each goes through its pictures once and
then takes `--steps` more.

In the **first pass** every picture is read from its file and decoded, in both sets; **afterwards** those come from
memory that fit into `picture_cache_mb` (all of them, at the default and the sizes above). Steps are compared
like with like: the median of the first pass with that of the first pass, afterwards with afterwards. The first step and
the one after an epoch are left out. Memory is the resident size of the process and its children, asked for five times
a second from start to end; the end, with detections on whole pictures and checkpoints, is part of it.

With --out, the pictures (about 3 GB) stay there and are taken again by the next call. Exits with 1 if more than 6 GB
were needed or a step of the large set takes more than 1.25 times one of the small.
"""

from __future__ import annotations

import argparse
import math
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import psutil

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from maskrcnn.annotations.dataset import Dataset, ImageRecord
from maskrcnn.annotations.formats import writing
from maskrcnn.annotations.regions import Polygon, Region
from maskrcnn.config import Config, parse_settings
from maskrcnn.runs.folder import Row, RunFolder
from maskrcnn.runs.request import TrainingRequest

ROOT = Path(__file__).resolve().parent.parent
MOST_GB, MOST_GROWTH = 6.0, 1.25
"""Memory and ratio of times per step that must not be exceeded."""

CLASSES = ("leaf", "stone", "shell", "coin")
VERTICES = (30, 60)
GROUNDS = 4
"""How many different grounds are drawn; a picture is one of them, mirrored or not, under its own objects."""

LARGE, SMALL = "large", "small"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pictures", type=int, default=1000, help="of the large set (1000)")
    parser.add_argument("--few", type=int, default=50, help="of the small one (50)")
    parser.add_argument("--megapixels", type=float, default=12, help="of each picture (12: 4000 x 3000)")
    parser.add_argument("--polygons", type=int, default=50, help="in each picture (50)")
    parser.add_argument("--steps", type=int, default=60, help="steps after the first pass (60)")
    parser.add_argument("--format", choices=("coco", "via-project"), default="coco", help="of the labels (coco)")
    parser.add_argument(
        "--set", action="append", default=[], metavar="FIELD=VALUE", help="change a field of the config"
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="keep pictures and runs there")
    args = parser.parse_args()
    if args.few > args.pictures:
        parser.error("--few must not be more than --pictures")
    with tempfile.TemporaryDirectory(prefix="maskrcnn-benchmark-") as temporary:
        folder = args.out or Path(temporary)
        labels = make(folder / "pictures", args)
        found = {}
        for who in (SMALL, LARGE):
            run = RunFolder(Path(tempfile.mkdtemp(prefix=f"{who}-", dir=folder)) / "run")
            found[who] = train(labels[who], run, args)
    return report(found[SMALL], found[LARGE], args)


# The set


def make(folder: Path, args: argparse.Namespace) -> dict[str, Path]:
    """Pictures and labels in `folder`, if they are not there yet; the label files of both sets."""
    width = round(math.sqrt(args.megapixels * 1e6 * 4 / 3))
    height = round(width * 3 / 4)
    labels = {
        LARGE: folder / f"large_{args.pictures}_{width}_{args.polygons}.{args.format}.json",
        SMALL: folder / f"small_{args.few}_{width}_{args.polygons}.{args.format}.json",
    }
    if all(path.exists() for path in labels.values()):
        print(f"the set is there: {labels[LARGE]}")
        return labels
    folder.mkdir(parents=True, exist_ok=True)
    began = time.perf_counter()
    grounds = [ground(number, height, width) for number in range(GROUNDS)]
    cv2.setNumThreads(1)  # pictures are drawn side by side instead
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        records = tuple(pool.map(lambda number: picture(folder, grounds, number, args.polygons), range(args.pictures)))
    for who, count in ((LARGE, args.pictures), (SMALL, args.few)):
        writing.write(Dataset(records[:count], CLASSES, "class"), labels[who], args.format)
    if hasattr(os, "sync"):
        os.sync()  # so that nobody is timed while the system still writes these
    megabytes = sum(record.path.stat().st_size for record in records if record.path) / 1e6
    print(
        f"made {args.pictures:,} pictures of {width} x {height} px with {args.polygons} polygons each in "
        f"{time.perf_counter() - began:.0f} s: {megabytes:,.0f} MB of pictures ({megabytes / args.pictures:.1f} each), "
        f"{labels[LARGE].stat().st_size / 1e6:.0f} MB of labels",
        flush=True,
    )
    return labels


def ground(number: int, height: int, width: int) -> np.ndarray:
    """uint8 `(height, width, 3)`: a soft ground with some structure, and noise as a camera has it."""
    random = np.random.default_rng(number)
    soft = cv2.resize(
        random.uniform(40, 210, (5, 7, 3)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC
    )
    fine = random.normal(0, 12, (height // 6, width // 6, 1)).astype(np.float32)
    soft += cv2.resize(fine, (width, height), interpolation=cv2.INTER_LINEAR)[..., None]
    soft += random.standard_normal((height, width, 1), np.float32) * 5
    return np.clip(soft, 0, 255).astype(np.uint8)


def picture(folder: Path, grounds: list[np.ndarray], number: int, polygons: int) -> ImageRecord:
    """Draw one picture and write it; its record has the very outlines that were drawn."""
    random = np.random.default_rng([1, number])
    canvas = cv2.flip(grounds[number % GROUNDS], int(random.integers(-1, 2)))
    height, width = canvas.shape[:2]
    regions = []
    for _ in range(polygons):
        outline = blob(random, height, width)
        kind = int(random.integers(len(CLASSES)))
        colour = np.clip(random.normal(60 * kind + 30, 20, 3), 0, 255).tolist()
        cv2.fillPoly(canvas, [outline.round().astype(np.int32)], colour, lineType=cv2.LINE_AA)
        regions.append(Region(Polygon(tuple((float(x), float(y)) for x, y in outline.round(1))), CLASSES[kind]))
    path = folder / f"picture{number:05}.jpg"
    cv2.imwrite(str(path), canvas, [cv2.IMWRITE_JPEG_QUALITY, 92])
    return ImageRecord(path.name, tuple(regions), width=width, height=height, path=path)


def blob(random: np.random.Generator, height: int, width: int) -> np.ndarray:
    """A round, uneven outline `(N, 2)` within the picture, a fiftieth to a tenth of it wide."""
    count = int(random.integers(VERTICES[0], VERTICES[1] + 1))
    angles = np.linspace(0, 2 * np.pi, count, endpoint=False)
    radius = width * random.uniform(0.01, 0.05)
    uneven = (
        1 + 0.2 * np.sin(angles * int(random.integers(2, 5)) + random.uniform(0, 6)) + random.normal(0, 0.03, count)
    )
    centre = random.uniform((radius, radius), (width - radius, height - radius))
    outline = centre + radius * uneven[:, None] * np.stack((np.cos(angles), np.sin(angles)), axis=1)
    return outline.clip(0, (width, height))


# What is measured


@dataclass
class Measured:
    """`seconds_to_start`: from the command to its first step; `first_pass` and `afterwards`: seconds of each step;
    `peak_gb`: of memory; `waiting`: the share of the time in [0, 1] that steps waited for pictures; `processor`: how
    busy all cores were with it, in percent."""

    seconds_to_start: float
    first_pass: list[float]
    afterwards: list[float]
    peak_gb: float
    waiting: float
    processor: float


def train(labels: Path, run: RunFolder, args: argparse.Namespace) -> Measured:
    """Train on that set, once through and `args.steps` more; its error ends the benchmark."""
    pictures = args.few if labels.name.startswith(SMALL) else args.pictures
    steps_per_pass = -(-pictures // Config.preset("classroom").batch_size)
    changed = {"steps_per_epoch": steps_per_pass + args.steps, **parse_settings(args.set), "epochs": 1}
    request = TrainingRequest(data=labels, preset="classroom", changed=changed)
    words = ["train", "--out", str(run.path), *request.to_argv()]
    print(f"\n$ python -m maskrcnn {shlex.join(words)}", flush=True)
    began, seconds_to_start, peak = time.perf_counter(), math.nan, 0.0
    trainer = subprocess.Popen([sys.executable, "-m", "maskrcnn", *words], cwd=ROOT)
    while trainer.poll() is None:
        peak = max(peak, memory_gb(trainer.pid))
        if math.isnan(seconds_to_start) and (run.path / "metrics.jsonl").exists():
            seconds_to_start = time.perf_counter() - began
        time.sleep(0.2)
    if trainer.returncode:
        sys.exit(trainer.returncode)
    rows = run.metrics()
    timed = list(step_seconds(rows))
    return Measured(
        seconds_to_start,
        [seconds for step, seconds in timed if step <= steps_per_pass],
        [seconds for step, seconds in timed if step > steps_per_pass],
        peak,
        *(
            statistics.mean(row[name] for row in rows if row["event"] == "step")
            for name in ("waiting", "processor_percent")
        ),
    )


def step_seconds(rows: list[Row]) -> Iterator[tuple[int, float]]:
    """Number and seconds of every step but the first and those that follow a validation."""
    for before, row in pairwise(rows):
        if before["event"] == row["event"] == "step":
            yield row["step"], row["elapsed"] - before["elapsed"]


def memory_gb(pid: int) -> float:
    """Resident size of a process and all below it; what they share counts for each."""
    total = 0
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0.0
    for member in family:
        try:
            total += member.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total / 1e9


# What is said


def report(small: Measured, large: Measured, args: argparse.Namespace) -> int:
    """Print the table; 1 where a limit is exceeded."""
    missed = []

    def line(words: str, one: float, other: float, target: str = "", wrong: bool = False) -> None:
        missed.extend([words] if wrong else [])
        print(f"{words:32}{one:10.3g}{other:10.3g}{other / one:9.2f}{target:>16}{'  MISSED' if wrong else ''}")

    print(f"\n{args.megapixels:g} megapixels, {args.polygons} polygons each, {os.cpu_count()} cores")
    print(f"\n{'pictures':32}{args.few:10,}{args.pictures:10,}{'ratio':>9}{'target':>16}")
    line("peak memory, GB", small.peak_gb, large.peak_gb, f"<= {MOST_GB:g} GB", large.peak_gb > MOST_GB)
    line("seconds to the first step", small.seconds_to_start, large.seconds_to_start)
    for words, one, other in (
        ("seconds a step, first pass", small.first_pass, large.first_pass),
        ("seconds a step, afterwards", small.afterwards, large.afterwards),
    ):
        if one and other:
            growth = statistics.median(other) / statistics.median(one)
            line(words, *map(statistics.median, (one, other)), f"x {MOST_GROWTH:g} at most", growth > MOST_GROWTH)
    line("share of time waiting", small.waiting or math.nan, large.waiting)
    line("processor used, %", small.processor, large.processor)
    print(
        f"steps that were timed: {len(small.first_pass)} and {len(large.first_pass)} in the first pass, "
        f"{len(small.afterwards)} and {len(large.afterwards)} afterwards"
    )
    if missed:
        print(f"\nmissed: {', '.join(missed)}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
