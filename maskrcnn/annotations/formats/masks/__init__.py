"""Masks as PNG files: one file a picture, or Pascal VOC's two folders."""
