"""A member of a group that consumes in order, as a process; it prints when the work on each message begins and ends.

Called with the name server, the group, the topic, and the times of its locks: renew, valid, retry. It runs until it is
killed. Lines are ``begin QUEUE OFFSET BODY TIME`` and ``end QUEUE OFFSET TIME``; times are the machine's monotonic clock,
which all processes share, in nanoseconds.
"""

from __future__ import annotations

import os
import sys
import time

import trio

import rocketmq_lite as rmq

WORKERS = 8
WORK_SECONDS = 0.002


def say(*words: object) -> None:
    """One write a line, so that a kill cuts between lines."""
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


async def work(messages: rmq.Consumer) -> None:
    async for message in messages:
        async with message:
            place = (f"{message.queue.broker_name}/{message.queue.queue_id}", message.offset)
            say("begin", *place, message.body.decode(), time.monotonic_ns())
            await trio.sleep(WORK_SECONDS)
            say("end", *place, time.monotonic_ns())


async def main(arguments: list[str]) -> None:
    namesrv, group, topic, *times = arguments
    timings = rmq.LockTimings(*map(float, times))
    async with (
        rmq.connect(namesrv) as client,
        client.consumer(group, topic, start="earliest", ordered=timings) as messages,
        trio.open_nursery() as nursery,
    ):
        say("ready")
        for _ in range(WORKERS):
            nursery.start_soon(work, messages)


if __name__ == "__main__":
    trio.run(main, sys.argv[1:])
