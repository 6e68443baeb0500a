"""`python -m maskrcnn convert`, as it is typed."""

from __future__ import annotations

import contextlib
import io
import json
import os
from pathlib import Path

import pytest
from pycocotools.coco import COCO

from maskrcnn.__main__ import main
from maskrcnn.annotations import read


def test_balloons_to_coco(real_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = real_data / "balloon/val/via_region_data.json"
    assert main(["convert", str(source), str(tmp_path / "val.json"), "--to", "coco"]) == 0
    assert "13 pictures, 50 regions" in capsys.readouterr().out
    with contextlib.redirect_stdout(io.StringIO()):
        index = COCO(tmp_path / "val.json")
    assert (len(index.imgs), len(index.anns), len(index.cats)) == (13, 50, 1)
    for annotation in index.anns.values():
        assert annotation["area"] == index.annToMask(annotation).sum() > 0


def test_there_and_back_keeps_polygons(real_data: Path, tmp_path: Path) -> None:
    source = real_data / "balloon/val/via_region_data.json"
    images = str(source.parent)
    main(["convert", str(source), str(tmp_path / "coco.json"), "--to", "coco"])
    main(["convert", str(tmp_path / "coco.json"), str(tmp_path / "via.json"), "--to", "via1", "--images", images])
    written, original = (json.loads(path.read_text()) for path in (tmp_path / "via.json", source))
    assert written.keys() == original.keys()
    for key, image in original.items():
        assert image["regions"] == written[key]["regions"]


def test_the_sample_project_to_every_format(root: Path, tmp_path: Path) -> None:
    sample = root / "data/shapes/val"
    for format in ("via1", "via2", "via-project", "coco"):
        target = tmp_path / f"{format}.json"
        assert main(["convert", str(sample), str(target), "--to", format]) == 0
        again, before = read(target, sample), read(sample)
        assert again.classes == tuple(sorted(before.classes)) if format in ("via1", "via2") else before.classes
        assert again.n_regions == before.n_regions
        assert [[r.class_name for r in image.regions] for image in again.images] == [
            [r.class_name for r in image.regions] for image in before.images
        ]


@pytest.mark.parametrize(
    ("arguments", "status", "complaint"),
    [
        (["none.json", "out.json", "--to", "coco"], 2, "none.json: there is no such file"),
        (["labels.json", "labels.json", "--to", "coco"], 2, "this is the file to read"),
        (["labels.json", "out.json", "--to", "coco", "--images", "none"], 2, "none: there is no such folder"),
        (["labels.json", "out.json", "--to", "coco"], 1, 'image "a.jpg" not found beside it'),
        (["broken.json", "out.json", "--to", "via2"], 1, "broken.json: not JSON"),
    ],
)
def test_mistakes_get_one_line_and_write_nothing(
    arguments: list[str],
    status: int,
    complaint: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("labels.json").write_text('{"a": {"filename": "a.jpg", "regions": []}}')
    Path("broken.json").write_text("{")
    before = {name: Path(name).read_text() for name in os.listdir()}
    assert main(["convert", *arguments]) == status
    error = capsys.readouterr().err
    assert complaint in error
    assert error.count("\n") == 1
    assert {name: Path(name).read_text() for name in os.listdir()} == before


def test_an_unknown_format_lists_the_choices(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["convert", "a.json", "b.json", "--to", "dicom"])
    assert caught.value.code == 2
    error = capsys.readouterr().err
    for format in ("via1", "via2", "via-project", "coco"):
        assert format in error
