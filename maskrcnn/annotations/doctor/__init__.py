"""The dataset doctor: finds and fixes problems in labels and pictures that make training worse.

`examine` returns findings, `apply` returns a new dataset with their fixes. If a problem has several possible fixes, or
a fix deletes something, the user selects one (`choose`). These functions write no files. The page stores the fixed
dataset in the project (with undo); the command writes it to a new file.
"""

from maskrcnn.annotations.doctor.applying_fixes import apply, choose
from maskrcnn.annotations.doctor.findings import CHECKS, Check, Finding, Fix, Severity
from maskrcnn.annotations.doctor.picture_notes import PictureFileNotes
from maskrcnn.annotations.doctor.running_checks import examine

__all__ = ["CHECKS", "Check", "Finding", "Fix", "PictureFileNotes", "Severity", "apply", "choose", "examine"]
