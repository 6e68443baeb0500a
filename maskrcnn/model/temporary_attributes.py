"""Temporary changes of attributes of a network's modules."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn

_ABSENT = object()


@contextmanager
def temporary_attributes(*changes: tuple[nn.Module, str, Any]) -> Iterator[None]:
    """Within the context, attribute `name` of `module` is `value`, for each `(module, name, value)`.

    After the context, also after an exception, the attributes have their former values. It is for plain attributes and
    methods (`forward`), not for parameters, buffers and submodules, so the names in `state_dict` do not change.

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
