"""A folder of predictions: an overlay of each picture, and `detections.json` with all detections."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskrcnn.annotations.trainable import Watch, unwatched
from maskrcnn.atomic_files import write_atomic
from maskrcnn.errors import ArgumentError, writing
from maskrcnn.evaluation.matching import DEFAULT_MIN_SCORE
from maskrcnn.inference.given_pictures import GivenPicture, pictures_of
from maskrcnn.inference.overlay_files import save
from maskrcnn.inference.overlay_names import overlay_names, require_folders
from maskrcnn.inference.picture_prediction import PicturePrediction, predictions
from maskrcnn.model.build import StudioRCNN


@dataclass(frozen=True)
class PredictionFolder:
    """Which pictures go into a folder of predictions, and under which names.

    `pictures` and `overlays`, the file names in the folder, belong together. `passed_over` has a line for each kind of
    file in the given folders that is not predicted.
    """

    path: Path
    pictures: tuple[GivenPicture, ...]
    overlays: tuple[str, ...]
    passed_over: tuple[str, ...] = ()

    @classmethod
    def plan(cls, images: Sequence[Path | str], out: Path | str) -> PredictionFolder:
        """The folder `out` for files and folders of pictures. Writes nothing, and loads no network.

        Raises `ArgumentError` where something does not exist, where a folder has no pictures, and where `out` cannot
        be such a folder or holds a `detections.json` that predict did not write.
        """
        folder = Path(out)
        _require_own(folder / "detections.json")
        given, passed_over = pictures_of([Path(path) for path in images])
        overlays = overlay_names(given, folder)
        require_folders(overlays, folder)
        return cls(folder, tuple(given), tuple(overlays), tuple(passed_over))

    @property
    def results(self) -> Path:
        """The file of all detections."""
        return self.path / "detections.json"


def predict_into(
    folder: PredictionFolder, model: StudioRCNN, min_score: float = DEFAULT_MIN_SCORE, watch: Watch = unwatched
) -> Iterator[tuple[PicturePrediction, Path]]:
    """Predict the pictures of a folder, and give each prediction with the file of its overlay once that is written.

    `detections.json` is written after the last picture, if any could be read: a list of COCO results, each with
    `file_name`, `overlay` and `category_name` besides, with every detection whatever its score. Overlays show those
    from `min_score` on. Raises `ArgumentError` where a file cannot be written.
    """
    document: list[dict[str, Any]] = []
    readable = False
    found = predictions(model, folder.pictures, watch)
    for prediction, overlay in zip(found, folder.overlays, strict=True):
        path = folder.path / overlay
        if prediction.error is None:
            readable = True
            save(prediction.overlay(min_score), path)
            about = {"file_name": prediction.name, "overlay": overlay}
            document += [
                {**entry, **about, "category_name": prediction.class_name(entry)} for entry in prediction.detections
            ]
        yield prediction, path
    if readable:
        with writing(folder.results):
            folder.path.mkdir(parents=True, exist_ok=True)
            write_atomic(folder.results, json.dumps(document, allow_nan=False) + "\n")


def _require_own(results: Path) -> None:
    """`ArgumentError` where a file is there already that predict did not write."""
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
