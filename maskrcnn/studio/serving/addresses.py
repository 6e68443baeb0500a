"""Addresses that give a browser access to one thing, such as a picture file or a project.

A page calls `address_key`, and sends the key to the browser as part of a URL. The server answers only to keys that a
page has handed out, so that a URL cannot name another file or project. The same thing has the same key until the server
ends, so the browser can cache what it gets.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from collections import OrderedDict
from collections.abc import Hashable

_SECRET = secrets.token_bytes(32)
_MOST = 100_000
"""Maximum number of keys; the least recently used ones are forgotten. A page that is drawn again gets a new one."""

_things: OrderedDict[str, Hashable] = OrderedDict()
_lock = threading.Lock()


def address_key(thing: Hashable) -> str:
    """Return the key of a thing. `repr(thing)` must identify it."""
    key = hmac.new(_SECRET, repr(thing).encode(), hashlib.sha256).hexdigest()[:40]
    with _lock:
        _things[key] = thing
        _things.move_to_end(key)
        while len(_things) > _MOST:
            _things.popitem(last=False)
    return key


def thing_of(key: str) -> Hashable | None:
    """Return the thing with this key; None for an unknown key."""
    with _lock:
        if key not in _things:
            return None
        _things.move_to_end(key)
        return _things[key]
