"""The labelled pictures of a project, which are the ones that training uses."""

from __future__ import annotations

from dataclasses import replace

from maskrcnn.annotations import learnable_objects
from maskrcnn.annotations.progress_callback import Progress
from maskrcnn.annotations.regions import Dataset
from maskrcnn.annotations.store import Project, Split


def labelled(project: Project, split: Split | None = None) -> Dataset:
    """The pictures of a split (None: of both) that have regions, or that somebody marked as done and therefore mean to
    be empty.

    A picture that nobody has labelled yet would teach that everything on it is background.
    """
    finished = {image.file_name for image in project.images(split) if image.n_regions or image.done}
    dataset = project.dataset(split)
    return replace(dataset, images=tuple(record for record in dataset.images if record.file_name in finished))


def learned_of(
    project: Project, *, outlines: bool = True, progress: Progress | None = None
) -> learnable_objects.Learned:
    """What a project holds to learn from, both splits together: of its labelled pictures, with how many wait."""
    dataset = labelled(project)
    waiting = len(project.images()) - len(dataset.images)
    return replace(learnable_objects.tally(dataset.images, outlines=outlines, progress=progress), waiting=waiting)
