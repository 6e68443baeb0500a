"""Open a model bundle, a zip that somebody sent, as a run folder. No torch.

A bundle is data of a stranger. It is unpacked beside the runs under a hidden name; every file is checked, and only then
the folder gets its name, so there is a whole run or none. Refused are: other files than those of `bundle_format` (code,
pickles, anything that is not known), names that lead out of the zip, links, too many bytes, invalid documents and
weights, and bundles of a newer version.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from maskrcnn import untrusted_files
from maskrcnn.annotations import file_names as names
from maskrcnn.annotations.intake.zip_unpacking import unpack
from maskrcnn.errors import ArgumentError, StudioError
from maskrcnn.name_order import folded
from maskrcnn.runs.bundle_format import ABOUT, BUNDLE_SCHEMA, FOR_PEOPLE, FORMAT, REQUIRED, VERSION, belongs
from maskrcnn.runs.checkpoint_files import checkpoint_file_header
from maskrcnn.runs.folder import CONFIG, DATASET, METRICS, RESULT, START, RunFolder

PICTURES = "pictures"
"""The folder, in a run that was opened, where its pictures would be: a bundle has labels but no pictures."""

_CODE = (".py", ".pyc", ".so", ".pth", ".pt", ".pkl", ".pickle", ".ckpt", ".bin", ".npy", ".sh", ".exe", ".dll")
_DAMAGED_RUN = "the run folder was damaged, restore that file"
_AGAIN = "ask for the bundle again, or for one made by: python -m maskrcnn export RUN --to bundle"


def open_bundle(
    source: Path | IO[bytes],
    runs_folder: Path,
    *,
    name: str | None = None,
    file_name: str | None = None,
    pictures: Mapping[str, tuple[Path, int, int]] | None = None,
    check_weights: Callable[[Path], object] = checkpoint_file_header,
) -> RunFolder:
    """Open a bundle as a new run in `runs_folder`, which is made if it is missing. Returns the run.

    `source` is the zip, a path or an opened file. `name` is the name of the new run; by default it is the name in the
    bundle, with a number if it is taken. `file_name` is the name of the zip for messages. `pictures` are those that may
    be shown with the labels: file name -> (path, width, height); labels of a picture with that name and size are linked
    to it. `check_weights` gets the path of the weights and raises `StudioError` if they are of no use
    (`inference.export.bundle_weights` builds the network).

    Raises `StudioError` if the zip is no bundle or anything in it is wrong, `ArgumentError` if `name` is taken. Then
    nothing is left behind.
    """
    label = names.brief(file_name or (source.name if isinstance(source, Path) else "the bundle"))
    untrusted_files.require_real_folder(runs_folder)
    if isinstance(source, Path) and not source.is_file():
        raise ArgumentError(f"{source} does not exist; give the zip of a model bundle")
    if name is not None and os.path.lexists(runs_folder / name):
        raise ArgumentError(f"{runs_folder / name} is there already; choose another name")
    temporary = runs_folder / f".opening-{uuid.uuid4().hex}.tmp"
    is_new = not runs_folder.exists()
    try:
        temporary.mkdir(parents=True)
        about = _unpacked(source, label, temporary)
        _check(RunFolder(temporary), check_weights)
        _link_pictures(RunFolder(temporary), pictures or {})
        for extra in FOR_PEOPLE:
            (temporary / extra).unlink(missing_ok=True)
        target = runs_folder / (name or unused_run_name(runs_folder, about["name"]))
        os.rename(temporary, target)
        return RunFolder(target)
    except StudioError as error:
        _remove(temporary, runs_folder, is_new)
        raise type(error)(_without_folder(str(error), temporary, label)) from None
    except OSError as error:
        _remove(temporary, runs_folder, is_new)
        raise StudioError(
            f"{label}: cannot be opened in {runs_folder} ({error.strerror}); free some space or mend its rights"
        ) from None
    except BaseException:
        _remove(temporary, runs_folder, is_new)
        raise


def _remove(temporary: Path, runs_folder: Path, is_new: bool) -> None:
    """Remove what a failed opening has written, and the folder of runs if it was made for it."""
    shutil.rmtree(temporary, ignore_errors=True)
    if is_new:
        with suppress(OSError):
            runs_folder.rmdir()


def _without_folder(line: str, temporary: Path, label: str) -> str:
    """A message about a file of the temporary folder as one about the bundle."""
    line = line.replace(f"{temporary}{os.sep}", f"{label}: ").replace(str(temporary), label)
    return line.replace(_DAMAGED_RUN, _AGAIN)


def _unpacked(source: Path | IO[bytes], label: str, folder: Path) -> dict[str, Any]:
    """Unpack a bundle into `folder`, and return its `bundle.json`. Raises `StudioError` for what is no bundle."""
    if isinstance(source, Path):
        size = source.stat().st_size
    else:
        size = source.seek(0, os.SEEK_END)
        source.seek(0)
    found = unpack(source, size, label, folder)
    for inside in found:
        if inside.lower().endswith(_CODE):
            raise StudioError(f"{label}: holds code or a pickle ({names.brief(inside)}), so it is not opened; {_AGAIN}")
    about = untrusted_files.read_json(folder / ABOUT, BUNDLE_SCHEMA, folder, mend=_AGAIN) if ABOUT in found else None
    if about is None or about["format"] != FORMAT:
        raise StudioError(f"{label}: is no model bundle; give the zip that: python -m maskrcnn export RUN --to bundle")
    if about["version"] > VERSION:
        raise StudioError(
            f"{label}: was made by a newer version of Mask R-CNN Studio (format {about['version']}, known here is "
            f"{VERSION}); update the studio, or ask for a bundle of an older one"
        )
    for inside in found:
        # A name that differs in case alone is unknown too, so no two files are the same on any file system.
        if not belongs(inside) or found[inside] != folder / inside:
            raise StudioError(
                f"{label}: holds {names.brief(inside)}, which no bundle has, so it is not opened; {_AGAIN}"
            )
    if missing := [part for part in REQUIRED if part not in found]:
        raise StudioError(f"{label}: {missing[0]} is missing in it; {_AGAIN}")
    return about


def _check(run: RunFolder, check_weights: Callable[[Path], object]) -> None:
    """Raise `StudioError` for anything in an unpacked bundle that no run has."""
    for document in (CONFIG, START, RESULT, DATASET):
        run.read_json(document)
    for epoch in run.detection_epochs():
        run.detections(epoch)
    try:
        config = run.config()
    except ArgumentError as error:
        raise StudioError(f"{run.path / CONFIG}: {error}; {_AGAIN}") from None
    written, _ = checkpoint_file_header(run.best)
    if [written.names, written.tasks, written.backbone] != [config.names, config.tasks, config.backbone]:
        raise StudioError(f"{run.best}: has the weights of another network than {CONFIG} says; {_AGAIN}")
    check_weights(run.best)
    labels = run.dataset()
    for document in filter(None, (labels["train"], labels["val"])):
        for image in document["images"]:
            if names.leads_out(name := image["file_name"]):
                place = run.path / DATASET
                raise StudioError(f'{place}: names a picture "{names.brief(name)}" outside of its folder; {_AGAIN}')
    if run.has(METRICS) and not run.metrics():
        raise StudioError(f"{run.path / METRICS}: has no row that can be read; {_AGAIN}")


def _link_pictures(run: RunFolder, pictures: Mapping[str, tuple[Path, int, int]]) -> None:
    """Write a path for each picture into the labels of a run: that of the same picture here, or one that is missing."""
    labels = run.dataset()
    for document in filter(None, (labels["train"], labels["val"])):
        for image in document["images"]:
            path, width, height = pictures.get(image["file_name"], (None, 0, 0))
            if path is not None and (width, height) == (image["width"], image["height"]):
                # The run gets its name in the same folder, so a path relative to it stays right.
                image["path"] = os.path.relpath(path, run.path)
            else:
                image["path"] = f"{PICTURES}/{names.storable(image['file_name'])}"
    (run.path / DATASET).write_text(json.dumps(labels, allow_nan=False), encoding="utf-8")


def linked_pictures(run: RunFolder) -> tuple[int, int]:
    """How many pictures of the labels of an opened run are on this computer, and how many there are."""
    labels = run.dataset()
    images = [image for part in (labels["train"], labels["val"]) if part for image in part["images"]]
    return sum(not image["path"].startswith(f"{PICTURES}/") for image in images), len(images)


def unused_run_name(runs_folder: Path, name: str) -> str:
    """A name for a new run that is not taken: `name` as far as a folder can have it, with a number if it is taken.

    >>> unused_run_name(Path("no-such-folder"), "../My cells!")
    'My-cells'
    """
    base = re.sub(r"[^\w.-]+", "-", names.parts(name)[-1] if names.parts(name) else "").strip("-._")[:80] or "model"
    taken = {folded(path.name) for path in runs_folder.iterdir()} if runs_folder.is_dir() else set()
    number, free = 1, base
    while folded(free) in taken:
        number += 1
        free = f"{base}-{number}"
    return free
