"""What a new project holds: the sample that ships with the studio, or labels and pictures that a person named."""

from __future__ import annotations

from pathlib import Path

from maskrcnn.annotations import read
from maskrcnn.annotations.doctor import class_name_checks
from maskrcnn.annotations.intake import Staged
from maskrcnn.annotations.regions import Dataset
from maskrcnn.annotations.store import SPLITS, ImportReport, Project
from maskrcnn.errors import StudioError
from maskrcnn.install_folders import DATA
from maskrcnn.runs import shipped_models

SAMPLE = DATA / "shapes"
SAMPLE_NAME = "shapes"

_MOST_ALIKE = 6
"""Classes that look like another one and are named one by one."""


def make_sample(folder: Path) -> None:
    """Make the sample project in a folder that does not exist: pictures, labels, and the run of a model that ships."""
    project = Project.create(folder, SAMPLE_NAME)
    for split in SPLITS:
        if (SAMPLE / split).is_dir():
            project.import_dataset(read(SAMPLE / split), split)
    if shipped_models.folder(shipped_models.DEFAULT):  # curves and predictions before anyone has trained
        pictures = {image.file_name: project.picture(image.id) for image in project.images()}
        shipped_models.copy_into(project.runs_folder, shipped_models.DEFAULT, pictures)


def make_of_labels(folder: Path, name: str, dataset: Dataset) -> tuple[ImportReport, tuple[str, ...]]:
    """Make a project called `name` of a dataset, in a folder that does not exist: the report of the import, and a line
    for each class whose name looks like that of another one."""
    project = Project.create(folder, name)
    report = project.import_dataset(dataset, None)
    alike = class_name_checks.of_import(project.counts().classes, {})
    return report, tuple(
        f'class "{odd}" looks like "{intended}", and to training two names are two classes; if they are one, '
        "merge them under Dataset > Classes"
        for odd, intended in list(alike.items())[:_MOST_ALIKE]
    )


def require_usable(staged: Staged, path: Path) -> None:
    """`StudioError` naming the path and the mend for labels that make no project: without pictures, with none of their
    pictures found, or with far too many classes."""
    staged.require_few_classes()
    if staged.near:
        mend = "make a project and import this there, where pictures of nearly the same name can be taken"
    else:
        mend = "put what is missing beside the labels"
    if found_none := staged.none_found():
        raise StudioError(f"{path}: {found_none}; {mend}")
    if not staged.dataset.images:
        raise StudioError(f"{path}: names no pictures; give labels with their pictures, or pictures")
    if all(record.path is None for record in staged.dataset.images):
        missing = len(staged.missing)
        which = "its picture was not" if missing == 1 else f"none of its {missing:,} pictures was"
        raise StudioError(f"{path}: {which} found; {mend}")
