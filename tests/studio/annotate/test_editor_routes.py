"""The routes of the editor: what they answer, what they refuse, and that nothing is lost or half-written."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from maskrcnn.annotations.dataset import Dataset, ImageRecord
from maskrcnn.annotations.formats import writing
from maskrcnn.annotations.regions import Point, Polygon, Rect, Region, Skeleton
from maskrcnn.annotations.store import Project, ProjectBusy, ProjectClass, region_json
from maskrcnn.studio.annotate import editor_routes, json_routes
from maskrcnn.studio.annotate.json_routes import LARGE, for_browser

BOX = Region(Rect(1.0, 2.0, 3.0, 4.0), "cat", {"mood": "calm"}, extras={"coco": {"id": 7}}, id="box")
DOT = Region(Point(5, 6), "dog", id="dot")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with two pictures; the first one has the regions BOX and DOT."""
    source = tmp_path / "source"
    source.mkdir()
    for name in ("a.png", "b.png"):
        Image.fromarray(np.full((30, 40, 3), 99, np.uint8)).save(source / name)
    made = Project.create(tmp_path / "pets")
    records = [ImageRecord("a.png", (BOX, DOT), source / "a.png"), ImageRecord("b.png", (), source / "b.png")]
    definitions = {"region": {"class": {}, "mood": {"type": "text"}}, "file": {"light": {"type": "text"}}}
    made.import_dataset(Dataset(records, ("cat", "dog"), "class", extras={"via_attributes": definitions}), "train")
    return made


class Client:
    """The routes of one project, as a browser sees them."""

    def __init__(self, project: Project) -> None:
        self.http = TestClient(Starlette(routes=editor_routes.routes()))
        self.prefix = editor_routes.editor_url(project)

    def get(self, place: str) -> Any:
        return self.http.get(f"{self.prefix}/{place}")

    def post(self, place: str, body: Any) -> Any:
        return self.http.post(f"{self.prefix}/{place}", json=body)

    def regions(self, picture: int = 1) -> list[dict[str, Any]]:
        return self.get(f"pictures/{picture}").json()["regions"]


@pytest.fixture
def client(project: Project) -> Client:
    return Client(project)


def put(*regions: Region, **more: Any) -> dict[str, Any]:
    return {"put": [for_browser(region) for region in regions], **more}


# Reading


def test_the_list_has_pictures_classes_and_attributes(client: Client) -> None:
    answer = client.get("pictures").json()
    assert [(entry["name"], entry["width"], entry["height"], entry["n_regions"]) for entry in answer["pictures"]] == [
        ("a.png", 40, 30, 2),
        ("b.png", 40, 30, 0),
    ]
    assert answer["pictures"][0] | {"id": 0} == {
        "id": 0, "name": "a.png", "width": 40, "height": 30, "done": False, "n_regions": 2, "split": "train",
        "status": "in progress",
    }  # fmt: skip
    assert [(entry["name"], entry["hotkey"], entry["skeleton"]) for entry in answer["classes"]] == [
        ("cat", "1", None),
        ("dog", "2", None),
    ]
    assert answer["attributes"] == {"region": {"mood": {"type": "text"}}, "file": {"light": {"type": "text"}}}


def test_a_picture_comes_with_its_regions_but_not_with_what_only_the_project_needs(client: Client) -> None:
    answer = client.get("pictures/1").json()
    assert answer["regions"] == [for_browser(BOX), for_browser(DOT)]
    assert "extras" not in answer["regions"][0]
    assert (answer["revision"], answer["can_undo"], answer["can_redo"], answer["done"]) == (1, False, False, False)
    assert answer["picture"]["address"].startswith("/studio/pictures/")
    assert answer["problem"] is None
    assert client.get("pictures/1?since=1").json() == {"id": 1, "revision": 1, "unchanged": True}
    assert client.get("pictures/1?since=0").json() == answer


def test_a_picture_whose_file_is_missing_keeps_its_regions(client: Client, project: Project) -> None:
    project.picture(1).unlink()
    answer = client.get("pictures/1").json()
    assert answer["picture"] is None
    assert answer["problem"].startswith("a.png: the file is missing")
    assert len(answer["regions"]) == 2


def test_a_thumbnail_is_a_jpeg(client: Client) -> None:
    answer = client.get("pictures/1/thumbnail")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")


# Edits


def test_an_edit_is_one_step_of_the_history(client: Client, project: Project) -> None:
    moved = DOT.with_shape(Point(7, 8))
    answer = client.post("pictures/1/edit", {"revision": 1, "edit": put(moved, remove=["box"])})
    assert answer.json() == {"revision": 2, "can_undo": True, "can_redo": False}
    assert project.regions(1) == ((moved,), 2)
    answer = client.post("pictures/1/undo", {"revision": 2}).json()
    assert answer == {
        "revision": 3,
        "edit": {"put": [for_browser(BOX), for_browser(DOT)], "remove": [], "order": ["box", "dot"]},
        "can_undo": False,
        "can_redo": True,
    }
    assert project.regions(1) == ((BOX, DOT), 3)
    answer = client.post("pictures/1/redo", {"revision": 3}).json()
    assert (answer["edit"], answer["can_undo"], answer["can_redo"]) == (
        put(moved, remove=["box"], order=None),
        True,
        False,
    )


def test_what_the_browser_does_not_know_survives_an_edit(client: Client, project: Project) -> None:
    client.post("pictures/1/edit", {"revision": 1, "edit": put(replace(BOX, class_name="dog"))})
    (box, _), _ = project.regions(1)
    assert box == replace(BOX, class_name="dog")
    assert box.extras == {"coco": {"id": 7}}
    assert type(box.shape.x) is float  # type: ignore[union-attr]


@pytest.mark.parametrize("order", [["dot", "box"], {"dot": 0}, {"box": 1}, {"box": 1, "dot": 0}])
def test_regions_are_ordered_by_a_list_or_by_the_places_of_some(client: Client, project: Project, order: Any) -> None:
    assert client.post("pictures/1/edit", {"revision": 1, "edit": {"order": order}}).status_code == 200
    assert project.regions(1) == ((DOT, BOX), 2)


def test_a_browser_cannot_bring_extras(client: Client, project: Project) -> None:
    sent = region_json.region_to_json(replace(DOT, extras={"via": {"fields": {"evil": 1}}}, id="new"))
    assert client.post("pictures/2/edit", {"revision": 1, "edit": {"put": [sent]}}).status_code == 200
    assert project.regions(2)[0] == (replace(DOT, id="new"),)


def test_an_edit_that_changes_nothing_makes_no_step(client: Client, project: Project) -> None:
    for edit in ({}, put(DOT), {"remove": ["x"]}, {"order": ["box", "dot"]}, {"order": {"box": 0}}):
        answer = client.post("pictures/1/edit", {"revision": 1, "edit": edit}).json()
        assert answer == {"revision": 1, "can_undo": False, "can_redo": False}
    assert project.regions(1)[1] == 1


def test_nothing_to_undo_is_no_error(client: Client) -> None:
    for direction in ("undo", "redo"):
        assert client.post(f"pictures/1/{direction}", {"revision": 1}).json() == {
            "revision": 1,
            "edit": {"put": [], "remove": [], "order": None},
            "can_undo": False,
            "can_redo": False,
        }


def test_a_new_class_of_a_region_is_added(client: Client) -> None:
    client.post("pictures/1/edit", {"revision": 1, "edit": put(replace(DOT, class_name="fox"))})
    assert [entry["name"] for entry in client.get("pictures").json()["classes"]] == ["cat", "dog", "fox"]


@pytest.mark.parametrize("what", ["edit", "undo", "redo"])
def test_the_same_request_again_changes_nothing(client: Client, project: Project, what: str) -> None:
    client.post("pictures/1/edit", {"revision": 1, "edit": put(DOT.with_shape(Point(1, 1)))})
    client.post("pictures/1/edit", {"revision": 2, "edit": put(DOT.with_shape(Point(2, 2)))})
    client.post("pictures/1/undo", {"revision": 3})
    body: dict[str, Any] = {"revision": 4} | ({"edit": put(DOT.with_shape(Point(3, 3)))} if what == "edit" else {})
    assert client.post(f"pictures/1/{what}", body).json()["revision"] == 5
    regions, _ = project.regions(1)
    again = client.post(f"pictures/1/{what}", body)
    assert again.status_code == 409
    assert again.json()["revision"] == 5
    assert again.json()["regions"] == [for_browser(region) for region in regions]
    assert project.regions(1) == (regions, 5)


def test_undo_reaches_over_processes(client: Client, project: Project) -> None:
    client.post("pictures/1/edit", {"revision": 1, "edit": {"remove": ["box"]}})
    program = f"""
import json
from starlette.applications import Starlette
from starlette.testclient import TestClient
from maskrcnn.annotations.store import Project
from maskrcnn.studio.annotate import editor_routes
project = Project.open({str(project.folder)!r})
client = TestClient(Starlette(routes=editor_routes.routes()))
answer = client.post(editor_routes.editor_url(project) + "/pictures/1/undo", json={{"revision": 2}})
print(json.dumps([answer.json()["revision"], editor_routes.project_identity(project)]))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [3, editor_routes.project_identity(project)]
    assert project.regions(1) == ((BOX, DOT), 3)
    assert client.post("pictures/1/redo", {"revision": 3}).json()["edit"]["remove"] == ["box"]


# Conflicts


def conflict(client: Client, choice: str | None, revision: int = 2) -> Any:
    """Theirs moved the dot; mine moved the box and drew a new region."""
    client.post("pictures/1/edit", {"revision": 1, "edit": put(DOT.with_shape(Point(9, 9)))})
    mine = [BOX.with_shape(Rect(0, 0, 1, 1)), DOT, replace(DOT, id="new")]
    body = {"base": [for_browser(BOX), for_browser(DOT)], "mine": list(map(for_browser, mine)), "revision": revision}
    return client.post("pictures/1/conflict", body | {"choice": choice})


def test_both_versions_of_a_conflict_are_in_the_history(client: Client, project: Project) -> None:
    answer = conflict(client, None).json()
    assert (answer["revision"], answer["can_undo"], answer["can_redo"]) == (4, True, False)
    assert project.regions(1)[0] == (BOX, DOT.with_shape(Point(9, 9)))  # theirs stays
    project.undo(1)
    assert project.regions(1)[0] == (BOX.with_shape(Rect(0, 0, 1, 1)), DOT, replace(DOT, id="new"))
    project.undo(1)
    assert project.regions(1)[0] == (BOX, DOT.with_shape(Point(9, 9)))


@pytest.mark.parametrize(
    ("choice", "regions"),
    [
        ("both", (BOX.with_shape(Rect(0, 0, 1, 1)), DOT.with_shape(Point(9, 9)), replace(DOT, id="new"))),
        ("mine", (BOX.with_shape(Rect(0, 0, 1, 1)), DOT, replace(DOT, id="new"))),
        ("theirs", (BOX, DOT.with_shape(Point(9, 9)))),
    ],
)
def test_a_conflict_ends_with_the_chosen_version(
    client: Client, project: Project, choice: str, regions: tuple[Region, ...]
) -> None:
    answer = conflict(client, choice).json()
    assert answer["regions"] == list(map(for_browser, regions))
    assert project.regions(1) == (regions, answer["revision"])


def test_a_third_version_is_not_overwritten_by_the_choice(client: Client, project: Project) -> None:
    answer = conflict(client, "mine", revision=1)
    assert answer.status_code == 409
    assert project.regions(1)[0] == (BOX, DOT.with_shape(Point(9, 9)))


# Refusals


def region(fields: bytes = b"", x: bytes = b"1", name: bytes = b"x") -> bytes:
    """An edit with one new point, as text: JSON that Python's own writer would not write."""
    shape = b'"shape": {"kind": "point", "cx": %b, "cy": 1}' % x
    return b'{"revision": 1, "edit": {"put": [{"id": "%b", %b%b}]}}' % (name, shape, fields)


HOSTILE: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"{",
    "no object": b"[]",
    "not UTF-8": b'{"revision": "\xff"}',
    "deep": b'{"edit": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "deep attributes": region(b', "attributes": ' + b'{"a":' * 90 + b"1" + b"}" * 90),
    "NaN": b'{"revision": NaN, "edit": {}}',
    "infinite": region(x=b"1e999"),
    "many digits": b'{"revision": ' + b"9" * 5000 + b', "edit": {}}',
    "no revision": b'{"edit": {}}',
    "a true revision": b'{"revision": true, "edit": {}}',
    "no edit": b'{"revision": 1}',
    "an edit that is a list": b'{"revision": 1, "edit": []}',
    "an unknown value": b'{"revision": 1, "edit": {}, "more": 1}',
    "an unknown part": b'{"revision": 1, "edit": {"drop": []}}',
    "put is no list": b'{"revision": 1, "edit": {"put": {}}}',
    "a region that is none": b'{"revision": 1, "edit": {"put": [1]}}',
    "no shape": b'{"revision": 1, "edit": {"put": [{"id": "x"}]}}',
    "no id": b'{"revision": 1, "edit": {"put": [{"shape": {"kind": "point", "cx": 1, "cy": 1}}]}}',
    "an unknown field": region(b', "z": 1'),
    "far away": region(x=b"1e9"),
    "text as a number": region(x=b'"1"'),
    "a lone surrogate": region(name=b"\\ud800"),
    "a blank class": region(b', "class_name": " "'),
    "the same id twice": json.dumps({"revision": 1, "edit": put(DOT, DOT)}).encode(),
    "put and remove": json.dumps({"revision": 1, "edit": put(DOT, remove=["dot"])}).encode(),
    "remove is no list": b'{"revision": 1, "edit": {"remove": "dot"}}',
    "ids that are numbers": b'{"revision": 1, "edit": {"remove": [1]}}',
    "an order with others": b'{"revision": 1, "edit": {"order": ["dot"]}}',
    "a place that is text": b'{"revision": 1, "edit": {"order": {"dot": "0"}}}',
    "a place that is true": b'{"revision": 1, "edit": {"order": {"dot": true}}}',
    "a place that is no whole number": b'{"revision": 1, "edit": {"order": {"dot": 0.0}}}',
    "a place that there is not": b'{"revision": 1, "edit": {"order": {"dot": 2}}}',
    "a place of another region": b'{"revision": 1, "edit": {"order": {"other": 0}}}',
    "an order that is text": b'{"revision": 1, "edit": {"order": "dot"}}',
    "damaged keypoints": region(b', "keypoints": [[1, 2, 3]]'),
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_body_gets_one_line_and_changes_nothing(client: Client, project: Project, body: bytes) -> None:
    answer = client.http.post(
        f"{client.prefix}/pictures/1/edit", content=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 422
    message = answer.json()["message"]
    assert 0 < len(message) < 300
    assert "\n" not in message
    assert "project.db" not in message
    assert str(project.folder) not in message
    assert project.regions(1) == ((BOX, DOT), 1)


@pytest.mark.parametrize("length", [True, False])
def test_a_large_body_is_not_read(client: Client, length: bool) -> None:
    def parts() -> Any:
        for _ in range(LARGE // 1_000_000 + 1):
            yield b" " * 1_000_000

    answer = client.http.post(
        f"{client.prefix}/pictures/1/edit",
        content=b" " * (LARGE + 1) if length else parts(),
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == 413
    assert answer.json()["message"] == "that is more than 32 MB at once; do less at a time"


def test_a_form_of_another_site_is_not_read(client: Client, project: Project) -> None:
    answer = client.http.post(
        f"{client.prefix}/pictures/1/edit", content=b'{"revision": 1, "edit": {"remove": ["box"]}}'
    )
    assert answer.status_code == 415
    assert project.regions(1)[1] == 1


def test_only_a_key_that_a_page_handed_out_opens_a_project(client: Client) -> None:
    answer = client.http.get("/studio/annotate/0123456789abcdef/pictures")
    assert (answer.status_code, answer.json()["reason"]) == (404, "key")


def test_a_picture_that_is_gone(client: Client, project: Project) -> None:
    for number in (99, 10**30):
        assert client.get(f"pictures/{number}").status_code == 404
        answer = client.post(f"pictures/{number}/edit", {"revision": 1, "edit": {}})
        assert (answer.status_code, answer.json()["reason"]) == (404, "picture")
    project.set_removed(1, True)
    answer = client.get("pictures/1")
    assert (answer.status_code, answer.json()["reason"]) == (404, "removed")
    assert answer.json()["message"].startswith("a.png: removed from the project")


def test_a_removed_picture_keeps_what_is_sent_and_each_answer_says_that_it_is_removed(
    client: Client, project: Project
) -> None:
    project.set_removed(1, True)
    sent: list[tuple[str, dict[str, Any]]] = [
        ("edit", {"revision": 1, "edit": {"remove": ["box"]}}),
        ("edit", {"revision": 2, "edit": {}}),
        ("undo", {"revision": 2}),
        ("redo", {"revision": 3}),
        ("conflict", {"base": [], "mine": [], "revision": 4, "choice": "theirs"}),
        ("done", {"done": True}),
        ("file_attributes", {"attributes": {"light": "low"}}),
    ]
    assert [client.post(f"pictures/1/{place}", body).json().get("removed") for place, body in sent] == [True] * 7
    assert project.regions(1) == ((DOT,), 4)
    project.set_removed(1, False)
    assert "removed" not in client.post("pictures/1/undo", {"revision": 4}).json()


def test_a_project_that_is_gone(client: Client, project: Project) -> None:
    project.folder.rename(project.folder.with_name("elsewhere"))
    answer = client.post("pictures/1/edit", {"revision": 1, "edit": {}})
    assert (answer.status_code, answer.json()["reason"]) == (404, "project")
    assert "pets" in answer.json()["message"]
    assert str(project.folder.parent) not in answer.json()["message"]


def test_a_full_disk_is_tried_again(client: Client, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise ProjectBusy(f"{project.folder}/project.db: the disk is full; free some space")

    monkeypatch.setattr(Project, "save", full)
    answer = client.post("pictures/1/edit", {"revision": 1, "edit": {"remove": ["box"]}})
    assert (answer.status_code, answer.json()) == (
        503,
        {"message": "pets: the disk is full; free some space", "reason": "busy"},
    )


# Renamed classes


def test_a_region_with_the_old_name_of_a_class_gets_the_present_one(client: Client, project: Project) -> None:
    project.rename_class("cat", "kitten")
    new = Region(Point(9, 9), "cat", id="new")
    answer = client.post("pictures/2/edit", {"revision": 1, "edit": put(new)}).json()
    assert answer["renamed"] == {"cat": "kitten"}
    assert [region["class_name"] for region in client.regions(2)] == ["kitten"]
    stale = client.post("pictures/1/edit", {"revision": 1, "edit": put(new)})
    assert (stale.status_code, stale.json()["renamed"]) == (409, {"cat": "kitten"})
    project.merge_class("kitten", "dog")
    assert client.get("pictures/1").json()["renamed"] == {"cat": "dog", "kitten": "dog"}
    assert [entry.name for entry in project.classes()] == ["dog"]


def test_an_old_name_that_is_a_class_again_stays(client: Client, project: Project) -> None:
    project.rename_class("cat", "kitten")
    project.add_class("cat")
    client.post("pictures/2/edit", {"revision": 1, "edit": put(Region(Point(9, 9), "cat", id="new"))})
    assert [region["class_name"] for region in client.regions(2)] == ["cat"]
    project.rename_class("dog", "hound")
    project.rename_class("hound", "dog")
    assert project.renamed_classes() == {"hound": "dog"}


@pytest.mark.parametrize("choice", [None, "both", "mine"])
def test_a_conflict_does_not_bring_the_old_name_of_a_class_back(
    client: Client, project: Project, choice: str | None
) -> None:
    project.rename_class("cat", "kitten")
    mine = [for_browser(BOX.with_shape(Rect(9, 9, 3, 4))), for_browser(DOT)]
    body = {"base": [for_browser(BOX), for_browser(DOT)], "mine": mine, "revision": 2, "choice": choice}
    assert client.post("pictures/1/conflict", body).status_code == 200
    assert [entry.name for entry in project.classes()] == ["kitten", "dog"]
    assert [region["class_name"] for region in client.regions()] == ["kitten", "dog"]


# Pictures and classes


def test_a_picture_is_marked_as_done(client: Client, project: Project) -> None:
    assert client.post("pictures/1/done", {"done": True}).json() == {"done": True}
    assert project.details(1).done
    assert client.post("pictures/1/done", {"done": 0}).status_code == 422
    assert project.details(1).done


def test_attributes_of_a_picture_are_exported(client: Client, project: Project, tmp_path: Path) -> None:
    answer = client.post("pictures/1/file_attributes", {"attributes": {"light": "dim"}})
    assert answer.json() == {"file_attributes": {"light": "dim"}}
    assert client.get("pictures/1").json()["file_attributes"] == {"light": "dim"}
    assert project.dataset().images[0].attributes == {"light": "dim"}
    writing.write(project.dataset(), tmp_path / "via.json", "via2")
    (entry,) = [entry for entry in _via_pictures(tmp_path / "via.json") if entry["filename"] == "a.png"]
    assert entry["file_attributes"] == {"light": "dim"}
    assert client.post("pictures/1/file_attributes", {"attributes": [1]}).status_code == 422


def _via_pictures(path: Path) -> list[dict[str, Any]]:
    document = json.loads(path.read_text())
    return list(document.get("_via_img_metadata", document).values())


def test_attributes_of_a_picture_keep_what_a_browser_cannot_hold(client: Client, project: Project) -> None:
    project.set_file_attributes(1, {"id": 12345678901234567890, "x": float("nan")})
    seen = client.get("pictures/1").json()["file_attributes"]
    assert seen == {"id": 12345678901234567890, "x": None}
    client.post("pictures/1/file_attributes", {"attributes": {**seen, "id": 12345678901234567000, "light": "dim"}})
    stored = project.details(1).attributes
    assert stored["id"] == 12345678901234567890
    assert stored["light"] == "dim"
    assert stored["x"] != stored["x"]


def test_a_class_is_added_unless_it_looks_like_another(client: Client, project: Project) -> None:
    def names() -> list[str]:
        return [entry.name for entry in project.classes()]

    assert client.post("classes", {"name": " Cat "}).json() == {"similar": ["cat"]}
    assert names() == ["cat", "dog"]
    answer = client.post("classes", {"name": "Cat", "use_similar": True}).json()
    assert [entry["name"] for entry in answer["classes"]] == names() == ["cat", "dog", "Cat"]
    for bad in ("", "  ", "x" * 201, 3, None):
        assert client.post("classes", {"name": bad}).status_code == 422
    assert client.post("classes", {"name": "cat"}).status_code == 200  # there already
    assert names() == ["cat", "dog", "Cat"]


def test_a_class_gets_its_keypoints_once(client: Client, project: Project) -> None:
    body = {"name": "cat", "names": ["nose", "tail"], "edges": [[0, 1]]}
    assert client.post("classes/skeleton", body).json()["classes"][0]["skeleton"] == {
        "names": ["nose", "tail"],
        "edges": [[0, 1]],
    }
    assert client.post("classes/skeleton", body).status_code == 200
    assert client.post("classes/skeleton", body | {"names": ["nose", "ear"]}).status_code == 422
    assert client.post("classes/skeleton", body | {"edges": [[0, 2]]}).status_code == 422
    assert project.classes()[0].skeleton == Skeleton(("nose", "tail"), ((0, 1),))


def test_an_odd_project_is_still_answered(client: Client, project: Project) -> None:
    """Label files may hold what JSON cannot, or a class a colour that is none."""
    project.set_classes([*project.classes(), ProjectClass("<b>", "#112233")])
    odd = Region(Polygon(((0, 0), (1, 0), (1, 1))), "<b>", {"__proto__": 1, "broken \ud800": "\ud800"}, id="odd")
    project.save(2, [odd], 1)
    assert client.regions(2)[0]["attributes"] == {"__proto__": 1, "broken \ud800": "\ud800"}
    assert json_routes.parsed(b'{"a": 1}') == {"a": 1}
