"""Recognise label files of formats that the studio does not read, and say what to export instead.

`unsupported_document` recognises a parsed JSON document, `unsupported_first_line` a text with one JSON document in each
line, `unsupported_text` text that is not JSON, `unsupported_table` a table by its first row, and `unsupported_binary` a
binary file by its first bytes. Each returns the words for a message, in the form "what it is; what to do", or None if
the content is unknown.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from typing import Any

from maskrcnn.annotations.formats.via.project_parts import IMAGES as VIA_IMAGES

_NOT_READ = "which the studio does not read"
_AS_COCO = "export as COCO (instances, with polygons)"


def _object_with(*keys: str) -> Callable[[Any], bool]:
    """Return a test for a document of an unsupported format: whether it is an object with all these keys."""
    return lambda document: isinstance(document, dict) and document.keys() >= set(keys)


def _object_or_list_with(*keys: str) -> Callable[[Any], bool]:
    """Return a test for a document of an unsupported format: whether it is an object with all these keys, or a list
    whose first entry is one."""
    entry_fits = _object_with(*keys)
    return lambda document: entry_fits(document[0] if isinstance(document, list) and document else document)


def _annotations_with(key: str) -> Callable[[Any], bool]:
    """Return a test whether a COCO document has annotations with `key` that are not objects (captions, for example)."""

    def fits(document: Any) -> bool:
        annotations = document.get("annotations") if isinstance(document, dict) else None
        first = annotations[0] if isinstance(annotations, list) and annotations else None
        return isinstance(first, dict) and key in first and "category_id" not in first

    return fits


def _is_darwin(document: Any) -> bool:
    """Whether a document is a file of V7 Darwin, which the studio does not read."""
    image = document.get("image") if isinstance(document, dict) else None
    return (
        isinstance(image, dict) and "annotations" in document and ("filename" in image or "original_filename" in image)
    )


def _is_sa1b(document: Any) -> bool:
    """Whether a document is a file of the SA-1B dataset, which the studio does not read."""
    image = document.get("image") if isinstance(document, dict) and "annotations" in document else None
    return isinstance(image, dict) and "image_id" in image


def _is_scalabel(document: Any) -> bool:
    """Whether a document is a Scalabel frame or a list of frames. In other formats `labels` holds class names."""
    first = document[0] if isinstance(document, list) and document else document
    labels = first.get("labels") if isinstance(first, dict) and "name" in first else None
    return isinstance(labels, list) and all(isinstance(label, dict) and "category" in label for label in labels)


def _mapping_of_pictures_with(*keys: str) -> Callable[[Any], bool]:
    """Return a test for a document of an unsupported format: whether it maps picture names to objects with all these
    keys, or to lists of such objects. Only the first entry is checked."""
    entry_fits = _object_or_list_with(*keys)
    return lambda document: (
        isinstance(document, dict)
        and bool(document)
        and _PICTURE.search(next(iter(document))) is not None
        and entry_fits(next(iter(document.values())))
    )


_PICTURE = re.compile(r"\.(jpe?g|png|bmp|tiff?|webp)$", re.IGNORECASE)


def _without_key(missing: str, list_key: str, *entry_keys: str) -> Callable[[Any], bool]:
    """Return a test for a damaged document: whether it has no key `missing`, but a list under `list_key` whose first
    entry has all `entry_keys`."""

    def fits(document: Any) -> bool:
        entries = document.get(list_key) if isinstance(document, dict) and missing not in document else None
        first = entries[0] if isinstance(entries, list) and entries else None
        return isinstance(first, dict) and first.keys() >= set(entry_keys)

    return fits


_DOCUMENTS: tuple[tuple[Callable[[Any], bool], str], ...] = (
    (_object_with("project", "metadata", "view"), f"VIA 3, {_NOT_READ}; export from VIA 2 or as COCO"),
    (_object_with("metadata", "attribute", "file"), f"VIA 3, {_NOT_READ}; export from VIA 2 or as COCO"),
    (_annotations_with("segments_info"), f"COCO panoptic, {_NOT_READ}; use the instances file (instances_*.json)"),
    (_annotations_with("caption"), f"COCO captions, {_NOT_READ}; use the instances file (instances_*.json)"),
    (
        _object_or_list_with("image_id", "category_id"),
        "a bare list of COCO detections, which names no pictures and no classes; use the labels that they belong to",
    ),
    (_object_or_list_with("data", "annotations"), f"Label Studio JSON, {_NOT_READ}; export as COCO (Export > COCO)"),
    (_object_or_list_with("data", "completions"), f"Label Studio JSON, {_NOT_READ}; export as COCO (Export > COCO)"),
    (
        _object_or_list_with("annotation_id", "lead_time"),
        f"Label Studio JSON-MIN, {_NOT_READ}; export as COCO (Export > COCO)",
    ),
    (_object_or_list_with("data_row"), f"Labelbox JSON, {_NOT_READ}; {_AS_COCO}, with Labelbox's converter to COCO"),
    (
        _object_or_list_with("Labeled Data"),
        f"Labelbox JSON, {_NOT_READ}; {_AS_COCO}, with Labelbox's converter to COCO",
    ),
    (_object_with("objects", "size", "tags"), f"Supervisely JSON, {_NOT_READ}; {_AS_COCO}"),
    (_object_with("classes", "projectType"), f"the meta file of a Supervisely project, {_NOT_READ}; {_AS_COCO}"),
    (_object_with("step_1"), f"labelbee JSON, {_NOT_READ}; {_AS_COCO}"),
    (_object_with("imgHeight", "imgWidth", "objects"), f"Cityscapes polygons, {_NOT_READ}; convert them to COCO"),
    (_is_darwin, f"V7 Darwin JSON, {_NOT_READ}; {_AS_COCO}"),
    (
        _is_sa1b,
        f"annotations of SA-1B (Segment Anything), one file a picture, {_NOT_READ}; put them into one COCO file",
    ),
    (
        _without_key("images", "videos"),
        f"annotations of videos (YouTube-VIS), {_NOT_READ}; convert its frames to COCO",
    ),
    (_object_or_list_with("image", "annotations"), f"CreateML JSON, which holds boxes only; {_AS_COCO}"),
    (_object_or_list_with("imagefilename", "annotation"), f"CreateML JSON, which holds boxes only; {_AS_COCO}"),
    (_object_with("asset", "regions"), f"VoTT JSON, {_NOT_READ}; {_AS_COCO}, or as VIA with a converter"),
    (_object_with("assets", "tags"), f"VoTT JSON, {_NOT_READ}; {_AS_COCO}, or as VIA with a converter"),
    (_object_with("item", "annotations"), f"V7 Darwin JSON, {_NOT_READ}; {_AS_COCO}"),
    (_object_with("categories", "items"), f"Datumaro JSON, {_NOT_READ}; {_AS_COCO}"),
    (_object_with("bug_tracker", "labels"), "the task.json of a CVAT backup, no labels; export as COCO 1.0 from CVAT"),
    (
        _object_or_list_with("shapes", "tracks", "tags"),
        f"the annotations of a CVAT backup, {_NOT_READ}; export as COCO 1.0 from CVAT",
    ),
    (_is_scalabel, f"Scalabel JSON (BDD100K), {_NOT_READ}; convert it to COCO"),
    (_object_with("info", "objects"), f"ISAT JSON, {_NOT_READ}; {_AS_COCO}"),
    (_object_with("type", "features"), f"GeoJSON, {_NOT_READ}; {_AS_COCO}"),
    (_object_or_list_with("source-ref"), f"a SageMaker Ground Truth manifest, {_NOT_READ}; convert it to COCO"),
    (_object_with("metadata", "instances"), f"SuperAnnotate JSON, {_NOT_READ}; {_AS_COCO}"),
    (_mapping_of_pictures_with("instances"), f"SuperAnnotate JSON, {_NOT_READ}; {_AS_COCO}"),
    (_mapping_of_pictures_with("type", "classId"), f"SuperAnnotate JSON, {_NOT_READ}; {_AS_COCO}"),
    (
        _object_or_list_with("name", "attribute_groups"),
        "the classes of a SuperAnnotate project, no labels; name the file of its annotations, exported as COCO",
    ),
    (_object_or_list_with("externalId", "labels"), f"Kili JSON, {_NOT_READ}; {_AS_COCO}"),
    (_object_or_list_with("data_units", "label_hash"), f"Encord JSON, {_NOT_READ}; {_AS_COCO}"),
    (_object_or_list_with("task_id", "response"), f"Scale JSON, {_NOT_READ}; convert it to COCO"),
    (_object_with("itemMetadata", "annotations"), f"Dataloop JSON, {_NOT_READ}; {_AS_COCO}"),
    (_object_with("filename", "image_w_h"), f"RectLabel JSON, {_NOT_READ}; {_AS_COCO}"),
    (
        _object_with("data_list", "metainfo"),
        f"annotations of MMDetection, {_NOT_READ}; use the COCO file that they were made of",
    ),
    (
        _object_or_list_with("filename", "ann"),
        f"annotations of MMDetection, {_NOT_READ}; use the COCO file that they were made of",
    ),
    (
        _object_with("imgs", "anns"),
        f"COCO-Text JSON, {_NOT_READ}; convert it to COCO (images, annotations, categories)",
    ),
    (
        _object_or_list_with("file_name", "objects"),
        f"metadata of Hugging Face datasets, {_NOT_READ}; convert them to COCO",
    ),
    (
        _object_or_list_with("confidence", "box"),
        "detections of Ultralytics, no labels; use the labels that they belong to",
    ),
    (
        _object_with("predictions", "image"),
        "detections of Roboflow, no labels; export the dataset as COCO (Segmentation)",
    ),
    (
        _object_or_list_with("filename", "regions"),
        "an entry or a list of entries of a VIA file, not the whole; give the file that VIA writes with Annotation > "
        "Export",
    ),
    (_object_with("project_name", "images"), f"Hasty JSON, {_NOT_READ}; {_AS_COCO}"),
    (_object_with("samples"), f"FiftyOne JSON, {_NOT_READ}; {_AS_COCO}"),
    (_object_with("openlabel"), f"OpenLABEL JSON, {_NOT_READ}; {_AS_COCO}"),
    (
        _object_or_list_with("file_name", "annotations"),
        f"dataset dicts of Detectron2, {_NOT_READ}; write them with its convert_to_coco_json",
    ),
    (
        _without_key("images", "annotations", "image_id", "category_id"),
        'a COCO file without its list "images", so nobody knows its pictures; export it again',
    ),
    (
        _without_key("imagePath", "shapes", "points"),
        'a labelme file without "imagePath", so nobody knows its picture; save it again in labelme',
    ),
    (
        lambda document: isinstance(document, str) and document.lstrip()[:1] in ("{", "["),
        "JSON inside a JSON text, saved twice over; save what the text holds",
    ),
    (_object_with("nbformat", "cells"), "a notebook, no labels; name the label file that it writes"),
    (_object_with("backbone", "class_names"), "the config of a run, no labels; name the labels that it learned from"),
    (
        _object_with("per_image", "matched_by"),
        "a report of evaluate, no labels; name the labels that it was measured on",
    ),
)
"""Test for a JSON document of another format -> what to say. The first that fits is used."""

_XML = r"(?>(?:(?:<\?[^>]*>|<!--(?>[\s\S]*?-->)|<!DOCTYPE\s+(?!html)[^>\[]*(?>\[[^\]]*\]\s*)?>)\s*)*)"
"""What may precede the first XML element: declaration, comments, document type."""

_TEXTS: tuple[tuple[str, str], ...] = (
    (r"version https://git-lfs", "a pointer of Git LFS, not the file itself; fetch it with `git lfs pull`"),
    (rf"{_XML}<annotations\b", f"CVAT XML, {_NOT_READ}; export as COCO 1.0 from CVAT"),
    (rf"{_XML}<annotation\b(?=[\s\S]*<polygon>)", f"XML of the older LabelMe, {_NOT_READ}; convert it to COCO"),
    (rf"{_XML}<annotation\b", f"Pascal VOC XML, which holds boxes only; {_AS_COCO}"),
    (rf"{_XML}<svg\b", "an SVG drawing, no labels; name the label file"),
    (
        rf"{_XML}<(!doctype\s+html|html|head|body)\b",
        "a web page (HTML), saved instead of the file; download the file itself (GitHub: Raw)",
    ),
    (rf"{_XML}<\w", f"XML, {_NOT_READ}; {_AS_COCO}"),
    (r"\((dp|lp)[0-9]*$", "a Python pickle; save the labels as COCO"),
    (r"filename,width,height,class,xmin", f"a CSV of boxes (TensorFlow, Roboflow), {_NOT_READ}; {_AS_COCO}"),
    (r"ImageID,Source,LabelName", f"a CSV of OpenImages, {_NOT_READ}; convert it to COCO"),
    (r"image_id,(width|height|bbox|class)", f"a CSV of boxes, {_NOT_READ}; {_AS_COCO}"),
    (r"#\s*(Exported using VGG Image|CSV_HEADER)", f"a CSV of VIA 3, {_NOT_READ}; export from VIA 2 or as COCO"),
    (
        r"[A-Za-z_]+ [0-9.]+ [0-3] -?[0-9.]+( -?[0-9.]+){4,}",
        f"KITTI labels, which hold boxes only; {_AS_COCO}",
    ),
    (
        r"[0-9]+( -?[0-9.]+){4,}\s*$",
        "rows of YOLO for one picture; name the data.yaml, or the folder that holds images and labels",
    ),
)
"""Beginning of a text that is not JSON -> what to say. Case is ignored; the first that fits is used."""


def unsupported_document(document: Any) -> str | None:
    """Return what a parsed JSON document of another format is, and what to export instead. None for formats that the
    studio reads and unknown ones."""
    if isinstance(document, dict) and VIA_IMAGES in document:  # a VIA project, even if it has other keys too
        return None
    return next((words for fits, words in _DOCUMENTS if fits(document)), None)


LENGTH_OF_BEGINNING = 5000
"""Number of bytes or characters at the beginning of a file that are examined."""


def unsupported_text(text: str) -> str | None:
    """Return what a text that is not JSON is, and what to export instead; None if unknown."""
    beginning = text[:LENGTH_OF_BEGINNING].lstrip()
    return next((words for sign, words in _TEXTS if re.match(sign, beginning, re.IGNORECASE | re.MULTILINE)), None)


def unsupported_first_line(text: str) -> str | None:
    """Return what a text with one JSON document in each line is, judged by its first line, and what to export instead.
    None if unknown."""
    try:
        return unsupported_document(json.loads(text.split("\n", 1)[0]))
    except (ValueError, RecursionError):
        return None


def unsupported_table(text: str) -> str | None:
    """Return what a table without outlines is, judged by its first row; None if the text is no table."""
    lines = [line for line in text[:LENGTH_OF_BEGINNING].splitlines() if line.strip()][:2]
    if not lines:
        return None
    separator = max(",;\t", key=lines[0].count)
    try:
        first, *others = ([cell.strip() for cell in row] for row in csv.reader(lines, delimiter=separator))
    except csv.Error:
        return None
    columns = {cell.lower().replace("_", "") for cell in first}
    if len(first) == 7 and first[5].startswith("{") and '"name"' in first[5]:
        return "VIA's CSV without its first line, which names the columns; export it from VIA again"
    if columns & {"encodedpixels", "rle"} and len(first) > 1:
        return f"a CSV of run lengths (Kaggle), {_NOT_READ}; convert it to COCO"
    has_boxes = (
        columns >= {"xmin", "ymin"} or columns >= {"x1", "y1"} or any(name.startswith("bbox") for name in columns)
    )
    # Without a header: the file, the four numbers of its box, the class, and maybe two more columns.
    is_row_of_box = len(first) in (6, 8) and all(map(_NUMBER.fullmatch, first[1:5]))
    if (has_boxes and len(first) > 2) or is_row_of_box:
        return f"a CSV of boxes, {_NOT_READ}; {_AS_COCO}"
    if len(first) > 2 and others and len(others[0]) == len(first):
        shown = ", ".join(cell[:20] for cell in first[:4])
        return f"a table that is not VIA's ({shown}{', ...' if len(first) > 4 else ''}), {_NOT_READ}; {_AS_COCO}"
    return None


_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]*)?")


_BINARY = (
    (b"\x1f\x8b", "a file packed by gzip; unpack it first"),
    (b"BZh", "a file packed by bzip2; unpack it first"),
    (b"\xfd7zXZ\x00", "a file packed by xz; unpack it first"),
    (b"\x28\xb5\x2f\xfd", "a file packed by zstd; unpack it first"),
    (b"Rar!", "a rar archive; unpack it first"),
    (b"7z\xbc\xaf", "a 7z archive; unpack it first"),
    (b"\x89PNG", "a PNG picture; name the file with its labels"),
    (b"\xff\xd8\xff", "a JPEG picture; name the file with its labels"),
    (b"GIF8", "a GIF picture; name the file with its labels"),
    (b"II*\x00", "a TIFF picture; name the file with its labels"),
    (b"MM\x00*", "a TIFF picture; name the file with its labels"),
    (b"%PDF", "a PDF document; name the file with the labels"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Excel workbook or another file of Office; save its table as CSV UTF-8"),
    (b"SQLite format 3\x00", "a database; name the project's folder instead"),
    (b"\x93NUMPY", "a NumPy array; save the labels as COCO"),
    (b"\x89HDF", "an HDF5 file, such as the weights of a network; name the file with the labels"),
    (b"MATLAB 5.0", "a file of MATLAB; save the labels as COCO"),
    (b"PAR1", "a Parquet table; save the labels as COCO"),
    (b"ARROW1", "an Arrow table; save the labels as COCO"),
    *((bytes((first, 0x71, 0)), "a Python pickle; save the labels as COCO") for first in b"}]"),
    *((bytes((0x80, protocol)), "a Python pickle; save the labels as COCO") for protocol in range(1, 6)),
)
"""First bytes of other kinds of files -> what the file is, and what to do."""

_ZIPS = (
    (b"xl/", "an Excel workbook; save its table as CSV UTF-8"),
    (b"mimetypeapplication/vnd.oasis", "a file of LibreOffice; save its table as CSV"),
    (b"data.pkl", "weights of a network (torch); name the file with the labels"),
    (b".npy", "NumPy arrays (npz); save the labels as COCO"),
)
"""A name inside a zip -> what the zip is, and what to do."""


def unsupported_binary(content: bytes) -> str | None:
    """Return what a binary file is, judged by its first bytes, and what to do. None for text and unknown files.

    A TFRecord has no signature: it begins with the length of its first record and a checksum, and the record is a
    protocol buffer.
    """
    if content.startswith(b"PK\x03\x04"):
        known = next((words for name, words in _ZIPS if name in content), None)
        return known or "a zip; unpack it, or import the zip under Dataset"
    if content[4:8] == b"ftyp":
        return "a HEIC picture or a video; name the file with the labels"
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "a WebP picture; name the file with its labels"
    if content[257:262] == b"ustar":
        return "a tar archive; unpack it first"
    if content[4:8] == bytes(4) and content[12:13] == b"\n" and any(content[:4]):
        return "a TFRecord of TensorFlow; save the labels as COCO"
    return next((words for beginning, words in _BINARY if content.startswith(beginning)), None)
