"""Whether an exported ONNX file finds what the network finds: boxes to 0.01 px and masks to an IoU of 0.999.

    python benchmarks/onnx_agreement.py [--pictures 20] [--json OUT]

Each network that ships is exported, and each pyramid with every way to pool RoIs (the same weights: what it finds is
then poorer, but just as real). Its ONNX file, used by the script beside it, is compared with `model.detect`
in float32 on drawn pictures that no training saw. The least score is low, so that there are many objects to compare.

Prints a line for each network: objects, largest difference of a box, lowest IoU of two masks, largest difference of a
keypoint, and seconds a picture of both with one thread. Exits with 1 if a network differs.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import onnxruntime

from maskrcnn.inference.export import onnx_file
from maskrcnn.inference.export.agreement import Agreement, agreement, pictures_to_compare
from maskrcnn.inference.export.onnx_graph import write_graph
from maskrcnn.inference.export.use_script import script_module
from maskrcnn.model import detect, prepare
from maskrcnn.model.weights import find_checkpoint, network_of

POOLINGS = ("align", "pool", "warp", "align-legacy")
NETWORKS: list[tuple[str, dict[str, Any]]] = [
    *(("toy", {"pooling": pooling}) for pooling in POOLINGS),
    *(("toy-people", {"pooling": pooling}) for pooling in POOLINGS),
    *(("toy-people", {"pooling": pooling, "keypoint_decode": "argmax"}) for pooling in ("align", "align-legacy")),
    ("toy", {"pooling": "pool", "pooling_mode": "average"}),
    ("toy", {"pooling": "align", "pooling_mode": "max"}),
    ("toy", {"sampling_ratio": 0}),
    ("toy-c5-align", {}),
    ("toy-c5-pool", {}),
]
"""Shipped model -> the fields that are changed."""
LEAST_SCORE = 0.02


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pictures", type=int, default=20, metavar="N", help="pictures for each network (20)")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the figures to a file as well")
    args = parser.parse_args()
    print(
        f"{'network':14} {'changed':42} {'objects':>7} {'box px':>8} {'mask IoU':>9} {'keypoint px':>11}  ours / ONNX s"
    )
    rows, differs = [], False
    for name, changed in NETWORKS:
        found, seconds = measured(name, changed, args.pictures)
        words = ", ".join(f"{field}={value}" for field, value in changed.items())
        fault = found.fault()
        differs |= fault is not None
        keypoint = f"{found.keypoint:.5f}" if "people" in name else "-"
        print(
            f"{name:14} {words:42} {found.objects:7} {found.box:8.5f} {found.iou:9.5f} {keypoint:>11}  "
            f"{seconds[0]:.3f} / {seconds[1]:.3f}  {fault or ''}",
            flush=True,
        )
        rows.append({"network": name, **changed, **vars(found), "seconds": seconds, "fault": fault})
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1))
    return int(differs)


def measured(name: str, changed: dict[str, Any], count: int) -> tuple[Agreement, tuple[float, float]]:
    """The agreement of a network with its ONNX file, and the median seconds a picture of ours and of ONNX Runtime."""
    checkpoint = find_checkpoint(name)
    config = checkpoint.config.replace(detection_min_confidence=LEAST_SCORE, **changed)
    checkpoint = replace(checkpoint, config=config)
    model = network_of(checkpoint)
    samples = pictures_to_compare(config, None, most=count)
    total, times = Agreement(), []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"{name}.onnx"
        write_graph(model, onnx_file.example_picture(config), file)
        onnx_file.add_metadata(file, onnx_file.metadata_of(name, checkpoint))
        script = script_module(config, file)
        network, ours = script.open_network(file), prepare(model, precision="float32")
        for picture in samples:
            start = time.perf_counter()
            expected = detect(ours, picture)
            middle = time.perf_counter()
            theirs = script.find_objects(network, picture)
            times.append((middle - start, time.perf_counter() - middle))
            total += agreement(config, expected, theirs, f"ONNX Runtime {onnxruntime.__version__}")
    first, second = np.median(times, axis=0)
    return total, (float(first), float(second))


if __name__ == "__main__":
    sys.exit(main())
