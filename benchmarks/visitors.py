"""How fast the studio answers when many people use it at once, how much it sends them, and what they cost the server.

    python benchmarks/visitors.py [--visitors 1,10,30] [--pages-each 24 | --minutes M] [--checkout DIR] [--cold]
    python benchmarks/visitors.py --memory [--visitors 10] [--minutes 60]

For each number of visitors a server is started on a temporary workspace with the sample project. One visitor opens each
page once (not with `--cold`). Then the others arrive, spread over 8 s. Each opens the start page, then all pages in an
order of its own, each dataset view as a page of its own, with 1 to 4 s between. Visitors are websockets
(`streamlit_client.py`), no browsers. `--checkout` measures the studio of another folder with this script.

Prints, per page: views; seconds from the request to the end of the page's run (p50, p95, max); kB sent over the
websocket, uncompressed (p50, max); kB of images that are downloaded by their address, each once by a visitor (mean);
error boxes; failed views. Under it the server's processor time per view, its resident memory at the start and the end,
and the processors in use by the server, by the visitors and by everything else on the machine: where the last is not
small, the seconds are too long.

With `--memory`, visitors leave after `--pages-each` views and new ones arrive, for `--minutes`. Prints resident memory
each minute, and its slope, by least squares, without the first quarter.

A view with an exception, or without an end, has failed: the exit status is 1 then.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
from streamlit_client import START, Page, Server, View, Visit, machine
from websockets.exceptions import WebSocketException

ARRIVAL_SECONDS = 8.0
PAUSE_SECONDS = (1.0, 4.0)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--visitors", default="", metavar="N,N", help="default 1,10,30; with --memory 10")
    parser.add_argument("--pages-each", type=int, default=24, help="views of a visitor, then it leaves (default 24)")
    parser.add_argument("--minutes", type=float, help="each visitor goes on for so long; with --memory default 60")
    parser.add_argument("--memory", action="store_true", help="watch the server's memory while visitors come and go")
    parser.add_argument("--cold", action="store_true", help="nobody opens the pages before the first visitor")
    parser.add_argument("--seed", type=int, default=0, help="of the arrivals, orders and pauses (default 0)")
    parser.add_argument("--checkout", type=Path, default=Path(__file__).parents[1], help="measure that folder's studio")
    args = parser.parse_args()
    failed = 0
    for count in map(int, (args.visitors or ("10" if args.memory else "1,10,30")).split(",")):
        with tempfile.TemporaryDirectory() as folder, Server(args.checkout, Path(folder)) as server:
            failed += asyncio.run(measure(server, count, args))
    return 1 if failed else 0


async def measure(server: Server, count: int, args: argparse.Namespace) -> int:
    """Let so many visitors use a server, print the figures, and return how many views failed."""
    if not args.cold:
        await open_each_page(server)
    print(f"\n{count} visitors, {machine()}", flush=True)
    crowd = Crowd(server, count, args.seed)
    memory, cpu, others, start = server.resident_mb(), server.cpu_seconds(), busy_seconds(), time.monotonic()
    client = time.process_time()
    if args.memory:
        minutes = args.minutes or 60.0
        watching = asyncio.create_task(watch_memory(server, crowd.views, minutes))
        await crowd.come_and_go(args.pages_each, start + 60 * minutes)
        await watching
    elif args.minutes:
        await crowd.come(lambda _views: time.monotonic() < start + 60 * args.minutes)
    else:
        await crowd.come(lambda views: views < args.pages_each)
    wall, cpu, client = time.monotonic() - start, server.cpu_seconds() - cpu, time.process_time() - client
    others = max(0.0, busy_seconds() - others - cpu - client)
    print_table(crowd.views)
    views = len(crowd.views)
    print(f"{views} views in {wall:.0f} s; {1000 * cpu / views:.0f} ms of processor time per view (with images)")
    print(f"the server: {memory:.0f} MB at the start, {server.resident_mb():.0f} MB at the end")
    print(
        f"cores in use: server {cpu / wall:.2f}, visitors {client / wall:.2f}, others {others / wall:.2f}", flush=True
    )
    failures = [(view.page.name, reason) for view in crowd.views for reason in view.failures]
    for name, reason in sorted(set(failures)):
        print(f"FAILED {name}: {reason} ({failures.count((name, reason))} times)")
    if failures:
        print(f"The server's last lines:\n{server.last_lines()}")
    return len(failures)


def busy_seconds() -> float:
    """Processor time of everything on this machine since it was started."""
    times = psutil.cpu_times()
    return sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0)


async def open_each_page(server: Server) -> None:
    async with Visit(server) as visit:
        await visit.open(START)
        for page in visit.pages:
            await visit.open(page)


class Crowd:
    """Visitors of one server; `views` has all that they have opened."""

    def __init__(self, server: Server, count: int, seed: int) -> None:
        self.server, self.count, self.seed = server, count, seed
        self.views: list[View] = []

    async def come(self, goes_on: Callable[[int], bool]) -> None:
        """Each visitor comes once and stays while `goes_on` says so of the number of its views."""
        await asyncio.gather(*(self._visit(number, goes_on) for number in range(self.count)))

    async def come_and_go(self, pages_each: int, end: float) -> None:
        """Visitors leave after so many views, and others take their places, until `end`."""

        async def place(number: int) -> None:
            while time.monotonic() < end:
                await self._visit(number, lambda views: views < pages_each and time.monotonic() < end)
                number += self.count

        await asyncio.gather(*(place(number) for number in range(self.count)))

    async def _visit(self, number: int, goes_on: Callable[[int], bool]) -> None:
        chance = random.Random(f"{self.seed} {number}")
        await asyncio.sleep(chance.uniform(0, ARRIVAL_SECONDS))
        try:
            async with Visit(self.server) as visit:
                self.views.append(await visit.open(START))
                pages, views = endless(visit.pages or [START], chance), 1
                while goes_on(views):
                    await visit.stay(chance.uniform(*PAUSE_SECONDS))
                    self.views.append(await visit.open(next(pages)))
                    views += 1
        except (OSError, WebSocketException) as error:
            self.views.append(View(START, failures=[f"no connection: {error}"]))


def endless(pages: list[Page], chance: random.Random) -> Iterator[Page]:
    """All pages in a random order, again and again."""
    while True:
        yield from chance.sample(pages, len(pages))


async def watch_memory(server: Server, views: list[View], minutes: float) -> None:
    """Print the server's memory each minute, then its slope."""
    start, points = time.monotonic(), []
    print(f"{'minute':>7}{'MB':>8}{'views':>8}{'failed':>8}{'p95 s':>8}")
    for minute in range(int(minutes) + 1):
        before = len(views)
        await asyncio.sleep(max(0.0, start + 60 * minute - time.monotonic()))
        points.append((minute, server.resident_mb()))
        late = percentile([view.seconds for view in views[before:]] or [0.0], 95)
        failed = sum(bool(view.failures) for view in views)
        print(f"{minute:>7}{points[-1][1]:>8.0f}{len(views):>8}{failed:>8}{late:>8.2f}", flush=True)
    print(f"slope: {60 * slope(points[len(points) // 4 :]):+.1f} MB per hour")


def slope(points: list[tuple[int, float]]) -> float:
    """Of the straight line through the points, by least squares; 0 for a single point."""
    x, y = (sum(column) / len(points) for column in zip(*points, strict=True))
    spread = sum((px - x) ** 2 for px, _ in points)
    return sum((px - x) * (py - y) for px, py in points) / spread if spread else 0.0


def percentile(values: list[float], percent: int) -> float:
    """The smallest value that so many percent of all do not exceed."""
    return sorted(values)[max(0, -(-percent * len(values) // 100) - 1)]


def print_table(views: list[View]) -> None:
    print(f"{'':24}{'':>7}{'seconds':>21}{'kB sent':>14}{'images':>9}{'error':>7}")
    heads = f"{'p50':>7}{'p95':>7}{'max':>7}{'p50':>7}{'max':>7}{'kB mean':>9}{'boxes':>7}{'failed':>8}"
    print(f"{'page':24}{'views':>7}{heads}")
    by_page: dict[str, list[View]] = {}
    for view in views:
        by_page.setdefault(view.page.name, []).append(view)
    for name, mine in [*sorted(by_page.items()), ("all", views)]:
        seconds, sent = [view.seconds for view in mine], [view.sent / 1000 for view in mine]
        print(
            f"{name:24}{len(mine):>7}{percentile(seconds, 50):>7.2f}{percentile(seconds, 95):>7.2f}{max(seconds):>7.2f}"
            f"{percentile(sent, 50):>7.0f}{max(sent):>7.0f}{sum(view.media for view in mine) / len(mine) / 1000:>9.0f}"
            f"{sum(view.errors for view in mine):>7}{sum(bool(view.failures) for view in mine):>8}"
        )


if __name__ == "__main__":
    sys.exit(main())
