"""The model card of a run: what the network is, what it learned from, how good it is, where it fails. No torch.

Everything is read from the run folder: its labels, detections, metrics and documents. The figures are those of the
Evaluation page and of `python -m maskrcnn evaluate` on the validation pictures.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from maskrcnn.config import MEASURES
from maskrcnn.errors import StudioError
from maskrcnn.evaluation.measures import KINDS
from maskrcnn.evaluation.ranking_ap import FIGURES
from maskrcnn.inference.model_cards import markdown
from maskrcnn.inference.model_cards.card_parts import (
    CardContent,
    Figure,
    MeasuredKind,
    Shipped,
)
from maskrcnn.inference.model_cards.learned_labels import learned_from
from maskrcnn.inference.model_cards.limits import limits
from maskrcnn.inference.model_cards.measured_quality import measured_epoch, measured_quality
from maskrcnn.inference.model_cards.network_facts import network_facts
from maskrcnn.inference.model_cards.picture_overlap import picture_overlap
from maskrcnn.inference.model_cards.training_facts import training_facts
from maskrcnn.runs import shipped_models
from maskrcnn.runs.folder import CONFIG, RunFolder
from maskrcnn.words import one_line

FORMAT = "mask-rcnn-studio-card/1"
"""What `to_json` writes as `format`; a later version with other fields has another number."""

Progress = Callable[[int, int], None]
"""A callback (done, total)."""


class ModelCard(CardContent):
    """A model card: its parts, and how they are written."""

    def markdown(self) -> str:
        """The card as a Markdown document with YAML front matter, as model hubs expect it."""
        return markdown.markdown(self)

    def to_json(self) -> dict[str, Any]:
        """The card as a JSON document. Names are as they are in the run; a figure that is not defined is null."""
        return {"format": FORMAT, **_as_json(asdict(self))}


def model_card(run: RunFolder, progress: Progress | None = None) -> ModelCard:
    """Return the model card of a run, of a bundle that was opened, or of a shipped model.

    Runs that are not finished, failed or have no validation pictures have a card too; it says what is missing.
    `progress(done, total)` is called now and then: intervals take a moment. Raises `StudioError` (one line) if the run
    has not begun, or its labels or configuration are damaged.

    >>> from maskrcnn.runs import shipped_models
    >>> card = model_card(RunFolder(shipped_models.FOLDER / "toy"))
    >>> card.measured.pictures, card.learned.validation.objects, card.network.classes[0]
    (12, 71, 'circle')
    """
    if not run.has(CONFIG):
        raise StudioError(
            f"{run.path} has not begun, so there is nothing to describe; its card comes with its training"
        )
    config, dataset, about = run.config(), run.dataset(), shipped_models.card_in(run.path)
    shipped = _shipped(about) if about else None
    network = network_facts(run, config)
    learned = learned_from(run, dataset)
    overlap = picture_overlap(run, dataset, _half(progress, 0))
    training = training_facts(run, config, about.get("command", "") if about else "")
    measured, why_not = None, "there were no validation pictures."
    if learned.validation is not None:
        epoch = measured_epoch(run, network.epoch)
        why_not = "no epoch has finished yet."
        if epoch is not None:
            try:
                is_of_weights = epoch == (network.epoch or training.best_epoch or epoch)
                measured = measured_quality(run, config, dataset["val"], epoch, is_of_weights, _half(progress, 1))
                why_not = ""
            except StudioError as error:
                why_not = f"{one_line(str(error)).replace(str(run.path), run.name)}."
    return ModelCard(
        name=run.name,
        network=network,
        learned=learned,
        overlap=overlap,
        measured=measured,
        why_not_measured=why_not,
        training=training,
        limits=limits(learned, measured, overlap, training, shipped),
        shipped=shipped,
    )


def _half(progress: Progress | None, number: int) -> Progress | None:
    """A progress callback for half `number` (0 or 1) of the work."""
    if progress is None:
        return None
    return lambda done, total: progress(round(1000 * (number + done / max(total, 1))), 2000)


def _shipped(about: shipped_models.Card) -> Shipped:
    """What the card of a shipped model says of it."""
    ap, edges, apart = about.get("ap") or {}, about.get("intervals") or {}, about.get("held_apart")
    kinds = []
    for kind in sorted(KINDS, key=list(MEASURES).index):  # masks first
        if values := ap.get(kind):
            own = edges.get(kind) or {}
            figures = tuple(Figure(name, values.get(name), _pair(own.get(name))) for name in FIGURES)
            kinds.append(MeasuredKind(kind, MEASURES[kind], figures))
    return Shipped(
        name=about["name"],
        what=about["what"],
        test=shipped_models.toy_pictures_words(about["test"]),
        kinds=tuple(kinds),
        held_apart=(apart["pictures"], apart["shared"]) if apart else None,
        limits=about["limits"],
        licence=about.get("licence", ""),
    )


def _pair(edges: list[float] | None) -> tuple[float, float] | None:
    return None if edges is None else (edges[0], edges[1])


def _as_json(value: Any) -> Any:
    """A value of JSON: tuples become lists."""
    if isinstance(value, dict):
        return {name: _as_json(part) for name, part in value.items()}
    return [_as_json(part) for part in value] if isinstance(value, list | tuple) else value
