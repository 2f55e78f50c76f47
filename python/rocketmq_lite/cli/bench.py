"""`rmq bench`: how fast this cluster is from here, by our client alone. bench/ compares us with others."""

from __future__ import annotations

import math
import secrets
import sys
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Annotated, Final

import trio
import typer

from rocketmq_lite.cli import completion, session
from rocketmq_lite.cli.bench_figures import Goal, Meter
from rocketmq_lite.cli.failures import UsageFault
from rocketmq_lite.cli.interrupt import cancelled_by_ctrl_c
from rocketmq_lite.cli.options import GlobalOptions, with_global_options
from rocketmq_lite.cli.render import show_record
from rocketmq_lite.records import dataclass

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from rocketmq_lite.client.client import Client
    from rocketmq_lite.client.consumer import Consumer
    from rocketmq_lite.client.consumer_settings import Start

app = typer.Typer(
    name="bench",
    help="How fast a cluster is from here: send, consume, and from end to end.",
    no_args_is_help=True,
)

_SECONDS: Final = 10.0
_BACKLOG: Final = 100_000
_FILL_PIECE: Final = 10_000
"""Messages of a backlog that are sent by one call; their receipts are kept until it returns."""
_SHOW_EVERY: Final = 0.25
_TIDY_SECONDS: Final = 5.0
"""For removing what the bench made, also after Ctrl-C."""
_PRODUCER_GROUP: Final = "rmq-bench"

TopicOption = Annotated[
    str | None,
    typer.Option(
        "--topic",
        metavar="T",
        help="Use this topic and leave it; else one is made and removed.",
        autocompletion=completion.topics,
    ),
]
SizeOption = Annotated[
    int, typer.Option("--size", min=1, max=4 * 1024 * 1024, metavar="BYTES", help="Of a body.")
]
CountOption = Annotated[
    int | None, typer.Option("--count", min=1, metavar="N", help="Stop after so many messages.")
]
SecondsOption = Annotated[
    float | None, typer.Option("--seconds", min=0.001, metavar="S", help="Stop after so long.")
]


async def produce(
    options: GlobalOptions,
    topic: TopicOption = None,
    size: SizeOption = 1024,
    count: CountOption = None,
    seconds: SecondsOption = None,
    outstanding: Annotated[
        int, typer.Option("--outstanding", min=1, metavar="N", help="Requests under way at a time.")
    ] = 64,
    batch: Annotated[int, typer.Option("--batch", min=1, metavar="N", help="Messages of a request.")] = 1,
) -> None:
    """Send as fast as the answers come; latency is that of a request. Ten seconds unless told otherwise."""
    from rocketmq_lite.cli import bench_load

    length = _Length.given(count, seconds)
    async with session.connected(options) as client, _topic(client, topic) as used:
        producer = client.producer(_PRODUCER_GROUP)
        load = partial(bench_load.produce, producer, used, size=size, outstanding=outstanding, batch=batch)
        told = {"kind": "produce", "topic": used, "size": size, "outstanding": outstanding, "batch": batch}
        await _measure(load, length, told, options)


async def consume(
    options: GlobalOptions,
    topic: TopicOption = None,
    size: SizeOption = 1024,
    count: CountOption = None,
    seconds: SecondsOption = None,
) -> None:
    """Take and acknowledge a backlog: what --topic holds, or --count messages (100,000) that are sent first."""
    from rocketmq_lite.cli import bench_load

    async with session.connected(options) as client, _topic(client, topic) as used:
        if topic is None:
            await _fill(client, used, size=size, count=count or _BACKLOG)
        there = await _held(client, used)
        if not there:
            raise UsageFault(f"topic {used} is empty", hint=f"fill it: rmq bench produce --topic {used}")
        length = _Length(min(count or there, there), seconds or math.inf)
        async with _consumer(client, used, start="earliest") as messages:
            told = {"kind": "consume", "topic": used, "size": size}
            await _measure(partial(bench_load.consume, messages), length, told, options)


async def e2e(
    options: GlobalOptions,
    topic: TopicOption = None,
    size: SizeOption = 1024,
    count: CountOption = None,
    seconds: SecondsOption = None,
    rate: Annotated[
        float, typer.Option("--rate", min=0.001, metavar="N", help="Messages a second.")
    ] = 1000.0,
) -> None:
    """Send at a steady rate and consume; latency is from the send to the consumer. Ten seconds unless told otherwise."""
    from rocketmq_lite.cli import bench_load

    if size < bench_load.STAMP.size:
        raise UsageFault(
            f"--size {size} has no room for a time", hint=f"give at least {bench_load.STAMP.size}"
        )
    length = _Length.given(count, seconds)
    async with (
        session.connected(options) as client,
        _topic(client, topic) as used,
        _consumer(client, used, start="latest") as messages,
    ):
        producer = client.producer(_PRODUCER_GROUP)
        load = partial(bench_load.end_to_end, producer, messages, used, size=size, rate=rate)
        await _measure(load, length, {"kind": "e2e", "topic": used, "size": size, "rate": rate}, options)


@dataclass(frozen=True, slots=True)
class _Length:
    """How long a bench runs; both bounds hold."""

    count: int | None
    seconds: float

    @classmethod
    def given(cls, count: int | None, seconds: float | None) -> _Length:
        """What the options say, else ten seconds."""
        return cls(count, seconds or (_SECONDS if count is None else math.inf))

    def goal(self) -> Goal:
        """Counted from now."""
        return Goal(self.count, trio.current_time() + self.seconds)


async def _measure(
    load: Callable[..., Awaitable[None]], length: _Length, told: dict[str, object], options: GlobalOptions
) -> None:
    """Run a load and print what was measured, also when Ctrl-C ends it."""
    meter = Meter()
    interrupted = True
    try:
        with cancelled_by_ctrl_c(), _progress(length) as show:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_show, meter, show)
                await load(goal=length.goal(), meter=meter)
                nursery.cancel_scope.cancel()
        interrupted = False
    except KeyboardInterrupt:
        _print(meter, told, options, interrupted=interrupted)
        raise
    _print(meter, told, options, interrupted=interrupted)


def _print(meter: Meter, told: dict[str, object], options: GlobalOptions, *, interrupted: bool) -> None:
    size = told["size"]
    record = {**told, **meter.record(size if isinstance(size, int) else 0), "interrupted": interrupted}
    show_record(record, options)


@contextmanager
def _progress(length: _Length) -> Iterator[Callable[[Meter], None]]:
    """A line on standard error when that is a terminal: how far, how fast, how much longer."""
    if not sys.stderr.isatty():
        yield lambda _meter: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    counted = TextColumn("{task.fields[messages]:,} messages, {task.fields[rate]:,.0f}/s")
    columns = (BarColumn(), counted, TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, auto_refresh=False) as progress:
        task = progress.add_task("bench", total=length.count or length.seconds, messages=0, rate=0.0)

        def show(meter: Meter) -> None:
            done = meter.messages if length.count else meter.seconds
            progress.update(task, completed=done, messages=meter.messages, rate=meter.rate)
            progress.refresh()

        yield show


async def _show(meter: Meter, show: Callable[[Meter], None]) -> None:
    while True:
        show(meter)
        await trio.sleep(_SHOW_EVERY)


@asynccontextmanager
async def _topic(client: Client, given: str | None) -> AsyncIterator[str]:
    """The topic that was given, or one of our own for as long as the block lasts."""
    if given is not None:
        yield given
        return
    own = f"rmq-bench-{secrets.token_hex(6)}"
    await client.admin.create_topic(own)
    try:
        yield own
    finally:
        with trio.move_on_after(_TIDY_SECONDS, shield=True):
            await client.admin.delete_topic(own)


@asynccontextmanager
async def _consumer(client: Client, topic: str, *, start: Start) -> AsyncIterator[Consumer]:
    """A consumer in a group of its own, which is removed afterwards."""
    own = f"rmq-bench-{secrets.token_hex(6)}"
    try:
        async with client.consumer(own, topic, start=start) as messages:
            yield messages
    finally:
        with trio.move_on_after(_TIDY_SECONDS, shield=True):
            await client.admin.delete_group(own)


async def _fill(client: Client, topic: str, *, size: int, count: int) -> None:
    from rocketmq_lite.cli.bench_load import body

    producer = client.producer(_PRODUCER_GROUP)
    content = body(size)
    with cancelled_by_ctrl_c():
        for begun in range(0, count, _FILL_PIECE):
            await producer.send_many(topic, [content] * min(_FILL_PIECE, count - begun))


async def _held(client: Client, topic: str) -> int:
    """How many messages a topic holds now."""
    queues = (await client.admin.topic_stats(topic)).values()
    return sum(bounds.max_offset - bounds.min_offset for bounds in queues)


for _body in (produce, consume, e2e):
    app.command(_body.__name__)(with_global_options(_body))
