"""The Runs page without a browser, on run folders written by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from maskrcnn.annotations.store import Project
from maskrcnn.config import Config
from maskrcnn.jobs import queue
from maskrcnn.jobs.backend import Training
from maskrcnn.jobs.local_backend import LocalBackend
from maskrcnn.runs.folder import CONFIG, DATASET, LOG, METRICS, PROCESS, QUEUED, RESULT, RunFolder
from maskrcnn.runs.request import TrainingRequest
from maskrcnn.studio.runs import run_tables
from tests.jobs.fakes import end_all, this_process, trainer_of

RUNS = "pages/train/runs.py"


@pytest.fixture
def project(workspace: Path) -> Iterator[Project]:
    yield Project.create(workspace / "cells")
    end_all(workspace)


def make_run(
    project: Project,
    name: str,
    epochs: int = 0,
    steps: int = 0,
    result: dict[str, Any] | None = None,
    alive: bool = False,
    validation: bool = True,
    log: str = "",
    tasks: tuple[str, ...] = ("box", "mask"),
) -> RunFolder:
    """A run of four epochs that got as far as `epochs` and then `steps`. `alive`: a process trains it."""
    run = RunFolder(project.runs_folder / name)
    run.path.mkdir()
    config = Config.preset("classroom", epochs=4, tasks=tasks)
    losses = ("loss", *config.losses)
    run.write_json(CONFIG, config.model_dump())
    run.write_json(PROCESS, trainer_of(run.path) if alive else this_process(create_time=1.0))
    for number in range(1, epochs + 1):
        row = {"event": "epoch", "epoch": number, "step": 10 * number, "progress": number / 4}
        row |= {"elapsed": 60.0 * number, "eta": 60.0 * (4 - number)}
        row |= {loss: number + index / 10 for index, loss in enumerate(losses)}
        if validation:
            row |= {f"val_{loss}": number + index / 10 for index, loss in enumerate(losses)}
            row |= {"bbox_ap": 0.3, "bbox_ap50": 0.5}
            if "mask" in tasks:
                row |= {"segm_ap": 0.1 * number, "segm_ap50": 0.4, "segm_ap75": 0.2}
            if "keypoints" in tasks:
                row |= {"keypoints_ap": 0.2 * number, "keypoints_ap50": 0.9}
        run.append_metrics(row)
    for step in range(1, steps + 1):
        row = {"event": "step", "epoch": epochs + 1, "step": 10 * epochs + step, "progress": (epochs + step / 10) / 4}
        row |= {"elapsed": 6.0, "eta": 234.0, **dict.fromkeys(losses, 1.0)}
        run.append_metrics(row)
    (run.path / LOG).write_text(log)
    if result:
        run.write_json(RESULT, result)
    return run


OPENED = (run_tables.EPOCHS, run_tables.LOG, run_tables.RUNS)
"""What is folded at first, and opened in these tests."""


def open_runs(root: Path, run: str = "", **query: str) -> AppTest:
    app = AppTest.from_file(str(root / "app.py"), default_timeout=60)
    app.query_params["project"] = "cells"
    app = app.switch_page(RUNS)
    for name, value in (({"run": run} if run else {}) | query).items():
        app.query_params[name] = value
    for key in OPENED:
        app.session_state[key] = True
    app = app.run()
    assert not app.exception
    return app


def words(app: AppTest) -> str:
    return " ".join(element.value for element in app.main.markdown)


def charts(app: AppTest) -> int:
    return len(app.main.get("vega_lite_chart"))


def bar(app: AppTest) -> Any:
    return app.main.get("progress")[0].proto


def button(app: AppTest, label: str) -> Any:
    return next(element for element in app.button if element.label == label)


def test_without_a_run_it_offers_the_next_step(root: Path, project: Project) -> None:
    app = open_runs(root)
    assert "Nothing was trained in **cells** yet" in words(app)
    app = button(app, "Launch a training").click().run()
    assert not app.exception
    assert [element.value for element in app.title] == ["Launch a training"]


def test_a_running_training_shows_where_it_is(root: Path, project: Project) -> None:
    make_run(project, "cells-0001", epochs=2, steps=5, alive=True)
    app = open_runs(root)
    assert ":blue-badge[:material/play_arrow: running]" in words(app)
    assert "epoch 3/4" in bar(app).text
    assert "ETA 3:5" in bar(app).text  # 234 seconds are 3:54, less what has passed since
    assert bar(app).value == 62  # (2 + .5) / 4
    assert charts(app) == 7
    table = app.main.dataframe[0].value
    assert list(table["epoch"]) == [1, 2]
    for loss in ("loss", *Config.preset("classroom").losses):
        assert {loss, f"val_{loss}"} <= set(table.columns)
    assert list(table["segm_ap"]) == [0.1, 0.2]


@pytest.mark.parametrize(
    ("tasks", "losses", "best", "of"),
    [
        (("box",), 4, 0.3, "box AP"),
        (("box", "keypoints"), 5, 0.4, "keypoint AP"),
        (("box", "mask", "keypoints"), 6, 0.2, "mask AP"),
    ],
)
def test_a_run_shows_the_losses_and_the_ap_of_its_tasks(
    root: Path, project: Project, tasks: tuple[str, ...], losses: int, best: float, of: str
) -> None:
    make_run(project, "cells-0001", epochs=1, result={"state": "done", "seconds": 1.0})
    make_run(project, "cells-0002", epochs=2, result={"state": "done", "seconds": 1.0}, tasks=tasks)
    app = open_runs(root)
    assert charts(app) == 2 + losses
    assert f"the sum of the {losses} below" in words(app)
    assert " + ".join(tasks) in words(app)
    overview = app.main.dataframe[-1].value
    assert (overview["best AP"][0], overview["AP of"][0]) == (best, of)


def test_before_the_first_epoch_ends_the_steps_are_drawn(root: Path, project: Project) -> None:
    make_run(project, "cells-0001", steps=3, alive=True)
    app = open_runs(root)
    assert charts(app) == 6
    assert "step by step" in words(app)
    assert not app.main.dataframe


def test_before_the_first_step_it_says_what_it_waits_for(root: Path, project: Project) -> None:
    make_run(project, "cells-0001", alive=True)
    app = open_runs(root)
    assert "starting" in words(app)
    assert charts(app) == 0
    assert "The first losses come" in app.info[0].value


def test_without_validation_there_is_no_ap(root: Path, project: Project) -> None:
    make_run(project, "cells-0001", epochs=4, validation=False, result={"state": "done", "seconds": 250.0})
    app = open_runs(root)
    assert charts(app) == 6
    assert "no labelled validation pictures" in app.info[0].value
    assert "epoch 4/4" in bar(app).text
    assert "took 4:10" in bar(app).text


def test_a_failed_run_says_why_and_opens_its_log(root: Path, project: Project) -> None:
    why = "loss is nan at epoch 3, step 12; try a learning_rate ten times lower"
    make_run(project, "cells-0001", epochs=2, result={"state": "failed", "error": why}, log="one\ntwo")
    app = open_runs(root)
    assert [element.value for element in app.error] == [why]
    assert next(element for element in app.expander if element.label == "Log").proto.expanded
    assert [element.value for element in app.code] == ["one\ntwo"]


def test_a_run_that_never_got_as_far_as_a_configuration_says_why(root: Path, project: Project) -> None:
    run = make_run(project, "cells-0001", log='error: p: region 1 of "a.jpg" has no class; give it one')
    (run.path / CONFIG).unlink()
    app = open_runs(root)
    assert ["has no class" in element.value for element in app.error] == [True]


def test_a_lost_run_is_explained(root: Path, project: Project) -> None:
    make_run(project, "cells-0001", epochs=1)
    app = open_runs(root)
    assert "lost" in words(app)
    assert "Every epoch that it finished is kept" in app.warning[0].value


def test_a_torn_last_line_is_passed_over(root: Path, project: Project) -> None:
    run = make_run(project, "cells-0001", epochs=2, result={"state": "done", "seconds": 1.0})
    with (run.path / METRICS).open("a") as file:
        file.write('{"event": "epoch", "epo')
    assert list(open_runs(root).main.dataframe[0].value["epoch"]) == [1, 2]


def test_a_damaged_run_is_one_red_box(root: Path, project: Project) -> None:
    run = make_run(project, "cells-0001", epochs=1)
    (run.path / RESULT).write_text("{")
    app = open_runs(root)
    assert ["result.json: is not readable JSON" in element.value for element in app.error] == [True]


def test_the_address_names_the_run(root: Path, project: Project) -> None:
    for name in ("cells-0001", "cells-0002"):
        make_run(project, name, epochs=1, result={"state": "done", "seconds": 1.0})
    assert open_runs(root).selectbox(key="runs-chosen").value == "cells-0002"
    app = open_runs(root, "cells-0001")
    assert app.selectbox(key="runs-chosen").value == "cells-0001"
    app.selectbox(key="runs-chosen").set_value("cells-0002").run()
    assert app.query_params["run"] in ("cells-0002", ["cells-0002"])
    overview = app.main.dataframe[-1].value
    assert list(overview["run"]) == ["cells-0002", "cells-0001"]


def test_an_unknown_run_falls_back_to_the_newest(root: Path, project: Project) -> None:
    make_run(project, "cells-0001", epochs=1, result={"state": "done", "seconds": 1.0})
    app = open_runs(root, "no such")
    assert app.selectbox(key="runs-chosen").value == "cells-0001"
    assert "no such" in app.toast[0].value


def test_cancel_asks_the_training_to_end(root: Path, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    make_run(project, "cells-0001", epochs=1, alive=True)
    asked: list[str] = []
    monkeypatch.setattr(LocalBackend, "cancel", lambda self, run: asked.append(run.name))
    app = open_runs(root)
    assert not [element for element in app.button if element.label == "Delete this run"]
    button(app, "Cancel this training").click().run()
    assert asked == ["cells-0001"]


def test_delete_removes_an_ended_run(root: Path, project: Project) -> None:
    for name in ("cells-0001", "cells-0002"):
        make_run(project, name, epochs=1, result={"state": "done", "seconds": 1.0})
    app = open_runs(root, "cells-0001")
    assert not [element for element in app.button if element.label == "Cancel this training"]
    app = button(app, "Delete this run").click().run()
    assert not app.exception
    assert [path.name for path in project.runs_folder.iterdir()] == ["cells-0002"]
    assert app.selectbox(key="runs-chosen").value == "cells-0002"


@pytest.mark.parametrize("state", ["cancelled", "failed"])
def test_a_run_that_was_stopped_can_be_resumed(
    root: Path, workspace: Path, project: Project, started: list[Training], state: str
) -> None:
    run = make_run(project, "cells-0001", epochs=2, result={"state": state, "seconds": 1.0})
    app = open_runs(root)
    assert not [element for element in app.button if element.label == "Resume"]  # it has left no state
    run.state.write_bytes(b"state")
    button(app.run(), "Resume").click().run()
    [training] = started
    assert (training.run.path, training.request, training.resume) == (run.path, TrainingRequest(), True)


def test_a_run_that_is_done_can_be_trained_for_more_epochs(
    root: Path, workspace: Path, project: Project, started: list[Training]
) -> None:
    run = make_run(project, "cells-0001", epochs=2, result={"state": "done", "seconds": 1.0})
    run.state.write_bytes(b"state")
    app = open_runs(root)
    assert not [element for element in app.button if element.label == "Resume"]
    assert button(app, "Train 10 more epochs")
    app = app.number_input(key="runs-more").set_value(1).run()
    button(app, "Train 1 more epoch").click().run()
    [training] = started
    assert (training.run.path, training.request, training.resume) == (
        run.path,
        TrainingRequest(changed={"epochs": 1}),
        True,
    )


def test_a_run_of_so_many_minutes_is_trained_for_more_minutes(
    root: Path, workspace: Path, project: Project, started: list[Training]
) -> None:
    run = make_run(project, "cells-0001", epochs=2, result={"state": "done", "seconds": 1.0})
    run.state.write_bytes(b"state")
    run.write_json(CONFIG, {**run.read_json(CONFIG), "epochs": None, "minutes": 10.0})
    app = open_runs(root)
    app = app.number_input(key="runs-more-minutes").set_value(2.5).run()
    button(app, "Train 2.5 more minutes").click().run()
    [training] = started
    assert (training.run.path, training.request, training.resume) == (
        run.path,
        TrainingRequest(changed={"minutes": 2.5}),
        True,
    )


def test_a_run_that_waits_says_at_which_place_and_how_long(
    root: Path, project: Project, monkeypatch: pytest.MonkeyPatch, workspace: Path
) -> None:
    run = make_run(project, "cells-0002")
    (run.path / PROCESS).unlink()
    run.write_json(QUEUED, {"argv": []})
    turn = queue.WaitingJob(1, run, "any", 2, 250.0, ("cells-0001",))
    monkeypatch.setattr(queue, "reconcile", lambda workspace: [])
    monkeypatch.setattr(queue, "waiting", lambda workspace: [turn])
    app = open_runs(root)
    assert "queued" in words(app)
    assert "Place 2 in the queue: starts in about 4 minutes, after **cells-0001**." in words(app)
    assert button(app, "Take it out of the queue")
    assert not [element for element in app.button if element.label == "Delete this run"]


def test_an_early_end_is_explained(root: Path, project: Project) -> None:
    run = make_run(project, "cells-0001", epochs=3, result={"state": "done", "seconds": 1.0, "stopped_early": True})
    run.write_json(CONFIG, {**(run.read_json(CONFIG) or {}), "patience": 2})
    assert "has not risen for 2 epochs" in open_runs(root).info[0].value


def test_what_learns_just_now_is_told_where_it_changes(root: Path, project: Project) -> None:
    run = make_run(project, "cells-0001", epochs=1, alive=True)
    run.write_json(CONFIG, {**(run.read_json(CONFIG) or {}), "layers": "heads,all"})
    assert "now learns" not in words(open_runs(root))  # the rows of an older studio do not say
    run.append_metrics({**(run.metrics()[-1]), "layers": "heads"})
    assert "now learns: **heads**" in words(open_runs(root))


def test_runs_are_drawn_together_as_the_address_says(root: Path, project: Project) -> None:
    ended = {"state": "done", "seconds": 1.0}
    for name, epochs in (("cells-0001", 2), ("cells-0002", 3), ("cells-0003", 1)):
        run = make_run(project, name, epochs=epochs, result=ended)
        run.write_json(CONFIG, {**(run.read_json(CONFIG) or {}), "seed": epochs})
    app = open_runs(root, "cells-0001", **{"with": "cells-0003,gone,cells-0001"})
    assert app.multiselect(key="runs-with").value == ["cells-0003"]
    table = app.main.dataframe[0].value
    assert list(table["run"]) == ["cells-0001", "cells-0003"]
    assert list(table["seed"]) == ["2", "1"]
    assert list(table["best AP"]) == [0.2, 0.1]
    assert charts(app) == 7
    app = app.multiselect(key="runs-with").set_value(["cells-0003", "cells-0002"]).run()
    assert app.query_params["with"] in ("cells-0003,cells-0002", ["cells-0003,cells-0002"])
    assert len(app.main.dataframe[0].value) == 3
    app = app.multiselect(key="runs-with").set_value([]).run()
    assert "with" not in app.query_params
    assert not app.exception


def test_curves_can_be_seen_over_minutes_smoothed_and_on_a_log_scale(root: Path, project: Project) -> None:
    make_run(project, "cells-0001", epochs=2, steps=3, alive=True)
    app = open_runs(root)
    app.slider(key="runs-smoothing").set_value(0.0)
    app.toggle(key="runs-log").set_value(True)
    app.segmented_control(key="runs-axis").set_value("minutes")
    app = app.run()
    assert not app.exception
    assert charts(app) == 7
    assert '"minutes"' in app.main.get("vega_lite_chart")[0].proto.spec
    assert '"log"' in app.main.get("vega_lite_chart")[0].proto.spec


def test_a_run_that_is_deleted_in_another_tab_gives_way_to_the_next(
    root: Path, project: Project, workspace: Path
) -> None:
    runs = [
        make_run(project, name, epochs=1, result={"state": "done", "seconds": 1.0})
        for name in ("cells-0001", "cells-0002")
    ]
    app = open_runs(root, "cells-0001")
    LocalBackend(workspace).delete(runs[0])
    app = app.run()
    assert not app.exception
    assert app.selectbox(key="runs-chosen").value == "cells-0002"
    assert "cells-0001" in app.toast[0].value


def with_pictures(run: RunFolder, epochs: int) -> None:
    """Two validation pictures with a square each, which every epoch finds in the first one."""
    folder = run.path / "pictures"
    folder.mkdir()
    images, annotations = [], []
    square = {"category_id": 1, "bbox": [10.0, 10.0, 20.0, 20.0], "area": 400.0, "iscrowd": 0}
    for number, name in ((1, "a.png"), (2, "b.png")):
        Image.new("RGB", (80, 60)).save(folder / name)
        images.append({"id": number, "file_name": name, "width": 80, "height": 60, "path": str(folder / name)})
        corners = [10.0, 10.0, 30.0, 10.0, 30.0, 30.0, 10.0, 30.0]
        annotations.append({**square, "id": number, "image_id": number, "segmentation": [corners]})
    document = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "square"}]}
    run.write_json(DATASET, {"train": document, "val": document})
    for epoch in range(1, epochs + 1):
        run.write_detections(epoch, [{"image_id": 1, "category_id": 1, "bbox": square["bbox"], "score": 0.9}])


def test_a_slider_shows_what_each_epoch_found(root: Path, project: Project) -> None:
    run = make_run(project, "cells-0001", epochs=3, result={"state": "done", "seconds": 1.0}, tasks=("box",))
    with_pictures(run, 3)
    app = open_runs(root)
    assert app.select_slider(key="runs-epoch-cells-0001").value == 3
    assert len(app.main.get("image")) == 2
    assert ":green[**1** found]" in words(app)
    app = app.button(key="runs-before").click().run()
    assert app.select_slider(key="runs-epoch-cells-0001").value == 2
    links = [element.proto for element in app.main.get("page_link") if element.proto.label == "a.png"]
    assert "epoch=2" in links[0].query_string
    assert "image=a.png" in links[0].query_string
    app = app.slider(key="runs-score").set_value(0.95).run()
    assert ":green[**0** found]" in words(app)
    (run.path / "pictures" / "b.png").unlink()
    app = app.toggle(key="runs-truth").set_value(True).run()
    assert not app.exception
    assert ["b.png" in element.value for element in app.error] == [True]
    assert len(app.main.get("image")) == 1


def test_the_slider_follows_the_newest_epoch_until_it_is_moved(root: Path, project: Project) -> None:
    run = make_run(project, "cells-0001", epochs=3, alive=True, tasks=("box",))
    with_pictures(run, 1)
    slider = "runs-epoch-cells-0001"
    app = open_runs(root)
    assert not app.select_slider  # one epoch is no choice
    run.write_detections(2, [])
    assert app.run().select_slider(key=slider).value == 2
    app = app.select_slider(key=slider).set_value(1).run()
    run.write_detections(3, [])
    assert app.run().select_slider(key=slider).value == 1


def test_the_side_bar_shows_the_running_training_of_any_project(root: Path, workspace: Path, project: Project) -> None:
    make_run(Project.create(workspace / "leaves"), "leaves-0003", epochs=1, steps=2, alive=True)
    app = open_runs(root)
    [link] = [element.proto for element in app.sidebar.get("page_link") if "leaves-0003" in element.proto.label]
    assert "running" in link.label
    [progress] = app.sidebar.get("progress")
    assert progress.proto.text.startswith("epoch 2/4")
    assert "project=leaves" in link.query_string
    assert "run=leaves-0003" in link.query_string


def test_nothing_in_the_side_bar_when_nothing_runs(root: Path, project: Project) -> None:
    make_run(project, "cells-0001", epochs=1, result={"state": "done", "seconds": 1.0})
    assert not open_runs(root).sidebar.get("progress")
