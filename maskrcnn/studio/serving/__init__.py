"""The studio's additions to Streamlit's server, for settings that `.streamlit/config.toml` does not offer.

`access_control` refuses requests from other sites, `uploads` limits uploads, `visits` frees the resources of closed
tabs, and `garbage_collection` decides when Python collects garbage.

`app.py` passes `middleware()` and `lifespan` to Streamlit's `App`. So they are used however the server is started: by
`python -m maskrcnn.studio`, by `streamlit run app.py`, or by an ASGI server with `app:app` in the folder of `app.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from starlette.middleware import Middleware
from starlette.routing import Route
from streamlit import config, net_util, runtime
from streamlit.runtime.pages_manager import PagesManager
from streamlit.web.server.server_util import get_display_address, get_url

from maskrcnn.studio.serving import access_control, browser_code, garbage_collection, picture_files, uploads, visits
from maskrcnn.studio.serving.uploads import discard_uploads, show_refusal
from maskrcnn.studio.serving.visits import on_visit_end

__all__ = ["discard_uploads", "lifespan", "middleware", "on_visit_end", "prepare", "routes", "show_refusal"]


def prepare() -> None:
    """Turn off two behaviours of Streamlit 1.67. Call this before its server starts.

    1. Until `st.navigation` has run once, Streamlit uses a folder named `pages` next to the script for its older kind
       of navigation. The first visitor after a start, and tabs that were open during a restart, would see "Page not
       found".
    2. For an unknown origin Streamlit asks a server on the internet for this machine's address.
    """
    PagesManager.uses_pages_directory = False
    net_util.get_external_ip = net_util.get_internal_ip = lambda: None


def middleware() -> list[Middleware]:
    """Return the ASGI middleware for all requests, outermost first, and set the allowed hosts of Streamlit."""
    prepare()
    config.set_option("server.allowedHosts", access_control.own_names())
    return [Middleware(access_control.AccessControl), Middleware(uploads.UploadLimit)]


def routes() -> list[Route]:
    """Return the studio's own routes, below `/studio/`: browser code, pictures, the editor, matches and candidates."""
    from maskrcnn.studio.annotate import (  # which need this package itself
        editor_routes,
        geometry_routes,
        hint_routes,
        next_routes,
        review_routes,
    )
    from maskrcnn.studio.compare import compare_routes
    from maskrcnn.studio.evaluation import epoch_routes
    from maskrcnn.studio.inspect import match_routes
    from maskrcnn.studio.try_it import candidate_routes

    return [
        *browser_code.routes(),
        *picture_files.routes(),
        *editor_routes.routes(),
        *geometry_routes.routes(),
        *hint_routes.routes(),
        *review_routes.routes(),
        *next_routes.routes(),
        *match_routes.routes(),
        *epoch_routes.routes(),
        *compare_routes.routes(),
        *candidate_routes.routes(),
    ]


@contextlib.asynccontextmanager
async def lifespan(_app: object) -> AsyncIterator[dict[str, Any]]:
    """Print the studio's URL, and run the background tasks (visits, garbage collection) while the server runs."""
    address = config.get_option("server.address")
    print(f"\n  Mask R-CNN Studio: {get_url(get_display_address(address or '0.0.0.0'))}\n", flush=True)
    server = runtime.get_instance()
    watching = [asyncio.create_task(watch(server)) for watch in (visits.watch, garbage_collection.watch)]
    try:
        yield {}
    finally:
        for task in watching:
            task.cancel()
        await asyncio.to_thread(visits.end_all)
