"""Everything that a network could find in one picture, before its last filters, so that these can be changed at once.

`find_candidates` runs the network once. `Candidates.select` then repeats its last filters (Ren et al. 2015, section
3.3; He et al. 2017, section 3.1) for any score, IoU of NMS, number of proposals, mask threshold and classes, without
the network. With the network's own values the result is that of `model.detect`.

Masks are computed for those boxes only that some choice of `NMS_STEPS` and `PROPOSAL_STEPS` keeps. For these values
`select` is exact. It needs no torch, and neither do `save` and `open`.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from maskrcnn.atomic_files import write_atomic
from maskrcnn.config import Config
from maskrcnn.errors import StudioError

if TYPE_CHECKING:
    from torch import Tensor

    from maskrcnn.model.build import StudioRCNN
    from maskrcnn.model.detect import BoxAnswers

NMS_STEPS: tuple[float, ...] = tuple(round(0.1 + 0.05 * step, 2) for step in range(15))  # 0.1, 0.15, ... 0.8
PROPOSAL_STEPS: tuple[int, ...] = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)
"""The IoUs of NMS and the numbers of proposals for which `select` is exact, beside the network's own."""

MOST = 400
"""Maximum number of candidates of a picture. Those with the lowest scores are left out."""

_MOST_BEFORE_NMS = 3000
"""Maximum number of boxes, of all classes, that NMS compares: those with the highest scores."""

_MOST_BYTES = 64_000_000
"""Maximum size of a file of candidates, unpacked."""


@dataclass(frozen=True)
class Selection:
    """What is shown of the candidates.

    `min_score`: lowest score. `nms_iou`: of two boxes of a class with a larger IoU, the one with the lower score is
    dropped. `mask_threshold`: probability from which a pixel belongs to the object. `proposals`: number of proposals
    that are used, those with the highest objectness. `most`: maximum number of detections. `classes`: class indices
    from 1; None for all.
    """

    min_score: float = 0.5
    nms_iou: float = 0.5
    mask_threshold: float = 0.5
    proposals: int = 1000
    most: int = 100
    classes: frozenset[int] | None = None

    @classmethod
    def of(cls, config: Config) -> Selection:
        """The values of a network: those with which `model.detect` works."""
        return cls(
            min_score=config.detection_min_confidence,
            nms_iou=config.detection_nms_threshold,
            proposals=config.post_nms_rois_inference,
            most=config.detection_max_instances,
        )


@dataclass(frozen=True)
class Candidates:
    """The candidates of a picture of `height` x `width` pixels (as displayed), best score first.

    `boxes`: float32 `(M, 4)`, xyxy in pixels of the picture. `labels`: int64 `(M,)`, class indices from 1. `scores`:
    float32 `(M,)`. `ranks`: int64 `(M,)`, the place of the proposal, 0 for the highest objectness. `masks`: float16
    `(M, S, S)` in [0, 1], the soft mask over the box. `keypoints`: float32 `(M, K, 3)`, x, y and 2, and
    `keypoint_scores` `(M, K)`. Masks and keypoints are None if the network has none. `legacy`: masks are pasted as
    torchvision does. `poses`: a detection has a pose score, its score times the mean of its keypoint scores.
    """

    height: int
    width: int
    boxes: np.ndarray
    labels: np.ndarray
    scores: np.ndarray
    ranks: np.ndarray
    masks: np.ndarray | None = None
    keypoints: np.ndarray | None = None
    keypoint_scores: np.ndarray | None = None
    legacy: bool = False
    poses: bool = False

    def kept(self, selection: Selection) -> np.ndarray:
        """The positions of the candidates that a selection keeps, int64 `(N,)`, best score first."""
        passed = (self.scores >= selection.min_score) & (self.ranks < selection.proposals)
        if selection.classes is not None:
            passed &= np.isin(self.labels, list(selection.classes))
        positions = np.flatnonzero(passed)
        survivors = nms(self.boxes[positions], self.labels[positions], selection.nms_iou, selection.most)
        return positions[survivors]

    def select(self, selection: Selection, image_id: int = 0) -> list[dict[str, Any]]:
        """The detections of a selection as COCO results, best first (see `model.detect`)."""
        from maskrcnn.model.mask_runs import encode_soft_mask

        found: list[dict[str, Any]] = []
        for position in self.kept(selection).tolist():
            x1, y1, x2, y2 = self.boxes[position].tolist()
            entry: dict[str, Any] = {
                "image_id": image_id,
                "category_id": int(self.labels[position]),
                "bbox": [x1, y1, x2 - x1, y2 - y1],
                "score": float(self.scores[position]),
            }
            if self.masks is not None:
                soft = self.masks[position].astype(np.float32)
                entry["segmentation"] = encode_soft_mask(
                    soft, self.boxes[position], self.height, self.width, self.legacy, selection.mask_threshold
                )
            if self.keypoints is not None and self.keypoint_scores is not None:
                scores = self.keypoint_scores[position].tolist()
                entry |= {"keypoints": self.keypoints[position].flatten().tolist(), "keypoint_scores": scores}
                if self.poses:
                    entry["pose_score"] = entry["score"] * sum(scores) / len(scores)
            found.append(entry)
        return found

    def _taken(self, rows: np.ndarray) -> Candidates:
        """Only the candidates at these positions, without masks and keypoints."""
        columns = {name: getattr(self, name)[rows] for name in ("boxes", "labels", "scores", "ranks")}
        return replace(self, **columns)

    # Files

    def save(self, path: Path) -> None:
        """Write the candidates into one `.npz` file, whole or not at all."""
        values = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        packed = io.BytesIO()
        np.savez_compressed(packed, **{name: value for name, value in values.items() if value is not None})
        write_atomic(path, packed.getvalue())

    @classmethod
    def open(cls, path: Path) -> Candidates:
        """Read the file that `save` wrote. Raises `StudioError` if it is missing, damaged or of another form.

        >>> from tempfile import mkdtemp
        >>> none = np.zeros(0, np.int64)
        >>> file = Path(mkdtemp()) / "a.npz"
        >>> Candidates(6, 8, np.zeros((0, 4), np.float32), none, np.zeros(0, np.float32), none).save(file)
        >>> Candidates.open(file).select(Selection())
        []
        """
        try:
            with zipfile.ZipFile(path) as packed:
                if sum(entry.file_size for entry in packed.infolist()) > _MOST_BYTES:
                    raise ValueError
            with np.load(path, allow_pickle=False) as stored:
                values = {entry.name: stored[entry.name] for entry in fields(cls) if entry.name in stored}
            found = cls(**{name: value.item() if value.ndim == 0 else value for name, value in values.items()})
            found._require_sound()
        except FileNotFoundError:
            raise StudioError(f"{path.name}: is not there any more; predict this picture again") from None
        except (OSError, ValueError, TypeError, KeyError, zipfile.BadZipFile, EOFError):
            raise StudioError(f"{path.name}: no file of candidates, or damaged; predict this picture again") from None
        return found

    def _require_sound(self) -> None:
        """Raise `ValueError` if an array has another shape, dtype or range than the others need."""
        count = len(self.scores)
        shapes = {"boxes": (count, 4), "labels": (count,), "scores": (count,), "ranks": (count,)}
        kinds = {"boxes": "f", "labels": "i", "scores": "f", "ranks": "i"}
        sound = all(getattr(self, name).shape == shape for name, shape in shapes.items())
        sound &= all(getattr(self, name).dtype.kind == kind for name, kind in kinds.items())
        for name, dimensions in (("masks", 3), ("keypoints", 3), ("keypoint_scores", 2)):
            value = getattr(self, name)
            if value is not None:
                sound &= value.ndim == dimensions and value.dtype.kind == "f" and len(value) == count
        sound &= (self.keypoints is None) == (self.keypoint_scores is None)
        sound &= all(isinstance(side, int) and 0 < side < 1 << 20 for side in (self.height, self.width))
        numbers = (self.boxes, self.scores, self.masks, self.keypoints, self.keypoint_scores)
        if not sound or not all(np.isfinite(value).all() for value in numbers if value is not None):
            raise ValueError
        if count and not (self.labels.min() >= 1 and self.ranks.min() >= 0):
            raise ValueError


def nms(boxes: np.ndarray, labels: np.ndarray, iou: float, most: int | None = None) -> np.ndarray:
    """The positions that greedy NMS within each class keeps, `(N,)`, at most `most`.

    `boxes (M, 4)` xyxy and `labels (M,)`, best score first. A box is dropped if its IoU with a kept box of its class is
    larger than `iou`. Boxes are compared in float32, as torchvision does.

    >>> nms(np.float32([[0, 0, 4, 4], [0, 0, 4, 3], [0, 0, 4, 1]]), np.array([1, 1, 1]), iou=0.5).tolist()
    [0, 2]
    """
    dropping = overlaps_within_classes(boxes, labels) > iou
    return _greedy(dropping, np.ones(len(boxes), bool), most)


def _greedy(dropping: np.ndarray, alive: np.ndarray, most: int | None = None) -> np.ndarray:
    """The positions that are kept if each kept one of those `alive (M,)` drops the later ones in its row `(M, M)`."""
    alive, kept = alive.copy(), list[int]()
    for position in np.flatnonzero(alive).tolist():
        if alive[position]:
            kept.append(position)
            if len(kept) == most:
                break
            alive &= ~dropping[position]
    return np.array(kept, np.int64)


def overlaps_within_classes(boxes: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The IoU of each box `(M, 4)` with each other of its class, `(M, M)` float32; 0 for others and empty boxes."""
    boxes = boxes.astype(np.float32)
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    low, high = np.maximum(boxes[:, None, :2], boxes[None, :, :2]), np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    sides = np.clip(high - low, 0, None)
    common = sides[..., 0] * sides[..., 1]
    union = areas[:, None] + areas[None, :] - common
    ious = np.divide(common, union, out=np.zeros_like(common), where=union > 0)
    return np.where(labels[:, None] == labels[None, :], ious, np.float32(0))


def find_candidates(model: StudioRCNN, picture: np.ndarray) -> Candidates:
    """Run a network on a uint8 `(H, W, 3)` RGB picture. The network must be in eval mode.

    >>> from maskrcnn.config import Config
    >>> from maskrcnn.model import build
    >>> network = build(Config.preset("classroom", detection_min_confidence=0.99))
    >>> find_candidates(network, np.zeros((64, 64, 3), np.uint8)).select(Selection())
    []
    """
    import torch

    from maskrcnn.model.detect import box_answers, masks_and_keypoints, network_picture
    from maskrcnn.model.mask_pasting import pastes_legacy

    config = model.config
    height, width = picture.shape[:2]
    with torch.inference_mode():
        answers = box_answers(model, network_picture(model, picture))
        boxes, labels, scores, ranks = _passing(model, answers)
        stretch = torch.tensor([width / answers.size[1], height / answers.size[0]] * 2)
        plain = Candidates(
            *(
                height,
                width,
                (boxes.float().cpu() * stretch).numpy(),
                labels.cpu().numpy(),
                scores.float().cpu().numpy(),
            ),
            ranks=ranks.cpu().numpy(),
            legacy=pastes_legacy(config),
            poses="keypoints" in config.tasks and config.keypoint_decode == "oks",
        )
        chosen = _ever_kept(plain, Selection.of(config))
        rows = torch.from_numpy(chosen).to(boxes.device)
        more = masks_and_keypoints(model, answers, boxes[rows], labels[rows])
        plain = plain._taken(chosen)
        if "masks" in more:
            plain = replace(plain, masks=more["masks"][:, 0].float().cpu().numpy().astype(np.float16))
        if "keypoints" in more:
            places = more["keypoints"].float().cpu() * torch.tensor([*stretch[:2], 2])
            plain = replace(
                plain, keypoints=places.numpy(), keypoint_scores=more["keypoints_scores"].float().cpu().numpy()
            )
    return plain


def _passing(model: StudioRCNN, answers: BoxAnswers) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Boxes `(M, 4)` in the frame of the network, labels, scores and ranks of proposals before NMS, best score first.

    These are the filters of torchvision's `postprocess_detections` up to NMS.
    """
    import torch
    from torchvision.ops import boxes as box_ops

    heads = model.roi_heads
    decoded = heads.box_coder.decode(answers.deltas, [answers.proposals])
    scores = answers.logits.softmax(-1)[:, 1:]
    boxes = box_ops.clip_boxes_to_image(decoded, answers.size)[:, 1:]
    ranks, classes = torch.where(scores > heads.score_thresh)
    boxes, scores = boxes[ranks, classes], scores[ranks, classes]
    large = box_ops.remove_small_boxes(boxes, min_size=1e-2)
    order = large[scores[large].argsort(descending=True, stable=True)][:_MOST_BEFORE_NMS]
    return boxes[order], classes[order] + 1, scores[order], ranks[order]


def _ever_kept(candidates: Candidates, own: Selection) -> np.ndarray:
    """The positions of the candidates that some choice of the sliders keeps, at most `MOST`, best score first.

    Those that the network's `own` values keep are always among them. A score or a class that is switched off drops
    boxes without bringing others back, so only IoU and number of proposals are tried.
    """
    overlaps = overlaps_within_classes(candidates.boxes, candidates.labels)
    ranks = candidates.ranks
    kept = np.zeros(len(ranks), bool)
    proposals = {own.proposals, *(number for number in PROPOSAL_STEPS if len(ranks) and number <= ranks.max())}
    for iou in {own.nms_iou, *NMS_STEPS}:
        dropping = overlaps > iou
        for number in proposals:
            kept[_greedy(dropping, ranks < number, MOST)] = True
    usual = _greedy(overlaps > own.nms_iou, ranks < own.proposals, own.most)
    extra = np.setdiff1d(np.flatnonzero(kept), usual)
    return np.sort(np.concatenate([usual, extra[: max(0, MOST - len(usual))]]))
