"""A model bundle from a stranger: whatever its zip holds, it becomes a whole run, or one line and nothing else."""

from __future__ import annotations

import io
import json
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from maskrcnn.annotations.regions import MOST_REGIONS
from maskrcnn.errors import StudioError
from maskrcnn.inference.export.bundle_weights import check_weights
from maskrcnn.runs.bundle_format import ABOUT, FORMAT, VERSION
from maskrcnn.runs.folder import BEST, CONFIG, DATASET, METRICS, RESULT
from maskrcnn.runs.opened_bundle import open_bundle
from maskrcnn.runs.project_runs import runs_and_faults_in

Parts = dict[str, bytes]
ROOT = Path(__file__).resolve().parents[2]
TOY = ROOT / "data" / "weights" / "toy-c5-align"
DETECTIONS = "detections/epoch_0012.json"


def about(**changes: Any) -> bytes:
    return json.dumps({"format": FORMAT, "version": VERSION, "name": "cells", **changes}).encode()


@pytest.fixture
def parts() -> Parts:
    """The files of a good bundle, of a model that ships."""
    found = {name: (TOY / name).read_bytes() for name in (BEST, CONFIG, METRICS, RESULT, DETECTIONS)}
    labels = json.loads((TOY / DATASET).read_text())
    for image in labels["val"]["images"]:
        del image["path"]
    return found | {ABOUT: about(), DATASET: json.dumps(labels).encode()}


def packed(folder: Path, parts: Parts, *more: tuple[zipfile.ZipInfo | str, bytes]) -> Path:
    """The zip `cells.zip`, with entries that are no plain files at its end."""
    path = folder / "cells.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in (*parts.items(), *more):
            archive.writestr(name, content)
    return path


def refusal(bundle: Path | io.BytesIO, runs: Path, **more: Any) -> str:
    """The line with which a bundle is refused, after nothing is left of it."""
    before = sorted(path.name for path in runs.iterdir()) if runs.is_dir() else None
    with pytest.raises(StudioError) as refused:
        open_bundle(bundle, runs, file_name="cells.zip", **more)
    line = str(refused.value)
    assert "\n" not in line
    assert ".opening-" not in line, "it names the temporary folder"
    assert (sorted(path.name for path in runs.iterdir()) if runs.is_dir() else None) == before
    return line


def test_a_good_one_becomes_a_run(tmp_path: Path, parts: Parts) -> None:
    runs = tmp_path / "runs"
    opened = open_bundle(packed(tmp_path, parts), runs, check_weights=check_weights)
    assert opened.name == "cells"
    usable, faults = runs_and_faults_in(runs)
    assert ([run.name for run in usable], faults) == (["cells"], {})
    assert opened.config().names[0] == "circle"
    assert opened.detection_epochs() == [12]
    assert {image["path"] for image in opened.shown()["images"]} == {
        f"pictures/{image['file_name']}" for image in opened.shown()["images"]
    }
    assert not (opened.path / ABOUT).exists()
    again = open_bundle(io.BytesIO(packed(tmp_path, parts).read_bytes()), runs)
    assert again.name == "cells-2"
    assert [path.name for path in runs.iterdir() if path.name.startswith(".")] == []


Change = Callable[[Parts], None]


def with_file(name: str, content: bytes = b"x") -> Change:
    return lambda parts: parts.update({name: content})


def without(name: str) -> Change:
    return lambda parts: parts.pop(name) and None


def edited(name: str, edit: Callable[[Any], Any]) -> Change:
    def change(parts: Parts) -> None:
        parts[name] = json.dumps(edit(json.loads(parts[name]))).encode()

    return change


def with_header(parts: Parts, edit: Callable[[dict[str, Any]], None]) -> bytes:
    """The weights with another header of safetensors."""
    content = parts[BEST]
    (size,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + size])
    edit(header)
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + content[8 + size :]


def with_weights(edit: Callable[[dict[str, Any]], None]) -> Change:
    return lambda parts: parts.update({BEST: with_header(parts, edit)})


def other_class(header: dict[str, Any]) -> None:
    config = json.loads(header["__metadata__"]["config"])
    header["__metadata__"]["config"] = json.dumps(config | {"class_names": ["disc", *config["class_names"][1:]]})


def other_format(header: dict[str, Any]) -> None:
    header["__metadata__"]["format"] = "pt"


def crowd(labels: dict[str, Any]) -> dict[str, Any]:
    first = labels["val"]["annotations"][0]
    labels["val"]["annotations"] = [first | {"id": number} for number in range(MOST_REGIONS + 1)]
    return labels


def outside(labels: dict[str, Any]) -> dict[str, Any]:
    labels["val"]["images"][0]["file_name"] = "../../../secret.png"
    return labels


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (with_file(ABOUT, about(version=VERSION + 1)), "newer version"),
        (with_file(ABOUT, about(version=0)), "version is not what it should be"),
        (with_file(ABOUT, about(version=True)), "version is not what it should be"),
        (with_file(ABOUT, about(format="zip")), "is no model bundle"),
        (with_file(ABOUT, b"[" * 5000), "not readable JSON"),
        (with_file(ABOUT, b"{}"), "format is not what it should be"),
        (without(ABOUT), "is no model bundle"),
        (without(BEST), "best.safetensors is missing"),
        (without(CONFIG), "config.json is missing"),
        (without(DATASET), "dataset.json is missing"),
        (with_file("model.py", b"import os"), "holds code or a pickle (model.py)"),
        (with_file("state_last.pt", b"\x80\x02."), "holds code or a pickle (state_last.pt)"),
        (with_file("Weights.PTH"), "holds code or a pickle (Weights.PTH)"),
        (with_file("process.json", b'{"pid": 1}'), "holds process.json, which no bundle has"),
        (with_file("queued.json", b"{}"), "holds queued.json, which no bundle has"),
        (with_file("notes/read me.txt"), "which no bundle has"),
        (with_file("BEST.safetensors"), "holds BEST.safetensors, which no bundle has"),
        (with_file("detections/epoch_12.json", b"[]"), "which no bundle has"),
        (with_file("detections/../config.json", b"{}"), "leads out of the zip"),
        (with_file("../config.json", b"{}"), "leads out of the zip"),
        (with_file("/etc/config.json", b"{}"), "leads out of the zip"),
        (with_file("C:/config.json", b"{}"), "leads out of the zip"),
        (with_file("C:\\config.json", b"{}"), "leads out of the zip"),
        (with_file("detections\\..\\..\\x.json", b"{}"), "leads out of the zip"),
        (with_file("detections/./epoch_0012.json", b"[]"), "twice"),
        (with_file("detections\\epoch_0012.json", b"[]"), "twice"),
        (with_file(CONFIG, b"[]"), "config.json"),
        (edited(CONFIG, lambda config: config | {"num_classes": 10**9}), "config.json"),
        (
            edited(CONFIG, lambda config: config | {"class_names": ["disc", *config["class_names"][1:]]}),
            "another network",
        ),
        (with_file(DATASET, b'{"train": 1, "val": null}'), "dataset.json: train is not what it should be"),
        (edited(DATASET, crowd), "objects, more than"),
        (edited(DATASET, outside), "outside of its folder"),
        (with_file(DETECTIONS, b'[{"image_id": 1}]'), "epoch_0012.json"),
        (with_file(RESULT, b'{"seconds": -1}'), "result.json: seconds is not what it should be"),
        (with_file(METRICS, b"\0" * 100), "metrics.jsonl: has no row"),
        (with_file(BEST, b""), "is empty"),
        (with_file(BEST, b"\x80\x02}q\x00."), "cannot be read as a checkpoint"),
        (with_file(BEST, struct.pack("<Q", 2**62) + b"{}"), "cannot be read as a checkpoint"),
        (with_weights(other_format), "another program"),
        (with_weights(other_class), "another network"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_left(tmp_path: Path, parts: Parts, change: Change, words: str) -> None:
    change(parts)
    line = refusal(packed(tmp_path, parts), tmp_path / "runs")
    assert line.startswith("cells.zip: ")
    assert words in line


def test_weights_of_another_shape_or_without_sense_are_refused(tmp_path: Path, parts: Parts) -> None:
    def shorter(header: dict[str, Any]) -> None:
        for name, entry in header.items():
            if name.endswith("cls_score.weight"):
                entry["shape"] = entry["shape"][::-1]

    good, runs = parts[BEST], tmp_path / "runs"
    parts[BEST] = with_header(parts, shorter)
    assert "1 tensor differs" in refusal(packed(tmp_path, parts), runs, check_weights=check_weights)
    parts[BEST] = good[:-4000] + b"\xff" * 4000  # NaN in half precision
    assert "NaN or infinite" in refusal(packed(tmp_path, parts), runs, check_weights=check_weights)


def test_links_bombs_and_damage_are_refused(tmp_path: Path, parts: Parts) -> None:
    runs = tmp_path / "runs"
    runs.mkdir()
    link = zipfile.ZipInfo("start.json")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    assert "is a link" in refusal(packed(tmp_path, parts, (link, b"/etc/passwd")), runs)

    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(ABOUT, about())
        with archive.open(BEST, "w") as entry:
            for _ in range(130):
                entry.write(b"\0" * 1_000_000)
    assert "far more than its size lets expect" in refusal(bomb, runs)

    content = packed(tmp_path, parts).read_bytes()
    assert "damaged" in refusal(io.BytesIO(content[: len(content) // 2]), runs)
    assert "damaged" in refusal(io.BytesIO(b""), runs)
    at = content.index(b"circle")
    flipped = content[:at] + b"square" + content[at + 6 :]
    assert zlib.crc32(flipped) != zlib.crc32(content)
    assert "damaged" in refusal(io.BytesIO(flipped), runs)


@pytest.mark.parametrize(
    ("name", "becomes"),
    [
        ("../../.ssh", "ssh"),
        ("/etc", "etc"),
        ("..", "model"),
        ("", "model"),
        (".hidden", "hidden"),
        ("a\0b\n<script>", "a-b-script"),
        ("CELLS", "CELLS-2"),  # a run "cells" is there: the same on some file systems
        ("x" * 1000, "x" * 80),
        ("\u202egnp", "gnp"),
    ],
)
def test_the_name_of_a_run_is_made_harmless(tmp_path: Path, parts: Parts, name: str, becomes: str) -> None:
    runs = tmp_path / "runs"
    (runs / "cells").mkdir(parents=True)
    parts[ABOUT] = about(name=name)
    opened = open_bundle(packed(tmp_path, parts), runs)
    assert opened.path == runs / becomes
    assert opened.fault() is None


def test_a_folder_of_runs_that_is_a_link_is_not_written_to(tmp_path: Path, parts: Parts) -> None:
    (tmp_path / "elsewhere").mkdir()
    os.symlink(tmp_path / "elsewhere", tmp_path / "runs")
    assert "is a link" in refusal(packed(tmp_path, parts), tmp_path / "runs")
    assert list((tmp_path / "elsewhere").iterdir()) == []
