"""The pull request's short way: the same frame as the header's, and an answer that is read or refused whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.support.records import record

from rocketmq_lite.errors import LocalProtocolError
from rocketmq_lite.protocol.codes import RequestCode
from rocketmq_lite.protocol.command import Command
from rocketmq_lite.protocol.framing import CommandDecoder, RawCommand, encode_command, to_command
from rocketmq_lite.protocol.headers.pull import PullMessageRequestHeader
from rocketmq_lite.protocol.pulls import PullAnswer, PullRequest, PullStatus, pull_target

if TYPE_CHECKING:
    from collections.abc import Callable

FOUND = {"nextBeginOffset": "43", "maxOffset": "90", "minOffset": "0", "suggestWhichBrokerId": "1"}


def request(
    *,
    commit: int | None = 7,
    wanted: str | None = None,
    take: Callable[[PullAnswer], None] | None = None,
) -> PullRequest:
    target = pull_target(
        "group", "orders", "broker-a", 3, sub_version=5, subscription=wanted, expression_type="TAG"
    )
    return PullRequest(target, offset=41, count=32, commit_offset=commit, take=take)


def decoded(frame: bytes) -> RawCommand:
    (raw,) = CommandDecoder().feed(frame)
    return raw


def answer(code: int, fields: dict[str, str] | None = None, body: bytes = b"") -> RawCommand:
    return decoded(
        encode_command(Command(code, opaque=1, flag=1, remark="why", fields=fields or {}, body=body))
    )


@pytest.mark.parametrize(
    ("commit", "wanted", "code", "flags"),
    [
        (7, None, RequestCode.PULL_MESSAGE, 0b00011),
        (0, None, RequestCode.PULL_MESSAGE, 0b00010),
        (None, None, RequestCode.PULL_MESSAGE, 0b00010),
        (None, "a || b", RequestCode.LITE_PULL_MESSAGE, 0b10110),
    ],
)
def test_the_frame_says_what_the_header_says(
    commit: int | None, wanted: str | None, code: RequestCode, flags: int
) -> None:
    header = PullMessageRequestHeader(
        consumer_group="group",
        topic="orders",
        queue_id=3,
        queue_offset=41,
        max_msg_nums=32,
        sys_flag=flags,
        commit_offset=commit or 0,
        suspend_timeout_millis=15_000,
        subscription=wanted,
        sub_version=5,
        expression_type="TAG",
        max_msg_bytes=262_144,
        broker_name="broker-a",
    )
    sent = request(commit=commit, wanted=wanted)
    assert sent.code == code
    assert to_command(decoded(sent.frame(77, 0))) == Command(code, opaque=77, fields=header.to_fields())


def test_found_messages_are_read_where_they_came() -> None:
    found = request().read(answer(0, FOUND, record(41, b"one") + record(42, b"two")))
    assert not isinstance(found, Command)
    assert found[:4] == (PullStatus.FOUND, 43, 90, 1)
    assert [message.body for message in found.messages] == [b"one", b"two"]
    assert (len(found.messages), found.messages[-1].queue_offset) == (2, 42)
    with pytest.raises(IndexError):
        _ = found.messages[2]


@pytest.mark.parametrize(
    ("code", "status"),
    [(19, PullStatus.NOTHING), (20, PullStatus.NOTHING), (21, PullStatus.OFFSET_MOVED)],
)
def test_what_is_not_found_says_where_to_go_on(code: int, status: PullStatus) -> None:
    told = request().read(answer(code, FOUND))
    assert not isinstance(told, Command)
    assert (told.status, told.next_offset, len(told.messages)) == (status, 43, 0)


def test_a_refusal_stays_as_it_is() -> None:
    refused = request().read(answer(24))
    assert isinstance(refused, Command)
    assert (refused.code, refused.remark) == (24, "why")


@pytest.mark.parametrize("missing", ["nextBeginOffset", "maxOffset", "suggestWhichBrokerId"])
def test_an_answer_without_a_place_makes_no_sense(missing: str) -> None:
    fields = {key: value for key, value in FOUND.items() if key != missing}
    with pytest.raises(LocalProtocolError, match=missing):
        request().read(answer(0, fields))


@pytest.mark.parametrize("wrong", [{"maxOffset": "x"}, {"nextBeginOffset": str(1 << 63)}])
def test_a_place_that_is_no_number_makes_no_sense(wrong: dict[str, str]) -> None:
    with pytest.raises(LocalProtocolError, match=next(iter(wrong))):
        request().read(answer(19, FOUND | wrong))


def test_messages_that_are_cut_off_make_no_sense() -> None:
    with pytest.raises(LocalProtocolError, match="cut off"):
        request().read(answer(0, FOUND, record(41, b"one")[:-1]))


def test_an_answer_is_taken_when_it_arrives_and_read_as_the_same() -> None:
    taken: list[PullAnswer] = []
    asked = request(take=taken.append)
    raw = answer(0, FOUND, record(41))
    asked.arrived(raw)
    assert [each.next_offset for each in taken] == [43]
    assert asked.read(raw) is taken[0]


@pytest.mark.parametrize(("code", "fields"), [(2, None), (0, None), (0, {"nextBeginOffset": "x"})])
def test_nothing_is_taken_of_a_refusal_or_of_nonsense(code: int, fields: dict[str, str] | None) -> None:
    taken: list[PullAnswer] = []
    request(take=taken.append).arrived(answer(code, fields))
    assert not taken
