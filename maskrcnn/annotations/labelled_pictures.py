"""The labelled pictures of a project. Training uses only these."""

from __future__ import annotations

from dataclasses import replace

from maskrcnn.annotations import learnable_objects
from maskrcnn.annotations.progress_callback import Progress
from maskrcnn.annotations.regions import Dataset, Split
from maskrcnn.annotations.store import Project


def labelled(project: Project, split: Split | None = None) -> Dataset:
    """Return the labelled pictures of a split (None: of both splits).

    A picture is labelled if it has regions or is marked as done. A picture that is done and has no regions is meant to
    be empty. An unlabelled picture is left out, because the model would learn that all of it is background.
    """
    finished = {image.file_name for image in project.images(split) if image.n_regions or image.done}
    dataset = project.dataset(split)
    return replace(dataset, images=tuple(record for record in dataset.images if record.file_name in finished))


def learned_of(
    project: Project, *, outlines: bool = True, progress: Progress | None = None
) -> learnable_objects.Learned:
    """Count the objects that training uses in a project, over both splits.

    `Learned.waiting` is the number of pictures that are left out because they are not labelled yet.
    """
    dataset = labelled(project)
    waiting = len(project.images()) - len(dataset.images)
    return replace(learnable_objects.tally(dataset.images, outlines=outlines, progress=progress), waiting=waiting)
