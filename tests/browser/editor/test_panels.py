"""The panels of the editor, by real events: attributes, classes, the list of regions, conflicts, suggestions, keys."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from maskrcnn.annotations import raster
from maskrcnn.annotations.dataset import Dataset, ImageRecord
from maskrcnn.annotations.formats import writing
from maskrcnn.annotations.regions import Rect, Region
from maskrcnn.annotations.store import Project, ProjectClass
from maskrcnn.studio.annotate import editor_routes
from tests.browser.editor_driver import EditorDriver, until
from tests.sweeps import sweep

HEIGHT, WIDTH = 300, 450
A, B, C = Rect(40, 40, 80, 60), Rect(180, 40, 80, 60), Rect(320, 40, 80, 60)
IN_A, IN_B, IN_C = (80.0, 70.0), (220.0, 70.0), (360.0, 70.0)
FREE = ((60.0, 180.0), (140.0, 250.0))
"""Two corners of a part of the picture without regions."""

MARKUP = "<img src=x onerror=window.ran=1>"
OPTIONS = {"up": "Upwards", "down": "Downwards"}
DEFINITIONS: dict[str, Any] = {
    "region": {
        "class": {"type": "dropdown", "options": {"cat": "", "dog": ""}},
        "note": {"type": "text"},
        "pose": {"type": "dropdown", "options": OPTIONS},
        "side": {"type": "radio", "options": {"left": "Left", "right": "Right"}},
        "marks": {"type": "checkbox", "options": {"torn": "Torn", "wet": "Wet"}},
    },
    "file": {
        "place": {"type": "text"},
        "light": {"type": "dropdown", "options": {"day": "Day", "night": "Night"}},
        "season": {"type": "radio", "options": {"summer": "Summer", "winter": "Winter"}},
        "flags": {"type": "checkbox", "options": {"blurred": "Blurred", "dark": "Dark"}},
    },
}


@pytest.fixture(scope="module")
def project(server: Any, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Grey pictures with three boxes each, as from a VIA file with attributes of all types."""
    folder = tmp_path_factory.mktemp("pictures")
    records = []
    for number in range(14):
        file = folder / f"p{number:02}.png"
        cv2.imwrite(str(file), np.full((HEIGHT, WIDTH, 3), 120 + number, np.uint8))
        regions = tuple(Region(shape, "cat", id=f"{name}{number}") for name, shape in (("a", A), ("b", B), ("c", C)))
        records.append(ImageRecord(file.name, regions, file))
    made = Project.create(server.workspace / "panels")
    made.import_dataset(Dataset(records, ("cat", "dog"), "class", extras={"via_attributes": DEFINITIONS}), "train")
    made.set_classes([ProjectClass("cat", "#e69f00", "1"), ProjectClass("dog", "#56b4e9", "2")])
    return made


@pytest.fixture(scope="module")
def driver(browser: Any, server: Any, project: Project) -> Iterator[EditorDriver]:
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    page = context.new_page()
    page.set_default_timeout(10_000)
    yield EditorDriver(page, server.url, project)
    context.close()


@pytest.fixture(scope="module")
def unused(project: Project) -> Iterator[str]:
    """Names of pictures, each for one test."""
    return iter([image.file_name for image in project.images()])


@pytest.fixture
def editor(
    driver: EditorDriver, unused: Iterator[str], kept_if_failed: Callable[[Any], None], request: pytest.FixtureRequest
) -> Iterator[EditorDriver]:
    """The editor on a picture that no other test has; the page is loaded again if the test before failed."""
    kept_if_failed(driver.page.context)
    name = next(unused)
    if driver.page.url.startswith(driver.url) and not driver.page.is_closed() and driver.shown < name:
        driver.view.focus()
        driver.press("Escape", "Escape", "q")
        driver.turn_to(name)
    else:
        driver.open(name)
    yield driver
    if getattr(request.node, "failed_call", True):
        driver.page.goto("about:blank")


def stays(editor: EditorDriver, before: tuple[Region, ...]) -> None:
    """Nothing is stored within a moment."""
    editor.page.wait_for_timeout(250)
    editor.wait_until_saved()
    assert editor.regions() == before


def exported(editor: EditorDriver, folder: Path) -> dict[str, Any]:
    """The entry of the picture in VIA's file of the project."""
    writing.write(editor.project.dataset(), folder / "via.json", "via2")
    document = json.loads((folder / "via.json").read_text())
    pictures = document.get("_via_img_metadata", document).values()
    (entry,) = [entry for entry in pictures if entry["filename"] == editor.shown]
    return dict(entry)


# Attributes


def fill(editor: EditorDriver, owner: str, text: str, choice: str, radio: str, checks: tuple[str, ...]) -> None:
    """Fill the four inputs of the region's or the picture's attributes, in the order of their types."""
    names = [name for name in DEFINITIONS[owner] if name != "class"]
    panel = editor.page.get_by_role("region", name="Attributes")
    panel.locator(f"#{owner}-{names[0]}").click()
    editor.page.keyboard.type(text)
    editor.press("Enter")
    panel.locator(f"#{owner}-{names[1]}").select_option(choice)
    panel.get_by_role("radio", name=radio).click()
    for name in checks:
        panel.get_by_role("checkbox", name=name).click()


def test_attributes_of_a_region_by_their_type(editor: EditorDriver, tmp_path: Path) -> None:
    editor.select(IN_B)
    fill(editor, "region", f"quick {MARKUP}", "up", "Right", ("Torn", "Wet", "Torn"))
    expected = {"note": f"quick {MARKUP}", "pose": "up", "side": "right", "marks": {"wet": True}}
    regions = editor.stored(lambda regions: dict(regions[1].attributes) == expected)
    assert not regions[0].attributes
    assert not regions[2].attributes
    attributes = [entry["region_attributes"] for entry in exported(editor, tmp_path)["regions"]]
    assert [entry.get("note") for entry in attributes] == [None, f"quick {MARKUP}", None]
    assert attributes[1] == {"class": "cat", **expected}
    # Each is one step.
    editor.view.focus()
    editor.press("Control+z", "Control+z")
    editor.stored(lambda regions: regions[1].attributes["marks"] == {"torn": True})


def test_attributes_of_several_regions_at_once(editor: EditorDriver) -> None:
    editor.select(IN_A)
    editor.page.locator("#region-note").click()
    editor.page.keyboard.type("one")
    editor.press("Enter")
    editor.stored(lambda regions: regions[0].attributes == {"note": "one"})
    editor.click(IN_B, modifiers=["Shift"])
    note = editor.page.locator("#region-note")
    until(editor.page, lambda: note.get_attribute("placeholder") == "(several values)")
    assert note.input_value() == ""
    note.click()
    editor.page.keyboard.type("both")
    editor.press("Enter")
    editor.stored(lambda regions: [region.attributes.get("note") for region in regions] == ["both", "both", None])


def test_attributes_of_the_picture_by_their_type(editor: EditorDriver, tmp_path: Path) -> None:
    before = editor.regions()
    fill(editor, "file", "Ulm", "night", "Winter", ("Dark",))
    expected = {"place": "Ulm", "light": "night", "season": "winter", "flags": {"dark": True}}
    image = editor.image()
    until(editor.page, lambda: editor.project.details(image.id).attributes == expected)
    assert exported(editor, tmp_path)["file_attributes"] == expected
    assert editor.regions() == before
    editor.open(editor.shown)
    panel = editor.page.get_by_role("region", name="Attributes")
    assert panel.locator("#file-place").input_value() == "Ulm"
    assert panel.get_by_role("radio", name="Winter").is_checked()
    assert panel.get_by_role("checkbox", name="Dark").is_checked()


def test_new_regions_get_the_same_attributes_if_wanted(editor: EditorDriver) -> None:
    editor.select(IN_A)
    fill(editor, "region", "old", "down", "Left", ("Wet",))
    given = {"note": "old", "pose": "down", "side": "left", "marks": {"wet": True}}
    same = editor.page.get_by_role("checkbox", name="Same for new regions")
    same.click()
    editor.view.focus()
    editor.press("b")
    editor.drag(*FREE)
    editor.stored(lambda regions: len(regions) == 4 and dict(regions[3].attributes) == given)
    same.click()
    editor.press("Delete")
    editor.drag(*FREE)
    editor.stored(lambda regions: len(regions) == 4 and not regions[3].attributes)


# Classes


def classes(editor: EditorDriver) -> list[str]:
    return [entry.name for entry in editor.project.classes()]


def test_a_class_is_added_and_a_similar_one_is_asked_about(editor: EditorDriver) -> None:
    panel = editor.page.get_by_role("region", name="Classes")

    def add(name: str) -> None:
        panel.get_by_role("button", name="Add class").click()
        panel.get_by_role("textbox", name="Name of the new class").wait_for()
        editor.page.keyboard.type(name)
        editor.press("Enter")

    editor.select(IN_A)
    add("Dog")
    panel.get_by_text("There is already “dog”").wait_for()
    assert classes(editor) == ["cat", "dog"]
    panel.get_by_role("button", name="Use “dog”").click()
    editor.stored(lambda regions: [region.class_name for region in regions] == ["dog", "cat", "cat"])
    assert classes(editor) == ["cat", "dog"]
    add("Dog")
    panel.get_by_role("button", name="Add “Dog”").click()
    editor.stored(lambda regions: regions[0].class_name == "Dog")
    assert classes(editor) == ["cat", "dog", "Dog"]
    add(MARKUP)
    editor.stored(lambda regions: regions[0].class_name == MARKUP)
    assert panel.get_by_role("radio", checked=True).get_attribute("data-class") == MARKUP
    panel.get_by_text(MARKUP).wait_for()
    row(editor, 0).get_by_text(MARKUP).wait_for()
    assert editor.page.evaluate("window.ran") is None


# The list of regions


def rows(editor: EditorDriver) -> Any:
    return editor.page.get_by_role("listbox", name="Regions").locator("[data-region]")


def row(editor: EditorDriver, place: int) -> Any:
    """The row of a region by its place from back to front."""
    return rows(editor).filter(has=editor.page.get_by_text(str(place + 1), exact=True)).first


def order(editor: EditorDriver) -> str:
    return "".join(region.id[0] for region in editor.regions())


def tops(regions: tuple[Region, ...]) -> list[float]:
    return [raster.bounds(region.shape)[1] for region in regions]


def chosen(editor: EditorDriver) -> str:
    """The selected regions in the list."""
    found = rows(editor).evaluate_all(
        "(rows) => rows.filter((row) => row.ariaSelected === 'true').map((row) => row.dataset.region[0])"
    )
    return "".join(sorted(found))


def test_the_order_is_changed_by_dragging_a_row_and_by_keys(editor: EditorDriver) -> None:
    assert order(editor) == "abc"
    box, mouse = row(editor, 0).bounding_box(), editor.page.mouse
    x, y = box["x"] + 30, box["y"] + box["height"] / 2
    mouse.move(x, y)
    mouse.down()
    mouse.move(x, y + 1.4 * box["height"], steps=5)
    mouse.up()
    until(editor.page, lambda: order(editor) == "bac", words=lambda: order(editor))
    editor.select(IN_C)
    editor.press("[")
    until(editor.page, lambda: order(editor) == "cba", words=lambda: order(editor))
    assert chosen(editor) == "c"
    editor.press("]")
    until(editor.page, lambda: order(editor) == "bac", words=lambda: order(editor))
    editor.press("Control+z", "Control+z", "Control+z")
    until(editor.page, lambda: order(editor) == "abc", words=lambda: order(editor))


def test_a_locked_region_is_neither_moved_nor_deleted(editor: EditorDriver) -> None:
    editor.select(IN_A)
    row(editor, 0).get_by_role("button", name="Lock").click()
    until(editor.page, lambda: "locked" in row(editor, 0).get_attribute("aria-label"))
    before = editor.regions()
    editor.press("ArrowRight", "Delete", "2", "]")
    editor.drag(IN_A, (IN_A[0], IN_A[1] + 60))
    editor.drag((A.x, A.y), (A.x - 20, A.y - 20))
    stays(editor, before)
    editor.press("Escape", "Control+a", "Delete")
    editor.stored(lambda regions: regions == before[:1])
    editor.press("Control+z")
    editor.stored(lambda regions: len(regions) == 3)
    row(editor, 0).get_by_role("button", name="Lock").click()
    editor.select(IN_A)
    editor.press("Shift+ArrowDown")
    editor.stored(lambda regions: regions[0].shape == Rect(A.x, A.y + 10, A.width, A.height))


def test_a_hidden_region_cannot_be_reached(editor: EditorDriver) -> None:
    row(editor, 0).get_by_role("button", name="Hide").click()
    until(editor.page, lambda: "hidden" in row(editor, 0).get_attribute("aria-label"))
    before = editor.regions()
    editor.select(IN_A)
    assert chosen(editor) == ""
    editor.press("Control+a")
    until(editor.page, lambda: chosen(editor) == "bc", words=lambda: chosen(editor))
    stays(editor, before)
    editor.press("Shift+H", "Escape")
    editor.select(IN_A)
    until(editor.page, lambda: chosen(editor) == "a", words=lambda: chosen(editor))
    editor.press("h")
    until(editor.page, lambda: "hidden" in row(editor, 0).get_attribute("aria-label"))
    editor.press("Delete")  # what is not seen is no longer selected
    stays(editor, before)


def test_list_and_picture_have_one_selection(editor: EditorDriver) -> None:
    editor.select(IN_B)
    until(editor.page, lambda: chosen(editor) == "b", words=lambda: chosen(editor))
    row(editor, 2).click()
    until(editor.page, lambda: chosen(editor) == "c", words=lambda: chosen(editor))
    editor.press("Shift+ArrowDown")
    editor.stored(lambda regions: tops(regions) == [40, 40, 50])
    row(editor, 0).click(modifiers=["Control"])
    editor.press("Shift+ArrowDown")
    editor.stored(lambda regions: tops(regions) == [50, 40, 60])
    row(editor, 1).click(modifiers=["Shift"])  # from the first one
    until(editor.page, lambda: chosen(editor) == "ab", words=lambda: chosen(editor))
    editor.click((300.0, 200.0))
    until(editor.page, lambda: chosen(editor) == "", words=lambda: chosen(editor))
    editor.move(IN_B)
    until(editor.page, lambda: "hovered" in row(editor, 1).get_attribute("class"))


# Conflicts


def is_later(editor: EditorDriver, revision: int) -> bool:
    return editor.image().revision > revision


@pytest.mark.parametrize(
    ("choice", "label", "left", "other"),
    [
        ("both", "Keep both changes", {"a": 41, "n": 1, "m": 1}, None),
        pytest.param("mine", "Keep mine", {"a": 41, "m": 1}, {"a": 30, "n": 1}, marks=sweep),
        pytest.param("theirs", "Keep the other", {"a": 30, "n": 1}, {"a": 41, "m": 1}, marks=sweep),
    ],
)
def test_a_conflict_of_two_windows(
    editor: EditorDriver, browser: Any, choice: str, label: str, left: dict[str, int], other: dict[str, int] | None
) -> None:
    """This window moves A and draws a box while its connection is cut; the other one does so too, elsewhere."""

    def seen(regions: tuple[Region, ...]) -> dict[str, int]:
        """Where A is, and which boxes are new: "n" on the left, "m" on the right."""
        found = {}
        for region in regions:
            assert isinstance(region.shape, Rect)
            if region.id.startswith("a") and len(region.id) < 5:
                found["a"] = round(region.shape.x)
            elif region.shape.y > 150:
                found["n" if region.shape.x < 200 else "m"] = 1
        return found

    editor.page.context.set_offline(True)
    editor.select(IN_A)
    editor.press("ArrowRight", "b")
    editor.drag((250.0, 180.0), (330.0, 250.0))
    until(editor.page, lambda: editor.status == "unsaved", words=lambda: editor.status)
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    try:
        second = EditorDriver(context.new_page(), editor.url, editor.project)
        second.open(editor.shown)
        second.select(IN_A)
        second.press("Shift+ArrowLeft", "b")
        second.drag(*FREE)
        second.stored(lambda regions: seen(regions) == {"a": 30, "n": 1})
    finally:
        context.close()
    editor.page.context.set_offline(False)
    dialog = editor.page.get_by_role("dialog", name="This picture was saved elsewhere")
    dialog.wait_for()
    for title in ("Yours", "Saved elsewhere"):
        dialog.get_by_role("heading", name=f"{title}: 1 new, 1 changed").wait_for()
    assert seen(editor.regions()) == {"a": 30, "n": 1}  # whatever becomes of this window, the other one's is stored
    dialog.get_by_role("button", name=label).click()
    dialog.wait_for(state="detached" if dialog.count() == 0 else "hidden")
    editor.stored(lambda regions: seen(regions) == left)
    # What was not chosen is in the history.
    versions = []
    for _ in range(3):
        revision = editor.image().revision
        editor.press("Control+z")
        until(editor.page, partial(is_later, editor, revision))
        versions.append(seen(editor.regions()))
    for version in (other,) if other else ({"a": 30, "n": 1}, {"a": 41, "m": 1}):
        assert version in versions, versions


# Suggestions


def suggested(shapes: dict[str, Rect]) -> str:
    regions = [Region(shape, "dog", source="model", score=0.9, id=name) for name, shape in shapes.items()]
    job = {"job": "stub", "state": "done", "words": "", "done": 0, "total": 0, "message": None}
    documents = [editor_routes.for_browser(region) for region in regions]
    return json.dumps({**job, "result": {"regions": documents, "network": "stub"}})


def edge_of(editor: EditorDriver, box: Rect) -> int:
    """How often the brightness changes along the lower edge of a box: many times if it is dashed."""
    camera = editor.camera()
    (x0, y), (x1, _) = (camera.to_window(place) for place in ((box.x, box.y + box.height), (box.x + box.width, 0)))
    clip = {"x": round(x0) + 8, "y": round(y), "width": round(x1 - x0) - 16, "height": 1}
    pixels = cv2.imdecode(np.frombuffer(editor.page.screenshot(clip=clip), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert pixels is not None
    return int((np.abs(np.diff(pixels[0].astype(int))) > 25).sum())


def test_suggestions_are_dashed_and_become_regions_only_if_accepted(editor: EditorDriver) -> None:
    boxes = {name: Rect(40 + 120 * place, 190, 90, 60) for place, name in enumerate(("x", "y", "z"))}
    network = {"key": "run/stub", "name": "stub", "kind": "run", "classes": ["dog"], "masks": True}
    networks = json.dumps({"networks": [network], "osam": {"networks": [], "message": "no"}})
    editor.page.route("**/hints/networks", lambda route: route.fulfill(body=networks, content_type="application/json"))
    editor.page.route(
        "**/hints/suggestions/**", lambda route: route.fulfill(body=suggested(boxes), content_type="application/json")
    )
    editor.open(editor.shown)
    before = editor.regions()
    page = editor.page
    page.locator('[data-hint="network"]').select_option("run/stub")
    count = page.locator('[data-hint="count"]')
    count.filter(has_text="3 suggested").wait_for()
    stays(editor, before)
    editor.move((20.0, 20.0))
    editor.wait_until_still()
    until(page, lambda: edge_of(editor, boxes["y"]) >= 6, words=lambda: f"{edge_of(editor, boxes['y'])} changes")
    assert edge_of(editor, B) <= 2

    editor.move((205.0, 220.0))
    editor.press("a")
    accepted = editor.stored(lambda regions: len(regions) == 4)[3]
    assert (accepted.shape, accepted.class_name, accepted.source) == (boxes["y"], "dog", "model")
    count.filter(has_text="2 suggested").wait_for()
    editor.press("Control+z")
    editor.stored(lambda regions: regions == before)

    page.locator('[data-hint="again"]').click()
    count.filter(has_text="3 suggested").wait_for()
    editor.move((85.0, 220.0))
    editor.press("Shift+X")
    count.filter(has_text="2 suggested").wait_for()
    stays(editor, before)
    editor.press("Shift+A")
    regions = editor.stored(lambda regions: len(regions) == 5)
    assert [region.shape for region in regions[3:]] == [boxes["y"], boxes["z"]]
    editor.press("Control+z")  # all of them were one step
    editor.stored(lambda regions: regions == before)
    page.locator('[data-hint="again"]').click()
    count.filter(has_text="3 suggested").wait_for()
    page.locator('[data-hint="all-away"]').click()
    count.filter(has_text="0 suggested").wait_for()
    stays(editor, before)
    page.locator('[data-hint="network"]').select_option("")
    page.unroute("**/hints/networks")
    page.unroute("**/hints/suggestions/**")


# Keys


TABLE = """async () => {
  const { Keys, keyLabel } = await import('/studio/code/any/annotate/editor/frame/keys.js');
  const { TOOLS } = await import('/studio/code/any/annotate/editor/tools.js');
  const table = new Keys({ classes: [] }).table();
  const actions = table.filter(({ name }) => name !== "nudge");  // listed as one row of arrows
  const keys = [...actions.flatMap(({ keys }) => keys), ...TOOLS.map(({ key }) => key)];
  return keys.map((key) => [key, keyLabel(key)]);
}"""


def test_the_sheet_lists_each_key_once_and_none_is_r_or_c(editor: EditorDriver) -> None:
    editor.press("?")
    sheet = editor.page.get_by_role("dialog", name="Keyboard shortcuts")
    sheet.wait_for()
    listed = sheet.locator("td kbd").all_inner_texts()
    assert len(listed) > 50
    assert sorted(key for key in set(listed) if listed.count(key) > 1) == []
    table = editor.page.evaluate(TABLE)
    unlisted = {"=", "_"}  # the same physical keys as + and -
    assert {label for key, label in table if key not in unlisted} - set(listed) == set()
    assert not {"R", "C", "Shift + R", "Shift + C"} & set(listed)
    assert not {"r", "c", "shift+r", "shift+c"} & {key for key, _ in table}
    for key in ("1", "2"):  # of the classes
        assert key in listed
    editor.press("Escape")
    sheet.wait_for(state="hidden")
