"""Each way into the Try it page and out of it, in Chromium, with the network `toy` that ships."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import cv2
import numpy as np
import pytest

from maskrcnn.annotations.store import Project
from maskrcnn.inference.video_frames import video_facts, video_writer
from maskrcnn.install_folders import DATA
from maskrcnn.studio.try_it.sets import tried_set
from tests.made_runs import new_project_of_server, noise
from tests.sweeps import sweep

SHAPES = sorted((DATA / "shapes" / "val").glob("*.jpg"))
WAIT = 60_000
"""Milliseconds in which a network is loaded and looks at a few small pictures, on a busy machine."""


def small(path: Path, side: int = 200) -> np.ndarray:
    """A sample picture with some shapes, RGB."""
    pixels = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
    scale = side / max(pixels.shape[:2])
    return cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def jpeg(pixels: np.ndarray) -> bytes:
    return cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))[1].tobytes()


@pytest.fixture
def project(server: Any, request: pytest.FixtureRequest) -> Project:
    """A project of the test's own, with two pictures."""
    name = "try-" + re.sub(r"\W+", "-", request.node.name)[5:40]
    return new_project_of_server(server, name, ("one", "two"), noise((60, 40)))


@pytest.fixture
def go(page: Any, server: Any, project: Project) -> Callable[..., None]:
    """`go(**query)` opens the page in the project."""

    def go(**query: str) -> None:
        values = "&".join(f"{name}={value}" for name, value in query.items())
        page.goto(f"{server.url}/try_it?project={project.folder.name}&{values}")
        page.get_by_role("heading", name="Try it").wait_for(timeout=WAIT)

    return go


def wait_for_picture(page: Any) -> None:
    """The large picture is there, with its controls."""
    page.locator("canvas").first.wait_for(timeout=WAIT)


def status(page: Any, text: str) -> None:
    """The row below the head says this."""
    page.get_by_text(text, exact=False).first.wait_for(timeout=WAIT)


def files(page: Any) -> Any:
    return page.locator('input[type="file"]')


def is_set(page: Any) -> str:
    """The id of the set in the address."""
    page.wait_for_url(re.compile(r"[?&]set=[0-9a-f]{12}"), timeout=WAIT)
    return re.findall(r"[?&]set=([0-9a-f]{12})", page.url)[0]


def test_a_zip_in_and_a_zip_out(page: Any, go: Callable[..., None], project: Project, settled: Any) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for number, path in enumerate(SHAPES[:3], start=1):
            archive.writestr(f"in/{number}.jpg", jpeg(small(path)))
        archive.writestr("in/broken.jpg", b"\xff\xd8\xff no picture")
    go()
    files(page).set_input_files({"name": "mine.zip", "mimeType": "application/zip", "buffer": packed.getvalue()})
    identity = is_set(page)
    wait_for_picture(page)
    status(page, "mine.zip · toy (ships with the studio), epoch")
    status(page, "· 3 pictures")
    page.get_by_text("1 remark about the files").click()
    page.get_by_text("in/broken.jpg: this is not a picture that can be read").wait_for()

    # The gallery, in another order; a click opens a picture, and a key the next one.
    tiles = page.locator(".crops .tile")
    assert tiles.count() == 3
    settled(page)
    page.get_by_role("radio", name="most objects first").click()
    page.wait_for_url(re.compile("sort=count"))
    settled(page)
    counts = [int(text.split()[0]) for text in page.locator(".crops .says").all_inner_texts()]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > 0
    names = page.locator(".crops .name").all_inner_texts()
    tiles.nth(1).locator("button").first.click()
    page.wait_for_url(re.compile(r"image="))
    settled(page)
    chosen = page.locator(".st-key-try_it_image input")
    assert re.sub(r"\s+", " ", chosen.input_value()) == f"2 / 3 {names[1]}"
    page.keyboard.press("ArrowRight")
    page.wait_for_url(re.compile(re.escape(quote(names[2], safe=""))))
    settled(page)
    assert re.sub(r"\s+", " ", chosen.input_value()) == f"3 / 3 {names[2]}"

    # Everything follows a slider of the picture.
    objects = page.get_by_text(re.compile(r"^\d+ objects? in \d of 3 pictures$"))
    before = int(objects.inner_text().split()[0])
    assert before == sum(counts)
    slider = page.locator("input[name=min_score]")
    slider.fill("90")  # percent
    slider.dispatch_event("change")
    page.get_by_text(re.compile(rf"^(?!{before} )\d+ objects? in \d of 3 pictures$")).wait_for(timeout=WAIT)
    after = int(objects.inner_text().split()[0])
    assert 0 < after < before

    # The zip holds what is shown.
    page.get_by_text("Take away", exact=True).click()
    page.get_by_text("COCO (JSON)").click()
    page.get_by_role("button", name="Make the zip").click()
    button = page.get_by_role("button", name=re.compile("Download the zip"))
    button.wait_for(timeout=WAIT)
    with page.expect_download() as downloading:
        button.click()
    with zipfile.ZipFile(downloading.value.path()) as archive:
        assert archive.testzip() is None
        document = json.loads(archive.read("coco.json"))
        assert len(document["annotations"]) == after
        assert len(archive.read("detections.csv").decode().splitlines()) == after + 1
        overlays = [name for name in archive.namelist() if name.startswith("overlays/")]
        assert len(overlays) == 3

    # The pictures become pictures of the project, once, and what was found its suggestions.
    page.get_by_role("button", name="Add to the project as suggestions").click()
    page.get_by_text(f"3 pictures added; {after} objects suggested").wait_for(timeout=WAIT)
    assert sorted(image.file_name for image in project.images()) == ["1.jpg", "2.jpg", "3.jpg", "one.png", "two.png"]
    assert len(project.pictures_with_suggestions()) >= 1
    page.get_by_role("link", name="Open the first one in the editor").click()
    page.wait_for_url(re.compile(r"/annotate|/\?"))
    page.go_back()
    assert is_set(page) == identity
    wait_for_picture(page)

    # A reload and another window show the same; deleted in one, it is told as gone in the other.
    other = page.context.new_page()
    other.goto(page.url)
    wait_for_picture(other)
    page.get_by_role("button", name="Last sets").click()
    page.locator(f".st-key-try_it_delete_{identity} button").first.click()
    page.get_by_role("button", name="Try it on a sample picture").wait_for(timeout=WAIT)
    other.reload()
    other.get_by_text("this set of pictures is not there any more").wait_for(timeout=WAIT)


def test_a_video_there_and_back(page: Any, go: Callable[..., None], tmp_path: Path, server: Any) -> None:
    still, clip = small(SHAPES[1], 128), tmp_path / "clip.webm"
    with video_writer(clip, fps=2) as write:
        for number in range(20):
            write(np.roll(still, 3 * number, axis=1))
    assert video_facts(clip).seconds == pytest.approx(10, abs=0.6)
    go()
    files(page).set_input_files(clip)
    identity = is_set(page)
    wait_for_picture(page)
    status(page, "clip.webm · toy (ships with the studio), epoch")
    tried = tried_set.read(server.workspace, identity)
    assert len(tried.pictures) == 20
    assert tried.pictures[3].name == "clip 00m01.500s.jpg"
    page.get_by_text("Take away", exact=True).click()
    page.get_by_role("button", name="Draw the objects into the video").click()
    button = page.get_by_role("button", name=re.compile("Download the video"))
    button.wait_for(timeout=WAIT)
    player = page.locator("video")
    player.wait_for()
    page.wait_for_function("document.querySelector('video').readyState >= 1")
    assert player.evaluate("video => video.duration") == pytest.approx(10, abs=0.6)
    with page.expect_download() as downloading:
        button.click()
    drawn = tmp_path / "drawn.webm"
    downloading.value.save_as(drawn)
    facts = video_facts(drawn)
    assert facts.frames == pytest.approx(20, abs=1)
    assert facts.seconds == pytest.approx(10, abs=0.6)


@pytest.fixture(scope="module")
def with_camera(browser: Any) -> Iterator[Any]:
    """A Chromium whose camera is a moving test picture."""
    chromium = browser.browser_type.launch(
        executable_path=_executable(browser),
        args=["--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"],
    )
    yield chromium
    chromium.close()


def _executable(browser: Any) -> str | None:
    """The program that `browser` runs."""
    import os
    import shutil

    from tests.browser.conftest import BROWSERS

    return os.environ.get("MASKRCNN_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)


def test_a_photo_from_the_camera(with_camera: Any, server: Any, project: Project, kept_if_failed: Any) -> None:
    context = with_camera.new_context(viewport={"width": 1400, "height": 900}, permissions=["camera"])
    kept_if_failed(context)
    page = context.new_page()
    page.goto(f"{server.url}/try_it?project={project.folder.name}&from=camera")
    page.get_by_role("button", name="Take photo").click(timeout=WAIT)
    identity = is_set(page)
    wait_for_picture(page)
    (picture,) = tried_set.read(server.workspace, identity).pictures
    assert re.fullmatch(r"photo \d\d\.\d\d\.\d\d\.jpg", picture.name)
    assert min(picture.width, picture.height) >= 240
    context.close()


@sweep
def test_a_folder_and_pictures_of_the_project(
    page: Any, go: Callable[..., None], tmp_path: Path, project: Project, settled: Any
) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "a.jpg").write_bytes(jpeg(small(SHAPES[0])))
    (tmp_path / "deep" / "notes.txt").write_text("hello")
    (tmp_path / "deep" / "b.jpg").write_bytes(jpeg(small(SHAPES[1])))
    go(**{"from": "folder"})
    files(page).set_input_files(tmp_path / "deep")
    first = is_set(page)
    wait_for_picture(page)
    status(page, "deep · toy (ships with the studio), epoch")
    page.get_by_role("button", name="Other pictures").click()
    page.get_by_text("Pictures of the project").click()
    settled(page)
    page.get_by_role("button", name="Look at 2 pictures").click()
    page.wait_for_url(re.compile(r"set=(?!" + first + ")"), timeout=WAIT)
    wait_for_picture(page)
    status(page, "· 2 pictures")
    page.go_back()
    page.get_by_role("button", name="Look at 2 pictures").wait_for(timeout=WAIT)


@sweep
def test_bad_files_are_one_line_each(page: Any, go: Callable[..., None]) -> None:
    go()
    for name, content, says in (
        ("notes.txt", b"hello", "notes.txt: there is no picture"),
        ("bad.png", b"hello", "bad.png: this is not a picture that can be read"),
        ("clip.mp4", b"hello", "clip.mp4: is not a video that can be read"),
        ("<b>:red[x]</b>.png", b"hello", "<b>:red[x]</b>.png: this is not a picture"),
    ):
        files(page).set_input_files({"name": name, "mimeType": "application/octet-stream", "buffer": content})
        page.get_by_text(says).wait_for(timeout=WAIT)
        assert "set=" not in page.url
