"""`rmq msg send --lines` as a stranger uses it: files and pipes, what is left out, and how it ends when it cannot go on."""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING

import pytest
from tests.support.cli import rmq
from tests.support.processes import Program

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.slow]

SIXTEEN_MIB = 16 * 1024 * 1024


def stored(topic: str, namesrv: str) -> int:
    """Messages in all queues of a topic; none as long as it does not exist."""
    shown = rmq("topic", "show", topic, namesrv=namesrv)
    return sum(row["max_offset"] for row in shown.json()["queues"]) if shown.code == 0 else 0


def bodies(topic: str, count: int, namesrv: str) -> list[str]:
    tailed = rmq("msg", "tail", topic, "--from", "earliest", "--count", str(count), namesrv=namesrv)
    return [line.split('"body": ')[1].split('"')[1] for line in tailed.out.splitlines()]


def test_empty_lines_are_skipped_and_counted(namesrv: str) -> None:
    sent = rmq("msg", "send", "lines", "--lines", stdin=b"one\n\ntwo\r\n\r\n\nthree", namesrv=namesrv)
    assert sent.code == 0, sent.err
    assert sent.json() == {"topic": "lines", "sent": 3, "empty_lines_skipped": 3}
    assert sorted(bodies("lines", 3, namesrv)) == ["one", "three", "two"]


def test_nothing_and_nothing_but_empty_lines(namesrv: str) -> None:
    for text, empty in ((b"", 0), (b"\n\n", 2)):
        sent = rmq("msg", "send", "nothing", "--lines", stdin=text, namesrv=namesrv)
        assert sent.json() == {"topic": "nothing", "sent": 0, "empty_lines_skipped": empty}
    assert stored("nothing", namesrv) == 0


def test_lines_across_the_pieces_that_are_read(namesrv: str, tmp_path: Path) -> None:
    """Lines of every length from 1 to 7,000 bytes: some end just where a piece of 4 MiB does, others in two."""
    text = "\n".join(f"{number}".rjust(number, ".") for number in range(1, 7_001))
    assert len(text) > SIXTEEN_MIB
    (tmp_path / "lines").write_text(text)
    sent = rmq("msg", "send", "long", "--lines", "--file", str(tmp_path / "lines"), namesrv=namesrv)
    assert sent.json() == {"topic": "long", "sent": 7_000, "empty_lines_skipped": 0}
    assert sorted(len(body) for body in bodies("long", 7_000, namesrv)) == sorted(
        max(number, len(str(number))) for number in range(1, 7_001)
    )


def test_an_order_key_sends_all_to_one_queue_in_order(namesrv: str) -> None:
    text = "".join(f"line {number}\n" for number in range(5_000)).encode()
    arguments = ["msg", "send", "keyed", "--lines", "--order-key", "k", "--tag", "t"]
    assert rmq(*arguments, stdin=text, namesrv=namesrv).json()["sent"] == 5_000
    queues = rmq("topic", "show", "keyed", namesrv=namesrv).json()["queues"]
    assert sorted(row["max_offset"] for row in queues) == [0, 0, 0, 5_000]
    assert bodies("keyed", 5_000, namesrv) == [f"line {number}" for number in range(5_000)]


def test_lines_of_a_pipe_go_out_as_they_come(namesrv: str) -> None:
    arguments = ["msg", "send", "piped", "--lines", "-n", namesrv]
    with Program(arguments, stdin=subprocess.PIPE) as sender:
        assert sender.process.stdin is not None
        for number in range(1, 3):
            sender.process.stdin.write(b"a line\nhalf of")
            sender.process.stdin.flush()
            while stored("piped", namesrv) < number:
                time.sleep(0.1)
        sender.process.stdin.close()
        assert sender.process.wait(timeout=30) == 0
        assert '"sent": 3' in sender.out.wait_for_end()
    assert sorted(bodies("piped", 3, namesrv)) == ["a line", "half of", "half ofa line"]


def test_ctrl_c_while_no_line_comes(namesrv: str) -> None:
    arguments = ["msg", "send", "waiting", "--lines", "-n", namesrv]
    with Program(arguments, stdin=subprocess.PIPE) as sender:
        assert sender.process.stdin is not None
        sender.process.stdin.write(b"a line\n")
        sender.process.stdin.flush()
        while not stored("waiting", namesrv):
            time.sleep(0.1)
        code, _, err = sender.interrupt()
        sender.process.stdin.close()
    assert (code, err) == (130, "")


def test_a_line_that_cannot_be_sent_ends_it_and_says_how_far_it_came(namesrv: str, tmp_path: Path) -> None:
    """The long one lies in the third piece."""
    short = b"".join(b"line %d of those that can be sent\n" % number for number in range(230_000))
    (tmp_path / "lines").write_bytes(short + b"x" * (SIXTEEN_MIB // 4 + 1) + b"\nnever sent\n")
    sent = rmq("msg", "send", "stopped", "--lines", "--file", str(tmp_path / "lines"), namesrv=namesrv)
    assert sent.code == 1
    count = stored("stopped", namesrv)
    assert 0 < count <= 230_000
    assert f"error: {count:,} messages were sent to stopped and no more: body has 4194305 bytes" in sent.err
    assert "store large data elsewhere" in sent.err
    assert "Traceback" not in sent.err


def test_a_single_message_that_is_refused_is_told_as_such(namesrv: str) -> None:
    sent = rmq("msg", "send", "%RETRY%no one", "x", namesrv=namesrv)
    assert sent.code == 1
    assert "receipt" not in sent.err
    rmq("topic", "create", "closed", "--perm", "r", namesrv=namesrv)
    for arguments in (["x"], ["x", "--count", "100"]):
        sent = rmq("msg", "send", "closed", *arguments, namesrv=namesrv)
        assert sent.code == 1
        assert "topic closed cannot be written" in sent.err
        assert "receipt" not in sent.err
        assert "unsent" not in sent.err
