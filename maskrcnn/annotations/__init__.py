"""Labels and pictures: regions, label files, the rasteriser, the project store. Nothing here imports torch."""

from maskrcnn.annotations.dataset import Dataset, ImageRecord
from maskrcnn.annotations.formats.writing import write
from maskrcnn.annotations.reading import read
from maskrcnn.annotations.regions import Region

__all__ = ["Dataset", "ImageRecord", "Region", "read", "write"]
