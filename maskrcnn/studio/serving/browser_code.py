"""The studio's JavaScript modules and style sheets, served to the browser as files.

A Streamlit component has one script as a string. That of a large component only imports its modules from here, so that
they can import each other, and the browser keeps them. The address of a module contains a digest of all modules: after
an update of the studio, the browser loads them again.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from streamlit import config
from streamlit.url_util import make_url_path

_FOLDER = Path(__file__).parents[1]
_MEDIA_TYPES = {".js": "text/javascript", ".css": "text/css"}
_YEAR = 365 * 24 * 3600  # seconds


def module_url(file: Path) -> str:
    """Return the URL path of a JavaScript or CSS file below `maskrcnn/studio`."""
    place = f"studio/code/{_digest()}/{file.relative_to(_FOLDER).as_posix()}"
    return make_url_path(config.get_option("server.baseUrlPath"), place)


def importing_script(file: Path) -> str:
    """Return the script of a Streamlit component whose code is the default export of the module `file`."""
    return (
        "export default function (component) {\n"
        f"  const loading = import(new URL({module_url(file)!r}, document.baseURI));\n"
        "  let stop = () => {}, stopped = false;\n"
        "  loading.then((module) => { if (!stopped) stop = module.default(component) ?? stop; });\n"
        "  return () => { stopped = true; stop(); };\n"
        "}\n"
    )


def routes() -> list[Route]:
    """Return the route of the modules."""
    return [Route("/studio/code/{digest}/{name:path}", _file)]


def _file(request: Request) -> Response:
    """Answer with a module or a style sheet."""
    content = _files().get(request.path_params["name"])
    if content is None:
        return PlainTextResponse("Not Found\n", 404)
    current = request.path_params["digest"] == _digest()
    return Response(
        content,
        media_type=_MEDIA_TYPES[Path(request.path_params["name"]).suffix],
        headers={"Cache-Control": f"public, max-age={_YEAR}, immutable" if current else "no-cache"},
    )


@cache
def _files() -> dict[str, bytes]:
    """Return path below `maskrcnn/studio` -> content, for all modules and style sheets."""
    found = [path for path in sorted(_FOLDER.rglob("*")) if path.suffix in _MEDIA_TYPES and path.is_file()]
    return {path.relative_to(_FOLDER).as_posix(): path.read_bytes() for path in found}


@cache
def _digest() -> str:
    """Return a short digest of all modules and their names."""
    digest = hashlib.sha256()
    for name, content in _files().items():
        digest.update(f"{name} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:16]
