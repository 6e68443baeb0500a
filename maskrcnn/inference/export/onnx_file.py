"""Export to ONNX: an `.onnx` file, checked in ONNX Runtime, and a script beside it that uses it without the studio."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torchvision

from maskrcnn import __version__
from maskrcnn.atomic_files import replacing
from maskrcnn.config import Config
from maskrcnn.errors import StudioError
from maskrcnn.inference.export.agreement import Agreement, agreement, pictures_to_compare
from maskrcnn.inference.export.onnx_graph import write_graph
from maskrcnn.inference.export.source import ExportSource, Step, no_step
from maskrcnn.inference.export.use_script import require_own_script, script_beside, script_module, script_text
from maskrcnn.model import detect, prepare
from maskrcnn.model.build import StudioRCNN
from maskrcnn.model.mask_pasting import pastes_legacy
from maskrcnn.model.weights import Checkpoint, find_checkpoint, network_of
from maskrcnn.output_files import writing

_EXAMPLE = (128, 160)
"""Height and width of the picture with which the network is traced. The graph takes pictures of any size."""


@dataclass(frozen=True)
class OnnxExport:
    """What `export_onnx` has written: the `.onnx` `file`, the `script`, and the `agreement` on `pictures` pictures."""

    file: Path
    script: Path
    pictures: int
    agreement: Agreement


def export_onnx(source: ExportSource, target: Path, step: Step = no_step) -> OnnxExport:
    """Write a network as the ONNX file `target`, and `NAME_use.py` beside it, a script that uses it without the studio.

    The network is written in float32, with all its parts, for pictures of any size; `onnx_graph` lists inputs and
    outputs. Class names, working size and the configuration are in the metadata of the file. Before the files get
    their names, the script finds objects in three pictures with ONNX Runtime, and they are compared with those of
    `model.detect`.

    Raises `ArgumentError` if `target` cannot be written, and `StudioError` if packages are missing, the weights are
    damaged, torch cannot write the network, or ONNX Runtime finds something else. Then there are no files.
    """
    script = script_beside(target, ".onnx", "use")
    require_onnx()
    step(0.0, "reading the network")
    checkpoint = find_checkpoint(source.file)
    model = network_of(checkpoint)
    samples = pictures_to_compare(model.config, source.run)
    text = script_text(model.config, target.name)
    require_own_script(script, text)
    with writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with replacing(script) as temporary_script, replacing(target) as temporary:
            step(0.1, "writing the graph")
            _write(model, temporary, metadata_of(source.name, checkpoint))
            found = Agreement()
            for number, compared in enumerate(compare_onnx(model, temporary, samples), start=1):
                step(0.5 + 0.5 * number / len(samples), f"compared on picture {number} of {len(samples)}")
                if fault := compared.fault():
                    raise StudioError(
                        f"{target}: not written, because in picture {number} of {len(samples)} {fault}; take the model "
                        "bundle instead (--to bundle)"
                    )
                found += compared
            temporary_script.write_text(text, encoding="utf-8")
    return OnnxExport(target, script, len(samples), found)


def require_onnx() -> None:
    """Raise `StudioError` if the packages onnx and onnxruntime are not installed."""
    missing = [name for name in ("onnx", "onnxruntime") if importlib.util.find_spec(name) is None]
    if missing:
        raise StudioError(
            f"the export to ONNX needs {' and '.join(missing)}; install what the studio needs: pip install -r "
            "requirements.txt"
        )


def metadata_of(name: str, checkpoint: Checkpoint) -> dict[str, str]:
    """The metadata of an ONNX file (`metadata_props`): all that a program must know to use it, as texts."""
    config = checkpoint.config
    about: dict[str, Any] = {
        "name": name,
        "classes": json.dumps(list(config.names)),
        "shorter_side": config.image_min_dim,
        "longer_side": config.image_max_dim,
        "preprocessing": "RGB, uint8; resized so that the shorter side is shorter_side, or less if the longer side "
        "would be longer than longer_side; averaged where it gets smaller (cv2.INTER_AREA); the graph does the rest",
        "boxes": "x1, y1, x2, y2 in pixels of the resized picture",
        "min_score": config.detection_min_confidence,
        "nms_iou": config.detection_nms_threshold,
        "tasks": ",".join(config.tasks),
        "epoch": "" if checkpoint.epoch is None else checkpoint.epoch,
        "made": datetime.now().astimezone().isoformat(timespec="seconds"),
        "made_by": f"Mask R-CNN Studio {__version__}, torch {torch.__version__}, torchvision {torchvision.__version__}",
        "config": config.model_dump_json(),
    }
    if "mask" in config.tasks:
        legacy = pastes_legacy(config)
        about["masks"] = (
            "probability in each cell of the box; pasted as torchvision pastes"
            if legacy
            else "probability in each cell of the box; linear between cell centres, an object from 0.5 on"
        )
    if "keypoints" in config.tasks:
        about["keypoints"] = json.dumps(list(config.keypoint_names))
        about["skeleton"] = json.dumps([list(edge) for edge in config.keypoint_edges])
    return {key: str(value) for key, value in about.items()}


def _write(model: StudioRCNN, target: Path, metadata: dict[str, str]) -> None:
    """Write the graph of a network with its metadata. Raises `StudioError` if torch cannot write it."""
    try:
        write_graph(model, example_picture(model.config), target)
        add_metadata(target, metadata)
    except OSError:
        raise
    except Exception as error:  # the exporter has many kinds of errors, some with the whole graph as their message
        first = str(error).strip().partition("\n")[0][:200]
        raise StudioError(
            f"torch {torch.__version__} cannot write this network as ONNX ({type(error).__name__}: {first}); take the "
            "model bundle instead (--to bundle)"
        ) from None


def add_metadata(file: Path, metadata: dict[str, str]) -> None:
    """Write metadata into an ONNX file, and check the file."""
    import onnx

    graph = onnx.load(str(file))
    onnx.helper.set_model_props(graph, metadata)
    graph.producer_name, graph.producer_version = "Mask R-CNN Studio", __version__
    onnx.checker.check_model(graph)
    onnx.save(graph, str(file))


def example_picture(config: Config) -> np.ndarray:
    """A drawn picture to trace the network with, uint8 `(H, W, 3)`."""
    picture = pictures_to_compare(config, None, most=1)[0]
    return np.ascontiguousarray(picture[: _EXAMPLE[0], : _EXAMPLE[1]])


def compare_onnx(model: StudioRCNN, file: Path, samples: Sequence[np.ndarray]) -> Iterator[Agreement]:
    """The agreement of the ONNX `file`, used by its script, with `model.detect` on each picture of `samples`.

    `model` is in float32; it is prepared for inference as `inference.load` does. Raises `StudioError` if ONNX Runtime
    cannot run the file.
    """
    script = script_module(model.config, file)
    ours = prepare(model, precision="float32")
    network = None
    for picture in samples:
        try:
            network = network or script.open_network(file)
            theirs = script.find_objects(network, picture)
        except Exception as error:
            if not type(error).__module__.startswith("onnxruntime"):
                raise
            raise StudioError(
                f"ONNX Runtime cannot run this network ({str(error).strip()[:200]}); take the model bundle instead "
                "(--to bundle)"
            ) from None
        yield agreement(model.config, detect(ours, picture), theirs, "ONNX Runtime")
