"""Every route of the studio's own, under requests that no page of the studio sends.

The routes are collected from `serving.routes()`. A new one that takes a body needs an example in `BODIES`; the test
replaces each value of it in turn. Whatever is sent, the answer is one line that names nothing of this machine, and a
request that is refused changes nothing in the project.
"""

from __future__ import annotations

import asyncio
import copy
import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Message

from maskrcnn.annotations.dataset import Dataset, ImageRecord
from maskrcnn.annotations.regions import Point, Rect, Region
from maskrcnn.annotations.store import Project
from maskrcnn.studio import serving
from maskrcnn.studio.annotate.hints import networks
from maskrcnn.studio.annotate.json_routes import LARGE, PREFIX, for_browser, project_key
from maskrcnn.studio.inspect.match_routes import PictureOfEpoch
from maskrcnn.studio.serving.addresses import address_key
from maskrcnn.studio.serving.picture_files import picture_url
from tests.sweeps import FUZZ, wider

ROUTES = serving.routes()
WITH_KEY = [route for route in ROUTES if "{key}" in route.path]
WITH_BODY = [route for route in ROUTES if "POST" in (route.methods or ())]
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

BOX = Region(Rect(1.0, 2.0, 3.0, 4.0), "cat", {"mood": "calm"}, id="box")
DOT = Region(Point(5, 6), "dog", id="dot")
RING = [[2, 2], [20, 2], [20, 20], [2, 20]]
HOLE = [[5, 5], [9, 5], [9, 9]]
SHAPES: list[dict[str, Any]] = [
    {"kind": "polygon", "points": RING},
    {"kind": "multipolygon", "parts": [[RING, HOLE]]},
    {"kind": "rect", "x": 1, "y": 2, "width": 8, "height": 9},
    {"kind": "circle", "cx": 9, "cy": 9, "r": 4},
    {"kind": "ellipse", "cx": 9, "cy": 9, "rx": 4, "ry": 3, "theta": 0.5},
    {"kind": "polyline", "points": RING},
    {"kind": "point", "cx": 3, "cy": 4},
    {"kind": "keypoints", "points": [[1, 2, 2], [0, 0, 0]]},
    {"kind": "rle", "size": [30, 40], "counts": "i5:d00000000000000000000000000cb0"},
]
AREA = SHAPES[0]
PUT = [
    {"id": f"new{place}", "shape": shape, "class_name": "cat", "attributes": {"mood": "calm"}, "iscrowd": False,
     "source": "human", "score": 0.5}
    for place, shape in enumerate(SHAPES)
]  # fmt: skip
HINT = {
    "picture": 1, "way": "colours", "box": [5, 5, 20, 20], "shape": None, "class_name": "cat",
    "strokes": {"inside": [[[8, 8], [9, 9]]], "outside": [[[1, 1]]]},
}  # fmt: skip

BODIES: dict[str, Any] = {
    "pictures/{id}/edit": {"revision": 1, "edit": {"put": PUT, "remove": ["box"], "order": None}},
    "pictures/{id}/undo": {"revision": 1},
    "pictures/{id}/redo": {"revision": 1},
    "pictures/{id}/conflict": {"base": [for_browser(BOX)], "mine": PUT[:2], "revision": 1, "choice": "both"},
    "pictures/{id}/done": {"done": True},
    "pictures/{id}/file_attributes": {"attributes": {"light": "dim", "tags": {"a": True}}},
    "classes": {"name": "zebra", "use_similar": False},
    "classes/skeleton": {"name": "zebra", "names": ["nose", "tail"], "edges": [[0, 1]]},
    "geometry/union": {"shapes": SHAPES[:5]},
    "geometry/difference": {"shape": AREA, "others": SHAPES[2:4]},
    "geometry/intersection": {"shapes": SHAPES[:2]},
    "geometry/hole": {"shape": AREA, "hole": {"kind": "polygon", "points": HOLE}},
    "geometry/split": {"shapes": SHAPES[:2], "line": [[0, 10], [40, 10]]},
    "geometry/simplify": {"shape": AREA, "most_vertices": 4, "least_iou": 0.5},
    "geometry/brush": {"shape": AREA, "line": [[5, 5], [9, 9]], "radius": 3, "erase": False, "frame": [40, 30]},
    "geometry/repair": {"shape": AREA},
    "hints/box": HINT,
    "hints/refine": {**HINT, "shape": AREA, "box": None},
    "hints/kept/{id}/decided": {"ids": ["box"]},
    "hints/path": {"picture": 1, "start": [3, 3], "end": [20, 20]},
    "review/decisions": {
        "picture": 1,
        "kind": "missing",
        "class_name": "cat",
        "box": [1, 2, 3.5, 4],
        "decision": "keep",
    },
}
"""Route below `PREFIX` -> a body that it accepts on picture 1, as far as revisions are the same."""

REFUSED: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"{",
    "two values": b"{}{}",
    "no object": b"[]",
    "a text": b'"text"',
    "nothing useful": b"{}",
    "an unknown value": b'{"__proto__": {"revision": 1}}',
    "not UTF-8": b'{"revision": "\xff"}',
    "UTF-16 with half a letter": '{"revision": "'.encode("utf-16") + b"\x00",
    "deep": b'{"edit": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "deep objects": b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    "NaN": b'{"revision": NaN}',
    "Infinity": b'{"revision": -Infinity}',
    "an infinite number": b'{"revision": 1e999}',
    "many digits": b'{"revision": ' + b"9" * 5000 + b"}",
    "a line break in a name": b'{"a\\nb\\u2028c": 1}',
    "half a letter": b'{"\\ud800": "\\udfff"}',
}

NEVER_FINE = [b"NaN", b"-Infinity", b"1e999", b"9" * 5000, b"[" * 90 + b"]" * 90]
"""Texts of JSON values that no request may have anywhere."""

ODD: list[Any] = [
    None, True, 0, -1, 1.5, 1e-308, 10**9, -(10**9), 10**30, 1e308, "", "1", "NaN", "../../etc/passwd", "/etc/passwd",
    "\ud800", "a\nb\u2028c\x00", "<img src=x onerror=alert(1)>", "x" * 5_000, [], [None], [[]], [1, 2, 3], ["a"] * 40,
    {}, {"a": 1}, {"\ud800": 1}, {"__proto__": {}},
]  # fmt: skip
"""Values that are put in the place of each value of a body."""

STEP, REQUESTS = 29, 40
"""`make test` tries the first of every `STEP` of them at each place, beginning with another one at the next place; more
of them, until it has sent this many requests, where a body has few places."""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with two pictures in a folder of a telling name."""
    folder = tmp_path_factory.mktemp("secret-place")
    for name in ("a.png", "b.png"):
        Image.fromarray(np.random.default_rng(0).integers(0, 255, (30, 40, 3), np.uint8)).save(folder / name)
    made = Project.create(folder / "pets")
    records = [ImageRecord("a.png", (BOX, DOT), folder / "a.png"), ImageRecord("b.png", (), folder / "b.png")]
    definitions = {"region": {"class": {}, "mood": {"type": "text"}}, "file": {"light": {"type": "text"}}}
    made.import_dataset(Dataset(records, ("cat", "dog"), "class", extras={"via_attributes": definitions}), "train")
    return made


@pytest.fixture(scope="module")
def http() -> TestClient:
    """The routes without the rest of the server. What a route does not expect is raised here."""
    return TestClient(Starlette(routes=list(ROUTES)))


def label(route: Route) -> str:
    return f"{'-'.join(sorted((route.methods or set()) - {'HEAD'}))} {route.path.removeprefix(PREFIX)}"


def short(route: Route) -> str:
    """The name of a route in `BODIES`."""
    return re.sub(r":\w+}", "}", route.path.removeprefix(f"{PREFIX}/"))


def address(route: Route, key: str, **values: str) -> str:
    """The address of a route with these values in it; 1 for each number and "x" for each text by default."""

    def value(match: re.Match[str]) -> str:
        name, kind = match.groups()
        return key if name == "key" else values.get(name, "x" if kind in (None, ":path") else "1")

    return re.sub(r"{(\w+)(:\w+)?}", value, route.path)


def content_of(project: Project) -> list[str]:
    """All rows of the project's database, and the names of its files."""
    with closing(sqlite3.connect(project.folder / "project.db")) as database:
        rows = list(database.iterdump())
    thumbnails = project.folder / "thumbnails"
    files = [str(path) for path in project.folder.rglob("*") if thumbnails not in path.parents]
    return rows + sorted(path for path in files if not path.endswith(("-wal", "-shm", "thumbnails")))


def require_telling_nothing(answer: Any, project: Project) -> None:
    """Whatever the status: no page, no traceback, no place on this machine."""
    assert "html" not in answer.headers.get("content-type", "")
    for word in ("Traceback", 'File "', str(project.folder.parent), str(Path(serving.__file__).parents[2])):
        assert word not in answer.text, answer.text[:500]


def require_refused(answer: Any, project: Project, *statuses: int) -> None:
    """The answer is one line with one of these statuses, any from 400 to 499 by default."""
    assert answer.status_code in (statuses or range(400, 500)), (answer.status_code, answer.text[:300])
    require_telling_nothing(answer, project)
    is_json = answer.headers.get("content-type") == "application/json"
    message = answer.json()["message"] if is_json else answer.text.removesuffix("\n")
    assert 0 < len(message) < 400, message
    assert len(message.splitlines()) == 1, message


def send(http: TestClient, route: Route, project: Project, body: bytes, kind: str = "application/json") -> Any:
    place = address(route, project_key(project))
    return http.post(place, content=body, headers={"Content-Type": kind} if kind else {})


# Keys, methods, addresses


def test_each_route_that_takes_a_body_has_an_example() -> None:
    assert sorted(map(short, WITH_BODY)) == sorted(BODIES)
    assert all(route.path.startswith(f"{PREFIX}/") for route in WITH_BODY)


def test_the_examples_are_what_the_routes_accept(http: TestClient, tmp_path: Path) -> None:
    """Otherwise the values put into them would never be reached."""
    for number, route in enumerate(WITH_BODY):
        folder = tmp_path / str(number)
        folder.mkdir()
        Image.fromarray(np.random.default_rng(0).integers(0, 255, (30, 40, 3), np.uint8)).save(folder / "a.png")
        made = Project.create(folder / "pets")
        made.add_pictures([folder / "a.png"], "train")
        body = copy.deepcopy(BODIES[short(route)])
        if "revision" in body:
            body["revision"] = made.regions(1)[1]
        answer = send(http, route, made, json.dumps(body).encode())
        assert answer.status_code == 200, (label(route), answer.text)


@pytest.mark.parametrize("route", WITH_KEY, ids=label)
def test_only_a_key_of_its_kind_opens_a_route(http: TestClient, project: Project, route: Route) -> None:
    before = content_of(project)
    picture = picture_url(project.picture(1)).split("/")[-1]
    match = address_key(PictureOfEpoch(str(project.folder), 1, 1, ()))
    others = {"pictures": [match, project_key(project)], "annotate": [picture, match]}
    others["inspect"] = [picture, project_key(project)]
    others["evaluation"] = [picture, project_key(project), match]
    others["compare"] = [picture, project_key(project), match]
    others["try_it"] = [picture, project_key(project), match]
    unknown = ["0" * 40, "x", "%2e%2e", "..%2f..%2fetc%2fpasswd", "%00", "%ED%A0%80", "x" * 5000]
    unknown += [project.folder.name, address_key("a text"), address_key(("a", 1))]
    for key in [*unknown, *others[route.path.split("/")[2]]]:
        for method in (route.methods or set()) - {"HEAD"}:
            body = json.dumps(BODIES.get(short(route), {})).encode()
            answer = http.request(
                method, address(route, key, side="1024"), content=body, headers={"Content-Type": "application/json"}
            )
            require_refused(answer, project, 404)
    assert content_of(project) == before


@pytest.mark.parametrize("route", ROUTES, ids=label)
def test_another_method_is_refused(http: TestClient, project: Project, route: Route) -> None:
    before = content_of(project)
    place = address(route, project_key(project))
    allowed = set[str]().union(*(other.methods or set() for other in ROUTES if other.path == route.path))
    for method in set(METHODS) - allowed:
        answer = http.request(method, place, content=b"{}", headers={"Content-Type": "application/json"})
        require_refused(answer, project, 405)
    assert content_of(project) == before


NUMBERS = ["-1", "0", "99", "1.0", "1e3", "0x1", "%31%00", str(2**63), str(10**30), "9" * 5000, "NaN", "%D9%A1"]
NAMES = ["..", "%2e%2e%2f%2e%2e%2fproject.db", "..%5c..", "%00", "%ED%A0%80", "x" * 5000, "<img src=x onerror=1>"]


@pytest.mark.parametrize("route", [route for route in ROUTES if re.search(r"{(?!key)", route.path)], ids=label)
def test_an_address_of_nothing_is_not_found(http: TestClient, project: Project, route: Route) -> None:
    before = content_of(project)
    key = picture_url(project.picture(1)).split("/")[-1] if "/pictures/{key}" in route.path else project_key(project)
    body = BODIES.get(short(route), {})
    (method, *_) = sorted((route.methods or set()) - {"HEAD"})
    for name, kind in re.findall(r"{(\w+)(:\w+)?}", route.path):
        if name in ("key", "digest"):
            continue
        for value in [*NUMBERS, *NAMES] if kind not in (None, ":path") else NAMES:
            if value == "0" and name in ("level", "column", "row"):
                continue
            place = address(route, key, **{"level": "0", "column": "0", "row": "0", "side": "1024", name: value})
            answer = http.request(method, place, json=body, follow_redirects=False)
            if short(route) == "hints/suggestions/{id}" and method == "DELETE" and value.isdigit():
                continue  # it stops what is worked out for the project, whatever is shown
            require_refused(answer, project, 404, 405, 422)
    assert content_of(project) == before


@pytest.mark.parametrize(
    "query",
    ["run=", "run=run/../../x", "run=shipped/..", "run=/etc/passwd", "run=%00", "run=%ED%A0%80", "run=" + "x" * 5000],
)
def test_suggestions_come_from_networks_of_the_project_alone(http: TestClient, project: Project, query: str) -> None:
    for ahead in ("", "-1", "1" * 5000, "1,,x,%00", "%D9%A1"):
        place = f"/studio/annotate/{project_key(project)}/hints/suggestions/1?{query}&ahead={ahead}"
        require_refused(http.get(place), project, 422)


# Bodies


@pytest.mark.parametrize("route", WITH_BODY, ids=label)
def test_what_is_no_request_is_refused(http: TestClient, project: Project, route: Route) -> None:
    before = content_of(project)
    for body in REFUSED.values():
        require_refused(send(http, route, project, body), project, 422)
    for kind in ("", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonx"):
        require_refused(send(http, route, project, json.dumps(BODIES[short(route)]).encode(), kind), project, 415)
    assert content_of(project) == before


@pytest.mark.parametrize("route", WITH_BODY, ids=label)
def test_a_billion_numbers_are_not_read(http: TestClient, project: Project, route: Route) -> None:
    """Neither if the length is told beforehand, nor if it is not."""
    place = address(route, project_key(project))
    for length in (str(2 * 10**9), "9" * 5000, "-1", "1e3", "\u0661"):
        headers = {b"Content-Type": b"application/json", b"Content-Length": length.encode()}
        require_refused(http.post(place, content=b"{}", headers=headers), project, 413)
    read, sent = 0, list[Message]()

    async def receive() -> Message:
        nonlocal read
        read += 1_000_000
        return {"type": "http.request", "body": b"1," * 500_000, "more_body": True}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": "POST", "path": place, "raw_path": place.encode(), "query_string": b"",
        "headers": [(b"host", b"localhost"), (b"content-type", b"application/json")],
    }  # fmt: skip
    call: ASGIApp = http.app

    async def answer() -> None:
        await call(scope, receive, send)

    asyncio.run(answer())
    assert sent[0]["status"] == 413
    assert b"MB at once" in sent[1]["body"]
    assert read < LARGE + 2_000_000


def places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The places of the values in a JSON value, as keys and numbers. Of numbers and of points, only the first two."""
    if isinstance(value, list) and not FUZZ:
        value = [part for number, part in enumerate(value) if number < 2 or isinstance(part, dict)]
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in inner:
        yield (*place, name)
        yield from places(part, (*place, name))


def replaced(body: Any, place: tuple[Any, ...], value: Any) -> bytes:
    """The text of a body with another value at a place; bytes are put in as they are."""
    made = copy.deepcopy(body)
    holder = made
    for name in place[:-1]:
        holder = holder[name]
    holder[place[-1]] = "PLACE" if isinstance(value, bytes) else value
    text = json.dumps(made).encode()
    return text.replace(b'"PLACE"', value) if isinstance(value, bytes) else text


@wider
@pytest.mark.parametrize("route", WITH_BODY, ids=label)
def test_each_value_of_a_request_may_be_anything(http: TestClient, project: Project, route: Route) -> None:
    """Some odd values are fine where they stand; what is refused gets one line, and changes nothing."""
    body = copy.deepcopy(BODIES[short(route)])
    refused = 0
    values = [*NEVER_FINE, *ODD]
    spots = list(places(body))
    step = 1 if FUZZ else min(STEP, max(1, len(spots) * len(values) // REQUESTS))
    before = content_of(project)
    for number, place in enumerate(spots):
        for value in values[number % step :: step]:
            if "revision" in body:
                body["revision"] = project.regions(1)[1]
            answer = send(http, route, project, replaced(body, place, value))
            require_telling_nothing(answer, project)
            if isinstance(value, bytes):
                require_refused(answer, project, 422)
            elif answer.status_code != 200:
                require_refused(answer, project, 404, 409, 422) if answer.status_code != 409 else None
            after = content_of(project)
            if answer.status_code != 200:
                refused += 1
                assert after == before, (place, value)
            before = after
    assert refused >= 3


# Text


def test_markup_stays_text(http: TestClient, project: Project) -> None:
    """It is stored as it was written, and comes back as a text of JSON, which the browser never takes for a page."""
    name = "<img src=x onerror=alert(1)>"
    prefix = f"/studio/annotate/{project_key(project)}"
    edit = {"put": [{**PUT[2], "id": "markup", "class_name": name, "attributes": {name: f"{name}</script>"}}]}
    answer = http.post(f"{prefix}/pictures/2/edit", json={"revision": project.regions(2)[1], "edit": edit})
    assert answer.status_code == 200
    assert http.post(f"{prefix}/pictures/2/file_attributes", json={"attributes": {name: name}}).status_code == 200
    assert http.post(f"{prefix}/classes", json={"name": f"{name}2", "use_similar": True}).status_code == 200
    (region,) = project.regions(2)[0]
    assert (region.class_name, region.attributes) == (name, {name: f"{name}</script>"})
    for place in ("pictures", "pictures/2"):
        answer = http.get(f"{prefix}/{place}")
        assert answer.headers["content-type"] == "application/json"
        assert name in json.dumps(answer.json())
    shown = http.get(f"{prefix}/pictures/2").json()
    assert shown["regions"][0]["class_name"] == name
    assert shown["file_attributes"] == {name: name}
    names = [entry["name"] for entry in http.get(f"{prefix}/pictures").json()["classes"]]
    assert {name, f"{name}2"} <= set(names)


# Pictures and matches that are not what they were


@pytest.mark.parametrize("content", [None, b"", b"no picture", b"\x89PNG\r\n\x1a\n" + b"\0" * 99])
def test_a_picture_that_is_none_gets_one_line(
    http: TestClient, project: Project, tmp_path: Path, content: bytes | None
) -> None:
    folder = tmp_path / "secret-place"
    folder.mkdir()
    file = folder / "a.png"
    file.write_bytes(project.picture(1).read_bytes())
    key = picture_url(file)
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    for place in ("whole/1024", "0/0/0"):
        answer = http.get(f"{key}/{place}")
        require_refused(answer, project, 422, 404)
        assert str(folder) not in answer.text


@pytest.mark.parametrize("name", ["run", "a\nb"])
def test_matches_of_a_run_that_is_gone_get_one_line(
    http: TestClient, project: Project, tmp_path: Path, name: str
) -> None:
    key = address_key(PictureOfEpoch(str(tmp_path / name), 1, 1, ()))
    answer = http.get(f"/studio/inspect/{key}")
    require_refused(answer, project, 422, 404)
    assert str(tmp_path) not in answer.text


def test_a_hint_for_a_picture_that_is_none_gets_one_line(
    http: TestClient, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hint fails in a thread, so its reason comes with a job."""
    picture = project.picture(2)
    good = picture.read_bytes()
    network = networks.Network("run/x", "x", "run", ("cat",), True, project.folder / "x", (0, 0))
    monkeypatch.setattr(networks, "network", lambda *_: network)
    picture.write_bytes(b"no picture")
    prefix = f"/studio/annotate/{project_key(project)}"
    try:
        answers = [
            http.post(f"{prefix}/hints/box", json={**HINT, "picture": 2}),
            http.get(f"{prefix}/hints/suggestions/2?run=run/x"),
        ]
        while answers[-1].json().get("state") == "working":
            answers[-1] = http.get(f"{prefix}/hints/suggestions/2?run=run/x")
    finally:
        picture.write_bytes(good)
    for answer in answers:
        assert answer.json().get("state") == "failed", answer.text
        assert "not a picture" in answer.json()["message"]
        require_telling_nothing(answer, project)
