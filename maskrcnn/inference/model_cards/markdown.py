"""A model card as a Markdown document that is readable as it stands, with front matter for model hubs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from maskrcnn.durations import clock
from maskrcnn.evaluation.analysis.ap_of_parts import PartAp
from maskrcnn.inference.model_cards.card_parts import (
    SIZE_WORDS,
    CardContent,
    Figure,
    LabelledPictures,
    Measured,
    MeasuredKind,
    Overlap,
    Size,
    TrainingFacts,
)
from maskrcnn.inference.model_cards.front_matter import front_matter
from maskrcnn.inference.model_cards.markdown_text import escaped, name, table
from maskrcnn.words import byte_size, counted

MOST_ROWS = 60
"""Maximum number of rows of a table of classes; the JSON document has all."""

_PROSE = 2000
"""Maximum length of a sentence with names in it."""

TO_FILL_IN = "_Fill in._"
"""Where the person writes what no run folder knows."""


def markdown(card: CardContent) -> str:
    """The whole document."""
    sections = [
        front_matter(card),
        [f"# {escaped(card.name)}", "", *_opening(card)],
        ["## What it is", "", *_network(card)],
        ["## What it learned from", "", *_learned(card)],
        ["## How good it is", "", *_quality(card)],
        *([["## Where it fails", "", *_failures(card.measured)]] if card.measured else []),
        *([["## Limits", "", *(f"- {escaped(line, _PROSE)}" for line in card.limits)]] if card.limits else []),
        ["## How it was trained", "", *_training(card.training)],
        ["## Intended use", "", TO_FILL_IN + " Who may use it for what, and for what not?"],
        ["## Licence", "", *_licence(card)],
    ]
    return "\n\n".join("\n".join(lines) for lines in sections) + "\n"


def _opening(card: CardContent) -> Iterator[str]:
    """What it is in a sentence, and its most important figures."""
    yield escaped(card.shipped.what, _PROSE) if card.shipped else escaped(card.network.sentence)
    yield ""
    if card.shipped and card.shipped.kinds:
        yield f"**{_headline(card.shipped.kinds)}** on {escaped(card.shipped.test)}."
    elif card.measured:
        pictures = counted(card.measured.pictures, "validation picture")
        yield f"**{_headline(card.measured.kinds)}** on {pictures}."
    else:
        yield f"**Not measured:** {escaped(card.why_not_measured, _PROSE)}"


def _headline(kinds: Sequence[MeasuredKind]) -> str:
    """The AP of each measure: `mask AP 0.713 [0.690, 0.735], box AP 0.650`."""
    return ", ".join(f"{kind.word} {kind.figures[0].name} {figure_text(kind.figures[0])}" for kind in kinds)


def _network(card: CardContent) -> Iterator[str]:
    network = card.network
    low, high = network.working_sides
    rows = [
        ("network", escaped(network.sentence)),
        ("backbone", name(network.backbone)),
        ("pooling", name(network.pooling)),
        ("tasks", ", ".join(network.tasks)),
        ("classes", _names(network.classes)),
        *([("keypoints", _names(network.keypoints))] if network.keypoints else []),
        ("pictures", f"scaled to {low} px at the shorter side, at most {high} px at the longer one"),
    ]
    if network.parameters is not None:
        rows.append(("parameters", f"{network.parameters:,}"))
    if network.weights is not None and network.bytes is not None:
        rows.append(("weights", f"{name(network.weights)}, {byte_size(network.bytes)}"))
    yield from table(("", ""), rows)


def _learned(card: CardContent) -> Iterator[str]:
    learned = card.learned
    splits = {
        title: found
        for title, found in (("training", learned.training), ("validation", learned.validation))
        if found is not None
    }
    if learned.drawn:
        yield f"{escaped(learned.drawn)}. They were drawn for the training and are not stored, so that the objects of"
        yield "each class were not counted."
        yield ""
    if splits:
        columns = [_set_rows(found) for found in splits.values()]
        rows = [(title, *(column[title] for column in columns)) for title in columns[0]]
        yield from table(("", *splits), rows, numbers=range(1, len(splits) + 1))
        yield ""
        yield from _class_counts(splits)
        yield ""
    if learned.validation is None:
        yield "There were no validation pictures."
        yield ""
    yield f"Initial weights: {escaped(learned.start) if learned.start else 'not known'}."
    yield from _left_out_lines(learned.left_out)
    yield from _overlap_lines(card.overlap)
    if card.shipped and card.shipped.held_apart:
        compared, shared = card.shipped.held_apart
        yield ""
        among = f"{shared:,} {'is' if shared == 1 else 'are'}" if shared else "none is"
        yield f"Of {compared:,} test and validation pictures, {among} among the training pictures."


def _set_rows(found: LabelledPictures) -> dict[str, str]:
    """A column of the table of pictures: title of the row -> text."""
    return {
        "pictures": f"{found.pictures:,}",
        "without objects": f"{found.negatives:,}",
        "objects": f"{found.objects:,}",
        **{f"{size}, {words}": f"{getattr(found, size):,}" for size, words in SIZE_WORDS.items()},
        "crowds (count neither way)": f"{found.crowds:,}",
        "smallest picture": size_text(found.smallest),
        "median sides": size_text(found.median),
        "largest picture": size_text(found.largest),
    }


def _class_counts(splits: Mapping[str, LabelledPictures]) -> Iterator[str]:
    """A table of the objects and pictures of each class, the most common one first."""
    first = next(iter(splits.values()))
    order = sorted(range(len(first.classes)), key=lambda place: (-first.classes[place].objects, place))
    rows = []
    for place in order[:MOST_ROWS]:
        counts = [found.classes[place] for found in splits.values() if place < len(found.classes)]
        cells = [f"{row.objects:,} on {row.pictures:,}" for row in counts]
        rows.append((name(first.classes[place].name), *cells, *[""] * (len(splits) - len(cells))))
    heads = [f"{title}: objects on pictures" for title in splits]
    yield from table(("class", *heads), rows, numbers=range(1, len(heads) + 1))
    yield from _more(len(order) - MOST_ROWS)


def _left_out_lines(left_out: Sequence[str] | None) -> Iterator[str]:
    yield ""
    if left_out is None:
        yield "Whether labels were left out is not known."
    elif not left_out:
        yield "No label was left out."
    else:
        yield "Left out:"
        yield ""
        yield from (f"- {escaped(line, _PROSE)}" for line in left_out)


def _overlap_lines(overlap: Overlap | None) -> Iterator[str]:
    if overlap is None:
        return
    yield ""
    if overlap.compared:
        number = len({val for val, _ in overlap.alike})
        look = "looks" if number == 1 else "look"
        yield (
            f"Of {counted(overlap.compared, 'validation picture')}, {number or 'none'} {look if number else 'looks'} "
            "like a copy of a training picture."
        )
        for val, train in overlap.alike[:10]:
            yield f"- {name(val)} looks like {name(train)}"
        if len(overlap.alike) > 10:
            yield f"- and {counted(len(overlap.alike) - 10, 'more pair')}"
    if overlap.why_not:
        lead = (
            "Some were not compared" if overlap.compared else "Whether validation pictures look like training pictures"
        )
        yield (
            f"{lead}: {escaped(overlap.why_not)}."
            if overlap.compared
            else f"{lead} was not checked: {escaped(overlap.why_not)}."
        )


def _quality(card: CardContent) -> Iterator[str]:
    if card.shipped and card.shipped.kinds:
        yield f"On {escaped(card.shipped.test)}, which it did not learn from:"
        yield ""
        yield from _figure_table(card.shipped.kinds)
        yield ""
    measured = card.measured
    if measured is None:
        yield f"Not measured: {escaped(card.why_not_measured, _PROSE)}"
        return
    pictures = counted(measured.pictures, "validation picture")
    yield f"On {pictures} with {counted(measured.objects, 'object')}, after epoch {measured.epoch}:"
    yield ""
    yield from _figure_table(measured.kinds)
    yield ""
    yield "In brackets: the 95 % interval of the AP over pictures of the same kind."
    if measured.caution:
        yield f"Caution: {measured.caution}."
    if not measured.is_of_weights:
        yield "The detections of the best epoch were not kept: these figures are of another epoch than the weights."
    if (card.training.epochs or 0) > 1:
        yield "The epoch was chosen by its AP on the same pictures, so AP on others is a little lower."
    yield ""
    yield score_sentence(measured)


def score_sentence(measured: Measured) -> str:
    """The score from which detections should be kept, and what to expect of them, in words."""
    score = measured.score
    if score.score is None:
        return f"No score is suggested: {escaped(score.reason or 'nothing was measured')}."
    interval = f" [{score.f1_interval[0]:.3f}, {score.f1_interval[1]:.3f}]" if score.f1_interval else ""
    precision = "–" if score.precision is None else f"{score.precision:.3f}"
    return (
        f"Keep detections from score {score.score:.2f} on (the best F1 on half of the pictures). On the other half "
        f"their precision is {precision}, recall {score.recall or 0:.3f}, F1 {score.f1 or 0:.3f}{interval}."
    )


def _figure_table(kinds: Sequence[MeasuredKind]) -> list[str]:
    heads = [figure.name for figure in kinds[0].figures]
    rows = [(f"{kind.word}", *(figure_text(figure) for figure in kind.figures)) for kind in kinds]
    return table(("", *heads), rows)


def figure_text(figure: Figure) -> str:
    """A figure with its interval: `0.713 [0.690, 0.735]`; a dash if it is not defined."""
    return ap_text(figure.value, figure.interval)


def ap_text(value: float | None, interval: tuple[float, float] | None) -> str:
    """An AP with its interval: `0.713 [0.690, 0.735]`; a dash if it is not defined.

    >>> ap_text(0.7128, (0.69, 0.735)), ap_text(0.5, None), ap_text(None, None)
    ('0.713 [0.690, 0.735]', '0.500', '–')
    """
    if value is None:
        return "–"
    return f"{value:.3f} [{interval[0]:.3f}, {interval[1]:.3f}]" if interval else f"{value:.3f}"


def size_text(size: Size | None) -> str:
    """Width and height of a picture: `640 × 480 px`; a dash if unknown."""
    return "–" if size is None else f"{size[0]:,} × {size[1]:,} px"


def _failures(measured: Measured) -> Iterator[str]:
    word = measured.first.word
    yield f"{word.capitalize()} AP by size of the objects:"
    yield ""
    yield from _parts_table("size", [(f"{part.name}, {SIZE_WORDS[part.name]}", part) for part in measured.sizes])
    yield ""
    if len(measured.classes) > 1:
        yield f"{word.capitalize()} AP by class, the lowest first:"
        yield ""
        order = lowest_first(measured.classes)
        yield from _parts_table("class", [(name(part.name), part) for part in order[:MOST_ROWS]])
        yield from _more(len(order) - MOST_ROWS)
        yield ""
    if measured.errors:
        yield "Kinds of errors at IoU 0.5, of detections with any score:"
        yield ""
        rows = [
            (error.words, f"{error.count:,}", "–" if error.ap_loss is None else f"{error.ap_loss:+.3f}")
            for error in measured.errors
        ]
        yield from table(("error", "number", "AP at this IoU without them"), rows, numbers=(1, 2))
        yield ""
    if measured.worst:
        yield "The worst pictures, at score 0.5 and IoU 0.5:"
        yield ""
        worst = [
            (name(row.name), f"{row.objects:,}", f"{row.tp:,}", f"{row.fp:,}", f"{row.fn:,}", f"{row.f1:.3f}")
            for row in measured.worst
        ]
        yield from table(("picture", "objects", "right", "wrong", "missed", "F1"), worst, numbers=range(1, 6))
    else:
        yield "At score 0.5 and IoU 0.5, no picture has anything wrong."


def lowest_first(parts: Iterable[PartAp]) -> list[PartAp]:
    """Parts by AP, the lowest first; those without an AP come last."""
    return sorted(parts, key=lambda part: (part.ap is None, part.ap or 0.0))


def _parts_table(title: str, rows: Sequence[tuple[str, PartAp]]) -> list[str]:
    cells = [
        (label, ap_text(part.ap, part.interval), f"{part.objects:,}", f"{part.pictures:,}") for label, part in rows
    ]
    return table((title, "AP", "objects", "pictures"), cells, numbers=(2, 3))


def _training(training: TrainingFacts) -> Iterator[str]:
    yield from table(("", ""), [(title, escaped(text, _PROSE)) for title, text in training_facts_rows(training)])
    if training.command:
        yield ""
        yield "The command that makes it again:"
        yield ""
        fence = "`" * (1 + max(2, *(len(run) for run in re.findall("`+", training.command)), 2))
        yield f"{fence}sh"
        yield training.command
        yield fence
    if training.command_note:
        yield ""
        yield training.command_note


def training_facts_rows(training: TrainingFacts) -> Iterator[tuple[str, str]]:
    """The facts of a training as pairs (title, text), not escaped; what the run does not say is left out."""
    yield "state", training.state + (" (ended early: AP rose no more)" if training.stopped_early else "")
    if training.error:
        yield "error", training.error
    if training.started is not None:
        yield "started", f"{datetime.fromtimestamp(training.started, UTC):%Y-%m-%d %H:%M} UTC"
    if training.seconds is not None:
        yield "took", clock(training.seconds)
    if training.machine:
        yield "on", training.machine
    if training.epochs is not None:
        yield "epochs", f"{training.epochs:,}"
    if training.best_epoch is not None:
        by = f", chosen by {training.best_by}" if training.best_by else ", the last one: nothing was measured"
        yield "best epoch", f"{training.best_epoch:,}{by}"
    known = training.versions or {}
    yield "versions", ", ".join(f"{one} {text}" for one, text in known.items()) or "not known"


def _licence(card: CardContent) -> Iterator[str]:
    if card.shipped:
        yield f"{escaped(card.shipped.licence, _PROSE)[:1].upper()}{escaped(card.shipped.licence, _PROSE)[1:]}."
    else:
        yield TO_FILL_IN + " Of the weights, and of the pictures that it learned from."


def _names(names: Sequence[str]) -> str:
    """A list of names; of many, the first."""
    shown = [name(one) for one in names[:MOST_ROWS]]
    return ", ".join(shown) + (f" and {len(names) - MOST_ROWS:,} more" if len(names) > MOST_ROWS else "") or "–"


def _more(number: int) -> list[str]:
    return ["", f"and {counted(number, 'more class', 'more classes')}"] if number > 0 else []
