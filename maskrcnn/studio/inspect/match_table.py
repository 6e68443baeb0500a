"""The objects and detections of one picture with all their IoUs, as JSON for the browser.

`matching.js` matches them there at any minimum score and IoU threshold, with the result of `evaluation.match_image`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from maskrcnn.evaluation import coco_documents
from maskrcnn.evaluation.coco_documents import Document, Entry, Id
from maskrcnn.evaluation.measured_set import MeasuredSet


def match_table(
    ground_truth: Document, detections: Iterable[Document], image_id: Id, tasks: Sequence[str]
) -> dict[str, Any]:
    """Return the table of one picture as JSON values.

    `tasks` are those of the network; without the task "mask", boxes are compared. `objects` are the labelled objects,
    `detections` all detections, best score first, and `overlaps` has for each detection its IoUs with the objects of
    its class, as pairs (index of the object, IoU); an IoU of 0 is left out. `others` has the same for the objects of
    other classes, which are never matched. For a crowd it is the fraction of the detection that lies on the crowd.
    Boxes, masks (COCO's RLE) and keypoints are in pixels of the picture. `class` is the index of a category of the
    document, `position` that of the detection in `detections`. Raises `StudioError` if the documents do not belong
    together.

    >>> truth = {
    ...     "images": [{"id": 1, "file_name": "a.png", "width": 100, "height": 100}],
    ...     "categories": [{"id": 7, "name": "cell"}],
    ...     "annotations": [{"id": 1, "image_id": 1, "category_id": 7, "bbox": [10, 10, 20, 20], "area": 400}],
    ... }
    >>> found = [{"image_id": 1, "category_id": 7, "bbox": [10, 10, 20, 10], "score": 0.9}]  # the upper half
    >>> table = match_table(truth, found, 1, ["box"])
    >>> table["overlaps"]
    [[[0, 0.5]]]
    >>> table["detections"]
    [{'class': 0, 'box': [10, 10, 20, 10], 'position': 0, 'score': 0.9, 'label': 'cell 0.90'}]
    """
    measured = MeasuredSet(coco_documents.parse(ground_truth, detections, image_id, tasks))
    found, annotations = measured.documents, measured.object_entries
    classes = {category: index for index, category in enumerate(found.categories)}
    names = {category: entry["name"] for category, entry in found.categories.items()}

    def drawn(entry: Entry) -> dict[str, Any]:
        return {"class": classes.get(entry["category_id"]), **entry_shape(entry, found.masks)}

    def name_of(entry: Entry) -> str:
        return str(names.get(entry["category_id"], f"class {entry['category_id']}"))

    overlaps: list[list[list[float]]] = [[] for _ in measured.detection_entries]
    others: list[list[list[float]]] = [[] for _ in measured.detection_entries]
    pairs = measured.pairs(measured.matched_by)
    for row, column, iou in zip(pairs.detection.tolist(), pairs.object.tolist(), pairs.iou.tolist(), strict=True):
        if measured.detections.category[row] == measured.objects.category[column]:
            overlaps[row].append([column, iou])
        else:
            others[row].append([column, round(iou, 4)])
    return {
        "objects": [
            drawn(entry) | {"id": entry["id"], "label": name_of(entry), "crowd": bool(entry["iscrowd"])}
            for entry in annotations
        ],
        "detections": [
            drawn(entry)
            | {
                "position": entry["position"],
                "score": float(entry["score"]),
                "label": f"{name_of(entry)} {entry['score']:.2f}",
            }
            for entry in measured.detection_entries
        ],
        "overlaps": overlaps,
        "others": others,
    }


def entry_shape(entry: Mapping[str, Any], masks: bool) -> dict[str, Any]:
    """Return the box, the mask (COCO's RLE) and the keypoints of an entry, in pixels with at most 2 decimals."""
    shape: dict[str, Any] = {"box": [round(value, 2) for value in entry["bbox"]]}
    if masks:
        counts = entry["segmentation"]["counts"]
        text = counts.decode("ascii") if isinstance(counts, bytes) else counts
        shape["rle"] = {"size": list(entry["segmentation"]["size"]), "counts": text}
    keypoints = entry.get("keypoints")
    if keypoints and any(keypoints[2::3]):
        shape["points"] = [
            [round(x, 2), round(y, 2), visibility]
            for x, y, visibility in zip(keypoints[::3], keypoints[1::3], keypoints[2::3], strict=True)
        ]
    return shape
