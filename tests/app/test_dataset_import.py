"""Import with a preview, export with its warnings, and the classes: the Dataset page without a browser."""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from maskrcnn.annotations import intake, raster
from maskrcnn.annotations.formats import writing
from maskrcnn.annotations.regions import Circle, Keypoints, Point, Polygon, Rect, Region, Skeleton
from maskrcnn.annotations.store import Project, ProjectClass
from maskrcnn.errors import StudioError
from maskrcnn.studio.dataset import export_view, import_preview
from maskrcnn.studio.shell.markdown_escape import plain
from maskrcnn.workspace import Workspace
from tests.sweeps import one_in

TRIANGLE = Polygon(((5.0, 5.0), (40.0, 8.0), (20.0, 40.0)))
CIRCLE = Circle(50, 20, 8)


def png(shade: int = 90) -> bytes:
    return cv2.imencode(".png", np.full((48, 64, 3), shade, np.uint8))[1].tobytes()


def via(*names: str, **attributes: Any) -> bytes:
    """VIA 2.x labels: one circle with these attributes on each picture."""
    shape = {"name": "circle", "cx": 30, "cy": 20, "r": 9}
    region = {"shape_attributes": shape, "region_attributes": attributes}
    document = {name: {"filename": name, "size": -1, "regions": [region], "file_attributes": {}} for name in names}
    return json.dumps(document).encode()


def zipped(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/").replace("_", "."), content)
    return buffer.getvalue()


@pytest.fixture(autouse=True)
def staging(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where uploads wait; nothing may be left there."""
    folder = tmp_path / "staging"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def project(workspace: Path) -> Project:
    """Two pictures, the first with a triangle ("cell") and a circle ("leaf")."""
    made = Project.create(workspace / "plants")
    made.add_pictures([("a.png", png(60)), ("b.png", png(90))], "train")
    first = made.images()[0]
    made.save(first.id, [Region(TRIANGLE, "cell"), Region(CIRCLE, "leaf")], first.revision)
    return made


def open_view(root: Path, view: str) -> AppTest:
    app = AppTest.from_file(str(root / "app.py"), default_timeout=60)
    app.query_params["view"] = view
    app.switch_page("pages/label/dataset.py").run()
    assert not app.exception
    return app


def look_at(app: AppTest, *uploads: tuple[str, bytes], path: Path | str = "") -> AppTest:
    """Choose files, or name a path, and ask for the preview."""
    if uploads:
        app.file_uploader[0].set_value([(name, content, "application/octet-stream") for name, content in uploads]).run()
    else:
        next(entry for entry in app.text_input if entry.label.startswith("or a path")).input(str(path)).run()
    app.button(key="dataset_import_look").click().run()
    assert not app.exception
    return app


def shown(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


# Import


def test_classes_that_look_like_those_of_the_project_are_imported_as_these(
    root: Path, project: Project, tmp_path: Path
) -> None:
    (tmp_path / "leaves").mkdir()
    (tmp_path / "leaves" / "labels.json").write_bytes(via("c.png", label="Leaf"))
    (tmp_path / "leaves" / "c.png").write_bytes(png(7))
    app = look_at(open_view(root, "import"), path=tmp_path / "leaves")
    assert any("“Leaf” looks like “leaf” of this project" in element.value for element in app.warning)
    next(button for button in app.button if button.label == "Import it as “leaf”").click().run()
    assert not any("looks like" in element.value for element in app.warning)
    app.button(key="dataset_import_go").click().run()
    assert not app.exception
    assert [entry.name for entry in project.classes()] == ["cell", "leaf"]
    assert project.counts().classes == {"cell": 1, "leaf": 2}


def test_the_preview_says_what_was_understood_and_stores_nothing(root: Path, project: Project, tmp_path: Path) -> None:
    (tmp_path / "leaves").mkdir()
    (tmp_path / "leaves" / "labels.json").write_bytes(via("c.png", "gone.png", label="oak", quality="good"))
    (tmp_path / "leaves" / "c.png").write_bytes(png(7))
    app = look_at(open_view(root, "import"), path=tmp_path / "leaves")

    assert shown(app) == {
        "Pictures found": "1",
        "Pictures missing": "1",
        "Without labels": "0",
        "Regions": "1",
        "Classes": "1",
    }
    assert any("1 region more on 1 picture that is missing" in element.value for element in app.main.markdown)
    assert any("labels.json" in element.value for element in app.main.markdown)
    assert any("Shapes: 1 circle" in element.value for element in app.main.markdown)
    assert "gone.png" in app.dataframe[1].value.to_string()
    assert len(project.images()) == 2

    app.button(key="dataset_import_go").click().run()
    assert not app.exception
    new = project.images()[-1]
    assert (new.file_name, new.split) == ("c.png", "train")
    ((region,), _) = project.regions(new.id)
    assert region.shape == Circle(30, 20, 9)
    # The report is all that the page shows, and stays there, until the person goes on.
    for _ in range(2):
        assert "1 picture added" in app.warning[0].value
        assert list(app.dataframe[0].value["Picture"]) == ["gone.png"]
        assert not app.file_uploader
        app.run()
    app.button(key="dataset_import_dismiss").click().run()
    assert not app.warning
    assert app.file_uploader


def test_another_attribute_as_the_class(root: Path, project: Project) -> None:
    labels = via("b.png", kind="oak", quality="good")
    app = look_at(open_view(root, "import"), ("labels.json", labels))
    choice = next(box for box in app.selectbox if box.label == "Which attribute is the class")
    assert sorted(filter(None, (name.split(":")[0] for name in choice.options))) == ["kind", "none", "quality"]
    choice.set_value("quality").run()
    assert list(app.dataframe[0].value["class"]) == ["good"]
    app.button(key="dataset_import_go").click().run()

    # The picture was in the project already, so the labels alone were enough.
    ((region,), _) = project.regions(project.images()[1].id)
    assert (region.class_name, region.attributes) == ("good", {"kind": "oak"})
    assert len(project.images()) == 2


def test_cancel_leaves_nothing(root: Path, project: Project, staging: Path) -> None:
    app = look_at(open_view(root, "import"), ("new.zip", zipped(c_png=png(1), labels_json=via("c.png", kind="oak"))))
    assert shown(app)["Pictures found"] == "1"
    assert list(staging.iterdir())
    app.button(key="dataset_import_cancel").click().run()
    assert not list(staging.iterdir())
    assert [image.file_name for image in project.images()] == ["a.png", "b.png"]
    assert app.button(key="dataset_import_look").disabled


def test_pictures_are_for_what_their_folder_says_or_for_what_is_chosen(
    root: Path, project: Project, staging: Path
) -> None:
    upload = ("new.zip", zipped(train__c_png=png(1), val__d_png=png(2), val__e_png=png(3)))
    app = look_at(open_view(root, "import"), upload)
    app.button(key="dataset_import_go").click().run()
    assert {image.file_name: image.split for image in project.images()[2:]} == {
        "c.png": "train",
        "d.png": "val",
        "e.png": "val",
    }
    assert "3 pictures added" in app.success[0].value
    assert not list(staging.iterdir())
    app.button(key="dataset_import_dismiss").click().run()

    look_at(app, ("f.png", png(9)))
    next(group for group in app.button_group if group.key == "dataset_import_split").set_value("val").run()
    app.button(key="dataset_import_go").click().run()
    assert project.images()[-1].split == "val"


@pytest.mark.parametrize(
    ("uploads", "said"),
    [
        ([("labels.json", b"{")], "labels.json: not JSON"),
        ([("labels.json", b'{"a": 1}')], "labels.json: "),
        ([("bad.zip", zipped(a_png=png())[:40])], "bad.zip"),
        ([("picture.jpg", b"<svg onload='alert(1)'></svg>")], "picture.jpg"),
    ],
)
def test_what_is_refused_leaves_no_trace(
    root: Path, project: Project, staging: Path, uploads: list[tuple[str, bytes]], said: str
) -> None:
    before = project.images()
    app = look_at(open_view(root, "import"), *uploads)
    if not app.error:  # a picture that is none is passed over with a warning, and there is nothing to import
        assert app.button(key="dataset_import_go").disabled
    texts = [element.value for element in (*app.error, *app.warning)]
    assert any(said in text for text in texts), texts
    assert all("Traceback" not in text for text in texts)
    assert project.images() == before
    if app.error and not app.metric:
        assert not list(staging.iterdir())


def test_labels_without_any_picture_cannot_be_imported(root: Path, project: Project) -> None:
    app = look_at(open_view(root, "import"), ("labels.json", via("nowhere.png", kind="oak")))
    assert app.button(key="dataset_import_go").disabled
    assert "Its picture was not found: nowhere.png" in app.error[0].value
    assert "nowhere.png" in app.dataframe[1].value.to_string()


def test_a_path_that_does_not_exist(root: Path, project: Project) -> None:
    app = look_at(open_view(root, "import"), path="/no/such/folder")
    assert "/no/such/folder: does not exist" in app.error[0].value
    assert len(project.images()) == 2


def test_an_empty_project_imports_on_the_annotate_page(root: Path, workspace: Path) -> None:
    made = Project.create(workspace / "empty")
    app = AppTest.from_file(str(root / "app.py"), default_timeout=60).run()
    look_at(app, ("a.png", png()))
    app.button(key="dataset_import_go").click().run()
    assert not app.exception
    assert len(made.images()) == 1
    assert "1 picture added" in app.success[0].value
    app.button(key="dataset_import_dismiss").click().run()
    assert app.query_params["image"] == "a.png"


def test_new_classes_get_the_colours_that_the_preview_shows(project: Project, tmp_path: Path) -> None:
    for name in ("c.png", "d.png"):
        (tmp_path / name).write_bytes(png(len(name)))
    project.set_classes([*project.classes(), ProjectClass("red", "#009e73")])  # the third of the list is taken
    (tmp_path / "labels.json").write_bytes(via("c.png", kind="oak"))
    with intake.stage_path(tmp_path / "labels.json") as staged:
        foreseen = import_preview.colours_after_import(project.classes(), staged.dataset)
        project.import_dataset(staged.dataset, "train")
    assert {entry.name: entry.colour for entry in project.classes()} == {
        name: colour for name, colour in foreseen.items() if name
    }


# Thousands of classes


def captions(count: int, name: str = "c.png") -> bytes:
    """VIA labels of one picture: each region has free text of its own, and one of two kinds."""
    shape = {"name": "circle", "cx": 30, "cy": 20, "r": 9}
    regions = [
        {"shape_attributes": shape, "region_attributes": {"label": f"a leaf, number {n}", "kind": "ab"[n % 2]}}
        for n in range(count)
    ]
    return json.dumps({name: {"filename": name, "size": -1, "regions": regions, "file_attributes": {}}}).encode()


def coco_of_categories(count: int) -> bytes:
    categories = [{"id": n, "name": f"thing {n}"} for n in range(1, count + 1)]
    annotations = [{"id": n, "image_id": 1, "category_id": n, "bbox": [1, 1, 9, 9]} for n in range(1, count + 1)]
    images = [{"id": 1, "file_name": "c.png", "width": 64, "height": 48}]
    return json.dumps({"images": images, "annotations": annotations, "categories": categories}).encode()


def question(app: AppTest) -> str:
    [text] = [warning.value for warning in app.warning if "really the class?" in warning.value]
    return text


def test_thousands_of_classes_are_asked_about_and_by_default_not_made(root: Path, project: Project) -> None:
    app = look_at(open_view(root, "import"), ("labels.json", captions(5000)), ("c.png", png(7)))
    assert shown(app)["Classes"] == "5000"
    said = question(app)
    assert said.startswith("**5,000 classes: is label really the class?**")
    assert "a leaf, number 0, a leaf, number 1" in said  # as they come
    assert "It could also be kind: 2 values in 5,000 regions" in said
    assert app.button(key="dataset_import_go").disabled
    assert [entry.name for entry in project.classes()] == ["cell", "leaf"]

    [sure] = [box for box in app.checkbox if box.label == "Yes, make all 5,000 classes"]
    assert not sure.value
    sure.check().run()
    assert not app.button(key="dataset_import_go").disabled
    app.button(key="dataset_import_go").click().run(timeout=60)
    assert not app.exception
    assert len(project.classes()) == 5002


def test_another_attribute_ends_the_question(root: Path, project: Project) -> None:
    app = look_at(open_view(root, "import"), ("labels.json", captions(2600)), ("c.png", png(7)))
    assert question(app).startswith("**2,600 classes: is label really the class?**")
    [box] = [box for box in app.checkbox if "2,600" in box.label]
    box.check().run()
    next(box for box in app.selectbox if box.label == "Which attribute is the class").set_value("kind").run()
    assert shown(app)["Classes"] == "2"
    assert not [warning for warning in app.warning if "really the class" in warning.value]
    app.button(key="dataset_import_go").click().run()
    assert [entry.name for entry in project.classes()] == ["cell", "leaf", "a", "b"]


@pytest.mark.parametrize(
    ("labels", "what"),
    one_in(2, [(captions(300), "is label"), (coco_of_categories(300), "is the category")]),
    ids=["VIA", "COCO"],
)
def test_one_class_for_all_of_them(labels: bytes, what: str, root: Path, project: Project) -> None:
    app = look_at(open_view(root, "import"), ("labels.json", labels), ("c.png", png(7)))
    assert question(app).startswith(f"**300 classes: {what} really the class?**")
    app.button(key="dataset_import_one_class").click().run()
    assert not app.exception
    assert shown(app)["Classes"] == "1"
    assert not [warning for warning in app.warning if "really the class" in warning.value]
    app.button(key="dataset_import_go").click().run()
    assert not app.exception
    assert [entry.name for entry in project.classes()] == ["cell", "leaf", "object"]


def test_two_hundred_new_classes_are_made_without_a_question(root: Path, project: Project) -> None:
    app = look_at(open_view(root, "import"), ("labels.json", coco_of_categories(200)), ("c.png", png(7)))
    assert not [warning for warning in app.warning if "really the class" in warning.value]
    preview = import_preview.colours_after_import(
        project.classes(), intake.stage_uploads([("labels.json", coco_of_categories(200))], beside=None).dataset
    )
    app.button(key="dataset_import_go").click().run()
    assert len(project.classes()) == 202
    assert {entry.name: entry.colour for entry in project.classes()}.items() <= preview.items()


def test_classes_that_the_project_has_are_not_asked_about(root: Path, project: Project) -> None:
    project.set_classes([*project.classes(), *(ProjectClass(f"thing {n}", "#e69f00") for n in range(1, 3001))])
    app = look_at(open_view(root, "import"), ("labels.json", coco_of_categories(3000)), ("c.png", png(7)))
    assert not [warning for warning in app.warning if "really the class" in warning.value]
    assert not app.button(key="dataset_import_go").disabled


def test_whoever_imports_without_a_preview_can_refuse_thousands_of_classes(tmp_path: Path) -> None:
    uploads = [("labels.json", captions(2600)), ("c.png", png(7))]
    with intake.stage_uploads(uploads, base=tmp_path) as staged, pytest.raises(StudioError) as caught:
        staged.require_few_classes()
    assert str(caught.value) == (
        'labels.json: makes 2600 classes by "label" (such as a leaf, number 0, a leaf, number 1, a leaf, number 10 and '
        "2597 more), more than 200; import it into a project, under Dataset, where you can choose the class"
    )
    with intake.stage_uploads([("labels.json", captions(2)), ("c.png", png(7))], base=tmp_path) as staged:
        staged.require_few_classes()


# Export


@pytest.mark.parametrize("format", list(writing.FORMATS))
def test_an_export_is_read_back(project: Project, tmp_path: Path, format: str) -> None:
    ready = export_view.prepared(project, format, "all", pictures=True)
    assert ready.name == f"plants-{format}.zip"
    (tmp_path / ready.name).write_bytes(ready.content)
    other = Project.create(tmp_path / "other")
    with intake.stage_path(tmp_path / ready.name) as staged:
        assert not staged.missing
        other.import_dataset(staged.dataset, "train")
    (labelled,) = [image for image in other.images() if image.n_regions]
    found = {region.class_name: region.shape for region in other.regions(labelled.id)[0]}
    assert set(found) == {"cell", "leaf"}
    for name, shape in (("cell", TRIANGLE), ("leaf", CIRCLE)):
        was, now = (raster.mask(one, 48, 64) for one in (shape, found[name]))
        assert (was & now).sum() / (was | now).sum() > 0.9, name
    if format.startswith("via"):
        assert found == {"cell": TRIANGLE, "leaf": CIRCLE}


def test_what_a_format_cannot_hold_is_said_before_the_download(root: Path, project: Project) -> None:
    second = project.images()[1]
    project.save(second.id, [Region(Point(3, 4), "cell"), Region(Rect(1, 1, 9, 9), "leaf")], second.revision)
    app = open_view(root, "export")
    assert not app.download_button
    app.selectbox(key="dataset_export_format").set_value("yolo").run()
    button(app, "Prepare the file").click().run()
    assert "1 region without area" in app.warning[0].value
    assert "plants-yolo.zip" in app.download_button[0].label

    # What was prepared holds the old labels: after a save it is not offered any more.
    image = project.images()[1]
    project.save(image.id, [], image.revision)
    app.run()
    assert not app.download_button
    button(app, "Prepare the file").click().run()
    assert "1 region without area" not in app.warning[0].value
    app.selectbox(key="dataset_export_format").set_value("via2").run()
    button(app, "Prepare the file").click().run()
    assert "holds everything" in app.success[0].value


def test_an_export_of_one_split_is_named_after_it(project: Project) -> None:
    project.set_split(project.images()[1].id, "val")
    ready = export_view.prepared(project, "coco", "val", pictures=False)
    assert ready.name == "plants-val-coco.json"
    assert [image["file_name"] for image in json.loads(ready.content)["images"]] == ["b.png"]


# Classes


def button(app: AppTest, label: str) -> Any:
    return next(element for element in app.button if label in element.label)


def test_a_class_gets_another_name_colour_and_key(root: Path, project: Project) -> None:
    app = open_view(root, "classes")
    widget(app.text_input, "Name").input("nucleus")
    widget(app.color_picker, "Colour").set_value("#123456")
    widget(app.selectbox, "Key").set_value("n")
    button(app, "Save").click().run()
    assert not app.exception
    first, second = project.classes()
    assert first == ProjectClass("nucleus", "#123456", "n")
    assert second.name == "leaf"
    assert [region.class_name for region in project.regions(project.images()[0].id)[0]] == ["nucleus", "leaf"]
    assert app.selectbox(key="dataset_classes_chosen").value == "nucleus"


def test_a_name_that_is_taken_points_to_the_merge(root: Path, project: Project) -> None:
    app = open_view(root, "classes")
    widget(app.text_input, "Name").input("leaf")
    button(app, "Save").click().run()
    assert "use Merge" in app.error[0].value
    app.selectbox(key="dataset_merge").set_value("leaf").run()
    app.button(key="dataset_class_merge").click().run()
    assert [entry.name for entry in project.classes()] == ["leaf"]
    assert project.counts().classes == {"leaf": 2}

    (snapshot,) = project.snapshots()
    widget(app.selectbox, "Go back to").set_value(snapshot.id).run()
    app.button(key="dataset_restore_button").click().run()
    assert not app.exception
    assert project.counts().classes == {"cell": 1, "leaf": 1}


def test_order_removal_and_a_new_class(root: Path, project: Project) -> None:
    app = open_view(root, "classes")
    app.text_input(key="dataset_new_class_name").input("stem")
    button(app, "Add class").click().run()
    assert [entry.name for entry in project.classes()] == ["cell", "leaf", "stem"]
    app.button(key="dataset_class_up").click().run()
    app.button(key="dataset_class_up").click().run()
    assert [entry.name for entry in project.classes()] == ["stem", "cell", "leaf"]
    app.button(key="dataset_class_remove").click().run()
    assert [entry.name for entry in project.classes()] == ["cell", "leaf"]
    assert app.button(key="dataset_class_remove").disabled  # regions use it


def test_another_class_attribute_can_be_undone(root: Path, workspace: Path, tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(png())
    (tmp_path / "labels.json").write_bytes(via("a.png", "b.png", kind="oak", quality="good"))
    project = Project.create(workspace / "trees")
    with intake.stage_path(tmp_path / "labels.json") as staged:
        project.import_dataset(staged.with_class_attribute("kind").dataset, "train")
    before = [project.regions(image.id)[0] for image in project.images()]

    app = open_view(root, "classes")
    app.session_state["dataset_class_attribute_open"] = True
    app.run()
    widget(app.selectbox, "Which attribute is the class").set_value("quality").run()
    app.button(key="dataset_set_class_attribute").click().run()
    assert not app.exception
    regions = [project.regions(image.id)[0] for image in project.images()]
    assert [(region.class_name, region.attributes) for (region,) in regions] == [("good", {"kind": "oak"})] * 2

    widget(app.selectbox, "Go back to").set_value(project.snapshots()[0].id).run()
    app.button(key="dataset_restore_button").click().run()
    assert [project.regions(image.id)[0] for image in project.images()] == before
    assert project.class_attribute == "kind"


def test_a_skeleton_is_shown(root: Path, project: Project) -> None:
    cell, leaf = project.classes()
    skeleton = Skeleton(("tip", "stalk"), ((0, 1),))
    project.set_classes([ProjectClass(cell.name, cell.colour, cell.hotkey, skeleton), leaf])
    image = project.images()[1]
    project.save(image.id, [Region(Keypoints(((3.0, 4.0, 2), (0.0, 0.0, 0))), "cell")], image.revision)
    app = open_view(root, "classes")
    (expander,) = [entry for entry in app.expander if entry.label == "2 keypoints, 1 bone"]
    assert [element.value for element in expander.markdown] == ["tip, stalk", "tip-stalk"]


def widget(group: Any, label: str) -> Any:
    return next(entry for entry in group if entry.label == label)


# Names as text


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a_b c-d.png", "a_b c-d.png"),
        ("**bold**", "\\*\\*bold\\*\\*"),
        ("_x_", "\\_x\\_"),
        ("<b>", "\\<b\\>"),
        (":red[x] 12:30 note: y", "\\:red\\[x\\] 12\\:30 note: y"),
        ("$x$ `y` ~z~", "\\$x\\$ \\`y\\` \\~z\\~"),
        ("# one", "\\# one"),
        ("1. one", "1\\. one"),
        ("- one", "\\- one"),
        ("one\ntwo", "one two"),
        ("R&amp;D", "R\\&amp;D"),
        ("Äpfel 猫 кошка", "Äpfel 猫 кошка"),
    ],
)
def test_names_are_shown_as_they_are(text: str, escaped: str) -> None:
    assert plain(text) == escaped


# A path that becomes a project of its own


def test_a_zip_opened_from_the_side_bar_becomes_a_project(
    root: Path, workspace: Path, project: Project, staging: Path, tmp_path: Path
) -> None:
    archive = tmp_path / "birds.zip"
    archive.write_bytes(zipped(train__c_png=png(1), val__d_png=png(2), labels_json=via("c.png", label="owl")))
    app = AppTest.from_file(str(root / "app.py"), default_timeout=60).run()
    app.text_input(key="open_path").input(str(archive))
    next(element for element in app.button if element.label == "Open").click().run()
    assert not app.exception
    (made,) = [path for path in workspace.iterdir() if path.name != "plants" and not path.name.startswith(".")]
    opened = Project.open(made)
    assert {image.file_name: image.split for image in opened.images()} == {"c.png": "train", "d.png": "val"}
    assert opened.counts().classes == {"owl": 1}
    assert not list(staging.iterdir())
    # What came in stands there until the person goes on.
    assert shown(app.run())["Pictures added"] == "2"
    app.button(key="dataset_import_dismiss").click().run()
    assert not app.metric


@pytest.mark.parametrize(
    ("named", "there", "said"),
    [
        ("1.png", "1 (2).png", "pictures of nearly the same name can be taken"),
        ("leaf.png", "leaf.jpg", "pictures of nearly the same name can be taken"),
        ("balloon.png", "ballon.png", "pictures of nearly the same name can be taken"),
        ("leaf.png", "other.png", "here are other.png; put what is missing beside the labels"),
        ("IMG_1.png", "IMG_2.png", "here are IMG_2.png; put what is missing beside the labels"),
    ],
)
def test_labels_whose_pictures_have_other_names_are_not_opened_without_a_word(
    root: Path, workspace: Path, project: Project, tmp_path: Path, named: str, there: str, said: str
) -> None:
    """They came in as pictures without a region."""
    (tmp_path / "birds").mkdir()
    (tmp_path / "birds" / "labels.json").write_bytes(via(named, label="owl"))
    (tmp_path / "birds" / there).write_bytes(png(1))
    with pytest.raises(StudioError, match="its picture was not found") as told:
        Workspace(workspace).opened(str(tmp_path / "birds"))
    assert said in str(told.value)
    assert [path.name for path in workspace.iterdir() if not path.name.startswith(".")] == ["plants"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("labels.json", via("gone.png", label="owl"), "its picture was not found"),
        ("a.zip", b"PK\x03\x04", "a.zip"),
        ("notes.txt", b"hello", "neither pictures nor labels"),  # although a picture lies beside it
        ("a.pdf", b"%PDF-1.4", "neither pictures nor labels"),
    ],
)
def test_a_path_that_cannot_be_opened_makes_no_project(
    root: Path, workspace: Path, project: Project, staging: Path, tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    (tmp_path / name).write_bytes(content)
    (tmp_path / "beside").mkdir()
    (tmp_path / "beside" / "x.png").write_bytes(png())
    app = AppTest.from_file(str(root / "app.py"), default_timeout=60).run()
    app.text_input(key="open_path").input(str(tmp_path / name))
    next(element for element in app.button if element.label == "Open").click().run()
    assert not app.exception
    assert said in app.error[0].value
    assert [path.name for path in workspace.iterdir() if not path.name.startswith(".")] == ["plants"]
    assert not list(staging.iterdir())


# Several attributes that each name a class


def fruit(*names: str) -> bytes:
    """VIA labels of one circle on each picture, whose attribute is called as its value."""
    document = {f"{number}.png": json.loads(via(f"{number}.png", **{name: name})) for number, name in enumerate(names)}
    return json.dumps({key: value for one in document.values() for key, value in one.items()}).encode()


def test_an_import_says_that_several_attributes_name_classes_and_takes_each(root: Path, project: Project) -> None:
    names = ["mango", "mango", "mango", "orange", "orange"]
    pictures = [(f"{number}.png", png(90 + number)) for number in range(5)]
    app = look_at(open_view(root, "import"), ("labels.json", fruit(*names)), *pictures)
    assert any("Several attributes name classes: mango, orange" in box.value for box in app.warning)
    widget(app.selectbox, "Which attribute is the class").set_value("mango, orange").run()
    assert not app.exception
    assert not any("Several attributes" in box.value for box in app.warning)
    app.button(key="dataset_import_go").click().run()
    assert not app.exception
    found = [region.class_name for image in project.images() for region in project.regions(image.id)[0]]
    assert [name for name in found if name in names] == names


def test_a_project_with_an_attribute_for_each_class_can_take_each(root: Path, workspace: Path, tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.png").write_bytes(png(90 + number))
    (tmp_path / "labels.json").write_bytes(fruit("mango", "mango", "orange"))
    project = Project.create(workspace / "fruit")
    with intake.stage_path(tmp_path / "labels.json") as staged:
        assert staged.rivals == ("mango", "orange")
        project.import_dataset(staged.dataset, "train")
    app = open_view(root, "classes")
    app.session_state["dataset_class_attribute_open"] = True
    app.run()
    assert any("Several attributes name classes: mango, orange" in box.value for box in app.warning)
    widget(app.selectbox, "Which attribute is the class").set_value("mango, orange").run()
    app.button(key="dataset_set_class_attribute").click().run()
    assert not app.exception
    found = [region.class_name for image in project.images() for region in project.regions(image.id)[0]]
    assert found == ["mango", "mango", "orange"]
    assert project.class_attribute == "class"


@pytest.mark.parametrize(
    ("named", "there"),
    [("1.png", "1 (2).png"), ("leaf.jpg", "leaf.png"), ("balloon.png", "ballon.png"), ("my leaf.png", "my_leaf.png")],
)
def test_a_near_name_is_offered_and_taken_by_a_click(root: Path, project: Project, named: str, there: str) -> None:
    app = look_at(open_view(root, "import"), ("labels.json", via(named, kind="oak")), (there, png(7)))
    assert shown(app)["Regions"] == "0"
    assert named in app.error[0].value
    assert there in app.error[0].value
    offers = next(table.value for table in app.dataframe if "In the labels" in table.value)
    assert (list(offers["In the labels"]), list(offers["Here"])) == ([named], [there])
    bare = dict(app.session_state["dataset_import_waiting"].drawn)
    app.button(key="dataset_import_near").click().run()
    assert not app.exception
    assert not app.error
    assert shown(app)["Regions"] == "1"
    ((key, with_region),) = app.session_state["dataset_import_waiting"].drawn.items()
    assert with_region not in (None, bare[key])  # drawn again, with its region
    app.button(key="dataset_import_go").click().run()
    new = next(image for image in project.images() if image.file_name == there)
    assert new.n_regions == 1


def test_of_two_near_names_the_person_chooses(root: Path, project: Project) -> None:
    uploads = [("labels.json", via("1.png", kind="oak")), ("1 (1).png", png(7)), ("1 (2).png", png(8))]
    app = look_at(open_view(root, "import"), *uploads)
    assert not any(button.key == "dataset_import_near" for button in app.button)
    choice = next(box for box in app.selectbox if box.label == f"{plain('1.png')} is")
    assert list(choice.options) == ["none of these", "1 (1).png", "1 (2).png"]
    choice.set_value("1 (2).png").run()
    app.button(key="dataset_import_near").click().run()
    app.button(key="dataset_import_go").click().run()
    regions = {image.file_name: image.n_regions for image in project.images()}
    assert (regions["1 (1).png"], regions["1 (2).png"]) == (0, 1)
    # What came in, what was not labelled: the report is there, and nothing is missing.
    assert shown(app)["Pictures added"] == "2"
    assert shown(app)["Not found"] == "0"
