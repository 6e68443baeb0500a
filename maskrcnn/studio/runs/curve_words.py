"""The names, explanations and colours of curves, and the texts under them, the same on all pages."""

from __future__ import annotations

from dataclasses import dataclass

from maskrcnn.runs.metric_rows import MetricRows
from maskrcnn.words import counted

LOSS_COLOURS: dict[str, str] = {
    "loss": "#7b8398",
    "rpn_class_loss": "#0f9d92",
    "rpn_bbox_loss": "#5a9e3a",
    "mrcnn_class_loss": "#d1495b",
    "mrcnn_bbox_loss": "#b5772b",
    "mrcnn_mask_loss": "#c2459c",
    "mrcnn_keypoint_loss": "#3d85e8",
}
"""The colour of each loss. All have at least 3:1 contrast on both backgrounds, and none is the accent colour."""

LOSS_TITLES: dict[str, str] = {
    "loss": "loss",
    "rpn_class_loss": "rpn class",
    "rpn_bbox_loss": "rpn bbox",
    "mrcnn_class_loss": "mrcnn class",
    "mrcnn_bbox_loss": "mrcnn bbox",
    "mrcnn_mask_loss": "mrcnn mask",
    "mrcnn_keypoint_loss": "keypoint",
}

LOSS_MEANINGS: dict[str, str] = {
    "rpn_class_loss": "Are there objects under the anchors? (cross entropy)",
    "rpn_bbox_loss": "How far are the proposals from their objects? (smooth L1)",
    "mrcnn_class_loss": "Is the class of each proposal right? (cross entropy)",
    "mrcnn_bbox_loss": "How far are the refined boxes from their objects? (smooth L1)",
    "mrcnn_mask_loss": "Is each pixel of the mask right? (cross entropy: of yes and no, or of classes with softmax)",
    "mrcnn_keypoint_loss": "Is each keypoint in the right cell of its heatmap? (cross entropy over all cells)",
}

AP_LINES: dict[str, tuple[str, str, str]] = {
    "segm_ap": ("mask AP", LOSS_COLOURS["mrcnn_mask_loss"], "circle"),
    "bbox_ap": ("box AP", LOSS_COLOURS["mrcnn_bbox_loss"], "square"),
    "keypoints_ap": ("keypoint AP", LOSS_COLOURS["mrcnn_keypoint_loss"], "triangle-up"),
}
"""Field of an epoch row -> name, colour and point shape of its line."""

AP_NAMES: dict[str, str] = {
    "segm_ap": "mask AP",
    "segm_ap50": "mask AP50",
    "segm_ap75": "mask AP75",
    "bbox_ap": "box AP",
    "bbox_ap50": "box AP50",
    "keypoints_ap": "keypoint AP",
    "keypoints_ap50": "keypoint AP50",
}

AP_MEANING = (
    "COCO average precision, the mean over IoU .50, .55, ..., .95 and over the classes, on all validation pictures: of "
    "masks, of boxes, and of keypoints, where OKS (how close they are for the object's size) stands in place of IoU. "
    "The table of epochs also holds AP50 and AP75, at one threshold each."
)

RUN_COLOURS: tuple[str, ...] = ("#2f7fd6", "#d9622b", "#1d9a6c", "#a8468f", "#8a7a1f", "#6f7f8f")
"""The colours of compared runs. All have at least 3:1 contrast on both backgrounds. See also `RUN_SHAPES`."""

RUN_SHAPES: tuple[str, ...] = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down")


@dataclass(frozen=True)
class Gauge:
    """A chart of the speed, memory use or sampling of a training. `lines` are (field of the step rows, name, colour).

    Values are multiplied by `factor`. `end` is the fixed end of the y axis, None: automatic. Values that are not
    `noisy` are not smoothed.
    """

    title: str
    meaning: str
    lines: tuple[tuple[str, str, str], ...]
    factor: float = 1.0
    end: float | None = None
    noisy: bool = True


_FIRST, _SECOND = "#2f7fd6", "#b5772b"

GAUGES: tuple[Gauge, ...] = (
    Gauge(
        "learning rate",
        "The peak of the config times warm-up, cosine and the stage's factor.",
        (("learning_rate", "learning rate", _FIRST),),
        noisy=False,
    ),
    Gauge(
        "images per second",
        "Pictures learned from, divided by the seconds of the step; validations do not count.",
        (("images_per_second", "images per second", _FIRST),),
    ),
    Gauge(
        "waiting, %",
        "Share of the time in which the network waited for pictures. Much more than 10: give it more loader_threads, "
        "or a larger picture_cache_mb.",
        (("waiting", "waiting", _FIRST),),
        factor=100,
        end=100,
    ),
    Gauge(
        "memory, GB",
        "Of the graphics card where one computes, else of the process. A GB is 1,000,000,000 bytes.",
        (("memory_mb", "memory", _FIRST),),
        factor=2**20 / 1e9,  # the rows count in 2**20 bytes
        noisy=False,
    ),
    Gauge(
        "processor and GPU, %",
        "How busy all processor cores were with this training, and the graphics card, where there is one that tells.",
        (("processor_percent", "processor", _FIRST), ("gpu_percent", "GPU", _SECOND)),
        end=100,
    ),
    Gauge(
        "gradient norm",
        "Length of the gradient before it was clipped to gradient_clip_norm.",
        (("gradient_norm", "gradient norm", _FIRST),),
    ),
    Gauge(
        "anchors sampled",
        "For each picture: anchors that the RPN losses were computed on. Positives lie on an object.",
        (("rpn_positives", "positive", _FIRST), ("rpn_negatives", "negative", _SECOND)),
    ),
    Gauge(
        "proposals sampled",
        "For each picture: proposals that the heads learned from. Positives lie on an object; no positives, no masks.",
        (("roi_positives", "positive", _FIRST), ("roi_negatives", "negative", _SECOND)),
    ),
)
"""The gauges in the order on the page. A gauge without recorded values is not shown."""


def drawn_steps_words(rows: MetricRows, drawn: int) -> str:
    """A text about how many steps of a run its curves show (`drawn`).

    It is like `all 120 steps`, `157 of 5,000 steps`, or `151 of the 300 steps that were kept of 3,000`.
    """
    made, kept = rows.last["step"] if rows.last else 0, len(rows)
    if not kept:
        return f"none, as no step was kept of {made:,}" if made else "none yet"
    if kept < made:
        if kept == 1:
            return f"the 1 step that was kept of {made:,}"
        of_kept = f"all {kept:,}" if drawn == kept else f"{drawn:,} of the {kept:,}"
        return f"{of_kept} steps that were kept of {made:,}"
    return f"all {counted(kept, 'step')}" if drawn == kept else f"{drawn:,} of {counted(kept, 'step')}"


def small_charts_words(is_thinned: bool) -> str:
    """A text that curves in small charts show only every second of these steps; empty unless `is_thinned`."""
    return ", every 2nd of them in the small charts" if is_thinned else ""
