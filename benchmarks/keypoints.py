"""Whether Keypoint R-CNN can learn a few people by heart: train on 8 pictures, measure OKS AP on the same 8.

    python benchmarks/keypoints.py ANNOTATIONS [--pictures 8] [--epochs 10] [--backbone-weights PATH]

ANNOTATIONS is a COCO keypoints file whose pictures can be found from it, such as
`coco/pose_minicoco/annotations/person_keypoints_val2017.json`. Its first pictures that have an object with labelled
keypoints are taken, with all that is on them. Training and measuring are the studio's own commands in processes of
their own; augmentation is off, as nothing new is going to be seen. Prints both commands, the report and the time, and
exits with 1 if the AP is below 0.9.

What limits the figure, apart from time. A keypoint is one of 56 x 56 cells of its object's box, so of a person of 400
px the place is known to 7 px, and at OKS .95 an eye may be off by 0.016 times the root of the area. A keypoint
outside the box cannot be found at all, and COCO's boxes end where a person is covered, while the hidden knees are
labelled below (5 of 17 keypoints of one person in those 8 pictures). And people of a few cells of the finest map
(stride 4) are hard to tell apart: the working size must leave the smallest about 12 x 30 px.
"""

from __future__ import annotations

import argparse
import json
import resource
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from maskrcnn.config import parse_settings
from maskrcnn.runs.request import TrainingRequest

TARGET = 0.9

SETTINGS = (
    *("image_min_dim=256", "image_max_dim=320", "rpn_anchor_scales=16,32,64,128,256"),
    *("fpn_channels=64", "keypoint_head_width=64"),
    *("flip=0", "scale_jitter=0", "colour_jitter=0", "weight_decay=0"),
    *("batch_size=2", "learning_rate=0.001", "steps_per_epoch=60", "detection_max_instances=30"),
)
"""What differs from the preset `classroom`: a small picture and a narrow network that a CPU trains in minutes, anchors
for people of 16 px, and nothing random about the pictures."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("annotations", type=Path, help="a COCO keypoints file")
    parser.add_argument("--pictures", type=int, default=8, help="how many to learn (8)")
    parser.add_argument("--epochs", type=int, default=10, help="epochs of 60 steps (10)")
    parser.add_argument("--minutes", type=float, help="time to learn them in instead")
    parser.add_argument("--backbone", default="mobilenet_v2_fpn")
    parser.add_argument("--backbone-weights", default="none", help="what the body knows at the start (none)")
    parser.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE", help="change any other field")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="leave the run and the report there")
    args = parser.parse_args()

    with tempfile.TemporaryDirectory() as temporary:
        folder = args.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        labels = folder / "labels.json"
        document = first_with_keypoints(json.loads(args.annotations.read_text(encoding="utf-8")), args.pictures)
        labels.write_text(json.dumps(document), encoding="utf-8")
        pictures = next(args.annotations.parent.parent.rglob(document["images"][0]["file_name"])).parent
        source = ["--data", str(labels), "--images", str(pictures)]

        length = {"minutes": args.minutes} if args.minutes else {"epochs": args.epochs}
        fields = {"tasks": ("box", "keypoints"), "backbone": args.backbone, **length}
        request = TrainingRequest(
            data=labels,
            images=pictures,
            backbone_weights=args.backbone_weights,
            changed={**parse_settings([*SETTINGS, *args.set]), **fields},
        )
        began = time.perf_counter()
        studio(["train", "--out", str(folder / "run"), *request.to_argv()])
        seconds, worked = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        report = folder / "report.json"
        studio(["evaluate", str(folder / "run"), *source, "--out", str(report)])
        found = json.loads(report.read_text(encoding="utf-8"))

    people = sum(1 for annotation in document["annotations"] if annotation.get("num_keypoints"))
    ap = found["keypoints"]["AP"]
    print(f"OKS AP {ap:.3f} (target {TARGET}) on {people} people of {args.pictures} pictures")
    print(f"training took {seconds:.0f} s, {worked:.0f} s of processor time")
    return 0 if ap >= TARGET else 1


def first_with_keypoints(document: dict[str, Any], pictures: int) -> dict[str, Any]:
    """The first pictures of a COCO document that have an object with labelled keypoints, and all of their objects."""
    posed = {entry["image_id"] for entry in document["annotations"] if entry.get("num_keypoints")}
    images = [image for image in document["images"] if image["id"] in posed][:pictures]
    chosen = {image["id"] for image in images}
    annotations = [entry for entry in document["annotations"] if entry["image_id"] in chosen]
    return {"images": images, "annotations": annotations, "categories": document["categories"]}


def studio(words: list[str]) -> None:
    """Run a command of the studio and show it; its error ends the benchmark."""
    print(f"$ python -m maskrcnn {shlex.join(words)}", flush=True)
    if code := subprocess.run([sys.executable, "-m", "maskrcnn", *words], check=False).returncode:
        sys.exit(code)


if __name__ == "__main__":
    sys.exit(main())
