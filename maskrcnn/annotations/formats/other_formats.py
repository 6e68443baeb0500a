"""Label files that look like ours and are not: told by their content, each with what to export instead.

`of_document` knows a parsed JSON document, `of_text` what is no JSON, `of_files` looks into files of a folder. Each
gives the words for a message, in the form "what it is; what to do", or None for what nobody here knows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from maskrcnn import foreign
from maskrcnn.errors import StudioError

_NOT_READ = "which the studio does not read"
_AS_COCO = "export as COCO (instances, with polygons)"


def _with(*keys: str) -> Callable[[Any], bool]:
    """Whether a document is an object with all these keys."""
    return lambda document: isinstance(document, dict) and document.keys() >= set(keys)


def _list_of(*keys: str) -> Callable[[Any], bool]:
    """Whether a document is a list whose first entry is an object with all these keys, or that object alone."""
    entry_fits = _with(*keys)
    return lambda document: entry_fits(document[0] if isinstance(document, list) and document else document)


def _annotations_with(key: str) -> Callable[[Any], bool]:
    """Whether a COCO document has annotations of a kind that only `key` tells, and that are no objects."""

    def fits(document: Any) -> bool:
        annotations = document.get("annotations") if isinstance(document, dict) else None
        first = annotations[0] if isinstance(annotations, list) and annotations else None
        return isinstance(first, dict) and key in first and "category_id" not in first

    return fits


def _is_darwin(document: Any) -> bool:
    image = document.get("image") if isinstance(document, dict) else None
    return (
        isinstance(image, dict) and "annotations" in document and ("filename" in image or "original_filename" in image)
    )


def _lacks(missing: str, there: str, *of_entry: str) -> Callable[[Any], bool]:
    """Whether a document is one of ours but for the part `missing`: the entries of its list `there` tell."""

    def fits(document: Any) -> bool:
        entries = document.get(there) if isinstance(document, dict) and missing not in document else None
        first = entries[0] if isinstance(entries, list) and entries else None
        return isinstance(first, dict) and first.keys() >= set(of_entry)

    return fits


_DOCUMENTS: tuple[tuple[Callable[[Any], bool], str], ...] = (
    (_with("project", "metadata", "view"), f"VIA 3, {_NOT_READ}; export from VIA 2 or as COCO"),
    (_with("metadata", "attribute", "file"), f"VIA 3, {_NOT_READ}; export from VIA 2 or as COCO"),
    (_annotations_with("segments_info"), f"COCO panoptic, {_NOT_READ}; use the instances file (instances_*.json)"),
    (_annotations_with("caption"), f"COCO captions, {_NOT_READ}; use the instances file (instances_*.json)"),
    (
        _list_of("image_id", "category_id"),
        "a bare list of COCO detections, which names no pictures and no classes; use the labels that they belong to",
    ),
    (_list_of("data", "annotations"), f"Label Studio JSON, {_NOT_READ}; export as COCO (Export > COCO)"),
    (_list_of("data", "completions"), f"Label Studio JSON, {_NOT_READ}; export as COCO (Export > COCO)"),
    (_list_of("annotation_id", "lead_time"), f"Label Studio JSON-MIN, {_NOT_READ}; export as COCO (Export > COCO)"),
    (_list_of("data_row"), f"Labelbox JSON, {_NOT_READ}; {_AS_COCO}, with Labelbox's converter to COCO"),
    (_list_of("Labeled Data"), f"Labelbox JSON, {_NOT_READ}; {_AS_COCO}, with Labelbox's converter to COCO"),
    (_with("objects", "size", "tags"), f"Supervisely JSON, {_NOT_READ}; {_AS_COCO}"),
    (_with("classes", "projectType"), f"the meta file of a Supervisely project, {_NOT_READ}; {_AS_COCO}"),
    (_with("step_1"), f"labelbee JSON, {_NOT_READ}; {_AS_COCO}"),
    (_with("imgHeight", "imgWidth", "objects"), f"Cityscapes polygons, {_NOT_READ}; convert them to COCO"),
    (_is_darwin, f"V7 Darwin JSON, {_NOT_READ}; {_AS_COCO}"),
    (_list_of("image", "annotations"), f"CreateML JSON, which holds boxes only; {_AS_COCO}"),
    (_with("asset", "regions"), f"VoTT JSON, {_NOT_READ}; {_AS_COCO}, or as VIA with a converter"),
    (_with("assets", "tags"), f"VoTT JSON, {_NOT_READ}; {_AS_COCO}, or as VIA with a converter"),
    (_with("item", "annotations"), f"V7 Darwin JSON, {_NOT_READ}; {_AS_COCO}"),
    (_with("categories", "items"), f"Datumaro JSON, {_NOT_READ}; {_AS_COCO}"),
    (_list_of("name", "labels"), f"Scalabel JSON (BDD100K), {_NOT_READ}; convert it to COCO"),
    (_with("info", "objects"), f"ISAT JSON, {_NOT_READ}; {_AS_COCO}"),
    (lambda d: _with("type", "features")(d), f"GeoJSON, {_NOT_READ}; {_AS_COCO}"),
    (_list_of("source-ref"), f"a SageMaker Ground Truth manifest, {_NOT_READ}; convert it to COCO"),
    (_with("metadata", "instances"), f"SuperAnnotate JSON, {_NOT_READ}; {_AS_COCO}"),
    (_with("project_name", "images"), f"Hasty JSON, {_NOT_READ}; {_AS_COCO}"),
    (_with("samples"), f"FiftyOne JSON, {_NOT_READ}; {_AS_COCO}"),
    (_with("openlabel"), f"OpenLABEL JSON, {_NOT_READ}; {_AS_COCO}"),
    (
        _list_of("file_name", "annotations"),
        f"dataset dicts of Detectron2, {_NOT_READ}; write them with its convert_to_coco_json",
    ),
    (
        _lacks("images", "annotations", "image_id", "category_id"),
        'a COCO file without its list "images", so nobody knows its pictures; export it again',
    ),
    (
        _lacks("imagePath", "shapes", "points"),
        'a labelme file without "imagePath", so nobody knows its picture; save it again in labelme',
    ),
    (
        lambda document: isinstance(document, str) and document.lstrip()[:1] in ("{", "["),
        "JSON inside a JSON text, saved twice over; save what the text holds",
    ),
    (_with("nbformat", "cells"), "a notebook, no labels; name the label file that it writes"),
    (_with("backbone", "class_names"), "the config of a run, no labels; name the labels that it learned from"),
    (_with("per_image", "matched_by"), "a report of evaluate, no labels; name the labels that it was measured on"),
)
"""How a document of another format is told -> what to say. The first that fits."""

_TEXTS: tuple[tuple[str, str], ...] = (
    (r"version https://git-lfs", "a pointer of Git LFS, not the file itself; fetch it with `git lfs pull`"),
    (r"(<\?xml[^>]*>\s*)?<annotations\b", f"CVAT XML, {_NOT_READ}; export as COCO 1.0 from CVAT"),
    (r"(<\?xml[^>]*>\s*)?<annotation\b", f"Pascal VOC XML, which holds boxes only; {_AS_COCO}"),
    (r"(<\?xml[^>]*>\s*)?<svg\b", "an SVG drawing, no labels; name the label file"),
    (
        r"(<\?xml[^>]*>\s*)?(<!--[\s\S]{0,2000}?-->\s*)?<(!doctype\s+html|html|head|body)\b",
        "a web page (HTML), saved instead of the file; download the file itself (GitHub: Raw)",
    ),
    (r"(<\?xml[^>]*>\s*)?<\w", f"XML, {_NOT_READ}; {_AS_COCO}"),
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
"""How a text that is no JSON begins -> what to say. The first that fits, in any case."""


def of_document(document: Any) -> str | None:
    """What a parsed JSON document of another format is, and what to export instead; None where nobody knows."""
    return next((words for fits, words in _DOCUMENTS if fits(document)), None)


def of_files(files: Mapping[str, Path]) -> str | None:
    """What the files of a folder are that no reader of labels takes, by the beginning of the first few."""
    for path in [path for name, path in files.items() if name.lower().endswith(_SUFFIXES)][:_LOOKED_INTO]:
        try:
            with foreign.opened(path) as file:
                beginning = file.read(_BEGINNING).decode("utf-8", "replace")
        except (StudioError, OSError):
            continue
        if known := of_text(beginning) or _of_first_line(beginning):
            return known
    return None


_SUFFIXES = (".xml", ".txt", ".jsonl", ".ndjson", ".manifest")
_LOOKED_INTO = 3


def _of_first_line(text: str) -> str | None:
    try:
        return of_document(json.loads(text.split("\n", 1)[0]))
    except (ValueError, RecursionError):
        return None


_BEGINNING = 5000


def of_text(text: str) -> str | None:
    """What a text that is no JSON is, and what to export instead; None where nobody knows."""
    beginning = text[:_BEGINNING].lstrip()
    return next((words for sign, words in _TEXTS if re.match(sign, beginning, re.IGNORECASE | re.MULTILINE)), None)
