"""How the studio is served: which requests are accepted (`access_control`), how much is uploaded (`uploads`), what is
freed after a visit (`visits`), when unused memory is collected (`garbage_collection`).

`app.py` gives `middleware()` and `lifespan` to Streamlit's `App`, so they hold however the server is started: by
`python -m maskrcnn.studio`, by `streamlit run app.py`, or by an ASGI server that is given `app:app` in
this folder. Streamlit's options are in `.streamlit/config.toml`; here is what they cannot say.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from starlette.middleware import Middleware
from streamlit import config, net_util, runtime
from streamlit.runtime.pages_manager import PagesManager
from streamlit.web.server.server_util import get_display_address, get_url

from maskrcnn.studio.serving import access_control, garbage_collection, uploads, visits
from maskrcnn.studio.serving.uploads import free_uploads, show_refusal
from maskrcnn.studio.serving.visits import on_visit_end

__all__ = ["free_uploads", "lifespan", "middleware", "on_visit_end", "prepare", "show_refusal"]


def prepare() -> None:
    """Close two traps of Streamlit 1.67, before its server is there.

    It takes a folder named `pages` beside the script for its own older kind of navigation, until `st.navigation` has
    run once: the first visitor of a fresh server, and any tab that was left open over a restart, would be told "Page
    not found". And it asks the internet for the machine's own address where it meets an origin that it does not know.
    """
    PagesManager.uses_pages_directory = False
    net_util.get_external_ip = net_util.get_internal_ip = lambda: None


def middleware() -> list[Middleware]:
    """What every request passes before Streamlit sees it, outermost first."""
    prepare()
    config.set_option("server.allowedHosts", access_control.own_names())
    return [Middleware(access_control.Gate), Middleware(uploads.UploadLimit)]


@contextlib.asynccontextmanager
async def lifespan(_app: object) -> AsyncIterator[dict[str, Any]]:
    """From the start of the server to its end: tells its address, and clears up after visits and between runs."""
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
