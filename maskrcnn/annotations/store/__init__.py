"""The project store: a project's pictures and labels in a folder with a database. Other code uses only `Project`."""

from maskrcnn.annotations.store.class_rows import ProjectClass
from maskrcnn.annotations.store.database_errors import ProjectBusy
from maskrcnn.annotations.store.database_files import DATABASE, is_project
from maskrcnn.annotations.store.importing import ImportReport
from maskrcnn.annotations.store.label_review.decisions import LabelDecision
from maskrcnn.annotations.store.picture_details import Direction, HistoryStep, PictureDetails
from maskrcnn.annotations.store.picture_listing import STATUSES, Counts, PictureCounts, Status, StoredImage
from maskrcnn.annotations.store.picture_rows import StaleSave, UnknownPicture
from maskrcnn.annotations.store.project import Project
from maskrcnn.annotations.store.snapshots import Snapshot
from maskrcnn.annotations.store.suggested.looks import KeptLook
from maskrcnn.annotations.store.suggested.next_list import NextPicture
from maskrcnn.annotations.store.suggested.suggestions import KeptSuggestions

__all__ = [
    "DATABASE",
    "STATUSES",
    "Counts",
    "Direction",
    "HistoryStep",
    "ImportReport",
    "KeptLook",
    "KeptSuggestions",
    "LabelDecision",
    "NextPicture",
    "PictureCounts",
    "PictureDetails",
    "Project",
    "ProjectBusy",
    "ProjectClass",
    "Snapshot",
    "StaleSave",
    "Status",
    "StoredImage",
    "UnknownPicture",
    "is_project",
]
