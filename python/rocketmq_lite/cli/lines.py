"""One message a line: read, send in batches, count, show how far it is.

What is there is sent: lines of a file go out by the megabyte, those of a pipe as they come. Lines keep their order
within each queue, as :meth:`Producer.send_many` promises; with `--order-key` all go to one queue. While a piece is
sent the next is read.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NoReturn

import trio

from rocketmq_lite.errors import NotAllSent, NotDurable, RocketMQError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from rocketmq_lite.client.producer import Producer
    from rocketmq_lite.model import SendReceipt

PIECE: Final = 4 * 1024 * 1024
"""Bytes read at a time: enough for eight batches, little enough for their receipts to stay small."""


@dataclass(frozen=True, slots=True)
class Template:
    """Everything of a message but its body."""

    topic: str
    tag: str | None = None
    keys: tuple[str, ...] = ()
    properties: Mapping[str, str] = field(default_factory=dict)
    order_key: str | None = None

    async def send(
        self, producer: Producer, bodies: Sequence[bytes], *, before: int = 0
    ) -> Sequence[SendReceipt]:
        """Send it with each of these bodies.

        Args:
            producer: Who sends.
            bodies: One message each.
            before: How many were sent already.

        Raises:
            RocketMQError: Not all could be sent. If some were, the text says how many, those before included.
        """
        try:
            return await producer.send_many(
                self.topic,
                bodies,
                tag=self.tag,
                keys=self.keys,
                properties=self.properties,
                order_key=self.order_key,
            )
        except NotAllSent as error:
            self._stop(
                before + sum(receipt is not None for receipt in error.receipts), error.__cause__ or error
            )
        except RocketMQError as error:
            if not before:
                raise
            self._stop(before + (len(error.receipts) if isinstance(error, NotDurable) else 0), error)

    def _stop(self, stored: int, reason: BaseException) -> NoReturn:
        """Say why, and how many are stored if some are."""
        if not stored:
            raise reason
        hint, code = (reason.hint, reason.code) if isinstance(reason, RocketMQError) else ("", None)
        text = f"{stored:,} messages were sent to {self.topic} and no more: {reason}"
        raise RocketMQError(text, hint=hint, code=code) from reason


@dataclass(slots=True)
class Summary:
    """How many lines were sent, and how many were empty."""

    sent: int = 0
    empty: int = 0


@dataclass(frozen=True, slots=True)
class _Piece:
    """Whole lines without their ends, and how many bytes they were."""

    bodies: list[bytes]
    empty: int
    size: int


async def send_lines(producer: Producer, message: Template, file: Path | None) -> Summary:
    """Send every line that is not empty, without its line end.

    Raises:
        RocketMQError: A line could not be sent; the text says how many messages were.
    """
    summary = Summary()
    with _opened(file) as source, _progress(file) as advance:
        async with trio.open_nursery() as nursery:
            piece_in, pieces = trio.open_memory_channel[_Piece](1)
            nursery.start_soon(_read, source, piece_in)
            async for piece in pieces:
                if piece.bodies:
                    summary.sent += len(await message.send(producer, piece.bodies, before=summary.sent))
                summary.empty += piece.empty
                advance(piece.size)
    return summary


async def _read(source: int, pieces: trio.MemorySendChannel[_Piece]) -> None:
    """Cut what a file descriptor gives at line ends. A thread waits for it, and is left behind by Ctrl-C."""
    begun: list[bytes] = []
    async with pieces:
        while data := await trio.to_thread.run_sync(os.read, source, PIECE, abandon_on_cancel=True):
            head, newline, tail = data.rpartition(b"\n")
            if newline:
                await pieces.send(_piece(b"".join([*begun, head])))
                begun.clear()
            begun.append(tail)
        if last := b"".join(begun):
            await pieces.send(_piece(last))


def _piece(text: bytes) -> _Piece:
    lines = text.split(b"\n")
    bodies = [body for line in lines if (body := line.removesuffix(b"\r"))]
    return _Piece(bodies, len(lines) - len(bodies), len(text) + 1)


@contextmanager
def _opened(file: Path | None) -> Iterator[int]:
    if file is None:
        yield sys.stdin.fileno()
        return
    with file.open("rb") as source:
        yield source.fileno()


@contextmanager
def _progress(file: Path | None) -> Iterator[Callable[[int], None]]:
    """A bar on standard error when that is a terminal; how long it is takes a file of known size."""
    if not sys.stderr.isatty():
        yield lambda _size: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("send", total=file.stat().st_size if file else None)
        yield lambda size: progress.advance(task, size)
