"""How soon a small set is learned: ours beside the recipe of torchvision's finetuning tutorial.

    python benchmarks/finetune.py --data BALLOON --weights FILE [--minutes 15] [--ours-minutes 10] [--out DIR]
    python benchmarks/finetune.py --data BALLOON --weights FILE --out DIR --only ours|tutorial

BALLOON holds `train/` and `val/`, each with labels and their pictures. FILE is MobileNetV2 trained on ImageNet, in
torchvision's names, with the norms' statistics fixed. Both start from it, learn the same photographs with the same
number of threads, one after the other, and are judged on `val/` by the same function (COCO's segm AP).

- **ours** is `python -m maskrcnn train --backbone mobilenet_v2_fpn --backbone-weights FILE --minutes M`, with nothing
  else said.
- **tutorial** is "TorchVision Object Detection Finetuning Tutorial", second way (another backbone): the features of
  MobileNetV2 as one map of 1280 channels, five anchor sizes in three ratios, RoIs of 7 and 14; everything learns by SGD
  with 0.005, momentum 0.9, weight decay 0.0005, a tenth of it every three epochs, warmed up over the first; batches of
  2, pictures of 800 to 1333 px mirrored half of the time, masks as bitmaps. In one thing it is helped: its norms are
  fixed, as batches of 2 have no statistics worth the name.

Seconds are those of training, decoding of pictures included. What building, loading and validating take counts for
neither, though ours pays for validation out of its M minutes. The tutorial is validated about every minute, ours after
every epoch, at about a twentieth of its time.

With --out, what was measured stays there and a half that is done is not measured again, so that the two can be run at
different times; of a half that was killed, what it had reached counts. Prints how long each took to a segm AP50 of 0.3
(a lower bound for one that never did), the ratio, and both APs over time. Exits with 1 where ours is not ten times
sooner.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torchvision
from pycocotools import mask as coco_mask
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchvision import tv_tensors
from torchvision.models.detection import MaskRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.ops import FrozenBatchNorm2d, MultiScaleRoIAlign, masks_to_boxes
from torchvision.transforms import v2

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from maskrcnn.annotations import pictures
from maskrcnn.atomic_files import write_atomic
from maskrcnn.errors import StudioError
from maskrcnn.evaluation import coco_documents, coco_summary
from maskrcnn.runs.folder import RunFolder
from maskrcnn.runs.request import TrainingRequest
from maskrcnn.runs.training_documents import training_documents

ROOT = Path(__file__).resolve().parent.parent
OURS, TUTORIAL = "ours", "tutorial"
REACHED, SOONER = 0.3, 10.0
"""The AP50 that both are to reach, and how many times sooner ours shall be there."""

AT_MINUTES = (0.5, 1, 2, 3, 5, 10, 15, 30)
"""When the table looks at both."""

Point = dict[str, float]
"""A validation: `seconds` of training before it, `steps`, `ap`, `ap50`."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, metavar="BALLOON", help="a folder with train/ and val/")
    parser.add_argument(
        "--weights", type=Path, required=True, metavar="FILE", help="MobileNetV2 in torchvision's names"
    )
    parser.add_argument("--minutes", type=float, default=15, help="training time of the tutorial's recipe (15)")
    parser.add_argument("--ours-minutes", type=float, default=10, help="--minutes of ours (10)")
    parser.add_argument("--every", type=float, default=60, help="seconds between validations of the tutorial's (60)")
    parser.add_argument("--only", choices=(OURS, TUTORIAL), help="measure one of them now")
    parser.add_argument("--out", type=Path, metavar="DIR", help="keep runs and figures there, and go on from them")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="of each (the processor's cores)")
    parser.add_argument("--seed", type=int, default=0, help="of each (0)")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    try:
        with tempfile.TemporaryDirectory(prefix="maskrcnn-benchmark-") as temporary:
            out = args.out or Path(temporary)
            out.mkdir(parents=True, exist_ok=True)
            about = circumstances(args)
            print(", ".join(f"{name} {value}" for name, value in about.items()), flush=True)
            for who, measure in ((OURS, measure_ours), (TUTORIAL, measure_tutorial)):
                if args.only in (None, who) and not Figures(out, who, about).done(args):
                    measure(args, Figures(out, who, about))
            return report(*(Figures(out, who, about) for who in (OURS, TUTORIAL)))
    except StudioError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def circumstances(args: argparse.Namespace) -> dict[str, Any]:
    """What must be the same for both."""
    return {
        "threads": args.threads,
        "processor": torch.backends.cpu.get_cpu_capability(),
        "torch": torch.__version__,
        "torchvision": torchvision.__version__,
        "weights": hashlib.sha256(args.weights.read_bytes()).hexdigest()[:12],
        "seed": args.seed,
    }


class Figures:
    """What was measured of one of the two, in a file that grows with it."""

    def __init__(self, out: Path, who: str, about: dict[str, Any]) -> None:
        self.folder, self.who = out, who
        self.file = out / f"{who}.json"
        self.about = about
        self.points: list[Point] = []
        self.minutes = 0.0
        if self.file.exists():
            kept = json.loads(self.file.read_text(encoding="utf-8"))
            if kept["about"] != about:
                raise StudioError(f"{self.file} was measured with {kept['about']}; give another --out")
            self.points, self.minutes = kept["points"], kept["minutes"]

    def done(self, args: argparse.Namespace) -> bool:
        """Whether all that `args` asks for is there."""
        return self.minutes >= (args.ours_minutes if self.who == OURS else args.minutes)

    def write(self, points: list[Point], minutes: float) -> None:
        """Keep these; `minutes` is how long it was to train and did, 0 while it has not."""
        self.points, self.minutes = points, minutes
        self.file.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(self.file, json.dumps({"about": self.about, "minutes": minutes, "points": points}, indent=1))

    def reached(self) -> float | None:
        """Seconds of training until AP50 was `REACHED`."""
        return next((point["seconds"] for point in self.points if point["ap50"] >= REACHED), None)

    def best(self, seconds: float) -> Point | None:
        """The best validation (by AP, as the run folder's best epoch) of so much training."""
        return max((point for point in self.points if point["seconds"] <= seconds), key=lambda p: p["ap"], default=None)

    @property
    def trained(self) -> float:
        """Seconds of training that were validated."""
        return self.points[-1]["seconds"] if self.points else 0.0


# Ours


def measure_ours(args: argparse.Namespace, figures: Figures) -> None:
    """Train as a user would, in a process of its own; the figures are its run folder's."""
    run = RunFolder(figures.folder / OURS)
    shutil.rmtree(run.path, ignore_errors=True)  # one that did not get to its end
    request = TrainingRequest(
        data=args.data / "train",
        val=args.data / "val",
        backbone_weights=args.weights,
        changed={"backbone": "mobilenet_v2_fpn", "minutes": args.ours_minutes, "seed": args.seed},
    )
    words = ["train", "--out", str(run.path), *request.to_argv()]
    print(f"\n$ python -m maskrcnn {shlex.join(words)}", flush=True)
    trainer = subprocess.Popen(
        [sys.executable, "-m", "maskrcnn", *words], cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": str(args.threads)}
    )
    while trainer.poll() is None:
        time.sleep(5)
        figures.write(points_of(run), 0)
    if trainer.returncode:
        raise StudioError(f"{run.path}: the training failed; its log.txt says why")
    figures.write(points_of(run), args.ours_minutes)


def points_of(run: RunFolder) -> list[Point]:
    """The validations of a run, without the time that they took."""
    points, validating = [], 0.0
    for row in run.epochs():
        validating += row["validation_seconds"]
        seconds = row["elapsed"] - validating
        points.append({"seconds": seconds, "steps": row["step"], "ap": row["segm_ap"], "ap50": row["segm_ap50"]})
    return points


# The tutorial's recipe


def tutorial_network(weights: Path) -> MaskRCNN:
    """Mask R-CNN on the last map of MobileNetV2, for the background and one class."""
    body = torchvision.models.mobilenet_v2(norm_layer=FrozenBatchNorm2d)
    body.load_state_dict(torch.load(weights, weights_only=True))
    backbone = body.features
    backbone.out_channels = 1280
    return MaskRCNN(
        backbone,
        num_classes=2,
        rpn_anchor_generator=AnchorGenerator(((32, 64, 128, 256, 512),), ((0.5, 1.0, 2.0),)),
        box_roi_pool=MultiScaleRoIAlign(["0"], output_size=7, sampling_ratio=2),
        mask_roi_pool=MultiScaleRoIAlign(["0"], output_size=14, sampling_ratio=2),
    )


class Bitmaps(Dataset):
    """The pictures of a COCO document as the tutorial has them: whole, with a bitmap of the same size per object."""

    def __init__(self, document: dict[str, Any], run: RunFolder) -> None:
        self.document, self.run = document, run
        self.transform = v2.Compose(
            [v2.RandomHorizontalFlip(0.5), v2.ToDtype(torch.float, scale=True), v2.ToPureTensor()]
        )

    def __len__(self) -> int:
        return len(self.document["images"])

    def __getitem__(self, index: int) -> tuple[Tensor, dict[str, Any]]:
        image = self.document["images"][index]
        picture = torch.from_numpy(pictures.load(self.run.picture_path(image)).transpose(2, 0, 1).copy())
        height, width = picture.shape[1:]
        own = [entry for entry in self.document["annotations"] if entry["image_id"] == image["id"]]
        masks = np.zeros((len(own), height, width), np.uint8)
        for mask, entry in zip(masks, own, strict=True):
            mask[:] = coco_mask.decode(coco_documents.encode_rle(entry["segmentation"], height, width))
        bitmaps = torch.from_numpy(masks)
        boxes = masks_to_boxes(bitmaps)
        target = {
            "boxes": tv_tensors.BoundingBoxes(boxes, format="XYXY", canvas_size=(height, width)),
            "masks": tv_tensors.Mask(bitmaps),
            "labels": torch.ones(len(own), dtype=torch.int64),
        }
        return self.transform(tv_tensors.Image(picture), target)


def measure_tutorial(args: argparse.Namespace, figures: Figures) -> None:
    """Train by the recipe for so many minutes, validating now and then."""
    run = RunFolder(figures.folder)  # only says where pictures are looked for
    found = training_documents(args.data / "train", args.data / "val", None, run.path)
    print(f"\ntutorial's recipe: {len(found['train']['images'])} pictures, {args.minutes:g} minutes", flush=True)
    torch.manual_seed(args.seed)
    model = tutorial_network(args.weights)
    points: list[Point] = []
    figures.write(points, 0)
    next_look = args.every
    for seconds, steps, loss in steps_of_tutorial(model, Bitmaps(found["train"], run)):
        over = seconds >= 60 * args.minutes
        if seconds < next_look and not over:
            continue
        next_look = seconds + args.every
        summary = coco_summary(found["val"], detections_of(model, found["val"], run), "segm")
        points.append({"seconds": seconds, "steps": steps, "ap": summary["AP"] or 0.0, "ap50": summary["AP50"] or 0.0})
        figures.write(points, args.minutes if over else 0)
        print(
            f"{seconds:6.0f} s  {steps:4} steps of {seconds / steps:.1f} s  loss {loss:.3f}  "
            f"segm_ap {points[-1]['ap']:.3f}  segm_ap50 {points[-1]['ap50']:.3f}",
            flush=True,
        )
        if over:
            return


def steps_of_tutorial(model: MaskRCNN, samples: Dataset) -> Iterator[tuple[float, int, float]]:
    """Train without end; after each step the seconds of training so far, the number of steps and the loss."""
    loader = DataLoader(samples, batch_size=2, shuffle=True, collate_fn=lambda batch: tuple(zip(*batch, strict=True)))
    learning = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimiser = torch.optim.SGD(learning, lr=0.005, momentum=0.9, weight_decay=0.0005)
    by_epoch = torch.optim.lr_scheduler.StepLR(optimiser, step_size=3, gamma=0.1)
    warm_up = torch.optim.lr_scheduler.LinearLR(optimiser, 1 / 1000, total_iters=max(1, min(1000, len(loader) - 1)))
    seconds, steps, epoch = 0.0, 0, 0
    while True:
        model.train()
        began = time.perf_counter()
        for images, targets in loader:
            loss = sum(model(list(images), list(targets)).values())
            if not math.isfinite(loss.item()):
                raise StudioError(f"the tutorial's loss is {loss.item()} after {steps} steps; try another --seed")
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            if epoch == 0:
                warm_up.step()
            seconds, steps = seconds + time.perf_counter() - began, steps + 1
            yield seconds, steps, loss.item()
            model.train()
            began = time.perf_counter()
        by_epoch.step()
        epoch += 1


@torch.inference_mode()
def detections_of(model: MaskRCNN, document: dict[str, Any], run: RunFolder) -> list[dict[str, Any]]:
    """COCO results of torchvision's own answers, in the frame of the pictures."""
    model.eval()
    results = []
    for image in document["images"]:
        picture = torch.from_numpy(pictures.load(run.picture_path(image))).permute(2, 0, 1).float() / 255
        answer = model([picture])[0]
        for box, label, score, mask in zip(*(answer[k] for k in ("boxes", "labels", "scores", "masks")), strict=True):
            x1, y1, x2, y2 = box.tolist()
            code = coco_mask.encode(np.asfortranarray((mask[0] >= 0.5).numpy().astype(np.uint8)))
            results.append(
                {
                    "image_id": image["id"],
                    "category_id": int(label),
                    "bbox": [x1, y1, x2 - x1, y2 - y1],
                    "score": float(score),
                    "segmentation": {"size": code["size"], "counts": code["counts"].decode()},
                }
            )
    return results


# What is said


def report(ours: Figures, tutorial: Figures) -> int:
    """Print what there is of both; 1 where ours is there and not `SOONER`."""
    both = [figures for figures in (ours, tutorial) if figures.points]
    if not both:
        return 0
    heads = "".join(f"{f'{figures.who} AP':>14}{'AP50':>8}" for figures in both)
    print(f"\n{'best so far on val, segm':26}{heads}")
    longest = max(figures.trained for figures in both)
    times = sorted({60.0 * m for m in AT_MINUTES if 60 * m < longest} | {figures.trained for figures in both})
    for seconds in times:
        cells = ""
        for figures in both:
            # Half a minute past the last validation is as good as there; later nothing is known.
            best = figures.best(seconds) if seconds <= figures.trained + 30 else None
            cells += f"{best['ap']:14.3f}{best['ap50']:8.3f}" if best else f"{'-':>14}{'-':>8}"
        print(f"{f'after {seconds / 60:.1f} min of training':26}{cells}")

    print(f"\n{f'seconds to AP50 {REACHED:g}':26}{'':>6}{'steps':>8}{'s a step':>10}")
    for figures in both:
        reached = figures.reached()
        words = f"{reached:.0f}" if reached is not None else f"> {figures.trained:.0f}"
        last = figures.points[-1]
        print(f"{figures.who:26}{words:>6}{last['steps']:8.0f}{last['seconds'] / last['steps']:10.2f}")
    if len(both) < 2:
        return 0

    equal = min(ours.trained, tutorial.trained)
    # What the peer had learned when its first validation from then on was made: it may have trained a little longer.
    later = next(point["seconds"] for point in tutorial.points if point["seconds"] >= equal)
    mine, theirs = ours.best(equal), tutorial.best(later)
    if mine and theirs:
        print(
            f"after equal minutes ({equal / 60:.1f}): ours AP {mine['ap']:.3f}, AP50 {mine['ap50']:.3f}; "
            f"tutorial AP {theirs['ap']:.3f}, AP50 {theirs['ap50']:.3f}"
        )
    reached = ours.reached()
    if reached is None:
        print(f"ours did not reach AP50 {REACHED:g}: MISSED")
        return 1
    peer = tutorial.reached()
    ratio = (peer if peer is not None else tutorial.trained) / reached
    enough = ratio >= SOONER
    print(
        f"tutorial / ours: {'' if peer is not None else 'more than '}{ratio:.1f} times, "
        f"target {SOONER:g}{'' if enough else '  MISSED'}"
    )
    return 0 if enough else 1


if __name__ == "__main__":
    sys.exit(main())
