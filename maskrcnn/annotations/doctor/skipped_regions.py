"""Findings about regions that training skips although they have a class: crowds, lines and points."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from maskrcnn.annotations.doctor import shape_repairs
from maskrcnn.annotations.doctor.findings import DROP_REGION, Finding, Fix, Symptom
from maskrcnn.annotations.doctor.picture_notes import PictureNotes
from maskrcnn.annotations.regions import Polyline, Shape
from maskrcnn.words import counted


def crowd() -> Symptom:
    """Return the symptom of a region that is skipped as a crowd. The user may make it an object."""
    make = Fix("make it an object", "make-object")
    return Symptom("crowd", "hint", "it marks a crowd and is not learned", None, (make,))


def skipped_line_or_point(shape: Shape) -> Symptom:
    """Return the symptom of a region that is skipped as a line or a point. A line may be meant as an outline."""
    if isinstance(shape, Polyline):
        words = f"it is a line of {counted(len(shape.points), 'point')}"
        close = Fix("close the line: it becomes the outline of an area", "close")
        can_close = shape_repairs.closed(shape) is not None
        return Symptom("line-or-point", "hint", words, None, (close, DROP_REGION) if can_close else (DROP_REGION,))
    return Symptom("line-or-point", "hint", "it is a point", None, (DROP_REGION,))


def with_consequences(found: list[Finding], noted: list[PictureNotes]) -> list[Finding]:
    """Return the findings, with the consequences of skipped crowds, lines and points added to their text.

    Such a finding becomes a warning if its class has no object at all, or if its picture has no object and is used as
    background.
    """
    n_objects: Counter[str | None] = Counter()  # by class
    for entry in noted:
        n_objects += entry.objects

    def with_consequence(finding: Finding) -> Finding:
        if finding.check not in ("crowd", "line-or-point") or finding.picture is None:
            return finding
        entry = noted[finding.picture]
        assert finding.region_number is not None
        name = entry.skipped_classes.get(finding.region_number)
        words, severity = finding.what, finding.severity
        if name is not None and not n_objects[name]:
            words, severity = f'{words}; no region of "{name}" is learned', "warning"
        if not entry.objects:
            words, severity = f"{words}; the picture has nothing else and is learned as background", "warning"
        return replace(finding, what=words, severity=severity)

    return [with_consequence(finding) for finding in found]
