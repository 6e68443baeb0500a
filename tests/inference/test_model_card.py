"""The model card of a run: its numbers are those of `evaluate` and of the labels, counted by hand."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from maskrcnn.errors import StudioError
from maskrcnn.evaluation import measure
from maskrcnn.inference import describe, evaluate_detections
from maskrcnn.inference.detections_evaluation import full_report
from maskrcnn.inference.model_card import ModelCard, model_card
from maskrcnn.inference.model_cards.training_facts import shortened_paths
from maskrcnn.install_folders import DATA
from maskrcnn.runs import shipped_models
from maskrcnn.runs.folder import BEST, DATASET, LOG, PROCESS, RESULT, START, RunFolder
from maskrcnn.runs.request import TrainingRequest
from tests.made_runs import Entry, begin_run, clouds, document, end_run, new_project, noise, rectangle

SHIPS = DATA / "weights"

TRAINING = document(
    ["x", "y"],
    [
        rectangle(1, 1, (0, 0, 20, 20)),  # 400 px: small
        rectangle(1, 1, (30, 0, 32, 32)),  # 1024 px: medium from here on
        rectangle(1, 2, (0, 0, 100, 96)),  # 9600 px: large
        rectangle(1, 1, (50, 40, 20, 20), iscrowd=1),
    ],
    ["cell", "dust"],
)
VALIDATION = document(
    ["a", "b", "c"],
    [rectangle(1, 1, (10, 10, 20, 20)), rectangle(1, 1, (60, 40, 20, 20)), rectangle(2, 2, (10, 10, 40, 40))],
    ["cell", "dust"],
)
FOUND = [
    rectangle(1, 1, (10, 10, 20, 20), score=0.9),  # one of the two cells
    rectangle(2, 2, (10, 10, 40, 40), score=0.8),  # the dust
    rectangle(2, 1, (70, 40, 20, 20), score=0.7),  # nothing is there
]


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """A finished run with two training and three validation pictures, and what its second epoch found."""
    project = new_project(tmp_path / "cells", ["a", "b", "c", "x", "y"], noise())
    run = begin_run(project, TRAINING, epochs=2)
    run.write_json(DATASET, {"train": TRAINING, "val": VALIDATION})
    return end_run(run, {1: [], 2: FOUND}, {1: 0.0, 2: 0.7})


def test_what_it_learned_from_is_counted(run: RunFolder) -> None:
    training, validation = model_card(run).learned.training, model_card(run).learned.validation
    assert training is not None
    assert validation is not None
    assert (training.pictures, training.negatives, training.objects, training.crowds) == (2, 1, 3, 1)
    assert (training.small, training.medium, training.large) == (1, 1, 1)
    assert [(row.name, row.objects, row.pictures) for row in training.classes] == [("cell", 2, 1), ("dust", 1, 1)]
    assert (training.smallest, training.median, training.largest) == ((100, 70),) * 3
    assert (validation.pictures, validation.negatives, validation.objects) == (3, 1, 3)
    assert [(row.name, row.objects, row.pictures) for row in validation.classes] == [("cell", 2, 1), ("dust", 1, 1)]


def test_figures_by_hand(run: RunFolder) -> None:
    """Cells: one of two is found first, then something wrong. Precision is 1 up to recall 1/2: 51 of 101 recalls."""
    card = model_card(run)
    measured = card.measured
    assert measured is not None
    assert (measured.epoch, measured.is_of_weights, measured.pictures, measured.objects) == (2, True, 3, 3)
    assert [kind.word for kind in measured.kinds] == ["mask", "box"]
    cells = 51 / 101
    for kind in measured.kinds:
        assert {figure.name: figure.value for figure in kind.figures} == pytest.approx(
            dict.fromkeys(("AP", "AP50", "AP75"), (cells + 1) / 2)
        )
    assert [(part.name, part.objects, part.pictures) for part in measured.classes] == [("cell", 2, 1), ("dust", 1, 1)]
    assert [part.ap for part in measured.classes] == pytest.approx([cells, 1])
    assert [(part.name, part.objects) for part in measured.sizes] == [("small", 2), ("medium", 1), ("large", 0)]
    assert [part.ap for part in measured.sizes] == [pytest.approx(cells), pytest.approx(1), None]
    assert {error.kind: error.count for error in measured.errors if error.count} == {"background": 1, "missed": 1}
    worst = [(row.name, row.objects, row.tp, row.fp, row.fn, round(row.f1, 3)) for row in measured.worst]
    assert worst == [("a.png", 2, 1, 0, 1, 0.667), ("b.png", 1, 1, 1, 0, 0.667)]  # nothing is wrong in c.png


@pytest.fixture
def ships(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the models that ship, which other tests are not to see."""
    monkeypatch.setattr(shipped_models, "FOLDER", SHIPS)
    return SHIPS


@pytest.mark.parametrize("name", sorted(path.parent.name for path in SHIPS.glob("*/card.json")))
def test_a_shipped_model_has_a_card_that_agrees_with_its_own(ships: Path, name: str) -> None:
    run, about = RunFolder(ships / name), shipped_models.card(name)
    assert about is not None
    card = model_card(run)
    assert card.shipped is not None
    written = {kind.kind: {figure.name: figure.value for figure in kind.figures} for kind in card.shipped.kinds}
    assert written == about["ap"]
    edges = {kind.kind: {one.name: list(one.interval or ()) for one in kind.figures} for kind in card.shipped.kinds}
    assert edges == about["intervals"]
    assert card.network.classes == tuple(about["classes"])
    assert card.network.bytes == about["bytes"]
    assert card.network.parameters == describe(name).parameters["total"]
    assert card.training.seconds == pytest.approx(about["seconds"], abs=1)
    assert (card.training.epochs, card.training.best_epoch) == (about["epochs"], about["best_epoch"])
    assert card.training.command == about["command"]
    text = card.markdown()
    for measure_name, values in about["ap"].items():
        low, high = about["intervals"][measure_name]["AP"]
        assert f"{values['AP']:.3f} [{low:.3f}, {high:.3f}]" in text
    assert about["limits"] in card.limits


def test_figures_are_those_of_evaluate(ships: Path, tmp_path: Path) -> None:
    """The saved detections of toy on the pictures that ship, measured as `evaluate FILE.json --data` does."""
    run = RunFolder(ships / "toy")
    labels = tmp_path / "labels.json"
    truth = run.shown()
    truth["images"] = [{key: value for key, value in image.items() if key != "path"} for image in truth["images"]]
    labels.write_text(json.dumps(truth))
    measured = model_card(run).measured
    assert measured is not None
    report = evaluate_detections(run.detections(measured.epoch), labels, resamples=2000)
    assert report.intervals is not None
    for kind in measured.kinds:
        edges, summary = report.intervals.edges(kind.kind), report.summary(kind.kind) or {}
        for figure in kind.figures:
            assert figure.value == summary[figure.name]
            assert figure.interval == pytest.approx(tuple(edges[figure.name] or ()))
    choice = report.suggested_score
    assert choice is not None
    assert (measured.score.score, measured.score.precision, measured.score.recall) == (
        choice.score,
        choice.precision,
        choice.recall,
    )
    costs = {kind: (cost.count, cost.ap_loss) for kind, cost in (report.error_costs or {}).items()}
    assert {error.kind: (error.count, error.ap_loss) for error in measured.errors} == costs
    assert [part.ap for part in measured.classes] == [(row.segm or {})["AP"] for row in report.per_class]
    assert [part.ap for part in measured.sizes] == [(report.segm or {})[name] for name in ("APs", "APm", "APl")]


def test_copies_of_training_pictures_are_named(run: RunFolder) -> None:
    """All pictures of the project have the same pixels; only those of the run are compared."""
    overlap = model_card(run).overlap
    assert overlap is not None
    assert overlap.compared == 3
    assert not overlap.why_not
    assert ("a.png", "x.png") in overlap.alike
    assert len(overlap.alike) == 6
    assert any("3 validation pictures look like training pictures" in line for line in model_card(run).limits)
    (run.path.parents[1] / "images" / "x.png").unlink()
    (run.path.parents[1] / "images" / "y.png").unlink()
    gone = model_card(run).overlap
    assert gone is not None
    assert (gone.alike, gone.compared, gone.why_not) == ((), 0, "2 pictures cannot be read here")


def test_different_pictures_are_no_copies(tmp_path: Path) -> None:
    project = new_project(tmp_path / "cells", ["a", "b", "c"], noise())
    project.add_pictures([("x.png", _png(clouds((100, 70)))), ("y.png", _png(clouds((100, 70)) // 2))], "train")
    run = begin_run(project, TRAINING)
    run.write_json(DATASET, {"train": TRAINING, "val": VALIDATION})
    overlap = model_card(end_run(run, {1: FOUND}, {1: 0.5})).overlap
    assert overlap is not None
    assert (overlap.alike, overlap.compared) == ((), 3)


def _png(pixels: Any) -> bytes:
    import cv2

    return bytes(cv2.imencode(".png", pixels)[1])


def test_without_validation_nothing_is_claimed(run: RunFolder) -> None:
    run.write_json(DATASET, {"train": TRAINING, "val": None})
    card = model_card(run)
    assert card.measured is None
    assert card.overlap is None
    assert "no validation pictures" in card.why_not_measured
    assert any("is not known" in line for line in card.limits)
    text = card.markdown()
    assert "There were no validation pictures." in text
    assert "## Where it fails" not in text
    assert "metrics:" not in text


def test_a_network_without_masks_is_measured_by_its_boxes(run: RunFolder) -> None:
    config = run.config().replace(tasks=("box",))
    run.write_json("config.json", config.model_dump(mode="json"))
    card = model_card(run)
    assert card.measured is not None
    assert [kind.word for kind in card.measured.kinds] == ["box"]
    assert card.network.sentence.startswith("Faster R-CNN")
    assert "finds boxes of 2 classes" in card.network.sentence
    assert "pipeline_tag: object-detection" in card.markdown()


def test_states_of_a_run(run: RunFolder) -> None:
    assert model_card(run).training.state == "done"
    run.write_failure("the disk is full")
    failed = model_card(run)
    assert (failed.training.state, failed.training.error) == ("failed", "the disk is full")
    assert any("training failed" in line for line in failed.limits)
    assert failed.measured is not None
    (run.path / RESULT).unlink()
    assert model_card(run).training.state == "not finished"
    for path in (run.path / "detections").iterdir():
        path.unlink()
    (run.path / "metrics.jsonl").unlink()
    begun = model_card(run)
    assert begun.measured is None
    assert begun.why_not_measured == "no epoch has finished yet."
    assert "Not measured" in begun.markdown()


def test_detections_of_another_epoch_than_the_weights_are_named(run: RunFolder) -> None:
    (run.path / "detections" / "epoch_0002.json").unlink()
    measured = model_card(run).measured
    assert measured is not None
    assert (measured.epoch, measured.is_of_weights) == (1, False)
    assert "of another epoch than the weights" in model_card(run).markdown()


def test_what_has_not_begun_or_is_damaged_gives_one_line(tmp_path: Path, run: RunFolder) -> None:
    with pytest.raises(StudioError, match="has not begun") as waiting:
        model_card(RunFolder.create(tmp_path / "waits"))
    assert "\n" not in str(waiting.value)
    (run.path / "detections" / "epoch_0002.json").write_text(
        '[{"image_id": 99, "category_id": 1, "score": 0.5, "bbox": [0, 0, 9, 9]}]'
    )
    damaged = model_card(run)
    assert damaged.measured is None
    assert "99" in damaged.why_not_measured
    (run.path / DATASET).write_text("{")
    with pytest.raises(StudioError) as error:
        model_card(run)
    assert "\n" not in str(error.value)


def test_damaged_weights_are_left_to_whoever_loads_them(run: RunFolder) -> None:
    (run.path / BEST).write_bytes(b"no weights")
    assert model_card(run).network.parameters is None


def test_the_command_comes_from_what_the_trainer_noted(run: RunFolder) -> None:
    argv = ["--data", "/home/ada/cells", "--epochs", "2", "--init", "toy"]
    run.write_json(START, {"preset": None, "init": "toy", "options": argv, "left_out": ["1 region is a line"]})
    card = model_card(run)
    assert card.training.command == "python -m maskrcnn train --data cells --epochs 2 --init toy --out runs/first"
    assert "/home/ada" not in card.markdown()
    assert "/home/ada" not in json.dumps(card.to_json())
    assert card.learned.start == "toy"
    assert card.learned.left_out == ("1 region is a line",)


def test_the_command_of_an_older_run_comes_from_its_process(run: RunFolder) -> None:
    argv = ["python", "-m", "maskrcnn", "train", "--out", "/w/runs/first", "--data", "cells", "--epochs=2"]
    run.write_json(PROCESS, {"pid": 1, "argv": argv, "started": 0.0})
    assert model_card(run).training.command == ("python -m maskrcnn train --data cells --epochs 2 --out runs/first")


def test_the_command_follows_from_the_config_if_nothing_else_says_it(run: RunFolder) -> None:
    training = model_card(run).training
    assert "follows from its configuration" in training.command_note
    words = shlex.split(training.command)[4:]
    request = TrainingRequest.from_argv(words[: words.index("--out")])
    ours, made = run.config().model_dump(), request.config().model_dump()
    of_labels = ("class_names", "num_classes")
    assert {name for name in ours if ours[name] != made[name]} <= set(of_labels)


def test_versions_of_the_start_and_of_a_resumed_run(run: RunFolder) -> None:
    run.write_json(START, {"versions": {"torch": "2.11", "python": "3.11"}})
    run.write_json(RESULT, {"state": "done", "versions": {"torch": "2.12", "python": "3.11"}})
    assert model_card(run).training.versions == {"torch": "2.11, then 2.12", "python": "3.11"}


def test_left_out_labels_of_an_older_run_are_in_its_log(run: RunFolder) -> None:
    lines = ["first: 2 pictures to learn from, 3 to validate on", "1 region is a line and is not learned: all", "hello"]
    lines += ["/home/ada/cells.json: 3 regions are left out"]  # a card does not say where the labels lay
    (run.path / LOG).write_text("\n".join(lines))
    assert model_card(run).learned.left_out == (lines[1],)


def test_paths_of_others_are_shortened() -> None:
    argv = ["--data", "C:\\Users\\ada\\cells", "--init", "/runs/first/best.safetensors", "--val", "cells/val"]
    assert shortened_paths(argv) == ["--data", "cells", "--init", "first/best.safetensors", "--val", "cells/val"]


def test_limits_name_the_numbers(run: RunFolder) -> None:
    """20 small cells on 5 pictures of which 2 are found: AP 0.1 with 20 objects is said in words."""
    names = [f"p{number}" for number in range(5)]
    objects: list[Entry] = [
        rectangle(picture, 1, (10 + 22 * place, 5, 15, 15)) for picture in range(1, 6) for place in range(4)
    ]
    found = [rectangle(picture, 1, (10, 5, 15, 15), score=0.9) for picture in (1, 2)]
    run.write_json(DATASET, {"train": TRAINING, "val": document(names, objects, ["cell", "dust"])})
    run.write_detections(2, found)
    card = model_card(run)
    ap = 11 / 101  # recall 2/20 is reached at the recalls 0, .01, ... .10
    [line] = [line for line in card.limits if line.startswith("AP of small objects")]
    assert line.startswith(f"AP of small objects (below 32 × 32 px) is {ap:.3f}")
    assert "20 objects on 5 pictures" in line
    assert "It has seen no" not in " ".join(card.limits)  # training has objects of each size
    assert 'The class "dust" is on no validation picture: nothing is known about it.' in card.limits


def test_the_document_is_json_and_keeps_names(run: RunFolder) -> None:
    card = model_card(run)
    document = json.loads(json.dumps(card.to_json(), allow_nan=False))
    assert document["format"] == "mask-rcnn-studio-card/1"
    assert document["network"]["classes"] == ["cell", "dust"]
    assert document["measured"]["kinds"][0]["figures"][0]["value"] == pytest.approx((51 / 101 + 1) / 2)


def test_progress_is_told_and_ends(run: RunFolder) -> None:
    seen: list[float] = []
    assert isinstance(model_card(run, lambda done, total: seen.append(done / total)), ModelCard)
    assert seen == sorted(seen)
    assert seen[-1] == 1


def test_the_figures_are_those_of_a_report_with_the_pictures_of_the_page(run: RunFolder) -> None:
    """Names are put into natural order, as on the Evaluation page."""
    shuffled = {**VALIDATION, "images": VALIDATION["images"][::-1]}
    run.write_json(DATASET, {"train": TRAINING, "val": shuffled})
    measured = model_card(run).measured
    report = full_report(measure(VALIDATION, FOUND, run.config().tasks), resamples=2000)
    assert measured is not None
    assert report.intervals is not None
    ap = measured.first.figures[0]
    assert (ap.value, list(ap.interval or ())) == (
        (report.segm or {})["AP"],
        report.intervals.edges("segm")["AP"] or [],
    )


def test_a_card_needs_no_torch() -> None:
    code = (
        "import sys; from maskrcnn.inference.model_card import model_card; from maskrcnn.runs.folder import RunFolder;"
        f"model_card(RunFolder({str(SHIPS / 'toy')!r})).markdown(); print('torch' in sys.modules)"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
