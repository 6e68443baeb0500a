"""The Evaluation page without a browser, on a run folder written by hand: every number is worked out here."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from maskrcnn.annotations.store import Project
from maskrcnn.runs.folder import RunFolder
from maskrcnn.studio.evaluation import epoch_routes, page_state
from maskrcnn.studio.evaluation.analyses import downloads, ranking_toy
from maskrcnn.studio.evaluation.interval_jobs import interval_job
from maskrcnn.studio.evaluation.measured_epoch import EpochFiles, measured_set
from maskrcnn.studio.inspect import match_sliders
from tests import made_runs
from tests.made_runs import rectangle

PAGE = "pages/inspect/evaluation.py"
NAMES = "abc"


def found(image_id: int, category: int, x: int, y: int, score: float) -> dict[str, Any]:
    return rectangle(image_id, category, (x, y, 20, 20), score=score)


# a.png: two cells, of which one is found, and one detection where nothing is: TP 1, FP 1, FN 1, so F1 = 2 / 4 = .5.
# b.png: a leaf, found: F1 = 1. At rank 1 and 2 of its class, below it, two wrong ones with lower scores: F1 = 2 / 4.
# c.png: nothing is labelled, and one cell is found: F1 = 0.
# Worst first: c (0), then b (.5, two wrong), then a (.5, two wrong too, but it comes first): c, a, b.
OBJECTS = [rectangle(1, 1, (10, 10, 20, 20)), rectangle(1, 1, (60, 10, 20, 20)), rectangle(2, 2, (10, 40, 20, 20))]
FOUND = [
    found(1, 1, 35, 40, 0.9),
    found(1, 1, 10, 10, 0.8),
    found(2, 2, 10, 40, 0.7),
    found(2, 2, 40, 10, 0.65),
    found(2, 2, 70, 10, 0.6),
    found(3, 1, 50, 30, 0.55),
    found(1, 1, 60, 10, 0.3),  # below the slider: with it, a.png has TP 2, FP 1, FN 0
]


def document() -> dict[str, Any]:
    return made_runs.document(NAMES, OBJECTS, ("cell", "leaf"))


@pytest.fixture
def project(workspace: Path) -> Project:
    return made_runs.new_project(workspace / "plants", NAMES, made_runs.grey())


def write_run(project: Project, truth: dict[str, Any], detections: list[dict[str, Any]]) -> RunFolder:
    return made_runs.end_run(made_runs.begin_run(project, truth), {1: detections})


@pytest.fixture
def run(project: Project) -> RunFolder:
    return write_run(project, document(), FOUND)


def open_page(root: Path, **query: str) -> AppTest:
    app = AppTest.from_file(str(root / "app.py"), default_timeout=60)
    for name, value in query.items():
        app.query_params[name] = value
    app = app.switch_page(PAGE).run()
    assert not app.exception
    return app


def sent(app: AppTest, component: str = "studio_picture_board") -> dict[str, Any]:
    protos = [element.proto for element in app.get("bidi_component")]
    return next(json.loads(one.json) for one in protos if one.component_name == component)


def says(app: AppTest) -> list[tuple[str, str]]:
    return [(clause["status"], clause["text"]) for clause in sent(app)["sentence"]]


def slide(app: AppTest, **values: float) -> AppTest:
    for name, value in values.items():
        app.session_state[match_sliders.state_key(name)] = value
    return app.run()


def metrics(app: AppTest) -> dict[str, str]:
    return {element.label: element.value for element in app.metric}


def loaded(app: AppTest, what: str) -> Any:
    answer = TestClient(Starlette(routes=epoch_routes.routes())).get(f"{sent(app)['base']}/{what}")
    assert answer.status_code == 200, answer.text
    return answer.json() if answer.headers["content-type"] == "application/json" else answer.content


def test_the_worst_picture_is_open_with_a_sentence_and_the_table_has_its_numbers(root: Path, run: RunFolder) -> None:
    app = open_page(root)
    data = sent(app)
    assert (data["picture"]["name"], data["order"]) == ("c.png", [2, 0, 1])
    assert says(app) == [("fp", "1 found where nothing is labelled")]
    assert data["columns"] == {
        "f1": [0.5, 0.5, 0.0],
        "tp": [1, 1, 0],
        "fp": [1, 2, 1],
        "fn": [1, 0, 0],
        "iou": [1.0, 1.0, None],
    }
    # AP of a picture counts all scores. a.png: wrong, right, right: precision 2/3 at every recall. b.png: 1.
    listed = loaded(app, "list")
    assert listed["files"] == ["a.png", "b.png", "c.png"]
    assert listed["ap"] == [pytest.approx(2 / 3, abs=1e-4), 1.0, None]
    assert (listed["objects"], listed["classes"]) == ([2, 1, 0], [[0], [1], [0]])
    assert listed["tables"][0] == {"crowd": [0, 0], "scores": [0.9, 0.8, 0.3], "overlaps": [[], [[0, 1.0]], [[1, 1.0]]]}
    # COCO: cells (wrong, right, wrong on c.png, right): envelope 1/2; leaves: 1. Mean 3/4.
    assert metrics(app)["mask AP"] == metrics(app)["mask AP50"] == "0.750"


def test_sliders_change_counts_and_the_open_picture_stays(root: Path, run: RunFolder) -> None:
    app = open_page(root, image="a.png")
    assert says(app) == [
        ("fn", "1 of 2 objects missed (cell)"),
        ("fp", "1 found where nothing is labelled"),
        ("tp", "1 found right"),
    ]
    before = metrics(app)
    slide(app, score=0.25)
    data = sent(app)
    assert data["picture"]["name"] == "a.png"
    assert [data["columns"][name][0] for name in ("tp", "fp", "fn", "f1")] == [2, 1, 0, 0.8]
    assert (data["objects"], data["detections"]) == (["tp", "tp"], ["fp", "tp", "tp"])
    slide(app, score=0.95)
    assert [sent(app)["columns"][name] for name in ("tp", "fp", "fn")] == [[0, 0, 0], [0, 0, 0], [2, 1, 0]]
    assert sent(app)["order"] == [0, 1, 2]  # two missed, one missed, and nothing wrong
    assert metrics(app)["mask AP"] == before["mask AP"]


def test_sliders_in_a_link_are_taken_over_and_other_pages_have_them_too(root: Path, run: RunFolder) -> None:
    app = open_page(root, image="a.png", score="0.25")
    assert [sent(app)["columns"][name][0] for name in ("tp", "fp", "fn")] == [2, 1, 0]
    assert app.session_state[match_sliders.state_key("score")] == 0.25  # as Predictions and Compare read it
    for wrong in ("nan", "2", "-0.1", "a", ""):
        app = open_page(root, image="a.png", score=wrong, iou=wrong)
        assert [sent(app)["columns"][name][0] for name in ("tp", "fp", "fn")] == [1, 1, 1]
        assert not app.exception


def test_shapes_thumbnails_and_crops_belong_to_the_picture(root: Path, run: RunFolder) -> None:
    app = open_page(root, image="b.png")
    shapes = loaded(app, "shapes/1")
    assert (shapes["first_object"], shapes["first_detection"]) == (2, 3)
    assert [entry["name"] for entry in shapes["objects"]] == ["leaf"]
    assert [entry["score"] for entry in shapes["detections"]] == [0.7, 0.65, 0.6]
    for what in ("thumb/1", "found/3", "truth/2"):
        assert loaded(app, what).startswith(b"\xff\xd8")
    client = TestClient(Starlette(routes=epoch_routes.routes()))
    for what in ("thumb/3", "found/99", "truth/3", "shapes/3"):
        assert client.get(f"{sent(app)['base']}/{what}").status_code == 404


def test_links_open_the_object_in_predictions_and_in_the_editor(root: Path, run: RunFolder) -> None:
    app = open_page(root, image="a.png")
    files = EpochFiles.of(run, 1)
    # The detections of a.png, best score first: positions 0, 1 and 6 of the file.
    app.session_state[f"{page_state.PAGE}_selected"] = (files, "found-2")
    app.run()
    links = [element.proto.page + "?" + element.proto.query_string for element in app.get("page_link")]
    assert any("predictions" in link and "object=first%3A1%3Afound%3A6" in link for link in links), links
    editor, review = sorted((link for link in links if "back=evaluation" in link), key=lambda link: "review" in link)
    assert "review=first%3A1" in review
    assert "image=a.png" in editor
    assert "object=first%3A1%3Afound%3A6" in editor


def test_galleries_have_the_surest_wrong_ones_and_the_missed_ones_in_words(root: Path, run: RunFolder) -> None:
    app = open_page(root, view="errors")
    protos = [element.proto for element in app.get("bidi_component") if "crop_grid" in element.proto.component_name]
    wrong, missed = (json.loads(one.json)["tiles"] for one in protos)
    assert [tile["title"] for tile in wrong] == ["cell 0.90", "leaf 0.65", "leaf 0.60", "cell 0.55"]
    assert {tile["says"] for tile in wrong} == {"nothing is labelled here"}
    assert [(tile["item"], tile["title"], tile["says"]) for tile in missed] == [
        ("truth-1", "cell", "nothing found here, 400 px²")
    ]
    base = sent(app)["base"]
    assert [missed[0]["picture"], wrong[-1]["picture"]] == [
        f"{base}/truth/1",
        f"{base}/{wrong[-1]['item'].replace('-', '/')}",
    ]


def test_each_analysis_draws_and_its_headings_count(root: Path, run: RunFolder) -> None:
    for view, words in (
        ("confusion", "nothing labelled → cell: 2 instances"),
        ("curves", "Precision and recall"),
        ("quality", "What each kind of error costs"),
        ("threshold", "For a wanted precision"),
        ("why", "One object, one right detection, and wrong ones"),
        ("downloads", ""),
    ):
        app = open_page(root, view=view)
        assert not app.error
        assert not words or words in [element.value for element in app.subheader], view


def test_the_table_of_classes_has_the_figures_of_each(root: Path, run: RunFolder) -> None:
    [frame] = [element.value for element in open_page(root, view="curves").main.dataframe]
    # Cells: two objects; of three detections from .5 on, one is right. Leaves: one object; one of three is right.
    assert frame[["class", "objects", "TP", "FP", "FN"]].to_numpy().tolist() == [
        ["cell", 2, 1, 2, 1],
        ["leaf", 1, 1, 2, 0],
    ]
    assert frame["AP"].tolist() == pytest.approx([0.5, 1.0])
    assert frame["precision"].tolist() == pytest.approx([1 / 3, 1 / 3])
    assert frame["recall"].tolist() == pytest.approx([1 / 2, 1.0])


def test_the_example_with_twenty_wrong_ones_has_ap_1_and_f1_009(root: Path, run: RunFolder) -> None:
    assert ranking_toy.figures(0, 20) == (pytest.approx(1), pytest.approx(2 / 22))
    assert ranking_toy.figures(1, 0) == (pytest.approx(0.5), pytest.approx(2 / 3))
    app = open_page(root, view="why")
    assert (metrics(app)["AP"], metrics(app)["F1"]) == ("1.000", "0.09")
    app.slider(key="evaluation_wrong_above").set_value(3).run()
    assert (metrics(app)["AP"], metrics(app)["F1"]) == ("0.250", "0.08")  # 2 / (2 + 23) = .08


def test_intervals_follow_and_the_report_is_that_of_the_command_line(root: Path, run: RunFolder) -> None:
    app = open_page(root)
    files = EpochFiles.of(run, 1)
    job = interval_job(files, measured_set(files))
    job.thread.join()
    app.run()
    deltas = {element.label: element.delta for element in app.metric}
    low, high = job.report.intervals.edges("segm")["AP"]
    assert deltas["mask AP"] == f"[{low:.3f}, {high:.3f}]"
    assert "Intervals of 3 pictures" in " ".join(element.value for element in app.main.markdown)
    report = json.loads(downloads.report_json(files, 0.5, 0.5))
    assert report["intervals"]["segm"]["AP"] == [low, high]
    assert [row["f1"] for row in report["per_image"]] == [0.5, 0.5, 0.0]
    rows = list(csv.DictReader(io.StringIO(downloads.table_csv(files, 0.5, 0.5).lstrip("\ufeff"))))
    assert [(row["picture"], row["FP + FN"], row["count error"]) for row in rows] == [
        ("a.png", "2", "0"),
        ("b.png", "2", "2"),
        ("c.png", "1", "1"),
    ]
    assert cv2.imdecode(np.frombuffer(downloads.picture_png(files, 0.5, 0.5, 0), np.uint8), 1).shape[1] == 2048


def test_nothing_found_nothing_labelled_one_picture_and_pictures_that_moved(root: Path, project: Project) -> None:
    empty = document() | {"annotations": []}
    one = document()
    one |= {
        "images": one["images"][:1],
        "annotations": [entry for entry in one["annotations"] if entry["image_id"] == 1],
    }
    strange = document()
    strange["categories"][0]["name"] = "**cell** [x](http://x.y)"
    for number, (truth, detections) in enumerate(
        (
            (document(), []),
            (empty, FOUND),
            (empty, []),
            (one, [entry for entry in FOUND if entry["image_id"] == 1]),
            (strange, FOUND),
        )
    ):
        run = RunFolder(project.runs_folder / "first")
        if number:
            run.write_json("dataset.json", {"train": truth, "val": truth})
            run.write_detections(1, detections)
        else:
            write_run(project, truth, detections)
        for view in ("errors", "confusion", "curves", "quality", "threshold"):
            app = open_page(root, view=view)
            assert not app.error, (number, view)
    (project.images_folder / "c.png").unlink()
    app = open_page(root, image="c.png")
    assert sent(app)["picture"] is None
    assert "c.png" in sent(app)["message"]


def test_damaged_detections_are_one_line(root: Path, run: RunFolder) -> None:
    run.write_detections(1, [found(9, 1, 10, 10, 0.5)])
    app = open_page(root)
    assert len(app.error) == 1


def test_a_run_without_validation_pictures_says_so(root: Path, project: Project) -> None:
    write_run(project, document(), FOUND).write_json("dataset.json", {"train": document(), "val": None})
    app = open_page(root)
    assert "without validation pictures" in app.info[0].value
    assert "learned from" in " ".join(element.value for element in app.main.markdown)
