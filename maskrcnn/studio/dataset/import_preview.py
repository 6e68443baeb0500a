"""The preview of an import: what was read from the chosen files, before anything is stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from maskrcnn.annotations.colours import colours_of_new_classes
from maskrcnn.annotations.dataset import Dataset, ImageRecord
from maskrcnn.annotations.intake import Staged
from maskrcnn.annotations.learnable_objects import keypoints_of
from maskrcnn.annotations.regions import Skeleton
from maskrcnn.annotations.store import ProjectClass
from maskrcnn.drawing import labelled_picture
from maskrcnn.drawing.hex_colours import GREY
from maskrcnn.drawing.labelled_picture import Colours
from maskrcnn.drawing.swatches import disc
from maskrcnn.errors import StudioError
from maskrcnn.name_order import natural_key
from maskrcnn.studio.dataset import new_class_questions
from maskrcnn.studio.dataset.class_attribute_choice import candidate_in_words
from maskrcnn.studio.dataset.pictures_view import SPLIT_WORDS
from maskrcnn.studio.shell.markdown_escape import bullets, plain
from maskrcnn.studio.shell.page_messages import on_page
from maskrcnn.words import counted, first_names

Drawn = dict[tuple[str | None, str], bytes | None]
"""Thumbnails by class attribute and file; None for a picture that cannot be read."""

_THUMBNAILS = 6
_MOST_DRAWN = 300
"""Maximum number of regions on a thumbnail. More are not recognisable there, and take seconds to draw."""
_MOST_ROWS = 200
"""Maximum number of classes in the table."""


@dataclass(frozen=True)
class ImportSummary:
    """The counts of a dataset for the preview. They are made in one pass, because records may be read from a file.

    `found` is the number of pictures that were found, and `splits` counts those with a split in the label file.
    `regions`, `classes` and `shapes` count the regions of the found pictures, and `keypoints` those with keypoints.
    `lost` is the number of regions of pictures that were not found. `sample` are a few pictures to show.
    """

    found: int
    splits: Mapping[str, int]
    regions: int
    classes: Mapping[str | None, int]
    shapes: Mapping[str, int]
    keypoints: int
    sample: tuple[ImageRecord, ...]
    lost: int = 0


def summary(dataset: Dataset) -> ImportSummary:
    """Count the pictures, regions, classes and shapes of a dataset, and choose a few pictures to show."""
    splits: Counter[str] = Counter()
    classes: Counter[str | None] = Counter()
    shapes: Counter[str] = Counter()
    found = keypoints = lost = 0
    labelled: list[int] = []
    bare: list[int] = []
    for number, record in enumerate(dataset.images):
        if record.path is None:
            lost += len(record.regions)
            continue
        found += 1
        splits.update([record.split] if record.split else [])
        (labelled if record.regions else bare).append(number)
        for region in record.regions:
            classes[region.class_name] += 1
            shapes[type(region.shape).__name__] += 1
            keypoints += keypoints_of(region) is not None
    shown = labelled or bare
    sample = tuple(dataset.images[number] for number in shown[:: max(1, len(shown) // _THUMBNAILS)][:_THUMBNAILS])
    return ImportSummary(found, splits, sum(shapes.values()), classes, shapes, keypoints, sample, lost)


def head(staged: Staged, counted_up: ImportSummary) -> None:
    """Draw the format, the files, and the numbers of pictures, regions and classes."""
    dataset = staged.dataset
    names = first_names(staged.label_files, 3)
    st.markdown(f"**{plain(staged.format)}**{': ' if names else ''}{plain(names)}")
    with st.container(horizontal=True, gap="large"):
        for label, number, meaning in (
            ("Pictures found", counted_up.found, "Pictures that are here, with or without labels."),
            ("Pictures missing", len(staged.missing), "Pictures that the labels name and that are not here."),
            ("Without labels", staged.unlabelled, "Pictures that are here and have no region."),
            ("Regions", counted_up.regions, "Regions on the pictures that were found: these come in."),
            ("Classes", len(dataset.classes), "Classes that the labels name."),
        ):
            st.metric(label, number, help=meaning, width="content")
    if counted_up.lost:
        st.markdown(
            f"{counted(counted_up.lost, 'region')} more on {counted(len(staged.missing), 'picture')} that "
            f"{'is' if len(staged.missing) == 1 else 'are'} missing"
        )
    if splits := counted_up.splits:
        words = ", ".join(f"{splits[split]} for {SPLIT_WORDS[split]}" for split in SPLIT_WORDS if splits[split])
        st.markdown(f"Splits in the file: {words}")


def none_found(staged: Staged) -> None:
    """Draw an error if none of the pictures that the label files name was found.

    Otherwise pictures would be imported without their labels, and the user would not know why.
    """
    if found_none := staged.found_none_message():
        said = plain(found_none[0].upper() + found_none[1:])
        st.error(
            f"{said}. Cancel, and choose the pictures with the labels, or give them the names that the labels have.",
            icon=":material/error:",
        )


def near_names(staged: Staged, key: str) -> dict[str, str]:
    """Draw the pictures that have nearly the name of a missing one, and return the chosen ones: name -> file.

    If there are several files for a name, the user chooses one of them or none.
    """
    if not staged.near:
        return {}
    sure = {name: files[0] for name, files in staged.near.items() if len(files) == 1}
    unsure = {name: files for name, files in staged.near.items() if len(files) > 1}
    st.warning(
        f"{counted(len(staged.near), 'picture')} not found, but there are pictures of nearly the same name. Take them "
        "only if they are the pictures that were labelled.",
        icon=":material/image_search:",
    )
    if sure:
        table = pd.DataFrame({"In the labels": list(sure), "Here": list(sure.values())})
        st.dataframe(table, hide_index=True, height=min(38 + 35 * len(table), 220))
    for name, files in list(unsure.items())[:_MOST_CHOICES]:
        choice = st.selectbox(f"{plain(name)} is", [_NONE, *files], key=f"{key}_{name}")
        if choice != _NONE:
            sure[name] = choice
    return sure


_NONE = "none of these"
_MOST_CHOICES = 6


def confirm_new_classes(staged: Staged, new: Sequence[str], key: str) -> bool:
    """Ask the user to confirm if the import would make hundreds of new classes. Returns False until it is confirmed.

    For fewer classes, nothing is drawn and True is returned.
    """
    dataset = staged.dataset
    others = [
        candidate_in_words(candidate) for candidate in staged.candidates if not candidate.chosen and candidate.n_regions
    ]
    what = dataset.class_attribute or _CLASS_WORDS.get(str(dataset.extras.get("flavour")), "the class of the file")
    return new_class_questions.confirm_many_classes(new, what, others, f"{key}_{dataset.class_attribute}_{len(new)}")


_CLASS_WORDS = {"coco": "the category", "labelme": "the label"}


def classes(dataset: Dataset, counted_up: ImportSummary, colours: Colours) -> None:
    """Draw the table of the classes with their colours and counts, and a line with the kinds of shapes."""
    counts = counted_up.classes
    names: list[str | None] = [*dataset.classes, *([None] if None in counts else [])]
    if not names:
        st.markdown("No regions: these are pictures to label.")
        return
    more, names = len(names) - _MOST_ROWS, names[:_MOST_ROWS]
    table = pd.DataFrame(
        {
            "colour": [disc(colours[name]) for name in names],
            "class": [name if name is not None else "(no class)" for name in names],
            "regions": [counts.get(name, 0) for name in names],
        }
    )
    st.dataframe(
        table,
        hide_index=True,
        height=min(38 + 35 * len(table), 300),
        column_config={
            "colour": st.column_config.ImageColumn("", width=36),
            "class": st.column_config.TextColumn("Class"),
            "regions": st.column_config.NumberColumn("Regions", width=80),
        },
    )
    if more > 0:
        st.markdown(f":small[and {counted(more, 'more class', 'more classes')}]")
    shapes = sorted(counted_up.shapes.items(), key=lambda entry: -entry[1])
    words = [counted(number, shape_noun(kind)) for kind, number in shapes]
    if counted_up.keypoints:
        words.append(f"{counted_up.keypoints} with keypoints")
    st.markdown("Shapes: " + (", ".join(words) or "none"))


def shape_noun(kind: str) -> str:
    """The noun for a kind of shape in the preview: `Rect` -> "rectangle"."""
    named = {"MultiPolygon": "multi-part polygon", "Rect": "rectangle", "RLE": "mask", "Keypoints": "keypoint set"}
    return named.get(kind, kind.lower())


def thumbnails(dataset: Dataset, sample: Sequence[ImageRecord], colours: Colours, drawn: Drawn) -> None:
    """Draw thumbnails of the `sample` pictures with their regions. `drawn` caches them."""
    for start in range(0, len(sample), 3):
        for column, record in zip(st.columns(3), sample[start : start + 3], strict=False):
            key = (dataset.class_attribute, str(record.path))
            if key not in drawn:
                drawn[key] = _preview_thumbnail(record, colours, dataset.skeletons)
            content = drawn[key]
            with column:
                if content is None:
                    st.markdown(":material/broken_image: cannot be read")
                else:
                    st.image(content, width="stretch", alt=record.file_name)
                st.markdown(f":small[{plain(record.file_name)}: {counted(len(record.regions), 'region')}]")


def _preview_thumbnail(
    record: ImageRecord, colours: Mapping[str | None, str], skeletons: Mapping[str, Skeleton]
) -> bytes | None:
    """Return a JPEG of a picture with its regions; None if the picture cannot be read."""
    assert record.path is not None
    try:
        return labelled_picture.preview(record.path, record.regions[:_MOST_DRAWN], colours, skeletons=skeletons)
    except (StudioError, ValueError):
        return None


def missing_and_warnings(staged: Staged) -> None:
    """Draw the names of the missing pictures and the warnings, at the end of the preview."""
    if staged.missing:
        with st.expander(f"{counted(len(staged.missing), 'picture')} not found", icon=":material/image_not_supported:"):
            missing = sorted(staged.missing, key=natural_key)
            st.dataframe(pd.DataFrame({"Missing": missing}), hide_index=True, height=200)
    if staged.warnings:
        st.warning(bullets([on_page(line) for line in staged.warnings]), icon=":material/warning:")


def colours_after_import(known: Sequence[ProjectClass], dataset: Dataset) -> Colours:
    """Return class name -> `#rrggbb` for an import preview: the colours that the classes will have in the project.

    `known` are the classes of the project, which keep their colours. Each new class of the dataset gets the colour that
    the project store will give it. Regions without a class (None) are grey.
    """
    colours: dict[str | None, str] = {None: GREY, **{entry.name: entry.colour for entry in known}}
    new = [name for name in dict.fromkeys(dataset.classes) if name not in colours]
    new_colours = colours_of_new_classes(len(new), [entry.colour for entry in known], len(known))
    return colours | dict(zip(new, new_colours, strict=True))
