"""YOLO data sets as Ultralytics, CVAT, Roboflow, Label Studio and LabelImg lay them out, and ones that disagree."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from maskrcnn.annotations import read
from maskrcnn.annotations.dataset import Dataset
from maskrcnn.annotations.intake import stage_path
from maskrcnn.annotations.predefined_splits import by_own_split
from maskrcnn.annotations.regions import Keypoints, Polygon, Rect, Skeleton
from maskrcnn.errors import StudioError

# On a picture of 40 x 30 px: (4, 6), (20, 6), (20, 12).
ROW = "0 0.1 0.2 0.5 0.2 0.5 0.4\n"
TRIANGLE = Polygon(((4.0, 6.0), (20.0, 6.0), (20.0, 12.0)))

Lay = Callable[..., Path]


@pytest.fixture
def lay(tmp_path: Path, picture: Any) -> Lay:
    """`lay("images/a.jpg", {"data.yaml": "..."})` makes a data set of these pictures and texts."""

    def make(*pictures: str, texts: dict[str, str | bytes]) -> Path:
        for seed, name in enumerate(pictures):
            picture(f"set/{name}", seed=seed)
        for name, content in texts.items():
            path = tmp_path / "set" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return tmp_path / "set"

    return make


def found(dataset: Dataset) -> dict[str, tuple[str | None, int]]:
    """File name -> split, and how many regions."""
    return {record.file_name: (record.split, len(record.regions)) for record in dataset.images}


GREEN_NFC, GREEN_NFD = (unicodedata.normalize(form, "grün") for form in ("NFC", "NFD"))

LAYOUTS: dict[str, tuple[tuple[str, ...], dict[str, str | bytes], dict[str, tuple[str | None, int]]]] = {
    "CVAT: subsets called as its menu has them": (
        ("images/Train/a.jpg", "images/Validation/b.jpg", "images/c/c.jpg"),
        {
            "data.yaml": "path: .\nTrain: Train.txt\nValidation: Validation.txt\nnames: {0: leaf}\n",
            "Train.txt": "data/images/Train/a.jpg\n",
            "Validation.txt": "data/images/Validation/b.jpg\n",
            **{"labels/Train/a.txt": ROW, "labels/Validation/b.txt": ROW},
        },
        {"a.jpg": ("train", 1), "b.jpg": ("val", 1)},
    ),
    "Darknet: the names below data/, as is written": (
        ("data/obj/a.jpg", "data/obj/b.jpg"),
        {
            "obj.data": "classes=1\ntrain=data/train.txt\nvalid=data/test.txt\nnames=data/obj.names\n",
            **{"data/obj.names": "leaf\n", "data/train.txt": "data/obj/a.jpg", "data/test.txt": "data/obj/b.jpg"},
            **{"data/obj/a.txt": ROW, "data/obj/b.txt": ROW},
        },
        {"a.jpg": ("train", 1), "b.jpg": ("val", 1)},
    ),
    "folders in another case, as Windows and macOS take them": (
        ("Images/Train/a.jpg", "Images/Val/b.jpg"),
        {
            "data.yaml": "train: images/train\nval: images/val\nnames: [leaf]\n",
            **{"Labels/Train/a.txt": ROW, "Labels/Val/b.txt": ROW},
        },
        {"a.jpg": ("train", 1), "b.jpg": ("val", 1)},
    ),
    "a folder whose ü is two characters": (
        (f"{GREEN_NFD}/images/a.jpg",),
        {"data.yaml": f"train: {GREEN_NFC}/images\nnames: [leaf]\n", f"{GREEN_NFD}/labels/a.txt": ROW},
        {"a.jpg": ("train", 1)},
    ),
    "a folder percent-encoded": (
        ("my set/images/a.jpg",),
        {"data.yaml": "train: my%20set/images\nnames: [leaf]\n", "my set/labels/a.txt": ROW},
        {"a.jpg": ("train", 1)},
    ),
    "texts as PowerShell saves them": (
        ("images/a.jpg",),
        {
            "data.yaml": "train: train.txt\r\nnames: [leaf]\r\n".encode("utf-16"),
            **{"train.txt": ".\\images\\a.jpg\r\n".encode("utf-16"), "labels/a.txt": ROW},
        },
        {"a.jpg": ("train", 1)},
    ),
    "a film that begins without objects": (
        ("images/25.jpg",),
        {"classes.txt": "leaf\n", **{f"images/{n:02}.txt": "" for n in range(25)}, "images/25.txt": ROW},
        {"25.jpg": (None, 1)},
    ),
    "LabelImg: its list of classes among the labels": (
        ("images/a.jpg",),
        {"Labels/a.txt": ROW, "Labels/predefined_classes.txt": "leaf\n"},
        {"a.jpg": (None, 1)},
    ),
    "a list of classes among the pictures": (
        ("images/a.jpg",),
        {"labels/a.txt": ROW, "images/classes.txt": "leaf\n"},
        {"a.jpg": (None, 1)},
    ),
    "makesense: labels.txt": (("a.jpg",), {"a.txt": ROW, "labels.txt": "leaf\n"}, {"a.jpg": (None, 1)}),
    "a list of classes of another name": (
        ("images/a.jpg",),
        {"labels/a.txt": f"0.0{ROW[1:]}", "my.names": "leaf\n"},
        {"a.jpg": (None, 1)},
    ),
    "settings of another set beside its own": (
        ("images/a.jpg",),
        {
            "coco8.yaml": "path: coco8\ntrain: images/train\nval: images/val\nnames: {0: person}\n",
            **{"data.yaml": "train: images\nnames: [leaf]\n", "labels/a.txt": ROW},
        },
        {"a.jpg": ("train", 1)},
    ),
    "CVAT: a list beside data.yaml": (
        ("images/train/a.jpg",),
        {
            "data.yaml": "path: .\ntrain: train.txt\nnames: {0: leaf}\n",
            "train.txt": "data/images/train/a.jpg\n",
            "labels/train/a.txt": ROW,
        },
        {"a.jpg": ("train", 1)},
    ),
    "lists of two splits, on another computer": (
        ("images/train/a.jpg", "images/val/a.jpg"),
        {
            "data.yaml": "path: C:\\Users\\ann\\set\ntrain: lists/train.txt\nval: lists/val.txt\nnames: [leaf]\n",
            "lists/train.txt": "C:\\Users\\ann\\set\\images\\train\\a.jpg\n\n",
            "lists/val.txt": "./images/val/a.jpg",
            **{"labels/train/a.txt": ROW, "labels/val/a.txt": ROW * 2},
        },
        {"train/a.jpg": ("train", 1), "val/a.jpg": ("val", 2)},
    ),
    "a list that leaves pictures out": (
        ("images/a.jpg", "images/b.jpg"),
        {"data.yaml": "train: [train.txt]\nnames: [leaf]\n", "train.txt": "images/b.jpg\n", "labels/b.txt": ROW},
        {"b.jpg": ("train", 1)},
    ),
    "CVAT: YOLO 1.1": (
        ("obj_train_data/a.jpg",),
        {
            "obj.data": "classes = 1\ntrain = data/train.txt\nnames = data/obj.names\nbackup = backup/\n",
            "obj.names": "leaf\n",
            "train.txt": "data/obj_train_data/a.jpg\n",
            "obj_train_data/a.txt": ROW,
        },
        {"a.jpg": ("train", 1)},
    ),
    "Roboflow": (
        ("train/images/a.jpg", "valid/images/b.jpg", "test/images/c.jpg"),
        {
            "data.yaml": "train: ../train/images\nval: ../valid/images\ntest: ../test/images\nnc: 1\nnames: ['leaf']\n",
            **{"train/labels/a.txt": ROW, "valid/labels/b.txt": ROW, "test/labels/c.txt": ROW},
        },
        {"a.jpg": ("train", 1), "b.jpg": ("val", 1), "c.jpg": (None, 1)},
    ),
    "the folder above images": (
        ("train/images/a.jpg", "valid/images/b.jpg"),
        {
            "data.yaml": "path: /content/set\ntrain: train\nval: valid\nnames: [leaf]\n",
            **{"train/labels/a.txt": ROW, "valid/labels/b.txt": ROW},
        },
        {"a.jpg": ("train", 1), "b.jpg": ("val", 1)},
    ),
    "Label Studio": (
        ("images/a.jpg",),
        {"classes.txt": "leaf\ncell\n", "notes.json": '{"categories": []}', "labels/a.txt": ROW},
        {"a.jpg": (None, 1)},
    ),
    "LabelImg: all in one folder": (
        ("a.jpg", "b.jpg"),
        {"classes.txt": "leaf\n", "a.txt": ROW},
        {"a.jpg": (None, 1), "b.jpg": (None, 0)},
    ),
    "classes among the labels, folders of splits": (
        ("images/train/a.jpg", "images/val/b.jpg"),
        {"labels/classes.txt": "leaf\n", "labels/train/a.txt": ROW, "labels/val/b.txt": ROW},
        {"train/a.jpg": ("train", 1), "val/b.jpg": ("val", 1)},
    ),
    "labels beside the pictures": (
        ("images/train/a.jpg",),
        {"data.yaml": "train: images/train\nnames: [leaf]\n", "images/train/a.txt": ROW},
        {"a.jpg": ("train", 1)},
    ),
    "several folders of a split": (
        ("one/a.jpg", "two/b.jpg"),
        {"data.yaml": "train: [one, two]\nval: []\nnames: [leaf]\n", "one/a.txt": ROW, "two/b.txt": ROW},
        {"a.jpg": ("train", 1), "b.jpg": ("train", 1)},
    ),
    "a list of folders to validate on": (
        ("images/t/a.jpg", "images/v1/b.jpg", "images/v2/c.jpg"),
        {
            "data.yaml": "train: images/t\nval:\n  - images/v1\n  - images/v2\nnames: {0: leaf}\n",
            **{"labels/t/a.txt": ROW, "labels/v1/b.txt": ROW, "labels/v2/c.txt": ROW},
        },
        {"a.jpg": ("train", 1), "b.jpg": ("val", 1), "c.jpg": ("val", 1)},
    ),
    "names spelled otherwise": (
        ("images/IMG_1.JPG",),
        {"data.yaml": "train: images\nnames: [leaf]\n", "labels/img_1.txt": ROW},
        {"IMG_1.JPG": ("train", 1)},
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout_is_read(layout: str, lay: Lay) -> None:
    pictures, texts, expected = LAYOUTS[layout]
    folder = lay(*pictures, texts=texts)
    dataset = read(folder)
    assert found(dataset) == expected
    assert dataset.warnings == ()
    assert dataset.classes[0] == "leaf"
    assert all(region.shape == TRIANGLE for record in dataset.images for region in record.regions)
    staged = stage_path(folder)
    assert staged.format == "YOLO segmentation"
    assert [len(record.regions) for record in staged.dataset.images] == [n for _, n in expected.values()]


@pytest.mark.parametrize(
    ("pictures", "settings", "named", "there"),
    [
        (("train/images/a.jpg",), "train: images/train\nval: images/val", "images/train", "train/images"),
        (("imgs/a.jpg", "pics/b.jpg"), "train: images", "images", "imgs, pics"),
        (("a.jpg",), "train: train/images", "train/images", "the folder itself"),
        (("images/a.jpg",), "train: valid/images", "valid/images", "images"),
        (
            ("images/training/a.jpg",),
            "path: /data/set\ntrain: /data/set/images/train",
            "images/train",
            "images/training",
        ),
        (("images/a.jpg",), "train: train.txt", "train.txt", "images"),
        ((), "train: images/train", "images/train", "No folder of .* holds pictures"),
    ],
)
def test_folders_that_disagree_are_named(
    pictures: tuple[str, ...], settings: str, named: str, there: str, lay: Lay
) -> None:
    folder = lay(*pictures, texts={"data.yaml": f"{settings}\nnames: [leaf]\n"})
    with pytest.raises(StudioError, match=f'data.yaml: .*{named}" as train, a .* that is not there.*{there}'):
        read(folder)
    with pytest.raises(StudioError, match=f'data.yaml: .*{named}" as train'):
        stage_path(folder)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("val: images/nope", '"images/nope" as val, a folder that is not there. Folders of pictures here: im'),
        ("val: val.txt", 'has "val.txt" as val, a list that is not there'),
        ("val: [images/train, images/more]", 'has "images/more" as val, a folder that is not there'),
        ("test: ../test/images", 'has "../test/images" as test, a folder that is not there'),
        ("val: images/empty", 'has "images/empty" as val, which holds no pictures'),
        ("val: images/train", "1 picture of val is in train too, and was taken for train"),
        ("nc: 3", "says that there are 3 classes (nc) and names 1; the names were taken"),
    ],
)  # fmt: skip
def test_what_data_yaml_has_and_the_folders_have_not_is_told(entry: str, said: str, lay: Lay) -> None:
    settings = f"train: images/train\n{entry}\nnames: [leaf]\n"
    folder = lay("images/train/a.jpg", texts={"data.yaml": settings, "labels/train/a.txt": ROW})
    (folder / "images" / "empty").mkdir()
    dataset = read(folder)
    assert found(dataset) == {"a.jpg": ("train", 1)}
    assert any(said in line for line in dataset.warnings), dataset.warnings
    assert any(said in line for line in stage_path(folder).warnings)


@pytest.mark.parametrize("entry", ["nc: several", "kpt_names: {0: [nose, tail]}"])
def test_what_only_informs_and_makes_no_sense_is_passed_over(entry: str, lay: Lay) -> None:
    settings = f"train: images\n{entry}\nnames: [leaf]\n"
    dataset = read(lay("images/a.jpg", texts={"data.yaml": settings, "labels/a.txt": ROW}))
    assert (dataset.n_regions, dataset.skeletons) == (1, {})


def test_what_no_split_names_and_what_a_list_misses_is_counted(lay: Lay) -> None:
    texts = {"data.yaml": "train: images/train\nnames: [leaf]\n", "labels/train/a.txt": ROW, "labels/val/b.txt": ROW}
    folder = lay("images/train/a.jpg", "images/val/b.jpg", "images/val/c.jpg", texts=texts)
    (line,) = read(folder).warnings
    assert line.endswith("data.yaml: 1 picture with labels left out, in images/val, which no split names")
    (folder / "data.yaml").write_text("train: t.txt\nnames: [leaf]\n")
    (folder / "t.txt").write_text("images/train/a.jpg\nimages/train/gone.jpg\n")
    (line,) = read(folder).warnings
    assert line.endswith("t.txt: 1 picture not found of 2 lines (images/train/gone.jpg)")


def test_the_pictures_of_a_list_may_lie_elsewhere(lay: Lay, picture: Any, tmp_path: Path) -> None:
    """As CVAT exports annotations without images."""
    texts = {"data.yaml": "train: train.txt\nnames: [leaf]\n", "train.txt": "data/images/train/a.jpg\n"}
    folder = lay(texts={**texts, "labels/train/a.txt": ROW})
    with pytest.raises(StudioError, match=r"labels/train/a\.txt: its picture is not in .*--images DIR"):
        read(folder)
    path = picture("elsewhere/a.jpg")
    (record,) = read(folder, tmp_path / "elsewhere").images
    assert (record.path, [region.shape for region in record.regions]) == (path, [TRIANGLE])


@pytest.mark.parametrize(
    ("label", "picture_name", "said"),
    [
        (f"{GREEN_NFC}.txt", f"{GREEN_NFD}.png", ""),
        ("IMG_1.txt", "img_1.JPG", ""),
        ("a%20b.txt", "sub/a b.jpg", ""),
        ("1a2b3c4d-a.txt", "a.jpg", r'\("a.jpg" is there\)'),  # Label Studio's name, and the person's own
        ("a.txt", "b.jpg", "its picture is not in"),
    ],
)
def test_a_picture_elsewhere_that_is_spelled_otherwise(
    label: str, picture_name: str, said: str, lay: Lay, picture: Any, tmp_path: Path
) -> None:
    folder = lay(texts={"classes.txt": "leaf\n", f"labels/{label}": ROW})
    path = picture(f"elsewhere/{picture_name}")
    if said:
        with pytest.raises(StudioError, match=said):
            read(folder, tmp_path / "elsewhere")
    else:
        assert [record.path for record in read(folder, tmp_path / "elsewhere").images] == [path]


def test_a_text_among_the_labels_that_is_none_is_passed_over(lay: Lay) -> None:
    texts = {"data.yaml": "train: images\nnames: [leaf]\n", "labels/a.txt": ROW, "labels/log.txt": "started\n"}
    folder = lay("images/a.jpg", texts=texts)
    for dataset_warnings in (read(folder).warnings, stage_path(folder).warnings):
        (line,) = dataset_warnings
        assert line.endswith("log.txt: was passed over, as it has no rows of YOLO and no picture is called so")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("data.yaml", 'path: "C:\\Users\\ann"\ntrain: images\nnames: [leaf]\n', "line 1, column 12: .* paths with /"),
        ("data.yaml", "train: images\nnames:\n\t0: leaf\n", "line 3, column 1: .*indent its lines with blanks"),
        ("data.yaml", "train: images\nnames: ['leaf'\n", "is no YAML: line 3, column 1"),
        ("data.yaml", "train: images\nnames: [Blätter]\n".encode("cp1252"), 'line 2, column 11: .*"ä"; save .* UTF-8'),
        ("classes.txt", "Blätter\n".encode("cp1252"), 'line 1, column 3: .*"ä"; save the file as UTF-8'),
    ],
)  # fmt: skip
def test_settings_that_cannot_be_read_are_named_and_not_missed(
    name: str, content: str | bytes, said: str, lay: Lay
) -> None:
    folder = lay("images/a.jpg", texts={name: content, "labels/a.txt": ROW})
    for reader in (read, stage_path):
        with pytest.raises(StudioError, match=rf"{name}: .*{said}"):
            reader(folder)


@pytest.mark.parametrize("trouble", ["no picture", "a picture that is none", "an empty file", "cut off in its header"])
def test_the_import_passes_over_what_has_no_picture(trouble: str, lay: Lay) -> None:
    """As it does for labels of every format; on the command line training stops there in any case."""
    texts = {"data.yaml": "train: images\nnames: [leaf]\n", "labels/a.txt": ROW, "labels/b.txt": ROW}
    folder = lay("images/a.jpg", texts=texts)
    content = {"a picture that is none": b"<svg/>", "an empty file": b"", "cut off in its header": b"\xff\xd8\xff\xe0"}
    if trouble in content:
        (folder / "images" / "b.jpg").write_bytes(content[trouble])
    with pytest.raises(StudioError, match=r"b\.(jpg|txt): "):
        read(folder)
    staged = stage_path(folder)
    assert found(staged.dataset) == {"a.jpg": ("train", 1)}
    (line,) = staged.warnings
    assert line.startswith("passed over: ")
    assert "/b." in line
    (folder / "images" / "a.jpg").unlink()
    (folder / "labels" / "a.txt").unlink()
    with pytest.raises(StudioError, match=r"b\.(jpg|txt): "):
        stage_path(folder)


def test_two_masks_and_a_list_of_their_classes_are_no_yolo(tmp_path: Path) -> None:
    import numpy as np
    from PIL import Image

    values = np.zeros((20, 30), np.uint16)
    values[3:9, 3:9] = 1001
    Image.fromarray(values).save(tmp_path / "a.png")
    (tmp_path / "classes.txt").write_text("leaf\n")
    (tmp_path / "notes.txt").write_text("0 is the background\n")
    assert read(tmp_path).extras["flavour"] == "masks"


# The file's own word against a guess


@pytest.mark.parametrize(
    ("train", "val", "test"),
    [
        ("images/val_old", "images/train_new", None),
        ("images/valid", "images/test", None),
        ("images/test", "images/train", None),
        ("images/a", "images/train", "images/val"),
        ("train.txt", "test.txt", None),
    ],
)
def test_the_split_is_what_the_settings_say_and_not_what_a_folder_is_called(
    train: str, val: str, test: str | None, lay: Lay
) -> None:
    entries = {"train": train, "val": val, **({"test": test} if test else {})}
    pictures, texts = [], {"data.yaml": "names: [leaf]\n" + "".join(f"{k}: {v}\n" for k, v in entries.items())}
    for split, entry in entries.items():
        picture = f"images/{'val' if split == 'train' else 'train'}/{split}.jpg"
        if entry.endswith(".txt"):
            texts[entry] = picture
        else:
            picture = f"{entry}/{split}.jpg"
        pictures.append(picture)
        texts[picture.replace("images", "labels").replace(".jpg", ".txt")] = ROW
    folder = lay(*pictures, texts=texts)
    assert {name: split for name, (split, _) in found(read(folder)).items()} == {
        f"{split}.jpg": {"train": "train", "val": "val", "test": None}[split] for split in entries
    }
    staged = {record.file_name: record.split for record in stage_path(folder).dataset.images}
    assert staged == {f"{split}.jpg": "train" if split == "train" else "val" for split in entries}


PLACES = "0.5 0.5 0.5 0.4 "


@pytest.mark.parametrize(
    ("settings", "row", "box", "keypoints"),
    [
        ("kpt_shape: [2, 3]", f"{PLACES}0.25 0.4 2 0.75 0.6 1", Rect(10, 9, 20, 12), ((10, 12, 2), (30, 18, 1))),
        ("kpt_shape: [2, 3]", f"{PLACES}0.25 0.4 2.0 0 0 0", Rect(10, 9, 20, 12), ((10, 12, 2), (0, 0, 0))),
        ("kpt_shape: [1, 3]", f"{PLACES}0.9 0.9 0", Rect(10, 9, 20, 12), ((0, 0, 0),)),
        ("kpt_shape: [2, 2]", f"{PLACES}0.25 0.4 0.75 0.6", Rect(10, 9, 20, 12), ((10, 12, 2), (30, 18, 2))),
        ("kpt_shape: [1, 2]", f"{PLACES}0 0", Rect(10, 9, 20, 12), ((0, 0, 0),)),
        ("kpt_shape: (1, 2)", f"{PLACES}0.5 0.5", Rect(10, 9, 20, 12), ((20, 15, 2),)),
        ("kpt_shape: [2, 3]", PLACES, Rect(10, 9, 20, 12), None),
    ],
)
def test_keypoints_are_what_the_settings_say(
    settings: str, row: str, box: Rect, keypoints: tuple[Any, ...] | None, lay: Lay
) -> None:
    """By its count alone `class cx cy w h x y x y` would be an outline of four places."""
    texts = {"data.yaml": f"train: images\nnames: [person]\n{settings}\n", "labels/a.txt": f"0 {row}\n"}
    (record,) = read(lay("images/a.jpg", texts=texts)).images
    (region,) = record.regions
    assert region.shape == box
    assert region.keypoints == (Keypoints(keypoints) if keypoints is not None else None)


def test_keypoints_have_the_names_that_the_settings_give(lay: Lay) -> None:
    row = f"0 {PLACES}0.5 0.5 0.1 0.1 0.2 0.2\n"
    for names in ("{0: [nose, ear, tail]}", "[nose, ear, tail]"):  # of each class, or of all
        settings = f"train: images\nnames: [person]\nkpt_shape: [3, 2]\nkpt_names: {names}\n"
        dataset = read(lay("images/a.jpg", texts={"data.yaml": settings, "labels/a.txt": row}))
        assert dataset.skeletons == {"person": Skeleton(("nose", "ear", "tail"))}


@pytest.mark.parametrize(
    ("settings", "row", "said"),
    [
        ("kpt_shape: [2, 3]", f"{PLACES}0.25 0.4 0.75 0.6", r"has 8 numbers .* kpt_shape \[2, 3\] makes them 10"),
        ("kpt_shape: [1, 3]", "0.1 0.1 0.5 0.1 0.5 0.5", r"has 6 numbers .* makes them 7"),
        ("kpt_shape: [1, 3]", f"{PLACES}0.5 0.5 7", "a keypoint whose visibility is neither 0, 1 nor 2"),
        ("kpt_shape: [2, 3]", f"{PLACES}0.5 0.5 2 0.5 0.5 7", "a keypoint whose visibility is neither 0, 1 nor 2"),
        ("kpt_shape: [1, 4]", PLACES, r'as "kpt_shape", not how many keypoints'),
        ("kpt_shape: many", PLACES, r'has "many" as "kpt_shape"'),
        ("kpt_shape: [0, 3]", PLACES, r'as "kpt_shape"'),
    ],
)
def test_rows_that_are_not_what_the_settings_say(settings: str, row: str, said: str, lay: Lay) -> None:
    texts = {"data.yaml": f"train: images\nnames: [person]\n{settings}\n", "labels/a.txt": f"0 {row}\n"}
    with pytest.raises(StudioError, match=said):
        read(lay("images/a.jpg", texts=texts))


# A split of its own


@pytest.mark.parametrize(
    ("splits", "learned", "held_back", "said"),
    [
        ("train val", ["a.jpg"], ["b.jpg"], "1 picture to learn from, 1 to validate on"),
        (
            *("train val test", ["a.jpg"], ["b.jpg"]),
            "1 picture to learn from, 1 to validate on, 1 of the test split left out",
        ),
        ("train test", ["a.jpg"], None, "1 picture to learn from, 1 of the test split left out"),
        ("train", ["a.jpg"], None, None),
        ("val", ["b.jpg"], None, None),
    ],
)  # fmt: skip
def test_training_takes_the_split_that_a_set_has(
    splits: str, learned: list[str], held_back: list[str] | None, said: str | None, lay: Lay
) -> None:
    """Else it would learn the pictures that it is measured on."""
    names = dict(zip(("train", "val", "test"), "abc", strict=True))
    pictures = [f"images/{split}/{names[split]}.jpg" for split in splits.split()]
    texts = {f"labels/{split}/{names[split]}.txt": ROW for split in splits.split()}
    settings = "".join(f"{split}: images/{split}\n" for split in splits.split())
    dataset = read(lay(*pictures, texts={"data.yaml": f"{settings}names: [leaf]\n", **texts}))
    training, validation, line = by_own_split(dataset)
    assert [record.file_name for record in training.images] == learned
    assert (validation and [record.file_name for record in validation.images]) == held_back
    assert (line and line.partition("of its own: ")[2]) == said
