"""A consumer group of several processes: members come, leave, and are killed; nothing is left unread."""

from __future__ import annotations

import itertools
import json
import time
from typing import TYPE_CHECKING

import pytest
from tests.support.cli import rmq
from tests.support.processes import Program, up

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.slow]

WITHIN = 40.0


class Group:
    """Members of one group, and all that was sent to them."""

    def __init__(self, namesrv: str) -> None:
        self._namesrv = namesrv
        self._numbers = itertools.count()

    def member(self) -> Program:
        """One more; it prints each message as a line of JSON."""
        return Program(["msg", "tail", "orders", "--group", "g", "--from", "earliest", "-n", self._namesrv])

    def send(self, count: int = 20) -> set[str]:
        """So many messages, over all queues; their bodies."""
        bodies = [str(next(self._numbers)) for _ in range(count)]
        sent = rmq("msg", "send", "orders", "--lines", "-n", self._namesrv, stdin="\n".join(bodies).encode())
        assert sent.code == 0, sent.err
        return set(bodies)


def seen(*members: Program) -> set[str]:
    """The bodies that these members have printed so far."""
    return {json.loads(line)["body"] for member in members for line in member.out.text().splitlines()}


def wait_until_read(bodies: set[str], *members: Program) -> None:
    """Wait until these members together have printed all of these."""
    deadline = time.monotonic() + WITHIN
    while missing := bodies - seen(*members):
        assert time.monotonic() < deadline, f"not read: {missing}"
        time.sleep(0.02)  # several processes print: there is no one thing to wait for


def test_members_come_leave_and_are_killed(tmp_path: Path) -> None:
    with up(tmp_path / "data") as server:
        group = Group(server.ready["namesrv"])
        created = rmq("topic", "create", "orders", "--queues", "4", "-n", server.ready["namesrv"])
        assert created.code == 0, created.err
        with group.member() as stays, group.member() as leaves, group.member() as dies:
            members = (stays, leaves, dies)
            sent = group.send()
            wait_until_read(sent, *members)
            alone = [seen(each) for each in members]
            # Until each has its share: what is sent meanwhile is read by whoever has the queue.
            for _ in range(100):
                sent |= group.send()
                wait_until_read(sent, *members)
                if all(seen(each) > before for each, before in zip(members, alone, strict=True)):
                    break
            else:
                raise AssertionError("somebody got no queue")

            code, _, err = leaves.interrupt()
            assert (code, err) == (130, "")
            sent = group.send()
            wait_until_read(sent, stays, dies)

            dies.kill()
            sent = group.send()
            wait_until_read(sent, stays)
            assert stays.err.text() == ""
