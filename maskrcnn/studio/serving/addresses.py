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

from starlette.convertors import Convertor, register_url_convertor

_DIGITS = 30
"""Digits of a number in a path that are read. A number of more digits belongs to nothing, and stays that large."""

_SECRET = secrets.token_bytes(32)
_MOST = 100_000
"""Maximum number of keys; the least recently used ones are forgotten. A page that is drawn again gets a new one."""

_things: OrderedDict[str, Hashable] = OrderedDict()
_lock = threading.Lock()


class NumberConvertor(Convertor[int]):
    """A number of a path, as `{name:number}`. Starlette's own `int` fails on one of thousands of digits."""

    regex = "[0-9]+"

    def convert(self, value: str) -> int:
        """Return the number; of a very large one only its first digits."""
        return int(value[:_DIGITS])

    def to_string(self, value: int) -> str:
        """Return the text of a number in a path."""
        return str(value)


register_url_convertor("number", NumberConvertor())


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
