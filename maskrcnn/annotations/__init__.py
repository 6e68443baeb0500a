"""What a person drew: regions, pictures, label files, the rasteriser and the project store. Knows no torch."""

from maskrcnn.annotations.files import read, write
from maskrcnn.annotations.regions import Dataset, ImageRecord, Region

__all__ = ["Dataset", "ImageRecord", "Region", "read", "write"]
