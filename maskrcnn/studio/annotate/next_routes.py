"""The HTTP route of the pictures to label next, below those of the editor.

| route | answer |
|---|---|
| GET `next_pictures` | the pictures of the list in their order, each with the reason why it is there |
"""

from __future__ import annotations

from typing import Any

from starlette.routing import Route

from maskrcnn.studio.annotate.json_routes import Call, get


def routes() -> list[Route]:
    """Return the route of the list."""
    return [get("next_pictures", _next_pictures)]


def _next_pictures(call: Call) -> dict[str, Any]:
    """GET next_pictures: {pictures: [{id, reason}]}; empty if no list was made."""
    return {"pictures": [{"id": entry.image_id, "reason": entry.reason} for entry in call.project.next_pictures()]}
