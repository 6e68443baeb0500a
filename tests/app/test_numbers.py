"""The audit of numbers: what Runs, Predictions, Launch and the gallery show, worked out from the raw files another way.

Each test has a table: what the page says under a label, beside what plain arithmetic on the files gives. Nothing of
`maskrcnn` helps to work out what is expected.
"""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from streamlit.testing.v1 import AppTest

from maskrcnn.annotations.regions import Rect, Region
from maskrcnn.annotations.store import Project
from maskrcnn.config import Config
from maskrcnn.jobs import known_costs
from maskrcnn.runs.cost_estimate import Costs
from maskrcnn.runs.folder import RunFolder
from maskrcnn.studio.launch import duration_estimate
from maskrcnn.studio.runs import curve_data, curve_words, run_downloads, run_tables
from tests.app.sent_pictures import counts, loaded, sent
from tests.sweeps import sweep

RUNS, PREDICTIONS, LAUNCH, DATASET = (
    "pages/train/runs.py",
    "pages/inspect/predictions.py",
    "pages/train/launch.py",
    "pages/label/dataset.py",
)
Rows = list[dict[str, Any]]


def png(seed: int) -> bytes:
    cells = np.random.default_rng(seed).integers(0, 255, (7, 10, 3), dtype=np.uint8)
    return cv2.imencode(".png", cv2.resize(cells, (100, 70), interpolation=cv2.INTER_NEAREST))[1].tobytes()


@pytest.fixture
def project(workspace: Path) -> Project:
    made = Project.create(workspace / "cells")
    made.add_pictures([(f"{name}.png", png(number)) for number, name in enumerate("abcde")], "train")
    made.add_pictures([(f"{name}.png", png(9 + number)) for number, name in enumerate("vwx")], "val")
    return made


def labels(names: str, first: int = 1) -> dict[str, Any]:
    """A COCO document: picture number n has n % 3 squares of 20 x 20 px, in a row."""
    images, annotations = [], []
    for number, name in enumerate(names, first):
        place = f"../../images/{name}.png"
        images.append({"id": number, "file_name": f"{name}.png", "width": 100, "height": 70, "path": place})
        annotations += [square(number, 5 + 30 * place, len(annotations) + place + 1) for place in range(number % 3)]
    return {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "cell"}]}


def square(image: int, x: float, number: int) -> dict[str, Any]:
    outline = [[x, 10, x + 20, 10, x + 20, 30, x, 30]]
    about = {"id": number, "image_id": image, "category_id": 1, "iscrowd": 0, "area": 400}
    return about | {"bbox": [x, 10, 20, 20], "segmentation": outline}


def detections(truth: dict[str, Any], every: int) -> list[dict[str, Any]]:
    """Each `every`-th object is found, and one thing more on each picture."""
    found = [{**entry, "score": 0.9 - 0.01 * place} for place, entry in enumerate(truth["annotations"][::every])]
    found += [square(image["id"], 75, 0) | {"score": 0.6} for image in truth["images"]]
    return [{name: value for name, value in entry.items() if name not in ("id", "iscrowd", "area")} for entry in found]


def make_run(
    project: Project,
    name: str,
    aps: Iterable[dict[str, float | None]],
    steps: int,
    seconds: float,
    validated: bool = True,
    keep_every: int = 1,
    **fields: Any,
) -> RunFolder:
    """A run that has ended: an epoch of `steps` steps, `seconds` each, and 3.3 s of validation for each of `aps`. Of
    its steps each `keep_every`-th is kept."""
    aps = list(aps)
    run = RunFolder(project.runs_folder / name)
    run.path.mkdir(parents=True)
    config = Config.preset("classroom", class_names=("cell",), **({"epochs": len(aps), "batch_size": 2} | fields))
    run.write_json("config.json", config.model_dump(mode="json"))
    run.write_json("dataset.json", {"train": labels("abcde"), "val": labels("vwx", 11) if validated else None})
    elapsed = 0.0
    for epoch, ap in enumerate(aps, 1):
        for step in range((epoch - 1) * steps + 1, epoch * steps + 1):
            elapsed += seconds
            row = {"epoch": epoch, "step": step, "progress": step / steps / len(aps), "elapsed": elapsed, "eta": 0.0}
            row |= {loss: 1 / step for loss in ("loss", *config.losses)} | {"memory_mb": 1500.0}
            if step % keep_every == 0:
                run.append_metrics({"event": "step", **row})
        elapsed += 3.3
        run.append_metrics({"event": "epoch", **row, "elapsed": elapsed, **ap})
        run.write_detections(epoch, detections(labels("vwx", 11) if validated else labels("abcd"), 1 + epoch % 2))
    run.write_json("result.json", {"state": "done", "seconds": elapsed, "best_epoch": 1, "epochs": len(aps)})
    return run


def open_page(root: Path, page: str, **query: str) -> AppTest:
    app = AppTest.from_file(str(root / "app.py"), default_timeout=60)
    for name, value in {"project": "cells", **query}.items():
        app.query_params[name] = value
    for key in (run_tables.EPOCHS, run_tables.RUNS):  # what is folded at first
        app.session_state[key] = True
    app = app.switch_page(page).run()
    assert not app.exception, app.exception
    return app


def select(app: AppTest, label: str) -> Any:
    return next(element for element in app.selectbox if element.label == label)


def words(app: AppTest) -> str:
    return " ".join(element.value for element in app.main.markdown)


def raw_rows(run: RunFolder, event: str) -> Rows:
    rows = [json.loads(line) for line in (run.path / "metrics.jsonl").read_text().splitlines()]
    return [row for row in rows if row["event"] == event]


def as_clock(seconds: float) -> str:
    """By counting."""
    whole = 0
    while whole + 0.5 <= seconds:
        whole += 1
    minutes = 0
    while whole >= 60:
        whole, minutes = whole - 60, minutes + 1
    return f"{minutes}:{whole // 10}{whole % 10}" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02}:{whole:02}"


def segm(*values: float | None) -> Rows:
    return [{"segm_ap": value, "bbox_ap": 0.9 - 0.1 * place} for place, value in enumerate(values)]


# Runs


def test_runs(root: Path, project: Project) -> None:
    """5 training pictures by twos: a pass is 2.5 steps."""
    tie = make_run(project, "tie", segm(0.2, 0.602, 0.476, 0.602), steps=3, seconds=17.5)
    minutes = make_run(project, "minutes", [{}, {}], 17, 1.83, False, epochs=None, minutes=1.2)
    (tie.path / "best.safetensors").write_bytes(bytes(25_600_000))
    minutes.write_json("process.json", {"argv": ["-m", "maskrcnn", "train", "--resume", "--out", "minutes"]})
    (minutes.path / "log.txt").write_text("minutes: 5 pictures to learn from\nkept all of toy\nepoch   1  step 17\n")
    tie.write_json("start.json", {"preset": None, "init": "none", "backbone_weights": "imagenet"})
    app = open_page(root, RUNS, run="tie", **{"with": "minutes"})
    compared, epochs, overview = (element.value for element in app.main.dataframe)

    # The line over the bar: result.json
    seconds = json.loads((tie.path / "result.json").read_text())["seconds"]
    assert app.main.get("progress")[0].proto.text == f"epoch 4/4  ·  took {as_clock(seconds)}"

    # Epochs: metrics.jsonl
    rows = raw_rows(tie, "epoch")
    expected = {
        "epoch": [row["epoch"] for row in rows],
        "step": [3, 6, 9, 12],
        "passes": [3 / 2.5, 6 / 2.5, 9 / 2.5, 12 / 2.5],
        "seconds_since_start": [row["elapsed"] for row in rows],
        "seconds_of_epoch": [3 * 17.5 + 3.3] * 4,
        "segm_ap": [row["segm_ap"] for row in rows],
        "loss": [row["loss"] for row in rows],
    }
    for column, values in expected.items():
        assert list(epochs[column]) == pytest.approx(values), column

    # The runs beside each other
    shown = {line["run"]: line for line in compared.to_dict("records")}
    for run, best, steps, start in ((tie, (0.602, "mask AP", 2), 12, "ImageNet backbone"), (minutes, None, 34, "toy")):
        line, last = shown[run.name], raw_rows(run, "epoch")[-1]
        assert (line["steps"], line["passes"]) == (steps, pytest.approx(steps * 2 / 5))
        assert line["time"] == as_clock(last["elapsed"])
        assert line["start"] == start
        if best:
            assert (line["best AP"], line["AP of"], line["best epoch"]) == best
        else:
            assert (pd.isna(line["best AP"]), pd.isna(line["AP of"]), line["best epoch"]) == (True, True, 2)
    assert app.segmented_control(key="runs-axis-compared").value == "passes"
    assert app.segmented_control(key="runs-axis-compared").options == ["passes", "steps", "minutes"]
    listed = {line["run"]: line for line in overview.to_dict("records")}
    assert {name: (line["epoch"], line["time"]) for name, line in listed.items()} == {
        "tie": (4, as_clock(4 * (3 * 17.5 + 3.3))),
        "minutes": (2, as_clock(2 * (17 * 1.83 + 3.3))),
    }
    assert (listed["tie"]["best AP"], listed["tie"]["best epoch"]) == (0.602, 2)

    # What can be taken home
    offered = {item.label: item for item in run_downloads.downloads(tie)}
    assert run_downloads.size_words(offered["Best weights"].size) == " · 26 MB"
    assert offered["Best weights"].help == "Epoch 2, with the highest mask AP on the validation pictures: 0.602."
    assert offered["Steps (CSV)"].help.startswith("Every number of 12 steps.")


@pytest.mark.parametrize(
    ("epochs", "steps", "keep_every", "said", "csv"),
    [
        (2, 3, 1, "Faint: all 6 steps", "Every number of 6 steps."),
        (1, 1, 1, "Faint: all 1 step", "Every number of 1 step."),
        (2, 320, 1, "Faint: 321 of 640 steps", "Every number of 640 steps."),  # every second, and the last one
        (2, 500, 1, "Faint: 251 of 1,000 steps", "Every number of 1,000 steps."),  # every fourth, and the last one
        (4, 75, 3, "Faint: all 100 steps that were kept of 300", "Every number of 100 steps that were kept of 300."),
        (1, 3, 2, "Faint: the 1 step that was kept of 3", "Every number of 1 step that was kept of 3."),
        (2, 1, 3, "Faint: none, as no step was kept of 2", "Every number of 0 steps that were kept of 2."),
        (3, 1000, 4, "Faint: 189 of the 750 steps that were kept of 3,000", "that were kept of 3,000."),
    ],
)
def test_how_many_steps_are_drawn(
    project: Project, epochs: int, steps: int, keep_every: int, said: str, csv: str
) -> None:
    from maskrcnn.runs import metric_rows

    run = make_run(project, "a", segm(*[0.1] * epochs), steps, 0.5, keep_every=keep_every)
    rows = metric_rows.read(run)
    assert len(rows) == len(raw_rows(run, "step"))
    assert f"Faint: {curve_words.drawn_steps_words(rows, len(curve_data.drawn_steps(len(rows))))}" == said
    (steps_csv,) = [item for item in run_downloads.downloads(run) if item.label == "Steps (CSV)"]
    assert csv in (steps_csv.help or "")
    assert len(steps_csv.data().splitlines()) == 1 + len(raw_rows(run, "step"))  # type: ignore[union-attr]


# Predictions

BEST: dict[str, tuple[Rows, bool, int, str]] = {
    # run -> its epochs, whether it was validated, its best epoch, and how that is called
    "tied": (segm(0.1, 0.602, 0.602), True, 2, "2 (best mask AP)"),
    "falling": (segm(0.5, 0.4, 0.3, 0.2), True, 1, "1 (best mask AP)"),
    "rising": (segm(0.1, 0.2, 0.3, 0.4, 0.5), True, 5, "5 (best mask AP)"),
    "boxes": ([{"bbox_ap": 0.3}, {"bbox_ap": 0.7}, {"bbox_ap": 0.6}], True, 2, "2 (best box AP)"),
    "poses": (
        [{"keypoints_ap": 0.2, "bbox_ap": 0.1}, {"keypoints_ap": 0.1, "bbox_ap": 0.9}],
        True,
        1,
        "1 (best keypoint AP)",
    ),
    "partly": (segm(None, 0.0, None), True, 2, "2 (best mask AP)"),
    "unmeasured": ([{"segm_ap": None, "bbox_ap": None}] * 3, True, 3, "3"),
    "unvalidated": ([{}, {}, {}, {}], False, 4, "4"),
}


@sweep
def test_each_run_opens_at_its_own_best_epoch(root: Path, project: Project) -> None:
    for name, (aps, validated, _, _) in BEST.items():
        make_run(project, name, aps, 1, 1.0, validated)
    app = open_page(root, PREDICTIONS, run="rising", epoch="3", image="w.png")
    assert (select(app, "Epoch").value, select(app, "Picture").value) == (3, "w.png")  # a link means what it says
    for name, (_, validated, best, said) in BEST.items():
        select(app, "Run").set_value(name).run()
        assert not app.exception
        box = select(app, "Epoch")
        assert (box.value, box.options[box.index]) == (best, said), name
        # The picture stays where the run has it.
        assert select(app, "Picture").value == ("w.png" if validated else "a.png")
        assert ("without validation pictures" in " ".join(info.value for info in app.info)) is not validated
    select(app, "Run").set_value("tied").run()
    select(app, "Epoch").set_value(1).run()
    app.query_params["run"] = "unvalidated"
    app.switch_page(RUNS).run()
    assert "**The same pictures after each epoch**, of those that it learned from" in words(app)
    for name in ("epoch", "run"):
        if name in app.query_params:
            del app.query_params[name]
    app.query_params["run"] = "falling"  # another run by a link, without an epoch
    app.switch_page(PREDICTIONS).run()
    assert (select(app, "Run").value, select(app, "Epoch").value) == ("falling", 1)


def test_predictions(root: Path, project: Project) -> None:
    run = make_run(project, "a", segm(0.5, 0.1), 1, 1.0)
    app = open_page(root, PREDICTIONS, run="a", image="x.png")
    raw = json.loads((run.path / "dataset.json").read_text())["val"]
    found = json.loads((run.path / "detections/epoch_0001.json").read_text())
    (picture,) = [image["id"] for image in raw["images"] if image["file_name"] == "x.png"]
    coco = COCO()
    with contextlib.redirect_stdout(io.StringIO()):
        coco.dataset = raw
        coco.createIndex()
        judge = COCOeval(coco, coco.loadRes(json.loads(json.dumps(found))), "segm")
        judge.params.imgIds = [picture]
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    shown = {element.label: element.value for element in app.metric}
    assert shown["AP of this picture"] == f"{judge.stats[0]:.3f}"
    objects = [entry for entry in raw["annotations"] if entry["image_id"] == picture]
    seen = [entry for entry in found if entry["image_id"] == picture and entry["score"] >= 0.5]
    right = [entry for entry in seen if any(entry["bbox"] == other["bbox"] for other in objects)]
    drawn = loaded(app)
    assert sent(app)["score"] == 0.5
    assert len(drawn["objects"]) == len(objects)
    assert [entry["score"] for entry in drawn["detections"] if entry["score"] >= 0.5] == sorted(
        (entry["score"] for entry in seen), reverse=True
    )
    assert counts(app) == [len(right), len(seen) - len(right), len(objects) - len(right)]
    missed, wrong = len(objects) - len(right), len(seen) - len(right)
    assert shown["F1"] == f"{2 * len(right) / (2 * len(right) + missed + wrong):.3f}"


# Launch


def test_launch(root: Path, workspace: Path, project: Project) -> None:
    for image in project.images():
        project.save(image.id, [Region(Rect(5, 5, 40, 40), "cell")], image.revision)
    app = open_page(root, LAUNCH)
    config = Config.preset("classroom", norm="batch", class_names=("cell",))
    costs = {"step": 2.0, "validation": 0.5, "epoch": 1.0, "start": 9.0, "read": 0.2}
    known = Costs({"all": costs["step"]}, costs["read"], costs["validation"], costs["epoch"], costs["start"], 1900.0)
    known_costs.save_measured_costs(
        known, known_costs.timing_key(config, project.folder, "cpu"), workspace / duration_estimate.STORE, 0.0, False
    )
    app.run()
    # 5 pictures by fours are 2 steps; 3 are validated on after each of 20 epochs.
    seconds = 20 * (2 * costs["step"] + 3 * costs["validation"] + costs["epoch"]) + 5 * costs["read"]
    said = words(app)
    assert f"#### about {round(seconds / 60)} minutes" in said
    # 8 pictures seen of 5; 1900 x 2**20 bytes
    assert (
        "2.0 s a step, 2 steps an epoch (1.6 times through the pictures), 20 epochs, 1.5 s of validation each" in said
    )
    assert "9.0 s to start, 2.0 GB of memory" in said
    control = next(element for element in app.segmented_control if element.label == "Length")
    assert "once through the training pictures" in control.help
    control.set_value("minutes").run()
    next(element for element in app.number_input if element.label == "Minutes").set_value(10).run()
    # A twentieth of 600 s is 30 s or 15 steps, nearest to 8 (7.5) times 2.
    assert "about 16 steps an epoch" in words(app)
    assert "#### about 10 minutes" in words(app)


# Gallery


@pytest.mark.parametrize(
    "chosen",
    [
        {},
        {"split": "train"},
        {"split": "val"},
        {"class": "class cell"},
        {"class": "class leaf", "split": "val"},
        {"status": "done"},
        {"status": "in progress", "split": "train", "class": "class cell"},
        {"status": "new", "split": "val"},
    ],
    ids=lambda chosen: "-".join(chosen.values()) or "all",
)
def test_filters_of_the_gallery(root: Path, project: Project, chosen: dict[str, str]) -> None:
    """Two cells on a picture are one picture with cells, in this split and of this status."""
    images = project.images()
    drawn = {"a.png": ["cell", "cell"], "b.png": ["leaf"], "v.png": ["cell", "leaf"], "w.png": ["leaf", "leaf", "leaf"]}
    for image in images:
        if image.file_name in drawn:
            regions = [Region(Rect(5 + 9 * x, 5, 9, 9), name) for x, name in enumerate(drawn[image.file_name])]
            project.save(image.id, regions, image.revision)
        if image.file_name in ("b.png", "v.png", "e.png"):
            project.set_done(image.id, True)
    split = {f"{name}.png": "train" if name in "abcde" else "val" for name in "abcdevwx"}
    status = {name: "in progress" if name in drawn else "new" for name in split}
    status |= dict.fromkeys(("b.png", "v.png", "e.png"), "done")

    def count(**wanted: str) -> int:
        return sum(
            all(
                value == "all" or value in (split[name], status[name], *(f"class {one}" for one in drawn.get(name, ())))
                for value in wanted.values()
            )
            for name in split
        )

    app = open_page(root, DATASET, **chosen)
    wanted = {"status": "all", "split": "all", "class": "all"} | chosen
    for value, said in zip(
        ("all", "new", "in progress", "done"), app.segmented_control(key="dataset_status").options, strict=True
    ):
        assert f"({count(**{**wanted, 'status': value})})" in said, said
    _, train, val = app.selectbox(key="dataset_split").options
    assert train == f"training ({count(**{**wanted, 'split': 'train'})})"
    assert val == f"validation ({count(**{**wanted, 'split': 'val'})})"
    for said in app.selectbox(key="dataset_class").options[1:]:
        name = said.split(" (")[0]
        assert said == f"{name} ({count(**{**wanted, 'class': f'class {name}'})})"
