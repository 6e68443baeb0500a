"""Answers that the browser keeps: what the key of their address belongs to names a state, so they never change."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from streamlit import config
from streamlit.url_util import make_url_path

from maskrcnn.errors import StudioError
from maskrcnn.studio.serving.addresses import address_key, thing_of

_DAY = 24 * 3600  # seconds

Thing = TypeVar("Thing", bound=Hashable)


def url_path(folder: str, thing: Hashable) -> str:
    """Return the URL path `studio/FOLDER/KEY`, with a key that belongs to `thing` (see `address_key`)."""
    return make_url_path(config.get_option("server.baseUrlPath"), f"studio/{folder}/{address_key(thing)}")


def answer(
    request: Request, kind: type[Thing], content: Callable[[Thing], bytes], media_type: str = "application/json"
) -> Response:
    """Answer with the `content` of what the `key` of the path belongs to.

    404 if that is nothing of this `kind`, or `content` raises `IndexError`; 422 with the reason if it cannot be read.
    """
    thing = thing_of(request.path_params["key"])
    if not isinstance(thing, kind):
        return PlainTextResponse("Not Found\n", 404)
    try:
        body = content(thing)
    except IndexError:
        return PlainTextResponse("Not Found\n", 404)
    except OSError:
        return PlainTextResponse("The picture is not there any more\n", 422)
    except StudioError as error:
        return PlainTextResponse(f"{error}\n", 422)
    return Response(body, media_type=media_type, headers={"Cache-Control": f"private, max-age={_DAY}, immutable"})


def json_bytes(document: Any) -> bytes:
    """Return a document as JSON without blanks."""
    return json.dumps(document, separators=(",", ":")).encode()
