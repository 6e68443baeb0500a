"""The HTTP routes of reviews, below those of the editor: the object of a link, suspected label errors, decisions.

| route | answer |
|---|---|
| GET `review/object?object=LINK&label=ANNOTATION_ID` | an object of a run, and the regions at its place |
| GET `review/suspicions?review=RUN:EPOCH` | the suspected label errors, each with what was decided about it |
| POST `review/decisions` | a decision is stored |
| DELETE `review/decisions/{id}` | a decision is taken back |

Links are those of `review.object_links`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from starlette.routing import Route

from maskrcnn.annotations.store.label_review.decisions import Box
from maskrcnn.errors import StudioError
from maskrcnn.studio.annotate.json_routes import BadRequest, Call, delete, get, post
from maskrcnn.studio.annotate.review import candidates, linked_object, object_links


def routes() -> list[Route]:
    """Return the routes of reviews."""
    return [
        get("review/object", _object),
        get("review/suspicions", _suspicions),
        post("review/decisions", _decide),
        delete("review/decisions/{id:number}", _take_back),
    ]


def _object(call: Call) -> dict[str, Any]:
    """GET review/object: an object of a run (`LinkedObject.to_json`).

    With `label`, the annotation id of a label that the detection is about, `label` of the answer is its region.
    """
    link = object_links.parsed_object(call.project, call.query.get("object", ""))
    answer = linked_object.linked_object(call.project, link).to_json()
    if "label" in call.query:
        number = call.query["label"]
        if not number.removeprefix("-").isascii() or not number.removeprefix("-").isdigit() or len(number) > 16:
            raise StudioError("the label of the link is no number; follow the link on the page once more")
        of_label = replace(link, which="truth", number=int(number))
        answer["label"] = linked_object.linked_object(call.project, of_label).to_json()["label"]
    return answer


def _suspicions(call: Call) -> dict[str, Any]:
    """GET review/suspicions: {run, epoch, label, suspicions}, the strongest first. `label` names the run in links."""
    of = object_links.parsed_epoch(call.project, call.query.get("review", ""))
    found = [suspicion.to_json() for suspicion in candidates.suspicions(call.project, of)]
    return {"run": of.run.name, "epoch": of.epoch, "label": of.label, "suspicions": found}


def _decide(call: Call) -> dict[str, Any]:
    """POST review/decisions {picture, kind, class_name, box, decision}: {id}. `box` is [x, y, width, height]."""
    call.require_only("picture", "kind", "class_name", "box", "decision")
    kind, decision = call.value("kind", str, "a kind"), call.value("decision", str, "a decision")
    class_name = call.value("class_name", str, "a class")
    number = call.project.decide_label(call.sent_image_id, kind, class_name, _box(call.body.get("box")), decision)
    return {"id": number}


def _box(value: object) -> Box:
    """Return a box from JSON values. Raises `StudioError` for anything else than four numbers."""
    if not isinstance(value, list) or len(value) != 4 or any(type(side) not in (int, float) for side in value):
        raise StudioError("the box of the decision is no list of four numbers; load the page again")
    if any(abs(side) > 1e9 for side in value):
        raise StudioError("the box of the decision is no box in a picture; load the page again")
    x, y, width, height = map(float, value)
    return x, y, width, height


def _take_back(call: Call) -> dict[str, Any]:
    """DELETE review/decisions/{id}: it is asked again."""
    if not call.project.take_label_decision_back(call.image_id):
        raise BadRequest(404, "this decision is not stored any more; load the page again")
    return {"state": "taken back"}
