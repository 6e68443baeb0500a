"""A run folder that a stranger made: nothing in it is run, ended, opened outside of it or shown on its word."""

from __future__ import annotations

import copy
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from maskrcnn.annotations.store import Project
from maskrcnn.config import Config
from maskrcnn.errors import StudioError
from maskrcnn.evaluation import evaluate, match_image
from maskrcnn.inference.model_card import model_card
from maskrcnn.jobs import known_costs, queue, run_state
from maskrcnn.jobs.backend import Training
from maskrcnn.jobs.local_backend import LocalBackend
from maskrcnn.runs import epochs_and_passes, metric_rows
from maskrcnn.runs.folder import BEGUN, CONFIG, DATASET, LOG, METRICS, PROCESS, QUEUED, RESULT, START, RunFolder
from maskrcnn.runs.project_runs import runs_and_faults_in, runs_in
from maskrcnn.runs.request import TrainingRequest
from maskrcnn.studio.evaluation.analyses import downloads
from maskrcnn.studio.inspect import inspected_run
from maskrcnn.studio.runs import curve_data, labels_and_detections, run_downloads, run_tables, run_words
from maskrcnn.studio.runs.run_tables import epoch_table
from tests.app.test_frame import PAGES
from tests.jobs.fakes import end_all, this_process
from tests.sweeps import FUZZ, one_in, sweep, wider

SHIPPED = Path(__file__).resolve().parents[2] / "data"
SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


@pytest.fixture(scope="module")
def shared_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small copy of a model that ships, with every document that a run can have."""
    run = tmp_path_factory.mktemp("shared") / "toy"
    shutil.copytree(SHIPPED / "weights" / "toy", run)
    (run / "card.json").unlink()
    labels = json.loads((run / DATASET).read_text())
    kept = {image["id"] for image in labels["val"]["images"][:2]}
    labels["val"]["images"] = labels["val"]["images"][:2]
    labels["val"]["annotations"] = [one for one in labels["val"]["annotations"] if one["image_id"] in kept]
    for image in labels["val"]["images"]:
        image["path"] = f"../../images/{image['file_name']}"
    (run / DATASET).write_text(json.dumps(labels))
    for path in (run / "detections").iterdir():
        if path.name != "epoch_0021.json":
            path.unlink()
            continue
        found = [one for one in json.loads(path.read_text()) if one["image_id"] in kept][:6]
        path.write_text(json.dumps(found))
    (run / METRICS).write_text("".join((run / METRICS).read_text().splitlines(keepends=True)[-40:]))
    (run / START).write_text(json.dumps({"preset": "classroom", "init": "toy", "backbone_weights": "none"}))
    (run / PROCESS).write_text(json.dumps(this_process(create_time=1.0, device="cpu", attempt="0" * 32)))
    (run / BEGUN).write_text(json.dumps({"attempt": "0" * 32}))
    return run


@pytest.fixture
def project(workspace: Path) -> Iterator[Project]:
    """A project with the two pictures of that run."""
    made = Project.create(workspace / "cells")
    pictures = sorted((SHIPPED / "shapes" / "val").glob("*.jpg"))[:2]
    made.add_pictures(pictures, "val")
    yield made
    end_all(workspace)


@pytest.fixture
def run(project: Project, shared_run: Path) -> RunFolder:
    shutil.copytree(shared_run, project.runs_folder / "r1")
    return RunFolder(project.runs_folder / "r1")


def look_at(run: RunFolder) -> None:
    """All that pages work out of a run, short of drawing it. Raises `StudioError` at most."""
    runs_in(run.path.parent), runs_and_faults_in(run.path.parent)[1]
    if wrong := run.fault():
        raise StudioError(wrong)
    now = run_state.progress(run)
    run_words.STATES[now.state], run_words.bar_text(now), run_words.ended_early(run), run_words.settings(run)
    run_words.learns_now(now.row, run.read_json(CONFIG) or {})
    run_tables.runs_table([run])
    run_state.failure(run), run_state.resumable(run), LocalBackend(run.path.parents[2]).can_be_forced(run)
    epochs = run.epochs()
    known = labels_and_detections.pictures_of_run(run)
    epoch_table(epochs, epochs_and_passes.mean_pass_steps(run, known.train)), run.log_tail(60)
    rows = metric_rows.read(run)
    run_tables.compared_settings(run), run_tables.comparison_table([run, run])
    epochs_and_passes.first_epoch_steps(run, known.train)
    curve_data.x_axes([run, run]), curve_data.curves([run]), run_downloads.downloads(run)
    run_downloads.epochs_csv(run), run_downloads.steps_csv(run), run_downloads.archive(run)
    known_costs.costs_from_runs(Config.preset("classroom"), run.path.parents[1], "cpu", [run])
    assert len(rows) >= 0
    if FUZZ:  # a third of a second each
        card = model_card(run)
        assert card.markdown()
        assert json.dumps(card.to_json(), allow_nan=False)
    if (kept := run.detection_epochs()) and (truth := run.dataset()["val"]):
        best = inspected_run.best_kept_epoch(run, kept).epoch
        config, detections = run.config(), run.detections(best)
        found = evaluate(truth, detections, tasks=config.tasks, sigmas=config.sigmas)
        downloads.picture_table(found)
        for image in truth["images"]:
            match_image(truth, detections, image["id"], 0.5, tasks=config.tasks)
            run.picture_path(image)


def complaint(run: RunFolder) -> str | None:
    """What `look_at` is told, None where all went well. Any other exception is a failure of the test."""
    try:
        look_at(run)
    except StudioError as error:
        return str(error)
    return None


def test_a_sound_run_is_looked_at_and_has_no_fault(run: RunFolder) -> None:
    look_at(run)
    assert run.fault() is None
    assert [found.name for found in runs_in(run.path.parent)] == ["r1"]
    assert runs_and_faults_in(run.path.parent)[1] == {}


# Every field of every document, replaced in turn


BAD: tuple[object, ...] = (
    None,
    True,
    -1,
    0,
    10**30,
    1e300,
    float("nan"),
    "",
    "x" * 200_000,
    "../../../../etc/passwd",
    "/etc/passwd\x00.jpg",
    "<script>alert(1)</script>![x](http://evil.example/x.png)",
    "; touch /tmp/owned; $(touch /tmp/owned)",
    [],
    {},
    [[[[[]]]]],
)


def places(document: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where a document has a value: each key, and the first two entries of a list."""
    yield path
    if isinstance(document, dict):
        for key, value in document.items():
            yield from places(value, (*path, key))
    elif isinstance(document, list):
        for index, value in enumerate(document[:2]):
            yield from places(value, (*path, index))


def replaced(document: Any, path: tuple[str | int, ...], value: object) -> Any:
    if not path:
        return value
    changed = copy.deepcopy(document)
    holder = changed
    for part in path[:-1]:
        holder = holder[part]
    holder[path[-1]] = value
    return changed


QUEUED_NOTE = {
    "argv": ["touch", "/tmp/owned"],
    "device": "any",
    "created": 1.0,
    "workspace": "/nowhere",
    "priority": 0,
    "resume": False,
    "expected_seconds": 60.0,
    "claimed": 5.0,
}


@wider
@pytest.mark.parametrize("name", [CONFIG, START, DATASET, PROCESS, BEGUN, QUEUED, RESULT, "detections/epoch_0021.json"])
def test_a_field_that_is_not_what_it_should_be_is_a_line_at_most(run: RunFolder, name: str) -> None:
    """A bad value for every second field, another one for the next; `make fuzz` tries all on each."""
    if name == QUEUED:
        run.write_json(QUEUED, QUEUED_NOTE)
    document = json.loads((run.path / name).read_text())
    tried = refused = 0
    began = {process.pid for process in psutil.Process().children(recursive=True)}
    for number, path in enumerate(places(document)):
        for value in BAD if FUZZ else (BAD[number % len(BAD)],) * (number % 2):
            (run.path / name).write_text(json.dumps(replaced(document, path, value)))
            tried += 1
            if (said := complaint(run)) is not None:
                refused += 1
                assert "\n" not in said
                assert len(said) < 1000
    assert tried >= len(document) / 2
    assert refused > tried / 4
    assert {process.pid for process in psutil.Process().children(recursive=True)} <= began
    assert not Path("/tmp/owned").exists()


@wider
def test_a_field_of_the_metrics_that_is_not_what_it_should_be_is_passed_over(run: RunFolder) -> None:
    lines = (run.path / METRICS).read_text().splitlines()
    step = next(json.loads(line) for line in lines if '"step"' in line)
    epoch = next(json.loads(line) for line in lines if '"event": "epoch"' in line)
    for row in (step, epoch):
        for path in [path for path in places(row) if path][:: 1 if FUZZ else 4]:
            if path:
                wrong = [replaced(row, path, value) for value in BAD]
                wrong.append({name: value for name, value in row.items() if name != path[0]})
                text = "\n".join(json.dumps(one) for one in wrong)
                (run.path / METRICS).write_text(f"{json.dumps(step)}\n{text}\n{json.dumps(epoch)}\n")
                look_at(run)
                assert run.last_row() == epoch


@pytest.mark.parametrize(
    "name", [CONFIG, START, DATASET, PROCESS, BEGUN, QUEUED, RESULT, METRICS, "detections/epoch_0021.json"]
)
@pytest.mark.parametrize(
    "content",
    one_in(
        3,
        [b"", b"\xff\xfe\x00", b"{", b'"x"', b"[]", b"null", b"1", b"[" * 200_000, b'{"a":' * 200_000, b"\x00" * 100],
    ),
    ids=["empty", "no-utf8", "cut-off", "text", "list", "null", "number", "brackets", "braces", "nulls"],
)
def test_a_document_that_is_none_is_a_line_at_most(run: RunFolder, name: str, content: bytes) -> None:
    (run.path / name).write_bytes(content)
    if (said := complaint(run)) is not None:
        assert name in said
        assert "\n" not in said


# Commands


def every_page(root: Path, project: str) -> list[str]:
    """Load each page of a project; what it says in red."""
    said: list[str] = []
    app = AppTest.from_file(str(root / "app.py"), default_timeout=60)
    app.query_params["project"] = project
    app = app.run()
    for page in PAGES:
        app = app.switch_page(page).run()
        assert not app.exception, (page, app.exception)
        assert app.query_params["project"] in (project, [project])
        said += [element.value for element in app.error]
    return said


@pytest.mark.parametrize("resume", [False, pytest.param(True, marks=sweep)])
@pytest.mark.parametrize("opened", one_in(2, [True, False]), ids=["opened-from-a-folder", "in-the-workspace"])
def test_a_note_that_something_waits_starts_nothing(
    root: Path, workspace: Path, tmp_path: Path, project: Project, shared_run: Path, resume: bool, opened: bool
) -> None:
    marker = tmp_path / "owned"
    place = project.folder
    if opened:
        place = tmp_path / "their project"
        shutil.copytree(project.folder, place)
        (workspace / "opened_projects.txt").write_text(f"{place}\n")
    notes = (QUEUED_NOTE, {**QUEUED_NOTE, "workspace": str(workspace)}, {**QUEUED_NOTE, "claimed": time.time()})
    for number, note in enumerate(notes):
        for name in ("bare", "trained"):
            run = place / "runs" / f"{name}-{number}"
            shutil.copytree(shared_run, run) if name == "trained" else run.mkdir()
            argv = [sys.executable, "-c", f"open({str(marker)!r}, 'w')", "-m", "maskrcnn", "train", "--out", str(run)]
            (run / QUEUED).write_text(json.dumps({**note, "argv": argv, "resume": resume}))
    before = children()
    every_page(root, place.name)
    assert queue.reconcile(workspace) == []
    assert queue.waiting(workspace) == queue.running(workspace) == []
    time.sleep(0.5)
    assert children() <= before
    assert not marker.exists()


def children() -> set[int]:
    return {process.pid for process in psutil.process_iter() if is_ours(process)}


def is_ours(process: psutil.Process) -> bool:
    """Whether this test run began it, also where it leads a session of its own by now."""
    try:
        return os.getpid() in (process.ppid(), *(parent.pid for parent in process.parents()))
    except psutil.Error:
        return False


def test_what_waits_in_no_queue_says_so_and_can_be_taken_out(root: Path, workspace: Path, project: Project) -> None:
    run = project.runs_folder / "r1"
    run.mkdir()
    (run / QUEUED).write_text(json.dumps(QUEUED_NOTE))
    app = AppTest.from_file(str(root / "app.py"), default_timeout=60)
    app.query_params["project"] = "cells"
    app = app.switch_page("pages/train/runs.py").run()
    assert any("waits in no queue of this workspace" in element.value for element in app.markdown)
    next(button for button in app.button if button.label == "Take it out of the queue").click().run()
    assert not app.exception
    assert not run.exists()


def test_a_table_of_jobs_in_a_project_is_never_opened(workspace: Path, project: Project, run: RunFolder) -> None:
    """A run once said in which workspace it waits, and the folders above it were tried."""
    run.write_json(QUEUED, {**QUEUED_NOTE, "workspace": str(project.folder)})
    for place in (project.folder, project.runs_folder, run.path):
        (place / "jobs.db").write_bytes(b"no database")
    LocalBackend(workspace).cancel(run)
    for place in (project.folder, project.runs_folder, run.path):
        assert (place / "jobs.db").read_bytes() == b"no database"
        assert sorted(path.name for path in place.glob("jobs*")) == ["jobs.db"]


@pytest.mark.parametrize(
    "options",
    [
        ["--out", "/elsewhere"],
        ["--resume"],
        ["--device", "cpu"],
        ["--epochs", "1; touch /tmp/owned"],
        ["--epochs", "1", "--estimate"],
        ["--set", "no_such_field=1"],
        ["--data", "--out"],
        ["--data", "a\0b"],
        ["--preset", "theirs"],
        ["-c", "import os"],
        ["--data", "x" * 20_000],
    ],
    ids=" ".join,
)
def test_options_that_are_no_choices_of_a_training_are_refused(
    project: Project, workspace: Path, options: list[str]
) -> None:
    with pytest.raises(StudioError, match=r"choose|no field"):
        queue.add(workspace, Training(RunFolder(project.runs_folder / "new"), TrainingRequest.from_argv(options)))
    assert not (project.runs_folder / "new").exists()


# Processes


@pytest.fixture
def stranger() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(SLEEP, stdin=subprocess.DEVNULL)
    yield process
    process.kill()
    process.wait()


@pytest.mark.parametrize("mention", [False, True], ids=["named-by-number", "mentions-the-run"])
@pytest.mark.parametrize("asked", [False, True], ids=["cancel", "kill"])
def test_cancel_never_ends_a_process_that_a_run_only_names(
    workspace: Path, run: RunFolder, mention: bool, asked: bool
) -> None:
    process = subprocess.Popen([*SLEEP, *[str(run.path)] * mention], stdin=subprocess.DEVNULL)
    try:
        noted = {"pid": process.pid, "create_time": psutil.Process(process.pid).create_time(), "started": time.time()}
        run.write_json(PROCESS, {**noted, "argv": ["-m", "maskrcnn", "train", "--out", str(run.path)]})
        if asked:
            run.write_json(PROCESS, {**noted, "cancel_asked": time.time() - 100})
        (run.path / RESULT).unlink()
        assert run_state.state(run) in ("lost", "cancelled")
        with pytest.raises(StudioError, match="has ended already"):
            LocalBackend(workspace, grace=0).cancel(run)
        assert queue.reconcile(workspace) == []
        assert queue.running(workspace) == []  # it holds no device either
        LocalBackend(workspace).delete(run)
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()


def test_a_run_that_names_the_server_itself_holds_no_device(workspace: Path, run: RunFolder) -> None:
    (run.path / RESULT).unlink()
    run.write_json(PROCESS, this_process(device="cpu"))
    assert queue.reconcile(workspace) == []
    assert queue.turn(workspace) == (0.0, ())


# Paths


def link_out(run: RunFolder, name: str, target: Path) -> None:
    path = run.path / name
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    path.parent.mkdir(exist_ok=True)
    path.symlink_to(target)


@pytest.mark.parametrize(
    "name",
    [
        *(
            CONFIG,
            DATASET,
            METRICS,
            LOG,
            QUEUED,
            PROCESS,
            BEGUN,
            RESULT,
            "card.json",
            "best.safetensors",
            "state_last.pt",
        ),
        *("checkpoints", "detections", "tensorboard", "checkpoints/epoch_0001.safetensors"),
        *("detections/epoch_0001.json", "anything/else"),
    ],
)
def test_a_link_out_of_a_run_is_a_fault_and_is_not_followed(
    root: Path, workspace: Path, tmp_path: Path, run: RunFolder, name: str
) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    for place in (secret / "epoch_0001.json", secret / "words"):
        place.write_text("the secret word")
    target = secret if name in ("checkpoints", "detections", "tensorboard") else secret / "words"
    link_out(run, name, target)
    assert name in (run.fault() or "")
    assert runs_in(run.path.parent) == []
    assert list(runs_and_faults_in(run.path.parent)[1]) == ["r1"]
    with pytest.raises(StudioError, match="leads out"):
        RunFolder.open(run.path)
    with pytest.raises(StudioError):
        queue.add(workspace, Training(run, resume=True))
    assert [path.read_text() for path in (secret / "epoch_0001.json", secret / "words")] == ["the secret word"] * 2
    LocalBackend(workspace).delete(run)
    assert sorted(path.name for path in secret.iterdir()) == ["epoch_0001.json", "words"]


@pytest.mark.parametrize("name", [CONFIG, METRICS, LOG, PROCESS, "detections/epoch_0001.json", "pipe"])
def test_a_pipe_in_a_run_keeps_nobody_waiting(run: RunFolder, name: str) -> None:
    (run.path / name).unlink(missing_ok=True)
    os.mkfifo(run.path / name)
    began = time.monotonic()
    assert "neither a file nor a folder" in (run.fault() or "")
    with pytest.raises(StudioError):
        look_at(run)
    assert time.monotonic() - began < 60  # for ever, where somebody waits for it


def test_a_run_that_is_a_link_out_of_its_project_is_not_opened(
    workspace: Path, tmp_path: Path, project: Project, shared_run: Path
) -> None:
    shutil.copytree(shared_run, tmp_path / "theirs")
    (project.runs_folder / "r1").symlink_to(tmp_path / "theirs")
    assert runs_in(project.runs_folder) == []
    assert "is a link to another place" in runs_and_faults_in(project.runs_folder)[1]["r1"]
    LocalBackend(workspace).delete(RunFolder(project.runs_folder / "r1"))
    assert (tmp_path / "theirs" / CONFIG).is_file()
    # Somebody who names a link on the command line means the folder that it leads to.
    (tmp_path / "latest").symlink_to(tmp_path / "theirs")
    assert RunFolder.open(tmp_path / "latest").path == tmp_path / "theirs"
    project.runs_folder.rmdir()
    project.runs_folder.symlink_to(tmp_path)
    assert runs_in(project.runs_folder) == []


@pytest.mark.parametrize("how", ["absolute", "upwards", "link", "link-folder"])
def test_a_picture_outside_of_the_project_is_not_opened(
    root: Path, tmp_path: Path, project: Project, run: RunFolder, how: str
) -> None:
    outside = tmp_path / "private"
    outside.mkdir()
    Image.new("RGB", (288, 216), "red").save(outside / "photo.png")
    labels = run.dataset()
    image = labels["val"]["images"][0]
    if how == "absolute":
        image["path"] = str(outside / "photo.png")
    elif how == "upwards":
        image["path"] = os.path.relpath(outside / "photo.png", run.path)
    elif how == "link":
        (project.images_folder / "link.png").symlink_to(outside / "photo.png")
        image["path"] = "../../images/link.png"
    else:
        (run.path.parent / "more").symlink_to(outside)
        image["path"] = "../more/photo.png"
    run.write_json(DATASET, labels)
    with pytest.raises(StudioError, match="leads out of its folder"):
        run.picture_path(image)
    app = AppTest.from_file(str(root / "app.py"), default_timeout=60)
    app.query_params["project"] = "cells"
    app = app.switch_page("pages/inspect/predictions.py")
    app.query_params["image"] = image["file_name"]
    app = app.run()
    assert not app.exception
    assert any("leads out of its folder" in element.value for element in app.error)


def test_a_picture_of_a_folder_that_the_person_named_is_opened(
    tmp_path: Path, run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MASKRCNN_PICTURES", f"/nowhere{os.pathsep}{tmp_path}")
    assert run.picture_path({"path": str(tmp_path / "a.jpg")}) == tmp_path / "a.jpg"


# One broken run, and everything else


BROKEN: dict[str, Callable[[RunFolder], object]] = {
    "process-minus-one": lambda run: (run.path / PROCESS).write_text('{"pid": -1, "create_time": 1}'),
    "process-text": lambda run: (run.path / PROCESS).write_text('"x"'),
    "process-brackets": lambda run: (run.path / PROCESS).write_text("[" * 200_000),
    "result-list": lambda run: (run.path / RESULT).write_text("[]"),
    "config-list": lambda run: (run.path / CONFIG).write_text("[]"),
    "start-list": lambda run: (run.path / START).write_text("[]"),
    "queued-list": lambda run: (run.path / QUEUED).write_text("[]"),
    "log-folder": lambda run: ((run.path / LOG).unlink(), (run.path / LOG).mkdir()),
    "metrics-without-epoch": lambda run: (run.path / METRICS).write_text('{"event": "step", "step": 1}\n'),
    "metrics-huge": lambda run: (run.path / METRICS).write_text('{"event": "step", "epoch": 1e999, "step": 1}\n'),
    "dataset-text": lambda run: (run.path / DATASET).write_text('"x"'),
    "detections-text": lambda run: (run.path / "detections" / "epoch_0021.json").write_text('"x"'),
    "weights-text": lambda run: (run.path / "best.safetensors").write_text("no weights"),
    "card-text": lambda run: (run.path / "card.json").write_text('{"name": 1}'),
    "config-of-another-time": lambda run: (run.path / CONFIG).write_text('{"no_such_field": 1}'),
    "no-validation": lambda run: run.write_json(DATASET, {**run.dataset(), "val": None}),
    "empty-validation": lambda run: run.write_json(
        DATASET, {**run.dataset(), "val": {"images": [], "annotations": [], "categories": []}}
    ),
    "other-detections": lambda run: run.write_detections(
        21, [{"image_id": 99, "category_id": 1, "score": 0.9, "bbox": [0, 0, 1, 1]}]
    ),
    "damaged-mask": lambda run: run.write_detections(
        21, [{**run.detections(21)[0], "segmentation": {"size": [216, 288], "counts": "PPPP"}}]
    ),
    "huge-mask": lambda run: run.write_detections(
        21, [{**run.detections(21)[0], "segmentation": {"size": [900_000, 900_000], "counts": "0"}}]
    ),
    # Runs of 10, 62150, 10 and 38 pixels are the picture; the last is stored as 38 - 62150, in seven characters, from
    # which pycocotools reads another number.
    "mask-beyond-its-memory": lambda run: run.write_detections(
        21, [{**run.detections(21)[0], "segmentation": {"size": [216, 288], "counts": ":Vfl1:P[SnooO"}}]
    ),
    "mask-of-another-picture": lambda run: run.write_detections(
        21, [{**run.detections(21)[0], "segmentation": {"size": [10, 10], "counts": [100]}}]
    ),
    "unknown-class": lambda run: run.write_detections(21, [{**run.detections(21)[0], "category_id": 77}]),
    "score-not-a-number": lambda run: (run.path / "detections" / "epoch_0021.json").write_text(
        json.dumps([{**run.detections(21)[0], "score": float("nan")}])
    ),
    "pictures-moved": lambda run: run.write_json(DATASET, with_first_picture(run, path="../../elsewhere/none.jpg")),
    "picture-of-no-size": lambda run: run.write_json(DATASET, with_first_picture(run, width=0)),
    "picture-ids-as-texts": lambda run: run.write_detections(21, [{**run.detections(21)[0], "image_id": "1"}]),
    "no-detections": lambda run: run.write_detections(21, []),
}


def with_first_picture(run: RunFolder, **fields: Any) -> dict[str, Any]:
    """The labels of a run with fields of its first validation picture changed."""
    labels = run.dataset()
    labels["val"]["images"][0].update(fields)
    return labels


@pytest.mark.parametrize("broken", one_in(4, BROKEN))
def test_one_broken_run_takes_down_no_page(
    root: Path, workspace: Path, run: RunFolder, shared_run: Path, broken: str
) -> None:
    shutil.copytree(shared_run, run.path.with_name("good"))
    BROKEN[broken](run)
    app = AppTest.from_file(str(root / "app.py"), default_timeout=60)
    app.query_params["project"] = "cells"
    for page in (
        "pages/inspect/try_it.py",
        "pages/inspect/predictions.py",
        "pages/inspect/evaluation.py",
        "pages/inspect/compare.py",
        "pages/train/runs.py",
    ):
        app = app.switch_page(page)
        app.query_params["run"] = app.query_params["a"] = "r1"
        app = app.run()
        assert not app.exception
        assert all("\n" not in element.value for element in app.error)
    assert "good" in app.selectbox(key="runs-chosen").options


@sweep
def test_many_broken_runs_leave_every_page_of_every_project_as_it_was(
    root: Path, workspace: Path, run: RunFolder, shared_run: Path
) -> None:
    other = Project.create(workspace / "other")
    other.add_pictures(sorted((SHIPPED / "shapes" / "train").glob("*.jpg"))[:2], "train")
    before = every_page(root, "other")
    for name, breaks in BROKEN.items():
        shutil.copytree(shared_run, run.path.with_name(name))
        breaks(RunFolder(run.path.with_name(name)))
    every_page(root, "cells")
    assert every_page(root, "other") == before


def test_a_broken_run_is_listed_with_what_is_wrong(root: Path, run: RunFolder) -> None:
    (run.path / RESULT).write_text("[]")
    app = AppTest.from_file(str(root / "app.py"), default_timeout=60)
    app.query_params["project"] = "cells"
    app = app.switch_page("pages/train/runs.py").run()
    [line] = [element.value for element in app.error]
    assert line.startswith("**r1**")
    assert "result.json" in line
    assert "restore that file" in line


def test_a_training_does_not_open_pictures_outside_of_its_project(tmp_path: Path, run: RunFolder) -> None:
    """As on Resume, which reads the labels of the run folder again."""
    from maskrcnn.training.labelled_samples import LabelledSamples

    Image.new("RGB", (288, 216), "red").save(tmp_path / "photo.png")
    labels = run.dataset()
    labels["val"]["images"][0]["path"] = str(tmp_path / "photo.png")
    pictures = LabelledSamples(labels["val"], run.picture_path, run.config())
    with pytest.raises(StudioError, match="leads out of its folder"):
        pictures[0]


def test_a_run_that_is_deleted_while_it_trains_leaves_nothing(run: RunFolder) -> None:
    shutil.rmtree(run.path)
    for write in (
        lambda: run.write_json(RESULT, {"state": "done"}),
        lambda: run.write_detections(1, []),
        lambda: run.append_metrics({"event": "step", "epoch": 1, "step": 1}),
    ):
        with pytest.raises(FileNotFoundError):
            write()
    assert not run.path.exists()


@pytest.mark.parametrize(
    "segmentation",
    [
        {"size": [216, 288], "counts": "PPPP"},  # runs that cover another number of pixels
        {"size": [216, 288], "counts": "\u00e4"},
        {"size": [216, 288], "counts": [5, 5]},
        {"size": [900_000, 900_000], "counts": [810_000_000_000]},  # as many bytes as nobody has
        {"size": [20_000, 20_000], "counts": [400_000_000]},
        [],
        [[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]],
    ],
    ids=["short", "no-code", "list", "huge", "large", "empty", "odd"],
)
def test_a_mask_that_a_decoder_would_stumble_over_is_refused(run: RunFolder, segmentation: object) -> None:
    """pycocotools trusts a code, and takes as much memory as its size claims."""
    run.write_detections(21, [{**run.detections(21)[0], "segmentation": segmentation}])
    with pytest.raises(StudioError, match="detection"):
        run.detections(21)


def test_a_label_of_another_size_than_its_picture_is_refused(run: RunFolder) -> None:
    labels = run.dataset()
    labels["val"]["annotations"][0]["segmentation"] = {"size": [10, 10], "counts": [100]}
    run.write_json(DATASET, labels)
    with pytest.raises(StudioError, match="does not fit its size"):
        run.dataset()
