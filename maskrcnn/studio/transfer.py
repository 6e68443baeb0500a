"""Labels and pictures into a project, and labels out of it, as the import and export boxes need them."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from maskrcnn.annotations import Dataset, pictures, read
from maskrcnn.annotations.formats.reading import with_pictures
from maskrcnn.annotations.formats.writing import encode
from maskrcnn.annotations.store import DATABASE, ImportReport, Project, Split
from maskrcnn.errors import ArgumentError, StudioError

Upload = tuple[str, bytes]
"""File name and content."""

FORMATS: dict[str, tuple[str, str]] = {
    "via2": ("VIA 2.x", "{name}-via2.json"),
    "via-project": ("VIA 2.x project", "{name}-via-project.json"),
    "via1": ("VIA 1.x", "{name}-via1.json"),
    "coco": ("COCO", "{name}-coco.json"),
}
"""Format -> its words on a button, and the name of the file."""

UPLOADS: list[str] = ["json", *(suffix.lstrip(".") for suffix in pictures.SUFFIXES)]


def take_uploads(project: Project, uploads: Sequence[Upload], split: Split) -> ImportReport:
    """Import uploaded files: a label file with its pictures, or pictures alone.

    Pictures of the project itself count as well, so labels for them need no second upload. Raises `StudioError` for a
    label file that is not one, and for labels none of whose pictures is there.
    """
    labels = [upload for upload in uploads if upload[0].lower().endswith(".json")]
    images = [upload for upload in uploads if upload not in labels]
    if not uploads:
        raise ArgumentError("no file was chosen; choose a VIA or COCO JSON file, pictures, or both")
    if not labels:
        return project.add_pictures(images, split)
    if len(labels) > 1:
        raise ArgumentError(
            f"{len(labels)} label files at once ({', '.join(name for name, _ in labels)}); import one by one"
        )
    ((name, content),) = labels
    with tempfile.TemporaryDirectory(prefix="maskrcnn-import-") as folder:
        (Path(folder) / "labels.json").write_bytes(content)
        for image_name, data in images:
            (Path(folder) / Path(image_name).name).write_bytes(data)
        dataset = replace(read(Path(folder) / "labels.json"), source=Path(name))
        dataset = with_pictures(dataset, [Path(folder), project.images_folder])
        _require_some_picture(dataset, name, "choose the pictures together with it")
        return project.import_dataset(dataset, split)


def take_path(project: Project, text: str, split: Split) -> ImportReport:
    """Import what a path of this computer names: a label file, a folder with one, or pictures."""
    path = Path(text.strip().strip("\"'")).expanduser()
    if not text.strip() or not path.exists():
        raise ArgumentError(
            f"{text.strip() or 'the path'}: does not exist on this computer; give a folder or a JSON file"
        )
    if path.is_file() and path.suffix.lower() in pictures.SUFFIXES:
        return project.add_pictures([path], split)
    found = (
        sorted(entry for entry in path.iterdir() if entry.suffix.lower() in pictures.SUFFIXES) if path.is_dir() else []
    )
    if found and not any(path.glob("*.json")) and not (path / DATABASE).is_file():
        return project.add_pictures(found, split)
    dataset = read(path)
    _require_some_picture(dataset, str(path), "put them beside it")
    return project.import_dataset(dataset, split)


def exported(project: Project, split: Split | None, format: str) -> bytes:
    """The project's labels as the content of a label file."""
    (content,) = encode(project.dataset(split), format).files.values()
    return content


def _require_some_picture(dataset: Dataset, source: str, mend: str) -> None:
    if dataset.images and all(record.path is None for record in dataset.images):
        first = dataset.images[0].file_name
        raise StudioError(f'{source}: none of its {len(dataset.images)} pictures was found ("{first}", ...); {mend}')
