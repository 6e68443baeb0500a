"""Choose fixes of findings, and apply them to a dataset."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from maskrcnn.annotations.dataset import Dataset, ImageRecord
from maskrcnn.annotations.doctor import outside_picture, shape_repairs, turning_and_scaling
from maskrcnn.annotations.doctor.findings import Finding, Fix
from maskrcnn.annotations.regions import Rect, Region, Shape
from maskrcnn.errors import ArgumentError, StudioError

Fixes = dict[str, Fix]
"""The fixes of one region or picture: {action: fix}."""


def choose(findings: Iterable[Finding], wanted: Mapping[str, str]) -> list[Finding]:
    """Return the findings with the chosen fixes. `wanted`: {check: option}.

    Raises `ArgumentError` for a check or an option that no finding offers.
    """
    found, taken = [], set()
    offered: dict[str, dict[str, None]] = {}
    for finding in findings:
        for choice in finding.choices:
            offered.setdefault(finding.check, {})[choice.option_name] = None
        option = wanted.get(finding.check)
        chosen = finding.chosen(option) if option is not None else None
        if chosen is not None:
            taken.add(finding.check)
        found.append(chosen or finding)
    for check, option in wanted.items():
        if check not in taken:
            there = [f"{name}={known}" for name, options in offered.items() for known in options]
            mend = f"choose of {', '.join(there)}" if there else "there is nothing to choose"
            raise ArgumentError(f"{check}={option}: no finding offers that; {mend}")
    return found


def apply(dataset: Dataset, findings: Iterable[Finding]) -> Dataset:
    """Return a new dataset with the fixes of these findings. Findings without a chosen fix are ignored.

    The order of the findings does not matter: pictures are left out first, then labels are rotated or scaled, then
    shapes are repaired, then regions are dropped and renamed. Misspelt class names that no region uses any more are
    removed from `classes`. Unchanged records are not copied. Raises `StudioError` if a picture or region of a finding
    is no longer in the dataset.
    """
    by_picture: dict[int, list[Finding]] = {}
    for finding in findings:
        if finding.fix is not None and finding.picture is not None:
            by_picture.setdefault(finding.picture, []).append(finding)

    images: list[ImageRecord] = []
    used: set[str | None] = set()
    slips: set[str | None] = set()
    # Lazy records get new region ids at each access, so regions are found by their number there.
    by_id = isinstance(dataset.images, tuple | list)
    for number, record in enumerate(dataset.images):
        on_picture, on_regions = _fixes_by_place(record, by_picture.pop(number, []), dataset, by_id)
        slips |= {record.regions[place].class_name for place, fixes in on_regions.items() if "rename" in fixes}
        if "leave-out" not in on_picture:
            images.append(_with_fixes(record, on_picture, on_regions))
            used |= {region.class_name for region in images[-1].regions}
    for left in by_picture.values():
        raise _dataset_changed(dataset, left[0])
    kept = [name for name in dataset.classes if name in used or name not in slips]
    new = sorted(name for name in used if name is not None and name not in dataset.classes)
    return replace(dataset, images=tuple(images), classes=(*kept, *new))


def with_picture_fix(record: ImageRecord, fix: Fix | None) -> ImageRecord:
    """Return the record after a fix of its picture (turn, scale or true-size); other fixes are ignored.

    Turn and scale remove the file size, because it belongs to another file.
    """
    if fix is None:
        return record
    if fix.action == "turn":
        orientation, width, height = fix.value
        regions = tuple(turning_and_scaling.turned(region, orientation, (width, height)) for region in record.regions)
        return replace(record, regions=regions, width=height, height=width, file_size=None)
    if fix.action == "scale":
        old_width, old_height, width, height = fix.value
        factors = width / old_width, height / old_height
        regions = tuple(turning_and_scaling.scaled(region, factors, (width, height)) for region in record.regions)
        return replace(record, regions=regions, width=width, height=height, file_size=None)
    if fix.action == "true-size":
        width, height, size = fix.value
        return replace(
            record,
            width=record.width if width is None else width,
            height=record.height if height is None else height,
            file_size=size,
        )
    return record


def _fixes_by_place(
    record: ImageRecord, findings: list[Finding], dataset: Dataset, by_id: bool
) -> tuple[Fixes, dict[int, Fixes]]:
    """Sort findings into the fixes of the picture, and {index of the region (from 0): its fixes}.

    A "drop-other" fix of one region drops another region, so it becomes a "drop" fix of that other region.
    """
    on_picture: Fixes = {}
    on_regions: dict[int, Fixes] = {}
    places = {region.id: place for place, region in enumerate(record.regions)} if by_id else {}
    for finding in findings:
        assert finding.fix is not None
        if finding.file_name != record.file_name:
            raise _dataset_changed(dataset, finding)
        if finding.region_number is None:
            on_picture[finding.fix.action] = finding.fix
            continue
        place = places.get(finding.region_id or "", -1) if by_id else finding.region_number - 1
        if not 0 <= place < len(record.regions):
            raise _dataset_changed(dataset, finding)
        if finding.fix.action == "drop-other":
            other_number, other_id = finding.fix.value
            other_place = places.get(other_id, -1) if by_id else other_number - 1
            if not 0 <= other_place < len(record.regions):
                raise _dataset_changed(dataset, finding)
            on_regions.setdefault(other_place, {})["drop"] = finding.fix
            continue
        on_regions.setdefault(place, {})[finding.fix.action] = finding.fix
    return on_picture, on_regions


def _with_fixes(record: ImageRecord, on_picture: Fixes, on_regions: dict[int, Fixes]) -> ImageRecord:
    """Return the record with these fixes."""
    for action in ("turn", "scale", "true-size"):
        record = with_picture_fix(record, on_picture.get(action))
    if not on_regions:
        return record
    regions = (_region_with_fixes(region, on_regions.get(place, {})) for place, region in enumerate(record.regions))
    return replace(record, regions=tuple(region for region in regions if region is not None))


def _region_with_fixes(region: Region, fixes: Fixes) -> Region | None:
    """Return the region with these fixes; None if it is dropped."""
    if "drop" in fixes:
        return None
    shape = _shape_with_fixes(region.shape, fixes)
    if shape is None:
        return None
    region = shape_repairs.with_shape(region, shape, region.keypoints)
    if "clamp" in fixes:
        region = outside_picture.clamped(region, fixes["clamp"].value)
    if "label-keypoints" in fixes:
        region = shape_repairs.with_labelled_keypoints(region)
    if "make-object" in fixes:
        region = replace(region, iscrowd=False)
    return replace(region, class_name=fixes["rename"].value) if "rename" in fixes else region


def _shape_with_fixes(shape: Shape, fixes: Fixes) -> Shape | None:
    """Return the shape with these fixes; None if nothing is left of it.

    "clip", "fill" and "untangle" all draw the outline anew, so this is done once: with "fill" by the nonzero rule, and
    with "clip" inside the picture only.
    """
    by_nonzero_rule = "fill" in fixes
    if "close" in fixes:
        shape = shape_repairs.closed(shape) or shape
    if "corners" in fixes:
        shape = Rect(*fixes["corners"].value)
    if "box" in fixes:
        shape = shape_repairs.boxed(shape) or shape
    if "clip" in fixes:
        return outside_picture.clipped(shape, fixes["clip"].value, nonzero=by_nonzero_rule)
    if by_nonzero_rule or "untangle" in fixes:
        return shape_repairs.redrawn(shape, nonzero=by_nonzero_rule)
    return shape


def _dataset_changed(dataset: Dataset, finding: Finding) -> StudioError:
    """Return the error for a finding whose picture or region is no longer in the dataset."""
    source = dataset.source or "the dataset"
    return StudioError(f'{source}: "{finding.file_name}" has changed since it was examined; examine it again')
