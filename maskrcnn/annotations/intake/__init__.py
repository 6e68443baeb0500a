"""Import of files, folders and zips that the user uploads or names: unpacked safely, read, and shown before they are
stored."""

from maskrcnn.annotations.intake.staged_import import MOST_CLASSES, Staged, Upload, stage_path, stage_uploads

__all__ = ["MOST_CLASSES", "Staged", "Upload", "stage_path", "stage_uploads"]
