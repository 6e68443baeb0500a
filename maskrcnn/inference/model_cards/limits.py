"""The limits of a network in plain words. Each sentence follows from numbers of the card, and names them."""

from __future__ import annotations

from collections.abc import Iterator

from maskrcnn.evaluation.analysis.ap_of_parts import FEWEST_PICTURES, PartAp
from maskrcnn.inference.model_cards.card_parts import (
    SIZE_WORDS,
    LabelledPictures,
    LearnedFrom,
    Measured,
    Overlap,
    Shipped,
    TrainingFacts,
)
from maskrcnn.words import counted, quoted_list

LOW_AP = 0.2
"""An AP below this is called low, whatever the AP of the whole set."""

LOW_SHARE = 0.6
"""An AP below this part of the AP of the whole set is called low."""

FEW_OBJECTS = 10
"""Fewer objects than this say little about how well their kind is found."""

MOST_LOW = 3
"""Maximum number of classes with a low AP that have a sentence of their own."""

FEW_LEARNED = 5
"""A class with fewer objects to learn from is hardly learned, as `runs.readiness` warns."""


def limits(
    learned: LearnedFrom,
    measured: Measured | None,
    overlap: Overlap | None,
    training: TrainingFacts,
    shipped: Shipped | None,
) -> tuple[str, ...]:
    """The limits of the network of a run, the gravest first."""
    lines = [shipped.limits] if shipped else []
    lines += _of_state(training)
    if measured is None:
        lines.append("Nothing was measured on pictures that it did not learn from: how good it is, is not known.")
    if overlap and overlap.alike:
        number = len({name for name, _ in overlap.alike})
        some = "looks like a training picture" if number == 1 else "look like training pictures"
        lines.append(f"{counted(number, 'validation picture')} {some}: AP is too high by an unknown amount.")
    if measured is not None:
        lines += _of_sizes(measured, learned.training)
        lines += _of_classes(measured)
        if measured.caution:
            lines.append(f"{measured.caution[:1].upper()}{measured.caution[1:]}.")
    lines += _of_learning(learned, is_measured=measured is not None)
    return tuple(lines)


def _of_state(training: TrainingFacts) -> Iterator[str]:
    """What it means that a training did not come to its end."""
    if training.state == "training":
        yield "It is still training: all numbers are those of now."
    elif training.state == "failed":
        yield "Its training failed; what it had learned by then was kept."
    elif training.state in ("cancelled", "not finished"):
        yield "Its training did not come to its end; it may get better if it goes on."


def _of_sizes(measured: Measured, learned: LabelledPictures | None) -> Iterator[str]:
    """Sizes of objects that are found badly, or of which little is known."""
    whole = measured.first.figures[0].value
    for part in measured.sizes:
        called = f"{part.name} objects ({SIZE_WORDS[part.name]})"
        if part.ap is None:
            if learned is not None and getattr(learned, part.name) == 0:
                yield f"It has seen no {called}, in training or in validation: do not expect it to find any."
            else:
                yield f"No validation picture has {called}: nothing is known about them."
        elif is_low(part.ap, whole):
            yield f"AP of {called} is {part.ap:.3f}{_interval(part)} of {_objects(part)}: do not rely on finding them."
        elif part.objects < FEW_OBJECTS:
            yield f"AP of {called} stands on only {_objects(part)}: it says little."


def _of_classes(measured: Measured) -> Iterator[str]:
    """Classes that are found badly, or of which little is known."""
    if len(measured.classes) < 2:
        return
    whole = measured.first.figures[0].value
    if unknown := tuple(part.name for part in measured.classes if part.ap is None):
        is_, class_, them = ("is", "class", "it") if len(unknown) == 1 else ("are", "classes", "them")
        yield f"The {class_} {quoted_list(unknown)} {is_} on no validation picture: nothing is known about {them}."
    low = sorted((part for part in measured.classes if is_low(part.ap, whole)), key=lambda part: part.ap or 0)
    for part in low[:MOST_LOW]:
        yield f'AP of "{part.name}" is {part.ap:.3f}{_interval(part)} of {_objects(part)}: often missed or wrong.'
    if (more := len(low) - MOST_LOW) > 0:
        yield f"{counted(more, 'more class has', 'more classes have')} a low AP as well."
    few = tuple(
        part.name
        for part in measured.classes
        if part.ap is not None and part.pictures < FEWEST_PICTURES and not is_low(part.ap, whole)
    )
    if few:
        stands = "stands" if len(few) == 1 else "stand"
        yield f"AP of {quoted_list(few)} {stands} on fewer than {FEWEST_PICTURES} pictures: it says little."


def is_low(ap: float | None, whole: float | None) -> bool:
    """Whether the AP of a part is low, compared with the AP of the whole set.

    >>> is_low(0.05, 0.5), is_low(0.45, 0.5), is_low(0.15, 0.15), is_low(None, 0.5)
    (True, False, True, False)
    """
    return ap is not None and (ap < LOW_AP or (whole is not None and ap < LOW_SHARE * whole))


def _of_learning(learned: LearnedFrom, is_measured: bool) -> Iterator[str]:
    """What the pictures do not show."""
    training = learned.training
    if training is not None:
        if training.pictures == 1:
            yield "It learned from one picture: it knows that one by heart."
        few = tuple(row.name for row in training.classes if row.objects < FEW_LEARNED)
        if few:
            has = "has" if len(few) == 1 else "have"
            yield f"{quoted_list(few)} {has} fewer than {FEW_LEARNED} objects to learn from."
        if training.pictures > 1 and not training.negatives:
            yield "Every picture that it learned from has an object: on pictures without any, expect wrong detections."
    if is_measured and learned.validation is not None and not learned.validation.negatives:
        yield "No validation picture is without an object: how often it sees something where nothing is, is not known."


def _objects(part: PartAp) -> str:
    return f"{counted(part.objects, 'object')} on {counted(part.pictures, 'picture')}"


def _interval(part: PartAp) -> str:
    return f" [{part.interval[0]:.3f}, {part.interval[1]:.3f}]" if part.interval else ""
