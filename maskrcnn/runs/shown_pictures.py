"""Pictures of a run with saved detections: the validation set, or some training pictures if there is none."""

from __future__ import annotations

from typing import Any

SHOWN_WITHOUT_VALIDATION = 4
"""Number of training pictures whose detections are saved after each epoch if there is no validation set."""


def shown_pictures(train: dict[str, Any], val: dict[str, Any] | None) -> dict[str, Any]:
    """The document of the pictures with saved detections: `val`, or some pictures of `train` if it has none.

    See `RunFolder.shown`; these are the first `SHOWN_WITHOUT_VALIDATION` pictures of `train`.
    """
    if val and val["images"]:
        return val
    return document_part(train, train["images"][:SHOWN_WITHOUT_VALIDATION])


def document_part(document: dict[str, Any], images: list[dict[str, Any]]) -> dict[str, Any]:
    """The document of a run (COCO) with only the pictures `images` of it that are shown, and their annotations.

    >>> document = {"images": [{"id": 1}, {"id": 2}], "annotations": [{"image_id": 1}, {"image_id": 2}]}
    >>> document_part(document, [{"id": 2}])
    {'images': [{'id': 2}], 'annotations': [{'image_id': 2}]}
    """
    chosen = {image["id"] for image in images}
    annotations = [annotation for annotation in document["annotations"] if annotation["image_id"] in chosen]
    return {**document, "images": images, "annotations": annotations}
