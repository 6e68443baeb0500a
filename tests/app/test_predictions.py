"""The Predictions page without a browser, on a run folder written by hand."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from streamlit.testing.v1 import AppTest

from maskrcnn.annotations.store import Project, ProjectClass
from maskrcnn.config import Config
from maskrcnn.evaluation import evaluate
from maskrcnn.runs.folder import RunFolder
from maskrcnn.studio.components.class_colours import category_colours
from maskrcnn.studio.evaluation.measured_epoch import epoch_report
from maskrcnn.studio.inspect import match_sliders, measured_picture
from tests import made_runs
from tests.app.sent_pictures import choose_score, counts, loaded, sent
from tests.made_runs import rectangle
from tests.sweeps import sweep

PAGE = "pages/inspect/predictions.py"


def found(image_id: int, category: int, x: int, y: int, score: float) -> dict[str, Any]:
    return rectangle(image_id, category, (x, y, 20, 20), score=score)


OBJECTS = [rectangle(1, 1, (10, 10, 20, 20)), rectangle(1, 1, (60, 10, 20, 20)), rectangle(2, 2, (10, 40, 20, 20))]
"""Two cells on a.png, one leaf on b.png, nothing on c.png."""

# Epoch 1 finds nothing. Epoch 2 finds one cell of a.png behind a mistake, the leaf, and invents something on c.png:
# a.png has precisions 0, 1/2 and recall 1/2, so AP50 pooled is 1/4; b.png has 1; the mean is 5/8.
EPOCHS: dict[int, list[dict[str, Any]]] = {
    1: [],
    2: [
        found(1, 1, 35, 35, 0.9),
        found(1, 1, 10, 10, 0.8),
        found(2, 2, 10, 40, 0.7),
        found(3, 1, 50, 30, 0.6),
    ],
}


def document() -> dict[str, Any]:
    return made_runs.document("abc", OBJECTS, ("cell", "leaf"))


@pytest.fixture
def project(workspace: Path) -> Project:
    made = made_runs.new_project(workspace / "plants", "abc", made_runs.grey())
    made.set_classes([ProjectClass("leaf", "#123456"), ProjectClass("cell", "#abcdef")])
    return made


@pytest.fixture
def run(project: Project) -> RunFolder:
    mask_ap = {epoch: evaluate(document(), detections).segm["AP"] for epoch, detections in EPOCHS.items()}
    return made_runs.end_run(made_runs.begin_run(project, document()), EPOCHS, mask_ap)


def open_page(root: Path, **query: str) -> AppTest:
    app = AppTest.from_file(str(root / "app.py"), default_timeout=60)
    for name, value in query.items():
        app.query_params[name] = value
    app = app.switch_page(PAGE).run()
    assert not app.exception
    return app


def metrics(app: AppTest) -> dict[str, str]:
    return {element.label: element.value for element in app.metric}


def text(app: AppTest) -> str:
    return " ".join(element.value for element in app.main.markdown)


def select(app: AppTest, label: str) -> Any:
    return next(element for element in app.selectbox if element.label == label)


def test_it_opens_on_the_best_epoch_with_its_numbers(root: Path, run: RunFolder) -> None:
    app = open_page(root)
    assert select(app, "Epoch").value == 2
    # COCO: precision is 1/2 at 51 of 101 recalls. One of two found, one mistake: F1 is 2 / (2 + 1 + 1).
    assert metrics(app) == {"AP of this picture": f"{51 / 101 / 2:.3f}", "F1": "0.500"}
    assert counts(app) == [1, 1, 1]
    table = loaded(app)
    assert [entry["label"] for entry in table["objects"]] == ["cell", "cell"]
    assert [entry["label"] for entry in table["detections"]] == ["cell 0.90", "cell 0.80"]
    assert table["overlaps"] == [[], [[0, 1.0]]]
    assert table["others"] == [[], []]
    assert [entry["position"] for entry in table["detections"]] == [0, 1]


def test_the_pictures_are_sent_as_addresses_and_little_else(root: Path, run: RunFolder) -> None:
    app = open_page(root)
    data = sent(app)
    assert data["picture"].items() >= {"width": 100, "height": 70, "name": "a.png"}.items()
    assert data["truth_says"] == "a.png with its labelled objects"
    assert data["found_says"] == "a.png with what first found in it"
    assert (data["drawable"], data["measure"]) == (["masks", "boxes", "labels"], "mask")
    assert {name: (look["colour"], look["style"]) for name, look in data["looks"].items()} == {
        "tp": ("#00a86b", "solid"),
        "fp": ("#f4511e", "hatched"),
        "fn": ("#3b82f6", "dashed"),
        "ignored": ("#a0a0a0", "dashed"),
    }
    assert len(str(data)) < 2_000


def test_each_picture_has_its_own_numbers_in_whatever_order_the_run_lists_them(root: Path, run: RunFolder) -> None:
    """As a training on a COCO file does, or one by an older studio: the page has natural order all the same."""
    truth = document()
    truth["images"] = [truth["images"][place] for place in (2, 0, 1)]
    run.write_json("dataset.json", {"train": truth, "val": truth})
    app = open_page(root)
    assert (select(app, "Picture").value, counts(app)) == ("a.png", [1, 1, 1])
    select(app, "Picture").set_value("b.png").run()
    assert (counts(app), metrics(app)["F1"]) == ([1, 0, 0], "1.000")
    select(app, "Picture").set_value("c.png").run()
    assert (counts(app), metrics(app)["AP of this picture"]) == ([0, 1, 0], "–")


def test_the_address_opens_epoch_and_picture(root: Path, run: RunFolder) -> None:
    app = open_page(root, run="first", epoch="1", image="b.png")
    assert select(app, "Epoch").value == 1
    assert counts(app) == [0, 0, 1]
    assert metrics(app)["AP of this picture"] == "0.000"


def test_an_address_that_means_nothing_is_passed_over(root: Path, run: RunFolder) -> None:
    app = open_page(root, run="other", epoch="seven", image="z.png")
    assert select(app, "Picture").value == "a.png"
    assert select(app, "Epoch").value == 2


def test_next_and_previous_go_round(root: Path, run: RunFolder) -> None:
    app = open_page(root)
    app.button(key="predictions_previous").click().run()
    assert select(app, "Picture").value == "c.png"
    assert metrics(app)["AP of this picture"] == "–"
    app.button(key="predictions_next").click().run()
    assert select(app, "Picture").value == "a.png"


@sweep
def test_the_choice_stays_when_the_page_is_left(root: Path, run: RunFolder) -> None:
    app = open_page(root)
    select(app, "Picture").set_value("b.png").run()
    app.query_params.clear()
    app.switch_page("pages/learn/roi_align.py").run()
    app.query_params.clear()
    app.switch_page(PAGE).run()
    assert select(app, "Picture").value == "b.png"


def test_the_sliders_move_matches_and_f1_and_not_ap(root: Path, run: RunFolder) -> None:
    app = open_page(root)
    before = metrics(app)
    address = sent(app)["table"]
    choose_score(app, 0.85)
    assert counts(app) == [0, 1, 2]
    assert metrics(app) == before | {"F1": "0.000"}
    assert sent(app)["table"] == address  # nothing is loaded again
    choose_score(app, 0.5)
    app.session_state[match_sliders.state_key("iou")] = 0.95
    app.run()
    assert sent(app)["iou"] == 0.95
    assert metrics(app) == before  # the mask of the found cell is exactly right


def test_colours_by_class_are_those_of_the_project(root: Path, project: Project, run: RunFolder) -> None:
    assert category_colours(project, document()["categories"]) == {1: "#abcdef", 2: "#123456"}
    app = open_page(root)
    assert [entry["colour"] for entry in sent(app)["categories"]] == ["#abcdef", "#123456"]
    assert [entry["class"] for entry in loaded(app)["objects"]] == [0, 0]


def test_a_run_written_again_is_measured_again(root: Path, run: RunFolder) -> None:
    assert metrics(open_page(root, image="b.png"))["AP of this picture"] == "1.000"
    run.write_detections(2, [found(2, 1, 10, 40, 0.7)])
    assert metrics(open_page(root, image="b.png"))["AP of this picture"] == "0.000"


def test_all_pictures_are_a_link_away(root: Path, project: Project, run: RunFolder) -> None:
    links = [element.proto for element in open_page(root).main.get("page_link")]
    (link,) = [link for link in links if link.label == "All pictures: Evaluation"]
    assert parse_qs(link.query_string) == {"project": ["plants"], "run": ["first"], "epoch": ["2"], "image": ["a.png"]}


@pytest.mark.parametrize(
    ("asked", "selects"),
    [
        ("first:2:truth:2", "truth:2"),
        ("first:2:found:0", "found:0"),
        ("first:1:truth:2", ""),  # of another epoch
        ("other:2:truth:2", ""),
        ("first:2:found:x", ""),
        ("first:2:truth:", ""),
        ("first:2:", ""),
    ],
)
def test_a_link_selects_an_object_of_this_epoch_alone(root: Path, run: RunFolder, asked: str, selects: str) -> None:
    assert sent(open_page(root, epoch="2", object=asked))["focus"] == selects


def test_a_picture_of_elsewhere_is_not_offered_to_the_editor(root: Path, project: Project, run: RunFolder) -> None:
    assert sent(open_page(root))["editor"] == {"says": ""}
    kept = run.path / "a.png"
    kept.write_bytes((project.images_folder / "a.png").read_bytes())
    truth = document()
    truth["images"][0]["path"] = "a.png"
    run.write_json("dataset.json", {"train": truth, "val": truth})
    assert sent(open_page(root))["editor"] == {"says": "Not in the editor: this picture is not one of this project's."}


def test_without_a_run_it_offers_to_start_one(root: Path, project: Project) -> None:
    app = open_page(root)
    assert "no training yet" in app.info[0].value
    app.main.button[0].click().run()
    assert app.title[0].value != "Predictions"


def test_before_the_first_epoch_it_says_so(root: Path, run: RunFolder) -> None:
    for file in (run.path / "detections").iterdir():
        file.unlink()
    app = open_page(root)
    assert "has not finished an epoch" in app.info[0].value
    assert app.main.button[0].label == "See how the run is doing"


def test_a_run_without_validation_pictures_says_so(root: Path, run: RunFolder) -> None:
    run.write_json("dataset.json", {"train": document(), "val": None})
    assert "without validation pictures" in open_page(root).info[0].value


def test_a_picture_that_is_gone_is_one_red_box(root: Path, project: Project, run: RunFolder) -> None:
    (project.images_folder / "a.png").unlink()
    app = open_page(root)
    (error,) = app.error
    assert "a.png" in error.value


def test_a_run_that_is_deleted_while_the_page_reads_it_is_one_red_box(
    root: Path, run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its pictures are drawn already when the report is made."""

    def deleted(*choice: Any) -> Any:
        shutil.rmtree(run.path, ignore_errors=True)
        return epoch_report(*choice)

    monkeypatch.setattr(measured_picture, "epoch_report", deleted)
    (error,) = open_page(root).error
    assert error.value == "first: its labels were changed or deleted just now; load the page again"


def test_a_damaged_file_is_one_red_box(root: Path, run: RunFolder) -> None:
    (run.path / "detections" / "epoch_0002.json").write_text("[{", encoding="utf-8")
    (error,) = open_page(root).error
    assert "epoch_0002.json" in error.value


def test_a_network_of_boxes_and_keypoints_is_judged_by_both(root: Path, run: RunFolder) -> None:
    """Every box is right; of the two cells the less certain one has its keypoints far off: COCO's 51 of 101 recalls."""
    truth = document()
    for cell in truth["annotations"][:2]:
        x, y = cell["bbox"][:2]
        cell |= {"keypoints": [x + 5, y + 5, 2, x + 15, y + 15, 1], "num_keypoints": 2}
    run.write_json("dataset.json", {"train": truth, "val": truth})
    tasks = {"tasks": ("box", "keypoints"), "num_keypoints": 2, "keypoint_edges": ((0, 1),)}
    run.write_json("config.json", Config.preset("classroom", class_names=("cell", "leaf"), **tasks).model_dump())
    results = []
    for number, entry in enumerate(truth["annotations"]):
        pose = entry.get("keypoints", [1, 1, 2, 9, 9, 2])
        results.append(found(entry["image_id"], entry["category_id"], *entry["bbox"][:2], 0.9 - 0.1 * number))
        del results[-1]["segmentation"]
        results[-1]["keypoints"] = [place + 90 * (number == 1) for place in pose]
    run.write_detections(2, results)
    run.append_metrics({"event": "epoch", "epoch": 3, "bbox_ap": 1.0, "keypoints_ap": 51 / 101})

    app = open_page(root)
    assert metrics(app)["AP of this picture"] == "1.000"
    assert f"**{51 / 101:.3f}** keypoint AP" in text(app)
    assert "Judged by boxes" in text(app)
    assert counts(app) == [2, 0, 0]
    assert sent(app)["drawable"] == ["boxes", "keypoints", "labels"]
    assert sent(app)["measure"] == "box"
    assert sent(app)["limbs"] == [[0, 1]]
    assert loaded(app)["objects"][0]["points"] == [[15, 15, 2], [25, 25, 1]]
    assert "rle" not in loaded(app)["objects"][0]
