"""Suggestions of one picture after the other, the next ones ahead of the person.

Each project has one list of pictures that are wanted: the one that is shown, then the next ones. A thread works it off
and ends. A new list replaces the old one, so the work for another network or for pictures that were passed is stopped.
Results are kept in the project, with the state of the network's checkpoint: they are worked out once, and those of a
newer checkpoint replace them.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress

from maskrcnn.annotations.regions import Region
from maskrcnn.annotations.store import Project
from maskrcnn.errors import StudioError
from maskrcnn.studio.annotate.hints import networks
from maskrcnn.studio.annotate.hints.jobs import Job
from maskrcnn.studio.annotate.hints.networks import Network
from maskrcnn.studio.annotate.hints.picture_pixels import pixels_of

MOST_AHEAD = 5
"""Maximum number of pictures that are worked out ahead."""

_KEPT = 200
"""Maximum number of results that are kept in memory."""

_Wanted = tuple[Network, int]


class _Queue:
    """The pictures that are wanted for one project, and the results."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.wanted: tuple[_Wanted, ...] = ()
        self.jobs: OrderedDict[_Wanted, Job] = OrderedDict()
        self.working = False


_queues: dict[str, _Queue] = {}
_guard = threading.Lock()


def suggestions(project: Project, network: Network, image_id: int, ahead: Sequence[int] = ()) -> Job:
    """Return the job that works out the suggestions of a picture, whose result is a tuple of regions.

    `ahead`: ids of the pictures that come next. They and this picture replace what was wanted before.
    """
    queue = _queue_of(project)
    wanted = tuple((network, number) for number in dict.fromkeys((image_id, *ahead[:MOST_AHEAD])))
    with queue.lock:
        _want(queue, wanted)
        for entry in wanted:
            job = queue.jobs.get(entry)
            if job is None or job.state == "stopped" or (job.state == "working" and job.stopped()):
                queue.jobs[entry] = _kept_job(project, *entry) or Job(str(project.folder))
            queue.jobs.move_to_end(entry)
        while len(queue.jobs) > _KEPT:
            queue.jobs.popitem(last=False)
        if not queue.working:
            queue.working = True
            threading.Thread(target=_work, args=(queue, project), name="suggestions", daemon=True).start()
        return queue.jobs[wanted[0]]


def kept(project: Project, network: Network, image_id: int) -> tuple[Region, ...] | None:
    """Return what this state of a network suggests for a picture and nobody has decided, from the project.

    None if it has to be worked out.
    """
    with suppress(StudioError):
        found = project.kept_suggestions(image_id, network.key)
        if found is not None and found.stamp == network.state:
            return found.regions
    return None


def stop(project: Project) -> None:
    """Stop working out suggestions for a project."""
    queue = _queue_of(project)
    with queue.lock:
        _want(queue, ())


def again(project: Project, network: Network, image_id: int) -> None:
    """Forget a failed result, so that the next request tries again."""
    queue = _queue_of(project)
    with queue.lock:
        job = queue.jobs.get((network, image_id))
        if job is not None and job.state == "failed":
            del queue.jobs[(network, image_id)]


def _queue_of(project: Project) -> _Queue:
    with _guard:
        return _queues.setdefault(str(project.folder.resolve()), _Queue())


def _want(queue: _Queue, wanted: tuple[_Wanted, ...]) -> None:
    """Replace the list of wanted pictures, and stop the work for others."""
    queue.wanted = wanted
    for entry, job in queue.jobs.items():
        if entry not in wanted and job.state == "working":
            job.stop()


def _work(queue: _Queue, project: Project) -> None:
    """Work off the wanted pictures, the first one that is not ready first."""
    while True:
        with queue.lock:
            waiting = [entry for entry in queue.wanted if queue.jobs[entry].state == "working"]
            if not waiting:
                queue.working = False
                return
            network, image_id = waiting[0]
            job = queue.jobs[waiting[0]]
        job.run(lambda job, network=network, image_id=image_id: _suggest_and_keep(job, project, network, image_id))  # type: ignore[misc]


def _kept_job(project: Project, network: Network, image_id: int) -> Job | None:
    """Return a job that is done, if the project has what it would work out."""
    regions = kept(project, network, image_id)
    return None if regions is None else Job.ended(str(project.folder), regions)


def _suggest_and_keep(job: Job, project: Project, network: Network, image_id: int) -> tuple[Region, ...]:
    """Run the network on one picture, and keep what it suggests in the project."""
    regions = _suggest(job, project, network, image_id)
    with suppress(StudioError):  # on a full or read-only disk they are shown all the same
        project.keep_suggestions(network.key, {image_id: regions}, network.state)
    return regions


def _suggest(job: Job, project: Project, network: Network, image_id: int) -> tuple[Region, ...]:
    """Run the network on one picture."""
    from maskrcnn.inference.suggestions import suggested_regions

    picture = pixels_of(project.picture(image_id))
    with networks.in_use(network, job) as loaded:
        job.begin("looking for objects")
        return tuple(suggested_regions(loaded.model, picture, progress=job.progress, stopped=job.stopped))
