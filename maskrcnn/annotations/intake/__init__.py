"""Taking in what a person drops: files, a folder, a zip. Safely unpacked, understood, shown before it is imported."""

from maskrcnn.annotations.intake.staged_import import MOST_CLASSES, Staged, Upload, stage_path, stage_uploads

__all__ = ["MOST_CLASSES", "Staged", "Upload", "stage_path", "stage_uploads"]
