"""A real load through a cluster in this process: one producer, two members of one consumer group.

    python examples/demo.py [--lines N]

Every line of the Python standard library's sources, as ``path:line:text``, is sent in batches while two members share
the queues. It ends when every line came, and says how fast it went, who got how much, and what came twice or out of order.
"""

from __future__ import annotations

import argparse
import sysconfig
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import trio
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

import rocketmq_lite as rmq

if TYPE_CHECKING:
    from collections.abc import Sequence

TOPIC = "stdlib"
GROUP = "readers"
QUEUES = 8
SLICE = 20_000
"""Lines of one call, so that the bar moves."""


def standard_library_lines() -> list[bytes]:
    """``path:line:text`` of every line; path and number make each one unique."""
    root = Path(sysconfig.get_path("stdlib"))
    lines: list[bytes] = []
    for source in sorted(root.rglob("*.py")):
        name = source.relative_to(root)
        if "site-packages" in name.parts:
            continue
        for number, text in enumerate(source.read_bytes().splitlines(), 1):
            lines.append(b"%s:%d:%s" % (str(name).encode(), number, text))
    return lines


@dataclass
class Tally:
    """What the two members have received so far.

    Attributes:
        wanted: How many lines there are.
        received: Deliveries of each line, by its place in the source; more than one is a duplicate.
        shares: Messages by member.
        last: The last line of each queue, to see that the order holds.
        disorder: Messages that came after a later one of their queue.
        complete: Set once every line came.
    """

    wanted: int
    received: Counter[int] = field(default_factory=Counter)
    shares: Counter[str] = field(default_factory=Counter)
    last: dict[rmq.MessageQueue, int] = field(default_factory=dict)
    disorder: int = 0
    complete: trio.Event = field(default_factory=trio.Event)

    def add(self, member: str, queue: rmq.MessageQueue, line: int) -> None:
        """Take note of one delivery."""
        if line not in self.received:
            self.disorder += line < self.last.get(queue, -1)
            self.last[queue] = line
        self.received[line] += 1
        self.shares[member] += 1
        if len(self.received) == self.wanted:
            self.complete.set()

    @property
    def duplicates(self) -> int:
        """Deliveries beyond the first."""
        return self.received.total() - len(self.received)


async def send(namesrv: str, lines: Sequence[bytes], progress: Progress) -> float:
    """Send all lines; the seconds it took."""
    bar = progress.add_task("sent", total=len(lines))
    begin = time.perf_counter()
    async with rmq.connect(namesrv) as client:
        producer = client.producer("demo")
        for start in range(0, len(lines), SLICE):
            receipts = await producer.send_many(TOPIC, lines[start : start + SLICE])
            progress.advance(bar, len(receipts))
    return time.perf_counter() - begin


async def consume(
    namesrv: str,
    member: str,
    numbers: dict[bytes, int],
    tally: Tally,
    task_status: trio.TaskStatus[None],
) -> None:
    """Receive as one member of the group until cancelled."""
    async with (
        rmq.connect(namesrv) as client,
        client.consumer(GROUP, TOPIC, start="earliest") as messages,
    ):
        task_status.started()
        async for message in messages:
            async with message:
                tally.add(member, message.queue, numbers[message.body])


async def watch(tally: Tally, progress: Progress) -> None:
    """Move the receivers' bar until every line came."""
    bar = progress.add_task("received", total=tally.wanted)
    while not tally.complete.is_set():
        with trio.move_on_after(0.1):
            await tally.complete.wait()
        progress.update(bar, completed=len(tally.received))


async def run(lines: Sequence[bytes], progress: Progress) -> list[str]:
    """The whole of it, in a cluster that is gone afterwards; the lines to print at the end."""
    tally = Tally(wanted=len(lines))
    numbers = {line: number for number, line in enumerate(lines)}
    async with rmq.embedded() as cluster, trio.open_nursery() as nursery:
        await cluster.create_topic(TOPIC, queues=QUEUES)
        for member in ("member 1", "member 2"):
            await nursery.start(partial(consume, cluster.namesrv, member, numbers, tally))
        nursery.start_soon(watch, tally, progress)
        begin = time.perf_counter()
        sending = await send(cluster.namesrv, lines, progress)
        await tally.complete.wait()
        whole = time.perf_counter() - begin
        nursery.cancel_scope.cancel()
    return [
        f"sent       {len(lines):>9,} messages in {sending:.1f} s: {len(lines) / sending:,.0f} a second",
        f"received   {len(lines):>9,} messages in {whole:.1f} s: {len(lines) / whole:,.0f} a second",
        *(f"{member}   {share:>9,} messages" for member, share in sorted(tally.shares.items())),
        f"repeated   {tally.duplicates:>9,}",
        f"disordered {tally.disorder:>9,}",
    ]


def main() -> None:
    """Run it and print the figures."""
    parser = argparse.ArgumentParser(description="All lines of the standard library through a broker.")
    parser.add_argument("--lines", type=int, help="only the first so many lines")
    lines = standard_library_lines()[: parser.parse_args().lines]
    columns = (TextColumn("{task.description:8}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns) as progress:
        report = trio.run(run, lines, progress)
    print("\n".join(report))


if __name__ == "__main__":
    main()
