"""Snapping, border following and shared borders in Chromium; shapely judges gaps and overlaps."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from shapely.geometry.base import BaseGeometry

from maskrcnn.studio.annotate import geometry_routes
from tests.sweeps import one_in

GEOMETRY = Path(geometry_routes.__file__).parent / "editor" / "geometry"
SITE = "http://modules.test/"

Region = dict[str, Any]
Evaluate = Callable[[str, Any], Any]


@pytest.fixture
def evaluate(page: Any) -> Evaluate:
    """`evaluate("({ name }) => ...", argument)` runs a function of all exports of the modules on an argument."""
    studio = GEOMETRY.parents[2]

    def serve(route: Any) -> None:
        name = route.request.url.removeprefix(SITE)
        if not name:
            route.fulfill(body="<!doctype html>", content_type="text/html")
        else:
            route.fulfill(body=(studio / name).read_text(encoding="utf-8"), content_type="text/javascript")

    page.route(f"{SITE}**", serve)
    page.goto(SITE)
    shapes = (GEOMETRY / ".." / name for name in ("shapes.js", "shape_handles.js"))
    names = [path.relative_to(studio).as_posix() for path in (*sorted(GEOMETRY.glob("*.js")), *shapes)]
    addresses = [SITE + str(Path(name)).replace("geometry/../", "") for name in names]

    def run(function: str, argument: Any) -> Any:
        code = f"""async ([addresses, argument]) => {{
          const modules = Object.assign({{}}, ...await Promise.all(addresses.map((address) => import(address))));
          return ({function})(modules, argument);
        }}"""
        return page.evaluate(code, [addresses, argument])

    return run


def polygon(name: str, points: Sequence[Sequence[float]]) -> Region:
    return {"id": name, "shape": {"kind": "polygon", "points": [list(point) for point in points]}}


def area(region: Region) -> BaseGeometry:
    shape = region["shape"]
    parts = [[shape["points"]]] if shape["kind"] == "polygon" else shape["parts"]
    return shapely.MultiPolygon([(part[0], part[1:]) for part in parts])


def points_of(region: Region) -> list[tuple[float, float]]:
    shape = region["shape"]
    rings = [shape["points"]] if shape["kind"] == "polygon" else [ring for part in shape["parts"] for ring in part]
    return [tuple(point) for ring in rings for point in ring]


def assert_closed(regions: list[Region]) -> None:
    """Neighbours that tile their union: no overlap, and no gap inside it."""
    areas = [area(region) for region in regions]
    for one, other in itertools.combinations(areas, 2):
        assert one.intersection(other).area == pytest.approx(0, abs=1e-7)
    whole = shapely.union_all(areas)
    assert whole.geom_type == "Polygon"
    assert not whole.interiors
    assert whole.area == pytest.approx(sum(each.area for each in areas), abs=1e-7)


TWO = [
    polygon("left", [(0, 0), (100, 0), (110, 30), (95, 60), (105, 100), (0, 100)]),
    polygon("right", [(100, 0), (200, 0), (200, 100), (105, 100), (95, 60), (110, 30)]),
]
THREE = [
    polygon("top", [(0, 0), (200, 0), (200, 80), (120, 90), (70, 75), (0, 80)]),
    polygon("left", [(0, 80), (70, 75), (120, 90), (110, 140), (100, 200), (0, 200)]),
    polygon("right", [(120, 90), (200, 80), (200, 200), (100, 200), (110, 140)]),
]
# The two lower ones meet in the middle of a long edge of the upper one, which has no vertex there.
ENDING = [
    polygon("top", [(0, 0), (200, 0), (200, 90), (0, 70)]),
    polygon("left", [(0, 70), (100, 80), (110, 140), (100, 200), (0, 200)]),
    polygon("right", [(100, 80), (200, 90), (200, 200), (100, 200), (110, 140)]),
]
# A region in the hole of another.
INSIDE = [
    {
        "id": "ring",
        "shape": {
            "kind": "multipolygon",
            "parts": [[[[0, 0], [200, 0], [200, 200], [0, 200]], [[60, 60], [60, 140], [140, 140], [140, 60]]]],
        },
    },
    polygon("core", [(60, 60), (140, 60), (140, 140), (60, 140)]),
]

MOVE = """({ sharedMoves, withHandleAt }, { regions, id, handle, to }) => {
  const before = regions.find((region) => region.id === id);
  return sharedMoves(regions, [before], [withHandleAt(before, handle, to)]);
}"""


def handle_of(region: Region, place: tuple[float, float]) -> dict[str, Any]:
    shape = region["shape"]
    parts = [[shape["points"]]] if shape["kind"] == "polygon" else shape["parts"]
    for part, rings in enumerate(parts):
        for ring, points in enumerate(rings):
            for index, point in enumerate(points):
                if tuple(point) == place:
                    return {"kind": "vertex", "part": part, "ring": ring, "index": index, "at": list(place)}
    raise AssertionError(place)


@pytest.mark.parametrize("start", one_in(2, [TWO, THREE, ENDING, INSIDE]), ids=["two", "three", "ending", "inside"])
def test_fifty_drags_of_shared_vertices_open_nothing(evaluate: Evaluate, start: list[Region]) -> None:
    rng = np.random.default_rng(7)
    regions, done, tries = start, 0, 0
    while done < 50:
        tries += 1
        assert tries < 400
        owner = regions[int(rng.integers(len(regions)))]
        others = shapely.union_all([area(region).boundary for region in regions if region is not owner])
        shared = [place for place in points_of(owner) if others.distance(shapely.Point(place)) < 1e-9]
        place = shared[int(rng.integers(len(shared)))]
        to = (np.asarray(place) + rng.normal(0, 8, 2)).tolist()
        argument = {"regions": regions, "id": owner["id"], "handle": handle_of(owner, place), "to": to}
        changed = {region["id"]: region for region in evaluate(MOVE, argument)}
        after = [changed.get(region["id"], region) for region in regions]
        # A vertex that was led across another border folds outlines over each other; nobody can share borders then.
        if not all(area(region).is_valid for region in after) or folded(regions, after):
            continue
        assert len(changed) >= 2
        assert_closed(after)
        regions, done = after, done + 1
    assert sum(len(points_of(region)) for region in regions) <= sum(len(points_of(region)) for region in start) + 3


def folded(before: list[Region], after: list[Region]) -> bool:
    """Whether a region turned inside out: its rings run the other way round than before."""

    def directions(region: Region) -> list[bool]:
        return [
            shapely.LinearRing(ring.coords).is_ccw
            for part in area(region).geoms
            for ring in (part.exterior, *part.interiors)
        ]

    crossed = any(
        one.intersection(other).area > 1 for one, other in itertools.combinations([area(region) for region in after], 2)
    )
    return crossed or [directions(region) for region in before] != [directions(region) for region in after]


def test_a_vertex_on_a_neighbours_edge_is_inserted_there(evaluate: Evaluate) -> None:
    argument = {"regions": ENDING, "id": "left", "handle": handle_of(ENDING[1], (100, 80)), "to": [90.004, 60]}
    changed = {region["id"]: region for region in evaluate(MOVE, argument)}
    assert set(changed) == {"top", "left", "right"}
    assert changed["top"]["shape"]["points"] == [[0, 0], [200, 0], [200, 90], [90, 60], [0, 70]]
    assert_closed(list(changed.values()))


def test_a_corner_of_a_long_edge_moves_and_the_vertex_on_it_stays(evaluate: Evaluate) -> None:
    argument = {"regions": ENDING, "id": "top", "handle": handle_of(ENDING[0], (200, 90)), "to": [210, 120]}
    changed = {region["id"]: region for region in evaluate(MOVE, argument)}
    assert set(changed) == {"top", "right"}
    assert [100, 80] in changed["top"]["shape"]["points"]
    assert_closed([changed["top"], ENDING[1], changed["right"]])


def test_a_moved_edge_takes_the_vertices_on_it_along(evaluate: Evaluate) -> None:
    move = """({ sharedMoves, withEdgeMoved }, regions) => {
      const [top] = regions, [, , a, b] = top.shape.points;
      const edge = { kind: "edge", part: 0, ring: 0, index: 2, a, b };
      return sharedMoves(regions, [top], [withEdgeMoved(top, edge, 0, 10)]);
    }"""
    changed = evaluate(move, ENDING)
    assert {tuple(point) for point in points_of(changed[0])} >= {(200, 100), (100, 90), (0, 80)}
    assert_closed(changed)


def test_a_vertex_is_inserted_and_deleted_in_all_regions(evaluate: Evaluate) -> None:
    insert = """({ sharedInsertion, withVertexInserted }, regions) => {
      const [left] = regions, a = left.shape.points[1], b = left.shape.points[2];
      const edge = { kind: "edge", part: 0, ring: 0, index: 1, a, b };
      return sharedInsertion(regions, left, edge, withVertexInserted(left, edge, [104.333, 17.777]));
    }"""
    changed = evaluate(insert, TWO)
    assert [(104.33, 17.78) in points_of(region) for region in changed] == [True, True]
    assert_closed(changed)
    delete = "({ sharedDeletion }, [regions, id, at]) => sharedDeletion(regions, regions.find((r) => r.id === id), at)"
    back = evaluate(delete, [changed, "right", [104.33, 17.78]])
    assert {region["id"]: area(region).normalize() for region in back} == {
        region["id"]: area(region).normalize() for region in TWO
    }
    fewer = {region["id"]: region for region in evaluate(delete, [THREE, "left", [110, 140]])}
    assert set(fewer) == {"left", "right"}
    assert_closed([THREE[0], *fewer.values()])
    assert evaluate(delete, [THREE, "left", [120, 90]]) is None  # three borders meet there
    assert evaluate(delete, [TWO, "left", [0, 0]])[0]["id"] == "left"  # nobody shares it


def test_distant_regions_do_not_move(evaluate: Evaluate) -> None:
    far = polygon("far", [(1000, 0), (1100, 0), (1100, 100)])
    argument = {"regions": [*TWO, far], "id": "left", "handle": handle_of(TWO[0], (0, 0)), "to": [-5, -5]}
    assert [region["id"] for region in evaluate(MOVE, argument)] == ["left"]


NEAREST = """({ BorderIndex }, [regions, places, radius]) => {
  const index = new BorderIndex();
  index.update(regions);
  return places.map((place) => {
    const found = index.nearest(place, radius);
    return found && { at: found.at, kind: found.kind, id: found.region.id };
  });
}"""


def test_the_nearest_border_is_found_as_shapely_finds_it(evaluate: Evaluate) -> None:
    rng = np.random.default_rng(3)
    regions = []
    for number in range(300):
        angles = np.sort(rng.uniform(0, 2 * np.pi, 12))
        centre, radius = rng.uniform(-50, 2000, 2), rng.uniform(5, 200)
        ring = np.stack([centre[0] + radius * np.cos(angles), centre[1] + radius * np.sin(angles)], axis=1)
        regions.append(polygon(str(number), ring.tolist()))
    places = rng.uniform(-100, 2100, (400, 2)).tolist()
    vertices = shapely.MultiPoint([point for region in regions for point in points_of(region)])
    lines = shapely.union_all([area(region).boundary for region in regions])
    for place, found in zip(places, evaluate(NEAREST, [regions, places, 6.0]), strict=True):
        point = shapely.Point(place)
        if point.distance(vertices) <= 6:
            assert found["kind"] == "vertex"
            assert tuple(found["at"]) in points_of(regions[int(found["id"])])
            assert np.hypot(*np.subtract(found["at"], place)) == pytest.approx(point.distance(vertices), abs=1e-9)
        elif point.distance(lines) <= 6:
            assert found["kind"] == "edge"
            assert np.hypot(*np.subtract(found["at"], place)) == pytest.approx(point.distance(lines), abs=1e-9)
        else:
            assert found is None


def test_snapping_among_two_thousand_regions_is_quick(evaluate: Evaluate) -> None:
    timed = """({ BorderIndex }) => {
      const ring = (x, y) => Array.from(
        { length: 60 }, (_, k) => [x + 30 * Math.cos(k / 9.55), y + 30 * Math.sin(k / 9.55)]);
      const regions = Array.from({ length: 2000 }, (_, i) => (
        { id: String(i), shape: { kind: "polygon", points: ring((i % 50) * 80, Math.floor(i / 50) * 75) } }));
      const index = new BorderIndex();
      const start = performance.now();
      index.update(regions);
      const built = performance.now();
      for (let i = 0; i < 1000; i++) index.nearest([i * 4, i * 3], 12);
      const asked = performance.now();
      index.update([{ ...regions[0] }, ...regions.slice(1)]);
      return [built - start, (asked - built) / 1000, performance.now() - asked];
    }"""
    build, ask, change = evaluate(timed, None)
    assert build < 1500
    assert ask < 2
    assert change < 30


def test_an_outline_along_a_border_leaves_no_gap(evaluate: Evaluate) -> None:
    rng = np.random.default_rng(5)
    path = "({ borderPath }, [regions, from, to, other]) => borderPath(regions, from, to, other)"
    for _ in range(30):
        angles = (np.arange(20) + rng.uniform(0, 0.9, 20)) * np.pi / 10
        ring = np.stack([100 + 50 * np.cos(angles), 100 + 50 * np.sin(angles)], axis=1).tolist()
        region = polygon("it", ring)
        first, last = sorted(rng.choice(20, 2, replace=False).tolist())
        share = rng.uniform(0.2, 0.8)
        start = (np.asarray(ring[first]) * share + np.asarray(ring[(first + 1) % 20]) * (1 - share)).tolist()
        short, long = (evaluate(path, [[region], start, ring[last], other]) for other in (False, True))
        lengths = [shapely.LineString([start, *way, ring[last]]).length for way in (short, long)]
        assert lengths[0] <= lengths[1]
        assert sum(lengths) == pytest.approx(area(region).length)
        assert {tuple(point) for point in (*short, *long)} | {tuple(ring[last])} == set(points_of(region))
        border = [start, *short, ring[last]]
        outside = [[100 + 2 * (x - 100), 100 + 2 * (y - 100)] for x, y in reversed(border)]
        new = area(polygon("new", [*border, *outside]))
        assert new.is_valid
        # The place on an edge is on it to the last bit only: slivers of less than a billionth of a square pixel.
        assert new.intersection(area(region)).area < 1e-9
        together = new.union(area(region))
        assert shapely.get_num_geometries(together) == 1
        assert sum(shapely.Polygon(hole).area for hole in together.interiors) < 1e-9
        assert together.area == pytest.approx(new.area + area(region).area, abs=1e-9)
    assert evaluate(path, [TWO, [50, 50], [100, 0], False]) is None
    assert evaluate(path, [TWO, [20, 0], [80, 0], False]) == []


def test_pieces_of_a_cut_take_the_place_of_their_region(evaluate: Evaluate) -> None:
    regions = [{**region, "class_name": "cell", "attributes": {"a": "b"}} for region in THREE]
    shapes = [
        [{"kind": "polygon", "points": [[0, 0], [number, 0], [0, 9]]} for number in (3, 2, 1)],
        [regions[1]["shape"]],
    ]
    edit = evaluate("({ cutEdit }, [all, cut, pieces]) => cutEdit(all, cut, pieces)", [regions, regions[:2], shapes])
    assert [region["shape"] for region in edit["put"]] == shapes[0]
    assert edit["put"][0]["id"] == "top"
    assert {(region["class_name"], region["attributes"]["a"]) for region in edit["put"]} == {("cell", "b")}
    assert edit["order"] == [*edit["ids"], "left", "right"]
    assert len(set(edit["order"])) == 5
