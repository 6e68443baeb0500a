"""Check that a dataset can be used for training, and fill in the sizes of its pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from maskrcnn.annotations import learnable_objects, pictures, raster
from maskrcnn.annotations.dataset import Dataset, classes_in
from maskrcnn.annotations.formats import missing_pictures
from maskrcnn.annotations.formats.via import missing_class
from maskrcnn.annotations.learnable_objects import has_outline, keypoints_of
from maskrcnn.annotations.progress_callback import Watch, unwatched
from maskrcnn.annotations.regions import Region
from maskrcnn.errors import StudioError


def require_trainable(dataset: Dataset, *, outlines: bool = True, watch: Watch = unwatched) -> Dataset:
    """Check that a dataset can be used for training. Return it with all picture sizes filled in.

    Each picture must exist, be readable completely, and have the size that the label file states (if any). Each region
    with an area must have a class. At least one region must be an object (`learnable_objects.why_not`). With
    `outlines=False` (no masks are learned), keypoints without an outline are objects too. Reads every picture once
    (JPEGs at 1/8 of their size). `watch` wraps the iteration over the pictures, to show a progress bar.

    Raises `StudioError` that names the file, the picture and the correction.
    """
    source = dataset.source or "the dataset"
    is_object = raster.has_area if outlines else learnable_objects.has_box
    for record in dataset.images:
        if record.path is None:
            near = missing_pictures.near_hint(dataset, record.file_name)
            raise StudioError(f'{source}: image "{record.file_name}" not found beside it{near}; pass --images DIR')
        for number, region in enumerate(record.regions, start=1):
            if region.class_name is None and is_object(region.shape):
                raise missing_class.missing_class_error(
                    f'{source}: region {number} of "{record.file_name}"', dataset, region
                )
    checked = []
    with ThreadPoolExecutor() as pool:
        paths = [record.path for record in dataset.images if record.path]
        try:
            sizes = list(watch(pool.map(pictures.check, paths), "reading", len(paths)))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    for record, (width, height) in zip(dataset.images, sizes, strict=True):
        if record.width is not None and (record.width, record.height) != (width, height):
            raise StudioError(
                f'{source}: "{record.file_name}" is {record.width} x {record.height} px there, but {record.path} is '
                f"{width} x {height} px; use the picture that was labelled"
            )
        checked.append(replace(record, width=width, height=height))
    if not any(learnable_objects.objects(record, outlines=outlines) for record in checked):
        raise nothing_to_learn(source, learnable_objects.tally(checked, outlines=outlines))
    classes = (*dataset.classes, *(name for name in classes_in(checked) if name not in dataset.classes))
    return replace(dataset, images=tuple(checked), classes=classes)


def nothing_to_learn(source: object, found: learnable_objects.LearnableCounts) -> StudioError:
    """Return the error for labels without any object; its message gives the reasons and a remedy."""
    why = "; ".join(found.passed_over())
    if not why:
        return StudioError(f"{source}: there is no region to learn from; draw at least one")
    mend = "draw at least one object, or see what the doctor offers: python -m maskrcnn doctor"
    return StudioError(f"{source}: there is no object to learn from: {why}; {mend}")


def require_tasks(dataset: Dataset, tasks: Sequence[str]) -> None:
    """Raise `StudioError` if the labels have nothing for one of the tasks. The message lists the possible tasks.

    Labels without any box pass, because `require_trainable` raises a better message for them.
    """

    def some(holds: Callable[[Region], object]) -> bool:
        return any(holds(region) for record in dataset.images for region in record.regions)

    lacking = []
    if "mask" in tasks and not some(has_outline):
        lacking.append("an outline to learn masks from")
    if "keypoints" in tasks and not some(keypoints_of):
        lacking.append("keypoints to learn")
    if lacking and some(lambda region: learnable_objects.has_box(region.shape)):
        possible = ["box"]
        if some(has_outline):
            possible.append("mask")
        if some(keypoints_of):
            possible.append("keypoints")
        raise StudioError(
            f"{dataset.source or 'the dataset'}: no object has {' or '.join(lacking)}; label some, or learn what there "
            f"is: --tasks {','.join(possible)}"
        )
