"""`evaluate --detections` beside the labels: pycocotools gives on the two files what `evaluate` prints.

The network is a stand-in that finds the drawn objects a little off, so the test needs neither torch's time nor luck.
"""

from __future__ import annotations

import contextlib
import copy
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from maskrcnn.__main__ import main
from maskrcnn.annotations import pictures, read
from maskrcnn.annotations.store import Project
from maskrcnn.cli import evaluate as command
from maskrcnn.cli.report_text import report_text
from maskrcnn.config import Config
from maskrcnn.evaluation import evaluate, intervals
from maskrcnn.inference import dataset_evaluation
from maskrcnn.runs.folder import RunFolder
from maskrcnn.runs.training_documents import training_documents
from maskrcnn.studio.runs import run_downloads
from tests.evaluation.random_sets import random_set

# pycocotools 2.0.11 decodes masks through a numpy call that numpy 2 warns of.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

LEARNED = ("bolt", "gear", "nut")
"""The classes of the network, in its order; those of the labels are in another."""

HEIGHT, WIDTH, PICTURES = 60, 80, 6
Document = dict[str, Any]


def labels() -> Document:
    """Six pictures of two to four objects of two classes, with the areas and boxes of their polygons, not of pixels."""
    rng = np.random.default_rng(4)
    annotations = []
    for image_id in range(1, PICTURES + 1):
        for _ in range(int(rng.integers(2, 5))):
            x, y, width, height = *rng.uniform(2, 40, 2), *rng.uniform(8, 18, 2)
            corners = [x + width / 2, y, x + width, y + height / 2, x + width / 2, y + height, x, y + height / 2]
            entry = {"id": len(annotations) + 1, "image_id": image_id, "category_id": int(rng.integers(1, 3))}
            entry |= {"segmentation": [corners], "area": width * height / 2, "bbox": [x, y, width, height]}
            annotations.append({**entry, "iscrowd": 0})
    images = [{"id": n, "file_name": f"{n}.png", "width": WIDTH, "height": HEIGHT} for n in range(1, PICTURES + 1)]
    categories = [{"id": 1, "name": "nut"}, {"id": 2, "name": "bolt"}]
    return {"info": {}, "images": images, "annotations": annotations, "categories": categories}


def as_they_are(document: Document) -> None:
    pass


def image_ids_with_gaps(document: Document) -> None:
    renumber(document, "images", lambda number: 397_000 + 17 * number)


def ids_from_0(document: Document) -> None:
    renumber(document, "images", lambda number: number - 1)
    renumber(document, "categories", lambda number: number - 1)


def category_ids_of_coco(document: Document) -> None:
    renumber(document, "categories", {1: 90, 2: 44}.__getitem__)


def image_ids_backwards(document: Document) -> None:
    renumber(document, "images", lambda number: 100 - number)


def images_shuffled(document: Document) -> None:
    document["images"] = [document["images"][place] for place in (3, 0, 5, 1, 4, 2)]


def texts(document: Document) -> None:
    renumber(document, "images", lambda number: f"picture-{number}")
    renumber(document, "categories", lambda number: f"c{number}")


def very_large(document: Document) -> None:
    """As some programs make them, of the time and a counter: more than 2^53, less than 2^63."""
    renumber(document, "images", lambda number: 2**60 + number)


def texts_and_numbers(document: Document) -> None:
    """pycocotools cannot tell such ids apart; the detections carry them all the same."""
    renumber(document, "images", lambda number: number if number % 2 else f"picture-{number}")


def larger_than_any_integer_of_64_bits(document: Document) -> None:
    renumber(document, "images", lambda number: 2**70 + number)


def below_0(document: Document) -> None:
    renumber(document, "images", lambda number: number - 4)


def a_class_without_objects(document: Document) -> None:
    document["categories"].insert(0, {"id": 9, "name": "spring"})


def a_crowd(document: Document) -> None:
    document["annotations"][0]["iscrowd"] = 1


def a_picture_without_objects(document: Document) -> None:
    document["annotations"] = [entry for entry in document["annotations"] if entry["image_id"] != 2]


CHANGES: list[Callable[[Document], None]] = [
    *(as_they_are, image_ids_with_gaps, ids_from_0, category_ids_of_coco, image_ids_backwards, images_shuffled, texts),
    *(very_large, below_0, a_class_without_objects, a_crowd, a_picture_without_objects),
]


def renumber(document: Document, what: str, number: Callable[[int], Any]) -> None:
    field = {"images": "image_id", "categories": "category_id"}[what]
    for entry in document[what]:
        entry["id"] = number(entry["id"])
    for entry in document["annotations"]:
        entry[field] = number(entry[field])


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> None:
    """It finds, in each picture that is read, the objects of `labels` a little off, one in five as another class, and
    something that is not there."""
    document = labels()
    named = {category["id"]: category["name"] for category in document["categories"]}

    def detect(model: object, picture: np.ndarray, image_id: Any) -> list[Document]:
        number = int(picture[0, 0, 0])
        rng = np.random.default_rng(number)
        drawn = [
            (annotation["segmentation"][0], LEARNED.index(named[annotation["category_id"]]) + 1)
            for annotation in document["annotations"]
            if annotation["image_id"] == number
        ]
        found = []
        for corners, label in [*drawn, ([50, 40, 70, 40, 70, 55, 50, 55], 2)]:
            moved = (np.array(corners) + np.tile(rng.normal(0, 1, 2), 4)).tolist()
            code = coco_mask.merge(coco_mask.frPyObjects([moved], HEIGHT, WIDTH))
            other = rng.random() < 0.2
            found.append(
                {
                    "image_id": image_id,
                    "category_id": label % 3 + 1 if other else label,
                    "score": float(rng.random()),
                    "bbox": [moved[6], moved[1], moved[2] - moved[6], moved[5] - moved[1]],
                    "segmentation": {"size": [HEIGHT, WIDTH], "counts": code["counts"].decode()},
                }
            )
        return sorted(found, key=lambda entry: -entry["score"])

    fields = {"class_names": LEARNED, "num_classes": len(LEARNED) + 1}
    model = SimpleNamespace(config=Config.preset("classroom", **fields))
    monkeypatch.setattr(command, "load_for_inference", lambda args: model)
    monkeypatch.setattr(dataset_evaluation, "detect", detect)


def draw(folder: Path) -> None:
    """The pictures: the first value of each is its number."""
    for number in range(1, PICTURES + 1):
        Image.fromarray(np.full((HEIGHT, WIDTH, 3), number, np.uint8)).save(folder / f"{number}.png")


def official(truth: Path, detections: Path, kind: str) -> list[float]:
    """AP, AP50, AP75, APs, APm and APl of pycocotools on two files, which hold what is measured alone."""
    kept = {"bbox": "segmentation", "segm": "bbox"}[kind]
    entries = [{k: v for k, v in entry.items() if k != kept} for entry in json.loads(detections.read_text())]
    with contextlib.redirect_stdout(io.StringIO()):
        index = COCO(str(truth))
        evaluation = COCOeval(index, index.loadRes(entries), kind)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation.stats[:6].tolist()


def printed(line: str) -> list[float]:
    return [-1.0 if word == "-" else float(word) for word in re.findall(r"AP\w*\s+(\S+)", line)]


def check(truth: Path, detections: Path, out: str) -> None:
    for kind, word in (("bbox", "boxes"), ("segm", "masks")):
        (line,) = [line for line in out.splitlines() if line.startswith(f"{word}:")]
        assert printed(line) == pytest.approx(official(truth, detections, kind), abs=0.0005)


def evaluated(data: Path, *more: str) -> Path:
    out = data.parent / "found.json"
    assert main(["evaluate", "toy", "--data", str(data), "--resamples", "0", "--detections", str(out), *more]) == 0
    return out


@pytest.mark.parametrize("change", CHANGES)
def test_pycocotools_gives_on_both_files_what_is_printed(
    change: Callable[[Document], None], network: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draw(tmp_path)
    document = labels()
    change(document)
    data = tmp_path / "labels.json"
    data.write_text(json.dumps(document))
    found = evaluated(data)
    check(data, found, capsys.readouterr().out)
    entries = json.loads(found.read_text())
    assert {entry["image_id"] for entry in entries} == {image["id"] for image in document["images"]}


@pytest.mark.parametrize("change", [texts_and_numbers, larger_than_any_integer_of_64_bits])
def test_ids_that_pycocotools_cannot_take_are_kept_too(
    change: Callable[[Document], None], network: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draw(tmp_path)
    document = labels()
    data = tmp_path / "labels.json"
    data.write_text(json.dumps(document))
    evaluated(data)
    as_usual = capsys.readouterr().out
    change(document)
    data.write_text(json.dumps(document))
    entries = json.loads(evaluated(data).read_text())
    assert capsys.readouterr().out == as_usual
    assert {entry["image_id"] for entry in entries} == {image["id"] for image in document["images"]}


@pytest.mark.parametrize("kind", ["via2", "labelme", "yolo", "project"])
def test_labels_without_ids_have_those_that_convert_writes(
    kind: str, network: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draw(tmp_path)
    document = labels()
    image_ids_with_gaps(document)
    (tmp_path / "labels.json").write_text(json.dumps(document))
    data = tmp_path / kind
    if kind == "project":
        made = Project.create(data)
        made.add_pictures([(f"{n}.png", (tmp_path / f"{n}.png").read_bytes()) for n in range(1, PICTURES + 1)], "val")
        dataset = read(tmp_path / "labels.json")
        for image in made.images():
            (record,) = [record for record in dataset.images if record.file_name == image.file_name]
            made.save(image.id, record.regions, made.regions(image.id)[1])
    else:
        data = tmp_path / ("via.json" if kind == "via2" else kind)
        assert main(["convert", str(tmp_path / "labels.json"), str(data), "--to", kind]) == 0
    capsys.readouterr()
    images = [] if kind == "project" else ["--images", str(tmp_path)]
    found = evaluated(data, *images)
    out = capsys.readouterr().out
    assert main(["convert", str(data), str(tmp_path / "as-coco.json"), "--to", "coco", *images]) == 0
    check(tmp_path / "as-coco.json", found, out)


def test_what_is_downloaded_from_a_run_fits_together(network: None, tmp_path: Path) -> None:
    """Labels and detections of a run have the same ids, whatever those of the file were that it was trained with."""
    draw(tmp_path)
    document = labels()
    texts(document)
    document["categories"] += [{"id": "c0", "name": "gear"}]
    (tmp_path / "labels.json").write_text(json.dumps(document))
    made = RunFolder(tmp_path / "run", made_here=True)
    made.path.mkdir()
    documents = training_documents(tmp_path / "labels.json", tmp_path / "labels.json", None, made.path)
    config = Config.preset("classroom", class_names=documents["classes"], num_classes=len(documents["classes"]) + 1)
    made.write_json("config.json", config.model_dump(mode="json"))
    made.write_json("dataset.json", {split: documents[split] for split in ("train", "val")})
    found = []
    for image in documents["val"]["images"]:
        entries = dataset_evaluation.detect(None, pictures.load(made.picture_path(image)), image["id"])  # type: ignore[arg-type]
        # The run knows two of the three classes, in its own order.
        known = [entry for entry in entries if LEARNED[entry["category_id"] - 1] in documents["classes"]]
        found += [{**e, "category_id": documents["classes"].index(LEARNED[e["category_id"] - 1]) + 1} for e in known]
    made.write_detections(1, found)
    report = evaluate(documents["val"], found)
    (tmp_path / "val.json").write_bytes(run_downloads.labels(made, "val"))
    (tmp_path / "found.json").write_text(json.dumps(made.detections(1)))
    for kind in ("bbox", "segm"):
        theirs = official(tmp_path / "val.json", tmp_path / "found.json", kind)
        ours = [-1 if value is None else value for value in report.summary(kind).values()]
        assert ours[:6] == pytest.approx(theirs, abs=1e-9)


def test_the_classes_that_the_labels_lack_have_ids_of_their_own_and_are_named(
    network: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draw(tmp_path)
    document = labels()
    category_ids_of_coco(document)
    data = tmp_path / "labels.json"
    data.write_text(json.dumps(document))
    found = evaluated(data)
    assert f"{found}: category ids of classes that {data} does not have: gear 91" in capsys.readouterr().out
    # Each of the six pictures has the one gear that is not there, but for where it is taken for another class.
    assert {entry["category_id"] for entry in json.loads(found.read_text())} == {44, 90, 91}


@pytest.mark.parametrize(
    ("ids", "numbers"),
    [
        ({"nut": 1, "bolt": 2, "gear": 3}, [2, 3, 1]),
        ({"gear": 90}, [91, 90, 92]),
        ({"nut": -5}, [1, 2, -5]),
        ({}, [1, 2, 3]),
        ({"nut": "7", "bolt": "1"}, ["1", "2", "7"]),
        ({"other": 0, "gear": 2}, [3, 2, 4]),
    ],
)
def test_categories_are_found_by_their_names(ids: dict[str, Any], numbers: list[Any]) -> None:
    document = {"categories": [{"id": number, "name": name} for name, number in ids.items()], "annotations": []}
    assert dataset_evaluation.category_ids_of_classes(document, LEARNED, "labels.json", "toy") == numbers


def test_objects_of_a_class_that_the_network_lacks_are_refused_and_others_are_not(
    network: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draw(tmp_path)
    document = labels()
    document["categories"].append({"id": 3, "name": "spring"})
    line = copy.deepcopy(document["annotations"][0]) | {"id": 99, "category_id": 3, "area": 0}
    data = tmp_path / "labels.json"
    for outline, status in (([200, 10, 220, 10, 220, 30], 0), ([20, 10, 40, 10, 40, 30], 1)):
        spring = line | {"segmentation": [outline], "bbox": [outline[0], 10, 20, 20]}
        data.write_text(json.dumps({**document, "annotations": [*document["annotations"], spring]}))
        assert main(["evaluate", "toy", "--data", str(data), "--resamples", "0"]) == status
        told = capsys.readouterr()
        if status:
            assert f'error: {data}: class "spring" is not one that toy has learned (bolt, gear, nut)' in told.err
        else:
            assert "not an object: 1 region that has no pixel inside its picture\n" in told.out


def test_crowds_are_told_with_their_number(network: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    draw(tmp_path)
    document = labels()
    a_crowd(document)
    (tmp_path / "labels.json").write_text(json.dumps(document))
    evaluated(tmp_path / "labels.json")
    out = capsys.readouterr().out
    assert "not an object: 1 region that marks a crowd: what lies there counts neither way\n" in out
    assert f"on 6 pictures with {len(document['annotations']) - 1} objects" in out


@pytest.mark.parametrize(("images", "brackets"), [(1, False), (2, True)])
def test_brackets_are_explained_where_there_are_some(images: int, brackets: bool) -> None:
    """One picture has no interval."""
    document, detections = random_set(3, images=images, objects=4, extra=2)
    report = evaluate(document, detections, with_evidence=True)
    table = report_text(report.with_intervals(intervals(report, 100, 0)))
    assert ("[" in table, "in brackets" in table) == (brackets, brackets)
