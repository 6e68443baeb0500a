"""The output folder of predict: an overlay of each picture, and `detections.json` with all detections."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from maskrcnn.annotations.file_names import folded
from maskrcnn.annotations.progress_callback import Watch, unwatched
from maskrcnn.annotations.unused_names import unused_name
from maskrcnn.atomic_files import write_atomic
from maskrcnn.errors import ArgumentError
from maskrcnn.evaluation.matching import DEFAULT_MIN_SCORE
from maskrcnn.inference.input_pictures import GivenPicture, pictures_of
from maskrcnn.inference.overlay_files import is_overlay, save_overlay
from maskrcnn.inference.picture_prediction import PicturePrediction, predictions
from maskrcnn.model.build import StudioRCNN
from maskrcnn.output_files import writing

RESULTS = "detections.json"


@dataclass(frozen=True)
class PredictionFolder:
    """The plan of an output folder of predict: the pictures, and the file names of their overlays.

    `overlays[i]` is the overlay of `pictures[i]`, relative to `path`. `passed_over` has a message for each kind of file
    in the given folders that is skipped.
    """

    path: Path
    pictures: tuple[GivenPicture, ...]
    overlays: tuple[str, ...]
    passed_over: tuple[str, ...] = ()

    @classmethod
    def plan(cls, images: Path | str | Sequence[Path | str], out: Path | str) -> PredictionFolder:
        """Plan the output folder `out` for files and folders of pictures. Writes nothing and loads no network.

        Raises `ArgumentError` if a path does not exist, if a folder has no pictures, if a folder of `out` is a file, or
        if `out` has a `detections.json` that predict did not write.
        """
        folder = Path(out)
        _require_own_results(folder / RESULTS)
        given, passed_over = pictures_of(images)
        overlays = overlay_names(given, folder)
        require_folders(overlays, folder)
        return cls(folder, tuple(given), tuple(overlays), tuple(passed_over))

    @property
    def results(self) -> Path:
        """The path of `detections.json`, the file with all detections."""
        return self.path / RESULTS


def predict_into(
    folder: PredictionFolder, model: StudioRCNN, min_score: float = DEFAULT_MIN_SCORE, watch: Watch = unwatched
) -> Iterator[tuple[PicturePrediction, Path]]:
    """Predict the pictures of `folder`, write the results, and yield each prediction with the path of its overlay.

    An overlay shows the detections of at least `min_score`, and is written before its prediction is yielded; a picture
    that could not be read has none. After the last picture `detections.json` is written, if any picture could be read:
    a list of COCO results of any score, each with the additional fields `file_name`, `overlay` and `category_name`.
    Raises `ArgumentError` if a file cannot be written.
    """
    document: list[dict[str, Any]] = []
    readable = False
    found = predictions(model, folder.pictures, watch)
    for prediction, overlay in zip(found, folder.overlays, strict=True):
        path = folder.path / overlay
        if prediction.error is None:
            readable = True
            save_overlay(prediction.overlay(min_score), path)
            about = {"file_name": prediction.name, "overlay": overlay}
            document += [
                {**entry, **about, "category_name": prediction.class_name(entry)} for entry in prediction.detections
            ]
        yield prediction, path
    if readable:
        with writing(folder.results):
            folder.path.mkdir(parents=True, exist_ok=True)
            write_atomic(folder.results, json.dumps(document, allow_nan=False) + "\n")


def _require_own_results(results: Path) -> None:
    """Raise `ArgumentError` if the file exists and was not written by predict."""
    if not results.exists():
        return
    try:
        found = json.loads(results.read_text(encoding="utf-8"))
        entries = found if isinstance(found, list) else [None]
        own = all(isinstance(entry, dict) and {"file_name", "category_name"} <= set(entry) for entry in entries)
    except (OSError, ValueError, RecursionError):
        own = False
    if not own:
        raise ArgumentError(f"{results}: is there already and was not written by predict; give --out another folder")


def overlay_names(given: Sequence[GivenPicture], out: Path) -> list[str]:
    """A file name for the overlay of each picture: a path relative to the folder `out`, with `/`.

    The overlay of `a.jpg` is `a.png`. It is `a-2.png`, `a-3.png` and so on if another overlay has that name (ignoring
    case, as many file systems do), if overlays of a folder need that name for their folder, or if `out` has such a file
    that is not an overlay or is one of the given pictures. Pictures whose name no other picture shares are named first,
    so they keep it in any order of the list.

    >>> given = [GivenPicture(Path("photos") / name, name) for name in ("a.png", "a.jpg")]
    >>> overlay_names(given, Path("predictions"))
    ['a.png', 'a-2.png']
    """
    names = [entry.name for entry in given]
    inputs = {os.path.realpath(entry.path) for entry in given}
    wanted = [str(PurePosixPath(name).with_suffix("")) for name in names]
    shared = Counter(map(folded, wanted))
    # The folder of an overlay cannot be a file too, such as "a.png" in "a.png/b.jpg".
    taken = {folded(str(folder)) for name in names for folder in PurePosixPath(name).parents}

    def is_taken(name: str) -> bool:
        return folded(name) in taken or not _may_write_overlay(out / name, inputs)

    found: dict[int, str] = {}
    unshared_first = sorted(range(len(names)), key=lambda index: shared[folded(wanted[index])] > 1)
    for index in unshared_first:
        found[index] = unused_name(f"{wanted[index]}.png", is_taken, "{stem}-{number}{suffix}")
        taken.add(folded(found[index]))
    return [found[index] for index in range(len(names))]


def require_folders(overlays: Iterable[str], out: Path) -> None:
    """Raise `ArgumentError` if a folder that the overlays need is a file."""
    for name in overlays:
        for folder in [*(out / name).parents]:
            if folder.exists() and not folder.is_dir():
                raise ArgumentError(f"{folder} is a file, where a folder is needed; give --out another folder")


def _may_write_overlay(path: Path, inputs: Container[str]) -> bool:
    """Whether an overlay may be written to this path: nothing exists there, or an overlay that is not an input.

    A symbolic link is not replaced, because its target can be in another folder.
    """
    if not os.path.lexists(path):
        return True
    is_own = path.is_file() and not path.is_symlink() and is_overlay(path)
    return is_own and os.path.realpath(path) not in inputs
