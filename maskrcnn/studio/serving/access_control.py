"""Who is let in: requests to the studio's own names, from its own pages, for the routes that it needs.

A page of any site can make a browser send requests to this machine. Such a request carries that site's `Origin`, or,
where the site has pointed a name of its own at 127.0.0.1 (DNS rebinding), that name as `Host`. Streamlit 1.67 checks
both for its websocket only, and answers static files, media, uploads and components to anybody.
"""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

import psutil
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import config
from streamlit.url_util import make_url_path
from streamlit.web.server.starlette.starlette_websocket import is_host_allowed

LOOPBACK = ("localhost", "127.0.0.1", "::1")
"""This machine's names for itself. A port that is forwarded to the studio (ssh -L) arrives under one of them."""

CORE_ROUTES = ("health", "host-config", "stream", "upload_file/", "bidi-components/")
"""What the pages use of `/_stcore/`. The rest (metrics, script-health-check, agent, ...) tells about the machine, or
runs the app for a program."""

PAGE_POLICY = (
    # Streamlit's frontend needs inline styles and scripts, and Vega makes functions out of expressions.
    "default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'; object-src 'none'; base-uri 'self'; "
    "form-action 'self'; frame-ancestors 'self'"
)
"""A page loads nothing from elsewhere, whatever is written into it, and no other site frames it."""

MEDIA_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"
"""A picture or a download that is opened as a page of its own (an SVG, say) runs nothing."""


def own_names() -> list[str]:
    """The names that the studio answers to: this machine's, and those that the person gave as `server.address`,
    `browser.serverAddress` or `server.allowedHosts`, on the command line or in the environment.

    Where it listens on every address of the machine (0.0.0.0), these are its names as well.
    """
    address = config.get_option("server.address") or "0.0.0.0"
    names = {*LOOPBACK, *config.get_option("server.allowedHosts"), address.strip("[]")}
    if config.is_manually_set("browser.serverAddress"):
        names.add(config.get_option("browser.serverAddress"))
    if address in ("0.0.0.0", "::"):
        cards = psutil.net_if_addrs().values()
        inet = (socket.AF_INET, socket.AF_INET6)
        names |= {entry.address.split("%")[0] for card in cards for entry in card if entry.family in inet}
        names |= {socket.gethostname(), f"{socket.gethostname()}.local"}
    return sorted(names)


class Gate:
    """ASGI middleware that refuses foreign hosts (403), foreign origins (403) and closed routes (404), and adds the
    headers that tell a browser to keep other sites out."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        refusal = _refusal(Headers(scope=scope), scope["path"])
        if refusal is None:
            await self.app(scope, receive, _with_headers(scope, send))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})  # before it was accepted: uvicorn answers 403
        else:
            status, reason = refusal
            await PlainTextResponse(f"{reason}\n", status)(scope, receive, send)


def _refusal(headers: Headers, path: str) -> tuple[int, str] | None:
    """The status and the reason where a request is refused."""
    hosts, origins = headers.getlist("host"), headers.getlist("origin")
    if len(hosts) != 1 or not is_host_allowed(hosts[0]):
        return 403, (
            "The studio does not answer to this name; open it as http://127.0.0.1, or start it with "
            "--server.allowedHosts and the name."
        )
    if any(not _is_own(origin, hosts[0]) for origin in origins):
        return 403, "The studio does not answer to pages of other sites; open it in a window of its own."
    core = make_url_path(config.get_option("server.baseUrlPath"), "_stcore") + "/"
    if path.startswith(core) and not _is_used(path.removeprefix(core)):
        return 404, "Not Found"
    return None


def _is_own(origin: str, host: str) -> bool:
    """Whether an origin is the studio itself: its scheme is the web's, its name and port are those of `host`. The names
    of `LOOPBACK` are one name. `host` has passed `is_host_allowed`, so it can be parsed."""
    if origin in config.get_option("server.corsAllowedOrigins"):
        return True
    scheme, _, place = origin.partition("://")
    if scheme not in ("http", "https") or not is_host_allowed(place):
        return False
    theirs, ours = urlsplit(f"//{place}"), urlsplit(f"//{host}")
    same = theirs.hostname == ours.hostname or {theirs.hostname, ours.hostname} <= set(LOOPBACK)
    return same and theirs.port == ours.port


def _is_used(route: str) -> bool:
    return any(route.startswith(used) if used.endswith("/") else route == used for used in CORE_ROUTES)


def _with_headers(scope: Scope, send: Send) -> Send:
    media = scope["path"].startswith(make_url_path(config.get_option("server.baseUrlPath"), "media") + "/")

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["Content-Security-Policy"] = MEDIA_POLICY if media else PAGE_POLICY
            headers["Cross-Origin-Resource-Policy"] = "same-origin"
            headers["X-Content-Type-Options"] = "nosniff"
            headers["Referrer-Policy"] = "no-referrer"
        await send(message)

    return sending
