"""The HTTP routes of hints, below those of the editor: outlines from boxes and clicks, paths along edges, suggestions.

| route | answer |
|---|---|
| GET `hints/networks` | the networks that can be chosen, and whether osam is there |
| POST `hints/box` | a job whose result is the outline of the object in a box |
| POST `hints/refine` | the same for an outline that is there already, with strokes |
| POST `hints/path` | the points of a path along an edge |
| GET `hints/suggestions/{id}?run=KEY&ahead=ID,ID` | a job whose result are regions that a network suggests |
| DELETE `hints/suggestions/{id}` | nothing is worked out any more |
| GET `hints/kept/{id}` | what the project keeps of suggestions for a picture, of any network |
| POST `hints/kept/{id}/decided` | suggestions were accepted or thrown away, and do not come back |
| DELETE `hints/kept/{id}/decided` | all of them come back |
| GET, DELETE `hints/jobs/{job}` | a job: its progress and result; stop it |

A job is `{job, state, words, done, total, result, message}`, its state "working", "done", "failed" or "stopped". A POST
waits a moment for its job, so that a quick one is done when it is answered.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import numpy as np
from starlette.routing import Route

from maskrcnn.annotations import raster
from maskrcnn.annotations.hints import sam_masks
from maskrcnn.annotations.hints.box_outline import SoftMask, Strokes, box_outline
from maskrcnn.annotations.hints.drawn_already import without_drawn
from maskrcnn.annotations.hints.edge_path import EdgePaths, edge_paths, needed_reach
from maskrcnn.annotations.hints.mask_outline import simplified_outline
from maskrcnn.annotations.raster import Box
from maskrcnn.annotations.regions import Points, Polyline, Region, Shape
from maskrcnn.annotations.store import PictureDetails
from maskrcnn.annotations.store.region_json import regions_from_untrusted
from maskrcnn.errors import StudioError
from maskrcnn.studio.annotate.hints import jobs, networks, suggestion_queue
from maskrcnn.studio.annotate.hints.jobs import Job
from maskrcnn.studio.annotate.hints.picture_pixels import identity_of, pixels_of
from maskrcnn.studio.annotate.json_routes import BadRequest, Call, delete, for_browser, get, post

COLOURS = "colours"
"""The way of GrabCut. Other ways are keys of networks, and "osam/NAME"."""

_OSAM = "osam/"

_MOMENT = 0.45
"""Seconds that a request waits for its job."""

_POLL = 0.9
"""Seconds that a question for the progress of a job waits."""

_MOST_POINTS = 5_000
"""Maximum number of points of all strokes in a request."""

_GUESS_SIDE = 256
"""Maximum side in pixels of the mask of an outline that is refined."""

_KEPT_PATHS = 6


def routes() -> list[Route]:
    """Return the routes of hints."""
    return [
        get("hints/networks", _networks),
        post("hints/box", _box),
        post("hints/refine", _box),
        post("hints/path", _path),
        get("hints/suggestions/{id:number}", _suggestions),
        delete("hints/suggestions/{id:number}", _stop_suggestions),
        get("hints/kept/{id:number}", _kept),
        post("hints/kept/{id:number}/decided", _decided),
        delete("hints/kept/{id:number}/decided", _open_again),
        get("hints/jobs/{job}", _job),
        delete("hints/jobs/{job}", _stop_job),
    ]


def _networks(call: Call) -> dict[str, Any]:
    """GET hints/networks: the networks, the best choice first, and the networks of osam or how to get it."""
    found = [
        {
            "key": entry.key,
            "name": entry.name,
            "kind": entry.kind,
            "classes": entry.classes,
            "masks": entry.finds_masks,
        }
        for entry in networks.networks_of(call.project)
    ]
    there = sam_masks.is_available()
    names = [{"key": f"{_OSAM}{name}", "name": name} for name in sam_masks.NETWORKS] if there else []
    return {"networks": found, "osam": {"networks": names, "message": None if there else sam_masks.HOW_TO_GET}}


# Outlines


def _box(call: Call) -> dict[str, Any]:
    """POST hints/box or hints/refine {picture, way, box, shape, class_name, strokes}: a job.

    `box` is [x0, y0, x1, y1] in picture pixels. `shape` is an outline to begin with instead, or null. `strokes` are
    {inside, outside}, each a list of lists of points. The result is {shape, simple, class_name, score}: the outline as
    found, the outline with few vertices, and what a network says of it.
    """
    call.require_only("picture", "way", "box", "shape", "class_name", "strokes")
    image_id = call.sent_image_id
    way = call.value("way", str, "a way")
    class_name = call.body.get("class_name")
    if class_name is not None and not isinstance(class_name, str):
        raise StudioError("the class is no name; load the page again")
    strokes = _strokes(call.body.get("strokes") or {})
    shape = _shape(call.body.get("shape"))
    box = _sides(call.body.get("box")) if shape is None else raster.bounds(shape)
    if not (box[2] - box[0] >= 1 and box[3] - box[1] >= 1):
        raise StudioError("the box is smaller than a pixel; draw a larger one")
    path = call.project.picture(image_id)

    def work(job: Job) -> dict[str, Any]:
        job.begin("reading the picture")
        picture = pixels_of(path)
        about: dict[str, Any] = {"class_name": None, "score": None}
        if way.startswith(_OSAM):
            job.begin(f"asking {way.removeprefix(_OSAM)}")
            found = sam_masks.sam_outline(_osam_network(way), picture, box, strokes)
        elif way == COLOURS or shape is not None:
            guess = None if shape is None else _guess_of(shape, box, strokes, picture.shape[:2])
            job.begin("comparing colours")
            found = box_outline(picture, box, strokes, guess, job.progress, job.stopped)
        else:
            found, about = _network_outline(call, job, way, picture, identity_of(path), box, strokes, class_name)
        if found is None:
            raise StudioError("nothing was found in this box; draw it closer around the object, or click on the object")
        return {"shape": _shape_json(found), "simple": _shape_json(simplified_outline(found)), **about}

    return _answer(jobs.start(str(call.project.folder), work), _MOMENT)


def _network_outline(
    call: Call,
    job: Job,
    key: str,
    picture: np.ndarray,
    identity: object,
    box: Box,
    strokes: Strokes,
    class_name: str | None,
) -> tuple[Shape | None, dict[str, Any]]:
    """Return the outline by the mask head of a network, refined by colours, and what the network says of it."""
    chosen = networks.network(call.project, key)
    if not chosen.finds_masks:
        raise StudioError(f"{chosen.name} finds no masks; choose another network, or outlines by colours")
    with networks.in_use(chosen, job) as loaded:
        from maskrcnn.inference import prompted_masks

        job.begin(f"{chosen.name} looks at the picture")
        maps = loaded.maps(identity, picture)
        job.begin(f"{chosen.name} looks at the box")
        mask = prompted_masks.prompted_mask(loaded.model, maps, box, class_name)
    about = {"class_name": mask.class_name, "score": round(mask.score, 4)}
    job.begin("comparing colours")
    return box_outline(picture, box, strokes, mask.soft, job.progress, job.stopped), about


def _guess_of(shape: Shape, box: Box, strokes: Strokes, size: tuple[int, int]) -> SoftMask:
    """Return an outline as the first guess of where the object is, with room for changes around it."""
    points = [point for stroke in strokes.inside for point in stroke]
    room = 0.1 * max(box[2] - box[0], box[3] - box[1]) + 2
    x0, y0 = (min([low, *(p[axis] for p in points)]) - room for axis, low in enumerate(box[:2]))
    x1, y1 = (max([high, *(p[axis] for p in points)]) + room for axis, high in enumerate(box[2:]))
    x0, y0, x1, y1 = max(x0, 0), max(y0, 0), min(x1, size[1]), min(y1, size[0])
    if not (x1 > x0 and y1 > y0):
        raise StudioError("the outline is outside the picture; draw another one")
    shrink = min(1.0, _GUESS_SIDE / max(x1 - x0, y1 - y0))
    columns, rows = (max(2, round(side * shrink)) for side in (x1 - x0, y1 - y0))
    scale = np.array([columns / (x1 - x0), rows / (y1 - y0)])
    rings = [(np.asarray(ring) - (x0, y0)) * scale for ring in raster.rings(shape)]
    inside = raster.fill([rings], rows, columns)
    return SoftMask(np.where(inside, 0.85, 0.15).astype(np.float32), (x0, y0, x1, y1))


def _shape_json(shape: Shape) -> dict[str, Any]:
    document: dict[str, Any] = for_browser(Region(shape))["shape"]
    return document


# What the browser sent


def _osam_network(way: str) -> str:
    name = way.removeprefix(_OSAM)
    if name not in sam_masks.NETWORKS:
        raise StudioError("this network of osam is unknown here; choose another one")
    return name


def _shape(document: object) -> Shape | None:
    """Return a shape from the JSON of a region's shape. Raises `StudioError` if it is invalid or has no area."""
    if document is None:
        return None
    shape = regions_from_untrusted([{"id": "hint", "shape": document}])[0].shape
    if not raster.has_area(shape):
        raise StudioError("this region has no area, so there is no outline to refine; draw a box around the object")
    return shape


def _sides(value: object) -> Box:
    """Return a box from JSON. Raises `StudioError` for anything else than four numbers."""
    points = _points([value[:2], value[2:]] if isinstance(value, list) and len(value) == 4 else None)
    (x0, y0), (x1, y1) = points
    return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)


def _points(value: object) -> Points:
    """Return points from JSON. Raises `StudioError` for an invalid or empty list."""
    if not isinstance(value, list) or not value:
        raise StudioError("the request has no points where points are needed; load the page again")
    shape = regions_from_untrusted([{"id": "hint", "shape": {"kind": "polyline", "points": value}}])[0].shape
    assert isinstance(shape, Polyline)
    return shape.points


def _strokes(document: object) -> Strokes:
    """Return strokes from JSON. Raises `StudioError` for invalid ones, or for too many points."""
    if not isinstance(document, dict) or not document.keys() <= {"inside", "outside"}:
        raise StudioError("the strokes are not what was drawn inside and outside; load the page again")
    found = {}
    for name in ("inside", "outside"):
        lines = document.get(name, [])
        if not isinstance(lines, list):
            raise StudioError("the strokes are no list; load the page again")
        found[name] = tuple(_points(line) for line in lines)
    strokes = Strokes(**found)
    if sum(len(line) for line in (*strokes.inside, *strokes.outside)) > _MOST_POINTS:
        raise StudioError("the strokes have too many points; drop the hint, and draw fewer")
    return strokes


# Paths along edges

_paths: OrderedDict[tuple[object, tuple[float, float], float], EdgePaths] = OrderedDict()
_paths_lock = threading.Lock()


def _path(call: Call) -> dict[str, Any]:
    """POST hints/path {picture, start, end}: {points}, from the start to the end, both included."""
    call.require_only("picture", "start", "end")
    image_id = call.sent_image_id
    start, end = _points([call.body.get("start"), call.body.get("end")])
    path = call.project.picture(image_id)
    reach = needed_reach(start, end)
    identity = identity_of(path), start, reach
    with _paths_lock:
        if identity not in _paths:
            _paths[identity] = edge_paths(pixels_of(path), start, reach)
            while len(_paths) > _KEPT_PATHS:
                _paths.popitem(last=False)
        return {"points": _paths[identity].path_to(end)}


# Suggestions


def _suggestions(call: Call) -> dict[str, Any]:
    """GET hints/suggestions/{id}?run=KEY&ahead=ID,ID: a job whose result is {regions, network}.

    `regions` are those that nobody has drawn, accepted or thrown away yet, best first. `ahead` names the pictures that
    come next. With `again`, a failed job is tried once more, and what was thrown away comes back.
    """
    network = networks.network(call.project, call.query.get("run", ""))
    ahead = call.query.get("ahead", "")
    numbers = [int(word) for word in ahead.split(",") if word.isascii() and word.isdigit() and len(word) < 18]
    details = call.project.details(call.image_id)
    if "again" in call.query:
        suggestion_queue.again(call.project, network, details.id)
        call.project.take_suggestions_back(details.id)
    job = suggestion_queue.suggestions(call.project, network, details.id, numbers)
    document = _answer(job, _POLL)
    if document["state"] == "done":
        regions = suggestion_queue.kept(call.project, network, details.id)
        regions = document["result"] if regions is None else regions
        document["result"] = {"regions": _undrawn(regions, details), "network": network.name}
    return document


def _undrawn(regions: Sequence[Region], details: PictureDetails) -> list[dict[str, Any]]:
    """Return suggestions as JSON values, without those for objects that are drawn already."""
    if details.width and details.height:
        regions = without_drawn(regions, details.regions, details.height, details.width)
    return [for_browser(region) for region in regions]


def _kept(call: Call) -> dict[str, Any]:
    """GET hints/kept/{id}: {kept: {network, name, made, regions}}, or {kept: null}. No network is loaded."""
    found = call.project.kept_suggestions(call.image_id)
    if found is None:
        return {"kept": None}
    details = call.project.details(call.image_id)
    name = networks.title_of(found.network)
    document = {"network": found.network, "name": name, "made": found.made.isoformat()}
    return {"kept": {**document, "regions": _undrawn(found.regions, details)}}


def _decided(call: Call) -> dict[str, Any]:
    """POST hints/kept/{id}/decided {ids}: {decided: how many were open until now}."""
    call.require_only("ids")
    ids = call.value("ids", list, "a list of ids")
    if not all(isinstance(identity, str) for identity in ids):
        raise StudioError("the ids of the suggestions are no texts; load the page again")
    return {"decided": call.project.decide_suggestions(call.image_id, ids)}


def _open_again(call: Call) -> dict[str, Any]:
    """DELETE hints/kept/{id}/decided."""
    call.project.take_suggestions_back(call.image_id)
    return {"state": "open"}


def _stop_suggestions(call: Call) -> dict[str, Any]:
    """DELETE hints/suggestions/{id}."""
    suggestion_queue.stop(call.project)
    return {"state": "stopped"}


# Jobs


def _job(call: Call) -> dict[str, Any]:
    """GET hints/jobs/{job}: waits until the job has ended, at most `_POLL` seconds."""
    return _answer(_known_job(call), _POLL)


def _stop_job(call: Call) -> dict[str, Any]:
    """DELETE hints/jobs/{job}."""
    job = _known_job(call)
    job.stop()
    return _answer(job, 0.0)


def _known_job(call: Call) -> Job:
    job = jobs.job_of(call.path["job"], str(call.project.folder))
    if job is None:
        raise BadRequest(404, "this hint is gone; ask for it again")
    return job


def _answer(job: Job, seconds: float) -> dict[str, Any]:
    """Return a job as JSON values, after it had some seconds to end. Paths on this computer are not told."""
    job.wait(seconds)
    document = job.to_json()
    if document["message"]:
        document["message"] = document["message"].replace(f"{job.folder}/", "").replace(job.folder, "the project")
    return document
