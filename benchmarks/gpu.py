"""What a graphics card does for the studio, in at most ten minutes: is it right, how fast, how much memory, what AP.

    python benchmarks/gpu.py [--data BALLOON --weights FILE] [--minutes 2] [--json OUT]
    python benchmarks/gpu.py --device cpu --quick      # tries the script itself where there is no card

In this order, each printed as soon as it is known:

- **parity**: losses of a batch and detections of the `toy` model, on the card and on the processor;
- **training**: pictures per second of `maskrcnn_resnet50_fpn` in its own sizes (800 to 1333 px), in batches of 2 and 8,
  in float32 (with TF32) and in half precision. The peer is torchvision's reference loop (`references/detection`): the
  builder's network, SGD with momentum 0.9, autocast with a gradient scaler where it is half, masks as bitmaps. Ours is
  the trainer's own `step` on the preset `torchvision`. Both have the same random weights, the same pictures in memory,
  the same batch, and take turns; ratios are medians over rounds. With it the peak memory of each;
- **a step**: where the time of ours goes: waiting for the card, cutting mask targets on the processor, the rest;
- **inference**: seconds a picture, picture to detections, ours made ready for inference beside the peer's network;
- **AP**: with --data (a folder with `train/` and `val/`) and --weights (MobileNetV2 in torchvision's names), what a
  training of so many minutes reaches, by the command line that a person would type.

Exits with 1 where parity fails, 2 where there is no card.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torchvision
from torch import Tensor
from torchvision.models.detection import MaskRCNN
from torchvision.models.detection.backbone_utils import resnet_fpn_backbone
from torchvision.ops import FrozenBatchNorm2d

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from maskrcnn.annotations import pictures
from maskrcnn.annotations.polygon_outline import PolygonOutline
from maskrcnn.config import Config
from maskrcnn.model import build, detect, load, prepare
from maskrcnn.model.mixed_precision import supports_bfloat16
from maskrcnn.runs.folder import RunFolder
from maskrcnn.runs.request import TrainingRequest
from maskrcnn.training.batch_loader import Batch
from maskrcnn.training.distributed import Team
from maskrcnn.training.hardware import seed_everything
from maskrcnn.training.labelled_samples import Target
from maskrcnn.training.loop import step
from maskrcnn.training.losses import batch_losses, fetched_losses
from maskrcnn.training.optimiser import make_optimiser
from maskrcnn.training.training_speedups import moved_to_device, prepared_for_training

ROOT = Path(__file__).resolve().parent.parent
CPU = torch.device("cpu")
OBJECTS = 8
"""Objects on each made picture."""

CLOSE = {"loss": 2e-2, "score": 2e-3, "pixels": 0.1}
"""The most by which card and processor may differ: share of a loss; a score; a side of a box."""

Sample = tuple[Tensor, Target]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--device", default="cuda", choices=("cuda", "cpu"), help="cpu tries the script itself")
    parser.add_argument("--data", type=Path, metavar="BALLOON", help="a folder with train/ and val/")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="MobileNetV2 in torchvision's names")
    parser.add_argument("--minutes", type=float, default=2, help="of the training on --data (2)")
    parser.add_argument("--quick", action="store_true", help="small pictures and one round")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the figures to a file as well")
    args = parser.parse_args()
    if args.device == "cuda" and not torch.cuda.is_available():
        print("error: no CUDA device on this machine; --device cpu --quick tries the script itself", file=sys.stderr)
        return 2
    device = torch.device(args.device)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "the processor"
    print(f"{name}, torch {torch.__version__}, torchvision {torchvision.__version__}", flush=True)
    figures: dict[str, Any] = {"device": name, "torch": torch.__version__}
    figures["parity"] = parity(device)
    figures["training"] = training(device, args.quick)
    figures["step"] = parts_of_a_step(device, args.quick)
    figures["inference"] = inference(device, args.quick)
    if args.data:
        figures["finetune"] = finetune(args)
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1))
    return 0 if figures["parity"]["right"] else 1


# Whether it is right


def parity(device: torch.device) -> dict[str, Any]:
    """The largest differences of losses, scores and boxes between the card and the processor, in float32."""
    model = load("toy")
    folder = ROOT / "data" / "shapes" / "val"
    shown = [pictures.load(path) for path in sorted(folder.glob("*.jpg"))[:6]]
    worst = {"loss": 0.0, "score": 0.0, "pixels": 0.0}
    different = 0
    with exact_float32():
        found = []
        for place in (CPU, device):
            ready = prepare(load("toy").to(place), precision="float32")
            found.append([detect(ready, picture) for picture in shown])
        for here, there in zip(*found, strict=True):
            sure = [[one for one in side if one["score"] > 0.3] for side in (here, there)]
            different += abs(len(sure[0]) - len(sure[1]))
            for one, other in zip(*sure, strict=False):
                worst["score"] = max(worst["score"], abs(one["score"] - other["score"]))
                sides = np.abs(np.subtract(one["bbox"], other["bbox"]))
                worst["pixels"] = max(worst["pixels"], float(sides.max()))
        batch = made_batch(2, 192, 256, seed=1, classes=model.config.num_classes)
        values = []
        for place in (CPU, device):
            network = load("toy").to(place).train()
            network.transform.resized = True
            with torch.no_grad():
                values.append(fetched_losses(batch_losses(network, batch.samples, batch.seeds).values()))
        worst["loss"] = max(abs(a - b) / max(abs(a), 1e-6) for a, b in zip(*values, strict=True))
    right = different == 0 and all(worst[name] <= most for name, most in CLOSE.items())
    print(f"\nparity: {'the same' if right else 'DIFFERENT'}")
    for name, most in CLOSE.items():
        print(f"  {name:8} differs by at most {worst[name]:.2g} (allowed {most:g})")
    return {**worst, "different_detections": different, "right": right}


@contextlib.contextmanager
def exact_float32() -> Iterator[None]:
    """Float32 as such, not as TF32, which keeps ten bits."""
    kinds = (torch.backends.cuda.matmul, torch.backends.cudnn)
    before = [kind.allow_tf32 for kind in kinds]
    for kind in kinds:
        kind.allow_tf32 = False
    try:
        yield
    finally:
        for kind, allowed in zip(kinds, before, strict=True):
            kind.allow_tf32 = allowed


# Pictures


def made_batch(count: int, height: int, width: int, seed: int, classes: int = 91) -> Batch:
    """Noise with ellipses on it, whose outlines are its labels."""
    random = np.random.default_rng(seed)
    samples: list[Sample] = []
    for _ in range(count):
        picture = torch.from_numpy(random.random((3, height, width), np.float32))
        outlines, boxes = [], []
        for _ in range(OBJECTS):
            size = random.uniform(0.05, 0.2, 2) * (width, height)
            centre = random.uniform(0.25, 0.75, 2) * (width, height)
            turn = np.linspace(0, 2 * np.pi, 40, endpoint=False)
            ring = centre + size * np.stack([np.cos(turn), np.sin(turn)], 1)
            outlines.append(PolygonOutline((ring,)))
            boxes.append([*ring.min(0), *ring.max(0)])
        labels = torch.from_numpy(random.integers(1, classes, OBJECTS))
        samples.append((picture, {"boxes": torch.tensor(boxes).float(), "labels": labels, "masks": outlines}))
    return Batch(samples, [seed + number for number in range(count)], [""] * count)


def with_bitmaps(samples: list[Sample], device: torch.device) -> tuple[list[Tensor], list[Target]]:
    """What torchvision's loop is given."""
    images, targets = [], []
    for picture, target in samples:
        height, width = picture.shape[1:]
        bitmaps = np.stack([outline.bitmap(height, width) for outline in target["masks"]]).astype(np.uint8)
        images.append(picture)
        targets.append({**target, "masks": torch.from_numpy(bitmaps)})
    return images, targets


# Training


def training(device: torch.device, quick: bool) -> dict[str, Any]:
    """Pictures per second and peak memory of both, by batch and precision."""
    height, width = (160, 224) if quick else (800, 1088)
    found: dict[str, Any] = {}
    head = f"{'training, pictures of':22}{f'{height} x {width}':>12}"
    print(f"\n{head}{'ours':>10}{'peer':>10}{'ratio':>8}{'memory GiB':>20}")
    for size in (1,) if quick else (2, 8):
        for half in (False, True):
            if half and not supports_bfloat16(device):
                continue
            batches = [made_batch(size, height, width, seed) for seed in range(1 if quick else 4)]
            paces: dict[str, list[float]] = {"ours": [], "peer": []}
            memory = {}
            with our_step(device, half, height) as our_one:
                sides = {"ours": our_one, "peer": peer_step(device, half, height)}
                for _, (who, do) in product(range(1 if quick else 4), sides.items()):
                    seconds, memory[who] = timed(partial(each, do, batches), device)
                    paces[who].append(size * len(batches) / seconds)
            ratio = statistics.median(a / b for a, b in zip(paces["ours"][-3:], paces["peer"][-3:], strict=True))
            ours, peer = (statistics.median(paces[who][-3:]) for who in sides)
            words = f"batch {size}, {'half' if half else 'float32'}"
            sizes = f"{memory['ours']:.1f} / {memory['peer']:.1f}"
            print(f"  {words:32}{ours:10.1f}{peer:10.1f}{ratio:8.2f}{sizes:>20}", flush=True)
            found[words] = {"ours": ours, "peer": peer, "ratio": ratio, "memory_gib": memory}
            del sides, our_one
            if device.type == "cuda":
                torch.cuda.empty_cache()
    return found


def each(do: Callable[[Batch], Any], batches: list[Batch]) -> None:
    for batch in batches:
        do(batch)


@contextlib.contextmanager
def our_step(device: torch.device, half: bool, height: int) -> Iterator[Callable[[Batch], Any]]:
    """The trainer's step on the network of torchvision's builder, prepared for training as long as the block runs."""
    config = Config.preset(
        "torchvision", precision="auto" if half else "float32", image_min_dim=height, optimiser="sgd", ema=0.0
    )
    seed_everything(0)
    model = moved_to_device(build(config), device)
    model.set_layers("3+")
    model.train()
    optimiser = make_optimiser(model)

    with prepared_for_training(model):
        yield lambda batch: step(model, optimiser, batch, 1e-5, 1, 1, Team())


def peer_network(height: int) -> MaskRCNN:
    """What `maskrcnn_resnet50_fpn` builds where it is given weights: fixed norms, three stages that learn."""
    backbone = resnet_fpn_backbone(
        backbone_name="resnet50", weights=None, norm_layer=FrozenBatchNorm2d, trainable_layers=3
    )
    return MaskRCNN(backbone, 91, min_size=height, max_size=1333)


def peer_step(device: torch.device, half: bool, height: int) -> Callable[[Batch], Any]:
    """A step of torchvision's reference loop."""
    seed_everything(0)
    model = peer_network(height).to(device).train()
    learning = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.SGD(learning, lr=1e-5, momentum=0.9, weight_decay=1e-4)
    scaler = torch.amp.GradScaler(device.type, enabled=half and device.type == "cuda")
    dtype = torch.float16 if device.type == "cuda" else torch.bfloat16
    ready: dict[int, Any] = {}

    def do(batch: Batch) -> None:
        # Its bitmaps are made once, as its data loader makes them in other processes.
        if id(batch) not in ready:
            ready[id(batch)] = with_bitmaps(batch.samples, device)
        images, targets = ready[id(batch)]
        images = [image.to(device) for image in images]
        targets = [{name: value.to(device) for name, value in target.items()} for target in targets]
        with torch.autocast(device.type, dtype, enabled=half):
            parts = model(images, targets)
            loss = sum(parts.values())
        loss.item()
        optimiser.zero_grad()
        scaler.scale(loss).backward()
        scaler.step(optimiser)
        scaler.update()

    return do


def timed(action: Callable[[], Any], device: torch.device) -> tuple[float, float]:
    """Seconds until the device has finished, and the most memory that was taken, GiB."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        torch.cuda.reset_peak_memory_stats(device)
    began = time.perf_counter()
    action()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    seconds = time.perf_counter() - began
    return seconds, torch.cuda.max_memory_allocated(device) / 2**30 if device.type == "cuda" else float("nan")


def parts_of_a_step(device: torch.device, quick: bool) -> dict[str, float]:
    """Shares of the wall-clock time of our step, batch 8 in half precision."""
    height, width = (160, 224) if quick else (800, 1088)
    batch = made_batch(1 if quick else 8, height, width, seed=0)
    with our_step(device, True, height) as do:
        for _ in range(1 if quick else 3):
            do(batch)
        with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
            began = time.perf_counter()
            do(batch)
            whole = time.perf_counter() - began
    waits = {"aten::_local_scalar_dense", "aten::nonzero", "cudaStreamSynchronize", "cudaDeviceSynchronize"}
    waited = sum(row.self_cpu_time_total for row in profile.key_averages() if row.key in waits) / 1e6
    places = [box for _, target in batch.samples for box in target["boxes"].tolist()]
    outlines = [outline for _, target in batch.samples for outline in target["masks"]]
    began = time.perf_counter()
    for outline, place in zip(outlines, places, strict=True):
        outline.coverage(place, 28)
    one = (time.perf_counter() - began) / len(places)
    found = {"step": whole, "waiting_for_the_card": waited, "mask_target": one}
    count = len(batch.samples)
    print(
        f"\na step of {count} pictures, half: {whole:.3f} s, of which {waited / whole:.0%} waiting for the card; "
        f"a mask target takes {1e6 * one:.0f} µs on the processor, and there are up to {128 * count} in a step"
    )
    return found


# Inference


def inference(device: torch.device, quick: bool) -> dict[str, Any]:
    """Seconds a picture of both, from a uint8 picture in memory."""
    height, width = (160, 224) if quick else (800, 1088)
    random = np.random.default_rng(0)
    shown = [random.integers(0, 256, (height, width, 3), np.uint8) for _ in range(2 if quick else 8)]
    config = Config.preset("torchvision", image_min_dim=height)
    seed_everything(0)
    model = build(config).to(device)
    peer = peer_network(height).to(device).eval()
    peer.load_state_dict(model.state_dict())

    @torch.inference_mode()
    def theirs() -> None:
        for picture in shown:
            peer([torch.from_numpy(picture).permute(2, 0, 1).float().div(255).to(device)])

    found: dict[str, Any] = {}
    print(f"\n{'inference, seconds a picture':40}{'ours':>10}{'peer':>10}{'ratio':>8}")
    for precision in ("float32", "auto"):
        ready = prepare(model.eval(), precision=precision)
        for action in (theirs, lambda ready=ready: [detect(ready, picture) for picture in shown]):
            action()
        rounds = [
            (
                timed(lambda ready=ready: [detect(ready, picture) for picture in shown], device)[0] / len(shown),
                timed(theirs, device)[0] / len(shown),
            )
            for _ in range(1 if quick else 5)
        ]
        ours, other = (statistics.median(side) for side in zip(*rounds, strict=True))
        ratio = statistics.median(a / b for a, b in rounds)
        print(f"  {precision:38}{ours:10.4f}{other:10.4f}{ratio:8.2f}", flush=True)
        found[precision] = {"ours": ours, "peer": other, "ratio": ratio}
    return found


# AP


def finetune(args: argparse.Namespace) -> dict[str, Any]:
    """The AP that the command line reaches in so many minutes."""
    changed = {"minutes": args.minutes, **({"backbone": "mobilenet_v2_fpn"} if args.weights else {})}
    data, val = args.data / "train", args.data / "val"
    request = TrainingRequest(data=data, val=val, backbone_weights=args.weights, changed=changed)
    with tempfile.TemporaryDirectory(prefix="maskrcnn-benchmark-") as folder:
        run = RunFolder(Path(folder) / "run", made_here=True)
        command = [sys.executable, "-m", "maskrcnn", "train", "--out", str(run.path), "--device", args.device]
        subprocess.run([*command, *request.to_argv()], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        epochs = run.epochs()
        best = max(epochs, key=lambda row: row.get("segm_ap") or 0)
        reached = f"mask AP {best['segm_ap']:.3f}, AP50 {best['segm_ap50']:.3f}"
        print(f"\n{args.minutes:g} minutes on {args.data.name}: {reached} after {epochs[-1]['step']} steps")
        return {"segm_ap": best["segm_ap"], "segm_ap50": best["segm_ap50"], "steps": epochs[-1]["step"]}


if __name__ == "__main__":
    sys.exit(main())
