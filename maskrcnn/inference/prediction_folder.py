"""The output folder of predict: what goes into it, and `detections.json` with all detections.

`predict_into` is the short way for Python: an overlay of each picture, one after the other. `prediction_run` is that of
the command line, with more kinds of files, several threads, videos, and a journal to go on from.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskrcnn.annotations.progress_callback import Watch, unwatched
from maskrcnn.atomic_files import replacing
from maskrcnn.errors import ArgumentError
from maskrcnn.evaluation.measures import DEFAULT_MIN_SCORE
from maskrcnn.inference.input_pictures import GivenPicture, pictures_of
from maskrcnn.inference.overlay_files import overlay_names, require_overlay_folders, save_overlay
from maskrcnn.inference.picture_prediction import PicturePrediction, predictions
from maskrcnn.inference.video_frames import is_video_name
from maskrcnn.model.build import StudioRCNN
from maskrcnn.output_files import writing

RESULTS = "detections.json"
"""Name of the file with all detections, in the output folder of `predict`."""


@dataclass(frozen=True)
class PredictionFolder:
    """The plan of an output folder of predict: the pictures, and the file names of their overlays.

    `overlays[i]` is the overlay of `pictures[i]`, relative to `path`. `passed_over` has a message for each kind of file
    in the given folders that is skipped. `videos` are those that were given by their file.
    """

    path: Path
    pictures: tuple[GivenPicture, ...]
    overlays: tuple[str, ...]
    passed_over: tuple[str, ...] = ()
    videos: tuple[GivenPicture, ...] = ()

    @classmethod
    def plan(cls, images: Path | str | Sequence[Path | str], out: Path | str) -> PredictionFolder:
        """Plan the output folder `out` for files and folders of pictures. Writes nothing and loads no network.

        Raises `ArgumentError` if a path does not exist, if a folder has no pictures, if a folder of `out` is a file, or
        if `out` has a `detections.json` that predict did not write.
        """
        folder = Path(out)
        _require_own_results(folder / RESULTS)
        paths = [Path(path) for path in ([images] if isinstance(images, (str, Path)) else images)]
        videos = [path for path in paths if is_video_name(path) and path.is_file()]
        others = [path for path in paths if path not in videos]
        given, passed_over = pictures_of(others) if others or not videos else ([], [])
        overlays = overlay_names([entry.name for entry in given], [entry.path for entry in given], folder)
        require_overlay_folders(overlays, folder)
        once = {os.path.realpath(path): path for path in videos}
        shown = tuple(GivenPicture(path, path.name) for path in once.values())
        return cls(folder, tuple(given), tuple(overlays), tuple(passed_over), shown)

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
        write_results(folder.results, document)


def write_results(results: Path, entries: Iterable[dict[str, Any]]) -> int:
    """Write `detections.json`, whole or not at all, one entry at a time. Returns the number of entries.

    Raises `ArgumentError` if the file cannot be written.
    """
    count = 0
    with writing(results):
        results.parent.mkdir(parents=True, exist_ok=True)
        with replacing(results) as temporary, temporary.open("x", encoding="utf-8", newline="") as file:
            file.write("[")
            for entry in entries:
                file.write((", " if count else "") + json.dumps(entry, allow_nan=False))
                count += 1
            file.write("]\n")
    return count


_FIRST_CHARACTERS = 20_000_000
"""Number of characters in which the first entry of a `detections.json` ends. The file itself can be much longer."""


def _require_own_results(results: Path) -> None:
    """Raise `ArgumentError` if the file exists and was not written by predict, by its first entry."""
    if not results.exists():
        return
    own = False
    with contextlib.suppress(OSError, ValueError, RecursionError), results.open(encoding="utf-8") as file:
        start = file.read(_FIRST_CHARACTERS).strip()
        if start.startswith("["):
            rest = start[1:].lstrip()
            entry = {} if rest == "]" else json.JSONDecoder().raw_decode(rest)[0]
            own = rest == "]" or (isinstance(entry, dict) and {"file_name", "category_name"} <= set(entry))
    if not own:
        raise ArgumentError(f"{results}: is there already and was not written by predict; give --out another folder")
