"""Pictures that a person gives to a network: uploads, zips, a photo, a video, or pictures of the project.

Uploaded files are data of strangers. They are unpacked and measured as those of an import are (`annotations.intake`),
and only then become pictures of a set. What cannot be read is told in one line, and the rest is used.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from maskrcnn.annotations import file_names, pictures
from maskrcnn.annotations.intake.dropped_files import write_uploads
from maskrcnn.annotations.intake.picture_headers import PictureHeaders
from maskrcnn.annotations.intake.temporary_folders import without_temporary_folder
from maskrcnn.annotations.progress_callback import Progress
from maskrcnn.annotations.store import StoredImage
from maskrcnn.annotations.unused_names import UnusedNames
from maskrcnn.durations import clock
from maskrcnn.errors import StudioError
from maskrcnn.name_order import natural_key
from maskrcnn.studio.try_it.sets import set_folders
from maskrcnn.studio.try_it.sets.set_folders import MOST_PICTURES
from maskrcnn.studio.try_it.sets.tried_set import PICTURES, SetPicture, SetVideo
from maskrcnn.words import counted

MOST_SECONDS = 600.0
"""Maximum length of a video."""

MOST_FRAMES = 600
"""Maximum number of frames of a video that become pictures."""

ARRIVING = "arriving"
"""The folder in that of a new set where uploads are unpacked."""

_OF_LABELS = "; replace it, or take it out of the label file"
"""The end of a message about a picture, where there is no label file."""

_UNKNOWN_TRIED = 50
"""Maximum number of files without the suffix of a picture that are opened, if there are no others."""


@dataclass(frozen=True)
class Given:
    """What arrived: the pictures, a line for each file that cannot be used, and the video, if it is one."""

    title: str
    pictures: tuple[SetPicture, ...] = ()
    unreadable: tuple[str, ...] = ()
    video: SetVideo | None = None


GivenIn = Callable[[Path], Given]
"""Puts pictures into the folder of a new set."""


def from_uploads(
    uploads: Sequence[tuple[str, bytes]],
    folder: Path,
    workspace: Path,
    progress: Progress | None = None,
) -> Given:
    """Write uploaded files (name, content) into the folder of a new set, and return what is in them.

    Zips are unpacked. `progress(done, total)` counts the files that were looked at. Raises `StudioError` if there is no
    picture and no video among them, if there are too many, or if they look like an attack.
    """
    title = _title([name for name, _ in uploads])
    set_folders.require_room(workspace, sum(len(content) for _, content in uploads))
    arriving = folder / ARRIVING
    arriving.mkdir()
    try:
        files = write_uploads(uploads, arriving)
        packed = sum(len(content) for _, content in uploads)
        given = _sorted_out(title, files, folder, packed, progress)
        if len(uploads) > 1 and given.pictures:  # some of the files may be no pictures
            given = replace(given, title=_title([picture.name for picture in given.pictures]))
        return given
    except OSError as error:
        raise StudioError(f"{title}: cannot be stored ({error.strerror}); make space on this computer") from None
    finally:
        shutil.rmtree(arriving, ignore_errors=True)


def from_files(files: Mapping[str, Path], title: str, folder: Path) -> Given:
    """Copy picture files of this computer ({name: path}) into the folder of a new set.

    Raises `StudioError` as `from_uploads`.
    """
    arriving = folder / ARRIVING
    arriving.mkdir()
    copies: dict[str, Path] = {}
    try:
        for number, (name, path) in enumerate(files.items()):
            copies[name] = arriving / f"{number}{path.suffix}"
            shutil.copyfile(path, copies[name])
        return _sorted_out(title, copies, folder, None, None)
    except OSError as error:
        raise StudioError(f"{title}: cannot be copied ({error.strerror}); make space, or look at the file") from None
    finally:
        shutil.rmtree(arriving, ignore_errors=True)


def from_project(images: Sequence[StoredImage], title: str) -> Given:
    """Pictures of the project. They stay where they are. Raises `StudioError` without any, or for too many."""
    if not images:
        raise StudioError("the project has no such pictures; choose others, or drop some here")
    if len(images) > MOST_PICTURES:
        raise StudioError(_too_many("the project", len(images)))
    return Given(title, tuple(SetPicture(i.file_name, i.width, i.height, image_id=i.id) for i in images))


def _sorted_out(
    title: str,
    files: Mapping[str, Path],
    folder: Path,
    packed: int | None,
    progress: Progress | None,
) -> Given:
    """Move the pictures among the files into the set; a video alone becomes its video."""
    from maskrcnn.inference.video_frames import is_video_name

    lines: list[str] = []
    videos = [name for name in files if is_video_name(name)]
    chosen = [name for name in files if file_names.suffix(name) in pictures.SUFFIXES]
    if not chosen and len(videos) == 1:
        return _video(videos[0], files[videos[0]], folder)
    if not chosen and videos:
        raise StudioError(f"these are {len(videos)} videos; give one at a time")
    lines += [f"{file_names.brief(name)}: is a video and was passed over; give it alone" for name in videos]
    others = [name for name in files if name not in chosen and name not in videos]
    if not chosen and len(others) <= _UNKNOWN_TRIED:
        chosen, others = others, []  # the format is told by the content, so a name without a suffix is as good
    holds = f"it holds {counted(len(files), 'file')}, none of them a picture" if files else "nothing is in it"
    none = StudioError(f"{title}: there is no picture ({holds}); give JPEG, PNG, TIFF or HEIC, or a zip of them")
    if not chosen:
        raise none
    if len(chosen) > MOST_PICTURES:
        raise StudioError(_too_many(title, len(chosen)))
    if others:
        lines.append(f"{counted(len(others), 'file')} that {'is' if len(others) == 1 else 'are'} no picture")
    chosen.sort(key=natural_key)
    headers = PictureHeaders(title, packed)
    headers.measure((name, files[name]) for name in chosen)
    unused, stored_names = (UnusedNames(form="{stem}-{number}{suffix}") for _ in range(2))
    found: list[SetPicture] = []
    refused: list[StudioError] = []
    for number, name in enumerate(chosen, start=1):
        if progress is not None:
            progress(number, len(chosen))
        try:
            width, height = pictures.quick_check(files[name], file_names.brief(name), headers.size(files[name], name))
        except StudioError as error:
            told = without_temporary_folder(str(error), folder / ARRIVING)
            refused.append(StudioError(told.removesuffix(_OF_LABELS)))
            continue
        stored = stored_names.take(file_names.storable(file_names.plain_file_name(name)))
        os.replace(files[name], folder / PICTURES / stored)
        shown = unused.take(file_names.without_control_characters(file_names.nfc(name)) or "picture")
        found.append(SetPicture(shown, width, height, stored))
    if not found:
        if not any(file_names.suffix(name) in pictures.SUFFIXES for name in chosen):
            raise none
        if len(refused) == 1:
            raise refused[0]
        raise StudioError(f"{title}: {counted(len(refused), 'picture')}, and none can be read: {refused[0]}")
    return Given(title, tuple(found), (*map(str, refused), *lines))


def _video(name: str, path: Path, folder: Path) -> Given:
    """Move a video into the set. Raises `StudioError` if it cannot be read, or is too long."""
    from maskrcnn.inference.video_frames import default_every, video_facts

    shown = file_names.brief(name)
    try:
        facts = video_facts(path)
    except StudioError as error:
        raise StudioError(str(error).replace(str(path), shown)) from None
    if facts.seconds is not None and facts.seconds > MOST_SECONDS:
        raise StudioError(
            f"{shown}: is {clock(facts.seconds)} long, and a video may have at most {clock(MOST_SECONDS)} here; cut "
            "it, or use python -m maskrcnn predict"
        )
    every = default_every(facts)
    stored = f"video{_plain_suffix(name)}"
    os.replace(path, folder / stored)
    return Given(shown, video=SetVideo(stored, shown, every, 1 / every if every else facts.fps))


def _plain_suffix(name: str) -> str:
    """The suffix of a name, if it is a few letters and digits; it is only for people who look into the folder."""
    suffix = file_names.suffix(name)
    return suffix if suffix[1:].isascii() and suffix[1:].isalnum() and len(suffix) <= 6 else ""


def _title(given: Sequence[str]) -> str:
    """How a set of uploads is called: by the only file, or by its folder, or by the first one."""
    if len(given) == 1:
        return file_names.brief(given[0])
    folders = {file_names.parts(name)[0] for name in given if len(file_names.parts(name)) > 1}
    if len(folders) == 1 and all(len(file_names.parts(name)) > 1 for name in given):
        return file_names.brief(folders.pop())
    return f"{file_names.brief(file_names.last_part(given[0]))} and {len(given) - 1} more"


def _too_many(what: str, number: int) -> str:
    """The message for more pictures than a set may have."""
    return (
        f"{what}: these are {counted(number, 'picture')}, and a set has at most {MOST_PICTURES:,}; give fewer at a "
        "time, or use python -m maskrcnn predict"
    )
