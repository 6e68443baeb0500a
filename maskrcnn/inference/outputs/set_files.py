"""The files that tell of all pictures together, written at the end: data sets, the table of objects, and legends."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from maskrcnn.annotations.dataset import Dataset
from maskrcnn.config import Config
from maskrcnn.errors import ArgumentError
from maskrcnn.inference.outputs.cutouts import CUTOUTS, write_cutouts_table
from maskrcnn.inference.outputs.file_stems import output_stems
from maskrcnn.inference.outputs.found_dataset import lazy_dataset
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
    outlines: Dataset | None = None,
) -> list[Path]:
    """Write what `kinds` has of COCO, VIA, labelme, YOLO and CSV into the folder. Returns the files and folders.

    For cut-outs, the table of where they were cut is written, and for label masks, their legend. `found` are all
    pictures, in a sequence that may create them when they are read; it is read several times, and one picture of it is
    kept at a time. `config` is that of the network. `stems` are those that `write_picture_files` got (None: those of
    `output_stems`). With a `scale`, the table has sizes in its unit. `notice(line)` is called with each thing that a
    format cannot hold. `outlines` is the `lazy_dataset` of `found`, if the caller has it. Every file and folder is
    written whole or not at all, and an existing one is replaced.

    Raises `ArgumentError` for an unknown kind and if a file cannot be written.
    """
    require_kinds(kinds)
    if stems is None and not {"cutouts", "masks"}.isdisjoint(kinds):
        stems = output_stems([picture.name for picture in found])
    outlines = outlines or lazy_dataset(found, config)
    written = []
    for kind in LABEL_FILES:
        if kind in kinds:
            dataset = lazy_dataset(found, config, exact=True) if kind == "coco" else outlines
            written.append(write_label_file(kind, dataset, folder, notice))
    if "csv" in kinds:
        written.append(write_table(found, config, folder, scale))
    if "cutouts" in kinds:
        written.append(write_cutouts_table(found, stems or (), config.names, folder))
    if "masks" in kinds:
        written.append(write_legend(found, stems or (), config.names, folder))
    return written


def require_unused_places(kinds: Collection[str], folder: Path) -> None:
    """Raise `ArgumentError` if the output folder already has a file or folder of one of the kinds.

    For a folder that this program did not write: somebody's own `masks/` or `coco.json` must stay.
    """
    require_kinds(kinds)
    for kind in PLACES:
        if kind in kinds and (place := folder / PLACES[kind]).exists():
            raise ArgumentError(f"{place}: is there already and was not written by predict; give --out another folder")
