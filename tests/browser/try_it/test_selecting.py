"""selecting.js and soft_outline.js in Chromium against slow twins in Python, on random candidates."""

from __future__ import annotations

from typing import Any

import numpy as np

from maskrcnn.model.candidates import NMS_STEPS, PROPOSAL_STEPS, Candidates, Selection
from maskrcnn.model.mask_pasting import crop_mask
from maskrcnn.studio.serving import browser_code
from maskrcnn.studio.try_it import candidate_routes, tried_picture

FOLDER = browser_code._FOLDER / "try_it"
MODULES = [FOLDER / name for name in ("candidate_table.js", "selecting.js", "soft_outline.js")]
KEPT = """async ([table, selecting, outline, cases]) => {
  const { candidatesOf } = await import(table), { keptCandidates } = await import(selecting);
  return cases.map(({ sent, selection }) => keptCandidates(candidatesOf(sent), selection));
}"""
AREAS = """async ([table, selecting, outline, cases]) => {
  const { candidatesOf } = await import(table), { areaOf, polygonsOf, softOutline } = await import(outline);
  return cases.map(({ sent, threshold }) => {
    const rings = softOutline(candidatesOf(sent), 0, threshold), points = rings.flat();
    return {
      area: areaOf(rings), polygons: polygonsOf(rings).map((rings) => rings.length),
      x: points.map(([x]) => x), y: points.map(([, y]) => y),
    };
  });
}"""

SIDE = 28


def in_browser(page: Any, server: Any, script: str, cases: list[dict[str, Any]]) -> Any:
    page.goto(f"{server.url}/_stcore/health")
    return page.evaluate(script, [*(server.url + browser_code.module_url(module) for module in MODULES), cases])


def candidates(boxes: np.ndarray, labels: Any, scores: Any, ranks: Any, masks: Any = None, **more: Any) -> Candidates:
    values = np.asarray(labels, np.int64), np.asarray(scores, np.float32), np.asarray(ranks, np.int64)
    size = {"height": 480, "width": 640, **more}
    return Candidates(boxes=boxes.astype(np.float32), labels=values[0], scores=values[1], ranks=values[2],
                      masks=masks, **size)  # fmt: skip


def random_case(seed: int) -> tuple[Candidates, Selection]:
    """Crowded boxes of three classes, some empty or twice there; scores and limits often exactly the same."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(0, 60))
    low = rng.uniform(0, 200, (count, 2))
    boxes = np.concatenate([low, low + rng.uniform(0, 150, (count, 2))], axis=1)
    if seed % 3 == 0:
        boxes = np.round(boxes / 20) * 20  # IoUs such as 0.5 and 0.25 are common
    scores = np.sort(np.round(rng.random(count), 2 if seed % 2 else 7))[::-1]
    classes = None if seed % 4 else frozenset(rng.choice(3, int(rng.integers(0, 4)), replace=False) + 1)
    selection = Selection(
        min_score=float(rng.choice([0.0, 0.05, 0.3, 0.7, round(rng.random(), 2)])),
        nms_iou=float(rng.choice(NMS_STEPS)),
        proposals=int(rng.choice(PROPOSAL_STEPS[2:9])),
        most=int(rng.choice([1, 5, 20, 100])),
        classes=None if classes is None else frozenset(int(label) for label in classes),
    )
    return candidates(boxes, rng.integers(1, 4, count), scores, rng.permutation(count)), selection


def slowly_kept(found: Candidates, selection: Selection) -> list[int]:
    """The definition: take the best that is left, then drop what overlaps it. In float32, as torchvision computes."""
    single = np.float32
    left = [
        place
        for place in range(len(found.scores))
        if found.scores[place] >= single(selection.min_score)
        and found.ranks[place] < selection.proposals
        and (selection.classes is None or int(found.labels[place]) in selection.classes)
    ]
    kept: list[int] = []
    while left and len(kept) < selection.most:
        best = left.pop(0)
        kept.append(best)
        left = [place for place in left if not drops(found, best, place, single(selection.nms_iou))]
    return kept


def drops(found: Candidates, better: int, place: int, limit: np.float32) -> bool:
    same_class = found.labels[place] == found.labels[better]
    return bool(same_class and iou(found.boxes[place], found.boxes[better]) > limit)


def iou(one: np.ndarray, other: np.ndarray) -> np.float32:
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    sides = np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])
    if (sides <= 0).any():
        return np.float32(0)
    common = sides[0] * sides[1]
    return np.float32(common / (areas[0] + areas[1] - common))


def test_the_browser_keeps_what_the_slow_twin_keeps(page: Any, server: Any) -> None:
    cases = [random_case(seed) for seed in range(200)]
    sent = [
        {"sent": candidate_routes.for_browser(found), "selection": tried_picture._for_browser(selection)}
        for found, selection in cases
    ]
    kept = in_browser(page, server, KEPT, sent)
    seen = {"some": 0, "none": 0, "overlaps": 0, "many": 0}
    for (found, selection), ours in zip(cases, kept, strict=True):
        expected = slowly_kept(found, selection)
        assert ours == expected == found.kept(selection).tolist(), selection
        passed = (found.scores >= selection.min_score) & (found.ranks < selection.proposals)
        seen["some" if expected else "none"] += 1
        seen["many"] += len(expected) == selection.most
        seen["overlaps"] += 1 < len(expected) < passed.sum() and len(expected) < selection.most
    assert min(seen.values()) > 15, seen


def random_mask(rng: np.random.Generator) -> np.ndarray:
    """A soft blob, every third time with a hole, over `(SIDE, SIDE)` cells."""
    y, x = (np.mgrid[:SIDE, :SIDE] + 0.5) / SIDE * 2 - 1
    away = np.hypot(x / rng.uniform(0.6, 1.2), y / rng.uniform(0.6, 1.2))
    soft = 1 / (1 + np.exp((away - 0.8) * rng.uniform(4, 20)))
    if rng.random() < 1 / 3:
        soft *= 1 / (1 + np.exp((0.3 - away) * 15))
    return np.clip(soft + rng.normal(0, 0.03, soft.shape), 0, 1).astype(np.float16)[None]


def test_outlines_have_the_area_of_pasted_masks_and_stay_in_the_picture(page: Any, server: Any) -> None:
    cases, expected = [], []
    for seed in range(120):
        rng = np.random.default_rng(seed)
        size = rng.uniform(33, 400, 2)
        low = rng.uniform(-0.2, 1, 2) * [640, 480] - 0.3 * size  # some reach out of the picture
        box, mask = np.array([*low, *(low + size)], np.float32), random_mask(rng)
        threshold, legacy = float(rng.choice([0.1, 0.3, 0.5, 0.5, 0.7])), bool(seed % 2)
        found = candidates(box[None], [1], [0.9], [0], mask, legacy=legacy)
        cases.append({"sent": candidate_routes.for_browser(found), "threshold": threshold})
        pasted = crop_mask(mask[0].astype(np.float32), box, 480, 640, legacy, threshold)
        expected.append(int(pasted.inside.sum()))
    drawn = in_browser(page, server, AREAS, cases)
    errors, holes = [], 0
    for ours, area in zip(drawn, expected, strict=True):
        assert all(0 <= x <= 640 for x in ours["x"])
        assert all(0 <= y <= 480 for y in ours["y"])
        holes += any(rings > 1 for rings in ours["polygons"])
        if area > 32 * 32:
            errors.append(abs(ours["area"] - area) / area)
    assert len(errors) > 60
    assert holes > 15
    assert max(errors) < 0.015, sorted(errors)[-5:]  # the pasted mask is whole pixels
    assert np.mean(errors) < 0.0015


def test_outlines_by_hand(page: Any, server: Any) -> None:
    """A grid of 2 x 2 cells over 4 x 4 px: the cells' centres are at 1 and 3."""
    box = np.array([[2, 2, 6, 6]], np.float32)

    def of(*cells: float, threshold: float = 0.5) -> dict[str, Any]:
        found = candidates(box, [1], [0.9], [0], np.array(cells, np.float16).reshape(1, 2, 2))
        (drawn,) = in_browser(
            page, server, AREAS, [{"sent": candidate_routes.for_browser(found), "threshold": threshold}]
        )
        return drawn

    full = of(1, 1, 1, 1)  # falls from 1 at the outer centres to 0 a cell further: 0.5 is at the edge of the box,
    assert (min(full["x"]), max(full["y"])) == (2, 6)
    assert 13.5 < full["area"] < 16  # except for the corners, where it falls in both directions
    left = of(1, 0, 1, 0)  # half way between the centres 3 and 5
    assert max(left["x"]) == 4
    assert of(1, 1, 1, 1, threshold=0.2)["area"] > 15.9  # would reach beyond the box, but pasting ends there
    assert of(0.4, 0.4, 0.4, 0.4) == {"area": 0, "polygons": [], "x": [], "y": []}
