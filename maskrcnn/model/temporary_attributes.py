"""Change attributes of a network's modules for a while, and put back what was there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn

_ABSENT = object()


@contextmanager
def temporary_attributes(*changes: tuple[nn.Module, str, Any]) -> Iterator[None]:
    """Within the context each `(module, name, value)` is set on that one module; afterwards, also after an exception,
    every module has what it had before.

    For plain attributes and methods (`forward`), which a module keeps beside its parameters, buffers and submodules:
    the names in `state_dict` are the same within and after.

    >>> layer = nn.ReLU()
    >>> with temporary_attributes((layer, "forward", lambda x: -x)):
    ...     layer(3)
    -3
    >>> "forward" in vars(layer)
    False
    """
    before: list[tuple[nn.Module, str, Any]] = []
    try:
        for module, name, value in changes:
            before.append((module, name, vars(module).get(name, _ABSENT)))
            setattr(module, name, value)
        yield
    finally:
        for module, name, value in reversed(before):
            if value is _ABSENT:
                delattr(module, name)
            else:
                setattr(module, name, value)
