"""Create the content of a new project: the sample project, or labels and pictures that the user named."""

from __future__ import annotations

from pathlib import Path

from maskrcnn.annotations import read, similar_class_names
from maskrcnn.annotations.dataset import SPLITS, Dataset
from maskrcnn.annotations.intake import Staged
from maskrcnn.annotations.store import ImportReport, Project
from maskrcnn.errors import StudioError
from maskrcnn.install_folders import DATA
from maskrcnn.runs import shipped_models

SAMPLE = DATA / "shapes"
SAMPLE_NAME = "shapes"

_MOST_ALIKE = 6
"""Maximum number of lines about classes with similar names."""


def make_sample(folder: Path) -> None:
    """Create the sample project in the new folder `folder`: pictures, labels and the run of a shipped model."""
    project = Project.create(folder, SAMPLE_NAME)
    for split in SPLITS:
        if (SAMPLE / split).is_dir():
            project.import_dataset(read(SAMPLE / split), split)
    if shipped_models.folder(shipped_models.DEFAULT):  # for curves and predictions without a training
        pictures = {image.file_name: project.picture(image.id) for image in project.images()}
        shipped_models.copy_into(project.runs_folder, shipped_models.DEFAULT, pictures)


def make_of_labels(folder: Path, name: str, dataset: Dataset) -> tuple[ImportReport, tuple[str, ...]]:
    """Create a project with the name `name` from a dataset, in the new folder `folder`.

    Returns the report of the import, and a line for each class whose name is similar to that of another class.
    """
    project = Project.create(folder, name)
    report = project.import_dataset(dataset, None)
    alike = similar_class_names.similar_classes_of_import(project.counts().classes, {})
    return report, tuple(
        f'class "{odd}" looks like "{intended}", and to training two names are two classes; if they are one, '
        "merge them under Dataset > Classes"
        for odd, intended in list(alike.items())[:_MOST_ALIKE]
    )


def check_new_project(staged: Staged, path: Path) -> None:
    """Check that a new project can be created from the labels and pictures that the user named.

    Raises `StudioError` with the path and advice if there are no pictures, if none of the pictures is found, or if
    there are far too many classes.
    """
    staged.require_few_classes()
    if staged.near:
        mend = "make a project and import this there, where pictures of nearly the same name can be taken"
    else:
        mend = "put what is missing beside the labels"
    if found_none := staged.found_none_message():
        raise StudioError(f"{path}: {found_none}; {mend}")
    if not staged.dataset.images:
        raise StudioError(f"{path}: names no pictures; give labels with their pictures, or pictures")
    if all(record.path is None for record in staged.dataset.images):
        missing = len(staged.missing)
        which = "its picture was not" if missing == 1 else f"none of its {missing:,} pictures was"
        raise StudioError(f"{path}: {which} found; {mend}")
