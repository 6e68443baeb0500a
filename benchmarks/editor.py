"""How fast the editor of the Annotate page is in Chromium, beside streamlit-drawable-canvas (`/?canvas=simple`).

    python benchmarks/editor.py [--moves 150] [--pictures 5] [--edits 10] [--large 2000] [--only editor,simple]

A studio is started on a temporary workspace. Its project has pictures of 4000 x 3000 px, each with 300 polygons of 60
vertices, and one with `--large` polygons of 20 vertices. Real mouse and key events come from Playwright. Both canvases
show the same pictures and polygons in the same window, 1400 x 900.

**Frames**: a vertex is dragged in `--moves` moves. A frame is the time from the start of a frame in which the pointer
moved to the start of the next one, by the timestamps of `requestAnimationFrame`. Once in a browser that draws at most
60 frames a second, as on a usual screen (16.7 ms is the least then), and once in one without a limit.

**Next picture**: from the key to the frame in which the next picture is drawn. For the simple canvas: to the end of the
run of the page, with its canvas there.

**Bytes**: bodies of requests and frames of websockets that the browser sends, from the first press of an edit (a vertex
that is dragged) until it is saved.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from playwright.sync_api import Error, sync_playwright
from streamlit_client import Server, machine

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from maskrcnn.annotations.regions import Polygon, Region  # noqa: E402
from maskrcnn.annotations.store import Project  # noqa: E402
from tests.browser.editor_driver import VIEW, EditorDriver, until  # noqa: E402

WIDTH, HEIGHT = 4000, 3000
POLYGONS, VERTICES = 300, 60
LARGE_VERTICES = 20
Outline = tuple[tuple[float, float], ...]

UNLIMITED = ["--disable-frame-rate-limit", "--disable-gpu-vsync"]

RECORD = """() => {
  const record = { times: [], moved: [], on: true };
  let moved = false;
  addEventListener("pointermove", () => { moved = true; }, true);
  const frame = (time) => {
    record.times.push(time);
    record.moved.push(moved);
    moved = false;
    if (record.on) requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
  window.recordedFrames = record;
}"""
STOP = "() => { window.recordedFrames.on = false; return window.recordedFrames; }"

WAIT_FOR_PICTURE = """([view, name]) => new Promise((done) => {
  const find = (root) => root.querySelector(view)
    ?? [...root.querySelectorAll("*")].map((e) => e.shadowRoot && find(e.shadowRoot)).find(Boolean);
  const start = performance.now();  // just before the key: the editor lets nobody else see it
  let element = null;
  const look = () => {
    element = element?.isConnected ? element : find(document);
    if (element?.dataset.picture === name && element.dataset.ready === "true") {
      requestAnimationFrame(() => { window.nextPictureTook = performance.now() - start; });
    } else requestAnimationFrame(look);
  };
  look();
  done();
})"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--moves", type=int, default=150, help="moves of each drag (default 150)")
    parser.add_argument("--pictures", type=int, default=5, help="next pictures that are timed (default 5)")
    parser.add_argument("--edits", type=int, default=10, help="edits whose bytes are counted (default 10)")
    parser.add_argument("--large", type=int, default=2000, help="polygons of the last picture (default 2000)")
    parser.add_argument("--only", default="editor,simple", help="canvases that are measured (default editor,simple)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Server(ROOT, Path(folder)) as server, sync_playwright() as playwright:
        project = make_project(server.folder / "workspace" / "measured", args.pictures + 1, args.large)
        measure_all(playwright, server, project, args)
    return 0


def measure_all(playwright: Any, server: Server, project: Project, args: argparse.Namespace) -> None:
    """Print all tables."""
    names = [image.file_name for image in project.images()]
    usual = (names[0], middle_outline(project, 0), f"{POLYGONS} x {VERTICES}")
    large = (names[-1], middle_outline(project, -1), f"{args.large} x {LARGE_VERTICES}")
    with chromium(playwright) as browser:
        print(f"{machine()}, Chromium {browser.version}", flush=True)
    print(f"pictures of {WIDTH} x {HEIGHT} px, window 1400 x 900", flush=True)

    def row(words: str, measure: Callable[[Window], None], flags: list[str] | None = None) -> None:
        with chromium(playwright, flags) as browser:
            window = Window(browser, server, project, words.split(",")[0])
            try:
                measure(window)
            except (Error, AssertionError) as error:
                print(f"{words:44}not measured: {str(error).splitlines()[0]}", flush=True)

    kinds = args.only.split(",")
    for limit, flags in (("at most 60 a second", []), ("no limit", UNLIMITED)):
        print(f"\n{f'drag of a vertex, frames {limit}':44}{'frames':>8}{'median ms':>11}{'p95 ms':>8}{'max ms':>8}")
        for kind in kinds:
            for name, outline, size in (usual, large):
                words = f"{kind}, {size}"
                row(words, partial(measure_drag, words=words, name=name, outline=outline, moves=args.moves), flags)
    print(f"\n{'next picture is shown':44}{'median ms':>11}{'max ms':>8}")
    for kind in kinds:
        row(kind, partial(measure_next, words=kind, names=names[:-1]))
    print(f"\n{'sent per edit':44}{'messages':>9}{'median kB':>11}{'max kB':>8}")
    for kind in kinds:
        row(kind, partial(measure_bytes, words=kind, name=usual[0], outline=usual[1], edits=args.edits))


def make_project(folder: Path, pictures: int, large: int) -> Project:
    """Make a project with `pictures` pictures with `POLYGONS` polygons, and one with `large`."""
    project = Project.create(folder)
    rng = np.random.default_rng(0)
    for number in range(pictures + 1):
        coarse = rng.integers(30, 225, (150, 200, 3), dtype=np.uint8)
        picture = cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
        content = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()
        project.add_pictures([(f"p{number:02}.jpg", content)], "train")
    for number, image in enumerate(project.images()):
        many, vertices = (POLYGONS, VERTICES) if number < pictures else (large, LARGE_VERTICES)
        project.save(image.id, [Region(Polygon(shape), "cell") for shape in outlines(many, vertices)], image.revision)
    return project


def outlines(many: int, vertices: int) -> list[Outline]:
    """Wavy circles in a grid over the picture, none over another."""
    columns = int(np.ceil(np.sqrt(many * WIDTH / HEIGHT)))
    cell = min(WIDTH / columns, HEIGHT / -(-many // columns))
    angles = np.linspace(0, 2 * np.pi, vertices, endpoint=False)
    shape = 0.42 * cell * (1 + 0.1 * np.sin(5 * angles))
    circle = np.stack([shape * np.cos(angles), shape * np.sin(angles)], 1)
    centres = (((n % columns + 0.5) * cell, (n // columns + 0.5) * cell) for n in range(many))
    return [tuple(map(tuple, (circle + centre).round(2).tolist())) for centre in centres]


@contextlib.contextmanager
def chromium(playwright: Any, flags: list[str] | None = None) -> Iterator[Any]:
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    executable = os.environ.get("MASKRCNN_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox", *(flags or [])])
    yield browser
    browser.close()


class Window:
    """A window with one of the two canvases on a picture. `sent` counts what the browser sends."""

    def __init__(self, browser: Any, server: Server, project: Project, kind: str) -> None:
        self.project, self.kind, self.url = project, kind, server.url
        self.page = browser.new_page(viewport={"width": 1400, "height": 900})
        self.page.set_default_timeout(60_000)
        self.requests, self.sent = 0, 0
        self.page.on("request", self._count_request)
        self.page.on("websocket", lambda socket: socket.on("framesent", self._count))
        self.driver = EditorDriver(self.page, server.url, project)

    def _count_request(self, request: Any) -> None:
        if request.post_data_buffer:
            self._count(request.post_data_buffer)

    def _count(self, content: str | bytes) -> None:
        self.requests += 1
        self.sent += len(content.encode() if isinstance(content, str) else content)

    def open(self, name: str) -> None:
        if self.kind == "editor":
            self.driver.open(name)
            return
        self.page.goto(f"{self.url}/?project={self.project.folder.name}&image={name}&canvas=simple")
        self.wait_for_canvas()

    def settled(self) -> None:
        self.page.wait_for_timeout(100)
        self.page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()

    def wait_for_canvas(self) -> None:
        """The canvas may be mounted twice: the browser tells its size with the first run."""
        canvas = self.page.locator("canvas.upper-canvas")
        canvas.first.wait_for()
        self.page.wait_for_timeout(1500)
        self.settled()
        until(self.page, lambda: canvas.count() == 1, 20)

    def at(self, place: tuple[float, float]) -> tuple[float, float]:
        if self.kind == "editor":
            return self.driver.at(place)
        box = self.page.locator("canvas.upper-canvas").bounding_box()
        return box["x"] + place[0] * box["width"] / WIDTH, box["y"] + place[1] * box["height"] / HEIGHT

    def grab_vertex(self, outline: Outline) -> tuple[float, float]:
        """Select a polygon, and return where the mouse grabs its first vertex."""
        centre = self.at(tuple(np.mean(outline, 0)))  # type: ignore[arg-type]
        if self.kind == "editor":
            self.page.keyboard.press("q")
            self.page.mouse.click(*centre)
        else:
            self.page.get_by_role("radio", name="Edit").click()
            self.wait_for_canvas()
            self.page.locator("canvas.upper-canvas").hover()
            self.page.get_by_label("Edit", exact=True).last.click()
            self.page.mouse.click(*centre)
            self.page.wait_for_timeout(500)
            self.page.mouse.click(*centre)
        self.page.wait_for_timeout(500)
        return self.at(outline[0])

    def revision(self, name: str) -> int:
        return next(image.revision for image in self.project.images() if image.file_name == name)


def middle_outline(project: Project, number: int) -> Outline:
    """The polygon in the middle of a picture."""
    regions = project.regions(project.images()[number].id)[0]
    shapes = [region.shape.points for region in regions if isinstance(region.shape, Polygon)]
    return min(shapes, key=lambda shape: float(np.hypot(*(np.mean(shape, 0) - (WIDTH / 2, HEIGHT / 2)))))


def measure_drag(window: Window, words: str, name: str, outline: Outline, moves: int) -> None:
    window.open(name)
    x, y = window.grab_vertex(outline)
    before, mouse = window.revision(name), window.page.mouse
    mouse.move(x, y)
    mouse.down()
    mouse.move(x + 4, y)
    window.page.evaluate(RECORD)
    for step in range(moves):
        mouse.move(x + 4 + 30 * np.sin(step / 12), y + 20 * np.sin(step / 7))
    record = window.page.evaluate(STOP)
    mouse.up()
    until(window.page, lambda: window.revision(name) > before, 20, lambda: "the drag changed no polygon")
    frames = np.diff(record["times"])[np.array(record["moved"][:-1], bool)]
    median, late = np.median(frames), np.percentile(frames, 95)
    print(f"{words:44}{len(frames):>8}{median:>11.1f}{late:>8.1f}{frames.max():>8.1f}", flush=True)


def measure_next(window: Window, words: str, names: list[str]) -> None:
    window.open(names[0])
    took = []
    for name in names[1:]:
        window.page.wait_for_timeout(1000)  # a person looks at the picture
        if window.kind == "editor":
            window.page.evaluate(WAIT_FOR_PICTURE, [VIEW, name])
            window.page.keyboard.press("PageDown")
            window.page.wait_for_function("window.nextPictureTook > 0")
            took.append(window.page.evaluate("() => { const t = nextPictureTook; nextPictureTook = 0; return t; }"))
        else:
            start = time.perf_counter()
            window.page.keyboard.press("ArrowRight")
            window.page.wait_for_url(f"**image={name}*")
            window.page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()
            window.page.locator("canvas.upper-canvas").wait_for()
            took.append(1000 * (time.perf_counter() - start))
    print(f"{words:44}{statistics.median(took):>11.0f}{max(took):>8.0f}", flush=True)


def measure_bytes(window: Window, words: str, name: str, outline: Outline, edits: int) -> None:
    window.open(name)
    x, y = window.grab_vertex(outline)
    requests, sent, mouse = [], [], window.page.mouse
    for _ in range(edits):
        window.page.wait_for_timeout(500)
        window.requests = window.sent = 0
        before = window.revision(name)
        mouse.move(x, y)
        mouse.down()
        mouse.move(x + 3, y + 2, steps=4)
        mouse.move(x + 5, y - 3, steps=4)
        mouse.up()
        x, y = x + 5, y - 3
        until(window.page, lambda before=before: window.revision(name) > before, 20, lambda: "no edit was saved")
        window.page.wait_for_timeout(500)
        requests.append(window.requests)
        sent.append(window.sent / 1000)
    median = statistics.median(sent)
    print(f"{words:44}{statistics.median(requests):>9.0f}{median:>11.1f}{max(sent):>8.1f}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
