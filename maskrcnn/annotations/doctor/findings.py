"""Data types of the doctor: checks, findings and fixes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from maskrcnn.annotations.raster import Box
from maskrcnn.annotations.regions import Region

Severity = Literal["error", "warning", "hint"]
"""error: training stops or learns something wrong; warning: training gets worse; hint: may need attention."""

Action = Literal[
    "leave-out",
    "turn",
    "scale",
    "true-size",
    "clip",
    "untangle",
    "fill",
    "close",
    "box",
    "corners",
    "clamp",
    "label-keypoints",
    "make-object",
    "drop",
    "drop-other",
    "rename",
]


@dataclass(frozen=True)
class Check:
    """The texts about one kind of problem: its title, and why it makes training worse."""

    title: str
    why: str


CHECKS: dict[str, Check] = {
    "picture-missing": Check(
        "Picture not found",
        "Without its pixels nothing can be learned from the labels; training stops at such a picture.",
    ),
    "picture-unreadable": Check(
        "Picture cannot be read",
        "A file that is damaged or is no picture stops training, often in the middle of an epoch.",
    ),
    "turned-labels": Check(
        "Labels fit the picture only unturned",
        "The camera stored the picture on its side and a note to turn it. The labels belong to the stored pixels, the "
        "network sees the turned ones: every mask lies on the wrong place. So it does where a picture was turned "
        "since, or a program wrote y before x.",
    ),
    "size-mismatch": Check(
        "Picture is not the one that was labelled",
        "The label file was made for a picture of another size. If the picture was scaled or cut, masks lie beside "
        "their objects.",
    ),
    "normalised": Check(
        "Coordinates are shares of the picture, not pixels",
        "All labels lie from 0 to 1, to 100 or to 1,000, whatever the size of the picture: a program wrote shares of "
        "width and height where this format has pixels. Nothing can be learned there.",
    ),
    "one-corner": Check(
        "All labels lie in the top left part",
        "Labels that were drawn on a smaller copy of the pictures use only a part of each picture: every mask lies "
        "beside its object.",
    ),
    "outside-picture": Check(
        "Outline leaves the picture",
        "There are no pixels out there: boxes become larger than what can be seen, which teaches wrong box sizes, and "
        "some training code fails on them.",
    ),
    "self-crossing": Check(
        "Outline crosses itself",
        "Programs disagree on what is inside an outline that crosses itself or runs back over itself, so mask, area "
        "and box depend on who reads the file.",
    ),
    "box-mismatch": Check(
        "Box and outline disagree",
        "The label file gives the object a box that lies elsewhere than its outline, so one of the two is wrong. The "
        "outline is what is learned, with the box around it.",
    ),
    "few-vertices": Check(
        "Outline of fewer than three vertices",
        "It encloses nothing: usually a stray click. Some training code fails on it, other code learns an empty mask.",
    ),
    "no-area": Check(
        "Region encloses nothing",
        "All vertices lie on one line, or the mask has no pixel. An empty mask under a class name teaches that the "
        "background is an object.",
    ),
    "thin-box": Check(
        "Box narrower than a pixel",
        "A box less than one pixel wide or high has no size to learn: its regression target is a logarithm near minus "
        "infinity, which can turn the loss into NaN.",
    ),
    "tiny": Check(
        "Region of fewer than 16 pixels",
        "The finest feature map has one cell for 4 x 4 pixels. What is smaller leaves no trace there; it is mostly a "
        "slip of the mouse, and costs training as an object that can never be found.",
    ),
    "crowd": Check(
        "Region that marks a crowd",
        "It says that there are several objects that nobody told apart, so it is passed over: training learns nothing "
        "from it, and evaluation does not count what is found there. Masks drawn with a brush come out of CVAT like "
        "this, although each is one object.",
    ),
    "line-or-point": Check(
        "Line or point",
        "It has no area, so it is not learned; a picture with nothing else is learned as background. VIA's polyline "
        "tool draws open lines, also where an outline was meant.",
    ),
    "unlabelled-keypoints": Check(
        "Keypoint with a place that is not labelled",
        "Its visibility is 0, which says that nobody labelled it, so it is not learned. Some programs write 0 for "
        "hidden, where COCO has 1.",
    ),
    "duplicate": Check(
        "Region drawn twice",
        "One object counted twice weighs double, and in evaluation only one of the two can be found: the other counts "
        "as missed.",
    ),
    "several-attributes": Check(
        "Several attributes name classes",
        "One of them is read as the class, so the regions that another one names have none. Choose another attribute "
        "as the class, or give all regions their class in one attribute.",
    ),
    "no-class": Check(
        "Region without a class",
        "Training cannot tell what it shows, and stops there.",
    ),
    "class-typo": Check(
        "Class names that differ by a slip",
        "Two spellings are two classes to the network: it must tell apart what is the same, from fewer examples each.",
    ),
    "narrow-range": Check(
        "Picture uses a fraction of its range",
        "Its values lie close together, so the network sees it as nearly black, nearly white or of one brightness, and "
        "objects hardly stand out. Pictures of 10 to 14 bits in files of 16 are like that until they are stretched.",
    ),
    "in-both-splits": Check(
        "Picture in training and in validation",
        "The network is measured on what it has learned by heart, so validation looks better than it is and the wrong "
        "checkpoint is kept as the best.",
    ),
    "no-regions": Check(
        "Picture without regions",
        "Everything on it is learned as background, in a project once it is marked as done. That is right if it shows "
        "no object, and harmful if nobody has labelled it yet.",
    ),
    "class-imbalance": Check(
        "Some classes are rare",
        "The network sees a common class many times as often and learns to guess it; a rare one is found badly.",
    ),
    "below-anchor": Check(
        "Object smaller than the smallest anchor",
        "At working size the object is smaller than any anchor, so few proposals cover it and it is often missed. "
        "Larger pictures (image_min_dim, image_max_dim) or smaller anchors (rpn_anchor_scales) help.",
    ),
}
"""Every check by name, in the order in which findings are shown."""


@dataclass(frozen=True)
class Fix:
    """A fix: its description in words, and the action that `apply` performs.

    | action | value | what happens |
    |---|---|---|
    | leave-out | | the picture is removed from the dataset |
    | turn | (EXIF orientation, stored width, stored height) | rotate all labels to the displayed frame |
    | scale | (old width, old height, real width, real height) | scale all labels to the real size |
    | true-size | (width, height, bytes), each may be None | set the picture's real size in the record |
    | clip | (width, height) of the frame | clip the region to the picture |
    | corners | (x, y, width, height) | set the rectangle, whose last two numbers were its second corner |
    | clamp | (width, height) of the frame | move points outside the picture to its edge |
    | untangle | | redraw the outline around its area by the even-odd rule |
    | fill | | redraw the outline around its area by the nonzero rule |
    | close | | convert a line to the outline of an area |
    | box | | convert two points to a rectangle with these corners |
    | label-keypoints | | set visibility 1 (hidden) for keypoints with a position and visibility 0 |
    | make-object | | remove the crowd mark of the region |
    | drop | | delete the region |
    | drop-other | (number, id) of another region on the picture | delete that region |
    | rename | class name | set the class of the region |

    `option` is the name of the fix in `--choose CHECK=OPTION`; empty: the name of the action (`option_name`).
    """

    words: str
    action: Action
    value: Any = None
    option: str = ""

    @property
    def option_name(self) -> str:
        """The name of this fix as a choice of the user: `option`, or the name of the action."""
        return self.option or self.action


DROP_REGION = Fix("drop the region", "drop")


@dataclass(frozen=True)
class Finding:
    """One problem that a check found, with its place and possible fixes.

    - `fix`: a fix that is certainly right and can be applied automatically.
    - `choices`: fixes that the user must choose, because there are several interpretations or the fix deletes
      something. If there are any, `fix` is None until one is chosen.
    - `picture`: index of the record in `Dataset.images`; None for the whole dataset.
    - `region_number`: number of the region on the picture, from 1; None for the whole picture.
    - `box`: bounding box of the region, xyxy in the displayed frame.
    """

    check: str
    severity: Severity
    what: str
    file_name: str | None = None
    region_id: str | None = None
    region_number: int | None = None
    fix: Fix | None = None
    box: Box | None = None
    picture: int | None = None
    choices: tuple[Fix, ...] = ()

    @property
    def title(self) -> str:
        """The title of the kind of problem."""
        return CHECKS[self.check].title

    @property
    def why(self) -> str:
        """Why this problem makes training worse."""
        return CHECKS[self.check].why

    def chosen(self, option: str) -> Finding | None:
        """Return the finding with the choice named `option` as its fix; None if it has no such choice."""
        choice = next((choice for choice in self.choices if choice.option_name == option), None)
        return None if choice is None else replace(self, fix=choice)


@dataclass(frozen=True)
class Symptom:
    """A finding without its place. `at` adds the picture and region."""

    check: str
    severity: Severity
    what: str
    fix: Fix | None = None
    choices: tuple[Fix, ...] = ()

    def unsure(self, *further: Fix) -> Symptom:
        """Return the symptom without an automatic fix: its fix and the `further` ones become choices of the user."""
        fixes = (*([self.fix] if self.fix else []), *self.choices, *further)
        return replace(self, fix=None, choices=tuple(dict.fromkeys(fixes)))

    def at(
        self,
        picture: int,
        file_name: str,
        number: int | None = None,
        region: Region | None = None,
        box: Box | None = None,
    ) -> Finding:
        """Return the finding: this symptom on a picture (index and name), or on a region (number, region, box)."""
        region_id = region.id if region is not None else None
        return Finding(
            self.check, self.severity, self.what, file_name, region_id, number, self.fix, box, picture, self.choices
        )
