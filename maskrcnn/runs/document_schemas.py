"""Schemas of the JSON documents in a run folder. A run may come from another person, so all its values are checked.

There is one schema per file; `untrusted_files.read_json` validates a file with it. Unknown fields are allowed, because
a later version may write more. Numbers must be finite and within generous bounds. `annotations` is imported inside
functions to keep the runner of a job small, which also reads run folders.
"""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, with_config
from typing_extensions import TypedDict

_OPEN = ConfigDict(extra="allow")

Number = Annotated[float, Field(ge=-1e12, le=1e12, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Seconds = Annotated[float, Field(ge=0, le=1e11, allow_inf_nan=False)]
"""A duration, or a time since 1970 (the maximum is in the year 5138)."""
Count = Annotated[int, Field(ge=0, le=1_000_000_000)]
Identifier = Annotated[int, Field(ge=-(2**53), le=2**53)]
Side = Annotated[int, Field(ge=1, le=1_000_000)]
Place = Annotated[float, Field(ge=-1e6, le=1e6, allow_inf_nan=False)]
"""A coordinate in pixels."""
Name = Annotated[str, Field(max_length=1000)]
Words = Annotated[str, Field(max_length=100_000)]
Path = Annotated[str, Field(min_length=1, max_length=4096, pattern=r"^[^\x00]+$")]
Device = Annotated[str, Field(pattern=r"^(cpu|mps|cuda:\d{1,3})$")]
Attempt = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
"""The id of an attempt: one start of a trainer (see `runs.attempts`)."""


@with_config(_OPEN)
class Process(TypedDict, total=False):
    """process.json: the trainer's process. `runs.trainer_process` checks whether it is alive."""

    pid: Annotated[int, Field(ge=1, le=2**31 - 1)]
    create_time: Seconds
    argv: list[Words]
    started: Seconds
    cancel_asked: Seconds
    device: Device | None
    attempt: Attempt


@with_config(_OPEN)
class Begun(TypedDict, total=False):
    """attempt.json: the attempt that wrote the last rows of metrics.jsonl."""

    attempt: Attempt


@with_config(_OPEN)
class Queued(TypedDict, total=False):
    """queued.json: the run waits. The options of the training are only in the table of jobs."""

    created: Seconds
    expected_seconds: Seconds | None
    priority: Identifier
    resume: bool
    device: Device | Literal["any"]
    claimed: Seconds


@with_config(_OPEN)
class Result(TypedDict, total=False):
    """result.json: how the run ended."""

    state: Name
    error: Words | None
    epochs: Count | None
    best_epoch: Count | None
    seconds: Seconds
    stopped_early: bool
    machine: Words | None
    versions: dict[Name, Name]
    attempt: Attempt


@with_config(_OPEN)
class Started(TypedDict, total=False):
    """start.json: how the training was started. `preset`, `init` and `backbone_weights` are values of the command line.

    Versions since 0.2 also note the `options` of the request (`TrainingRequest.to_argv`), the time, the `versions` of
    the programs, and lines about labels that are not learned (`LearnableCounts.remarks`).
    """

    preset: Name | None
    init: Words
    backbone_weights: Words
    options: list[Words]
    started: Seconds
    versions: dict[Name, Name]
    left_out: list[Words]


@with_config(_OPEN)
class WrittenConfig(TypedDict, total=False):
    """config.json, before it is parsed to a `Config`: the fields that pages show."""

    epochs: Count | None
    minutes: Annotated[float, Field(gt=0, le=1e7)] | None
    patience: Count | None
    steps_per_epoch: Count | None
    batch_size: Annotated[int, Field(ge=1, le=1_000_000)]
    tasks: list[Name]
    backbone: Name
    pooling: Name
    layers: Name
    image_min_dim: Count
    image_max_dim: Count
    loss_weights: dict[Name, Number]


@with_config(_OPEN)
class RunLengths(TypedDict):
    """A mask as COCO run-length encoding (RLE); `size` is (height, width)."""

    size: Annotated[list[Side], Field(min_length=2, max_length=2)]
    counts: Words | list[Count]


@with_config(_OPEN)
class Picture(TypedDict):
    """A picture of a COCO document; sizes are in pixels."""

    id: Identifier
    file_name: Name
    width: Side
    height: Side


class _WithPath(TypedDict, total=False):
    path: Path


@with_config(_OPEN)
class RunPicture(Picture, _WithPath):
    """A picture in dataset.json; `path` is its file, relative to the run folder."""


@with_config(_OPEN)
class Category(TypedDict, total=False):
    """A class of a COCO document, with its keypoints."""

    id: Identifier
    name: Name
    keypoints: list[Name]
    skeleton: list[Annotated[list[Identifier], Field(min_length=2, max_length=2)]]


@with_config(_OPEN)
class _Object(TypedDict, total=False):
    bbox: Annotated[list[Place], Field(min_length=4, max_length=4)]
    area: Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)]
    segmentation: list[Annotated[list[Place], Field(min_length=6)]] | RunLengths
    keypoints: list[Place]
    num_keypoints: Count
    iscrowd: Annotated[int, Field(ge=0, le=1)]


class _Owned(TypedDict):
    image_id: Identifier
    category_id: Identifier


class _Numbered(TypedDict):
    id: Identifier


class _Scored(TypedDict):
    score: Share


class _Posed(TypedDict, total=False):
    pose_score: Share


@with_config(_OPEN)
class Annotation(_Object, _Owned, _Numbered):
    """A labelled object (ground truth)."""


@with_config(_OPEN)
class Detection(_Object, _Owned, _Scored, _Posed):
    """An object that the network detected."""


@with_config(_OPEN)
class Labels(TypedDict):
    """A COCO document."""

    images: list[RunPicture]
    annotations: list[Annotation]
    categories: list[Category]


@with_config(_OPEN)
class Drawn(TypedDict):
    """The toy world and the seed of training pictures that are not stored, so that they can be drawn again."""

    world: Name
    pictures: Count
    seed: Identifier


class _Splits(TypedDict):
    train: Labels
    val: Labels | None


class _FromToy(TypedDict, total=False):
    drawn: Drawn


@with_config(_OPEN)
class Documents(_Splits, _FromToy):
    """dataset.json: the training and validation labels."""


def _checked_dataset(documents: Documents) -> Documents:
    """Validate the content of dataset.json: both splits with `_check_coco_labels`. Returns it."""
    for split in (documents["train"], documents["val"]):
        if split:
            _check_coco_labels(split)
    return documents


def _check_coco_labels(labels: Labels) -> None:
    """Raise `ValueError` for errors in the labels of dataset.json that the types of its schema do not catch.

    These are duplicate pictures, an object without a picture or class, a mask whose size differs from its picture, an
    outline with an odd number of coordinates, a picture that is too large, and too many objects in a picture.
    """
    from maskrcnn.annotations.picture_files.pixel_budget import MOST_PIXELS

    images = {image["id"]: image for image in labels["images"]}
    classes = {category.get("id") for category in labels["categories"]}
    if len(images) < len(labels["images"]) or len({image["file_name"] for image in labels["images"]}) < len(images):
        raise ValueError("two pictures have the same id or file name")
    for category in labels["categories"]:
        if "id" not in category or "name" not in category:
            raise ValueError("a category has no id or no name")
    for image in labels["images"]:
        if image["width"] * image["height"] > MOST_PIXELS:
            raise ValueError(f"picture {image['id']} has more than {MOST_PIXELS:,} pixels")
    for annotation in labels["annotations"]:
        owner = images.get(annotation["image_id"])
        if owner is None or annotation["category_id"] not in classes:
            raise ValueError(f"annotation {annotation['id']} is of no picture or no category")
        _check_coco_object(annotation, f"annotation {annotation['id']}", (owner["height"], owner["width"]))
    _check_object_count(labels["annotations"])


def _checked_detections(detections: list[Detection]) -> list[Detection]:
    """Validate the detections of a run (COCO results): raise `ValueError` for an invalid one. Returns them."""
    for number, detection in enumerate(detections):
        if detection.get("segmentation") == []:
            raise ValueError(f"detection {number} has an outline without a corner")
        _check_coco_object(detection, f"detection {number}", None)
    _check_object_count(detections)
    return detections


def _check_coco_object(entry: Any, name: str, size: tuple[int, int] | None) -> None:
    """Raise `ValueError` if the keypoints, outline or mask of an object are invalid.

    `size` is (height, width) of its picture, None if unknown; `name` is used in the message.
    """
    if len(entry.get("keypoints", ())) % 3:
        raise ValueError(f"{name} has keypoints that are no triples of x, y and visibility")
    segmentation = entry.get("segmentation")
    if isinstance(segmentation, list):
        if any(len(ring) % 2 for ring in segmentation):
            raise ValueError(f"{name} has an outline with an odd number of coordinates")
    elif segmentation is not None:
        from maskrcnn.annotations.picture_files.pixel_budget import MOST_PIXELS
        from maskrcnn.run_length_codes import pixels_of

        height, width = segmentation["size"]
        counts = segmentation["counts"]
        pixels = pixels_of(counts) if isinstance(counts, str) else sum(counts)
        if height * width > MOST_PIXELS or pixels != height * width or size not in (None, (height, width)):
            raise ValueError(f"{name} has a mask that does not fit its size, or a code that is damaged")


def _check_object_count(entries: Any) -> None:
    """Raise `ValueError` if a picture has more than `MOST_REGIONS` objects."""
    from maskrcnn.annotations.regions import MOST_REGIONS

    most = max(Counter(entry["image_id"] for entry in entries).values(), default=0)
    if most > MOST_REGIONS:
        raise ValueError(f"one picture has {most:,} objects, more than {MOST_REGIONS:,}")


PROCESS_SCHEMA: TypeAdapter[Any] = TypeAdapter(Process)
BEGUN_SCHEMA: TypeAdapter[Any] = TypeAdapter(Begun)
QUEUED_SCHEMA: TypeAdapter[Any] = TypeAdapter(Queued)
RESULT_SCHEMA: TypeAdapter[Any] = TypeAdapter(Result)
CONFIG_SCHEMA: TypeAdapter[Any] = TypeAdapter(WrittenConfig)
START_SCHEMA: TypeAdapter[Any] = TypeAdapter(Started)
DATASET_SCHEMA: TypeAdapter[Any] = TypeAdapter(Annotated[Documents, AfterValidator(_checked_dataset)])
DETECTIONS_SCHEMA: TypeAdapter[Any] = TypeAdapter(Annotated[list[Detection], AfterValidator(_checked_detections)])

_ROW_SCHEMA: TypeAdapter[dict[str, Any]] = TypeAdapter(dict[Name, Identifier | Number | Name | None])
_TEXTS = ("event", "layers")


def validated_metrics_row(line: bytes | str) -> dict[str, Any] | None:
    """Validate a line of metrics.jsonl with its schema. Returns the row, None if the line is incomplete or invalid.

    A row maps names to numbers or None; only `event` ("step" or "epoch") and `layers` are strings. `epoch` and `step`
    are integers from 1; `progress` is in [0, 1].
    """
    try:
        row = _ROW_SCHEMA.validate_json(line, strict=True)
    except ValueError:  # also the base class of pydantic's ValidationError
        return None
    if any(isinstance(value, str) != (name in _TEXTS) for name, value in row.items() if value is not None):
        return None
    if row.get("event") not in ("step", "epoch"):
        return None
    if not all(isinstance(number := row.get(name), int) and number >= 1 for name in ("epoch", "step")):
        return None
    return row if 0 <= (row.get("progress") or 0) <= 1 else None
