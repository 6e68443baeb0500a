"""Outlines as people drew them, drawn again click by click: each is stored, with every vertex where it was clicked.

People put vertices close together and begin an outline inside another one. An editor that takes a click for anything
else than a vertex loses some of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maskrcnn.annotations import read
from maskrcnn.annotations.regions import Polygon, Region
from maskrcnn.annotations.store import Project
from tests.browser.editor_driver import EditorDriver, Place
from tests.sweeps import sweep

CAR_OUTLINES = 100
LEAST_STEP, LEAST_GAP = 2, 6
"""Picture pixels from a vertex to the next, and from the last to the first, in outlines that are made up.

Two quick clicks at one place are a double click, which closes, and so does a click on the first vertex.
"""

SCREEN_PX = 0.5
"""Maximum distance in x and y of a stored vertex from the click, CSS px."""


def outline_of_a_person(rng: np.random.Generator, centre: Place, radius: float, vertices: int) -> list[Place]:
    """A closed outline, with most vertices along the curves and some very close together."""
    steps = rng.exponential(1, vertices) + 0.05
    angles = np.cumsum(steps) / steps.sum() * 2 * np.pi
    waves = 1 + 0.12 * np.sin(3 * angles + rng.uniform(0, 6)) + 0.05 * np.sin(7 * angles + rng.uniform(0, 6))
    x = centre[0] + radius * waves * np.cos(angles)
    y = centre[1] + radius * waves * np.sin(angles)
    places: list[Place] = []
    for place in zip(x.round().tolist(), y.round().tolist(), strict=True):
        if not places or math.dist(place, places[-1]) >= LEAST_STEP:
            places.append(place)
    while math.dist(places[-1], places[0]) < LEAST_GAP:
        places.pop()
    return places


def equally_spaced(centre: Place, radius: float, apart: float) -> list[Place]:
    """A circle of vertices, each so many picture pixels from the next."""
    angles = np.arange(0, 2 * np.pi - 0.5 * apart / radius, apart / radius)
    return [(float(centre[0] + radius * np.cos(a)), float(centre[1] + radius * np.sin(a))) for a in angles]


def replay(editor: EditorDriver, outlines: Sequence[Sequence[Place]], unhurried: bool = False) -> None:
    """Draw them on the picture that is shown, and compare what is stored.

    Two quick clicks that are at most 2 px apart reach the editor as a double click, unless the person is `unhurried`.
    """
    editor.press("p")
    scale = editor.camera().scale
    for outline in outlines:
        editor.polygon(outline, unhurried=unhurried)
    regions = editor.stored(lambda regions: len(regions) >= len(outlines), seconds=20)
    assert len(regions) == len(outlines)
    for region, outline in zip(regions, outlines, strict=True):
        assert isinstance(region.shape, Polygon)
        found = np.array(region.shape.points)
        assert len(found) == len(outline), f"{len(outline)} vertices were clicked, {len(found)} are stored"
        assert np.abs(found - np.array(outline)).max() * scale <= SCREEN_PX


def test_outlines_as_people_draw_them_at_the_zoom_that_fits(
    new_editor: Callable[..., EditorDriver], kept_if_failed: Callable[[Any], None]
) -> None:
    editor = new_editor(pictures=1, size=(2048, 1365))
    kept_if_failed(editor.page.context)
    rng = np.random.default_rng(18)
    centres = rng.uniform((300, 300), (1750, 1060), (3, 2))
    outlines = [outline_of_a_person(rng, (x, y), rng.uniform(40, 250), int(rng.integers(12, 70))) for x, y in centres]
    replay(editor, outlines)


@sweep
def test_vertices_two_pixels_apart_at_four_times_the_size(
    new_editor: Callable[..., EditorDriver], kept_if_failed: Callable[[Any], None]
) -> None:
    editor = new_editor(pictures=1)
    kept_if_failed(editor.page.context)
    editor.zoom_to((450, 300), 4)
    replay(editor, [equally_spaced((450, 300), 18, 2)])


def project_of(new_editor: Callable[..., EditorDriver], pictures: Sequence[Path]) -> EditorDriver:
    """The editor on a project that has these pictures, the first one shown."""
    editor = new_editor(pictures=1)
    project: Project = editor.project
    project.add_pictures(pictures, "train")
    project.set_removed(editor.image("p000.jpg").id, True)
    editor.open(project.images()[0].file_name)
    return editor


@sweep
@pytest.mark.parametrize("labels", ["balloon/val", "car_damage/train/train_multiclass.json"])
def test_all_outlines_of_real_photographs(
    new_editor: Callable[..., EditorDriver],
    kept_if_failed: Callable[[Any], None],
    real_data: Path,
    labels: str,
) -> None:
    records = [record for record in read(real_data / labels).images if record.path is not None]
    editor = project_of(new_editor, [record.path for record in records if record.path and record.regions])
    kept_if_failed(editor.page.context)
    sizes = {image.file_name: (image.width, image.height) for image in editor.project.images()}
    outlines = {
        name: [list(region.shape.points) for region in record.regions if _drawable(region, *sizes[name])]
        for record in records
        if (name := Path(str(record.path)).name) in sizes
    }
    left = CAR_OUTLINES if labels.startswith("car") else 10**6
    failed, total = [], 0
    for image in editor.project.images():
        mine = outlines[image.file_name][:left]
        left -= len(mine)
        total += len(mine)
        if mine:
            editor.open(image.file_name)
            try:
                replay(editor, mine, unhurried=True)
            except AssertionError as error:
                failed.append(f"{image.file_name}: {error}")
    assert total >= 50
    assert not failed, f"{len(failed)} pictures:\n" + "\n".join(failed)


def _drawable(region: Region, width: int, height: int) -> bool:
    """Whether it is an outline inside its picture."""
    if not isinstance(region.shape, Polygon):
        return False
    return all(0 <= x <= width and 0 <= y <= height for x, y in region.shape.points)


@sweep
def test_dense_outlines_of_balloons_at_four_times_the_size(
    new_editor: Callable[..., EditorDriver], kept_if_failed: Callable[[Any], None], real_data: Path
) -> None:
    """Real shapes, drawn with a vertex at every second picture pixel where they fit into the window."""
    records = read(real_data / "balloon/val").images
    editor = project_of(new_editor, [record.path for record in records if record.path is not None])
    kept_if_failed(editor.page.context)
    for record in records[:4]:
        name = Path(str(record.path)).name
        editor.open(name)
        for number, region in enumerate(record.regions[:2]):
            points = np.array(region.shape.points)  # type: ignore[union-attr]
            centre = points.mean(0)
            small = (points - centre) * min(1, 80 / np.abs(points - centre).max()) + centre
            editor.press("f")
            editor.zoom_to(tuple(centre), 4)
            editor.bring_to_middle(tuple(centre))
            before = len(editor.regions(name))
            outline = _every(small, 2)
            editor.press("p")
            scale = editor.camera().scale
            editor.polygon(outline, unhurried=True)
            found = editor.stored(lambda regions, before=before: len(regions) == before + 1, name)[-1].shape
            assert len(found.points) == len(outline), f"{name} {number}"
            assert np.abs(np.array(found.points) - np.array(outline)).max() * scale <= SCREEN_PX


def _every(points: np.ndarray, apart: float) -> list[Place]:
    """Places along a closed outline, so many pixels apart along it."""
    closed = np.vstack([points, points[:1]])
    along = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(closed, axis=0).T))])
    places = np.arange(0, along[-1] - apart / 2, apart)
    x, y = (np.interp(places, along, column) for column in closed.T)
    return [(float(a), float(b)) for a, b in zip(x, y, strict=True)]
