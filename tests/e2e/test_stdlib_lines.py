"""A real file: every line of the standard library's sources, sent by `rmq msg send --lines` as path:line:text.

A consumer gets each one exactly once, in order within each queue.
"""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from typing import TYPE_CHECKING

import pytest
from examples.demo import standard_library_lines
from tests.support.processes import up

import rocketmq_lite as rmq

if TYPE_CHECKING:
    from pathlib import Path

TOPIC = "stdlib"


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_every_line_arrives_once_and_in_order(tmp_path: Path) -> None:
    lines = standard_library_lines()
    source = tmp_path / "lines.txt"
    source.write_bytes(b"\n".join(lines) + b"\n\n\n")
    with up(tmp_path / "data") as server:
        command = [sys.executable, "-m", "rocketmq_lite", "-n", server.ready["namesrv"]]
        subprocess.run([*command, "topic", "create", TOPIC, "--queues", "4"], check=True, capture_output=True)
        sent = subprocess.run(
            [*command, "msg", "send", TOPIC, "--lines", "--file", str(source), "--output", "table"],
            check=True,
            capture_output=True,
            text=True,
        )
        assert f"{len(lines)}" in sent.stdout.replace(",", "")
        assert "2 empty" in sent.stdout
        received = await receive(server.ready["namesrv"], len(lines))
    positions = {line: index for index, line in enumerate(lines)}
    assert len(positions) == len(lines)
    assert sum(map(len, received.values())) == len(lines)
    assert {body for bodies in received.values() for body in bodies} == positions.keys()
    for bodies in received.values():
        order = [positions[body] for body in bodies]
        assert order == sorted(order)


async def receive(namesrv: str, count: int) -> dict[rmq.MessageQueue, list[bytes]]:
    by_queue: dict[rmq.MessageQueue, list[bytes]] = defaultdict(list)
    seen = 0
    async with (
        rmq.connect(namesrv) as client,
        client.consumer("readers", TOPIC, start="earliest") as messages,
    ):
        async for message in messages:
            async with message:
                by_queue[message.queue].append(message.body)
            seen += 1
            if seen == count:
                break
    return by_queue
