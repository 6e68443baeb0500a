"""Projects and run folders written by hand: a test chooses the pictures, the labels and what each epoch finds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from maskrcnn.annotations.store import Project
from maskrcnn.config import Config
from maskrcnn.runs.folder import RunFolder
from maskrcnn.studio.shell import session

Entry = dict[str, Any]
SIZE = (100, 70)
"""Usual width and height of a picture."""


def rectangle(image_id: int, category: int, box: Sequence[float], **more: Any) -> Entry:
    """A COCO entry of the rectangle `box` (x, y, width, height); `more` are other fields, such as `score`."""
    x, y, width, height = box
    outline = [[x, y, x + width, y, x + width, y + height, x, y + height]]
    return {"image_id": image_id, "category_id": category, "bbox": list(box), "segmentation": outline, **more}


def document(
    names: Iterable[str], objects: Iterable[Entry], classes: Sequence[str], size: tuple[int, int] = SIZE
) -> dict[str, Any]:
    """The COCO document of a run: pictures NAME.png of its project, numbered from 1 as objects and classes are."""
    width, height = size
    return {
        "images": [
            {"id": n, "file_name": f"{name}.png", "width": width, "height": height, "path": f"../../images/{name}.png"}
            for n, name in enumerate(names, 1)
        ],
        "categories": [{"id": n, "name": name} for n, name in enumerate(classes, 1)],
        "annotations": [
            {"id": n, "iscrowd": 0, "area": entry["bbox"][2] * entry["bbox"][3]} | entry
            for n, entry in enumerate(objects, 1)
        ],
    }


def grey(size: tuple[int, int] = SIZE) -> np.ndarray:
    """A picture of one colour, (height, width, 3) uint8."""
    return np.full((size[1], size[0], 3), 90, np.uint8)


def noise(size: tuple[int, int] = SIZE) -> np.ndarray:
    """A picture of random pixels, (height, width, 3) uint8."""
    return np.random.default_rng(0).integers(0, 255, (size[1], size[0], 3), np.uint8)


def clouds(size: tuple[int, int]) -> np.ndarray:
    """A picture of soft spots some 20 px wide, (height, width, 3) uint8."""
    small = np.random.default_rng(0).integers(60, 200, (size[1] // 20, size[0] // 20, 3), dtype=np.uint8)
    return cv2.resize(small, size)


def new_project(folder: Path, names: Iterable[str], pixels: np.ndarray) -> Project:
    """A project with validation pictures NAME.png, which have the same pixels and are different files."""
    made = Project.create(folder)
    content = cv2.imencode(".png", pixels)[1].tobytes()
    made.add_pictures([(f"{name}.png", content + name.encode()) for name in names], "val")
    return made


def new_project_of_server(server: Any, name: str, names: Iterable[str], pixels: np.ndarray) -> Project:
    """`new_project` in the workspace of a server, which has shown its projects before."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MASKRCNN_WORKSPACE", str(server.workspace))
        session.this_workspace().projects()
    return new_project(server.workspace / name, names, pixels)


def begin_run(project: Project, truth: Mapping[str, Any], name: str = "first", **fields: Any) -> RunFolder:
    """A run that has its labels and no epoch yet. `fields` are those of the Config, on top of the classroom preset."""
    run = RunFolder.create(project.runs_folder / name)
    classes = tuple(category["name"] for category in truth["categories"])
    config = Config.preset("classroom", **{**fields, "class_names": classes})
    run.write_json("config.json", config.model_dump(mode="json"))
    run.write_json("dataset.json", {"train": truth, "val": truth})
    return run


def end_run(run: RunFolder, epochs: Mapping[int, list[Entry]], mask_ap: Mapping[int, float] | None = None) -> RunFolder:
    """The run after these epochs (number: detections), of which the last one is the best. `mask_ap` was measured."""
    for epoch, detections in epochs.items():
        run.write_detections(epoch, detections)
        row = {"event": "epoch", "epoch": epoch, "step": epoch, "progress": epoch / len(epochs)}
        measured = {"segm_ap": mask_ap[epoch]} if mask_ap else {}
        run.append_metrics(row | {"elapsed": 1.0, "eta": 0.0} | measured)
    run.write_json("result.json", {"state": "done", "best_epoch": max(epochs, default=1), "seconds": 1.0})
    return run
