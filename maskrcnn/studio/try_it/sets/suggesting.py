"""Pictures of a set become pictures of the project, and what was found in them its suggestions."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from maskrcnn.annotations.dataset import Dataset, ImageRecord
from maskrcnn.annotations.hints.box_outline import HintStopped
from maskrcnn.annotations.regions import Region
from maskrcnn.annotations.store import Project
from maskrcnn.errors import StudioError
from maskrcnn.studio.try_it.sets import tried_network, tried_set, works
from maskrcnn.studio.try_it.sets.taking import FoundPictures
from maskrcnn.studio.try_it.sets.tried_set import TriedSet
from maskrcnn.studio.try_it.sets.works import Work

if TYPE_CHECKING:
    from maskrcnn.model.candidates import Selection


@dataclass(frozen=True)
class Suggested:
    """What was added: numbers of new pictures, of pictures that were there already, and of suggested objects.

    `first` is the file name, in the project, of the first picture with a suggestion (without any: of the first
    picture). `lines` tell what could not be added.
    """

    added: int
    there: int
    objects: int
    first: str | None
    lines: tuple[str, ...] = ()


def start(
    workspace: Path, source: Project | None, target: Project, tried: TriedSet, positions: Sequence[int], by: Selection
) -> Work:
    """Start to add these pictures to the `target` project. `source` is the set's own project, None if it is gone."""

    def add(work: Work) -> Suggested:
        return _add(work, workspace, source, target, tried, positions, by)

    return works.start("suggesting", workspace, tried.id, add, (tuple(positions), by))


def _add(
    work: Work,
    workspace: Path,
    source: Project | None,
    target: Project,
    tried: TriedSet,
    positions: Sequence[int],
    by: Selection,
) -> Suggested:
    """Outline what was found, add the pictures, then keep the suggestions."""
    from maskrcnn.inference.outputs import as_dataset

    found = FoundPictures(workspace, source, tried, positions, by)
    regions: dict[int, Sequence[Region]] = {}
    lines: list[str] = []
    for number, position in enumerate(positions):
        if work.job.stopped():
            raise HintStopped
        work.counted(number, len(positions) + 1)
        try:
            regions[position] = as_dataset([found[number]], tried.config).images[0].regions
        except StudioError as error:
            lines.append(str(error))
    if work.job.stopped():
        raise HintStopped
    ids, added, more = _in_project(workspace, source, target, tried, list(regions))
    network = tried.network
    stamp = f"{network.modified}-{network.size}"
    target.keep_suggestions(
        tried_network.suggestion_key(network), {ids[position]: regions[position] for position in ids}, stamp
    )
    work.counted(len(positions) + 1, len(positions) + 1)
    names = {image.id: image.file_name for image in target.images()}
    best = [ids[position] for position in ids if regions[position]] or list(ids.values())
    objects = sum(len(regions[position]) for position in ids)
    first = next((names[number] for number in best if number in names), None)
    return Suggested(added, len(ids) - added, objects, first, (*lines, *more))


def _in_project(
    workspace: Path, source: Project | None, target: Project, tried: TriedSet, positions: Sequence[int]
) -> tuple[dict[int, int], int, tuple[str, ...]]:
    """Add pictures that the project does not have; one of the same content is not added twice.

    Returns {position: picture id}, the number of new pictures, and lines about what could not be added.
    """
    same = source is not None and source.folder == target.folder
    known = {image.sha256: image.id for image in target.images()}
    ids: dict[int, int] = {}
    new: dict[str, int] = {}  # digest -> position of the first picture with that content
    digests: dict[int, str] = {}
    lines: list[str] = []
    for position in positions:
        picture = tried.pictures[position]
        if same and picture.image_id is not None:
            ids[position] = picture.image_id
            continue
        try:
            digest = _digest(tried_set.picture_path(workspace, source, tried, position))
        except (StudioError, OSError) as error:
            lines.append(str(error))
            continue
        if digest in known:
            ids[position] = known[digest]
        else:
            digests[position] = digest
            new.setdefault(digest, position)
    if new:
        places = [tried_set.picture_path(workspace, source, tried, position) for position in new.values()]
        records = tuple(ImageRecord(path.name, path=path) for path in places)
        report = target.import_dataset(Dataset(records), "train")
        lines += report.warnings
        known = {image.sha256: image.id for image in target.images()}
        ids |= {position: known[digest] for position, digest in digests.items() if digest in known}
    return dict(sorted(ids.items())), len({ids[position] for position in digests if position in ids}), tuple(lines)


def _digest(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
