"""One peer's state: every transition, and two connections back to back."""

from __future__ import annotations

import struct

import pytest
from tests.support.passes import events

from rocketmq_lite.errors import LocalProtocolError, RemoteProtocolError
from rocketmq_lite.protocol.command import Command
from rocketmq_lite.protocol.connection import CLOSED, NEED_DATA, Connection, Half

REQUEST = Command(105, opaque=4, fields={"topic": "T"}, body=b"body")


def test_incomplete_input_is_a_value() -> None:
    connection = Connection()
    data = Connection().send(REQUEST)
    assert connection.next_event() is NEED_DATA
    for piece in (data[:3], data[3:10], data[10:-1]):
        connection.receive_data(piece)
        assert connection.next_event() is NEED_DATA
    connection.receive_data(data[-1:])
    assert connection.next_event() == REQUEST
    assert connection.next_event() is NEED_DATA


def test_a_peer_may_close_between_frames() -> None:
    connection = Connection()
    connection.receive_data(Connection().send(REQUEST))
    connection.receive_data(b"")
    assert connection.next_event() == REQUEST
    assert connection.next_event() is CLOSED
    assert (connection.reading, connection.writing) == (Half.ENDED, Half.OPEN)
    connection.receive_data(b"")
    assert connection.next_event() is CLOSED
    with pytest.raises(LocalProtocolError):
        connection.receive_data(b"x")


def test_a_peer_must_not_close_within_a_frame() -> None:
    connection = Connection()
    connection.receive_data(Connection().send(REQUEST)[:-1])
    connection.receive_data(b"")
    with pytest.raises(RemoteProtocolError, match="closed within a frame"):
        connection.next_event()
    assert connection.reading is Half.BROKEN


def test_commands_before_garbage_still_come() -> None:
    connection = Connection()
    connection.receive_data(Connection().send(REQUEST) + struct.pack(">I", 3))
    assert connection.next_event() == REQUEST
    for _ in range(2):
        with pytest.raises(RemoteProtocolError):
            connection.next_event()
    connection.receive_data(Connection().send(REQUEST))  # nothing is read any more
    with pytest.raises(RemoteProtocolError):
        connection.next_event()


@pytest.mark.parametrize("length", [0, 3, 1 << 30, 0xFFFF_FFFF])
def test_an_impossible_length_word_breaks_the_connection(length: int) -> None:
    connection = Connection()
    connection.receive_data(struct.pack(">II", length, 0) + b"\0" * 8)
    with pytest.raises(RemoteProtocolError):
        connection.next_event()


def test_nothing_follows_a_cut_frame() -> None:
    connection = Connection()
    connection.send(REQUEST)
    connection.send_failed()
    assert connection.writing is Half.BROKEN
    with pytest.raises(LocalProtocolError):
        connection.send(REQUEST)
    connection.send_failed()
    assert connection.next_event() is NEED_DATA  # the other direction lives on


def test_a_frame_beyond_the_limit_is_refused_before_it_is_sent() -> None:
    connection = Connection(max_frame=100)
    with pytest.raises(LocalProtocolError, match="exceeds the limit"):
        connection.send(Command(1, body=b"x" * 100))
    assert connection.send(Command(1))


def test_opaques_do_not_repeat_and_stay_positive() -> None:
    connection = Connection()
    assert [connection.next_opaque() for _ in range(3)] == [1, 2, 3]
    connection._last_opaque = 0x7FFF_FFFF
    assert [connection.next_opaque() for _ in range(2)] == [0, 1]


def test_two_ends_understand_each_other() -> None:
    client, server = Connection(), Connection()
    requests = [
        Command(10, opaque=client.next_opaque(), codec="JSON"),
        Command(11, opaque=client.next_opaque(), codec="ROCKETMQ"),
    ]
    received = events(server, [b"".join(client.send(request) for request in requests)])
    assert received == requests
    answers = [request.answer(remark=str(request.code)) for request in reversed(received)]
    assert events(client, [server.send(answer) for answer in answers]) == answers
    assert [(answer.opaque, answer.codec) for answer in answers] == [(2, "ROCKETMQ"), (1, "JSON")]
