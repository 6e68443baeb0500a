"""What the browser's import finds and passes over, the command line does too: one folder, read both ways."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from maskrcnn.annotations import read
from maskrcnn.annotations.dataset import Dataset
from maskrcnn.annotations.intake import stage_path
from maskrcnn.annotations.predefined_splits import by_own_split
from maskrcnn.annotations.store import Project
from maskrcnn.errors import StudioError

NFC, NFD = (unicodedata.normalize(form, "Müller.png") for form in ("NFC", "NFD"))
TRIANGLE = [[1, 1], [30, 2], [15, 25]]

Lay = Callable[[dict[str, Any]], Path]


@pytest.fixture
def lay(tmp_path: Path) -> Lay:
    """`lay({"a.png": PICTURE, "labels.json": coco("a.png")})` makes a folder."""

    def make(files: dict[str, Any]) -> Path:
        for seed, (name, content) in enumerate(files.items()):
            path = tmp_path / "set" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if content is PICTURE:
                pixels = np.random.default_rng(seed).integers(0, 255, (30, 40, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(path)
            else:
                path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return tmp_path / "set"

    return make


PICTURE = object()


def coco(*names: str) -> dict[str, Any]:
    images = [{"id": n, "file_name": name, "width": 40, "height": 30} for n, name in enumerate(names, 1)]
    polygon = [value for point in TRIANGLE for value in point]
    annotations = [
        {"id": n, "image_id": n, "category_id": 1, "segmentation": [polygon], "iscrowd": 0}
        for n in range(1, len(names) + 1)
    ]
    return {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "leaf"}]}


def labelme(picture: str) -> dict[str, Any]:
    shape = {"label": "leaf", "points": TRIANGLE, "shape_type": "polygon", "flags": {}, "group_id": None}
    document = {"version": "5.0.1", "flags": {}, "shapes": [shape], "imagePath": picture, "imageData": None}
    return {**document, "imageHeight": 30, "imageWidth": 40}


def via(*names: str, default: str | None = None) -> dict[str, Any]:
    shape = {"name": "polygon", "all_points_x": [1, 30, 15], "all_points_y": [1, 2, 25]}
    region = {"shape_attributes": shape, "region_attributes": {"kind": "leaf"}}
    images = {f"{n}-1": {"filename": n, "size": -1, "regions": [region], "file_attributes": {}} for n in names}
    if default is None:
        return images
    attributes = {"region": {"kind": {"type": "text"}}, "file": {}}
    settings = {"ui": {}, "core": {"default_filepath": default}, "project": {"name": "p"}}
    return {"_via_settings": settings, "_via_img_metadata": images, "_via_attributes": attributes}


def labelled(dataset: Dataset, folder: Path) -> dict[str, int]:
    """The pictures that were found and have regions, by their place in the folder."""
    return {
        record.path.relative_to(folder).as_posix(): len(record.regions)
        for record in dataset.images
        if record.path is not None and record.regions
    }


def both(folder: Path) -> dict[str, int]:
    """What both ways of reading a folder find, after making sure that it is the same."""
    ours, theirs = labelled(read(folder), folder), labelled(stage_path(folder).dataset, folder)
    assert ours == theirs
    return ours


YOLO = "names: [leaf]\npath: .\ntrain: images\n"
ROW = "0 0.1 0.1 0.5 0.1 0.5 0.5 0.1 0.5\n"


@pytest.mark.parametrize(
    "junk",
    [
        {".git/x.json": labelme("a.png")},
        {"__MACOSX/._a.json": "\0\1binary"},
        {".cache/a.json": labelme("a.png"), ".cache/a.png": PICTURE},
        {"@eaDir/a.json": "{"},
        {"lost+found/a.json": labelme("a.png")},
        {"._a.json": "{", ".hidden.json": labelme("a.png")},
        {".ipynb_checkpoints/labels-checkpoint.json": coco("a.png")},
    ],
)
@pytest.mark.parametrize("kind", ["labelme", "coco", "via"])
def test_junk_is_passed_over(junk: dict[str, Any], kind: str, lay: Lay) -> None:
    files = {
        "labelme": {"a.json": labelme("a.png")},
        "coco": {"labels.json": coco("a.png")},
        "via": {"labels.json": via("a.png")},
    }[kind]
    assert both(lay({"a.png": PICTURE, **files, **junk})) == {"a.png": 1}


@pytest.mark.parametrize(
    "junk",
    [
        {"images/.git/b.png": PICTURE, "labels/.git/b.txt": ROW},
        {"labels/._a.txt": "\0\1", "images/._a.png": "\0\1"},
        {"labels/__MACOSX/x.txt": ROW},
        {"images/@eaDir/b.png": PICTURE, "images/Thumbs.db": "x"},
        {"images/.cache/a.png": PICTURE},
    ],
)
def test_junk_of_yolo_is_passed_over(junk: dict[str, Any], lay: Lay) -> None:
    folder = lay({"data.yaml": YOLO, "images/a.png": PICTURE, "labels/a.txt": ROW, **junk})
    assert both(folder) == {"images/a.png": 1}


@pytest.mark.parametrize(
    ("written", "lies_at"),
    [
        ("images/my%20leaf.png", "images/my leaf.png"),
        ("my leaf.png", "images/my%20leaf.png"),
        ("M%C3%BCller.png", NFC),
        ("M%FCller.png", NFD),  # Latin 1
        (NFC, NFD),
        (NFD, f"images/{NFC}"),
        ("leaf.PNG", "leaf.png"),
        ("Leaf.png", "images/leaf.PNG"),
        ("leaf.png?v=3", "leaf.png"),
        ("https://host.example/set/leaf.png?X-Sig=a%2Fb", "leaf.png"),
        ("/data/local-files/?d=images/leaf.png", "images/leaf.png"),
        ("s3://bucket/set/leaf.png", "leaf.png"),
        ("file:///C:/Users/ann/leaf.png", "leaf.png"),
        ("\\\\server\\share\\leaf.png", "images/leaf.png"),
        ("set\\images\\leaf.png", "images/leaf.png"),
        ("./leaf.png", "leaf.png"),
        ("/home/ann/set/train/leaf.png", "train/leaf.png"),
    ],
)
@pytest.mark.parametrize("kind", ["coco", "via"])
def test_a_name_spelled_otherwise_is_found(written: str, lies_at: str, kind: str, lay: Lay) -> None:
    labels = coco(written) if kind == "coco" else via(written)
    folder = lay({"labels.json": labels, lies_at: PICTURE})
    assert both(folder) == {lies_at: 1}
    # The file alone, on the command line and in the browser.
    assert labelled(read(folder / "labels.json"), folder) == {lies_at: 1}
    assert labelled(stage_path(folder / "labels.json").dataset, folder) == {lies_at: 1}


@pytest.mark.parametrize(
    ("written", "there", "meant"),
    [
        # the exact spelling wins
        ("a%20b.png", ["a%20b.png", "a b.png"], "a%20b.png"),
        ("Leaf.png", ["leaf.png", "Leaf.png"], "Leaf.png"),
        (NFD, [NFC, NFD], NFD),
        ("a/leaf.png", ["A/leaf.png", "a/leaf.png"], "a/leaf.png"),
        # a path of another computer: the end that fits most
        ("/home/ann/val/leaf.png", ["train/leaf.png", "val/leaf.png"], "val/leaf.png"),
        ("C:\\set\\two\\leaf.png", ["one/leaf.png", "two/leaf.png"], "two/leaf.png"),
        # two that fit equally
        ("LEAF.png", ["leaf.png", "Leaf.png"], None),
        ("leaf.png", ["one/leaf.png", "two/leaf.png"], None),
        ("a b.png", ["x/a%20b.png", "y/a%20b.png"], None),
        # never another suffix, or a copy
        ("leaf.jpeg", ["leaf.png"], None),
        ("leaf.png", ["leaf (2).png"], None),
    ],
)
def test_of_several_files_the_one_is_taken_that_surely_is_meant(
    written: str, there: list[str], meant: str | None, lay: Lay
) -> None:
    folder = lay({"labels.json": coco(written), **dict.fromkeys(there, PICTURE)})
    assert both(folder) == ({} if meant is None else {meant: 1})
    if meant is None:
        [line, *_] = [line for line in read(folder).warnings if "none of" not in line and "its picture" not in line]
        assert all(name in line or name.rpartition("/")[2] in line for name in there)


@pytest.mark.parametrize(
    ("default", "meant"),
    [
        ("./pics/", "pics/a.png"),
        ("pics", "pics/a.png"),
        (".\\more\\", "more/a.png"),
        ("C:\\Users\\ann\\set\\more\\", "more/a.png"),
        ("file:///home/ann/pics/", "pics/a.png"),
        ("/elsewhere/more", "more/a.png"),
    ],
)
def test_where_a_via_project_says_that_its_pictures_lie(default: str, meant: str, lay: Lay) -> None:
    folder = lay({"project.json": via("a.png", default=default), "pics/a.png": PICTURE, "more/a.png": PICTURE})
    assert both(folder) == {meant: 1}
    assert labelled(read(folder / "project.json"), folder) == {meant: 1}


@pytest.mark.parametrize("default", ["../", "{outside}", "..\\", "sub/../../"])
def test_a_via_project_does_not_lead_out(default: str, lay: Lay, tmp_path: Path) -> None:
    Image.new("RGB", (40, 30)).save(tmp_path / "secret.png")
    default = default.format(outside=tmp_path)
    folder = lay({"project.json": via("secret.png", default=default), "a.png": PICTURE, "sub/b.png": PICTURE})
    assert both(folder) == {}
    assert labelled(read(folder / "project.json"), folder) == {}


LAYOUTS: dict[str, tuple[dict[str, Any], dict[str, int], set[str | None]]] = {
    "CVAT": (
        {"annotations/instances_default.json": coco("a.png"), "images/a.png": PICTURE},
        {"images/a.png": 1},
        {None},
    ),
    "CVAT, a folder for the subset": (
        {"annotations/instances_default.json": coco("a.png"), "images/default/a.png": PICTURE},
        {"images/default/a.png": 1},
        {None},
    ),
    "CVAT, keypoints": (
        {"annotations/person_keypoints_default.json": coco("a.png"), "images/a.png": PICTURE},
        {"images/a.png": 1},
        {None},
    ),
    "CVAT, two subsets": (
        {
            "annotations/instances_Train.json": coco("a.png"),
            "annotations/instances_Validation.json": coco("a.png"),
            "images/Train/a.png": PICTURE,
            "images/Validation/a.png": PICTURE,
        },
        {"images/Train/a.png": 1, "images/Validation/a.png": 1},
        {"train", "val"},
    ),
    "Roboflow": (
        {
            "train/_annotations.coco.json": coco("a.png"),
            "train/a.png": PICTURE,
            "valid/_annotations.coco.json": coco("b.png"),
            "valid/b.png": PICTURE,
            "README.roboflow.txt": "hello",
        },
        {"train/a.png": 1, "valid/b.png": 1},
        {"train", "val"},
    ),
    "Label Studio": (
        {"result.json": coco("images/1a2b3c4d-a.png"), "images/1a2b3c4d-a.png": PICTURE},
        {"images/1a2b3c4d-a.png": 1},
        {None},
    ),
    "Label Studio on Windows": (
        {"result.json": coco("..\\..\\label-studio\\media\\a.png"), "images/a.png": PICTURE},
        {"images/a.png": 1},
        {None},
    ),
    "a folder in a folder, as zips are unpacked": (
        {"set/labels.json": via("a.png"), "set/a.png": PICTURE},
        {"set/a.png": 1},
        {None},
    ),
    "the balloon set": (
        {
            "train/via.json": via("a.png"),
            "train/a.png": PICTURE,
            "val/via.json": via("a.png"),
            "val/a.png": PICTURE,
        },
        {"train/a.png": 1, "val/a.png": 1},
        {"train", "val"},
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts_of_other_programs(layout: str, lay: Lay) -> None:
    files, found, splits = LAYOUTS[layout]
    folder = lay(files)
    assert both(folder) == found
    dataset = read(folder)
    assert {record.split for record in dataset.images} == splits
    # A label file of the set, named alone, finds its own.
    for name in (name for name in files if name.endswith(".json")):
        assert len(labelled(read(folder / name), folder)) == 1, name


SEVERAL: dict[str, tuple[dict[str, Any], dict[str, int], str]] = {
    "a file for each split, in one folder": (
        {"train.json": coco("a.png"), "val.json": coco("b.png"), "train/a.png": PICTURE, "val/b.png": PICTURE},
        *({"train/a.png": 1, "val/b.png": 1}, ""),
    ),
    "VIA saved twice": (
        {"project.json": via("a.png", default=""), "regions.json": via("a.png"), "a.png": PICTURE},
        *({"a.png": 1}, "regions.json: says nothing that project.json does not"),
    ),
    "one in the folder, one below": (
        {"one.json": via("a.png"), "a.png": PICTURE, "more/two.json": via("b.png"), "more/b.png": PICTURE},
        *({"a.png": 1, "more/b.png": 1}, ""),
    ),
    "a broken one beside it": (
        {"one.json": via("a.png"), "two.json": "{", "a.png": PICTURE},
        *({"a.png": 1}, "passed over: .*two.json: not JSON"),
    ),
    "labelme, one of them broken": (
        {"a.json": labelme("a.png"), "b.json": "{", "a.png": PICTURE, "b.png": PICTURE},
        *({"a.png": 1}, "passed over: .*b.json: not JSON"),
    ),
    "labelme in a folder, one of them broken": (
        {"x/a.json": labelme("a.png"), "x/b.json": "{", "x/a.png": PICTURE},
        *({"x/a.png": 1}, "passed over: .*b.json: not JSON"),
    ),
}


@pytest.mark.parametrize("which", SEVERAL)
def test_several_label_files(which: str, lay: Lay) -> None:
    files, found, said = SEVERAL[which]
    folder = lay(files)
    assert both(folder) == found
    for lines in (read(folder).warnings, stage_path(folder).warnings):
        assert len(lines) == bool(said)
        assert all(re.search(said, line) for line in lines)


@pytest.mark.parametrize("pictures", [{"a.png": PICTURE}, {}], ids=["found", "not found"])
def test_two_opinions_are_refused_by_both(pictures: dict[str, Any], lay: Lay) -> None:
    folder = lay({"one.json": via("a.png"), "two.json": via("a.png", "b.png"), **pictures})
    for reader in (read, stage_path):
        with pytest.raises(StudioError, match=r"several label files \(one.json, two.json\) are for the same picture"):
            reader(folder)


def test_old_labels_in_a_folder_below_are_left_out_with_a_line(lay: Lay) -> None:
    folder = lay({"a.json": via("a.png"), "a.png": PICTURE, "old/b.json": via("a.png", "b.png")})
    (line,) = read(folder).warnings
    assert "left out old/b.json" in line
    assert labelled(read(folder), folder) == {"a.png": 1}


def test_a_project_below_the_folder_is_opened(tmp_path: Path) -> None:
    Project.create(tmp_path / "x" / "mine", "mine")
    assert read(tmp_path / "x").extras == read(tmp_path / "x" / "mine").extras
    Project.create(tmp_path / "x" / "other", "other")
    for reader in (read, stage_path):
        with pytest.raises(StudioError, match="holds 2 projects; give one of them"):
            reader(tmp_path / "x")


@pytest.mark.parametrize(
    ("label_file", "picture_at", "others"),
    [
        ("annotations/train.json", "train/a.png", ["val/a.png"]),
        ("annotations/instances_val.json", "val/a.png", ["train/a.png"]),
        ("Annotations/coco.json", "JPEGImages/a.png", []),
        ("annotations/coco.json", "Images/a.png", []),
        ("annotations/coco.json", "images/a.png", ["imgs/a.png", "photos/a.png"]),
        ("json/a.json", "img/a.png", []),
        ("labels/via.json", "pictures/sub/a.png", []),
        ("ann/a.json", "elsewhere/a.png", None),
        ("other/a.json", "images/a.png", None),
    ],
)
def test_the_folder_of_pictures_beside_that_of_the_labels(
    label_file: str, picture_at: str, others: list[str] | None, lay: Lay
) -> None:
    folder = lay({label_file: coco("a.png"), picture_at: PICTURE, **dict.fromkeys(others or [], PICTURE)})
    found = {} if others is None else {picture_at: 1}
    for path in (folder / label_file, (folder / label_file).parent):
        if path.is_dir() and label_file not in (
            "json/a.json",
            "labels/via.json",
            "ann/a.json",
            "annotations/coco.json",
        ):
            continue  # which split a folder of labels is of, nobody said
        assert labelled(read(path), folder) == found
        assert labelled(stage_path(path).dataset, folder) == found


@pytest.mark.parametrize("labels", [coco, via])
def test_a_test_split_is_neither_learned_from_nor_validated_on(labels: Callable[..., Any], lay: Lay) -> None:
    """As of YOLO's sets. A project has two splits only, so that the import puts it to validation and says so."""
    splits = {"train": "a.png", "valid": "b.png", "test": "c.png"}
    files = {f"{split}/{name}": PICTURE for split, name in splits.items()}
    folder = lay({**files, **{f"{split}/_annotations.json": labels(name) for split, name in splits.items()}})
    training, validation, line = by_own_split(read(folder))
    assert [record.file_name for record in training.images] == ["a.png"]
    assert validation is not None
    assert [record.file_name for record in validation.images] == ["b.png"]
    assert line is not None
    assert line.endswith("1 picture to learn from, 1 to validate on, 1 of the test split left out")
    staged = {record.file_name: record.split for record in stage_path(folder).dataset.images}
    assert staged == {"a.png": "train", "b.png": "val", "c.png": "val"}


def test_a_labelme_file_and_its_picture_that_were_renamed_together(lay: Lay) -> None:
    folder = lay({"7.json": labelme("a.png"), "7.png": PICTURE})
    assert any('"a.png" may be "7.png"' in line for line in read(folder).warnings)
    staged = stage_path(folder)
    assert staged.near == {"a.png": ("7.png",)}
    assert labelled(staged.with_similar_files({"a.png": "7.png"}).dataset, folder) == {"7.png": 1}


def test_a_picture_that_no_label_names_is_not_learned_from(lay: Lay) -> None:
    folder = lay({"annotations/x.json": coco("a.png"), "images/a.png": PICTURE, "images/b.png": PICTURE})
    assert [record.file_name for record in read(folder).images] == ["a.png"]


@pytest.mark.parametrize("labels", [coco("a.png", "b.png"), via("a.png", "b.png")])
@pytest.mark.parametrize(
    ("there", "near"),
    [
        ("a (2).png", True),
        ("a.jpg", True),
        ("other/a - Copy.png", True),
        ("A_png.rf.0123456789abcdef.png", True),
        ("z.png", False),
    ],
)
def test_labels_of_which_no_picture_is_found_say_so(labels: Any, there: str, near: bool, lay: Lay) -> None:
    folder = lay({"labels.json": labels, there: PICTURE})
    for path in (folder, folder / "labels.json"):
        dataset = read(path)
        assert [record.path for record in dataset.images] == [None, None]
        assert any("none of its 2 pictures was found" in line for line in dataset.warnings)
        assert any(f'"a.png" may be "{there}"' in line for line in dataset.warnings) == near
        staged = stage_path(path)
        assert staged.finds_none
        assert staged.near == ({"a.png": (there,)} if near else {})


def test_a_near_name_is_taken_when_somebody_says_so(lay: Lay) -> None:
    folder = lay({"labels.json": via("a.png", "b.png"), "a (2).png": PICTURE, "b.png": PICTURE})
    staged = stage_path(folder)
    assert labelled(staged.dataset, folder) == {"b.png": 1}
    taken = staged.with_similar_files({"a.png": "a (2).png"})
    assert labelled(taken.dataset, folder) == {"a (2).png": 1, "b.png": 1}
    assert (taken.missing, taken.near, taken.unlabelled) == ((), {}, 0)


def test_labels_that_find_some_have_no_such_line(lay: Lay) -> None:
    folder = lay({"labels.json": via("a.png", "gone.png"), "a.png": PICTURE})
    assert read(folder).warnings == ()
    assert not stage_path(folder).finds_none


@pytest.mark.parametrize(
    ("masks", "picture", "further"),
    [
        ("masks", "images/a.png", {}),
        ("masks", "imgs/a.png", {"notes.json": {"made": "by hand"}}),
        ("train_masks", "train/a.png", {"README.txt": "x"}),
        ("set/masks", "set/images/a.png", {"set/masks/classes.txt": "leaf\n"}),
        ("masks/train", "images/train/a.png", {}),
        ("annotations/training", "images/training/a.png", {}),
        ("masks", "elsewhere/a.png", None),
    ],
)
def test_folders_of_masks(masks: str, picture: str, further: dict[str, Any] | None, lay: Lay) -> None:
    folder = lay({picture: PICTURE, **(further or {})})
    (folder / masks).mkdir(parents=True, exist_ok=True)
    Image.fromarray(COLOURS[..., 0] // 250).save(folder / masks / "a.png")
    assert both(folder) == ({} if further is None else {picture: 1})
    if further is None:
        assert any("its picture was not found" in line for line in read(folder).warnings)
        assert any("no picture of their names was found" in line for line in stage_path(folder).warnings)
        assert labelled(read(folder, folder / "elsewhere"), folder) == {picture: 1}


def test_images_are_looked_for_by_labels_in_a_folder_below(lay: Lay) -> None:
    files = {"set/classes.txt": "leaf\n", "set/labels/a.txt": ROW, "set/images/b.png": PICTURE, "set/labels/b.txt": ROW}
    folder = lay({**files, "photos/A.png": PICTURE})
    assert labelled(read(folder, folder / "photos"), folder) == {"set/images/b.png": 1, "photos/A.png": 1}


COLOURS = np.zeros((20, 30, 3), np.uint8)
COLOURS[2:8, 3:9] = (250, 0, 0)


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "no label file is in this folder, which is empty"),
        ({".DS_Store": "x", "Thumbs.db": "x"}, "no label file is in this folder, which is empty"),
        ({"a.png": PICTURE, "sub/b.png": PICTURE}, "no label file is in this folder, only 2 pictures"),
        ({"a.doc": "x", "b.doc": "x"}, r"only other files, and no pictures \(2 x \.doc\)"),
        ({"a.png": PICTURE, "a.doc": "x"}, r"1 picture and other files \(1 x \.doc\)"),
        ({"README": "x", "LICENSE": "x"}, r"only other files, and no pictures \(2 x no suffix\)"),
        ({"a.png": PICTURE, "notes.json": {"note": 1}}, r"notes\.json: this JSON holds no labels"),
        ({"notes.json": {"note": 1}, "labels.json": "{"}, r"labels\.json: not JSON"),
        ({"images/a.png": PICTURE, "labels/a.txt": ROW}, r"a\.txt is of YOLO, .* write a data\.yaml .*train: images"),
        ({"a.png": PICTURE, "a.txt": ROW, "notes.json": {"x": 1}}, r"a\.txt is of YOLO"),
        ({"images/a.png": PICTURE, "labels/a.txt": ROW, "notes.json": {"x": 1}}, r"labels/a\.txt is of YOLO"),
    ],
)
def test_what_a_folder_without_labels_is_told(files: dict[str, Any], said: str, lay: Lay, tmp_path: Path) -> None:
    (tmp_path / "set").mkdir(exist_ok=True)
    with pytest.raises(StudioError, match=said) as caught:
        read(lay(files))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "CMYK as TIFF", "two folders", "masks of a class each"])
def test_masks_in_colours_are_told(mode: str, tmp_path: Path) -> None:
    masks = tmp_path / "set" / "masks"
    masks.mkdir(parents=True)
    Image.fromarray(COLOURS).convert("RGBA" if mode == "RGBA" else "RGB").save(masks / "a.png")
    if mode == "masks of a class each":
        Image.fromarray(COLOURS[::-1]).save(masks / "b.png")
    if mode == "CMYK as TIFF":
        Image.fromarray(COLOURS).convert("CMYK").save(masks / "b.tif")
    folder = tmp_path / "set"
    if mode == "two folders":
        (folder / "images").mkdir()
        noise = np.random.default_rng(0).integers(0, 255, (20, 30, 3), dtype=np.uint8)
        Image.fromarray(noise).save(folder / "images" / "a.png")
    for path in (folder, masks):
        with pytest.raises(StudioError, match=r"a\.png\) look like masks, but have colours, .*grey or palette"):
            read(path)
    assert any("look like masks, but have colours" in line for line in stage_path(folder).warnings)


def test_a_photo_is_no_coloured_mask(lay: Lay) -> None:
    with pytest.raises(StudioError, match="only 1 picture"):
        read(lay({"masks/a.png": PICTURE}))
