"""What the journal of predict holds, read one picture at a time: for `detections.json` and the other outputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, overload

from maskrcnn.inference.outputs.found_picture import FoundPicture
from maskrcnn.inference.prediction_journal import Journal

Place = tuple[str, Path | None, str | None]
"""A finished picture: its key in the journal, its file (None if there is none), and the drawn video of a frame."""


class FoundInJournal(Sequence[FoundPicture]):
    """The finished pictures `places` with their detections of at least `min_score`, each read when it is asked for."""

    def __init__(self, journal: Journal, places: Sequence[Place], min_score: float) -> None:
        self._journal, self._places, self._min_score = journal, places, min_score

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, index: int) -> FoundPicture: ...

    @overload
    def __getitem__(self, index: slice) -> FoundInJournal: ...

    def __getitem__(self, index: int | slice) -> FoundPicture | FoundInJournal:
        if isinstance(index, slice):
            return FoundInJournal(self._journal, self._places[index], self._min_score)
        key, path, _ = self._places[index]
        entry = self._journal.entry(key)
        shown = tuple(found for found in entry.detections if found["score"] >= self._min_score)
        return FoundPicture(entry.name, entry.width, entry.height, shown, path)


def results_entries(
    journal: Journal, places: Sequence[Place], numbers: Mapping[str, int], classes: Sequence[str], overlays: bool
) -> Iterator[dict[str, Any]]:
    """The entries of `detections.json`: COCO results of any score, with the fields that say of which picture they are.

    `numbers` are the `image_id`s of pictures by their keys; frames of videos are numbered after them. `classes` are the
    names of the category ids 1, 2, ... `overlays`: whether overlays were written.
    """
    frames = 0
    for key, _, video in places:
        entry = journal.entry(key)
        about: dict[str, Any] = {"file_name": entry.name}
        if entry.frame is not None:
            frames += 1
            about |= {"time": entry.time}
        if overlays:
            about["overlay"] = f"{key}.png" if video is None else video
        number = numbers[key] if entry.frame is None else len(numbers) + frames
        for found in entry.detections:
            yield {**found, "image_id": number, **about, "category_name": classes[found["category_id"] - 1]}
