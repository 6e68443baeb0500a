"""Which regions of a dataset are used in training. The trainer and all pages that count "objects" use these functions.

A *region* is any drawn shape. An *object* is a region that is used in training: it has a class, an area and at least
one pixel inside its picture, and it does not mark a crowd. `why_not` returns the reason why a region is not an object,
`tally` counts objects and other regions, and `LearnableCounts.remarks` describes the skipped regions in words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

from maskrcnn.annotations import raster
from maskrcnn.annotations.dataset import ImageRecord
from maskrcnn.annotations.progress_callback import Progress
from maskrcnn.annotations.regions import (
    RLE,
    Keypoints,
    MultiPolygon,
    Point,
    Points,
    Polygon,
    Polyline,
    Rect,
    Region,
    Shape,
)
from maskrcnn.words import counted

Reason = Literal["line", "point", "keypoints", "no-area", "no-class", "crowd", "outside"]
"""Why a region is not an object. If several reasons apply, the first one in this order is given."""

REASONS: tuple[Reason, ...] = get_args(Reason)

WORDS: dict[Reason, tuple[str, str]] = {
    "line": ("is a line", "are lines"),
    "point": ("is a point", "are points"),
    "keypoints": ("has keypoints and no outline", "have keypoints and no outline"),
    "no-area": ("encloses nothing", "enclose nothing"),
    "no-class": ("has no class", "have no class"),
    "crowd": ("marks a crowd", "mark a crowd"),
    "outside": ("has no pixel inside its picture", "have no pixel inside their pictures"),
}
"""Each reason as a predicate, for one region and for several."""

_LISTED = 5
"""Maximum number of classes or pictures that a remark lists by name."""

NARROW = 64
"""`LearnableCounts.narrow` has the objects whose shorter side (px) is below this: scaling may make them vanish."""

_SAFE_LENGTH = 1.5
"""Length (px) of a vertical segment that always contains a pixel centre, even with the rasteriser's rounding."""

Size = tuple[int, int]


def why_not(region: Region, size: Size | None, *, outlines: bool = True) -> Reason | None:
    """Return the reason why training does not use a region, or None if it is used.

    `size` is the picture's (width, height). If it is None (unknown), every region is assumed to lie inside. With
    `outlines=False` (no masks are learned), keypoints without an outline are an object too, if their bounding box has a
    width and a height.

    >>> from maskrcnn.annotations.regions import Point, Rect
    >>> cells = [Region(Rect(2, 2, 8, 8), "cell"), Region(Point(5, 5), "cell"), Region(Rect(50, 2, 8, 8), "cell")]
    >>> [why_not(region, (40, 30)) for region in cells]
    [None, 'point', 'outside']
    """
    shape = region.shape
    match shape:
        case Polyline():
            return "line"
        case Point():
            return "point"
        case Keypoints():
            if outlines or not has_box(shape):
                return "keypoints"
        case _ if not raster.has_area(shape):
            return "no-area"
    if region.class_name is None:
        return "no-class"
    if region.iscrowd:
        return "crowd"
    return None if size is None or _has_learnable_pixel(shape, size) else "outside"


def has_outline(region: Region) -> bool:
    """Whether a mask can be learned from the region.

    A drawn rectangle is an outline. A box in a COCO file without a `segmentation` is not: it only gives the location.
    """
    return raster.has_area(region.shape) and not is_only_a_box(region)


def has_box(shape: Shape) -> bool:
    """Whether the shape has an area, or is a set of keypoints whose bounding box has a width and a height."""
    if isinstance(shape, Keypoints):
        x0, y0, x1, y1 = raster.bounds(shape)
        return x1 > x0 and y1 > y0
    return raster.has_area(shape)


def is_only_a_box(region: Region) -> bool:
    """Whether the region is a box of a COCO or YOLO file, without an outline of the object.

    The readers of both formats mark such a box by an entry `segmentation` (empty) in `extras["coco"]`.
    """
    return isinstance(region.shape, Rect) and "segmentation" in region.extras.get("coco", {})


def objects(record: ImageRecord, *, outlines: bool = True) -> list[Region]:
    """Return the regions of a picture that training uses."""
    size = record.size
    return [region for region in record.regions if why_not(region, size, outlines=outlines) is None]


@dataclass(frozen=True)
class LearnableCounts:
    """Counts of the regions that training uses and of those that it skips, for a set of pictures.

    - `pictures`: number of pictures.
    - `objects`: number of objects of each class.
    - `regions`: number of all regions of each class (None: regions without a class).
    - `left`: number of skipped regions, by (reason, class).
    - `boxes`: number of objects of each class that have a box but no outline.
    - `bare`: file names of pictures that have regions but no object. They are used as background. (If a region has no
      class, training stops instead.)
    - `waiting`: number of pictures that are left out because they are not labelled yet.
    - `outlines`: whether masks are learned.
    - `narrow`: number of objects whose shorter side is below `NARROW` px, by (side, picture width, picture height).
    """

    pictures: int = 0
    objects: Mapping[str, int] = field(default_factory=dict)
    regions: Mapping[str | None, int] = field(default_factory=dict)
    left: Mapping[tuple[Reason, str | None], int] = field(default_factory=dict)
    boxes: Mapping[str, int] = field(default_factory=dict)
    bare: tuple[str, ...] = ()
    waiting: int = 0
    outlines: bool = True
    narrow: Mapping[tuple[int, int, int], int] = field(default_factory=dict, compare=False)

    @property
    def n_objects(self) -> int:
        """The number of objects of all classes."""
        return sum(self.objects.values())

    @property
    def n_regions(self) -> int:
        """The number of regions of all classes, objects or not."""
        return sum(self.regions.values())

    def n_skipped(self, reason: Reason | None = None) -> int:
        """Return the number of skipped regions: for one reason, or in total (None)."""
        return sum(number for (why, _), number in self.left.items() if reason in (None, why))

    def vanishing(self, image_min_dim: int, image_max_dim: int) -> int:
        """Count the objects that become narrower than 1 px when pictures are scaled to the working size.

        Training skips these objects.
        """
        return sum(
            number
            for (side, *size), number in self.narrow.items()
            if side * min(image_min_dim / min(size), image_max_dim / max(size)) < 1
        )

    def in_short(self) -> str:
        """Return a one-line summary, for example `5 objects on 3 pictures ("cat" 3, "dog" 2)`."""
        classes = [f'"{name}" {number:,}' for name, number in _most_common_first(self.objects)]
        of = f" ({_names_for_remark(classes, 'class', 'classes')})" if classes else ""
        return f"{counted(self.n_objects, 'object')} on {counted(self.pictures, 'picture')}{of}"

    def remarks(self) -> list[str]:
        """Return lines about skipped regions and about pictures that are affected; empty if everything is used."""
        lines = self.passed_over()
        if (number := sum(self.boxes.values())) and number < self.n_objects and self.outlines:
            are = "is a box" if number == 1 else "are boxes"
            lines.append(
                f"{counted(number, 'object')} {are} without an outline, and as a mask the whole box is learned: "
                f"{_shares_of_classes(self.boxes, self.regions)}"
            )
        if self.bare:
            has, is_ = ("has", "is") if len(self.bare) == 1 else ("have", "are")
            lines.append(
                f"{counted(len(self.bare), 'picture')} {has} nothing else and {is_} learned as background: "
                f"{_names_for_remark(self.bare, 'picture', 'pictures')}"
            )
        if self.waiting:
            is_, them = ("is", "it") if self.waiting == 1 else ("are", "them")
            lines.append(
                f"{counted(self.waiting, 'picture')} {is_} left out, because nobody has labelled {them}: no region "
                "yet, and not marked as done"
            )
        return lines

    def passed_over(self) -> list[str]:
        """Return one line about the skipped regions for each reason."""
        return [self._remark_of_reason(reason) for reason in REASONS if self.n_skipped(reason)]

    def _remark_of_reason(self, reason: Reason) -> str:
        """Return a line such as `2 regions are lines and are not learned: ...`."""
        here = Counter({name: number for (why, name), number in self.left.items() if why == reason})
        words = WORDS[reason]
        # Without masks, keypoints that span a box are objects (`why_not`), so only the others are skipped.
        if reason == "keypoints" and not self.outlines:
            words = ("has keypoints that span no box", "have keypoints that span no box")
        number, (one, many) = here.total(), words
        if number == self.n_regions:
            who = "the only region" if number == 1 else f"all {counted(number, 'region')}"
        else:
            who = counted(number, "region")
        is_ = one if number == 1 else many
        if reason == "no-class":
            return f"{who} {is_}, and training stops there"
        return f"{who} {is_} and {'is' if number == 1 else 'are'} not learned: {_shares_of_classes(here, self.regions)}"


@dataclass
class LearnableTally:
    """A mutable counter of learnable objects that builds a `LearnableCounts` picture by picture.

    Its fields are those of `LearnableCounts`: `left` counts regions that are not learned by their reason and class,
    `narrow` counts objects narrower than `NARROW` px, `bare` lists pictures that have regions but no object, and no
    region without a class.
    """

    outlines: bool = True
    pictures: int = 0
    objects: Counter[str] = field(default_factory=Counter)
    regions: Counter[str | None] = field(default_factory=Counter)
    left: Counter[tuple[Reason, str | None]] = field(default_factory=Counter)
    boxes: Counter[str] = field(default_factory=Counter)
    bare: list[str] = field(default_factory=list)
    narrow: Counter[tuple[int, int, int]] = field(default_factory=Counter)

    def add(self, record: ImageRecord, reasons: Sequence[Reason | None] | None = None) -> None:
        """Add one picture to the counts. `reasons`: the `why_not` result of each region, if already computed."""
        size = record.size
        if reasons is None:
            reasons = [why_not(region, size, outlines=self.outlines) for region in record.regions]
        self.pictures += 1
        for region, reason in zip(record.regions, reasons, strict=True):
            self.regions[region.class_name] += 1
            if reason is not None:
                self.left[reason, region.class_name] += 1
                continue
            assert region.class_name is not None
            self.objects[region.class_name] += 1
            if size is not None and (side := _short_side_of_object(region.shape, size)) < NARROW:
                self.narrow[side, *size] += 1
            if not isinstance(region.shape, Keypoints) and not has_outline(region):
                self.boxes[region.class_name] += 1
        is_bare = bool(reasons) and None not in reasons
        if is_bare and "no-class" not in reasons:
            self.bare.append(record.file_name)

    def learned(self, waiting: int = 0) -> LearnableCounts:
        """Return the counts so far as a `LearnableCounts`; `waiting`: number of pictures not labelled yet."""
        return LearnableCounts(
            self.pictures,
            dict(self.objects),
            dict(self.regions),
            dict(self.left),
            dict(self.boxes),
            tuple(self.bare),
            waiting,
            self.outlines,
            dict(self.narrow),
        )


def tally(
    images: Sequence[ImageRecord],
    *,
    outlines: bool = True,
    sized: Callable[[ImageRecord], Size | None] | None = None,
    progress: Progress | None = None,
) -> LearnableCounts:
    """Count the objects and the skipped regions of these pictures.

    `sized` returns (width, height) of a picture whose record has no size. `progress(done, total)` is called after each
    picture.
    """
    found = LearnableTally(outlines)
    for number, record in enumerate(images, start=1):
        if sized is not None and record.size is None and (size := sized(record)):
            record = replace(record, width=size[0], height=size[1])
        found.add(record)
        if progress is not None:
            progress(number, len(images))
    return found.learned()


def _has_learnable_pixel(shape: Shape, size: Size) -> bool:
    """Whether there is something to learn in a picture of this size: a pixel of the mask, or a labelled keypoint."""
    width, height = size
    if isinstance(shape, Keypoints):
        return any(v and 0 <= x <= width and 0 <= y <= height for x, y, v in shape.points)
    if isinstance(shape, RLE):
        return raster.area(shape, *shape.size) > 0
    if isinstance(shape, Polygon | MultiPolygon):
        outlines = [shape.points] if isinstance(shape, Polygon) else [part[0] for part in shape.parts if len(part) == 1]
        if any(_outline_surely_has_pixel(outline, size) for outline in outlines):
            return True
    return raster.area(shape, height, width) > 0


def _short_side_of_object(shape: Shape, size: Size) -> int:
    """Return the shorter side (px) of an object's bounding box inside the picture, for `LearnableCounts.narrow`."""
    if isinstance(shape, Polygon):  # several times as quick as `raster.bounds`
        xs, ys = [x for x, _ in shape.points], [y for _, y in shape.points]
        x0, y0, x1, y1 = min(xs), min(ys), max(xs), max(ys)
    else:
        x0, y0, x1, y1 = raster.bounds(shape)
    return round(min(min(x1, size[0]) - max(x0, 0), min(y1, size[1]) - max(y0, 0)))


def _outline_surely_has_pixel(outline: Points, size: Size) -> bool:
    """Whether the outline covers a long vertical segment of the pixel column in its middle.

    A quick sufficient test for a learnable pixel: 2 to 10 times as fast as rasterising (10 µs for 40 vertices). False
    only for tiny, thin and unusual outlines.
    """
    if len(outline) < 3:
        return False
    xs = [x for x, _ in outline]
    left, right = max(0.0, min(xs)), min(float(size[0]), max(xs))
    if right - left < _SAFE_LENGTH:
        return False
    column = int((left + right) / 2) + 0.5
    crossings = []
    x0, y0 = outline[-1]
    for x1, y1 in outline:
        if (x0 < column) != (x1 < column):
            crossings.append(y0 + (column - x0) / (x1 - x0) * (y1 - y0))
        x0, y0 = x1, y1
    crossings.sort()
    return any(
        min(end, size[1]) - max(start, 0) > _SAFE_LENGTH
        for start, end in zip(crossings[::2], crossings[1::2], strict=False)
    )


def _shares_of_classes(part: Mapping[str | None, int] | Mapping[str, int], whole: Mapping[str | None, int]) -> str:
    """Describe `part` as a share of `whole` for each class, for example `all 2 of "cat", 1 of 5 of "dog"`."""
    phrases = []
    for name, number in _most_common_first(part):
        called = "without a class" if name is None else f'of "{name}"'
        if number < whole[name]:
            phrases.append(f"{number:,} of {whole[name]:,} {called}")
        else:
            phrases.append(f"{f'all {number:,}' if number > 1 else 'the only one'} {called}")
    return _names_for_remark(phrases, "class", "classes")


def _most_common_first(counts: Mapping[str | None, int] | Mapping[str, int]) -> list[tuple[str | None, int]]:
    """Return (class, number) for each class, the most common class first, as remarks list them."""
    return sorted(counts.items(), key=lambda entry: (-entry[1], entry[0] is None, entry[0] or ""))


def _names_for_remark(names: Sequence[str], noun: str, plural: str) -> str:
    """List class or picture names for `LearnableCounts.remarks`: the first `_LISTED` and the number of the others."""
    more = len(names) - _LISTED
    return ", ".join(names[:_LISTED]) + (f" and {counted(more, 'more ' + noun, 'more ' + plural)}" if more > 0 else "")


def keypoints_of(region: Region) -> Keypoints | None:
    """Return the learnable keypoints of an object with or without an outline; None if no keypoint is labelled.

    >>> keypoints_of(Region(Keypoints(((0, 0, 0), (5, 5, 2))), "hand")).points
    ((0, 0, 0), (5, 5, 2))
    """
    keypoints = region.any_keypoints
    labelled = keypoints is not None and any(visibility for _, _, visibility in keypoints.points)
    return keypoints if labelled else None
