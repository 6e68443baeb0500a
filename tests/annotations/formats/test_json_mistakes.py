"""Files that are not quite JSON, not quite UTF-8 or of another program: each is blamed for what is wrong with it."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import pickle
import struct
import zipfile
from pathlib import Path
from typing import Any

import pytest

from maskrcnn.annotations import read
from maskrcnn.annotations.formats.via import large_files
from maskrcnn.annotations.intake import stage_path
from maskrcnn.errors import StudioError

REGION = {
    "shape_attributes": {"name": "rect", "x": 1, "y": 2, "width": 3, "height": 4},
    "region_attributes": {"name": "cat"},
}
DOCUMENT = {"a.jpg5": {"filename": "a.jpg", "size": 5, "regions": [REGION], "file_attributes": {}}}
TEXT = json.dumps(DOCUMENT)


def complaint(folder: Path, content: bytes | str, name: str = "labels.json") -> str:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(StudioError) as caught:
        read(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    message = message.removeprefix(f"{path}: ")
    assert "; " in message
    assert message.isprintable()
    assert len(message) < 220
    return message


def changed(old: str, new: str) -> tuple[str, int]:
    """The text with one part of it changed, and the column (from 1) where the change begins."""
    assert TEXT.count(old) == 1
    return TEXT.replace(old, new), TEXT.index(old) + 1


# Where in a file that is one line, and what


@pytest.mark.parametrize(
    ("old", "new", "further", "blame"),
    [
        ('"size": 5', '"size" 5', 7, "a colon is missing"),
        ('"size": 5,', '"size": 5', 10, "a comma is missing"),
        ('"cat"}', '"cat",}', 6, 'a comma before "}"'),
        ('"height": 4}', '"height": 4,}', 12, 'a comma before "}"'),
        ("5, ", "5,, ", 2, "a comma that follows nothing"),
        ('"cat"', "'cat'", 0, "single quotes"),
        ('"cat"', "\u201ccat\u201d", 0, "typographic quotes"),
        ('"cat"', "True", 0, "the word True"),
        ('"cat"', "None", 0, "the word None"),
        ('"cat"', "undefined", 0, "the word undefined"),
        ('"cat"', "nan", 0, "the word nan"),
        ('"cat"', "NaN", 0, "NaN is no JSON number"),
        ('"x": 1', '"note": "NaN", "x": -Infinity', 20, "-Infinity is no JSON number"),
        ('"size"', "size", 0, "a name without quotes"),
        ('"size"', "// bytes\n", 0, "a comment"),
        ('"cat"', '"c\tat"', 2, "a line break or a tab inside a text"),
        ('"cat"', r'"C:\data"', 3, r"a single \ inside a text"),
        ('"size": 5', '"size": ', 8, "a value is missing before the comma"),
        ('"height": 4}', '"height": 4]', 11, '"]" closes what "{" opened'),
        ("5, ", "5}}, ", 3, 'one "}" too many'),
    ],
)
def test_the_place_and_the_blame(old: str, new: str, further: int, blame: str, tmp_path: Path) -> None:
    text, column = changed(old, new)
    said = complaint(tmp_path, text)
    assert f"not JSON: line 1, column {column + further}: {blame}" in said, said


def test_the_line_and_its_surroundings_are_said_of_a_file_of_many_lines(tmp_path: Path) -> None:
    said = complaint(tmp_path, '{\n  "images": [],\n  "categories": [1 2]\n}\n')
    assert said == (
        'not JSON: line 3, column 20: a comma is missing, or quotes inside a text, in `...categories": [1 2] }`; '
        "mend it there, or export it again"
    )
    assert complaint(tmp_path, '{"a": 1 "b": 2}') == (
        'not JSON: line 1, column 9: a comma is missing, or quotes inside a text, in `{"a": 1 "b": 2}`; '
        "mend it there, or export it again"
    )


@pytest.mark.parametrize("end", [1, 2, 10, 57, 90, 130, 150, len(TEXT) - 2, len(TEXT) - 1])
@pytest.mark.parametrize("after", ["", "\n"])
def test_a_file_that_ends_too_early_is_cut_off(end: int, after: str, tmp_path: Path) -> None:
    said = complaint(tmp_path, TEXT[:end] + after)
    assert f"not JSON: the file is cut off at line 1, column {len(TEXT[:end].rstrip()) + 1}, after `" in said, said


@pytest.mark.parametrize("text", ['{"a": tru', '{"a": -', '{"a": "x\\u00', '{"a": "x\\', "[1, 2.", '{"a"', '{"a":'])
def test_whatever_is_cut_through_is_cut_off(text: str, tmp_path: Path) -> None:
    assert "the file is cut off" in complaint(tmp_path, text)


def test_a_large_file_that_is_read_picture_by_picture_says_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, column = changed('"cat"}', '"cat",}')
    before = complaint(tmp_path, text), complaint(tmp_path, TEXT[:-1]), complaint(tmp_path, TEXT.replace("5,", "NaN,"))
    parse = large_files.parse
    monkeypatch.setattr(large_files, "parse", lambda *args, **named: parse(*args, **named, large=0))
    assert before == (
        complaint(tmp_path, text),
        complaint(tmp_path, TEXT[:-1]),
        complaint(tmp_path, TEXT.replace("5,", "NaN,")),
    )
    assert f"column {column + 6}: " in before[0]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "not JSON: the file is empty"),
        ("\n \n", "not JSON: the file is empty"),
        (b"\xef\xbb\xbf", "not JSON: the file is empty"),
        (TEXT + "\n" + TEXT, "line 2, column 1: a second document begins"),
        (TEXT + TEXT, f"line 1, column {len(TEXT) + 1}: a second document begins"),
        (TEXT + ",\n" + TEXT, "line 2, column 1: a second document begins"),
        (TEXT + "\n// made by hand", "line 2, column 1: a comment"),
        (TEXT + "\n# made by hand", "line 2, column 1: a comment"),
        (
            "INFO: 3 images\n" + TEXT,
            'it begins with "INFO: 3 images", and the document at line 2, column 1; take out what stands before it',
        ),
        ("```json\n" + TEXT + "\n```", "and the document at line 2, column 1; take out what stands before it"),
        (TEXT + " bye", f"line 1, column {len(TEXT) + 2}: the document is at its end, and something follows"),
        (TEXT + "}", f'line 1, column {len(TEXT) + 1}: one "}}" too many'),
        ("var labels = " + TEXT + ";", "not JSON but JavaScript: it begins with `var labels =`"),
        ("window.data=" + TEXT, "not JSON but JavaScript: it begins with `window.data=`"),
        ("callback(" + TEXT + ")", "not JSON but JavaScript: it begins with `callback(`"),
        ("export default " + TEXT, "not JSON but JavaScript: it begins with `export default`"),
        ("<!DOCTYPE html>\n<html><body>404</body></html>", "this is a web page (HTML), saved instead of the file"),
        ("\n<html lang='en'>", "this is a web page (HTML)"),
        ("<?xml version='1.0'?>\n<!DOCTYPE html PUBLIC '-//W3C//DTD'>", "this is a web page (HTML)"),
        ("404: Not Found", 'not JSON: it begins with "404: Not Found"'),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "a pointer of Git LFS"),
    ],
)
def test_what_is_no_json_from_its_first_character_or_after_its_last(
    content: bytes | str, said: str, tmp_path: Path
) -> None:
    assert said in complaint(tmp_path, content)


# Encodings


@pytest.mark.parametrize(
    "encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"]
)
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_texts_of_two_and_four_bytes_a_character_are_read(encoding: str, mark: str, tmp_path: Path) -> None:
    text = json.dumps({"é.jpg5": {**DOCUMENT["a.jpg5"], "filename": "é.jpg"}}, ensure_ascii=False)
    marked = "" if encoding in ("utf-8-sig", "utf-16", "utf-32") else mark  # those write it themselves
    (tmp_path / "labels.json").write_bytes((marked + text).encode(encoding))
    assert [record.file_name for record in read(tmp_path / "labels.json").images] == ["é.jpg"]


def test_a_byte_order_mark_twice_is_no_matter(tmp_path: Path) -> None:
    (tmp_path / "labels.json").write_text("\ufeff\ufeff" + TEXT, encoding="utf-8")
    assert read(tmp_path / "labels.json").n_regions == 1


def test_a_csv_that_a_spreadsheet_saved_as_utf16_is_read(tmp_path: Path) -> None:
    header = "filename\tfile_size\tfile_attributes\tregion_count\tregion_id\tregion_shape_attributes\tregion_attributes"
    (tmp_path / "labels.csv").write_bytes(f"{header}\na.jpg\t5\t{{}}\t0\t0\t{{}}\t{{}}\n".encode("utf-16"))
    assert [record.file_name for record in read(tmp_path / "labels.csv").images] == ["a.jpg"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"a":\n"\xc3', "the file is cut off at line 2, column 2, in the middle of a character"),
        (b'{"a": "\xe4\xba', "the file is cut off at line 1, column 8, in the middle of a character"),
        ('{"a": 1'.encode("utf-16")[:-1], "the file is cut off at line 1, column 7, in the middle of a character"),
        (b'{"a":\n1' + bytes(99), "the file is cut off at line 2, column 2, with nothing but zeros after it"),
        ('{"a":\n1'.encode("utf-16") + bytes(99), "the file is cut off at line 2, column 2, with nothing but zeros"),
        (bytes(500), "the file holds nothing but zeros (500 B); copy it again"),
    ],
)
def test_a_file_that_a_copy_left_unfinished_is_cut_off(content: bytes, said: str, tmp_path: Path) -> None:
    assert complaint(tmp_path, content).startswith(said)


def zipped(name: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(name, TEXT)
    return content.getvalue()


EXAMPLE = b"\n\x20" + bytes(range(32))  # the beginning of a protocol buffer: field 1, 32 bytes
TFRECORD = struct.pack("<Q", len(EXAMPLE)) + b"\x12\x34\x56\x78" + EXAMPLE + b"\x9a\xbc\xde\xf0"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (zipped("labels.json"), "a zip; unpack it, or import the zip"),
        (zipped("xl/workbook.xml"), "an Excel workbook; save its table as CSV"),
        (zipped("archive/data.pkl"), "weights of a network (torch)"),
        (zipped("a.npy"), "NumPy arrays (npz)"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99), "an Excel workbook or another file of Office"),
        *((pickle.dumps({"images": [1]}, protocol), "a Python pickle") for protocol in range(1, 6)),
        (TFRECORD * 2, "a TFRecord of TensorFlow; save the labels as COCO"),
        (bz2.compress(TEXT.encode()), "a file packed by bzip2; unpack it first"),
        (b"PAR1\x15\x04\x15\x00\xff", "a Parquet table"),
        (b"II*\x00\x08\x00\x00\x00\xff", "a TIFF picture"),
        (b"\x00\x00\x00\x18ftypheic\xff", "a HEIC picture or a video"),
        (b"labels.json" + bytes(246) + b"ustar\x0000", "a tar archive; unpack it first"),
    ],
)
def test_files_that_are_no_text_are_named_by_their_beginning(content: bytes, said: str, tmp_path: Path) -> None:
    assert complaint(tmp_path, content).startswith(f"this is not text, so no label file, but {said}")


def test_a_text_that_begins_like_another_file_is_a_text(tmp_path: Path) -> None:
    assert complaint(tmp_path, "PAR1 and PAR2").startswith('not JSON: it begins with "PAR1 and PAR2"')
    padding = " " * (257 - TEXT.index("a.jpg5"))
    document = TEXT.replace("a.jpg5", f"{padding}ustar5")  # where the mark of a tar would stand
    assert document.encode()[257:262] == b"ustar"
    (tmp_path / "labels.json").write_text(document)
    assert read(tmp_path / "labels.json").n_regions == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            TEXT.replace("cat", "Käfer").encode("latin-1"),
            f"line 1, column {TEXT.index('cat') + 2}: the byte 0xe4 is not",
        ),
        (
            b'{"a":\n "caf\xe9"}',
            'line 2, column 6: the byte 0xe9 is not UTF-8, in Windows-1252 "\u00e9"; save the file as',
        ),
        (b'{"a":\n "\xc3\xa9 caf\xe9"}', "line 2, column 8: the byte 0xe9 is not UTF-8"),
        (b'{"a": "\x80 20"}', 'line 1, column 8: the byte 0x80 is not UTF-8, in Windows-1252 "\u20ac"'),
        (b'{"a": "\x81 20"}', "line 1, column 8: the byte 0x81 is not UTF-8; save"),
        (b'{"a": "\xa0 20"}', "line 1, column 8: the byte 0xa0 is not UTF-8; save"),  # a blank that is not seen
        (b'{"a": "' + bytes(range(128, 256)) + b'"}', "this is not text, so no label file; expected VIA, COCO"),
        (b"ab\x00cd \xff and plain letters", "this is not text, so no label file; expected VIA, COCO"),
        (b"\xef\xbb\xbf" + b'{"a":\n "caf\xe9"}', "line 2, column 6: the byte 0xe9 is not UTF-8"),
        (b"\xff\xfe{\x00\x00\xd8\x00\x00", "this is damaged UTF-16 text; save it as UTF-8"),
        (b"PK\x03\x04\x14\x00\xff\xff", "but a zip; unpack it"),
        (gzip.compress(TEXT.encode()), "packed by gzip; unpack it first"),
        (b"\x89PNG\r\n\x1a\n\xff", "but a PNG picture; name the file with its labels"),
        (b"\xff\xd8\xff\xe0 a jpeg", "this is not text, so no label file, but a JPEG picture"),
        (bytes(range(256)), "this is not text, so no label file; expected VIA, COCO"),
    ],
)
def test_other_bytes_are_named(content: bytes, said: str, tmp_path: Path) -> None:
    assert said in complaint(tmp_path, content)


# Files of other programs


POLYGON = [[10, 10], [50, 10], [50, 50]]
OTHERS: dict[str, tuple[Any, str]] = {
    "VIA 3": (
        {"project": {"pid": "x"}, "file": {}, "metadata": {}, "view": {}, "config": {}},
        "VIA 3, which the studio",
    ),
    "VIA 3, shared": (
        {"metadata": {}, "attribute": {}, "file": {}},
        "VIA 3, which the studio does not read; export from",
    ),
    "panoptic": (
        {"images": [{"id": 1, "file_name": "a.jpg"}], "annotations": [{"image_id": 1, "segments_info": []}]},
        "COCO panoptic",
    ),
    "captions": (
        {"images": [{"id": 1, "file_name": "a.jpg"}], "annotations": [{"id": 1, "image_id": 1, "caption": "A cat."}]},
        "COCO captions",
    ),
    "detections": (
        [{"image_id": 1, "category_id": 1, "bbox": [0, 0, 1, 1], "score": 0.9}],
        "a bare list of COCO detec",
    ),
    "Label Studio": (
        [{"id": 1, "data": {"image": "a.jpg"}, "annotations": [{"result": []}]}],
        "Label Studio JSON, which the studio does not read; export as COCO",
    ),
    "Label Studio, one task": ({"id": 1, "data": {"image": "a.jpg"}, "annotations": []}, "Label Studio JSON"),
    "Label Studio, older": ([{"data": {"image": "a.jpg"}, "completions": []}], "Label Studio JSON"),
    "Label Studio, min": (
        [{"image": "a.jpg", "label": [{"points": POLYGON}], "annotation_id": 1, "annotator": 1, "lead_time": 3.5}],
        "Label Studio JSON-MIN",
    ),
    "Labelbox": ([{"data_row": {"id": "x"}, "media_attributes": {}, "projects": {}}], "Labelbox JSON"),
    "Labelbox, older": ([{"ID": "x", "Labeled Data": "http://x/a.jpg", "Label": {}}], "Labelbox JSON"),
    "Supervisely": (
        {"description": "", "tags": [], "size": {"height": 9, "width": 9}, "objects": [{"classTitle": "cat"}]},
        "Supervisely JSON",
    ),
    "Supervisely meta": ({"classes": [], "tags": [], "projectType": "images"}, "the meta file of a Supervisely"),
    "labelbee": ({"width": 9, "height": 9, "valid": True, "rotate": 0, "step_1": {"result": []}}, "labelbee JSON"),
    "Cityscapes": ({"imgHeight": 9, "imgWidth": 9, "objects": [{"label": "car", "polygon": POLYGON}]}, "Cityscapes"),
    "CreateML": (
        [{"image": "a.jpg", "annotations": [{"label": "cat", "coordinates": {}}]}],
        "CreateML JSON, which holds",
    ),
    "VoTT": ({"asset": {"name": "a.jpg"}, "regions": [], "version": "2.2.0"}, "VoTT JSON"),
    "Darwin 1": ({"dataset": "x", "image": {"filename": "a.jpg"}, "annotations": []}, "V7 Darwin JSON"),
    "Darwin 2": ({"version": "2.0", "item": {"name": "a.jpg"}, "annotations": []}, "V7 Darwin JSON"),
    "Datumaro": ({"info": {}, "categories": {"label": {"labels": []}}, "items": []}, "Datumaro JSON"),
    "Scalabel": ([{"name": "a.jpg", "labels": [{"category": "car", "poly2d": []}]}], "Scalabel JSON"),
    "ISAT": ({"info": {"description": "ISAT"}, "objects": []}, "ISAT JSON"),
    "GeoJSON": ({"type": "FeatureCollection", "features": []}, "GeoJSON"),
    "Ground Truth": ({"source-ref": "s3://x/a.jpg", "job": 0}, "a SageMaker Ground Truth manifest"),
    "SuperAnnotate": ({"metadata": {"name": "a.jpg"}, "instances": []}, "SuperAnnotate JSON"),
    "Hasty": ({"project_name": "x", "images": [{"image_name": "a.jpg", "labels": []}]}, "Hasty JSON"),
    "FiftyOne": ({"samples": [{"filepath": "a.jpg"}]}, "FiftyOne JSON"),
    "Detectron2": ([{"file_name": "a.jpg", "image_id": 1, "annotations": []}], "dataset dicts of Detectron2"),
    "COCO without images": (
        {"annotations": [{"id": 1, "image_id": 1, "category_id": 1}], "categories": []},
        'a COCO file without its list "images"',
    ),
    "labelme without its picture": (
        {"version": "5.0.1", "shapes": [{"label": "cat", "points": POLYGON}]},
        'a labelme file without "imagePath"',
    ),
    "JSON in a text": (json.dumps({"images": [], "annotations": []}), "JSON inside a JSON text, saved twice over"),
    "CVAT backup": ([{"version": 0, "tags": [], "shapes": [], "tracks": []}], "the annotations of a CVAT backup"),
    "CVAT task": (
        {"name": "t", "bug_tracker": "", "labels": [{"name": "cat", "color": "#ff0000"}], "version": "1.0"},
        "the task.json of a CVAT backup, no labels",
    ),
    "SA-1B": ({"image": {"image_id": 1, "file_name": "a.jpg"}, "annotations": []}, "annotations of SA-1B"),
    "YouTube-VIS": ({"videos": [{"id": 1}], "annotations": [], "categories": []}, "annotations of videos"),
    "CreateML, older": ([{"imagefilename": "a.jpg", "annotation": []}], "CreateML JSON, which holds"),
    "SuperAnnotate, by picture": ({"a.jpg": {"instances": [], "metadata": {}}}, "SuperAnnotate JSON"),
    "SuperAnnotate, older": ({"a.jpg": [{"type": "polygon", "classId": 1, "points": []}]}, "SuperAnnotate JSON"),
    "SuperAnnotate classes": ([{"id": 1, "name": "cat", "attribute_groups": []}], "the classes of a SuperAnnotate"),
    "Kili": ([{"id": "x", "externalId": "a.jpg", "labels": []}], "Kili JSON"),
    "Encord": ([{"label_hash": "x", "data_units": {}}], "Encord JSON"),
    "Scale": ([{"task_id": "x", "response": {}}], "Scale JSON"),
    "Dataloop": ({"filename": "/a.jpg", "itemMetadata": {}, "annotations": []}, "Dataloop JSON"),
    "RectLabel": ({"filename": "a.jpg", "image_w_h": [9, 9], "objects": []}, "RectLabel JSON"),
    "MMDetection": ({"metainfo": {}, "data_list": []}, "annotations of MMDetection"),
    "MMDetection, older": ([{"filename": "a.jpg", "ann": {}}], "annotations of MMDetection"),
    "COCO-Text": ({"imgs": {}, "anns": {}, "imgToAnns": {}}, "COCO-Text JSON"),
    "Hugging Face": ({"file_name": "a.jpg", "objects": {"bbox": []}}, "metadata of Hugging Face"),
    "Ultralytics results": ([{"name": "cat", "confidence": 0.9, "box": {}}], "detections of Ultralytics, no labels"),
    "Roboflow results": ({"image": {}, "predictions": []}, "detections of Roboflow, no labels"),
    "a picture of VIA": ({"filename": "a.jpg", "size": 5, "regions": []}, "an entry or a list of entries of a VIA"),
    "pictures of VIA": ([{"filename": "a.jpg", "size": 5, "regions": []}], "an entry or a list of entries of a VIA"),
    "a notebook": ({"cells": [], "nbformat": 4, "metadata": {}}, "a notebook, no labels"),
}


@pytest.mark.parametrize(("document", "said"), OTHERS.values(), ids=OTHERS)
def test_documents_of_other_programs_are_named(document: Any, said: str, tmp_path: Path) -> None:
    assert complaint(tmp_path, json.dumps(document)).startswith(f"this is {said}")


@pytest.mark.parametrize("name", ["Labelbox", "Ground Truth", "Scalabel", "Hugging Face"])
def test_a_document_on_each_line_is_named_too(name: str, tmp_path: Path) -> None:
    document, said = OTHERS[name]
    line = json.dumps(document[0] if isinstance(document, list) else document)
    assert complaint(tmp_path, f"{line}\n{line}\n").startswith(f"this is {said}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            '<?xml version="1.0" encoding="utf-8"?>\n<annotations><version>1.1</version>',
            "CVAT XML, which the studio does",
        ),
        ("<annotation>\n\t<folder>images</folder><filename>a.jpg</filename>", "Pascal VOC XML, which holds boxes only"),
        ('<?xml version="1.0"?><annotation verified="yes">', "Pascal VOC XML"),
        ("<?xml version='1.0'?>\n<!-- a -->\n<!-- b --><annotation><filename>a.jpg</filename>", "Pascal VOC XML"),
        ("<annotation><object><polygon><pt><x>1</x></pt></polygon></object></annotation>", "XML of the older LabelMe"),
        ("<?xml version='1.0'?><!DOCTYPE plist PUBLIC '-//x//y' 'z'>\n<plist>", "XML, which the studio does not read"),
        ("<?xml version='1.0'?><!DOCTYPE d [<!ELEMENT d ANY>]>\n<?xml-stylesheet?><d>", "XML, which the studio"),
        ("<View><PolygonLabels name='label'/></View>", "XML, which the studio does not read"),
        (
            "filename,width,height,class,xmin,ymin,xmax,ymax\na.jpg,9,9,cat,1,1,5,5\n",
            "a CSV of boxes (TensorFlow, Robo",
        ),
        ("filename,class,xmin,ymin,xmax,ymax\na.jpg,cat,1,1,5,5\n", "a CSV of boxes"),
        ("filename;width;class;xmin;ymin;xmax;ymax\na.jpg;9;cat;1;1;5;5\n", "a CSV of boxes"),
        ('"image","xmin","ymin","xmax","ymax","label"\n"a.jpg",1,1,5,5,"cat"\n', "a CSV of boxes"),  # VoTT
        ("images/a.jpg,1,1,5,5,cat\n", "a CSV of boxes"),  # RetinaNet
        ("cat,1,1,5,5,a.jpg,9,9\n", "a CSV of boxes"),  # makesense.ai
        ("label_name,bbox_x,bbox_y,bbox_width\ncat,1,1,5\n", "a CSV of boxes"),
        ("ImageId,EncodedPixels\na.jpg,1 3 10 5\n", "a CSV of run lengths (Kaggle)"),
        ("filename, cat, dog\na.jpg, 1, 0\n", "a table that is not VIA's (filename, cat, dog)"),
        ("id\tx\ty\tz\tn\n1\t2\t3\t4\t5\n", "a table that is not VIA's (id, x, y, z, ...)"),
        ('a.jpg,5,"{}",1,0,"{""name"":""rect""}","{}"\n', "VIA's CSV without its first line"),
        ("(dp0\nVimages\np1\n", "a Python pickle"),
        ("ImageID,Source,LabelName,Confidence\n0a,x,/m/01,1\n", "a CSV of OpenImages"),
        ("# CSV_HEADER = metadata_id,file_list\n", "a CSV of VIA 3"),
        ("Car 0.00 0 -1.58 587.01 173.33 614.12 200.12 1.65 1.67 3.64 -0.65 1.71 46.70 -1.59\n", "KITTI labels"),
        ("0 0.5 0.5 0.2 0.2\n1 0.1 0.1 0.2 0.2\n", "rows of YOLO for one picture"),
    ],
)
def test_texts_of_other_programs_are_named(text: str, said: str, tmp_path: Path) -> None:
    assert complaint(tmp_path, text).startswith(f"not JSON: this is {said}")


VOC = "<annotation><folder>images</folder><filename>a.jpg</filename></annotation>"
KITTI = "Car 0.00 0 -1.58 587.01 173.33 614.12 200.12 1.65 1.67 3.64 -0.65 1.71 46.70 -1.59\n"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.xml", VOC, "Pascal VOC XML, which holds boxes only; export as COCO"),
        ("annotations.xml", "<?xml version='1.0'?>\n<annotations>\n<version>1.1</version>", "CVAT XML"),
        ("utf16.xml", f"\ufeff{VOC}".encode("utf-16-le"), "Pascal VOC XML"),
        ("labels.xlsx", zipped("xl/workbook.xml"), "an Excel workbook"),
        ("train.tfrecord", TFRECORD, "a TFRecord of TensorFlow"),
        ("000000.txt", KITTI, "KITTI labels"),
        ("export.ndjson", json.dumps(OTHERS["Labelbox"][0][0]) + "\n", "Labelbox JSON"),
        ("output.manifest", json.dumps(OTHERS["Ground Truth"][0]) + "\n", "a SageMaker Ground Truth manifest"),
    ],
)
def test_a_folder_of_another_program_is_named(
    name: str, content: str | bytes, said: str, tmp_path: Path, picture: Any
) -> None:
    picture("a.jpg")
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(StudioError) as caught:
        read(tmp_path)
    assert f"no label file that can be read is in this folder; it holds {said}" in str(caught.value)
    with stage_path(tmp_path) as staged:  # its pictures may be imported to be labelled
        warned = " ".join(staged.warnings)
    assert said in warned or name.endswith(".txt")  # of text files nothing is said: they are readmes


def test_no_format_of_ours_is_taken_for_another(real_data: Path) -> None:
    files = ("via_official", "balloon", "car_damage", "coco")
    found = [path for folder in files for path in (real_data / folder).rglob("*.json")]
    assert len(found) > 10
    for path in found:
        if "attributes" not in path.name:  # VIA's definitions, which are no labels
            assert read(path).images
