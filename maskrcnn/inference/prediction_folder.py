"""The output folder of predict: an overlay of each picture, and `detections.json` with all detections."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskrcnn.annotations.progress_callback import Watch, unwatched
from maskrcnn.atomic_files import write_atomic
from maskrcnn.errors import ArgumentError
from maskrcnn.evaluation.measures import DEFAULT_MIN_SCORE
from maskrcnn.inference.input_pictures import GivenPicture, pictures_of
from maskrcnn.inference.overlay_files import overlay_names, require_overlay_folders, save_overlay
from maskrcnn.inference.picture_prediction import PicturePrediction, predictions
from maskrcnn.model.build import StudioRCNN
from maskrcnn.output_files import writing

RESULTS = "detections.json"
"""Name of the file with all detections, in the output folder of `predict`."""


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
        overlays = overlay_names([entry.name for entry in given], [entry.path for entry in given], folder)
        require_overlay_folders(overlays, folder)
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
