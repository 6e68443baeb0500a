"""Access control: only requests to the studio's own host names, from its own pages, for needed routes are accepted.

Any web page can make a browser send requests to this machine. Such a request has the `Origin` of that page's site. If
the site's host name resolves to 127.0.0.1 (DNS rebinding), it has that name as `Host`. Streamlit 1.67 checks both
headers only for its websocket. It answers requests for static files, media, uploads and components from any site.
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
"""Loopback names of this machine. A port that is forwarded to the studio (ssh -L) uses one of them."""

CORE_ROUTES = ("health", "host-config", "stream", "upload_file/", "bidi-components/")
"""The routes below `/_stcore/` that the pages need.

The other routes (metrics, script-health-check, agent, ...) reveal information about the machine or run the app for
other programs.
"""

PAGE_POLICY = (
    # Streamlit's frontend needs inline styles and scripts. Vega compiles expressions to functions, which needs eval.
    "default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'; object-src 'none'; base-uri 'self'; "
    "form-action 'self'; frame-ancestors 'self'"
)
"""Content security policy of pages: they cannot load anything from other sites, and other sites cannot frame them."""

MEDIA_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"
"""Content security policy of media files: a file that is opened in a tab (such as an SVG) cannot run scripts."""


def own_names() -> list[str]:
    """Return the host names that the studio answers to.

    These are the loopback names and those that the user set as `server.address`, `browser.serverAddress` or
    `server.allowedHosts`, on the command line or in the environment. If the studio listens on all addresses (0.0.0.0),
    all addresses and names of the machine are included.
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


class AccessControl:
    """ASGI middleware that refuses unknown hosts (403), other origins (403) and unneeded routes (404).

    It also adds the response headers that make a browser isolate the studio from other sites.
    """

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
            await send({"type": "websocket.close", "code": 1008})  # before acceptance, so uvicorn answers 403
        else:
            status, reason = refusal
            await PlainTextResponse(f"{reason}\n", status)(scope, receive, send)


def _refusal(headers: Headers, path: str) -> tuple[int, str] | None:
    """Return the HTTP status and the reason if a request must be refused, else None."""
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
    """Whether an origin is the studio itself: scheme http or https, and the name and port of `host`.

    The names in `LOOPBACK` count as the same name. `host` has passed `is_host_allowed`, so it can be parsed.
    """
    if origin in config.get_option("server.corsAllowedOrigins"):
        return True
    scheme, _, place = origin.partition("://")
    if scheme not in ("http", "https") or not is_host_allowed(place):
        return False
    theirs, ours = urlsplit(f"//{place}"), urlsplit(f"//{host}")
    same = theirs.hostname == ours.hostname or {theirs.hostname, ours.hostname} <= set(LOOPBACK)
    return same and theirs.port == ours.port


def _is_used(route: str) -> bool:
    """Whether a route, relative to `/_stcore/`, is in `CORE_ROUTES`."""
    return any(route.startswith(used) if used.endswith("/") else route == used for used in CORE_ROUTES)


def _with_headers(scope: Scope, send: Send) -> Send:
    """Return a `send` function that adds the security headers to the response."""
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
