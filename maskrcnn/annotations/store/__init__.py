"""The project store: what a week of labelling is trusted to. Pages and commands use `Project` only."""

from maskrcnn.annotations.store.importing import ImportReport
from maskrcnn.annotations.store.project import SPLITS, Project, Split, StaleSave, StoredImage
from maskrcnn.annotations.store.schema import DATABASE
from maskrcnn.annotations.store.table_rows import ProjectClass

__all__ = ["DATABASE", "SPLITS", "ImportReport", "Project", "ProjectClass", "Split", "StaleSave", "StoredImage"]
