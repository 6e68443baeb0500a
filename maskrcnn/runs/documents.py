"""What the JSON documents of a run folder may hold. A run comes from anybody, so each of its values is checked.

One schema for each document, by the name of its file; `foreign.read_json` holds a file to it. A field that is not named
here is let through, as a later studio may write more. Numbers are finite and within bounds that no honest run reaches.
What is asked of `annotations` is imported where it is needed: the runner of a job reads run folders too, and is to be
small.
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
"""A duration, or a time since 1970; the largest is the year 5138."""
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
"""The id of one start of a trainer (see `runs.attempts`)."""


@with_config(_OPEN)
class Process(TypedDict, total=False):
    """process.json: which process trains. Whether it does is asked of the process itself (`runs.trainer_process`)."""

    pid: Annotated[int, Field(ge=1, le=2**31 - 1)]
    create_time: Seconds
    argv: list[Words]
    started: Seconds
    cancel_asked: Seconds
    device: Device | None
    attempt: Attempt


@with_config(_OPEN)
class Begun(TypedDict, total=False):
    """attempt.json: which attempt wrote the last rows of metrics.jsonl."""

    attempt: Attempt


@with_config(_OPEN)
class Queued(TypedDict, total=False):
    """queued.json: the run waits. What is started, and when, is in the table of the workspace alone."""

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
    attempt: Attempt


@with_config(_OPEN)
class Started(TypedDict, total=False):
    """start.json: the options that a training was begun with and no config holds, as words of the command line."""

    preset: Name | None
    init: Words
    backbone_weights: Words


@with_config(_OPEN)
class WrittenConfig(TypedDict, total=False):
    """config.json as it was written: the fields that pages show without building a `Config` (see `Config.parse`)."""

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
    """A mask as COCO's run lengths: `size` is (height, width)."""

    size: Annotated[list[Side], Field(min_length=2, max_length=2)]
    counts: Words | list[Count]


@with_config(_OPEN)
class Picture(TypedDict):
    id: Identifier
    file_name: Name
    width: Side
    height: Side


class _WithPath(TypedDict, total=False):
    path: Path


@with_config(_OPEN)
class RunPicture(Picture, _WithPath):
    """A picture of dataset.json; `path` is where it lies, relative to the run folder."""


@with_config(_OPEN)
class Category(TypedDict, total=False):
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
    """An object that a person drew."""


@with_config(_OPEN)
class Detection(_Object, _Owned, _Scored, _Posed):
    """An object that the network found."""


@with_config(_OPEN)
class Labels(TypedDict):
    """A COCO document."""

    images: list[RunPicture]
    annotations: list[Annotation]
    categories: list[Category]


@with_config(_OPEN)
class Drawn(TypedDict):
    """Of which toy world the pictures were that are not kept."""

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
    """dataset.json."""


def _sound_documents(documents: Documents) -> Documents:
    for split in (documents["train"], documents["val"]):
        if split:
            _refuse_unsound(split)
    return documents


def _refuse_unsound(labels: Labels) -> None:
    """`ValueError` for what no type can say: an object of no picture, a mask of another size than its picture, an odd
    outline, too large a picture, a crowd of objects."""
    from maskrcnn.annotations.pictures import MOST_PIXELS

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
        _refuse_object(annotation, f"annotation {annotation['id']}", (owner["height"], owner["width"]))
    _refuse_crowd(labels["annotations"])


def _sound_detections(detections: list[Detection]) -> list[Detection]:
    for number, detection in enumerate(detections):
        if detection.get("segmentation") == []:
            raise ValueError(f"detection {number} has an outline without a corner")
        _refuse_object(detection, f"detection {number}", None)
    _refuse_crowd(detections)
    return detections


def _refuse_object(entry: Any, name: str, size: tuple[int, int] | None) -> None:
    if len(entry.get("keypoints", ())) % 3:
        raise ValueError(f"{name} has keypoints that are no triples of x, y and visibility")
    segmentation = entry.get("segmentation")
    if isinstance(segmentation, list):
        if any(len(ring) % 2 for ring in segmentation):
            raise ValueError(f"{name} has an outline with an odd number of coordinates")
    elif segmentation is not None:
        from maskrcnn.annotations.formats.coco.run_lengths import pixels_of
        from maskrcnn.annotations.pictures import MOST_PIXELS

        height, width = segmentation["size"]
        counts = segmentation["counts"]
        pixels = pixels_of(counts) if isinstance(counts, str) else sum(counts)
        if height * width > MOST_PIXELS or pixels != height * width or size not in (None, (height, width)):
            raise ValueError(f"{name} has a mask that does not fit its size, or a code that is damaged")


def _refuse_crowd(entries: Any) -> None:
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
DATASET_SCHEMA: TypeAdapter[Any] = TypeAdapter(Annotated[Documents, AfterValidator(_sound_documents)])
DETECTIONS_SCHEMA: TypeAdapter[Any] = TypeAdapter(Annotated[list[Detection], AfterValidator(_sound_detections)])

_ROW: TypeAdapter[dict[str, Any]] = TypeAdapter(dict[Name, Identifier | Number | Name | None])
_TEXTS = ("event", "layers")


def row_of(line: bytes | str) -> dict[str, Any] | None:
    """A line of metrics.jsonl as a row: names to numbers or null; `event` and `layers` are texts. None for what is torn
    or no row.

    Every row says which `event` it is ("step" or "epoch"), and its `epoch` and `step` (whole, from 1 on); `progress`
    lies in [0, 1].
    """
    try:
        row = _ROW.validate_json(line, strict=True)
    except ValueError:  # pydantic's is one
        return None
    if any(isinstance(value, str) != (name in _TEXTS) for name, value in row.items() if value is not None):
        return None
    if row.get("event") not in ("step", "epoch"):
        return None
    if not all(isinstance(number := row.get(name), int) and number >= 1 for name in ("epoch", "step")):
        return None
    return row if 0 <= (row.get("progress") or 0) <= 1 else None
