"""The networks that can say which picture to label next, the best choice first."""

from __future__ import annotations

from contextlib import suppress

from maskrcnn.annotations.store import Project
from maskrcnn.errors import StudioError
from maskrcnn.runs.best_epoch import best_epoch
from maskrcnn.runs.folder import RunFolder
from maskrcnn.studio.annotate.hints import networks
from maskrcnn.studio.annotate.hints.networks import Network


def offered(project: Project) -> list[Network]:
    """Return the networks of a project: its own runs, the one with the highest AP first, then the models that ship.

    Of runs with the same AP, or without one, the newest comes first.
    """
    return sorted(networks.networks_of(project), key=lambda network: _rank(project, network))


def _rank(project: Project, network: Network) -> tuple[int, float]:
    """Return what networks are sorted by: own runs first, then the AP."""
    if network.kind == "shipped":
        return 1, 0.0
    with suppress(StudioError, OSError):
        best = best_epoch(RunFolder(project.runs_folder / network.name).epochs())
        return 0, -(best.score or 0.0) if best else 0.0
    return 0, 0.0
