"""Pictures with what was found in them, kept in a temporary file, so that they can be read several times."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, overload

from maskrcnn.inference.outputs.found_picture import FoundPicture


class FoundSpool(Sequence[FoundPicture]):
    """A sequence of `FoundPicture`s that grows by `append`. Each is read from the file when it is asked for.

    The file has no name, lies in the folder `place`, and is gone when the object is. Raises `OSError` if it cannot be
    written.

    >>> spool = FoundSpool()
    >>> spool.append(FoundPicture("a.png", 8, 8, ({"score": 0.5},)))
    >>> len(spool), spool[0]
    (1, FoundPicture(name='a.png', width=8, height=8, detections=({'score': 0.5},), path=None))
    """

    def __init__(self, place: Path | None = None) -> None:
        self._file = TemporaryFile(dir=place)  # noqa: SIM115 - it is open as long as this object lives
        self._ends = [0]
        self._last: tuple[int, FoundPicture] | None = None

    def append(self, found: FoundPicture) -> None:
        """Add a picture at the end."""
        path = None if found.path is None else str(found.path)
        fields = [found.name, found.width, found.height, found.detections, path]
        line = json.dumps(fields, default=_plain).encode()
        self._file.seek(self._ends[-1])
        self._file.write(line)
        self._last = (len(self), found)
        self._ends.append(self._ends[-1] + len(line))

    def __len__(self) -> int:
        return len(self._ends) - 1

    @overload
    def __getitem__(self, index: int) -> FoundPicture: ...
    @overload
    def __getitem__(self, index: slice) -> list[FoundPicture]: ...
    def __getitem__(self, index: int | slice) -> FoundPicture | list[FoundPicture]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        place = range(len(self))[index]
        if self._last is None or self._last[0] != place:
            start, end = self._ends[place : place + 2]
            self._file.seek(start)
            name, width, height, detections, path = json.loads(self._file.read(end - start))
            found = FoundPicture(name, width, height, tuple(detections), None if path is None else Path(path))
            self._last = (place, found)
        return self._last[1]


def _plain(value: Any) -> Any:
    """A value of NumPy or of pycocotools as JSON has it."""
    return value.decode("ascii") if isinstance(value, bytes) else value.tolist()
