"""Routes that answer JSON about one project, for the editor in the browser.

A route is a function from a `Call` to JSON values. It runs in a thread. This module reads and checks the body, and
converts errors to answers: status 400 to 422 for a request that will never succeed, 404 if the project or the picture
is gone, 409 for a stale revision, 503 for a disk or lock problem that may pass. Each has one line as `message`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from maskrcnn.annotations.formats import json_values
from maskrcnn.annotations.formats.json_values import brief
from maskrcnn.annotations.regions import Region
from maskrcnn.annotations.store import (
    DATABASE,
    Project,
    ProjectBusy,
    StaleSave,
    UnknownPicture,
    is_project,
    region_json,
)
from maskrcnn.errors import StudioError
from maskrcnn.studio.serving.addresses import address_key, thing_of
from maskrcnn.words import byte_size, one_line

PREFIX = "/studio/annotate/{key}"

SMALL = 1_000_000
"""Maximum bytes of a body without regions."""

LARGE = 32_000_000
"""Maximum bytes of a body with regions: 20,000 of them with 60 vertices."""

_DEEPEST = json_values.DEEPEST + 8
"""Maximum nesting depth of a body: attributes in a region in a list in an edit."""


@dataclass(frozen=True)
class EditedProject:
    """The project folder to which the key of an editor's address belongs."""

    folder: str


def project_key(project: Project) -> str:
    """Return the key that gives a browser access to a project through these routes."""
    return address_key(EditedProject(str(project.folder.resolve())))


@dataclass(frozen=True)
class Call:
    """One request: the project, the values in the URL path, the query, and the JSON object that was sent."""

    project: Project
    path: Mapping[str, Any] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)

    @property
    def image_id(self) -> int:
        """The id of the picture in the URL path. Raises `UnknownPicture` if no database can hold it."""
        return _possible_id(self.path["id"])

    @property
    def sent_image_id(self) -> int:
        """The id of the picture in the body, as "picture". Raises `UnknownPicture` if no database can hold it."""
        return _possible_id(self.value("picture", int, "a number"))

    def value(self, name: str, kind: type | tuple[type, ...], words: str) -> Any:
        """Return a value of the body. Raises `StudioError` ("is not WORDS") for a missing one or one of another type.

        A bool is no int here.
        """
        value = self.body.get(name)
        kinds = kind if isinstance(kind, tuple) else (kind,)
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise StudioError(f'the request has {brief(value)} as "{name}", not {words}; load the page again')
        return value

    def require_only(self, *names: str) -> None:
        """Raise `StudioError` if the body has other values than these."""
        for name in self.body:
            if name not in names:
                raise StudioError(f"the request has an unknown value {brief(name)}; load the page again")


def _possible_id(number: int) -> int:
    """Return the id of a picture. Raises `UnknownPicture` if no database can hold it."""
    if abs(number) > 2**62:
        raise UnknownPicture("there is no such picture in this project; choose one from the list")
    return number


class BadRequest(StudioError):
    """A request that is answered with this HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class RemovedPicture(UnknownPicture):
    """The picture was removed from the project. It is hidden, and can be restored."""


Answer = Callable[[Call], Any]


def get(place: str, answer: Answer) -> Route:
    """Return a route for GET below `PREFIX`. `answer` returns JSON values, or a `Response`."""

    async def endpoint(request: Request) -> Response:
        return await run_in_threadpool(_answered, request, answer, b"{}")

    return Route(f"{PREFIX}/{place}", endpoint, methods=["GET"])


def delete(place: str, answer: Answer) -> Route:
    """Return a route for DELETE below `PREFIX`."""

    async def endpoint(request: Request) -> Response:
        return await run_in_threadpool(_answered, request, answer, b"{}")

    return Route(f"{PREFIX}/{place}", endpoint, methods=["DELETE"])


def post(place: str, answer: Answer, most_bytes: int = SMALL) -> Route:
    """Return a route for POST below `PREFIX`. The body is a JSON object of at most `most_bytes` bytes."""

    async def endpoint(request: Request) -> Response:
        try:
            content = await _read(request, most_bytes)
        except BadRequest as error:
            return json_response({"message": str(error)}, error.status)
        except ClientDisconnect:
            return Response(status_code=400)
        return await run_in_threadpool(_answered, request, answer, content)

    return Route(f"{PREFIX}/{place}", endpoint, methods=["POST"])


async def _read(request: Request, most_bytes: int) -> bytes:
    """Return the body. Raises `BadRequest` if it is too large or not announced as JSON.

    Other sites cannot send that content type without asking first, and the studio never allows it.
    """
    if request.headers.get("content-type", "").split(";")[0].strip() != "application/json":
        raise BadRequest(415, "the request is no JSON; load the page again")
    too_large = BadRequest(413, f"that is more than {byte_size(most_bytes)} at once; do less at a time")
    length = request.headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit()) or int(length[:20]) > most_bytes:
        raise too_large
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > most_bytes:
            raise too_large
    return bytes(content)


def _answered(request: Request, answer: Answer, content: bytes) -> Response:
    """Call `answer` and convert its result or its error to a response."""
    thing = thing_of(request.path_params["key"])
    if not isinstance(thing, EditedProject):
        gone = "the studio was started again since this page was opened; load the page again"
        return json_response({"message": gone, "reason": "key"}, 404)
    project = Project(Path(thing.folder))
    try:
        result = answer(Call(project, request.path_params, dict(request.query_params), parsed(content)))
    except StaleSave as stale:
        return json_response(_stale_answer(stale, project), 409)
    except StudioError as error:
        status, reason = _status_of(error, project)
        # Only the name of the project is told, not its place on the computer.
        message = str(error).replace(str(project.folder / DATABASE), project.folder.name)
        message = message.replace(f"{project.folder}/", "").replace(str(project.folder), project.folder.name)
        return json_response({"message": message, "reason": reason}, status)
    return result if isinstance(result, Response) else json_response(result)


def _stale_answer(stale: StaleSave, project: Project) -> dict[str, Any]:
    """Return the present regions, and the renamed classes: a rename is a save of each picture that has the class."""
    documents = [for_browser(region) for region in stale.regions]
    renamed: dict[str, str] = {}
    with suppress(StudioError):  # the regions are worth more
        renamed = project.renamed_classes()
    return {"message": str(stale), "revision": stale.revision, "regions": documents, "renamed": renamed}


def _status_of(error: StudioError, project: Project) -> tuple[int, str]:
    """Return the HTTP status for an error, and a word for programs: "project", "removed", "picture", "busy" or
    "input"."""
    if isinstance(error, BadRequest):
        return error.status, "input"
    if not is_project(project.folder):
        return 404, "project"
    if isinstance(error, RemovedPicture):
        return 404, "removed"
    if isinstance(error, UnknownPicture):
        return 404, "picture"
    return (503, "busy") if isinstance(error, ProjectBusy) else (422, "input")


def parsed(content: bytes) -> dict[str, Any]:
    """Parse the body of a request strictly. Raises `StudioError` unless it is an object that JSON can hold."""
    try:
        document = json.loads(content, parse_constant=_refuse_constant, parse_float=_finite)
    except RecursionError:
        raise StudioError("the request is nested too deep; load the page again") from None
    except ValueError as error:  # a UnicodeDecodeError too
        raise StudioError(
            f"the request is no readable JSON ({one_line(str(error))[:80]}); load the page again"
        ) from None
    if not isinstance(document, dict):
        raise StudioError("the request is no group of named values; load the page again")
    if _is_deep(document):
        raise StudioError(f"the request is nested more than {_DEEPEST} deep; load the page again")
    return document


def _is_deep(document: object) -> bool:
    """Whether a JSON value is nested deeper than `_DEEPEST` levels. Works without recursion."""
    level = [document]
    for _ in range(_DEEPEST):
        level = [
            inner
            for holder in level
            for inner in (holder.values() if isinstance(holder, dict) else holder)  # type: ignore[attr-defined]
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a finite number")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:20]} is too large a number")
    return value


def json_response(values: Any, status: int = 200) -> Response:
    """Return a JSON response that a browser does not keep. Numbers that are not finite become null."""
    try:
        text = _encode(values)
    except ValueError:
        text = _encode(_finite_only(values))
    return Response(text, status, {"Cache-Control": "no-store"}, "application/json")


_encode = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode


def _finite_only(value: Any) -> Any:
    """Return JSON values with None for each number that is not finite. Label files may have such attributes."""
    if isinstance(value, Mapping):
        return {key: _finite_only(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite_only(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def for_browser(region: Region) -> dict[str, Any]:
    """Convert a region to JSON values for the browser: without `extras`, which stay in the project."""
    document = region_json.region_to_json(region)
    document.pop("extras", None)
    return document
