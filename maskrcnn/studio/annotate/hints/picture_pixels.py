"""The pixels of the pictures that hints look at. The last ones are kept, because clicks on one picture follow each
other."""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path

import numpy as np

from maskrcnn.annotations import pictures
from maskrcnn.errors import StudioError

_KEPT_BYTES = 160_000_000
"""Maximum bytes of decoded pictures that are kept, in addition to the last one."""

Identity = tuple[str, int, int]
"""A picture file in the state of its modification time (ns) and size."""

_kept: OrderedDict[Identity, np.ndarray] = OrderedDict()
_lock = threading.Lock()


def identity_of(path: Path) -> Identity:
    """Return which file a path names, and in which state. Raises `StudioError` if there is none."""
    try:
        about = path.stat()
    except OSError as error:
        raise StudioError(f"{path.name}: cannot be read ({error.strerror}); put the picture back") from None
    return str(path), about.st_mtime_ns, about.st_size


def pixels_of(path: Path) -> np.ndarray:
    """Return a picture as displayed, uint8 RGB `(h, w, 3)`, which must not be changed. One is decoded at a time."""
    identity = identity_of(path)
    with _lock:
        if identity not in _kept:
            _kept[identity] = pictures.load(path)
            while len(_kept) > 1 and sum(pixels.nbytes for pixels in _kept.values()) > _KEPT_BYTES:
                _kept.popitem(last=False)
        _kept.move_to_end(identity)
        return _kept[identity]
