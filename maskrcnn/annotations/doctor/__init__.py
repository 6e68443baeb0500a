"""The dataset doctor: what in the labels or pictures of a dataset hurts training, and how to mend it.

`examine` finds, `apply` mends what is surely a fault; where labels can be read in several ways, or a mend takes
something away, a person chooses (`choose`). None of them writes anything: a page shows findings and stores what was
mended in a project, where it can be undone; the command writes it to another file.
"""

from maskrcnn.annotations.doctor.applying_fixes import apply
from maskrcnn.annotations.doctor.examination import examine
from maskrcnn.annotations.doctor.findings import CHECKS, Check, Finding, Fix, Severity, choose
from maskrcnn.annotations.doctor.picture_checks import Look

__all__ = ["CHECKS", "Check", "Finding", "Fix", "Look", "Severity", "apply", "choose", "examine"]
