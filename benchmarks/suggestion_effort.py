"""From a trained run to labelled next pictures: clicks, keys and seconds per object, with suggestions and by hand.

    python benchmarks/suggestion_effort.py --run RUN --labelled DATASET --next DATASET [--pictures 13]

DATASET is a labelled set of photographs; the network of RUN may have learned from the first, not from the second. A
project gets the first with its labels and the photographs of the second without any. Then a scripted person works
with real mouse and key events in Chromium, in a window of 1400 x 900:

- **suggestions**: opens Label next, has the network look at the pictures, presses "Label these", and goes through the
  list. A dashed suggestion is accepted if its IoU with the label of the second set is at least 0.8, all at once where
  all that are shown are right. Else it is thrown away, and its object is drawn by hand.
- **by hand**: draws each outline of the same pictures click by click, closed with Enter.

The person is ideal: it knows the label, never errs, and does not pause. So the seconds that are measured are those that
the studio makes people wait, and clicks and keys are what the way needs at least ("points" counts moves of the pointer
to a suggestion before a key). The time that the network takes beforehand, in the background, is printed apart: nobody
waits for it. For a person's time there is an estimate, not a measurement, by the keystroke-level model (Card, Moran
and Newell 1980): 0.28 s for a key, 1.1 s to point, 0.2 s for a click, and 1.35 s to decide, once for each suggestion
and for each object that is drawn.
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
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from labelling_effort import GOOD, inside, ious, name_of, outlines, with_size
from playwright.sync_api import sync_playwright
from streamlit_client import Server, machine

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from maskrcnn.annotations import ImageRecord, read  # noqa: E402
from maskrcnn.annotations.regions import Shape  # noqa: E402
from maskrcnn.annotations.store import NextPicture, Project  # noqa: E402
from maskrcnn.annotations.store.region_json import region_from_json  # noqa: E402
from tests.browser.editor_driver import EditorDriver, until  # noqa: E402

FOUND, SHOWN = 0.5, 0.5
"""Least IoU of an outline that counts as an object's, and least score of suggestions that the editor shows at first."""

KEY, POINT, CLICK, DECIDE = 0.28, 1.1, 0.2, 1.35
"""Seconds of the keystroke-level model."""


@dataclass
class Effort:
    """What a way has taken so far; `shapes` are the outlines that it has made, by picture."""

    way: str
    seconds: float = 0.0
    clicks: int = 0
    keys: int = 0
    points: int = 0
    decisions: int = 0
    accepted: int = 0
    shapes: dict[str, list[Shape]] = field(default_factory=dict)

    @property
    def modelled(self) -> float:
        """Seconds of a person by the keystroke-level model: a click needs pointing, too."""
        pointing = (self.points + self.clicks) * POINT
        return pointing + self.clicks * CLICK + self.keys * KEY + self.decisions * DECIDE


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--run", type=Path, required=True, help="folder of a run; its network suggests")
    parser.add_argument("--labelled", type=Path, required=True, help="labelled photographs that the project has")
    parser.add_argument("--next", type=Path, required=True, help="labelled photographs that the person labels again")
    parser.add_argument("--pictures", type=int, default=13, help="photographs that are labelled (13)")
    parser.add_argument("--only", default="suggestions,hand", help="ways that are tried (both)")
    args = parser.parse_args()
    records = [with_size(record) for record in read(args.next).images if record.path][: args.pictures]
    truth = {name_of(record): record for record in records}
    objects = sum(len(outlines(record)) for record in records)
    efforts = []
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
        executable = os.environ.get("MASKRCNN_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        print(f"{machine()}, Chromium {browser.version}; {len(records)} photographs, {objects} objects", flush=True)
        with Server(ROOT, Path(folder)) as server:
            tries = {"suggestions": by_suggestions, "hand": by_hand}
            for way in args.only.split(","):
                project = new_project(server.folder / "workspace" / way, args, records)
                page = browser.new_page(viewport={"width": 1400, "height": 900})
                page.set_default_timeout(120_000)
                efforts.append(tries[way](EditorDriver(page, server.url, project), truth))
                page.close()
        browser.close()
    head = f"{'per object':16}{'machine s':>10}{'clicks':>8}{'keys':>7}{'points':>8}{'model s':>9}{'IoU median':>12}"
    print(f"{head}{'stored':>10}{'accepted':>10}")
    for effort in efforts:
        print_row(effort, records, objects)
    return 0


def new_project(folder: Path, args: argparse.Namespace, records: Sequence[ImageRecord]) -> Project:
    """A project with the labelled photographs, the others without labels, and the run."""
    project = Project.create(folder)
    project.import_dataset(read(args.labelled), "train")
    project.add_pictures([record.path for record in records if record.path], "train")
    shutil.copytree(args.run, project.runs_folder / args.run.name)
    return project


def print_row(effort: Effort, records: Sequence[ImageRecord], objects: int) -> None:
    best: list[float] = []
    for record in records:
        table = ious(effort.shapes.get(name_of(record), []), outlines(record), record)
        best += [max((row[place] for row in table), default=0.0) for place in range(len(outlines(record)))]
    stored = f"{sum(iou >= FOUND for iou in best)}/{objects}"
    print(
        f"{effort.way:16}{effort.seconds / objects:>10.2f}{effort.clicks / objects:>8.1f}{effort.keys / objects:>7.1f}"
        f"{effort.points / objects:>8.2f}{effort.modelled / objects:>9.1f}{statistics.median(best):>12.3f}"
        f"{stored:>10}{effort.accepted:>10}"
    )


def each_picture(
    driver: EditorDriver,
    effort: Effort,
    names: Sequence[str],
    label: Callable[[ImageRecord], None],
    truth: dict[str, ImageRecord],
) -> Effort:
    """Label pictures in this order, from one to the next by a key, and note what they took."""
    clicks, keys = driver.clicks, driver.keys
    for place, name in enumerate(names):
        start = time.perf_counter()
        if place:
            driver.press("PageDown")
        driver.wait_for_picture(name)
        label(truth[name])
        wanted = len(outlines(truth[name]))
        driver.stored(lambda regions, wanted=wanted: len(regions) >= wanted, name, 20)  # type: ignore[misc]
        effort.seconds += time.perf_counter() - start
        effort.shapes[name] = [region.shape for region in driver.regions(name)]
    effort.clicks += driver.clicks - clicks
    effort.keys += driver.keys - keys
    return effort


def draw(driver: EditorDriver, effort: Effort, shapes: Sequence[Any]) -> None:
    """Draw outlines by hand, as a person drew them."""
    if shapes:
        driver.press("Escape", "p")
    for shape in shapes:
        driver.polygon(shape.points, unhurried=True)
        effort.decisions += 1


def by_hand(driver: EditorDriver, truth: dict[str, ImageRecord]) -> Effort:
    """Go through the same pictures by a list, without suggestions."""
    effort = Effort("by hand")

    names = list(truth)
    driver.project.set_next_pictures([NextPicture(driver.image(name).id, "by hand") for name in names])
    driver.open(names[0], queue="next")
    return each_picture(driver, effort, names, lambda record: draw(driver, effort, outlines(record)), truth)


def by_suggestions(driver: EditorDriver, truth: dict[str, ImageRecord]) -> Effort:
    """Open Label next, have the network look, and go through the list."""
    effort, page, project = Effort("suggestions"), driver.page, driver.project
    page.goto(f"{driver.url}/label_next?project={project.folder.name}")
    start = time.perf_counter()
    page.get_by_role("button", name="Look at").click()
    begin = page.get_by_role("button", name="Label these")
    begin.wait_for(timeout=600_000)
    network = next(project.runs_folder.iterdir()).name
    print(f"{network} looked at {len(project.images())} pictures in {time.perf_counter() - start:.0f} s", flush=True)
    start = time.perf_counter()
    begin.click()
    effort.clicks += 2
    page.locator("[data-queue=count]").filter(has_text="1 / ").wait_for()
    effort.seconds += time.perf_counter() - start
    images = {image.id: image.file_name for image in project.images()}
    names = [images[entry.image_id] for entry in project.next_pictures()]

    def label(record: ImageRecord) -> None:
        suggested = shown_suggestions(driver, record)
        wanted = outlines(record)
        table = ious(suggested, wanted, record)
        right: dict[int, int] = {}
        for place, row in enumerate(table):  # the best score first; an object is accepted once
            best = max(range(len(row)), key=row.__getitem__, default=None)
            if best is not None and row[best] >= GOOD and best not in right.values():
                right[place] = best
        effort.decisions += len(suggested)
        effort.accepted += len(right)
        if right and len(right) == len(suggested):
            driver.press("Shift+A")
        else:
            for place in right:
                driver.move(inside(suggested[place]))
                driver.press("a")
                effort.points += 1
            for _ in range(len(suggested) - len(right)):
                driver.press("Shift+X")
        draw(driver, effort, [shape for place, shape in enumerate(wanted) if place not in right.values()])

    return each_picture(driver, effort, names, label, truth)


def shown_suggestions(driver: EditorDriver, record: ImageRecord) -> list[Shape]:
    """Wait until the suggestions of a picture are shown, and return those that are."""
    count = driver.page.locator("[data-hint=count]")
    until(driver.page, lambda: "suggested" in count.inner_text(), 30, lambda: "no suggestions came")
    address = driver.page.locator("[data-server]").first.get_attribute("data-server")
    place = f"{address}/hints/kept/{driver.image(name_of(record)).id}"
    with urllib.request.urlopen(urllib.parse.urljoin(driver.url, place), timeout=60) as answer:
        regions = json.load(answer)["kept"]["regions"]
    return [region_from_json(region).shape for region in regions if region.get("score", 1) >= SHOWN]


if __name__ == "__main__":
    sys.exit(main())
