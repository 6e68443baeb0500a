"""Many large pictures from the command line, beside a plain loop with torchvision: speed, masks, memory, and resuming.

    python benchmarks/predict_many.py [--pictures 500] [--threads 2] [--overlays]
    python benchmarks/predict_many.py --model RUN

Draws JPEG pictures of 12 megapixels (pictures of the toy world, scaled up, with noise as of a camera) into a temporary
folder. `python -m maskrcnn predict` predicts them, in the precision of the command line (auto) and in float32. The peer
is torchvision's own `MaskRCNN` with the same weights in float32 and a loop as in its tutorials: `decode_image`, a float
tensor, `model([picture])` in eval and inference mode, masks > 0.5, COCO's run lengths, one JSON at the end. Both have
the same number of threads, and both times go from the first picture to the file. With --overlays, both also draw each
picture: the peer with `draw_segmentation_masks`, `draw_bounding_boxes` and `write_png`.

The network is the `classroom` preset with random weights, the norms set to the statistics of a picture and the last
layers scaled, so that scores, boxes and masks vary as those of a trained one; at most 20 detections. Its pooling is
`align-legacy`, which is torchvision's. With --model it is a trained run, and its own pooling is put into the peer.

Same masks: torchvision resizes by sampling single pixels, where we average them, so in the loop above the two do not
see the same pixels. For the comparison of masks the peer's network therefore gets the picture that we have resized, and
its boxes and soft masks are pasted into the large picture by torchvision's `paste_masks_in_image`. It rounds boxes to
whole pixels: where ours and the peer's differ by a hundredth of a pixel but are rounded differently, a mask moves by a
pixel, which is much of a mask of few pixels and nothing of a large one. So the IoU that is judged is that of the pixels
of all masks. (A network with another pooling than `align-legacy` is pasted exactly by us, so its outlines differ by up
to a pixel.)

Then a run is stopped by SIGINT after a third of the pictures, and given again. Prints figures with targets, and exits
with 1 if one is missed. With few pictures the start weighs more, and the times of a busy machine say little.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from inference import make_lifelike

WIDTH, HEIGHT = 4000, 3000
DETECTIONS = 20
TARGETS = {"ratio": 1.5, "iou": 0.999, "memory": 1.1}
"""The least ratio of pictures per second, the least IoU over the pixels of all masks, the largest growth of memory."""

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pictures", type=int, default=500, metavar="N", help="how many pictures (500)")
    parser.add_argument("--peer-pictures", type=int, metavar="N", help="how many of them for the peer (all)")
    parser.add_argument("--threads", type=int, default=2, help="of each of the two (2)")
    parser.add_argument("--model", metavar="RUN", help="a trained network in place of random weights")
    parser.add_argument("--overlays", action="store_true", help="both also draw the pictures")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the figures to a file as well")
    parser.add_argument("--peer", nargs=3, help=argparse.SUPPRESS)
    args = parser.parse_args()
    sys.path.insert(0, str(ROOT))  # the engine need not be installed
    if args.peer:
        peer_loop(*args.peer, args.overlays)
        return 0
    with tempfile.TemporaryDirectory(prefix="maskrcnn-benchmark-") as folder:
        figures = measure(Path(folder), args)
    missed = report(figures)
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1))
    if missed:
        print(f"\nmissed: {', '.join(missed)}")
    return 1 if missed else 0


# Pictures and networks


def draw_pictures(folder: Path, count: int) -> None:
    """JPEG pictures of 12 megapixels."""
    import cv2
    import numpy as np

    from maskrcnn.toys.worlds import WORLDS

    random = np.random.default_rng(0)
    noise = cv2.resize(random.normal(0, 5, (HEIGHT // 2, WIDTH // 2, 3)).astype(np.float32), (WIDTH, HEIGHT))
    noise = np.rint(noise).astype(np.int16)
    folder.mkdir()
    for number in range(count):
        small = WORLDS["shapes"].draw(7, number)[0]
        side = min(small.shape[0] * WIDTH // HEIGHT, small.shape[1])
        small = small[: side * HEIGHT // WIDTH, :side]
        large = cv2.resize(small, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
        shift = tuple(int(step) for step in random.integers(0, 1000, 2))
        picture = np.clip(large + np.roll(noise, shift, axis=(0, 1)), 0, 255).astype(np.uint8)
        cv2.imwrite(str(folder / f"{number:04d}.jpg"), picture[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])


def make_network(path: Path, example: Path) -> None:
    """A checkpoint of the `classroom` preset with random weights that behave as trained ones."""
    import torch
    from torchvision.models.mobilenetv2 import InvertedResidual

    from maskrcnn.annotations import pictures
    from maskrcnn.config import Config
    from maskrcnn.model import build
    from maskrcnn.model.detect import network_picture
    from maskrcnn.model.weights import save

    torch.manual_seed(0)
    config = Config.preset(
        *("classroom",),
        num_classes=7,
        class_names=tuple("abcdef"),
        pooling="align-legacy",
        detection_max_instances=DETECTIONS,
    )
    model = build(config)
    for block in model.modules():
        if isinstance(block, InvertedResidual) and block.use_res_connect:
            block.conv[-1].weight.fill_(0.25)  # a quarter of what comes in, or rounding would grow from block to block
    make_lifelike(model, network_picture(model, pictures.load(example)))
    save(model, path, 1)


def peer_network(weights: str) -> Any:
    """torchvision's `MaskRCNN` with the weights of a checkpoint."""
    from torchvision.models.detection import MaskRCNN
    from torchvision.ops import MultiScaleRoIAlign

    from maskrcnn.model.weights import load

    ours = load(weights)
    config, heads = ours.config, ours.roi_heads
    box_pool, mask_pool = heads.box_roi_pool, heads.mask_roi_pool
    if config.pooling == "align-legacy":
        levels = [str(number) for number in range(len(config.backbone_strides) - 1)]
        box_pool = MultiScaleRoIAlign(levels, config.pool_size, config.sampling_ratio)
        mask_pool = MultiScaleRoIAlign(levels, config.mask_pool_size, config.sampling_ratio)
    return MaskRCNN(
        ours.backbone,
        rpn_anchor_generator=ours.rpn.anchor_generator,
        rpn_head=ours.rpn.head,
        rpn_pre_nms_top_n_test=config.pre_nms_limit,
        rpn_post_nms_top_n_test=config.post_nms_rois_inference,
        rpn_nms_thresh=config.rpn_nms_threshold,
        rpn_score_thresh=config.rpn_min_score,
        box_roi_pool=box_pool,
        box_head=heads.box_head,
        box_predictor=heads.box_predictor,
        box_score_thresh=config.detection_min_confidence,
        box_nms_thresh=config.detection_nms_threshold,
        box_detections_per_img=config.detection_max_instances,
        bbox_reg_weights=tuple(1 / std for std in config.bbox_std_dev),
        mask_roi_pool=mask_pool,
        mask_head=heads.mask_head,
        mask_predictor=heads.mask_predictor,
        min_size=config.image_min_dim,
        max_size=config.image_max_dim,
        image_mean=list(config.mean_pixel),
        image_std=list(config.std_pixel),
    ).eval()


def peer_loop(weights: str, folder: str, out: str, overlays: bool) -> None:
    """The plain loop. Prints a line when it begins and after each picture."""
    import numpy as np
    import torch
    from pycocotools import mask as coco_mask
    from torchvision.io import decode_image, write_png
    from torchvision.utils import draw_bounding_boxes, draw_segmentation_masks

    model = peer_network(weights)
    entries = []
    print("begins", flush=True)
    for path in sorted(Path(folder).glob("*.jpg")):
        picture = decode_image(str(path), "RGB")
        with torch.inference_mode():
            (answer,) = model([picture / 255])
        cut = answer["masks"][:, 0] > 0.5
        codes = [coco_mask.encode(np.asfortranarray(bitmap)) for bitmap in cut.numpy().astype(np.uint8)]
        for code, box, score, label in zip(codes, answer["boxes"], answer["scores"], answer["labels"], strict=True):
            code["counts"] = code["counts"].decode()
            about = {"file_name": path.name, "bbox": box.tolist(), "score": score.item(), "category_id": label.item()}
            entries.append({**about, "segmentation": code})
        if overlays:
            shown = answer["scores"] >= 0.5
            drawn = draw_segmentation_masks(picture, cut[shown], alpha=0.35) if shown.any() else picture
            drawn = draw_bounding_boxes(drawn, answer["boxes"][shown], width=12) if shown.any() else drawn
            write_png(drawn, str(Path(out) / f"{path.stem}.png"))
        print(path.name, flush=True)
    (Path(out) / "detections.json").write_text(json.dumps(entries))


# Measuring


def measure(folder: Path, args: argparse.Namespace) -> dict[str, Any]:
    photos, weights = folder / "photos", args.model or str(folder / "classroom.safetensors")
    start = time.perf_counter()
    draw_pictures(photos, args.pictures)
    size = sum(path.stat().st_size for path in photos.iterdir()) / args.pictures / 1e6
    print(
        f"{args.pictures} pictures of {WIDTH} x {HEIGHT} px, {size:.1f} MB each, in {time.perf_counter() - start:.0f} s"
    )
    if not args.model:
        make_network(Path(weights), photos / "0000.jpg")
    figures: dict[str, Any] = {"pictures": args.pictures, "threads": args.threads, "runs": {}}
    write = "overlays" if args.overlays else ""
    for precision in ("auto", "float32"):
        command = [*predict_command(weights, photos, folder / precision), "--precision", precision, "--write", write]
        figures["runs"][f"predict, {precision}"] = timed(command, args.pictures, args.threads)
    figures["agreement"] = agreement(weights, photos, folder / "float32" / "detections.json")
    shown = photos
    if args.peer_pictures:
        shown = folder / "some"
        shown.mkdir()
        for path in sorted(photos.iterdir())[: args.peer_pictures]:
            os.link(path, shown / path.name)
    (folder / "peer").mkdir()
    command = [sys.executable, __file__, "--peer", weights, str(shown), str(folder / "peer")]
    command += ["--overlays"] if args.overlays else []
    peer_pictures = min(args.pictures, args.peer_pictures or args.pictures)
    figures["runs"]["torchvision"] = timed(command, peer_pictures, args.threads)
    figures["resumed"] = stopped_and_resumed(predict_command(weights, photos, folder / "stopped"), args)
    return figures


def predict_command(weights: str, photos: Path, out: Path) -> list[str]:
    return [sys.executable, "-m", "maskrcnn", "predict", weights, str(photos), "--out", str(out), "--device", "cpu"]


def environment(threads: int) -> dict[str, str]:
    return os.environ | {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads), "PYTHONUNBUFFERED": "1"}


def timed(command: list[str], count: int, threads: int) -> dict[str, Any]:
    """Pictures per second from the line that a process prints before its first picture to its end, and its memory."""
    import psutil

    process = subprocess.Popen(command, cwd=ROOT, env=environment(threads), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    watched, memory, start = psutil.Process(process.pid), [], 0.0
    for line in process.stdout:
        if not start:
            start = time.perf_counter()
        elif ".jpg" in line:
            memory.append(watched.memory_info().rss / 1e6)
    if process.wait():
        raise SystemExit(f"failed: {' '.join(command)}")
    seconds = time.perf_counter() - start
    early = memory[min(len(memory) - 1, max(4, len(memory) // 10)) :][:1] or [0.0]
    return {
        "per_second": count / seconds,
        "memory_early": early[0],
        "memory_late": memory[-1],
        "memory_most": max(memory),
    }


def agreement(weights: str, photos: Path, results: Path) -> dict[str, float]:
    """IoU of our masks with those of the peer that sees the same pixels, for the first pictures."""
    import numpy as np
    import torch
    from pycocotools import mask as coco_mask
    from torchvision.models.detection.roi_heads import paste_masks_in_image

    from maskrcnn.annotations import pictures
    from maskrcnn.model.resize import resize, to_tensor, working_size
    from maskrcnn.model.weights import load

    peer, config = peer_network(weights), load(weights).config
    heads = peer.roi_heads
    ours: dict[str, list[dict[str, Any]]] = {}
    for entry in json.loads(results.read_text()):
        ours.setdefault(entry["file_name"], []).append(entry)
    ious, differences, unmatched = [], [], 0
    common = union = 0.0
    for path in sorted(photos.glob("*.jpg"))[:10]:
        picture = pictures.load(path)
        height, width = picture.shape[:2]
        size = working_size(height, width, config)
        with torch.inference_mode():
            seen = to_tensor(resize(picture, size))
            batch, _ = peer.transform([seen])
            maps = peer.backbone(batch.tensors)
            proposals, _ = peer.rpn(batch, maps)
            (answer,), _ = heads(maps, proposals, batch.image_sizes)
            boxes = answer["boxes"] * torch.tensor([width / size[1], height / size[0]] * 2)
            pasted = paste_masks_in_image(answer["masks"], boxes, (height, width))[:, 0] > 0.5
        codes = [coco_mask.encode(np.asfortranarray(bitmap)) for bitmap in pasted.numpy().astype(np.uint8)]
        found = ours.get(path.name, [])
        if not found or not codes:
            unmatched += len(found) + len(codes)
            continue
        theirs = boxes.numpy()
        own = np.array([[x, y, x + w, y + h] for x, y, w, h in (entry["bbox"] for entry in found)])
        distance = np.abs(own[:, None] - theirs[None]).max(axis=2)
        distance += 1e6 * (np.array([e["category_id"] for e in found])[:, None] != answer["labels"].numpy()[None])
        partner = distance.argmin(axis=1)
        overlap = coco_mask.iou([entry["segmentation"] for entry in found], codes, [0] * len(codes))
        for row, (column, entry) in enumerate(zip(partner.tolist(), found, strict=True)):
            if distance[row, column] > 1:
                unmatched += 1
                continue
            both = float(coco_mask.area(codes[column]) + coco_mask.area(entry["segmentation"]))
            ious.append(float(overlap[row, column]) if both else 1.0)
            shared = both * overlap[row, column] / (1 + overlap[row, column])
            common, union = common + shared, union + both - shared
            differences.append(float(distance[row, column]))
    return {
        "masks": len(ious),
        "unmatched": unmatched,
        "pooled_iou": float(common / union),
        "mean_iou": float(np.mean(ious)),
        "min_iou": float(min(ious)),
        "box": max(differences),
    }


def stopped_and_resumed(command: list[str], args: argparse.Namespace) -> dict[str, int]:
    """Stop a run by SIGINT after a third of its pictures, give it again, and count what was done twice."""
    out = Path(command[command.index("--out") + 1])
    command = [*command, "--write", ""]
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment(args.threads), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    lines = 0
    for line in process.stdout:
        lines += ".jpg" in line
        if lines == max(1, args.pictures // 3) and ".jpg" in line:
            process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    print(process.stderr.read().strip())
    status = process.wait()
    first = journal_keys(out)
    subprocess.run(command, cwd=ROOT, env=environment(args.threads), check=True, stdout=subprocess.DEVNULL)
    keys = journal_keys(out)
    return {
        "status": status,
        "before": len(first),
        "after": len(set(keys)),
        "twice": sum(number - 1 for number in Counter(keys).values()),
    }


def journal_keys(out: Path) -> list[str]:
    with (out / "journal.jsonl").open() as file:
        return [entry["key"] for entry in map(json.loads, file) if "key" in entry]


# Report


def report(figures: dict[str, Any]) -> list[str]:
    """Print the figures. Returns what missed its target."""
    missed = []
    peer = figures["runs"]["torchvision"]["per_second"]
    print(f"\n{figures['threads']} threads each, load {os.getloadavg()[0]:.1f}")
    print(f"{'':20}{'pictures/s':>12}{'ratio':>8}{'MB early':>10}{'MB at end':>10}{'MB most':>10}")
    for who, run in figures["runs"].items():
        ratio = run["per_second"] / peer
        memory = f"{run['memory_early']:10.0f}{run['memory_late']:10.0f}{run['memory_most']:10.0f}"
        print(f"{who:20}{run['per_second']:12.2f}{ratio:8.2f}{memory}")
        if who != "torchvision" and ratio < TARGETS["ratio"]:
            missed.append(f"ratio of {who} {ratio:.2f}, at least {TARGETS['ratio']}")
        growth = run["memory_late"] / run["memory_early"]
        if who != "torchvision" and figures["pictures"] >= 100 and growth > TARGETS["memory"]:
            missed.append(f"memory of {who} grew to {growth:.2f}, at most {TARGETS['memory']}")
    close = figures["agreement"]
    print(
        f"\nfloat32 beside torchvision on the same pixels: {close['masks']} masks, IoU of all their pixels "
        f"{close['pooled_iou']:.6f}, mean of masks {close['mean_iou']:.6f}, min {close['min_iou']:.6f}; "
        f"boxes within {close['box']:.2g} px; {close['unmatched']} without a partner"
    )
    if close["pooled_iou"] < TARGETS["iou"] or close["unmatched"]:
        missed.append(f"IoU of masks {close['pooled_iou']:.6f}, at least {TARGETS['iou']}")
    resumed = figures["resumed"]
    print(
        f"stopped by SIGINT with {resumed['before']} done (status {resumed['status']}), resumed to {resumed['after']}; "
        f"done twice: {resumed['twice']}"
    )
    if (resumed["status"], resumed["after"], resumed["twice"]) != (130, figures["pictures"], 0):
        missed.append("stopping and resuming")
    return missed


if __name__ == "__main__":
    sys.exit(main())
