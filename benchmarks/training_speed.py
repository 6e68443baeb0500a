"""Images per second while training: by preset and by what learns, without each speed-up in turn, and where a step goes.

    python benchmarks/training_speed.py [--data DATASET] [--weights FILE] [--steps 4] [--json OUT]

**By preset**: `classroom` in its own batches; `standard` and `torchvision` in batches of one picture and half as many
steps, as a processor is slow with them. The body learns not at all (heads), from stage 3 on, or whole (all).

**Without each speed-up**: `classroom` as it is, and the same with one thing taken away, which the trainer itself does
only where the config says so, or never. All go through the same batches with the same random draws, in turn; ratios,
by the clock and by what all cores did together, are medians over steps. Under it what is paid once per picture, or once
per validation.

**A step**: where its time goes, in `classroom`.

The networks are not trained, but cost what trained ones do: their norms have the statistics of a picture (with
`--weights`, MobileNetV2 in torchvision's names, the body is a real one), and the RPN is given 18 boxes around each
object beside what it proposes, so that as many RoIs are positive as after some epochs. DATASET is anything that can be
trained on, the sample project if none is given; only its first pictures are used. Timed are whole steps of the
trainer: waiting for the pictures, losses, gradients, optimiser. Pictures have been read once before, except where that
is what is taken away.

Prints tables; the exit status is that of an error only, since what is fast enough is judged by `finetune.py`.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import torch
from torch import Tensor, nn
from torchvision.models.detection.rpn import RegionProposalNetwork
from torchvision.ops import FrozenBatchNorm2d

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from maskrcnn.annotations import pictures
from maskrcnn.annotations.polygon_outline import stacked_outlines
from maskrcnn.config import Config
from maskrcnn.errors import StudioError
from maskrcnn.model import build, detect, prepare, weights
from maskrcnn.model.build import StudioRCNN
from maskrcnn.model.mixed_precision import supports_bfloat16
from maskrcnn.model.resize import resize, to_tensor, working_size
from maskrcnn.runs.folder import RunFolder
from maskrcnn.runs.request import config_with_labels
from maskrcnn.runs.training_documents import training_documents
from maskrcnn.training import training_speedups
from maskrcnn.training.batch_loader import BatchLoader, loader_threads
from maskrcnn.training.distributed import Team
from maskrcnn.training.hardware import seed_everything
from maskrcnn.training.labelled_samples import LabelledSamples, Target
from maskrcnn.training.loop import step
from maskrcnn.training.optimiser import make_optimiser

ROOT = Path(__file__).resolve().parent.parent
CPU = torch.device("cpu")
STAGES = ("heads", "3+", "all")
PRESETS: dict[str, dict[str, Any]] = {"classroom": {}, "standard": {"batch_size": 1}, "torchvision": {"batch_size": 1}}
"""Preset -> what is changed of it to be measured."""

PICTURES = 24
"""How many pictures of the set are used."""


@dataclass(frozen=True)
class Variant:
    """`classroom` with something taken away: `fields` of the config, and what no config can say."""

    words: str
    fields: tuple[tuple[str, Any], ...] = ()
    channels_last: bool = True
    folded_norms: bool = True
    sampled_rpn: bool = True
    bitmaps: bool = False


FULL = Variant("as it is")
VARIANTS = (
    Variant("float32 convolutions (precision=float32)", (("precision", "float32"),)),
    Variant("channels of a cell apart (no channels_last)", channels_last=False),
    Variant("frozen norms computed as such (not folded)", folded_norms=False),
    Variant("RPN's gradient at all cells, not the sampled ones", sampled_rpn=False),
    Variant("masks as bitmaps of the picture, no outlines", bitmaps=True),
    Variant("pictures decoded anew (picture_cache_mb=0)", (("picture_cache_mb", 0),)),
    Variant("no reading ahead (loader_threads=0)", (("loader_threads", 0),)),
    Variant(
        "neither of these two",
        (("picture_cache_mb", 0), ("loader_threads", 0)),
    ),
    Variant(
        "nothing of all this",
        (("precision", "float32"), ("picture_cache_mb", 0), ("loader_threads", 0)),
        channels_last=False,
        folded_norms=False,
        sampled_rpn=False,
        bitmaps=True,
    ),
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, default=ROOT / "data" / "shapes" / "train", help="pictures with labels")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="MobileNetV2 in torchvision's names")
    parser.add_argument("--steps", type=int, default=4, help="timed steps of each of two rounds (4)")
    parser.add_argument("--only", choices=("presets", "speed-ups", "profile"), help="one of the tables")
    parser.add_argument("--layers", default="3+", choices=STAGES, help="what learns in the last two tables (3+)")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the figures to a file as well")
    args = parser.parse_args()
    print(f"{os.cpu_count()} cores, {torch.get_num_threads()} threads, {load()}torch {torch.__version__}", flush=True)
    tables = {"presets": by_preset, "speed-ups": without_each, "profile": profile}
    figures: dict[str, Any] = {}
    try:
        with tempfile.TemporaryDirectory(prefix="maskrcnn-benchmark-") as folder:
            data = Material(args, RunFolder(folder))
            for name, table in tables.items():
                if args.only in (None, name):
                    figures[name] = table(data, args)
    except StudioError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1))
    return 0


def load() -> str:
    return f"load {os.getloadavg()[0]:.1f}, " if hasattr(os, "getloadavg") else ""


# What is measured


class Material:
    """The pictures, and networks for them."""

    def __init__(self, args: argparse.Namespace, run: RunFolder) -> None:
        self.run = run
        self.weights = args.weights
        self.documents = training_documents(args.data, None, None, run.path)
        document = self.documents["train"]
        images = document["images"][:PICTURES]
        chosen = {image["id"] for image in images}
        kept = [entry for entry in document["annotations"] if entry["image_id"] in chosen]
        self.document = {**document, "images": images, "annotations": kept}
        print(
            f"{len(images)} pictures of {args.data}, {len(kept) / len(images):.1f} objects each, "
            f"the first of {images[0]['width']} x {images[0]['height']} px",
            flush=True,
        )

    def config(self, preset: str, **fields: Any) -> Config:
        return config_with_labels(Config.preset(preset, **{**PRESETS[preset], **fields}), self.documents)

    def samples(self, config: Config, variant: Variant = FULL, read: bool = True) -> LabelledSamples:
        """The training pictures; `read` once already, as far as the config keeps them."""
        kind = WithBitmaps if variant.bitmaps else LabelledSamples
        samples = kind(self.document, self.run.picture_path, config, augment=True)
        if read and config.picture_cache_mb:
            for index in range(len(samples)):
                samples.read(index)
        return samples

    def network(self, config: Config, variant: Variant = FULL) -> StudioRCNN:
        """As `python -m maskrcnn train` makes it, with activations and proposals like those of a trained one."""
        seed_everything(config.seed)
        model = build(config)
        if self.weights and config.body == "mobilenet_v2":
            weights.load_body(model, str(self.weights))
        else:
            set_norms(model, self.run.picture_path(self.document["images"][0]))
        propose_well(model)
        model = training_speedups.moved_to_device(model, CPU)
        if not variant.sampled_rpn:
            model.rpn.__class__ = RegionProposalNetwork
        if not variant.channels_last:
            model = model.to(memory_format=torch.contiguous_format)
        return model


class WithBitmaps(LabelledSamples):
    """Targets as torchvision wants them: for each object a bitmap as large as the picture at its working size."""

    def sample(self, index: int, draw: Any) -> tuple[Tensor, Target]:
        picture, target = super().sample(index, draw)
        return picture, {**target, "masks": torch.from_numpy(stacked_outlines(target["masks"], *picture.shape[1:]))}


def set_norms(model: StudioRCNN, path: Path) -> None:
    """Fixed norms of random weights get the statistics of a picture, or its values would grow from block to block."""

    def set_norm(norm: Any, given: Any, result: Any) -> Tensor:
        norm.running_mean.copy_(given[0].mean((0, 2, 3)))
        norm.running_var.copy_(given[0].var((0, 2, 3)))
        return norm.forward(given[0])

    hooks = [norm.register_forward_hook(set_norm) for norm in model.modules() if isinstance(norm, FrozenBatchNorm2d)]
    picture = pictures.load(path)
    small = resize(picture, working_size(*picture.shape[:2], model.config))
    with torch.no_grad():
        model.backbone(model.transform.normalize(to_tensor(small))[None])
    for hook in hooks:
        hook.remove()


def propose_well(model: StudioRCNN) -> None:
    """Add 18 boxes around each object to the proposals: moved by up to a tenth of its side, a tenth larger, smaller."""
    moves = torch.tensor([(x, y, s) for x in (-0.1, 0, 0.1) for y in (-0.1, 0, 0.1) for s in (0.9, 1.1)])
    as_before = model.roi_heads.add_gt_proposals

    def add(proposals: list[Tensor], objects: list[Tensor]) -> list[Tensor]:
        near = []
        for boxes in objects:
            sides, centres = boxes[:, 2:] - boxes[:, :2], (boxes[:, 2:] + boxes[:, :2]) / 2
            centres = centres[:, None] + sides[:, None] * moves[:, :2]
            halves = sides[:, None] * moves[:, 2:] / 2
            near.append(torch.cat([centres - halves, centres + halves], dim=-1).reshape(-1, 4))
        return as_before([torch.cat(pair) for pair in zip(proposals, near, strict=True)], objects)

    model.roi_heads.add_gt_proposals = add


class Times(NamedTuple):
    """Seconds by the clock, and of all cores together: the latter hardly depend on what else the machine does."""

    clock: float
    processor: float


class Training:
    """Steps of the trainer on batches that the seed decides."""

    def __init__(self, model: StudioRCNN, samples: LabelledSamples, layers: str, variant: Variant = FULL) -> None:
        self.model, self.samples, self.variant = model, samples, variant
        model.set_layers(layers)
        model.train()
        self.optimiser = make_optimiser(model)

    def times(self, steps: int, first: int = 0) -> list[Times]:
        """Of each of `steps` steps from batch `first` on, after one that is not timed."""
        config = self.model.config
        times = []
        with contextlib.ExitStack() as stack:
            if not self.variant.folded_norms:
                stack.enter_context(
                    patch.object(
                        training_speedups, "temporarily_folded_norms", lambda network: contextlib.nullcontext()
                    )
                )
            stack.enter_context(training_speedups.prepared_for_training(self.model))
            threads = loader_threads(config, CPU)
            loader = stack.enter_context(BatchLoader(self.samples, config, first, threads=threads))
            for number in range(first, first + steps + 1):
                began, busy = time.perf_counter(), time.process_time()
                # At a hundredth of the rate: random weights would soon lead to losses that are not finite.
                step(self.model, self.optimiser, next(loader), config.learning_rate / 100, number, 1, Team())
                times.append(Times(time.perf_counter() - began, time.process_time() - busy))
        return times[1:]


# Tables


def by_preset(data: Material, args: argparse.Namespace) -> dict[str, Any]:
    """Images per second of each preset while each part learns."""
    print(f"\n{'images per second':22}{'pictures':>14}{'batch':>7}{''.join(f'{layers:>9}' for layers in STAGES)}")
    found: dict[str, Any] = {}
    for preset in PRESETS:
        config = data.config(preset)
        samples = data.samples(config)
        steps = args.steps if preset == "classroom" else max(1, args.steps // 2)
        found[preset] = {}
        for layers in STAGES:
            times = Training(data.network(config), samples, layers).times(steps)
            found[preset][layers] = config.batch_size / statistics.median(own.clock for own in times)
        size = f"{config.image_min_dim}/{config.image_max_dim}"
        cells = "".join(f"{value:9.2f}" for value in found[preset].values())
        print(f"{preset:22}{size:>14}{config.batch_size:7}{cells}", flush=True)
    return found


def without_each(data: Material, args: argparse.Namespace) -> dict[str, Any]:
    """`classroom` as it is and with each speed-up taken away."""
    trainings = {}
    for variant in (FULL, *VARIANTS):
        config = data.config("classroom", **dict(variant.fields))
        if variant.fields == (("precision", "float32"),) and not supports_bfloat16(CPU):
            continue  # it is that already
        trainings[variant] = Training(
            data.network(config, variant), data.samples(config, variant), args.layers, variant
        )
    times: dict[Variant, list[Times]] = {variant: [] for variant in trainings}
    for turn in range(2):
        for variant, training in trainings.items():
            times[variant] += training.times(args.steps, first=turn * (args.steps + 1))

    print(f"\n{f'classroom, {args.layers}':48}{'images/s':>10}{'time x':>8}{'processor x':>13}")
    batch = data.config("classroom").batch_size
    found: dict[str, Any] = {}
    for variant, own in times.items():
        pace = batch / statistics.median(mine.clock for mine in own)
        pairs = list(zip(own, times[FULL], strict=True))
        ratio = statistics.median(mine.clock / full.clock for mine, full in pairs)
        work = statistics.median(mine.processor / full.processor for mine, full in pairs)
        found[variant.words] = {"images_per_second": pace, "time": ratio, "processor": work}
        words = variant.words if variant is FULL else f"  {variant.words}"
        print(f"{words:48}{pace:10.2f}{ratio:8.2f}{work:13.2f}")
    return {"steps": found, "pictures": per_picture(data)}


def per_picture(data: Material) -> dict[str, Any]:
    """Reading a picture for the first time, and detecting on it after an epoch: as it is, and without the speed-up."""
    config = data.config("classroom")
    model = data.network(config).eval()
    some = data.document["images"][:4]
    places = [data.run.picture_path(image) for image in some]
    samples = data.samples(config, read=False)
    loaded = [pictures.load(place) for place in places]
    ready = prepare(model)

    def as_it_trains() -> None:
        with training_speedups.prepared_for_training(model):
            for picture in loaded:
                detect(model, picture)

    def whole(place: Path) -> None:
        picture = pictures.load(place)
        resize(picture, working_size(*picture.shape[:2], config, 1 + config.scale_jitter))

    rows = {
        "read for the first time": [lambda: [samples.read(index) for index in range(len(some))]],
        "  the whole JPEG decoded": [lambda: [whole(place) for place in places]],
        "detect, to validate": [lambda: [detect(ready, picture) for picture in loaded]],
        "  by the network as it trains": [as_it_trains],
    }
    print(f"\n{'a picture, seconds':48}{'':10}{'time x':>8}")
    found: dict[str, Any] = {}
    before = 0.0
    for words, (action,) in rows.items():
        if "detect" in words or "network" in words:
            action()
        began = time.perf_counter()
        action()
        seconds = (time.perf_counter() - began) / len(some)
        before = before if words.startswith(" ") else seconds
        found[words.strip()] = seconds
        print(f"{words:48}{seconds:10.3f}{seconds / before:8.2f}")
    return found


PARTS = (
    "waiting for pictures",
    "body",
    "FPN",
    "RPN",
    "choice of RoIs",
    "RoI pooling",
    "box head",
    "mask head",
    "mask targets",
    "backward: mask head",
    "backward: box head",
    "backward: RoI pooling",
    "backward: RPN",
    "backward: FPN",
    "backward: body",
    "optimiser",
    "rest",
)


def profile(data: Material, args: argparse.Namespace) -> dict[str, float]:
    """Shares of a step of `classroom`."""
    config = data.config("classroom")
    model = data.network(config)
    training = Training(model, data.samples(config), args.layers)
    training.times(1)
    spent = dict.fromkeys(PARTS, 0.0)
    heads, backbone = model.roi_heads, model.backbone
    watched: list[tuple[Any, str, str]] = [
        (BatchLoader, "__next__", "waiting for pictures"),
        (backbone.body, "forward", "body"),
        (backbone.fpn, "forward", "FPN"),
        (model.rpn, "forward", "RPN"),
        (heads, "select_training_samples", "choice of RoIs"),
        (heads.box_roi_pool, "forward", "RoI pooling"),
        (heads.mask_roi_pool, "forward", "RoI pooling"),
        (heads.box_head, "forward", "box head"),
        (heads.box_predictor, "forward", "box head"),
        (heads.mask_head, "forward", "mask head"),
        (heads.mask_predictor, "forward", "mask head"),
        (heads, "mask_targets", "mask targets"),
        (nn.utils, "clip_grad_norm_", "optimiser"),
        (training.optimiser, "step", "optimiser"),
        (training.optimiser, "zero_grad", "optimiser"),
    ]
    with watching(watched, spent), watching_backward(model, spent):
        # The first step of these is not in `times`, but in `spent`: the whole is timed here instead.
        began = time.perf_counter()
        training.times(2 * args.steps, first=2)
        whole = time.perf_counter() - began
    spent["rest"] = max(0.0, whole - sum(spent.values()))
    steps = 2 * args.steps + 1
    print(f"\n{f'a step of classroom, {args.layers}':32}{'seconds':>10}{'share':>8}")
    for part, seconds in spent.items():
        print(f"{part:32}{seconds / steps:10.3f}{seconds / whole:8.0%}")
    print(f"{'together':32}{whole / steps:10.3f}")
    return {part: seconds / steps for part, seconds in spent.items()}


@contextlib.contextmanager
def watching(places: list[tuple[Any, str, str]], spent: dict[str, float]) -> Iterator[None]:
    """Add the seconds spent in each function to its part for a while."""
    before = [(owner, name, vars(owner).get(name)) for owner, name, _ in places]

    def timed(function: Callable[..., Any], part: str) -> Callable[..., Any]:
        def call(*args: Any, **more: Any) -> Any:
            began = time.perf_counter()
            try:
                return function(*args, **more)
            finally:
                spent[part] += time.perf_counter() - began

        return call

    for owner, name, part in places:
        setattr(owner, name, timed(getattr(owner, name), part))
    try:
        yield
    finally:
        for owner, name, function in before:
            delattr(owner, name) if function is None else setattr(owner, name, function)


@contextlib.contextmanager
def watching_backward(model: StudioRCNN, spent: dict[str, float]) -> Iterator[None]:
    """Split the time of `backward` by when the last gradient arrives at what each module gave.

    Autograd works through what was computed last first, so the parts come one after the other.
    """
    heads, backbone = model.roi_heads, model.backbone
    # In their order: a module, and the part that is over when the gradient of its result is known.
    marks = [
        (heads.mask_roi_pool, "backward: mask head"),
        (heads.box_predictor, "backward: RoI pooling"),
        (heads.box_roi_pool, "backward: box head"),
        (model.rpn.head, "backward: RoI pooling"),
        (backbone.fpn, "backward: RPN"),
        (backbone.body, "backward: FPN"),
    ]
    arrived: dict[nn.Module, float] = {}

    def mark(module: nn.Module, given: Any, result: Any) -> None:
        def note(gradient: Tensor) -> None:
            arrived[module] = time.perf_counter()

        for value in tensors_in(result):
            if value.requires_grad:
                value.register_hook(note)

    hooks = [module.register_forward_hook(mark) for module, _ in marks]
    backward = Tensor.backward

    def timed(loss: Tensor, *args: Any, **more: Any) -> None:
        arrived.clear()
        since = time.perf_counter()
        backward(loss, *args, **more)
        ended = time.perf_counter()
        for module, part in marks:
            until = max(since, arrived.get(module, since))
            spent[part] += until - since
            since = until
        spent["backward: body"] += ended - since

    Tensor.backward = timed  # type: ignore[method-assign]
    try:
        yield
    finally:
        Tensor.backward = backward  # type: ignore[method-assign]
        for hook in hooks:
            hook.remove()


def tensors_in(result: Any) -> list[Tensor]:
    """The tensors of what a module gave: one, or several in lists, tuples and dicts."""
    if isinstance(result, Tensor):
        return [result]
    parts = result.values() if isinstance(result, dict) else result
    return [tensor for part in parts for tensor in tensors_in(part)]


if __name__ == "__main__":
    sys.exit(main())
