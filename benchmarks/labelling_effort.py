"""What it takes to label photographs: clicks, keys and seconds of machine time per object, in several ways.

    python benchmarks/labelling_effort.py [--data DIR] [--pictures 10] [--run RUN] [--via VIA.html] [--only hand,via]

Labels of people (the balloon photographs of `--data`/balloon/train) are made again by real mouse and key events in
Chromium, in a window of 1400 x 900. The person is ideal: never tired, never wrong, and needs no time to think. So the
seconds are those that the machine makes people wait, and clicks and keys are the least that a way needs.

- **hand**: each outline click by click, closed with Enter.
- **box**: a box around each object becomes an outline by GrabCut, accepted with Enter.
- **box, run**: the same by the mask head of the network of `--run`.
- **suggestions**: detections of the network of `--run` are accepted where their IoU with the person's outline is at
  least 0.8, all at once where all of a picture are right. The other objects are drawn by hand.
- **via**: by hand in VGG Image Annotator, a file of its version 2 (`--via`).

IoU is that of the stored outline to the person's. An object counts as stored if there is one with an IoU of at least
0.5. Vertices are the median number of an outline.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from playwright.sync_api import Error, sync_playwright
from pycocotools import mask as coco
from streamlit_client import Server, machine

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from maskrcnn.annotations import ImageRecord, pictures, raster, read  # noqa: E402
from maskrcnn.annotations.regions import Polygon, Shape  # noqa: E402
from maskrcnn.annotations.store import Project, ProjectClass  # noqa: E402
from maskrcnn.annotations.store.region_json import region_from_json  # noqa: E402
from tests.browser.editor_driver import EditorDriver, Place, until  # noqa: E402

GOOD, FOUND = 0.8, 0.5
"""Least IoU of a suggestion that is accepted, and of an outline that counts as an object's."""


@dataclass
class Effort:
    """What a way has taken so far; `shapes` are the outlines that it has made, by picture."""

    way: str
    seconds: float = 0.0
    clicks: int = 0
    keys: int = 0
    shapes: dict[str, list[Shape]] = field(default_factory=dict)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    data = Path(os.environ.get("MASKRCNN_TEST_DATA") or ROOT.parent / "shared" / "data")
    parser.add_argument("--data", type=Path, default=data, help="folder of real photographs")
    parser.add_argument("--pictures", type=int, default=10, help="photographs that are labelled (default 10)")
    parser.add_argument("--run", type=Path, help="folder of a run; its network suggests")
    parser.add_argument("--via", type=Path, help="via.html of VGG Image Annotator 2")
    parser.add_argument("--only", default="hand,box,run,suggestions,via", help="ways that are tried (default all)")
    args = parser.parse_args()
    if not (args.data / "balloon" / "train").is_dir():
        print(f"no balloon photographs in {args.data}; name their folder with --data")
        return 1
    found = [record for record in read(args.data / "balloon" / "train").images if record.path][: args.pictures]
    records = [with_size(record) for record in found]
    objects = sum(len(outlines(record)) for record in records)
    ways = args.only.split(",")
    with sync_playwright() as playwright:
        names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
        executable = os.environ.get("MASKRCNN_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        print(f"{machine()}, Chromium {browser.version}; {len(records)} photographs, {objects} objects", flush=True)
        head = f"{'per object':20}{'seconds':>9}{'clicks':>8}{'keys':>7}{'vertices':>10}{'IoU median':>12}{'stored':>9}"
        print(head, flush=True)
        with tempfile.TemporaryDirectory() as folder, Server(ROOT, Path(folder)) as server:
            studio = Studio(browser, server, records, args.run)
            tries: dict[str, Callable[[], Effort]] = {"hand": studio.by_hand, "box": studio.by_box}
            if args.run:
                tries |= {"run": studio.by_box_of_run, "suggestions": studio.by_suggestions}
            if args.via:
                tries["via"] = lambda: label_in_via(browser, args.via, records)
            for way in ways:
                if way not in tries:
                    print(f"{way:20}not measured: it needs {'--via' if way == 'via' else '--run'}", flush=True)
                    continue
                try:
                    print_row(tries[way](), records)
                except (Error, AssertionError) as error:
                    print(f"{way:20}not measured: {str(error).splitlines()[0]}", flush=True)
        browser.close()
    return 0


def with_size(record: ImageRecord) -> ImageRecord:
    """The record with the size of its picture, which the label file does not state."""
    height, width = pictures.load(record.path).shape[:2]
    return replace(record, width=width, height=height)


def outlines(record: ImageRecord) -> list[Polygon]:
    """The outlines of people on a photograph."""
    return [region.shape for region in record.regions if isinstance(region.shape, Polygon)]


def name_of(record: ImageRecord) -> str:
    return Path(str(record.path)).name


def ious(found: Sequence[Shape], wanted: Sequence[Shape], record: ImageRecord) -> list[list[float]]:
    """IoU of the masks of each found shape with those of each wanted one."""
    if not found or not wanted:
        return [[0.0] * len(wanted) for _ in found]
    height, width = int(record.height or 0), int(record.width or 0)
    codes = [[raster.rle(shape, height, width) for shape in shapes] for shapes in (found, wanted)]
    return coco.iou(*codes, [0] * len(wanted)).tolist()  # type: ignore[no-any-return]


def print_row(effort: Effort, records: Sequence[ImageRecord]) -> None:
    best: list[float] = []
    vertices: list[int] = []
    for record in records:
        found, wanted = effort.shapes.get(name_of(record), []), outlines(record)
        table = ious(found, wanted, record)
        best += [max((row[place] for row in table), default=0.0) for place in range(len(wanted))]
        vertices += [sum(map(len, raster.rings(shape))) for shape in found]
    count = len(best)
    print(
        f"{effort.way:20}{effort.seconds / count:>9.2f}{effort.clicks / count:>8.1f}{effort.keys / count:>7.1f}"
        f"{statistics.median(vertices or [0]):>10.0f}{statistics.median(best):>12.3f}"
        f"{sum(iou >= FOUND for iou in best):>5}/{count}",
        flush=True,
    )


class Studio:
    """The studio with the photographs in projects without labels, one for each way."""

    def __init__(self, browser: Any, server: Server, records: Sequence[ImageRecord], run: Path | None) -> None:
        self.browser, self.server, self.records, self.run = browser, server, records, run

    def open(self, way: str) -> tuple[EditorDriver, Effort]:
        """The editor on a project of its own for this way."""
        folder = self.server.folder / "workspace" / way
        project = Project.create(folder)
        project.add_pictures([record.path for record in self.records if record.path], "train")
        project.set_classes([ProjectClass("balloon", "#e69f00", "1")])
        if self.run:
            shutil.copytree(self.run, project.runs_folder / self.run.name)
        page = self.browser.new_page(viewport={"width": 1400, "height": 900})
        page.set_default_timeout(120_000)
        driver = EditorDriver(page, self.server.url, project)
        driver.open(project.images()[0].file_name)
        return driver, Effort(way)

    def each_picture(self, way: str, label: Callable[[EditorDriver, ImageRecord], None], prepare: Any = None) -> Effort:
        """Label all photographs, from one to the next by a key."""
        driver, effort = self.open(way)
        if prepare:
            prepare(driver)
        by_name = {name_of(record): record for record in self.records}
        for image in driver.project.images():
            record = by_name[image.file_name]
            start = time.perf_counter()
            driver.turn_to(image.file_name)
            label(driver, record)
            driver.stored(lambda regions, record=record: len(regions) >= len(outlines(record)), image.file_name, 20)
            effort.seconds += time.perf_counter() - start
            effort.shapes[image.file_name] = [region.shape for region in driver.regions(image.file_name)]
        effort.clicks, effort.keys = driver.clicks, driver.keys
        driver.page.close()
        return effort

    def by_hand(self) -> Effort:
        def label(driver: EditorDriver, record: ImageRecord) -> None:
            driver.press("p")
            for shape in outlines(record):
                driver.polygon(shape.points, unhurried=True)

        return self.each_picture("hand", label)

    def by_box(self, way: str = "box", network: str = "") -> Effort:
        def choose(driver: EditorDriver) -> None:
            options = driver.page.locator("[data-hint=way] option")
            until(driver.page, lambda: options.count() > 0, 60, lambda: "the editor lists no way of outlining a box")
            driver.page.locator("[data-hint=way]").select_option(network or "colours")

        def label(driver: EditorDriver, record: ImageRecord) -> None:
            driver.press("Shift+B")
            for shape in outlines(record):
                draw_box(driver, shape, len(driver.regions(name_of(record))))

        return self.each_picture(way, label, choose)

    def by_box_of_run(self) -> Effort:
        assert self.run is not None
        return self.by_box("box, run", f"run/{self.run.name}")

    def by_suggestions(self) -> Effort:
        assert self.run is not None
        key = f"run/{self.run.name}"

        def choose(driver: EditorDriver) -> None:
            network = driver.page.locator(f'[data-hint=network] option[value="{key}"]')
            until(driver.page, lambda: network.count() > 0, 60, lambda: f"the editor does not list {key}")
            driver.page.locator("[data-hint=network]").select_option(key)

        def label(driver: EditorDriver, record: ImageRecord) -> None:
            suggested = self.suggestions(driver, record, key)
            wanted = outlines(record)
            table = ious(suggested, wanted, record)
            right = {place: row.index(max(row)) for place, row in enumerate(table) if max(row, default=0) >= GOOD}
            if len(right) == len(suggested) and right:
                driver.press("Shift+A")
            else:
                for place in right:
                    driver.move(inside(suggested[place]))
                    driver.press("a")
            missing = [shape for place, shape in enumerate(wanted) if place not in right.values()]
            driver.press("Escape", *(["p"] if missing else []))
            for shape in missing:
                driver.polygon(shape.points, unhurried=True)

        return self.each_picture("suggestions", label, choose)

    def suggestions(self, driver: EditorDriver, record: ImageRecord, key: str) -> list[Shape]:
        """Wait until the suggestions of a picture are shown, and return those with a score of at least 0.5."""
        count = driver.page.locator("[data-hint=count]")
        until(driver.page, lambda: "suggested" in count.inner_text(), 180, lambda: "no suggestions came")
        address = driver.page.locator("[data-server]").first.get_attribute("data-server")
        place = f"{address}/hints/suggestions/{driver.image(name_of(record)).id}?run={key}&ahead="
        with urllib.request.urlopen(urllib.parse.urljoin(self.server.url, place), timeout=60) as answer:
            regions = json.load(answer)["result"]["regions"]
        return [region_from_json(region).shape for region in regions if region.get("score", 1) >= FOUND]


def draw_box(driver: EditorDriver, shape: Polygon, before: int) -> None:
    """Drag a box around an object, and accept the outline that comes."""
    x0, y0, x1, y1 = raster.bounds(shape)
    driver.press("Escape")
    driver.drag((x0, y0), (x1, y1))
    accept = driver.page.locator("[data-hint=accept]")
    accept.wait_for()
    driver.press("Enter")
    driver.stored(lambda regions: len(regions) > before, seconds=30)


def inside(shape: Shape) -> Place:
    """A place in a shape."""
    from shapely.geometry import Polygon as Outline

    place = Outline(max(raster.rings(shape), key=len)).buffer(0).representative_point()
    return float(place.x), float(place.y)


def label_in_via(browser: Any, via: Path, records: Sequence[ImageRecord]) -> Effort:
    """Draw all outlines in VGG Image Annotator."""
    effort = Effort("via")
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    page.set_default_timeout(60_000)
    page.route("**/*google-analytics*", lambda route: route.abort())
    page.goto(via.resolve().as_uri())
    page.locator("#invisible_file_input").evaluate(
        "(input) => { input.multiple = true; input.onchange = project_file_add_local; }"
    )
    page.locator("#invisible_file_input").set_input_files([str(record.path) for record in records])
    page.evaluate("() => select_region_shape('polygon')")
    for place, record in enumerate(records):
        start = time.perf_counter()
        if place:
            page.keyboard.press("n")
            effort.keys += 1
        page.wait_for_function(
            "(name) => _via_current_image_loaded && _via_img_metadata[_via_image_id].filename === name",
            arg=name_of(record),
        )
        canvas = page.locator("#region_canvas").bounding_box()
        scale = page.evaluate("_via_canvas_scale")
        for shape in outlines(record):
            for x, y in shape.points:
                page.mouse.click(canvas["x"] + x / scale, canvas["y"] + y / scale)
            page.keyboard.press("Enter")
            page.keyboard.press("Escape")  # the new region is selected: a click on its edge would move it
            effort.clicks += len(shape.points)
            effort.keys += 2
        effort.seconds += time.perf_counter() - start
        stored = page.evaluate("_via_img_metadata[_via_image_id].regions.map((region) => region.shape_attributes)")
        effort.shapes[name_of(record)] = [
            Polygon(tuple(zip(shape["all_points_x"], shape["all_points_y"], strict=True)))
            for shape in stored
            if len(shape.get("all_points_x", [])) > 2
        ]
    page.close()
    return effort


if __name__ == "__main__":
    sys.exit(main())
