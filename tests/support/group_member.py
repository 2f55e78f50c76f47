"""A member of a consumer group as a process of its own, so that it can be killed; speaks as the judges' drivers do.

Usage: ``python group_member.py NAMESRV GROUP TOPIC``. Writes a line of JSON for each message that it handled, and when
its standard input ends it leaves the group and writes what it counted.
"""

from __future__ import annotations

import json
import sys

import trio

import rocketmq_lite as rmq


async def consume(namesrv: str, group: str, topic: str) -> None:
    async with (
        rmq.connect(namesrv, request_timeout=10.0) as client,
        client.consumer(group, topic, start="earliest") as messages,
    ):
        print(json.dumps({"event": "ready"}), flush=True)
        with trio.CancelScope() as taking:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_at_end_of_input, taking)
                async for message in messages:
                    async with message:
                        handled = {"event": "message", "queue": message.queue.queue_id}
                        print(json.dumps(handled | {"body": message.body.decode()}), flush=True)
        print(json.dumps({"event": "left", "duplicates": messages.statistics().duplicates}), flush=True)


async def _at_end_of_input(taking: trio.CancelScope) -> None:
    async with trio.lowlevel.FdStream(0) as stdin:
        async for _ in stdin:
            pass
    taking.cancel()


if __name__ == "__main__":
    address, own_group, its_topic = sys.argv[1:]
    trio.run(consume, address, own_group, its_topic)
