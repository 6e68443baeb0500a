"""What an import did, as its report tells it: each line under its own heading, each number under its own name."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from maskrcnn.annotations.store import ImportReport, Project
from maskrcnn.studio.dataset import import_report


class Page:
    """Stands for Streamlit: keeps what is called, with its first two arguments."""

    def __init__(self) -> None:
        self.session_state: dict[str, Any] = {}
        self.called: list[tuple[Any, ...]] = []

    def __getattr__(self, name: str) -> Callable[..., AbstractContextManager[None]]:
        def call(*args: Any, **_: Any) -> AbstractContextManager[None]:
            self.called.append((name, *args[:2]))
            return nullcontext()

        return call

    def of(self, *names: str) -> list[Any]:
        return [entry[1:] if len(entry) > 2 else entry[1] for entry in self.called if entry[0] in names]


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Page:
    shown = Page()
    monkeypatch.setattr(import_report, "st", shown)
    return shown


def test_a_report_with_everything(page: Page) -> None:
    report = ImportReport(
        7,
        3,
        2,
        40,
        tuple(f"class {n}" for n in range(1, 14)),
        ("10.png", "2.png"),
        ("not imported: a.png: broken", "odd"),
    )
    import_report.keep(Path("p"), "dataset", report, ["passed over: b.txt", "odder"])
    there, elsewhere = Project(Path("p")), Project(Path("q"))
    assert [
        import_report.waits(*asked) for asked in ((there, "dataset"), (there, "annotate"), (elsewhere, "dataset"))
    ] == [True, False, False]
    import_report.show()
    (box,) = page.of("warning", "success", "error")
    assert box.startswith("**Imported**: 7 pictures added")
    assert page.called[0][0] == "warning"
    assert dict(page.of("metric")) == {
        "Pictures added": 7,
        "Got their regions": 3,
        "Left as they were": 2,
        "Regions": 40,
        "New classes": 13,
        "Not found": 2,
    }
    assert [text.replace("\\", "") for text in page.of("markdown")] == [
        "New classes: " + ", ".join(f"class {n}" for n in range(1, 13)) + " and 1 more",
        "**Passed over, and why**",
        "- not imported: a.png: broken\n- b.txt",
        "**Worth knowing**",
        "- odd\n- odder",
        "**Not found**, so left out with the labels on them: 2 pictures",
    ]
    (frame,) = page.of("dataframe")
    assert list(frame["Picture"]) == ["2.png", "10.png"]
    assert page.of("button") == ["See the pictures", "Import more"]
    import_report.dismiss_report()
    assert not import_report.waits(there, "dataset")


@pytest.mark.parametrize(
    ("report", "passed_over", "box"),
    [
        (ImportReport(1, new_classes=("cat",)), [], "success"),
        (ImportReport(1, missing=("a.png",)), [], "warning"),
        (ImportReport(1, warnings=("odd",)), [], "warning"),
        (ImportReport(1), ["passed over: b.txt"], "warning"),
    ],
)
def test_green_where_nothing_is_left_to_say(report: ImportReport, passed_over: list[str], box: str, page: Page) -> None:
    import_report.keep(Path("p"), "annotate", report, passed_over)
    import_report.show()
    assert page.called[0][0] == box
    assert page.of("button") == ["Label them"]
    assert not any("more" in text for text in page.of("markdown"))
