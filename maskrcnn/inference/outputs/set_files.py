"""The files that tell of all pictures together, written at the end: data sets, the table of objects, and legends."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from maskrcnn.config import Config
from maskrcnn.inference.outputs.cutouts import CUTOUTS, write_cutouts_table
from maskrcnn.inference.outputs.file_stems import output_stems
from maskrcnn.inference.outputs.found_dataset import FoundRecords, dataset_of
from maskrcnn.inference.outputs.found_picture import FoundPicture, require_kinds
from maskrcnn.inference.outputs.label_files import LABEL_FILES, write_label_file
from maskrcnn.inference.outputs.label_masks import MASKS, write_legend
from maskrcnn.inference.outputs.object_table import TABLE, Scale, write_table

PLACES = {"cutouts": CUTOUTS, "masks": MASKS, **LABEL_FILES, "csv": TABLE}
"""Kind of output -> its file or folder in the output folder. Overlays have the names of their pictures."""


def write_set_files(
    kinds: Collection[str],
    found: Sequence[FoundPicture],
    config: Config,
    folder: Path,
    stems: Sequence[str] | None = None,
    scale: Scale | None = None,
    notice: Callable[[str], object] = str,
    outlines: FoundRecords | None = None,
) -> list[Path]:
    """Write what `kinds` has of COCO, VIA, labelme, YOLO and CSV into the folder. Returns the files and folders.

    For cut-outs, the table of where they were cut is written, and for label masks, their legend. `found` are all
    pictures, in a sequence that may create them when they are read; it is read several times, and one picture of it is
    kept at a time. `config` is that of the network. `stems` are those that `write_picture_files` got (None: those of
    `output_stems`). With a `scale`, the table has sizes in its unit. `notice(line)` is called with each thing that a
    format cannot hold. `outlines` are the records of `found`, if the caller has them. Every file and folder is
    written whole or not at all, and an existing one is replaced.

    Raises `ArgumentError` for an unknown kind and if a file cannot be written.
    """
    require_kinds(kinds)
    if stems is None and not {"cutouts", "masks"}.isdisjoint(kinds):
        stems = output_stems([picture.name for picture in found])
    if outlines is None:
        outlines = FoundRecords(found, config.names)
    written = []
    for kind in LABEL_FILES:
        if kind in kinds:
            records = FoundRecords(found, config.names, exact=True) if kind == "coco" else outlines
            written.append(write_label_file(kind, dataset_of(records, config), folder, notice))
    if "csv" in kinds:
        written.append(write_table(found, config, folder, scale))
    if "cutouts" in kinds:
        written.append(write_cutouts_table(found, stems or (), config.names, folder))
    if "masks" in kinds:
        written.append(write_legend(found, stems or (), config.names, folder))
    return written
