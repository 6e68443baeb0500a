"""What one view of each page costs the server, what it sends, and how long the studio takes to start.

    python benchmarks/pages.py [--checkout DIR] [--starts 3] [--sessions 3] [--reruns 10] [--messages]

One visitor at a time, over a websocket and without a browser (`streamlit_client.py`), on a temporary workspace with the
sample project. `--checkout` measures the studio of another folder with this script.

**Start**: seconds from starting the server to the end of the first run of the start page, in servers of their own; once
until the server answers and once until the page is there.

**Pages**: processor time of the server and its children, and kB sent over the websocket (uncompressed). `cold` is the
first view of the page in the server's life, in the order of the table, so the first rows pay for what they share with
later ones. `first` is the first view in a new session, the median over sessions; `rerun` the same page run again in
that session, the mean of its reruns, the median over sessions.

With `--messages`, the bytes of each page's first view by type of message or element, the largest first.

A view with an exception makes the exit status 1.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from streamlit_client import START, Page, Server, View, Visit, machine

SETTLE_SECONDS = 0.1
"""Waited before processor time is read, for what the server does right after a run."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--starts", type=int, default=3, help="servers that are started for the time (default 3)")
    parser.add_argument("--sessions", type=int, default=3, help="new sessions of each page (default 3)")
    parser.add_argument("--reruns", type=int, default=10, help="reruns in each session (default 10)")
    parser.add_argument("--messages", action="store_true", help="print what the bytes of each page are")
    parser.add_argument("--checkout", type=Path, default=Path(__file__).parents[1], help="measure that folder's studio")
    args = parser.parse_args()
    print(machine(), flush=True)
    failures: list[str] = []
    if args.starts:
        failures += measure_starts(args.checkout, args.starts)
    with tempfile.TemporaryDirectory() as folder, Server(args.checkout, Path(folder)) as server:
        failures += asyncio.run(measure_pages(server, args.sessions, args.reruns, args.messages))
        print(f"the server at the end: {server.resident_mb():.0f} MB")
        if failures:
            print(*sorted(set(failures)), server.last_lines(), sep="\n")
    return 1 if failures else 0


def measure_starts(checkout: Path, starts: int) -> list[str]:
    """Print the seconds to the first page, and return the failures."""
    healthy, ready, failures = [], [], []
    for _ in range(starts):
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            with Server(checkout, Path(folder)) as server:
                healthy.append(time.perf_counter() - start)
                view = asyncio.run(open_start(server))
                ready.append(healthy[-1] + view.seconds)
                failures += view.failures
    for words, seconds in (("server answers", healthy), ("first page is there", ready)):
        print(f"start, {words}: {statistics.median(seconds):.2f} s ({', '.join(f'{s:.2f}' for s in seconds)})")
    return failures


async def open_start(server: Server) -> View:
    async with Visit(server) as visit:
        return await visit.open(START)


async def measure_pages(server: Server, sessions: int, reruns: int, messages: bool) -> list[str]:
    """Print a row for each page, and return the failures."""
    async with Visit(server) as visit:
        start = await visit.open(START)
        pages = visit.pages
    await asyncio.sleep(SETTLE_SECONDS)
    print(f"\nstart page of a new server: {1000 * server.cpu_seconds():.0f} ms of processor time, imports included")
    cold = {page: await costs(server, page, 1) for page in pages}
    warm = {page: [await costs(server, page, reruns) for _ in range(sessions)] for page in pages}
    print(f"\n{'':24}{'processor ms':>24}{'kB sent':>14}{'images':>9}")
    print(f"{'page':24}{'cold':>8}{'first':>8}{'rerun':>8}{'first':>7}{'rerun':>7}{'kB':>9}", flush=True)
    for page in pages:
        first, again = statistics.median(run[0] for run in warm[page]), statistics.median(run[1] for run in warm[page])
        view, rerun = warm[page][0][2], warm[page][0][3]
        print(
            f"{page.name:24}{cold[page][0]:>8.0f}{first:>8.0f}{again:>8.0f}"
            f"{view.sent / 1000:>7.0f}{rerun.sent / 1000:>7.0f}{view.media / 1000:>9.0f}"
        )
    if messages:
        for page in pages:
            print_types(warm[page][0][2])
    for runs in ([*cold.values()], *warm.values()):
        for view in (view for run in runs for view in run[2:]):
            start.failures += [f"{view.page.name}: {reason}" for reason in view.failures]
    return start.failures


async def costs(server: Server, page: Page, reruns: int) -> tuple[float, float, View, View]:
    """Processor ms of a page's first view in a new session and of its reruns (mean); the first view and the last."""
    async with Visit(server) as visit:
        before = server.cpu_seconds()
        first = await visit.open(replace(page, hash=""))  # by its address: this session knows no hashes
        await asyncio.sleep(SETTLE_SECONDS)
        between = server.cpu_seconds()
        last = first
        for _ in range(reruns):
            last = await visit.open(page)
        await asyncio.sleep(SETTLE_SECONDS)
        after = server.cpu_seconds()
    return 1000 * (between - before), 1000 * (after - between) / max(1, reruns), first, last


def print_types(view: View) -> None:
    print(f"\n{view.page.name}: {view.sent / 1000:.0f} kB")
    for kind, size in view.by_type.most_common(8):
        if size >= 1000:
            print(f"  {kind:24}{size / 1000:>7.0f} kB")


if __name__ == "__main__":
    sys.exit(main())
