"""How fast a picture becomes detections, and how much memory that takes, beside torchvision's `maskrcnn_resnet50_fpn`.

    python benchmarks/inference.py [--quick] [--detections 20 100] [--rounds 7]
    python benchmarks/inference.py --model RUN --data DATASET

Both have the same weights and get the same pictures of 800 x 600 px, in turn, in one process. The weights are random
with a fixed seed; the norms are set to the statistics of a picture and the last layers scaled, so that scores, boxes
and masks vary as those of a trained network do and every picture has as many detections as are asked for. The peer is
the network that `maskrcnn_resnet50_fpn(weights="COCO_V1")` gives (with FrozenBatchNorm, as its checkpoint wants it), in
eval and inference mode, with the same threads. Its shorter side is set to 600 and its longer to 800, so that neither
resizes (torchvision samples where we average, and the two would not see the same pixels).

Timed is a uint8 picture in memory to detections in memory. Ours are COCO results with RLE masks. The peer's are what it
returns, soft masks in the picture; what it costs to turn these into RLEs as well is timed on its own and said beside
it. Memory is the most that a process of its own has while it looks at pictures, above what it had with the network
loaded (the median of three).

The second form says what bfloat16 does to the AP of a trained network on labelled pictures.

Prints tables with the targets. Exits with 1 if a target is missed; --quick is for a look and judges no times.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import gc
import importlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

WIDTH, HEIGHT = 800, 600
PEER, FLOAT32, BFLOAT16 = "torchvision", "ours float32", "ours bfloat16"

TARGETS = {"float32": 0.85, "bfloat16": 0.5, "memory": 0.7, "iou": 0.999, "ap": 0.002}
"""Ratios to the peer that must not be exceeded; the least IoU of a mask; the most that an AP may differ."""

Detections = list[dict[str, Any]]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--detections", type=int, nargs="+", default=[20, 100], metavar="N", help="in each picture")
    parser.add_argument("--rounds", type=int, default=7, metavar="N", help="how often each takes its turn (7)")
    parser.add_argument("--quick", action="store_true", help="one picture and two rounds; no judgement of times")
    parser.add_argument("--compile", action="store_true", help="also ours with torch.compile, in both precisions")
    parser.add_argument("--model", metavar="RUN", help="a trained network: compare its AP in both precisions instead")
    parser.add_argument("--data", type=Path, metavar="DATASET", help="labelled pictures for --model")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the figures to a file as well")
    parser.add_argument("--memory-of", choices=(PEER, FLOAT32, BFLOAT16), help=argparse.SUPPRESS)
    parser.add_argument("--weights", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # the engine need not be installed
    if args.memory_of:
        print(json.dumps(memory(args.memory_of, args.weights, args.detections[0])))
        return 0
    if bool(args.model) != bool(args.data):
        parser.error("--model and --data go together: a trained network and labels to measure it on")
    figures = precision_of_ap(args.model, args.data) if args.model else side_by_side(args)
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1))
    if figures["missed"]:
        print(f"\nmissed: {', '.join(figures['missed'])}")
    return 1 if figures["missed"] else 0


# The network, its peer, the pictures


def config(detections: int) -> Any:
    from maskrcnn.config import Config

    return Config.preset("torchvision", image_min_dim=HEIGHT, image_max_dim=WIDTH, detection_max_instances=detections)


def our_network(detections: int, state: dict[str, Any]) -> Any:
    from maskrcnn.model import build

    model = build(config(detections))
    model.load_state_dict(state)
    return model


def peer_network(detections: int, state: dict[str, Any]) -> Any:
    """What torchvision's builder makes for its COCO weights, with ours in it."""
    from torchvision.models import resnet50
    from torchvision.models.detection import MaskRCNN
    from torchvision.models.detection.backbone_utils import _resnet_fpn_extractor
    from torchvision.ops import FrozenBatchNorm2d

    backbone = _resnet_fpn_extractor(resnet50(norm_layer=FrozenBatchNorm2d), 3)
    model = MaskRCNN(backbone, 91, min_size=HEIGHT, max_size=WIDTH, box_detections_per_img=detections)
    model.load_state_dict(state)
    return model.eval()


def lifelike_state() -> dict[str, Any]:
    """Random weights that behave as trained ones: activations of usual size, sure and unsure answers."""
    import torch
    from torchvision.models.resnet import Bottleneck

    from maskrcnn.model import build
    from maskrcnn.model.resize import to_tensor

    torch.manual_seed(0)
    model = build(config(20))
    for block in model.modules():
        if isinstance(block, Bottleneck):  # a quarter of what comes in, or rounding would grow from block to block
            block.bn3.weight.fill_(0.25)
    make_lifelike(model, to_tensor(pictures(1)[0]))
    return model.state_dict()


def make_lifelike(model: Any, picture: Any) -> None:
    """Set the norms of a network with masks to the statistics of a picture `(3, H, W)`, and scale its last layers.

    Its scores, boxes and masks then vary as those of a trained network do. The norms are torchvision's
    `FrozenBatchNorm2d`, as in networks whose body has weights of ImageNet.
    """
    import torch
    from torchvision.ops import FrozenBatchNorm2d

    heads = model.roi_heads
    # Layer -> the standard deviation that its outputs shall have: of logits, and of box deltas in their own units.
    spread = {
        model.rpn.head.cls_logits: 2.0,
        model.rpn.head.bbox_pred: 0.3,
        heads.box_predictor.cls_score: 2.0,
        heads.box_predictor.bbox_pred: 1.0,
        heads.mask_predictor.mask_fcn_logits: 3.0,
    }

    def set_norm(norm: Any, given: Any, result: Any) -> Any:
        norm.running_mean.copy_(given[0].mean((0, 2, 3)))
        norm.running_var.copy_(given[0].var((0, 2, 3)))
        return norm.forward(given[0])

    def set_spread(layer: Any, given: Any, result: Any) -> Any:
        if len(result) and layer not in done:
            done.add(layer)
            layer.weight.mul_(spread[layer] / result.std())
        return layer.forward(given[0])

    done: set[Any] = set()
    hooks = [norm.register_forward_hook(set_norm) for norm in model.modules() if isinstance(norm, FrozenBatchNorm2d)]
    hooks += [layer.register_forward_hook(set_spread) for layer in spread]
    with torch.no_grad():
        model([picture])
    for hook in hooks:
        hook.remove()


def pictures(count: int) -> list[Any]:
    """uint8 RGB pictures of coloured shapes on a soft ground."""
    import cv2
    import numpy as np

    random = np.random.default_rng(0)
    made = []
    for _ in range(count):
        ground = random.integers(60, 200, (6, 8, 3), dtype=np.uint8)
        picture = cv2.resize(ground, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
        for _ in range(30):
            centre = (int(random.integers(WIDTH)), int(random.integers(HEIGHT)))
            axes = (int(random.integers(8, 120)), int(random.integers(8, 120)))
            colour = tuple(int(value) for value in random.integers(0, 255, 3))
            cv2.ellipse(picture, centre, axes, float(random.uniform(0, 180)), 0, 360, colour, -1, cv2.LINE_AA)
        noise = random.normal(0, 6, picture.shape)
        made.append(np.clip(picture + noise, 0, 255).astype(np.uint8))
    return made


def look(model: Any, picture: Any) -> Any:
    """The peer's answer to a picture: boxes, labels, scores and soft masks `(N, 1, H, W)`."""
    import torch

    from maskrcnn.model.resize import to_tensor

    with torch.inference_mode():
        return model([to_tensor(picture)])[0]


def as_rle(answer: Any) -> list[Any]:
    """The peer's masks as compressed RLEs."""
    import numpy as np
    from pycocotools import mask as coco_mask

    cut = (answer["masks"][:, 0] > 0.5).numpy().astype(np.uint8)
    return [coco_mask.encode(np.asfortranarray(bitmap)) for bitmap in cut]


# Side by side


def side_by_side(args: argparse.Namespace) -> dict[str, Any]:
    import torch

    from maskrcnn.model.mixed_precision import supports_bfloat16

    rounds, count = (2, 1) if args.quick else (args.rounds, 3)
    half = supports_bfloat16(torch.device("cpu"))
    print(f"{WIDTH} x {HEIGHT} px, {count} pictures, {rounds} rounds, {machine()}")
    if not half:
        print("this processor has no bfloat16 units: its figures are left out")
    state = lifelike_state()
    figures: dict[str, Any] = {"machine": machine(), "missed": []}
    with tempfile.TemporaryDirectory(prefix="maskrcnn-benchmark-") as folder:
        weights = Path(folder) / "state.pth"
        torch.save(state, weights)
        for detections in args.detections:
            found = compare(detections, state, rounds, pictures(count), half, args.compile)
            # What the allocator keeps differs from process to process, so three of them are asked.
            found["memory"] = {
                who: statistics.median(_child(who, weights, detections) for _ in range(1 if args.quick else 3))
                for who in (PEER, FLOAT32, BFLOAT16)[: 2 + half]
            }
            figures["missed"] += report(detections, found, judge_times=not args.quick)
            figures[str(detections)] = found
    return figures


def compare(
    detections: int, state: dict[str, Any], rounds: int, shown: list[Any], half: bool, compiled: bool
) -> dict[str, Any]:
    """Seconds of each in turn, the agreement of the masks, and seconds by stage."""
    from maskrcnn.model import detect, prepare

    peer, model = peer_network(detections, state), our_network(detections, state)
    ours = {FLOAT32: prepare(model, precision="float32")}
    if half:
        ours[BFLOAT16] = prepare(model, precision="bfloat16")
    if compiled:
        for who in list(ours):
            ours[f"{who}, compiled"] = prepare(model, precision=who.split()[-1], compile=True)
    seconds: dict[str, list[float]] = {PEER: [], "RLE": []} | {who: [] for who in ours}
    agreement = []
    for number in range(-1, rounds):  # the first is a warm-up and the comparison
        for picture in shown:
            start = time.perf_counter()
            answer = look(peer, picture)
            looked = time.perf_counter()
            codes = as_rle(answer)
            times = {PEER: looked - start, "RLE": time.perf_counter() - looked}
            answer["masks"] = None
            found = {}
            for who, network in ours.items():
                start = time.perf_counter()
                found[who] = detect(network, picture)
                times[who] = time.perf_counter() - start
                assert len(found[who]) == len(codes) == detections
            if number < 0:
                agreement.append(agree(answer, codes, found[FLOAT32]))
            else:
                for who, value in times.items():
                    seconds[who].append(value)
    medians = {who: statistics.median(values) for who, values in seconds.items()}
    together = statistics.median(sum(pair) for pair in zip(seconds[PEER], seconds["RLE"], strict=True))
    networks = {PEER: peer, **{who: network for who, network in ours.items() if "compiled" not in who}}
    return {
        "seconds": medians,
        "with_rle": together,
        "agreement": {name: pick(entry[name] for entry in agreement) for name, pick in AGREEMENT.items()},
        "stages": {who: stages(who, network, shown, min(rounds, 3)) for who, network in networks.items()},
    }


AGREEMENT: dict[str, Callable[[Iterator[float]], float]] = {
    "mean_iou": lambda values: statistics.mean(values),
    "min_iou": min,
    "box": max,
    "score": max,
}


def agree(answer: Any, codes: list[Any], ours: Detections) -> dict[str, float]:
    """IoU of the masks, detection by detection, and the largest differences of boxes (px) and scores.

    Detections of nearly equal score may have changed places: each of ours goes with the peer's that is most like it.
    """
    import numpy as np
    from pycocotools import mask as coco_mask

    boxes = np.array([[x, y, x + w, y + h] for x, y, w, h in (found["bbox"] for found in ours)])
    labels = np.array([found["category_id"] for found in ours])
    distance = np.abs(boxes[:, None] - answer["boxes"].numpy()[None]).max(axis=2)
    distance += 1e6 * (labels[:, None] != answer["labels"].numpy()[None])
    partner = distance.argmin(axis=1)
    assert len(set(partner.tolist())) == len(ours), "the two did not find the same objects"
    overlap = coco_mask.iou([found["segmentation"] for found in ours], codes, [0] * len(codes))
    overlap = overlap[np.arange(len(ours)), partner]
    # Two masks without a pixel are equal, though their IoU is 0.
    empty = coco_mask.area([codes[place] for place in partner]) + coco_mask.area([f["segmentation"] for f in ours]) == 0
    overlap = np.where(empty, 1.0, overlap)
    scores = np.array([found["score"] for found in ours])
    return {
        "mean_iou": float(overlap.mean()),
        "min_iou": float(overlap.min()),
        "box": float(distance[np.arange(len(ours)), partner].max()),
        "score": float(np.abs(scores - answer["scores"].numpy()[partner]).max()),
    }


# Stage by stage


STAGES = ("body", "FPN", "RPN", "RoI pooling", "heads", "paste", "rest")


def stages(who: str, network: Any, shown: list[Any], rounds: int) -> dict[str, float]:
    """Median seconds per picture in each stage. `heads` holds the choice of detections; ours pastes RLEs."""
    # By its name, because in the package `detect` is the function.
    ours = importlib.import_module("maskrcnn.model.detect")
    spent = dict.fromkeys(STAGES, 0.0)
    heads = network.roi_heads
    watched: list[tuple[Any, str, str]] = [
        (network.backbone.body, "forward", "body"),
        (network.backbone.fpn, "forward", "FPN"),
        (network.rpn, "forward", "RPN"),
        (heads.box_roi_pool, "forward", "RoI pooling"),
        (heads.mask_roi_pool, "forward", "RoI pooling"),
        (heads.box_head, "forward", "heads"),
        (heads.box_predictor, "forward", "heads"),
        (heads, "postprocess_detections", "heads"),
        (heads.mask_head, "forward", "heads"),
        (heads.mask_predictor, "of_class" if who != PEER else "forward", "heads"),
        (network.transform, "postprocess", "paste") if who == PEER else (ours, "encode_soft_mask", "paste"),
    ]
    records = []
    with _watched(watched, spent):
        for _ in range(rounds):
            for picture in shown:
                spent.update(dict.fromkeys(STAGES, 0.0))
                start = time.perf_counter()
                look(network, picture) if who == PEER else ours.detect(network, picture)
                spent["rest"] = time.perf_counter() - start - sum(spent.values())
                records.append(dict(spent))
    return {stage: statistics.median(record[stage] for record in records) for stage in STAGES}


@contextlib.contextmanager
def _watched(places: list[tuple[Any, str, str]], spent: dict[str, float]) -> Iterator[None]:
    """Add the seconds spent in each function to its stage for a while."""
    before = [(owner, name, vars(owner).get(name)) for owner, name, _ in places]

    def timed(function: Callable[..., Any], stage: str) -> Callable[..., Any]:
        def call(*args: Any, **more: Any) -> Any:
            start = time.perf_counter()
            result = function(*args, **more)
            spent[stage] += time.perf_counter() - start
            return result

        return call

    for owner, name, stage in places:
        setattr(owner, name, timed(getattr(owner, name), stage))
    try:
        yield
    finally:
        for owner, name, function in before:
            delattr(owner, name) if function is None else setattr(owner, name, function)


# Memory


def _child(who: str, weights: Path, detections: int) -> float:
    command = [sys.executable, __file__, "--memory-of", who, "--weights", str(weights), "--detections", str(detections)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(done.stdout)


def memory(who: str, weights: Path, detections: int) -> float:
    """MB that this process has at most while it looks at three pictures, above what it has with the network loaded."""
    import psutil
    import torch

    from maskrcnn.model import detect, prepare

    shown = pictures(3)
    state = torch.load(weights, weights_only=True)
    network = (peer_network if who == PEER else our_network)(detections, state)
    del state
    if who != PEER:
        network = prepare(network, precision="bfloat16" if who == BFLOAT16 else "float32")
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):  # glibc keeps what was freed, and would count it as loaded
        ctypes.CDLL(None).malloc_trim(0)
    process = psutil.Process()
    loaded = most = process.memory_info().rss
    done = threading.Event()

    def sample() -> None:
        nonlocal most
        while not done.wait(0.001):
            most = max(most, process.memory_info().rss)

    sampler = threading.Thread(target=sample)
    sampler.start()
    for picture in shown:
        look(network, picture) if who == PEER else detect(network, picture)
    done.set()
    sampler.join()
    return (most - loaded) / 1e6


# AP in both precisions


def precision_of_ap(run: str, data: Path) -> dict[str, Any]:
    import torch

    from maskrcnn.annotations import pictures as files
    from maskrcnn.annotations import read
    from maskrcnn.annotations.formats import coco
    from maskrcnn.evaluation import evaluate
    from maskrcnn.model import detect, load, prepare
    from maskrcnn.model.mixed_precision import supports_bfloat16

    model, dataset = load(run), read(data)
    truth = coco.document(dataset, model.config.names)
    reports = {}
    for precision in ("float32", "bfloat16"):
        network = prepare(model, precision=precision)  # type: ignore[arg-type]
        found: Detections = []
        for image, record in zip(truth["images"], dataset.images, strict=True):
            found += detect(network, files.load(record.path), image["id"])  # type: ignore[arg-type]
        reports[precision] = evaluate(truth, found, tasks=model.config.tasks, sigmas=model.config.sigmas)
    print(f"{run} on {len(dataset.images)} pictures of {data}")
    if not supports_bfloat16(torch.device("cpu")):
        print("(bfloat16 is emulated: this processor has no units for it)")
    missed = []
    print(f"\n{'':12}{'float32':>10}{'bfloat16':>10}{'points':>10}   target: mask AP within {100 * TARGETS['ap']:g}")
    for kind in ("bbox", "segm", "keypoints"):
        if kind not in reports["float32"].kinds:
            continue
        for name in ("AP", "AP50", "AP75"):
            exact, rough = (reports[precision].summary(kind)[name] for precision in ("float32", "bfloat16"))
            print(f"{kind + ' ' + name:12}{exact:10.4f}{rough:10.4f}{100 * (rough - exact):+10.2f}")
            if name == "AP" and kind == "segm" and abs(rough - exact) > TARGETS["ap"]:
                missed.append("AP in bfloat16")
    return {"reports": {name: report.to_json() for name, report in reports.items()}, "missed": missed}


# What is said


def report(detections: int, found: dict[str, Any], judge_times: bool) -> list[str]:
    """Print the tables of one number of detections; return the targets that it misses."""
    missed: list[str] = []

    def judged(words: str, value: float, limit: float, wrong: bool, judge: bool = True) -> str:
        if wrong and judge:
            missed.append(f"{words} with {detections} detections")
        return f"{limit:>9g}{'  MISSED' if wrong and judge else ''}" if judge else f"{limit:>9g}  (not judged)"

    seconds, with_rle = found["seconds"], found["with_rle"]
    print(f"\n{detections} detections in each picture")
    print(f"\n{'a picture, seconds':26}{'median':>9}{'ratio':>9}{'target':>9}{'ratio to peer with RLE':>26}")
    print(f"{PEER:26}{seconds[PEER]:9.3f}{1:9.2f}")
    print(f"{'  and its masks as RLE':26}{with_rle:9.3f}{with_rle / seconds[PEER]:9.2f}{'':9}{1:26.2f}")
    for who in (name for name in seconds if name not in (PEER, "RLE")):
        ratio = seconds[who] / seconds[PEER]
        limit = TARGETS[who.split()[1].strip(",")]
        target = judged(f"time of {who}", ratio, limit, ratio > limit, judge_times)
        print(f"{who:26}{seconds[who]:9.3f}{ratio:9.2f}{target}{seconds[who] / with_rle:26.2f}")

    print(f"\n{'memory above the network':26}{'MB':>9}{'ratio':>9}{'target':>9}")
    for who, megabytes in found["memory"].items():
        ratio = megabytes / found["memory"][PEER]
        target = "" if who == PEER else judged(f"memory of {who}", ratio, TARGETS["memory"], ratio > TARGETS["memory"])
        print(f"{who:26}{megabytes:9.0f}{ratio:9.2f}{target}")

    close = found["agreement"]
    target = judged("IoU of masks", close["min_iou"], TARGETS["iou"], close["min_iou"] < TARGETS["iou"])
    print(
        f"\nfloat32 beside the peer: mask IoU mean {close['mean_iou']:.6f}, min {close['min_iou']:.6f}, target{target}"
    )
    print(f"largest difference of a box {close['box']:.2g} px, of a score {close['score']:.2g}")

    print(f"\n{'seconds by stage':14}{''.join(f'{stage:>13}' for stage in STAGES)}")
    for who, times in found["stages"].items():
        print(f"{who:14}{''.join(f'{times[stage]:13.3f}' for stage in STAGES)}")
    return missed


def machine() -> str:
    import torch

    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return f"{os.cpu_count()} cores, {torch.get_num_threads()} threads{load}, torch {torch.__version__}"


if __name__ == "__main__":
    sys.exit(main())
