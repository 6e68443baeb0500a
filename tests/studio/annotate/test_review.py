"""Objects of a run in the pictures of a project: which region a label is now, and which suspicions are still asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from maskrcnn.annotations.regions import Polygon, Rect, Region
from maskrcnn.annotations.store import Project
from maskrcnn.config import Config
from maskrcnn.errors import StudioError
from maskrcnn.evaluation.label_errors import Candidate
from maskrcnn.runs.folder import RunFolder
from maskrcnn.studio.annotate import review_routes
from maskrcnn.studio.annotate.json_routes import project_key
from maskrcnn.studio.annotate.review import candidates
from maskrcnn.studio.annotate.review.linked_object import linked_object
from maskrcnn.studio.annotate.review.object_links import parsed_epoch, parsed_object

WIDTH, HEIGHT = 60, 40
BOX = (10, 10, 20, 10)
NAMES = {1: "cat", 2: "dog"}


def entry(image: int, category: int, box: tuple[int, int, int, int], **more: Any) -> dict[str, Any]:
    x, y, w, h = box
    outline = [[x, y, x + w, y, x + w, y + h, x, y + h]]
    return {"image_id": image, "category_id": category, "bbox": list(box), "segmentation": outline, **more}


def picture_file(path: Path, seed: int = 0) -> Path:
    pixels = np.random.default_rng(seed).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
    Image.fromarray(pixels).save(path)
    return path


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Two pictures with a cat each, and a run "a:b" that has learned from them and found three objects."""
    made = Project.create(tmp_path / "pets")
    made.add_pictures([picture_file(tmp_path / f"{name}.png", seed) for seed, name in enumerate("ab")], "val")
    for image in made.images():
        made.save(image.id, [Region(Rect(*BOX), "cat", id="cat")], image.revision)
    add_run(made, "a:b", [entry(5, 1, BOX, score=0.9), entry(5, 2, (20, 10, 20, 10), score=0.8)])
    return made


def add_run(project: Project, name: str, found: list[dict[str, Any]], more: int = 0) -> RunFolder:
    """A run of which the pictures are numbered 5 and 6; `more` right labels are found in other pictures."""
    sizes = {"width": WIDTH, "height": HEIGHT}
    images = [
        {"id": n, "file_name": f"{name}.png", "path": f"../../images/{name}.png", **sizes}
        for n, name in ((5, "a"), (6, "b"))
    ]
    labels = [entry(n, 1, BOX, id=n + 100, iscrowd=0, area=200) for n in (5, 6)]
    for n in range(10, 10 + more):
        images.append({"id": n, "file_name": f"other{n}.png", "path": f"../../images/other{n}.png", **sizes})
        for k, (category, box) in enumerate(((1, BOX), (2, (35, 20, 20, 10)))):
            labels.append(entry(n, category, box, id=10 * n + k, iscrowd=0, area=200))
            found = [*found, entry(n, category, box, score=0.9)]
    categories = [{"id": number, "name": name} for number, name in NAMES.items()]
    truth = {"images": images, "annotations": labels, "categories": categories}
    run = RunFolder.create(project.runs_folder / name)
    run.write_json("config.json", Config.preset("classroom", class_names=("cat", "dog")).model_dump(mode="json"))
    run.write_json("dataset.json", {"train": truth, "val": truth})
    run.write_detections(3, found)
    return run


def test_the_region_of_a_label_is_found_by_its_place(project: Project) -> None:
    link = parsed_object(project, "a:b:3:truth:105")
    assert (link.of.run.name, link.of.epoch, link.which, link.number) == ("a:b", 3, "truth", 105)
    found = linked_object(project, link)
    assert (found.picture.file_name, found.label and found.label.id) == ("a.png", "cat")

    def with_regions(*regions: Region) -> str | None:
        project.save(1, regions, project.regions(1)[1])
        label = linked_object(project, link).label
        return None if label is None else label.id

    # 20 x 10 px moved by 6 px: 140 px in common of 260, IoU 0.54; by 7 px: 130 of 270, IoU 0.48.
    assert with_regions(Region(Rect(16, 10, 20, 10), "cat", id="moved")) == "moved"
    assert with_regions(Region(Rect(17, 10, 20, 10), "cat", id="moved")) is None
    # Of two regions that lie there, that of the same class, though the other one fits better.
    same = Region(Rect(12, 10, 20, 10), "cat", id="same")
    assert with_regions(Region(Rect(*BOX), "dog", id="other"), same) == "same"
    assert with_regions() is None
    assert "is not there any more" in linked_object(project, link).words
    # A class that was renamed since the run is the same class.
    with_regions(Region(Rect(*BOX), "dog", id="other"), same)
    project.rename_class("cat", "tiger")
    found = linked_object(project, link)
    assert (found.class_name, found.label and found.label.id) == ("tiger", "same")


def test_a_detection_is_a_region_with_what_lies_below_it(project: Project) -> None:
    found = linked_object(project, parsed_object(project, "a:b:3:found:1"))
    assert found.words == "found by a:b, epoch 3, as dog, score 0.80"
    assert found.found is not None
    assert isinstance(found.found.shape, Polygon)
    assert set(found.found.shape.points) == {(20, 10), (40, 10), (40, 20), (20, 20)}
    assert (found.found.class_name, found.found.source, found.found.score) == ("dog", "model", 0.8)
    ((below, iou),) = found.below
    assert (below.id, iou) == ("cat", pytest.approx(100 / 300))
    project.save(1, [Region(Rect(9, 10, 20, 10), "cat")], project.regions(1)[1])  # 90 px of 310, below 0.3
    assert linked_object(project, parsed_object(project, "a:b:3:found:1")).below == ()


@pytest.mark.parametrize(
    ("link", "complaint"),
    [
        ("", '"" names no object of a run'),
        ("a:b:3:found", "names no object of a run"),
        ("a:b:3:found:x", "names no object of a run"),
        ("found:1", "names no object of a run"),
        ("a:b:4:found:0", "a:b has no saved detections of epoch 4"),
        ("b:3:found:0", '"b" is no run of this project'),
        ("../runs/a:b:3:found:0", "is no run of this project"),
        ("a:b:3:found:2", "has no detection 2 in epoch 3"),
        ("a:b:3:found:-1", "has no detection -1 in epoch 3"),
        ("a:b:3:truth:1", "a:b has no label 1"),
        ("x\n\x00" * 100 + ":3:truth:1", "is no run of this project"),
    ],
)
def test_a_link_that_leads_nowhere_is_one_line(project: Project, link: str, complaint: str) -> None:
    with pytest.raises(StudioError) as caught:
        linked_object(project, parsed_object(project, link))
    message = str(caught.value)
    assert complaint in message
    assert len(message.splitlines()) == 1
    assert len(message) < 250


def test_an_object_in_a_picture_of_another_place(project: Project, tmp_path: Path) -> None:
    run = add_run(project, "other", [entry(5, 1, BOX, score=0.9)])
    elsewhere = picture_file(tmp_path / "a.png")
    document = run.dataset()
    for split in ("train", "val"):
        document[split]["images"][0]["path"] = str(elsewhere)  # the same name, elsewhere
    run.write_json("dataset.json", document)
    with pytest.raises(StudioError, match=r"a\.png, in which other has this object, is no picture of this project"):
        linked_object(project, parsed_object(project, "other:3:found:0"))


def candidate(kind: str, picture: int, box: tuple[int, int, int, int] = BOX, **more: Any) -> Candidate:
    values: dict[str, Any] = {
        "kind": kind, "picture": picture, "annotation_id": None, "position": None, "score": 0.9, "suspicion": 0.5,
        "box": box, "class_name": "cat", "found_class": None, "why": "because",
    }  # fmt: skip
    return Candidate(**(values | more))


FAKE = [
    candidate("missing", 0, (20, 10, 20, 10), position=1, class_name="dog"),
    candidate("missing", 0, (21, 10, 20, 10), position=1, class_name="dog"),  # the same place
    candidate("spurious", 1, annotation_id=106),
    candidate("wrong_class", 0, annotation_id=105, position=0, found_class="dog"),
]


def asked(project: Project, run: str = "a:b") -> list[tuple[str, str, str | None]]:
    """Kind, picture and decision of the suspicions."""
    found = candidates.suspicions(project, parsed_epoch(project, f"{run}:3"), FAKE)
    answers = [None if each.decision is None else each.decision.decision for each in found]
    return [(each.kind, each.picture.file_name, answer) for each, answer in zip(found, answers, strict=True)]


def test_what_was_decided_is_not_asked_again_by_another_run(project: Project) -> None:
    expected: list[tuple[str, str, str | None]] = [
        ("missing", "a.png", None), ("spurious", "b.png", None), ("wrong_class", "a.png", None),
    ]  # fmt: skip
    assert asked(project) == expected
    decided = project.decide_label(2, "spurious", "cat", (12.0, 10.0, 20.0, 10.0), "keep")  # IoU 180 / 220
    expected[1] = ("spurious", "b.png", "keep")
    assert asked(project) == expected
    add_run(project, "second", [entry(5, 1, BOX, score=0.9), entry(5, 2, (20, 10, 20, 10), score=0.8)])
    assert asked(project, "second") == expected
    # Another kind, class, place or picture is another question.
    project.take_label_decision_back(decided)
    project.decide_label(2, "shifted", "cat", (10.0, 10.0, 20.0, 10.0), "keep")
    project.decide_label(2, "spurious", "dog", (10.0, 10.0, 20.0, 10.0), "keep")
    project.decide_label(2, "spurious", "cat", (18.0, 10.0, 20.0, 10.0), "keep")  # IoU 120 / 280
    project.decide_label(1, "spurious", "cat", (10.0, 10.0, 20.0, 10.0), "keep")
    expected[1] = ("spurious", "b.png", None)
    assert asked(project) == expected


def test_what_was_changed_since_the_run_is_not_asked(project: Project) -> None:
    cat, dog = Region(Rect(*BOX), "cat"), Region(Rect(21, 10, 20, 10), "dog")

    def kinds(*regions: Region) -> list[str]:
        project.save(1, regions, project.regions(1)[1])
        return [kind for kind, name, _ in asked(project) if name == "a.png"]

    assert kinds(cat) == ["missing", "wrong_class"]
    assert kinds(cat, dog) == ["wrong_class"]  # something is labelled where nothing was, IoU 190 / 210
    assert kinds(Region(Rect(*BOX), "dog")) == ["missing"]  # the label has another class
    assert kinds(Region(Rect(11, 10, 20, 10), "cat")) == ["missing"]  # it was moved by a pixel, IoU 190 / 210
    assert kinds() == ["missing"]
    # A class of another name today is no change.
    kinds(cat)
    project.rename_class("cat", "tiger")
    assert kinds(Region(Rect(*BOX), "tiger")) == ["missing", "wrong_class"]


def test_the_engine_is_asked_with_the_documents_of_the_run(project: Project) -> None:
    """The label of b.png is a cat, and the run is as sure of a dog as it is of 60 right labels."""
    add_run(project, "many", [entry(6, 2, BOX, score=0.9), entry(5, 1, BOX, score=0.9)], more=30)
    of = parsed_epoch(project, "many:3")
    first = candidates.suspicions(project, of)[0]
    assert (first.kind, first.picture.file_name, first.label, first.found) == ("wrong_class", "b.png", 106, 0)
    assert (first.class_name, first.found_class) == ("cat", "dog")


def test_routes_of_a_review(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(candidates, "engine_candidates", lambda of: FAKE)
    http = TestClient(Starlette(routes=review_routes.routes()))
    place = f"/studio/annotate/{project_key(project)}/review"
    answer = http.get(f"{place}/suspicions", params={"review": "a:b:3"}).json()
    assert (answer["run"], answer["epoch"], len(answer["suspicions"])) == ("a:b", 3, 3)
    shown = answer["suspicions"][2]
    query = {"object": f"a:b:3:found:{shown['found']}", "label": shown["label"]}
    object_answer = http.get(f"{place}/object", params=query).json()
    assert (object_answer["label"], object_answer["below"]) == ("cat", [{"id": "cat", "iou": 1.0}])
    body = {"picture": 1, "kind": shown["kind"], "class_name": "cat", "box": shown["box"], "decision": "keep"}
    number = http.post(f"{place}/decisions", json=body).json()["id"]
    decided = http.get(f"{place}/suspicions", params={"review": "a:b:3"}).json()["suspicions"][2]["decided"]
    assert decided == {"id": number, "decision": "keep"}
    assert http.delete(f"{place}/decisions/{number}").status_code == 200
    assert http.delete(f"{place}/decisions/{number}").status_code == 404
    for label in ("", "x", "1" * 17, "105 ", "--5", "\u0661"):
        assert http.get(f"{place}/object", params={**query, "label": label}).status_code == 422
    for box in (None, [], [1, 2, 3], [1, 2, 3, "4"], [1, 2, 3, True], [0, 0, 1, 10**400], [0, 0, -1, 1]):
        assert http.post(f"{place}/decisions", json={**body, "box": box}).status_code == 422
