"""A network looks for objects in the pictures of a set, in a thread, picture by picture.

What it found in a picture is written at once, so that the first picture is there before the last, and work that was
stopped, or ended with the server, goes on where it was.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from maskrcnn.annotations import pictures
from maskrcnn.annotations.file_names import plain_file_name, storable
from maskrcnn.annotations.hints.box_outline import HintStopped
from maskrcnn.annotations.store import Project
from maskrcnn.drawing.jpeg import jpeg
from maskrcnn.errors import StudioError
from maskrcnn.studio.annotate.hints import networks
from maskrcnn.studio.annotate.hints.networks import Network
from maskrcnn.studio.try_it.sets import figures, tried_network, tried_set, works
from maskrcnn.studio.try_it.sets.incoming import MOST_FRAMES
from maskrcnn.studio.try_it.sets.tried_set import PICTURES, SetPicture, TriedSet, candidates_path, thumbnail_path
from maskrcnn.studio.try_it.sets.works import Work
from maskrcnn.words import one_line

THUMBNAIL = 300
"""Longer side of the small pictures, in pixels."""


def start(workspace: Path, project: Project | None, tried: TriedSet) -> Work:
    """Start, or go on, to look for objects in the pictures of a set. `project` is the set's project."""
    return works.start("finding", workspace, tried.id, lambda work: _find_all(work, workspace, project, tried.id))


def left_to_do(workspace: Path, tried: TriedSet) -> list[int]:
    """The positions of the pictures that were not looked at yet."""
    known = {*tried_set.done(workspace, tried), *(int(place) for place in tried.failed if place.isdecimal())}
    return [position for position in range(len(tried.pictures)) if position not in known]


def is_complete(workspace: Path, tried: TriedSet) -> bool:
    """Whether every picture was looked at."""
    return (tried.video is None or tried.video.is_read) and not left_to_do(workspace, tried)


def _find_all(work: Work, workspace: Path, project: Project | None, identity: str) -> None:
    """Read the frames of a video, then look into each picture that is left."""
    tried = tried_set.read(workspace, identity)
    if tried.video is not None and not tried.video.is_read:
        tried = _read_frames(work, workspace, tried)
    network = tried_network.network_of(project, tried.network)
    with networks.in_use(network, work.job):  # an error of the network ends the work, one of a picture does not
        pass
    todo = left_to_do(workspace, tried)
    total = len(tried.pictures)
    before = total - len(todo)
    work.total = 0  # the time of the frames says nothing about that of the network
    work.counted(before, total)
    for number, position in enumerate(todo, start=1):
        if work.job.stopped():
            raise HintStopped
        try:
            picture = pictures.load(tried_set.picture_path(workspace, project, tried, position))
            places = (place(workspace, identity, position) for place in (candidates_path, thumbnail_path))
            _find_in(work, network, picture, *places)
            figures.prepare(candidates_path(workspace, identity, position), tried.config)
        except HintStopped:
            raise
        except StudioError as error:
            tried = _with_failure(workspace, tried, position, str(error))
        except MemoryError:
            line = f"{tried.pictures[position].name}: there is not enough memory for this picture; make it smaller"
            tried = _with_failure(workspace, tried, position, line)
        except FileNotFoundError:
            raise HintStopped from None  # the set was deleted
        work.counted(before + number, total)


def _find_in(work: Work, network: Network, picture: np.ndarray, target: Path, thumbnail: Path) -> None:
    """Look into one picture, and write what was found, and the picture small."""
    from maskrcnn.model.candidates import find_candidates

    with networks.in_use(network, work.job) as loaded:
        work.job.words = "looking for objects"
        found = find_candidates(loaded.model, picture)
    thumbnail.write_bytes(jpeg(picture, THUMBNAIL))
    found.save(target)  # last: a picture is done when this file is there


def _with_failure(workspace: Path, tried: TriedSet, position: int, line: str) -> TriedSet:
    """The set with a line about a picture that could not be looked at, which is written."""
    name = tried.pictures[position].name
    folder = str(tried_set.folder_of(workspace, tried.id) / PICTURES / tried.pictures[position].file)
    told = one_line(line.replace(folder, name))
    changed = replace(tried, failed={**tried.failed, str(position): told})
    tried_set.write(workspace, changed)
    return changed


# Videos


def _read_frames(work: Work, workspace: Path, tried: TriedSet) -> TriedSet:
    """Store the frames of the video as the pictures of the set, and return the set with them.

    Raises `StudioError` if the video cannot be read. If it is cut off, the frames before are used.
    """
    from maskrcnn.inference.video_frames import video_facts, video_frames

    video = tried.video
    assert video is not None
    folder = tried_set.folder_of(workspace, tried.id)
    path = folder / video.file
    notes: list[str] = []
    stored: list[SetPicture] = []
    work.job.begin("reading the frames")
    try:
        known = video_facts(path).frames
        step = 1 if not video.every else max(1, round(video.every * video_facts(path).fps))
        expected = MOST_FRAMES if known is None else min(MOST_FRAMES, max(1, known // step))
        for number, frame in enumerate(video_frames(path, video.every or None, MOST_FRAMES + 1)):
            if work.job.stopped():
                raise HintStopped
            if number == MOST_FRAMES:
                notes.append(f"{video.name}: only its first {MOST_FRAMES} frames are used")
                break
            name = storable(plain_file_name(f"{Path(video.name).stem[:80]} {_time(frame.time)}.jpg"))
            height, width = frame.picture.shape[:2]
            (folder / PICTURES / name).write_bytes(jpeg(frame.picture, max(height, width)))
            stored.append(SetPicture(name, width, height, name))
            work.counted(number + 1, max(expected, number + 1))
    except StudioError as error:
        told = str(error).replace(str(path), video.name)
        if not stored:
            raise StudioError(told) from None
        notes.append(told)
    except FileNotFoundError:
        raise HintStopped from None  # the set was deleted
    changed = replace(tried, pictures=tuple(stored), notes=(*tried.notes, *notes), video=replace(video, is_read=True))
    tried_set.write(workspace, changed)
    return changed


def _time(seconds: float) -> str:
    """The time of a frame, whose names are then in its order.

    >>> _time(61.25)
    '01m01.250s'
    """
    minutes, rest = divmod(round(seconds * 1000), 60_000)
    return f"{minutes:02d}m{rest // 1000:02d}.{rest % 1000:03d}s"
