"""The HTTP routes of the polygon editor: pictures, their regions, undo and redo, conflicts, classes, attributes.

They are below `/studio/annotate/{key}/`, where `key` belongs to one project (`editor_url`). Errors are answered as
`json_routes` says. A save, undo or redo names the revision on which it is based. So a request that arrives twice
changes the picture once: the second one is answered with 409, and the browser compares the regions.

A picture that was removed from the project is not given out, but what a page still sends for it is kept in it. The
answer says `"removed": true` then, so that the page can tell.

A page may not know yet that a class was renamed or merged. Regions that it sends with the old name get the present one,
so that the old class does not come back. Answers have `renamed`, {old name: present name}, if there are such classes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from starlette.responses import Response
from starlette.routing import Route
from streamlit import config
from streamlit.url_util import make_url_path

from maskrcnn.annotations.editing.regions_edit import (
    Edit,
    Regions,
    applied,
    edit_between,
    with_stored_fields,
    with_stored_values,
)
from maskrcnn.annotations.regions import Region
from maskrcnn.annotations.similar_class_names import similar_class
from maskrcnn.annotations.store import Direction, PictureDetails, Project, StaleSave, StoredImage
from maskrcnn.annotations.store.class_rows import class_skeleton_from_json
from maskrcnn.annotations.store.region_json import regions_from_untrusted
from maskrcnn.drawing.hex_colours import known_colour
from maskrcnn.errors import StudioError
from maskrcnn.studio.annotate.json_routes import LARGE, Call, RemovedPicture, for_browser, get, post, project_key
from maskrcnn.studio.annotate.three_way_merge import merged
from maskrcnn.studio.serving.picture_files import picture_url

_THUMBNAIL = 160
"""Longer side of a thumbnail in pixels."""

_LONGEST_NAME = 200
"""Maximum number of characters of a new class name."""

_MOST_KEYPOINTS = 200
"""Maximum number of keypoints of a new skeleton. The largest in use has 133 (COCO-WholeBody)."""


def editor_url(project: Project) -> str:
    """Return the URL path of a project's routes, without a slash at the end. It is valid until the server ends."""
    return make_url_path(config.get_option("server.baseUrlPath"), f"studio/annotate/{project_key(project)}")


def project_identity(project: Project) -> str:
    """Return a text that stays the same for a project folder, by which the browser finds its unsent changes again."""
    return hashlib.sha256(str(project.folder.resolve()).encode()).hexdigest()[:16]


def routes() -> list[Route]:
    """Return the routes of the editor."""
    return [
        get("pictures", _pictures),
        get("pictures/{id:number}", _picture),
        get("pictures/{id:number}/thumbnail", _thumbnail),
        post("pictures/{id:number}/edit", _edit, LARGE),
        post("pictures/{id:number}/undo", lambda call: _step(call, "undo")),
        post("pictures/{id:number}/redo", lambda call: _step(call, "redo")),
        post("pictures/{id:number}/conflict", _conflict, LARGE),
        post("pictures/{id:number}/done", _done),
        post("pictures/{id:number}/file_attributes", _file_attributes),
        post("classes", _add_class),
        post("classes/skeleton", _set_skeleton),
    ]


# Reading


def _pictures(call: Call) -> dict[str, Any]:
    """GET pictures: all pictures in natural order, the classes, and the definitions of VIA's attributes."""
    project = call.project
    region_attributes = dict(project.attribute_definitions("region"))
    region_attributes.pop(project.class_attribute or "", None)
    return {
        "project": project_identity(project),
        "pictures": [_listed(image) for image in project.images()],
        "classes": _classes(project),
        "attributes": {"region": region_attributes, "file": project.attribute_definitions("file")},
    }


def _listed(image: StoredImage) -> dict[str, Any]:
    return {
        "id": image.id,
        "name": image.file_name,
        "width": image.width,
        "height": image.height,
        "done": image.done,
        "n_regions": image.n_regions,
        "split": image.split,
        "status": image.status,
    }


def _classes(project: Project) -> list[dict[str, Any]]:
    return [
        {
            "name": entry.name,
            "colour": known_colour(entry.colour),
            "hotkey": entry.hotkey,
            "skeleton": entry.skeleton and {"names": entry.skeleton.names, "edges": entry.skeleton.edges},
        }
        for entry in project.classes()
    ]


def _picture(call: Call) -> dict[str, Any]:
    """GET pictures/{id}: one picture with its regions. With `?since=REVISION`, only whether it is unchanged."""
    details = call.project.details(call.image_id)
    if details.removed:
        raise RemovedPicture(f"{details.file_name}: removed from the project; restore it under Dataset > Pictures")
    if call.query.get("since") == str(details.revision):
        return {"id": details.id, "revision": details.revision, "unchanged": True}
    picture, problem = None, None
    try:
        address = picture_url(call.project.picture(details.id))
        picture = {"address": address, "width": details.width, "height": details.height, "name": details.file_name}
    except OSError:
        problem = f"{details.file_name}: the file is missing; put it back into the folder images of the project"
    except StudioError as error:
        problem = str(error).replace(f"{call.project.folder}/", "")
    return {
        "id": details.id,
        "name": details.file_name,
        **_state(details),
        "done": details.done,
        "file_attributes": details.attributes,
        "picture": picture,
        "problem": problem,
        **_renamed(call.project.renamed_classes()),
    }


def _state(details: PictureDetails) -> dict[str, Any]:
    """Return the regions of a picture, their revision, and whether there is something to undo and redo."""
    return {
        "revision": details.revision,
        "regions": [for_browser(region) for region in details.regions],
        "can_undo": details.can_undo,
        "can_redo": details.can_redo,
        **_removed(details.removed),
    }


def _removed(removed: bool) -> dict[str, bool]:
    """Return what an answer says about a removed picture; nothing for others."""
    return {"removed": True} if removed else {}


def _renamed(names: Mapping[str, str]) -> dict[str, Mapping[str, str]]:
    """Return what an answer says about renamed classes; nothing if there are none."""
    return {"renamed": names} if names else {}


def _with_present_class(region: Region, renamed: Mapping[str, str]) -> Region:
    """Return a region with the present name of its class."""
    return replace(region, class_name=renamed.get(region.class_name or "", region.class_name))


def _thumbnail(call: Call) -> Response:
    """GET pictures/{id}/thumbnail: a JPEG. The bytes of a picture in a project never change."""
    content = call.project.thumbnail(call.image_id, _THUMBNAIL)
    return Response(content, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=86400"})


# Changes of regions


def _edit(call: Call) -> dict[str, Any]:
    """POST pictures/{id}/edit {revision, edit: {put, remove, order}}: one step of the history."""
    call.require_only("revision", "edit")
    revision = call.value("revision", int, "a number")
    sent = _edit_from(call.value("edit", dict, "an edit"))
    details = call.project.details(call.image_id)
    stored, removed = details.regions, _removed(details.removed)
    if details.revision != revision:
        raise _stale(stored, details.revision)
    known = {region.id: region for region in stored}
    renamed = call.project.renamed_classes()
    put = tuple(with_stored_fields(_with_present_class(region, renamed), known.get(region.id)) for region in sent.put)
    # The regions cannot change before the save: it is refused if the revision has changed.
    after = applied(stored, replace(sent, put=put))
    if after == stored:
        return {
            "revision": revision,
            "can_undo": details.can_undo,
            "can_redo": details.can_redo,
            **removed,
            **_renamed(renamed),
        }
    saved = call.project.save(call.image_id, after, revision)
    return {"revision": saved, "can_undo": True, "can_redo": False, **removed, **_renamed(renamed)}


def _edit_from(document: Mapping[str, Any]) -> Edit:
    """Convert the JSON values of an edit. Raises `StudioError` if they are invalid."""
    if unknown := document.keys() - {"put", "remove", "order"}:
        raise StudioError(f'an edit has an unknown part "{min(unknown)[:40]}"; load the page again')
    order = document.get("order")
    return Edit(
        regions_from_untrusted(document.get("put", [])),
        _ids(document.get("remove", []), "remove"),
        None if order is None else _places(order) if isinstance(order, dict) else _ids(order, "order"),
    )


def _places(order: Mapping[str, object]) -> dict[str, int]:
    """Return the new places of some regions from JSON values. Raises `StudioError` if one is no whole number."""
    places = {identity: place for identity, place in order.items() if type(place) is int}
    if len(places) < len(order):
        raise StudioError('the "order" of an edit has a place that is no number; load the page again')
    return places


def _ids(value: object, name: str) -> tuple[str, ...]:
    """Return a list of region ids from JSON values. Raises `StudioError` if it is none."""
    if not isinstance(value, list) or not all(isinstance(identity, str) for identity in value):
        raise StudioError(f'the "{name}" of an edit is no list of ids; load the page again')
    return tuple(value)


def _stale(regions: Regions, revision: int) -> StaleSave:
    return StaleSave("the picture was saved elsewhere meanwhile", regions, revision)


def _step(call: Call, direction: Direction) -> dict[str, Any]:
    """POST pictures/{id}/undo or redo {revision}: the revision stays if there is nothing to do."""
    call.require_only("revision")
    revision = call.value("revision", int, "a number")
    step = call.project.step_in_history(call.image_id, direction, revision)
    return {
        "revision": step.revision,
        "edit": edit_for_browser(edit_between(step.before, step.after)),
        "can_undo": step.can_undo,
        "can_redo": step.can_redo,
        **_removed(step.removed),
    }


def edit_for_browser(edit: Edit) -> dict[str, Any]:
    """Convert an edit to JSON values."""
    return {"put": [for_browser(region) for region in edit.put], "remove": edit.remove, "order": edit.order}


def _conflict(call: Call) -> dict[str, Any]:
    """POST pictures/{id}/conflict {base, mine, revision, choice}: keep both versions, and make one the present one.

    `mine` was edited from `base`, and someone else saved `revision` meanwhile ("theirs"). Choice null: both versions
    are in the history afterwards, theirs is the present one, and one undo gives mine. Choice "both": the changes of
    both, "mine" or "theirs": that version. Answers with the present regions, as GET pictures/{id}.
    """
    call.require_only("base", "mine", "revision", "choice")
    image_id, project = call.image_id, call.project
    revision = call.value("revision", int, "a number")
    base, mine = (regions_from_untrusted(call.body.get(name)) for name in ("base", "mine"))
    choice = call.body.get("choice")
    if choice not in (None, "both", "mine", "theirs"):
        raise StudioError('the choice of a conflict is not null, "both", "mine" or "theirs"; load the page again')
    theirs, now = project.regions(image_id)
    if now != revision:
        raise _stale(theirs, now)
    known = {region.id: region for region in theirs}
    renamed = project.renamed_classes()

    def completed(regions: Regions) -> Regions:
        return tuple(
            with_stored_fields(_with_present_class(region, renamed), known.get(region.id)) for region in regions
        )

    base, mine = completed(base), completed(mine)
    if choice is None and mine != theirs:
        project.save(image_id, theirs, project.save(image_id, mine, revision))
    elif choice == "mine" and mine != theirs:
        project.save(image_id, mine, revision)
    elif choice == "both" and (both := merged(base, mine, theirs)) != theirs:
        project.save(image_id, both, revision)
    return _state(project.details(image_id))


# Pictures and classes


def _done(call: Call) -> dict[str, Any]:
    """POST pictures/{id}/done {done}: mark a picture as done, or not."""
    call.require_only("done")
    done = call.value("done", bool, "true or false")
    call.project.set_done(call.image_id, done)
    return {"done": done, **_removed(call.project.details(call.image_id).removed)}


def _file_attributes(call: Call) -> dict[str, Any]:
    """POST pictures/{id}/file_attributes {attributes}: replace VIA's attributes of the picture."""
    call.require_only("attributes")
    sent = call.value("attributes", dict, "a group of named values")
    details = call.project.details(call.image_id)
    attributes = with_stored_values(sent, details.attributes)
    call.project.set_file_attributes(call.image_id, attributes)
    return {"file_attributes": attributes, **_removed(details.removed)}


def _add_class(call: Call) -> dict[str, Any]:
    """POST classes {name, use_similar}: add a class.

    If another class has a similar name, nothing is added and the answer is {similar: [name]}. The user then chooses
    that class, or adds the new one all the same: the request is sent again with `use_similar` true.
    """
    call.require_only("name", "use_similar")
    name = _class_name(call)
    existing = [entry.name for entry in call.project.classes()]
    similar = similar_class(name, existing)
    if similar is not None and call.body.get("use_similar") is not True:
        return {"similar": [similar]}
    call.project.add_class(name)
    return {"classes": _classes(call.project)}


def _set_skeleton(call: Call) -> dict[str, Any]:
    """POST classes/skeleton {name, names, edges}: the keypoints of a class that has none yet; adds the class."""
    call.require_only("name", "names", "edges")
    names = call.value("names", list, "a list of names")
    edges = call.value("edges", list, "a list of pairs")
    if len(names) > _MOST_KEYPOINTS or len(edges) > _MOST_KEYPOINTS**2:
        raise StudioError(f"a class has at most {_MOST_KEYPOINTS} keypoints; leave some out")
    try:
        skeleton = class_skeleton_from_json({"names": names, "edges": edges}, "")
    except StudioError:
        raise StudioError("the keypoints are not names and pairs of their numbers; load the page again") from None
    call.project.add_class(_class_name(call), skeleton)
    return {"classes": _classes(call.project)}


def _class_name(call: Call) -> str:
    """Return the name of a class in the body, without spaces around it. Raises `StudioError` if it is too long."""
    name: str = call.value("name", str, "a name").strip()
    if len(name) > _LONGEST_NAME:
        raise StudioError(f"the name of a class has at most {_LONGEST_NAME} characters; choose a shorter one")
    return name
