"""Write COCO documents; see `coco` for the conversion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pycocotools import mask as coco_mask

from maskrcnn.annotations import learnable_objects, raster
from maskrcnn.annotations.dataset import Dataset, ImageRecord
from maskrcnn.annotations.formats import writer_checks
from maskrcnn.annotations.formats.coco import run_lengths
from maskrcnn.annotations.formats.coco.ids import ids_to_write
from maskrcnn.annotations.formats.coco.reading import IMAGE_FIELDS
from maskrcnn.annotations.formats.dropped_info import DroppedInfo, count_dataset_info
from maskrcnn.annotations.formats.format_interface import Encoded
from maskrcnn.annotations.formats.json_values import Json, json_bytes
from maskrcnn.annotations.regions import Circle, Ellipse, Keypoints, MultiPolygon, Point, Region, Skeleton


def document(dataset: Dataset, classes: Sequence[str] | None = None, *, outlines: bool = True) -> Json:
    """Return the dataset as a COCO document.

    With `classes` (class names, in the order of their ids), it is training data: all ids are new, all areas and boxes
    are computed, and every object has a mask. With `outlines=False`, training data also has the objects with only
    keypoints, with the box around them.

    Raises `StudioError` if a region that is written has no class or one that is not in `classes`; if a picture's size
    is unknown; and if a mask does not have its picture's size.
    """
    return _document(dataset, classes, DroppedInfo(dataset.source), outlines)


def ground_truth(dataset: Dataset, *, outlines: bool = True) -> Json:
    """Return the ground truth of an evaluation, as a COCO document.

    Ids, areas and boxes are those of the dataset's own COCO file, so that pycocotools gives the same result for that
    file. A dataset of another format has those that `encode` writes. The objects are the same as in training
    (`annotations.learnable_objects`): those with a mask, and crowds. With `outlines=False`, boxes are evaluated, and
    objects with only a box or keypoints are included. Raises the same errors as `document`.
    """
    return _document(dataset, None, DroppedInfo(dataset.source), outlines, for_evaluation=True)


def encode(dataset: Dataset) -> Encoded:
    """Return `document(dataset)` as a file, with a warning for each kind of information that COCO cannot hold."""
    dropped = DroppedInfo(dataset.source)
    count_dataset_info(dataset, dropped, "COCO", keypoint_names=False, unused_classes=False)
    written = _document(dataset, None, dropped)
    content = json_bytes(written, dataset.source or "the dataset")
    return Encoded({"coco.json": content}, len(written["annotations"]), dropped.warnings())


def _document(
    dataset: Dataset,
    classes: Sequence[str] | None,
    dropped: DroppedInfo,
    outlines: bool = True,
    for_evaluation: bool = False,
) -> Json:
    """Return the COCO document.

    With `classes`, it is training data: all ids are new, and nothing that a COCO file said about a shape is used. With
    `for_evaluation`, it is the ground truth of an evaluation: it has the same objects as training data, with the ids,
    areas and boxes of the dataset's own COCO file.
    """
    source, for_training = str(dataset.source or "the dataset"), classes is not None
    names = tuple(classes) if classes is not None else dataset.classes
    file_categories = dataset.extras.get("coco_categories", {})
    category_ids = dict(
        zip(
            names,
            ids_to_write([file_categories.get(name, {}).get("id") for name in names], for_training, for_evaluation),
            strict=True,
        )
    )
    image_ids = ids_to_write(
        [record.extras.get("coco", {}).get("id") for record in dataset.images], for_training, for_evaluation
    )

    images: list[Json] = []
    annotations: list[Json] = []
    annotation_ids: list[Any] = []
    for image_id, record in zip(image_ids, dataset.images, strict=True):
        width, height = writer_checks.required_picture_size(record, source, "COCO")
        images.append(_image_entry(image_id, record, width, height, for_training, dropped))
        for number, region in enumerate(record.regions, start=1):
            here = f'{source}: region {number} of "{record.file_name}"'
            if _is_left_out(region, for_training or for_evaluation, outlines, dropped):
                continue
            category_id = writer_checks.required_class_number(region, category_ids, dataset, here)
            writer_checks.require_mask_of_picture_size(region, width, height, here)
            file_fields = {} if for_training else region.extras.get("coco", {})
            if for_evaluation:
                file_fields = _ground_truth_fields(file_fields, region, width, height, outlines)
            skeleton = dataset.skeletons.get(region.class_name or "")
            annotation = _annotation_entry(region, width, height, file_fields, skeleton, dropped)
            if annotation is None:
                dropped.add("{regions} left out because COCO has masks, and theirs has no pixel inside the picture")
                continue
            annotation_ids.append(file_fields.get("id"))
            annotations.append({"image_id": image_id, "category_id": category_id, **annotation})
    return {
        # pycocotools requires `info` in a ground-truth file.
        "info": {},
        **dataset.extras.get("coco", {}),
        "images": images,
        "annotations": [
            {"id": number, **annotation}
            for number, annotation in zip(ids_to_write(annotation_ids, for_training), annotations, strict=True)
        ],
        "categories": [
            {
                "supercategory": "",
                **file_categories.get(name, {}),
                "id": number,
                "name": name,
                **_skeleton_fields(dataset.skeletons.get(name)),
            }
            for name, number in category_ids.items()
        ],
    }


def _ground_truth_fields(file_fields: Json, region: Region, width: int, height: int, outlines: bool) -> Json:
    """Return the fields of a COCO file (`file_fields`) that are written for an object in the ground truth: all but
    `segmentation`, or all if boxes are evaluated (`outlines=False`). Empty if the object has no pixel inside the
    picture, because training skips it."""
    if not isinstance(region.shape, Keypoints) and raster.area(region.shape, height, width) == 0:
        return {}
    return {name: value for name, value in file_fields.items() if name != "segmentation" or not outlines}


def _skeleton_fields(skeleton: Skeleton | None) -> Json:
    """Return the fields `keypoints` and `skeleton` that are written for a category; empty if it has no skeleton."""
    if skeleton is None:
        return {}
    return {"keypoints": list(skeleton.names), "skeleton": [[a + 1, b + 1] for a, b in skeleton.edges]}


def _image_entry(
    image_id: int | str, record: ImageRecord, width: int, height: int, for_training: bool, dropped: DroppedInfo
) -> Json:
    """Return the entry of a picture in the list `images` of a COCO document."""
    further = {key: value for key, value in record.attributes.items() if key not in IMAGE_FIELDS}
    if len(further) < len(record.attributes):
        dropped.add("{pictures} lost an attribute because COCO uses its name (id, file_name, width, height) itself")
    if record.split is not None and not for_training:
        further["split"] = record.split
    return {"id": image_id, "file_name": record.file_name, "width": width, "height": height, **further}


def _is_left_out(region: Region, only_learnable: bool, outlines: bool, dropped: DroppedInfo) -> bool:
    """Whether a region has no annotation in the document; it is then counted in `dropped`.

    These regions have one: a region with an area; labelled keypoints without another shape; a point that was read from
    a COCO keypoint. With `only_learnable` (training data, and the ground truth of an evaluation), labelled keypoints
    without another shape have one only with `outlines=False` and a box around them, and a point never has one.
    """
    shape = region.shape
    if raster.has_area(shape):
        return False
    if isinstance(shape, Keypoints) and not (only_learnable and outlines):
        drawn = any(visibility for _, _, visibility in shape.points)
        if drawn and (not only_learnable or learnable_objects.has_box(shape)):
            return False
    if isinstance(shape, Point) and not only_learnable and "keypoints" in _coco_notes(region):
        return False  # a keypoint of a COCO file
    dropped.add("{regions} without area (points, lines) left out because COCO instances have masks")
    return True


def _annotation_entry(
    region: Region, width: int, height: int, file_fields: Json, skeleton: Skeleton | None, dropped: DroppedInfo
) -> Json | None:
    """Return the annotation of a region without its ids. None if its mask has no pixel inside the picture, unless it
    was an annotation of a COCO file.

    `file_fields` are the notes about the annotation that the region was read from; empty if there are none or they are
    not wanted. Their entry `fields` has the other fields of that annotation, in their order: name -> value. For the
    value None, the region's attribute of that name is written.
    """
    shape = region.shape
    annotation: Json = {}
    if isinstance(shape, Keypoints | Point):
        x0, y0, x1, y1 = raster.bounds(shape)
        area: float = (x1 - x0) * (y1 - y0)
        box = [x0, y0, x1 - x0, y1 - y0]
    else:
        encoded = raster.rle(shape, height, width)
        area, box = (
            int(coco_mask.area({**encoded, "counts": encoded["counts"].encode("ascii")})),
            run_lengths.mask_box(encoded),
        )
        if area == 0 and "id" not in file_fields:
            return None
        annotation["segmentation"] = _segmentation(region, encoded, dropped)
    if "segmentation" in file_fields:
        annotation["segmentation"] = file_fields["segmentation"]
        if annotation["segmentation"] is None:
            del annotation["segmentation"]
    annotation |= {
        "area": file_fields.get("area", area),
        "bbox": file_fields.get("bbox", box),
        "iscrowd": int(region.iscrowd),
        **_keypoint_fields(region, skeleton),
    }
    if region.source == "model":
        annotation |= {"source": "model"} | ({} if region.score is None else {"score": region.score})
    others = dict(region.attributes)
    for name, value in file_fields.get("fields", {}).items():
        if value is not None:
            annotation[name] = value
        elif name in others:
            annotation[name] = others.pop(name)
    return {**annotation, "attributes": others} if others else annotation


def _coco_notes(region: Region) -> Json:
    """Return the notes from the COCO file that a region was read from; empty for other regions."""
    notes: Json = region.extras.get("coco", {})
    return notes


def _segmentation(region: Region, encoded: Json, dropped: DroppedInfo) -> Any:
    """Return the `segmentation` of a region: its polygons, or the run-length code `encoded` if polygons cannot
    express it."""
    outlines = raster.polygons(region.shape)
    if outlines is None:
        if isinstance(region.shape, MultiPolygon):
            dropped.add("{regions} with holes became masks because COCO polygons have no holes")
        return encoded
    if isinstance(region.shape, Circle | Ellipse):
        dropped.add("{regions} drawn as circles or ellipses became polygons because COCO has neither")
    return [[value for point in outline for value in point] for outline in outlines]


def _keypoint_fields(region: Region, skeleton: Skeleton | None) -> Json:
    """Return `keypoints` and `num_keypoints`. A region without keypoints gets unlabelled ones if its class has a
    skeleton, because pycocotools expects them."""
    if isinstance(region.shape, Point):  # read from a keypoint, which is how VIA exports a point
        return {"keypoints": _coco_notes(region)["keypoints"], "num_keypoints": 1}
    keypoints = region.any_keypoints
    if keypoints is None:
        return {"keypoints": [0] * (3 * len(skeleton.names)), "num_keypoints": 0} if skeleton else {}
    return {
        "keypoints": [value for point in keypoints.points for value in point],
        "num_keypoints": sum(visibility > 0 for _, _, visibility in keypoints.points),
    }
