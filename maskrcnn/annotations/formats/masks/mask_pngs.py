"""PNG instance masks: a folder with a grey PNG for each picture, whose values say which object a pixel belongs to.

With a `classes.json` (what we write):

    {"divisor": 1000, "classes": {"1": "car", "2": "dog"},
     "pictures": {"a.png": {"file_name": "a.jpg", "split": "train"}}}

a pixel's value is `class * divisor + number`, as in Cityscapes' instance files: 0 is background, 2003 the third dog,
and 2000 or 2 a crowd of dogs. The divisor is 1000 for up to 64 classes and smaller for more, since 16 bits end at
65535. `pictures` gives each mask its picture; a mask not listed there belongs to the picture of the same name.

Without it, reading takes a `classes.txt` (one class a line, the first is 1) for `classes` and 1000 for the divisor; or
Roboflow's `_classes.csv`; without that, values below 1000 are objects of the one class "object" (Penn-Fudan, Pascal
VOC), and those above belong to "class 24" and so on (Cityscapes). In 8 bits, 255 beside other values is a border that
belongs to nobody (VOC; `voc_masks` has folders of objects and classes). A mask `FudanPed00001_mask.png` belongs to a
picture `FudanPed00001` as well.

A folder counts as one of masks if it has a `classes.json` of this kind, or if all its PNGs are grey or have a palette,
and are flat: in a mask at least nine of ten neighbouring pixels are equal, in a photo they are not.

What is written: every object as its pixels, and the pictures under `images/`; the mask of a picture `a.png` is
`a_mask.png`. A pixel has one owner: where objects overlap, the later one has it.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from PIL import Image

from maskrcnn import foreign
from maskrcnn.annotations import file_names as names_of_files
from maskrcnn.annotations import pictures, raster
from maskrcnn.annotations.folder_walk import files_below
from maskrcnn.annotations.formats import mask_requirements, picture_places, text_encodings
from maskrcnn.annotations.formats.coco import run_lengths
from maskrcnn.annotations.formats.dropped_info import Losses, of_the_dataset, of_the_region
from maskrcnn.annotations.formats.encoded_files import Encoded, inside, json_bytes, label_file_of
from maskrcnn.annotations.formats.json_values import Complaint, Json, brief, mapping, require_few_regions, text
from maskrcnn.annotations.formats.masks import voc_masks
from maskrcnn.annotations.formats.via import class_rule
from maskrcnn.annotations.near_names import near
from maskrcnn.annotations.picture_index import Pictures
from maskrcnn.annotations.regions import RLE, Dataset, ImageRecord, Region, classes_in
from maskrcnn.errors import StudioError
from maskrcnn.unused_names import UnusedNames
from maskrcnn.words import counted

CLASSES = "classes.json"
_CLASSES_AS_TEXT = "classes.txt"
CLASSES_AS_TABLE = "_classes.csv"
"""As Roboflow has it beside semantic masks: a line for each class, `1, leaf`, below `Pixel Value, Class`."""
_WORDS_OF_PICTURES = ("images", "image", "imgs", "img")
_PICTURES = "images"
"""The folder in that of the masks that holds pictures and no masks."""
_DIVISOR = 1000
_LARGEST_VALUE = 65535
_NOBODY = 255
_FLAT = 0.9
_MOST_COLOURS = 256
_MASK = "_mask"
_LOOKED_AT = 3
"""Masks of which it is found out whether they are some."""
_MEND = "mend that file"
_LARGEST_JSON = 20_000_000
_MOST_RUNS = 20_000_000


def is_mask_pngs(folder: Path) -> bool:
    """Whether a folder holds instance masks; looks into the first three pictures at most."""
    try:
        masks = _masks(folder) if folder.is_dir() else []
    except OSError:
        return False
    if not masks:
        return False
    settings = _json(folder / CLASSES)
    if isinstance(settings, dict) and "classes" in settings:
        return True
    is_one = _is_flat_in_any_case if voc_masks.of(folder) is not None else _is_flat
    return all(is_one(mask) for mask in masks[:_LOOKED_AT])


def coloured(folder: Path) -> str:
    """What to say of a folder whose PNGs are flat as masks are, but have colours; empty for any other folder. Looks
    into the first three pictures at most."""
    try:
        masks = _masks(folder)[:_LOOKED_AT]
    except OSError:
        return ""
    if not masks or not all(map(_is_flat_and_coloured, masks)):
        return ""
    return (
        f"its PNGs ({masks[0].name}) look like masks, but have colours, and a mask has one number for each pixel; "
        "save them as PNGs of one channel (grey or palette), 0 for the background and another number for each object"
    )


def is_called_so(folder: str) -> bool:
    """Whether a folder is called as one of masks."""
    return bool(re.search("mask|segmentation", folder, re.IGNORECASE))


def read_folder(
    folder: Path | str, images: Path | str | None = None, among: Mapping[str, Path] | None = None
) -> Dataset:
    """The dataset of a folder of masks; every region is an RLE, and `width`, `height` are those of the mask.

    Pictures are looked for in `images` if given, else beside the masks (`a.png` beside `a_mask.png` is one), in
    `images/` beside them, and beside and around the folder; those that `classes.json` names also anywhere below the
    folder, or in `among` (names relative to a folder above it). Raises `StudioError` naming the file for what is no
    mask.
    """
    folder = Path(folder)
    names, divisor, listed = _settings(folder)
    images = Path(images) if images is not None else None
    masks = _masks(folder, listed)
    no_pictures = {*masks}
    pair = voc_masks.of(folder) if not listed else None
    found = {key: path for key, path in _pictures_around(folder, images) if path not in no_pictures}
    spelled_otherwise: dict[str, set[Path]] = {}
    for key, picture in found.items():
        spelled_otherwise.setdefault(names_of_files.plainest(key), set()).add(picture)
    records = []
    around = _Around(folder, masks, among) if images is None else None
    for mask in masks:
        name = mask.relative_to(folder).as_posix()
        entry = listed.get(name, {})
        stem = PurePosixPath(name).with_suffix("").as_posix()
        keys = (entry.get("file_name"), stem, PurePosixPath(stem).name, _unmasked(stem))
        path = next((found[key] for key in keys if key in found), None)
        if path is None:
            alike = [spelled_otherwise.get(names_of_files.plainest(key), set()) for key in keys if key]
            path = next((next(iter(paths)) for paths in alike if len(paths) == 1), None)
        if path is None and around is not None and "file_name" in entry:
            path = around.picture(entry["file_name"])
        file_name = entry.get("file_name") or (path.name if path is not None else name)
        complain = Complaint(str(mask), "the mask", _MEND)
        if pair is not None:
            values, class_names = pair.read(name)
            regions = _regions_of_pair(values, class_names, complain)
        else:
            values = pictures.values(mask)
            regions = _regions(values, names, divisor, complain)
        height, width = values.shape
        split = entry.get("split") or (pair.splits.get(stem) if pair is not None else None)
        records.append(
            ImageRecord(
                file_name,
                tuple(regions),
                path,
                width,
                height,
                split=split if split in ("train", "val") else None,
            )
        )
    if not records:
        raise StudioError(f"{folder}: there is no PNG mask; give the folder that holds them")
    classes = tuple(dict.fromkeys([*(names or {}).values(), *classes_in(records)]))
    paths = tuple(record.path for record in records)
    missing = [record.file_name for record in records if record.path is None]
    used = {*paths}
    unused = [picture.name for picture in dict.fromkeys(found.values()) if picture not in used]
    lines = picture_places.lines(
        folder,
        picture_places.Found(paths, near(missing, unused)),
        str(images or f"{folder} and {_PICTURES}/ beside it"),
    )
    if pair is None and any(map(pictures.is_stored_in_colours, masks[:_LOOKED_AT])):
        lines = (*lines, f"{folder}: {_saved_in_colours(masks[0])}")
    return Dataset(tuple(records), classes, source=folder, extras={"flavour": "masks"}, warnings=lines)


def encode(dataset: Dataset) -> Encoded:
    """A 16-bit PNG for each picture and `classes.json`, and a warning line for each kind of loss.

    Raises `StudioError` for a picture whose size nobody knows, for a region without a class, and for more objects of
    one class on a picture than there are numbers.
    """
    losses = Losses(dataset.source)
    of_the_dataset(dataset, losses, "the PNG mask", keypoint_names=True, unused_classes=False)
    divisor = min(_DIVISOR, (_LARGEST_VALUE + 1) // (len(dataset.classes) + 1))
    numbers = {name: number for number, name in enumerate(dataset.classes, start=1)}
    if divisor < 2:
        raise StudioError(f"{losses.source}: {len(numbers)} classes are more than 16-bit masks can number; use COCO")
    files: dict[str, bytes] = {}
    listed: Json = {}
    places: dict[str, Path] = {}
    names = UnusedNames([CLASSES])
    n_regions = 0
    for record in dataset.images:
        name = names.take(_mask_file(record.file_name))
        listed[name] = {"file_name": record.file_name} | ({"split": record.split} if record.split else {})
        if record.attributes:
            losses("{pictures} lost their attributes because PNG masks have none")
        buffer = io.BytesIO()
        painted = _painted(record, dataset, numbers, divisor, losses)
        n_regions += int(np.count_nonzero(np.unique(painted)))
        Image.fromarray(painted).save(buffer, "PNG")
        files[name] = buffer.getvalue()
        if record.path is not None:
            places[f"{_PICTURES}/{inside(record.file_name)}"] = record.path
    classes = {str(number): name for name, number in numbers.items()}
    settings = {"divisor": divisor, "classes": classes, "pictures": listed}
    return Encoded({CLASSES: json_bytes(settings, losses.source), **files}, n_regions, losses.warnings(), places)


def _mask_file(picture: str) -> str:
    """The mask of a picture. It is not called as the picture is, so that it never takes the place of a photograph, and
    does not lie in the folder of pictures: `images/a.jpg` -> `a.png`, `a.png` -> `a_mask.png`."""
    is_png = names_of_files.suffix(picture) == ".png"
    folders = names_of_files.parts(label_file_of(picture, f"{_MASK}.png" if is_png else ".png"))
    while len(folders) > 1 and folders[0].lower() == _PICTURES:
        folders = folders[1:]
    return "/".join(folders)


# Reading


def _masks(folder: Path, listed: Collection[str] = ()) -> list[Path]:
    """The masks below a folder. Where `classes.json` lists some, a PNG that it does not list is one only if it looks
    like one: the others are pictures."""
    found = files_below(folder, (".png",)).items()
    # `a.png` beside `a_mask.png` is the picture.
    stems: dict[str, set[str]] = {}
    for name, _ in found:
        stems.setdefault(names_of_files.folder(name), set()).add(names_of_files.stem(name))
    marked = {(place, _unmasked(stem)) for place, there in stems.items() for stem in there if _unmasked(stem) != stem}
    kept = [
        (name, file)
        for name, file in found
        if name in listed or (names_of_files.folder(name), names_of_files.stem(name)) not in marked
    ]
    return [
        file
        for name, file in kept
        if names_of_files.parts(name)[0].lower() != _PICTURES and (not listed or name in listed or _is_flat(file))
    ]


def _saved_in_colours(mask: Path) -> str:
    return (
        f"its PNGs ({mask.name}) have colours, all of them grey; they were read, but a mask has one number for each "
        "pixel: 0 for the background and another number for each object, in a PNG of one channel (grey or palette)"
    )


def _is_flat(mask: Path) -> bool:
    try:
        values = pictures.values(mask)
    except StudioError:
        return False
    return _has_areas(values)


def _is_flat_in_any_case(mask: Path) -> bool:
    return _is_flat(mask) or _is_flat_and_coloured(mask)


def _is_flat_and_coloured(mask: Path) -> bool:
    """Whether a picture has colours, few of them, in areas as a mask has."""
    try:
        pictures.values(mask)
        return False
    except StudioError as error:
        if "has colours" not in str(error):
            return False
    try:
        red, green, blue = np.moveaxis(pictures.load(mask).astype(np.uint32), -1, 0)
    except StudioError:
        return False
    values = (red << 16) + (green << 8) + blue
    return len(np.unique(values)) <= _MOST_COLOURS and _has_areas(values)


def _has_areas(values: np.ndarray) -> bool:
    pairs = [values[:, 1:] == values[:, :-1], values[1:] == values[:-1]]
    return all(not equal.size or bool(equal.mean() >= _FLAT) for equal in pairs)


def _json(file: Path) -> Any:
    """The content of a JSON file; None if it is none."""
    try:
        return json.loads(foreign.read_bytes(file, file.parent, _LARGEST_JSON).decode("utf-8-sig"))
    except (OSError, StudioError, ValueError, RecursionError):
        return None


def _settings(folder: Path) -> tuple[dict[int, str] | None, int, Mapping[str, Json]]:
    """Class names by number (None: nobody said), the divisor, and what is said of each mask."""
    file = folder / CLASSES
    if file.is_file():
        complain = Complaint(str(file), "the file", _MEND)
        settings = mapping(_json(file), "its content", complain)
        divisor = settings.get("divisor", _DIVISOR)
        if type(divisor) is not int or not 1 < divisor <= _LARGEST_VALUE:
            raise complain(f'has {brief(divisor)} as "divisor"')
        classes = settings.get("classes")
        numbered = dict(enumerate(classes, start=1)) if isinstance(classes, list) else classes
        names = {}
        for number, name in mapping(numbered, '"classes"', complain).items():
            if not re.fullmatch(r"[0-9]{1,9}", str(number)) or not text(name, "a class", complain).strip():
                raise complain(f"has {brief(name)} as class {brief(number)}")
            names[int(number)] = name
        listed = mapping(settings.get("pictures", {}), '"pictures"', complain)
        for name, entry in listed.items():
            here = complain.at(f"the mask {brief(name)}")
            text(mapping(entry, "its entry", here).get("file_name", ""), '"file_name"', here)
        return names, divisor, listed
    file = folder / _CLASSES_AS_TEXT
    if file.is_file():
        try:
            content = foreign.read_bytes(file, folder, _LARGEST_JSON, "write one class name a line")
            lines = [line.strip() for line in content.decode("utf-8-sig").splitlines()]
        except (OSError, UnicodeDecodeError):
            raise StudioError(f"{file}: cannot be read as text; write one class name a line") from None
        return {number: line for number, line in enumerate(lines, start=1) if line}, _DIVISOR, {}
    file = folder / CLASSES_AS_TABLE
    if file.is_file():
        try:
            lines = text_encodings.decoded(foreign.read_bytes(file, folder, _LARGEST_JSON), file).splitlines()
        except OSError:
            raise StudioError(f"{file}: cannot be read; check its permissions") from None
        rows = (re.fullmatch(r"\s*([0-9]{1,5})\s*,\s*(.*\S)\s*", line) for line in lines)
        return {int(row[1]): row[2] for row in rows if row and int(row[1]) > 0}, _DIVISOR, {}
    return None, _DIVISOR, {}


def _pictures_around(folder: Path, images: Path | None) -> Iterator[tuple[str, Path]]:
    """Pictures that could be those of the masks, by their path with and without suffix; the last of one name wins."""
    if images is not None:
        yield from _named(images, pictures.SUFFIXES, images)
        return
    above = folder.parent
    if is_called_so(above.name) or above.name.lower() in picture_places.OF_LABELS:  # masks/train beside images/train
        for beside in _folders_of_pictures(above):
            yield from _named(beside / folder.name, pictures.SUFFIXES, above.parent)
    for beside in _folders_of_pictures(folder):
        yield from _named(beside, pictures.SUFFIXES, folder.parent)
    yield from _named(folder, pictures.SUFFIXES, folder)
    yield from _named(folder / _PICTURES, pictures.SUFFIXES, folder)


def _folders_of_pictures(folder: Path) -> list[Path]:
    """The folders beside that of masks which may hold their pictures, the likeliest last: Penn-Fudan has PedMasks/
    beside PNGImages/, VOC SegmentationObject/ beside JPEGImages/, others train_masks/ beside train_images/, train/."""
    own = folder.name.lower()
    swapped = [re.sub(r"(mask|label|annotation|segmentation)s?", word, own) for word in ("", *_WORDS_OF_PICTURES)]
    likely = [*picture_places.OF_PICTURES, *(name.strip("_- ") for name in swapped if name != own), _PICTURES]
    try:
        there = [place for place in folder.parent.iterdir() if place.name.lower() in likely and place.is_dir()]
    except OSError:
        return []
    ranks = {name: rank for rank, name in enumerate(likely)}
    return sorted(
        (p for p in there if p.name != folder.name), key=lambda place: (ranks[place.name.lower()], place.name)
    )


def _named(folder: Path, suffixes: tuple[str, ...], base: Path) -> Iterator[tuple[str, Path]]:
    """The files of a folder by their names in it; none where it is a link that leads out of `base`."""
    for name, file in files_below(folder, suffixes, base).items():
        yield PurePosixPath(name).with_suffix("").as_posix(), file
        yield name, file


def _unmasked(stem: str) -> str:
    return _MARKED.sub("", PurePosixPath(stem).name)


_MARKED = re.compile(
    r"^(?:mask|seg|segmentation|label|gt)s?[_\-. ]+(?=.)"
    r"|(?<=.)[_\-. ]+(?:mask|seg|segmentation|label|gt|instance|instance_?ids?|annotation)s?$",
    re.IGNORECASE,
)
"""What a mask's name has beside the picture's: `a_mask`, `mask-a`, `a.seg`."""


def _regions(values: np.ndarray, names: dict[int, str] | None, divisor: int, complain: Complaint) -> Iterator[Region]:
    runs = _runs(values, complain)
    owners = [*runs]
    require_few_regions(len(owners), complain)
    if values.dtype == np.uint8 and names is None and len(owners) > 1 and _NOBODY in owners:
        owners.remove(_NOBODY)
    for value in owners:
        number, within = divmod(value, divisor)
        if names is None:
            class_name = f"class {number}" if number else class_rule.THE_ONLY_CLASS
            is_crowd = within == 0 and number > 0
        else:
            # Cityscapes writes a crowd as its class alone.
            number, is_crowd = (number, within == 0) if number else (within, True)
            if number not in names:
                raise complain(f"has the value {value}, but there is no class {number}")
            class_name = names[number]
        yield Region(run_lengths.from_runs(*runs[value], *values.shape), class_name, iscrowd=is_crowd)


def _regions_of_pair(values: np.ndarray, class_names: Mapping[int, str], complain: Complaint) -> Iterator[Region]:
    """The objects of a mask whose classes stand in another; without a class where no pixel of one has any."""
    runs = _runs(values, complain)
    require_few_regions(len(runs), complain)
    for value, of_value in runs.items():
        yield Region(run_lengths.from_runs(*of_value, *values.shape), class_names.get(value))


def _runs(values: np.ndarray, complain: Complaint) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """For each value above 0, in order: where its runs begin, counted down the columns, and where they end.

    One pass over the picture, however many objects there are; a comparison for each of them would take hours for a
    mask of thousands.
    """
    flat = values.ravel(order="F")
    differs = flat[1:] != flat[:-1]
    if np.count_nonzero(differs) > _MOST_RUNS:
        raise complain(f"has more than {_MOST_RUNS} runs of equal pixels, as noise has and no mask")
    starts = np.concatenate([[0], np.flatnonzero(differs) + 1]) if flat.size else np.empty(0, np.int64)
    ends = np.append(starts[1:], flat.size)
    of_run = flat[starts]
    order = np.argsort(of_run, kind="stable")
    order = order[of_run[order] > 0]
    found, first = np.unique(of_run[order], return_index=True)
    parts = zip(np.split(starts[order], first[1:]), np.split(ends[order], first[1:]), strict=True)
    return dict(zip(found.tolist(), parts, strict=False))


class _Around:
    """Pictures that are no masks, wherever they lie around the masks: they are found by their whole names alone."""

    def __init__(self, folder: Path, masks: Sequence[Path], among: Mapping[str, Path] | None) -> None:
        self._folder, self._masks, self._among = folder, {*masks}, among

    def picture(self, file_name: str) -> Path | None:
        found = self._index.match(file_name, self._label_file).file
        return self._index.files[found] if found is not None else None

    @cached_property
    def _index(self) -> Pictures:
        files = self._among if self._among is not None else files_below(self._folder, pictures.SUFFIXES)
        kept = {name: path for name, path in files.items() if names_of_files.suffix(name) in pictures.SUFFIXES}
        return Pictures({name: path for name, path in kept.items() if path not in self._masks})

    @cached_property
    def _label_file(self) -> str:
        return next((name for name, path in (self._among or {}).items() if path == self._folder / CLASSES), CLASSES)


# Writing


def _painted(
    record: ImageRecord, dataset: Dataset, numbers: Mapping[str, int], divisor: int, losses: Losses
) -> np.ndarray:
    """The mask of a picture, uint16 `(H, W)`."""
    width, height = mask_requirements.size_of(record, losses.source, "a PNG mask")
    values = np.zeros((height, width), dtype=np.uint16)
    objects: dict[str, int] = {}
    crowds: dict[str, np.ndarray] = {}
    painted: dict[int, int] = {}
    for position, region in enumerate(record.regions, start=1):
        here = f'{losses.source}: region {position} of "{record.file_name}"'
        if not raster.has_area(region.shape):
            losses("{regions} without area (points, lines) left out because PNG masks are pixels")
            continue
        class_number = mask_requirements.class_of(region, numbers, dataset, here)
        mask_requirements.fitting_mask(region, width, height, here)
        pixels = raster.mask(region.shape, height, width)
        if not pixels.any():
            losses("{regions} left out because PNG masks are pixels, and theirs has none inside the picture")
            continue
        _name_losses(region, losses)
        assert region.class_name is not None
        value = class_number * divisor
        if region.iscrowd:
            if region.class_name in crowds:
                losses("{regions} became one crowd with another because PNG masks have one crowd for each class")
            crowds[region.class_name] = pixels = pixels | crowds.get(region.class_name, False)
        else:
            objects[region.class_name] = objects.get(region.class_name, 0) + 1
            value += objects[region.class_name]
            if objects[region.class_name] >= divisor:
                raise StudioError(
                    f'{here} is object {divisor} of class "{region.class_name}"; PNG masks with '
                    f"{counted(len(numbers), 'class', 'classes')} hold {divisor - 1}; use COCO"
                )
        values[pixels] = value
        painted[value] = int(pixels.sum())
    left = dict(zip(*(array.tolist() for array in np.unique(values, return_counts=True)), strict=True))
    losses(
        "{regions} lost pixels to another above them because PNG masks have one object for each pixel",
        sum(0 < left.get(value, 0) < before for value, before in painted.items()),
    )
    losses(
        "{regions} left out because others cover them whole, and PNG masks have one object for each pixel",
        sum(value not in left for value in painted),
    )
    return values


def _name_losses(region: Region, losses: Losses) -> None:
    if not isinstance(region.shape, RLE):
        losses("{regions} drawn as outlines became their pixels because PNG masks have no outlines")
    of_the_region(region, losses, "PNG masks have")
