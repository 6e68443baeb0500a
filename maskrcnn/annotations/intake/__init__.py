"""The import of files, folders and zips that a person drops: unpacked safely, read, and shown before it is stored."""

from maskrcnn.annotations.intake.staged_import import MOST_CLASSES, Staged, Upload, stage_path, stage_uploads

__all__ = ["MOST_CLASSES", "Staged", "Upload", "stage_path", "stage_uploads"]
