"""Networks look at the pictures of projects in the background: features and suggestions, kept in the project.

Each project has one thread at most, with one network. It goes on when the page is left. What it worked out is kept
picture by picture, with the state of the checkpoint: nothing is computed twice, and a restart loses nothing.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain, zip_longest

import numpy as np

from maskrcnn.annotations import pictures
from maskrcnn.annotations.hints.box_outline import HintStopped
from maskrcnn.annotations.store import KeptLook, Project, StoredImage
from maskrcnn.errors import StudioError
from maskrcnn.studio.annotate.hints import networks
from maskrcnn.studio.annotate.hints.jobs import Job
from maskrcnn.studio.annotate.hints.networks import Network
from maskrcnn.words import one_line

_MOST_FAULTS = 100
"""Maximum number of pictures that cannot be read of which a work remembers why."""


@dataclass
class Looking:
    """The work of one network on pictures of a project: `done` of `total` pictures.

    `faults` has one line for each picture that cannot be read.
    """

    network: Network
    total: int
    job: Job
    done: int = 0
    faults: list[str] = field(default_factory=list)
    _began: float | None = None

    @property
    def is_running(self) -> bool:
        """Whether it goes on."""
        return self.job.state == "working"

    @property
    def problem(self) -> str | None:
        """One line why it ended before the last picture; None if nothing went wrong."""
        return self.job.message

    @property
    def seconds_left(self) -> float | None:
        """Estimate of the time that is left; None before the first picture is done."""
        if self._began is None or not self.done:
            return None
        return (time.monotonic() - self._began) / self.done * (self.total - self.done)

    def begin(self) -> None:
        """The network is loaded: the time of the pictures begins."""
        if self._began is None:
            self._began = time.monotonic()


_works: dict[str, Looking] = {}
_guard = threading.Lock()


def unlabelled(images: Sequence[StoredImage]) -> list[StoredImage]:
    """Return the pictures that nobody has labelled: without a region, and not marked as done."""
    return [image for image in images if not image.n_regions and not image.done]


def start(project: Project, network: Network) -> Looking:
    """Have a network look at all pictures of a project that it has not seen in this state. Return the work.

    Another work for the project is stopped first. Pictures with and without labels take turns, in a random order: so
    what is there can be ranked at any time.
    """
    images = project.images()
    ready = project.looked_at(network.key, network.state)
    waiting = [image for image in images if image.id not in ready]
    random.Random(0).shuffle(waiting)
    bare = unlabelled(waiting)
    is_bare = {image.id for image in bare}
    others = [image for image in waiting if image.id not in is_bare]
    turns = [image for image in chain.from_iterable(zip_longest(bare, others)) if image is not None]
    with _guard:
        before = _works.get(_key(project))
        if before is not None and before.is_running:
            if before.network == network and not before.job.stopped():
                return before
            before.job.stop()
        looking = _works[_key(project)] = Looking(network, len(turns), Job(str(project.folder)))
        looking.job.begin("waiting")
    work = threading.Thread(
        target=looking.job.run,
        args=(lambda job: _look(job, project, looking, turns, is_bare),),
        name="looks",
        daemon=True,
    )
    work.start()
    return looking


def work_of(project: Project) -> Looking | None:
    """Return the work that goes on for a project or ended last; None if there was none since the server started."""
    with _guard:
        return _works.get(_key(project))


def stop(project: Project) -> None:
    """Stop the work for a project after the present picture. What is done stays."""
    work = work_of(project)
    if work is not None:
        work.job.stop()


def _key(project: Project) -> str:
    return str(project.folder.resolve())


def _look(job: Job, project: Project, looking: Looking, images: Sequence[StoredImage], bare: set[int]) -> None:
    """Look at pictures one after the other, and keep each result.

    A picture that cannot be read is noted, and the rest goes on. Raises `StudioError` if the network was changed.
    """
    from maskrcnn.inference.next_pictures import look
    from maskrcnn.inference.suggestions import detected_regions

    network = looking.network
    for image in images:
        if job.stopped():
            raise HintStopped
        try:
            picture = pictures.load(project.picture(image.id))
        except (StudioError, OSError) as error:
            looking.done += 1
            if len(looking.faults) < _MOST_FAULTS:
                looking.faults.append(one_line(str(error)).replace(f"{project.folder}/", ""))
            continue
        with networks.in_use(network, job) as loaded:
            looking.begin()
            job.begin("looking")
            found = look(loaded.model, picture)
        _require_unchanged(network)
        scores = np.array([entry["score"] for entry in found.detections], np.float32)
        regions = None
        if image.id in bare:
            regions = detected_regions(found.detections, network.classes, stopped=job.stopped)
        project.keep_look(image.id, network.key, network.state, KeptLook(found.features, scores), regions)
        looking.done += 1


def _require_unchanged(network: Network) -> None:
    """Raise `StudioError` if the checkpoint was written again, so that its results belong to another state."""
    try:
        about = network.file.stat()
    except OSError:
        raise StudioError(f"{network.name}: its checkpoint is gone; choose another network") from None
    if (about.st_mtime_ns, about.st_size) != network.stamp:
        raise StudioError(f"{network.name} has learned more meanwhile; look at the pictures again")
