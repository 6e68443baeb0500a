"""The routes of hints, with pictures whose objects are known and a network of a few thousand weights."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from maskrcnn.annotations import raster
from maskrcnn.annotations.hints import sam_masks
from maskrcnn.annotations.regions import Circle, Polygon, Region
from maskrcnn.annotations.store import Project
from maskrcnn.studio.annotate import hint_routes
from maskrcnn.studio.annotate.hints import networks, suggestion_queue
from maskrcnn.studio.annotate.hints.jobs import Job
from maskrcnn.studio.annotate.json_routes import project_key
from tests import tiny

Ask = Callable[..., Any]
SIDE = 120
DISC = Circle(60, 60, 30)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Three pictures with a red disc each."""
    made = Project.create(tmp_path / "discs")
    random = np.random.default_rng(0)
    for number in range(3):
        pixels = np.full((SIDE, SIDE, 3), (70, 110, 70), np.uint8)
        pixels[raster.mask(DISC, SIDE, SIDE)] = (200, 60, 40)
        file = tmp_path / f"disc{number}.png"
        Image.fromarray(np.clip(pixels + random.normal(0, 6, pixels.shape), 0, 255).astype(np.uint8)).save(file)
        made.add_pictures([file], "train")
    return made


@pytest.fixture
def ask(project: Project) -> Iterator[Ask]:
    """`ask(method, place, **body)` returns the JSON of the answer, and (with `status`) checks its status."""
    client = TestClient(Starlette(routes=hint_routes.routes()))
    prefix = f"/studio/annotate/{project_key(project)}/hints"

    def call(method: str, place: str, status: int = 200, **body: Any) -> Any:
        answer = client.request(method, f"{prefix}/{place}", json=body if method == "POST" else None)
        assert answer.status_code == status, answer.text
        return answer.json()

    yield call
    suggestion_queue.stop(project)


def finished(ask: Ask, job: dict[str, Any]) -> dict[str, Any]:
    """The job when it has ended."""
    until = time.monotonic() + 60
    while job["state"] == "working" and time.monotonic() < until:
        job = ask("GET", f"jobs/{job['job']}")
    return job


def box(project: Project, **changes: Any) -> dict[str, Any]:
    return {"picture": project.images()[0].id, "way": "colours", "box": [30, 30, 90, 90]} | changes


def iou(shape: dict[str, Any]) -> float:
    found = raster.mask(Polygon(tuple(map(tuple, shape["points"]))), SIDE, SIDE)
    inside = raster.mask(DISC, SIDE, SIDE)
    return float((found & inside).sum() / (found | inside).sum())


def run_of(project: Project, name: str = "tiny") -> None:
    """A run of the project: a network with random weights."""
    import torch

    from maskrcnn.config import Config
    from maskrcnn.model import build
    from maskrcnn.model.weights import save
    from maskrcnn.runs.folder import RunFolder

    torch.manual_seed(0)
    config = Config.preset(
        "classroom", **tiny.CONFIG | {"num_classes": 2, "class_names": ("disc",), "detection_min_confidence": 0.0}
    )
    run = RunFolder.create(project.runs_folder / name)
    run.write_json("config.json", config.model_dump(mode="json"))
    save(build(config), run.best, 1)


def test_a_box_becomes_an_outline_by_colours(project: Project, ask: Ask) -> None:
    job = finished(ask, ask("POST", "box", **box(project)))
    assert job["state"] == "done"
    assert iou(job["result"]["shape"]) > 0.93
    assert iou(job["result"]["simple"]) > 0.9
    assert len(job["result"]["simple"]["points"]) <= 40
    assert job["result"]["class_name"] is None


def test_an_outline_is_refined_by_strokes(project: Project, ask: Ask) -> None:
    """A person's outline has the lower half only; a stroke through the upper half brings it."""
    half = {"kind": "polygon", "points": [[31, 60], [89, 60], [80, 82], [60, 90], [40, 82]]}
    strokes = {"inside": [[[60, 36], [60, 58]]], "outside": [[[20, 20]]]}
    job = finished(ask, ask("POST", "refine", **box(project, box=None, shape=half, strokes=strokes)))
    assert iou(job["result"]["shape"]) > 0.85


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"box": [1, 2, 3]}, "no points"),
        ({"box": [5, 5, 5, 40]}, "smaller than a pixel"),
        ({"box": ["a", 1, 2, 3]}, "not a number"),
        ({"way": 3}, "not a way"),
        ({"strokes": {"above": []}}, "strokes"),
        ({"strokes": {"inside": [[]]}}, "no points"),
        ({"strokes": {"inside": [[[0, 0]] * 5001]}}, "too many points"),
        ({"shape": {"kind": "point", "cx": 1, "cy": 1}, "box": None}, "no area"),
        ({"shape": {"kind": "blob"}, "box": None}, "unknown kind"),
        ({"class_name": 4}, "no name"),
        ({"folder": "/"}, "unknown value"),
    ],
)
def test_wrong_requests_get_one_line(project: Project, ask: Ask, changes: dict[str, Any], words: str) -> None:
    message = ask("POST", "box", status=422, **box(project, **changes))["message"]
    assert words in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"box": [500, 500, 600, 600]}, "nothing was found"),
        ({"way": "run/gone"}, "is gone"),
        ({"way": "../../etc"}, "is gone"),
        ({"way": "osam/sam:latest"}, "pip install osam"),
        ({"way": "osam/other"}, "unknown"),
    ],
)
def test_a_hint_that_fails_says_why(project: Project, ask: Ask, changes: dict[str, Any], words: str) -> None:
    job = finished(ask, ask("POST", "box", **box(project, **changes)))
    assert job["state"] == "failed"
    assert words in job["message"]
    assert str(project.folder) not in job["message"]


def test_a_picture_that_is_gone_is_told(project: Project, ask: Ask) -> None:
    assert "no picture number 999" in ask("POST", "box", status=404, **box(project, picture=999))["message"]
    project.picture(project.images()[0].id).unlink()
    ask("POST", "path", status=422, picture=project.images()[0].id, start=[1, 1], end=[5, 5])


def test_a_path_follows_the_edge(project: Project, ask: Ask) -> None:
    points = ask("POST", "path", picture=project.images()[0].id, start=[90, 60], end=[60, 30])["points"]
    assert (points[0], points[-1]) == ([90, 60], [60, 30])
    assert max(abs(float(np.hypot(x - 60, y - 60)) - 30) for x, y in points) < 2.5
    ask("POST", "path", status=422, picture=project.images()[0].id, start=[90, 60], end=None)


def test_networks_are_the_runs_of_the_project(project: Project, ask: Ask) -> None:
    assert ask("GET", "networks")["networks"] == []
    run_of(project)
    [entry] = ask("GET", "networks")["networks"]
    assert entry == {"key": "run/tiny", "name": "tiny", "kind": "run", "classes": ["disc"], "masks": True}
    assert ask("GET", "networks")["osam"] == {"networks": [], "message": sam_masks.HOW_TO_GET}


def test_a_network_outlines_a_box_and_is_loaded_once(
    project: Project, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_of(project)
    loads = []
    load = networks._load
    monkeypatch.setattr(networks, "_load", lambda chosen: loads.append(chosen.name) or load(chosen))
    for _ in range(2):
        job = finished(ask, ask("POST", "box", **box(project, way="run/tiny", class_name="disc")))
        assert job["state"] == "done" or "nothing was found" in job["message"]  # its weights are random
    assert loads == ["tiny"]


def test_a_job_is_stopped(project: Project, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*_: Any, **__: Any) -> None:
        stopped = _[5]
        while not stopped():
            time.sleep(0.01)
        raise hint_routes.jobs.HintStopped

    monkeypatch.setattr(hint_routes, "box_outline", slow)
    job = ask("POST", "box", **box(project))
    assert (job["state"], job["words"]) == ("working", "comparing colours")
    ask("DELETE", f"jobs/{job['job']}")
    assert finished(ask, job)["state"] == "stopped"
    ask("GET", "jobs/unknown", status=404)


def suggested(ask: Ask, place: str) -> dict[str, Any]:
    job = ask("GET", place)
    until = time.monotonic() + 60
    while job["state"] == "working" and time.monotonic() < until:
        job = ask("GET", place)
    return job


def test_suggestions_come_for_this_picture_and_the_next_ones(
    project: Project, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_of(project)
    seen: list[int] = []

    def suggest(job: Job, _: Project, network: networks.Network, image_id: int) -> tuple[Region, ...]:
        seen.append(image_id)
        return (Region(DISC, "disc", source="model", score=0.9), Region(Circle(10, 10, 5), "disc", source="model"))

    monkeypatch.setattr(suggestion_queue, "_suggest", suggest)
    first, second, third = (image.id for image in project.images())
    project.save(first, [Region(Circle(61, 60, 29), "balloon")], project.regions(first)[1])
    job = suggested(ask, f"suggestions/{first}?run=run/tiny&ahead={second},{third},x")
    assert job["result"]["network"] == "tiny"
    [left] = job["result"]["regions"]  # the disc is drawn already
    assert left["shape"]["cx"] == 10
    assert left["source"] == "model"
    suggested(ask, f"suggestions/{third}?run=run/tiny")
    assert sorted(seen) == [first, second, third] or sorted(seen) == [first, third]  # if it was quick
    again = suggested(ask, f"suggestions/{first}?run=run/tiny")["result"]["regions"]
    assert [region["id"] for region in again] == [left["id"]]


def test_work_for_another_network_is_stopped(project: Project, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    run_of(project, "old")
    run_of(project, "new")
    stopped: list[str] = []

    def suggest(job: Job, _: Project, network: networks.Network, image_id: int) -> tuple[Region, ...]:
        until = time.monotonic() + 30
        while network.name == "old" and time.monotonic() < until:
            time.sleep(0.01)
            if job.stopped():
                stopped.append(network.name)
                job.begin("")
        return ()

    monkeypatch.setattr(suggestion_queue, "_suggest", suggest)
    first, second, _ = (image.id for image in project.images())
    assert ask("GET", f"suggestions/{first}?run=run/old&ahead={second}")["state"] == "working"
    assert suggested(ask, f"suggestions/{first}?run=run/new")["state"] == "done"
    assert stopped == ["old"]


def test_a_network_that_is_trained_suggests_regions(project: Project, ask: Ask) -> None:
    run_of(project)
    job = suggested(ask, f"suggestions/{project.images()[0].id}?run=run/tiny")
    assert job["state"] == "done", job["message"]
    assert all(region["source"] == "model" for region in job["result"]["regions"])
    ask("GET", f"suggestions/{project.images()[0].id}?run=run/gone", status=422)
    assert ask("DELETE", f"suggestions/{project.images()[0].id}") == {"state": "stopped"}


def test_the_routes_do_not_load_torch_before_a_network_is_used() -> None:
    script = "import sys; import maskrcnn.studio.annotate.hint_routes; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_suggestions_are_kept_in_the_project(project: Project, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Worked out once, also after a restart; what was decided does not come back; a newer checkpoint asks again."""
    run_of(project)
    seen: list[int] = []

    def suggest(job: Job, _: Project, network: networks.Network, image_id: int) -> tuple[Region, ...]:
        seen.append(image_id)
        places = ((60, 60, 30), (10, 10, 5), (100, 100, 6))
        return tuple(Region(Circle(*place), "disc", source="model", score=0.9) for place in places)

    def restart() -> None:
        suggestion_queue._queues.clear()

    monkeypatch.setattr(suggestion_queue, "_suggest", suggest)
    picture = project.images()[0].id
    assert ask("GET", f"kept/{picture}") == {"kept": None}
    first = suggested(ask, f"suggestions/{picture}?run=run/tiny")["result"]["regions"]
    assert len(first) == 3
    restart()
    assert suggested(ask, f"suggestions/{picture}?run=run/tiny")["result"]["regions"] == first
    kept = ask("GET", f"kept/{picture}")["kept"]
    assert (kept["network"], kept["name"], kept["regions"]) == ("run/tiny", "tiny", first)

    assert ask("POST", f"kept/{picture}/decided", ids=[first[1]["id"], "x"]) == {"decided": 1}
    for _ in range(2):
        assert suggested(ask, f"suggestions/{picture}?run=run/tiny")["result"]["regions"] == [first[0], first[2]]
        assert ask("GET", f"kept/{picture}")["kept"]["regions"] == [first[0], first[2]]
        restart()
    project.save(picture, [Region(Circle(61, 60, 29), "balloon")], project.regions(picture)[1])  # drawn by hand
    assert ask("GET", f"kept/{picture}")["kept"]["regions"] == [first[2]]
    ask("DELETE", f"kept/{picture}/decided")
    assert ask("GET", f"kept/{picture}")["kept"]["regions"] == first[1:]
    assert seen == [picture]

    checkpoint = networks.network(project, "run/tiny").file
    about = checkpoint.stat()
    os.utime(checkpoint, ns=(about.st_atime_ns, about.st_mtime_ns + 10**9))
    assert ask("GET", f"kept/{picture}")["kept"]["regions"] == first[1:]  # better than none
    assert suggested(ask, f"suggestions/{picture}?run=run/tiny")["state"] == "done"
    assert seen == [picture, picture]


def test_decisions_about_no_suggestions_are_refused(project: Project, ask: Ask) -> None:
    picture = project.images()[0].id
    assert "no texts" in ask("POST", f"kept/{picture}/decided", status=422, ids=[1])["message"]
    ask("POST", "kept/999/decided", status=404, ids=["x"])
    ask("GET", "kept/999", status=404)
    ask("DELETE", "kept/999/decided", status=404)
    assert ask("POST", f"kept/{picture}/decided", ids=["x"]) == {"decided": 0}
