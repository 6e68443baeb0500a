"""A set of pictures that was given to a network on the Try it page, and its folder.

```
WORKSPACE/.tried/ID/set.json           what the set is (`TriedSet`), written whole or not at all
                    pictures/          the pictures, as they were given
                    found/000000.npz   what the network could find in picture 0 (`model.candidates.Candidates`)
                    found/000000.jpg   that picture, small
                    chosen.json        what the person chose: selection and known lengths
```

Pictures of a project are not copied: the set names them. A picture without a file in `found/` is still to be done.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from maskrcnn import untrusted_files
from maskrcnn.annotations.store import Project
from maskrcnn.atomic_files import write_atomic
from maskrcnn.config import Config
from maskrcnn.errors import StudioError
from maskrcnn.output_files import writing

FOLDER = ".tried"
"""The folder of all sets, below the workspace. No project can have this name."""

SET, PICTURES, FOUND, CHOSEN = "set.json", "pictures", "found", "chosen.json"

ID = re.compile(r"[0-9a-f]{12}")
"""What the id of a set looks like."""

_MOST_BYTES = 20_000_000
_GONE = "this set of pictures is not there any more; give the pictures again"


@dataclass(frozen=True)
class SetPicture:
    """A picture of a set. `width` and `height` are those of the picture as displayed.

    `file` is its file below `pictures/`; a picture of the project has none, but its `image_id` there.
    """

    name: str
    width: int
    height: int
    file: str = ""
    image_id: int | None = None


@dataclass(frozen=True)
class SetVideo:
    """The video that the pictures of a set are frames of.

    `file` is below the set's folder. `every`: seconds between two frames, 0 for every frame. `fps`: frames per second
    of a video that shows the pictures one after the other. `is_read`: all frames are among the pictures.
    """

    file: str
    name: str
    every: float
    fps: float
    is_read: bool = False


@dataclass(frozen=True)
class SetNetwork:
    """The network of a set: a run of its project or a model that ships, and the epoch of the checkpoint.

    `key` is "run/NAME" or "shipped/NAME". `modified` (ns) and `size` are those of the checkpoint file. `is_best`: it is
    the run's best checkpoint.
    """

    key: str
    name: str
    epoch: int | None
    modified: int
    size: int
    is_best: bool = True


@dataclass(frozen=True)
class TriedSet:
    """A set. `project` is the folder name of its project; `made` is in seconds since 1970.

    `fields` are the fields of the network's Config. `unreadable` has a line for each file that is no picture that can
    be read; `failed` one for each picture (by its position as text) in which the network could not look.
    """

    id: str
    made: float
    project: str
    title: str
    network: SetNetwork
    fields: dict[str, Any]
    pictures: tuple[SetPicture, ...] = ()
    unreadable: tuple[str, ...] = ()
    failed: dict[str, str] = field(default_factory=dict)
    video: SetVideo | None = None
    notes: tuple[str, ...] = ()

    @property
    def config(self) -> Config:
        """The network's Config."""
        return _config(json.dumps(self.fields, sort_keys=True))


_SET: TypeAdapter[TriedSet] = TypeAdapter(TriedSet)


@lru_cache(maxsize=64)
def _config(fields: str) -> Config:
    """The Config with these fields (JSON)."""
    return Config.parse(json.loads(fields))


def folder_of(workspace: Path, identity: str) -> Path:
    """The folder of a set. Raises `StudioError` if `identity` can be no id of a set."""
    if not ID.fullmatch(identity):
        raise StudioError(_GONE)
    return workspace / FOLDER / identity


def read(workspace: Path, identity: str) -> TriedSet:
    """Read a set. Raises `StudioError` if it is not there or its document is damaged."""
    folder = folder_of(workspace, identity)
    try:
        about = (folder / SET).stat()
    except OSError:
        raise StudioError(_GONE) from None
    return _read(folder, about.st_mtime_ns, about.st_size)


@lru_cache(maxsize=64)
def _read(folder: Path, modified: int, size: int) -> TriedSet:
    """Read the document of a set in the state that its modification time (ns) and size name."""
    mend = "delete the set, and give the pictures again"
    found = untrusted_files.read_json(folder / SET, _SET, folder, _MOST_BYTES, mend)
    if found is None or found.id != folder.name:
        raise StudioError(_GONE)
    for picture in found.pictures:
        if picture.file and not untrusted_files.is_file_name(picture.file):
            raise StudioError(f"{SET}: a picture lies outside of its set; {mend}")
        if not (0 < picture.width < 1 << 20 and 0 < picture.height < 1 << 20):
            raise StudioError(f"{SET}: a picture has an impossible size; {mend}")
    if found.video is not None and not untrusted_files.is_file_name(found.video.file):
        raise StudioError(f"{SET}: its video lies outside of its set; {mend}")
    found.config  # noqa: B018  raises if its fields are no Config
    return found


def write(workspace: Path, tried: TriedSet) -> None:
    """Write the document of a set, whole or not at all. Raises `StudioError` if it cannot be written."""
    folder = folder_of(workspace, tried.id)
    with writing(folder / SET):
        write_atomic(folder / SET, json.dumps(asdict(tried), allow_nan=False) + "\n")


def candidates_path(workspace: Path, identity: str, position: int) -> Path:
    """The file with what the network could find in picture number `position` of a set."""
    return folder_of(workspace, identity) / FOUND / f"{position:06d}.npz"


def thumbnail_path(workspace: Path, identity: str, position: int) -> Path:
    """The file with picture number `position` of a set as a small JPEG."""
    return candidates_path(workspace, identity, position).with_suffix(".jpg")


def done(workspace: Path, tried: TriedSet) -> list[int]:
    """The positions of the pictures that the network has looked at, in order."""
    found = folder_of(workspace, tried.id) / FOUND
    try:
        names = {path.name for path in found.iterdir()}
    except OSError:
        return []
    return [position for position in range(len(tried.pictures)) if f"{position:06d}.npz" in names]


def picture_path(workspace: Path, project: Project | None, tried: TriedSet, position: int) -> Path:
    """The file of a picture. Raises `StudioError` if it is gone or lies elsewhere.

    `project` is the project of the set, for its pictures; None if that is gone.
    """
    picture = tried.pictures[position]
    if picture.image_id is not None:
        if project is None:
            raise StudioError(f"{picture.name}: its project is not there any more; give the picture again")
        return project.picture(picture.image_id)
    folder = folder_of(workspace, tried.id) / PICTURES
    path = untrusted_files.confined(folder / picture.file, [folder], "give the picture again")
    if not path.is_file():
        raise StudioError(f"{picture.name}: is not there any more; give the picture again")
    return path


# What the person chose


@dataclass(frozen=True)
class Chosen:
    """What the person chose for a set: the fields of a `Selection`, and known lengths by the position of a picture."""

    selection: dict[str, Any] | None = None
    lengths: dict[str, dict[str, Any]] = field(default_factory=dict)


_CHOSEN: TypeAdapter[Chosen] = TypeAdapter(Chosen)


def chosen(workspace: Path, identity: str) -> Chosen:
    """Read what was chosen for a set. Nothing, if the file is missing or damaged."""
    folder = folder_of(workspace, identity)
    try:
        return untrusted_files.read_json(folder / CHOSEN, _CHOSEN, folder) or Chosen()
    except StudioError:
        return Chosen()


def keep_chosen(workspace: Path, identity: str, **changes: Any) -> None:
    """Store fields of `Chosen` for a set. A disk that is full, or a set that is gone, is passed over."""
    try:
        found = replace(chosen(workspace, identity), **changes)
        folder = folder_of(workspace, identity)
        write_atomic(folder / CHOSEN, json.dumps(asdict(found), allow_nan=False, default=_as_list), durable=False)
    except (OSError, StudioError, ValueError):
        return


def _as_list(value: Any) -> Any:
    """JSON has no sets."""
    if isinstance(value, frozenset):
        return sorted(value)
    raise ValueError(f"{type(value).__name__} is no JSON value")


def selection_fields(fields: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The fields of a `Selection` from JSON; None if they are odd."""
    kinds: dict[str, tuple[type, ...]] = {
        **dict.fromkeys(("min_score", "nms_iou", "mask_threshold"), (int, float)),
        **dict.fromkeys(("proposals", "most"), (int,)),
    }
    if fields is None or any(
        not isinstance(fields.get(name), kind) or isinstance(fields[name], bool) for name, kind in kinds.items()
    ):
        return None
    values: dict[str, Any] = {name: fields[name] for name in kinds}
    classes = fields.get("classes")
    if classes is not None and not (isinstance(classes, list) and all(isinstance(entry, int) for entry in classes)):
        return None
    return values | {"classes": None if classes is None else frozenset(classes)}
