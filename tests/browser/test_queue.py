"""Several tabs that launch trainings at once, and one that is cancelled. The trainer is a few lines of Python."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import psutil
import pytest

from maskrcnn.jobs import queue, run_state
from maskrcnn.jobs.backend import Training
from maskrcnn.jobs.trainer_command import PROGRAM
from maskrcnn.runs.folder import RunFolder
from tests.browser.conftest import Server, start_server
from tests.jobs.fakes import STAND_IN, dead, end_all, pid_of, until, write_code
from tests.sweeps import FUZZ, sweep, wider

Settled = Callable[[Any], None]

TRAINER = """
(out / "began").write_text(repr(time.time()))
if "slow" in out.name:
    signal.signal(signal.SIGTERM, lambda *_: (time.sleep(2), result(state="cancelled", seconds=1), sys.exit(1)))
    wait_for("never")
time.sleep(0.2)
(out / "ended").write_text(repr(time.time()))
result(state="done", seconds=0.2)
"""


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A studio whose trainings are done by `TRAINER`."""
    workspace = tmp_path_factory.mktemp("queue") / "workspace"
    write_code(workspace, TRAINER)
    server = start_server(workspace, environment={PROGRAM: STAND_IN})
    yield server
    server.interrupt()
    end_all(workspace)


TABS, TURNS = (5, (1, 2)) if FUZZ else (2, (1,))


@wider
def test_launches_from_several_tabs_take_turns(studio: Server, page: Any, settled: Settled) -> None:
    """One of each of two tabs; `make fuzz` opens five tabs, and comes back for a second one in each."""
    runs = studio.workspace / "shapes" / "runs"
    tabs = [page, *(page.context.new_page() for _ in range(TABS - 1))]
    for tab in tabs:  # one after the other: where five load at once on two slow cores, each takes the time of five
        tab.goto(f"{studio.url}/launch?project=shapes", wait_until="commit")
        tab.get_by_role("textbox", name="Name of the run").wait_for()
    for turn in TURNS:
        for number, tab in enumerate(tabs):
            name = tab.get_by_role("textbox", name="Name of the run")
            name.wait_for()
            settled(tab)
            name.fill(f"tab{number}-{turn}")
            name.press("Enter")
            settled(tab)
        for tab in tabs:  # all at once: nobody waits for the others' answer
            tab.locator(".st-key-launch-start button").click(no_wait_after=True)
        for tab in tabs:
            tab.wait_for_url("**/runs?*")
            if turn != TURNS[-1]:
                settled(tab)  # the pill of what was started moves the links down: no click while they are on their way
                tab.get_by_role("link", name="Launch").first.click()
    launched = [RunFolder(runs / f"tab{number}-{turn}") for number in range(TABS) for turn in TURNS]
    assert until(lambda: all(run_state.state(run) == "done" for run in launched), 60)
    times = sorted(tuple(float((run.path / name).read_text()) for name in ("began", "ended")) for run in launched)
    assert all(ended <= began for (_, ended), (began, _) in pairwise(times)), "two ran at once"
    assert until(lambda: not queue.running(studio.workspace))


@sweep
def test_the_order_is_changed_cancel_is_shown_at_once_and_a_killed_training_is_told(
    studio: Server, page: Any, settled: Settled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PROGRAM, STAND_IN)  # whoever adds the first one also starts it
    runs = studio.workspace / "shapes" / "runs"
    page.goto(studio.url)  # the sample project is there after this
    page.get_by_text("Annotate").first.wait_for()
    first, second, third = (RunFolder(runs / name) for name in ("slow-1", "slow-2", "slow-3"))
    for run in (first, second, third):
        queue.add(studio.workspace, Training(run))
    pid = pid_of(first)
    assert until((first.path / "began").is_file)
    page.goto(f"{studio.url}/runs?project=shapes&run=slow-1")
    side_bar = page.locator('[data-testid="stSidebar"]')
    side_bar.get_by_role("link", name="2 waiting").wait_for()

    page.get_by_role("button", name="Move first").click()
    assert until(lambda: [job.run.name for job in queue.waiting(studio.workspace)] == ["slow-3", "slow-2"])
    settled(page)
    page.locator(f".st-key-queue-out-{queue.waiting(studio.workspace)[0].id}").get_by_role("button").click()
    side_bar.get_by_role("link", name="1 waiting").wait_for()
    assert not third.path.exists()

    page.get_by_role("button", name="Cancel").first.click()
    asking = page.get_by_role("button", name="Cancel this training").or_(
        page.get_by_role("button", name="Cancel slow-1")
    )
    asking.first.click()
    side_bar.get_by_role("link", name="slow-1 cancelling").wait_for()
    # It takes two seconds to end; then the side bar goes on to the other one by itself.
    side_bar.get_by_role("link", name="slow-2").wait_for()
    assert run_state.state(first) == "cancelled"
    assert dead(pid)
    # That one is killed from outside, as by a system that is out of memory.
    assert until((second.path / "began").is_file)
    psutil.Process(pid_of(second)).kill()
    page.get_by_test_id("stToast").get_by_text("slow-2 was lost").wait_for()
    assert run_state.state(second) == "lost"
    assert page.locator('[data-testid="stException"]').count() == 0
