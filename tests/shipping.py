"""Models as they ship: run folders with a card, in half precision, whose training pictures are named only."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from maskrcnn.config import Config
from maskrcnn.runs.folder import RunFolder

CARD: dict[str, Any] = {
    "name": "toy",
    "what": "Finds six kinds of painted shapes, with their outlines.",
    "classes": ["circle", "square"],
    "command": "python -m maskrcnn.toys.weights toy",
    "train": {"world": "shapes", "pictures": 10000, "seed": 1000},
    "test": {"world": "shapes", "pictures": 500, "seed": 9000},
    "seconds": 4100,
    "machine": "2 cores of a laptop",
    "epochs": 3,
    "seed": 0,
    "ap": {"bbox": {"AP": 0.75, "AP50": 0.9, "AP75": 0.8}, "segm": {"AP": 0.7, "AP50": 0.875, "AP75": 0.75}},
    "intervals": {"bbox": {"AP": [0.72, 0.78]}, "segm": {"AP": [0.68, 0.72]}},
    "resamples": 500,
    "bytes": 9900000,
    "limits": "It has never seen a photograph.",
    "licence": "that of the studio",
}

SQUARE = [[4, 4, 20, 4, 20, 20, 4, 20]]


def ship(folder: Path, name: str = "toy", network: Any = None, pictures: tuple[str, ...] = (), **fields: Any) -> Path:
    """Put a model into `folder` (for `shipped_models.FOLDER`): three epochs of a network like `classroom` with `fields`
    changed, a square found on each of the validation `pictures` after the last; its run folder.

    Without a `network` the file of its weights holds no tensor, which is enough where nobody loads it.
    """
    run = RunFolder(folder / name)
    run.path.mkdir(parents=True, exist_ok=True)
    classes = tuple(CARD["classes"])
    config = network.config if network else Config.preset("classroom", class_names=classes, epochs=3, **fields)
    images = [
        {"id": number, "file_name": file, "width": 64, "height": 48, "path": f"../../shapes/val/{file}"}
        for number, file in enumerate(pictures, 1)
    ]
    square = {"bbox": [4, 4, 16, 16], "category_id": 1, "segmentation": SQUARE}
    objects = [{"id": image["id"], "image_id": image["id"], "iscrowd": 0, "area": 256, **square} for image in images]
    categories = [{"id": number, "name": each} for number, each in enumerate(config.names, 1)]
    nothing: dict[str, Any] = {"images": [], "annotations": [], "categories": categories}
    labels = {**nothing, "images": images, "annotations": objects}
    run.write_json("config.json", config.model_dump(mode="json"))
    run.write_json("dataset.json", {"train": nothing, "val": labels, "drawn": CARD["train"]})
    for epoch in (1, 2, 3):
        row = {"event": "epoch", "epoch": epoch, "step": 10 * epoch, "progress": epoch / 3, "elapsed": 60.0 * epoch}
        row |= {"eta": 0.0, "loss": 3.0 / epoch, "segm_ap": 0.25 * epoch, "bbox_ap": 0.25 * epoch}
        run.append_metrics({**row, "event": "step"} | dict.fromkeys(config.losses, 0.5))
        run.append_metrics(row | dict.fromkeys(config.losses, 0.5))
        found = [{"image_id": image["id"], "score": 0.9, **square} for image in images if epoch == 3]
        run.write_detections(epoch, found)
    run.write_json("result.json", {"state": "done", "best_epoch": 3, "seconds": 4100.0})
    (run.path / "log.txt").write_text("epoch 3\n")
    if network is None:
        header = json.dumps({"__metadata__": metadata_of(config, 3)}).encode()
        run.best.write_bytes(len(header).to_bytes(8, "little") + header)
    else:
        save_halved(network, run.best, 3)
    run.write_json("card.json", {**CARD, "name": name})
    return run.path


def save_halved(network: Any, path: Path, epoch: int) -> None:
    """A checkpoint of ours whose floating point tensors are in half precision."""
    from safetensors.torch import save_file

    state = {
        name: tensor.half().contiguous() if tensor.is_floating_point() else tensor.contiguous()
        for name, tensor in network.state_dict().items()
    }
    save_file(state, path, metadata=metadata_of(network.config, epoch))


def metadata_of(config: Config, epoch: int) -> dict[str, str]:
    """What a checkpoint of ours says of itself."""
    return {"format": "mask-rcnn-studio/1", "config": config.model_dump_json(), "epoch": str(epoch)}
