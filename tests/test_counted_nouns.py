"""No "1 objects": a number that may be 1 is said with its noun by `maskrcnn.words.counted`.

Every f-string of the sources in which a plural of `NOUNS` stands straight after a value is looked at. The value may be
a constant, it may be told from 1 in the same expression (`"1 run" if n == 1 else f"{n} runs"`), and it may be one of
`NEVER_ONE`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted([*ROOT.glob("maskrcnn/**/*.py"), *ROOT.glob("pages/**/*.py"), ROOT / "app.py"])

NOUNS = (
    "annotations|anchors|boxes|bytes|classes|columns|days|detections|entries|epochs|errors|examples|files|folders|frames"
    "|groups|hours|images|instances|keypoints|labels|layers|lines|masks|minutes|models|names|objects|outlines|parameters"
    "|parts|pictures|places|points|polygons|processes|projects|proposals|records|regions|resamples|rows|runs|scans"
    "|seconds|steps|values|vertices|warnings"
)

NEVER_ONE: dict[str, set[str]] = {
    # Told apart from one before.
    "maskrcnn/annotations/doctor/outside_picture.py": {"len(beyond)"},
    "maskrcnn/annotations/doctor/shape_checks.py": {"len(rings)"},
    "maskrcnn/annotations/doctor/frame_checks.py": {"record.file_size"},
    "maskrcnn/annotations/doctor/picture_file_checks.py": {"len(narrow)", "len(noted)"},
    "maskrcnn/annotations/formats/via/missing_class.py": {"several"},
    "maskrcnn/annotations/intake/dropped_project.py": {"len(found)"},
    "maskrcnn/annotations/picture_index.py": {"len(match.ambiguous)"},
    "maskrcnn/training/distributed.py": {"team.size"},
    "maskrcnn/studio/runs/curve_words.py": {"of_kept"},
    "maskrcnn/studio/inspect/why_missed.py": {"missed"},
    "maskrcnn/studio/inspect/filter_survivors.py": {"config.num_classes - 1"},
    "maskrcnn/durations.py": {"round(seconds)", "round(seconds / MINUTE)", "seconds / HOUR", "days"},
    # More than a limit, which is large.
    "maskrcnn/annotations/folder_walk.py": {"most_files", "enough"},
    "maskrcnn/annotations/formats/masks/writing.py": {"len(numbers)"},
    "maskrcnn/annotations/intake/staged_import.py": {"len(new)"},
    "maskrcnn/annotations/intake/zip_unpacking.py": {"len(entries)"},
    "maskrcnn/annotations/store/region_json.py": {"len(documents)"},
    "maskrcnn/annotations/store/suggested/next_list.py": {"len(pictures)"},
    "maskrcnn/studio/dataset/doctor_view.py": {"state[0]"},
    "maskrcnn/studio/dataset/new_class_questions.py": {"len(new)"},
    "maskrcnn/studio/dataset/statistics_view.py": {"classes"},
    "maskrcnn/runs/document_schemas.py": {"most"},
    "maskrcnn/studio/evaluation/analyses/confusion_view.py": {"len(measured.names)"},
    # By their nature: parameters of a network, anchors of a picture, resamples.
    "maskrcnn/cli/report_text.py": {"report.intervals.resamples"},
    "maskrcnn/cli/info.py": {"count", "card['resamples']"},
    "maskrcnn/studio/launch/summary.py": {"anchor_count(config)"},
    # No numbers, or not for a person.
    "maskrcnn/inference/model_cards/limits.py": {"part.name"},
    "maskrcnn/annotations/formats/lazy_records.py": {"len(self)"},
    "maskrcnn/annotations/formats/yolo/label_rows.py": {"settings.file.name"},
    "maskrcnn/studio/runs/run_downloads.py": {"words"},
}
"""File -> the expressions that are not 1 where a plural follows."""

_PLURAL = re.compile(rf"^ (?:class )?(?:{NOUNS})\b")


def plurals(source: str) -> Iterator[tuple[int, str]]:
    """The line and the expression of each value that a plural follows, but for those that the first lines except."""
    tree = ast.parse(source)
    told = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.IfExp)
        for inner in ast.walk(node)
        if isinstance(inner, ast.JoinedStr) and re.search(r"\b1\b", ast.unparse(node.test))
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.JoinedStr) or node in told:
            continue
        for value, text in zip(node.values, node.values[1:], strict=False):
            if (
                isinstance(value, ast.FormattedValue)
                and isinstance(text, ast.Constant)
                and _PLURAL.match(str(text.value))
            ):
                names = [entry.id for entry in ast.walk(value.value) if isinstance(entry, ast.Name)]
                if not names or not all(name.isupper() for name in names):
                    yield node.lineno, ast.unparse(value.value)


def test_no_number_has_a_plural_that_it_may_not_need() -> None:
    wrong = {}
    for file in SOURCES:
        path = str(file.relative_to(ROOT))
        said = plurals(file.read_text("utf-8"))
        if found := [f"line {line}: {what}" for line, what in said if what not in NEVER_ONE.get(path, ())]:
            wrong[path] = found
    assert not wrong, f"say counted(number, noun), or name what is never 1 in NEVER_ONE: {wrong}"


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('f"{n} objects"', ["n"]),
        ('f"{len(rows):,} steps an epoch, {n} epochs"', ["len(rows)", "n"]),
        ('f"has {given} entries"', ["given"]),
        ('f"{self.size} class names"', ["self.size"]),
        ('f"{n} objects" if n else ""', ["n"]),
        ('"1 run" if n == 1 else f"{n} runs"', []),
        ('f"{n} runs" if n > 1 else "a run"', []),
        ('f"at most {MOST} files"', []),
        ('f"{MOST // 1000} files"', []),
        ('f"{counted(n, chr(111))} left"', []),
        ('f"{name} holds pictures"', []),
        ('f"{place} has objects"', []),
    ],
)
def test_what_is_found(source: str, found: list[str]) -> None:
    assert [what for _, what in plurals(source)] == found
