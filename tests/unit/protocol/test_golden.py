"""Frames recorded from Apache: all are understood, and what is ours to choose is written to the byte."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.support.passes import decode_three_ways, events

if TYPE_CHECKING:
    from rocketmq_lite.protocol.command import Command

from rocketmq_lite.errors import LocalProtocolError
from rocketmq_lite.protocol.bodies import (
    ConsumerList,
    DataVersion,
    HeartbeatData,
    RegisterBrokerBody,
    TopicConfig,
    TopicRouteData,
)
from rocketmq_lite.protocol.codes import RequestCode, ResponseCode
from rocketmq_lite.protocol.connection import Connection
from rocketmq_lite.protocol.framing import decode_messages
from rocketmq_lite.protocol.headers.pull import PullMessageResponseHeader
from rocketmq_lite.protocol.headers.send import SendMessageRequestHeaderV2, SendMessageResponseHeader
from rocketmq_lite.protocol.registry import REGISTRY

FRAMES = {
    frame["name"]: bytes.fromhex(frame["hex"])
    for frame in json.loads((Path(__file__).parents[2] / "data" / "golden-frames.json").read_text())
}
NAMES = sorted(FRAMES)


def golden(name: str) -> Command:
    (command,) = events(Connection(), [FRAMES[name]])
    return command


@pytest.mark.parametrize("name", NAMES)
def test_every_frame_is_one_command_however_it_comes(name: str) -> None:
    (command,) = decode_three_ways(FRAMES[name])
    assert command.is_response == (name.endswith(".response"))


@pytest.mark.parametrize("name", NAMES)
def test_every_frame_survives_another_trip(name: str) -> None:
    command = golden(name)
    assert events(Connection(), [Connection().send(command)]) == [command]


@pytest.mark.parametrize("name", [n for n in NAMES if FRAMES[n][4] == 1 and "java" not in n])
def test_binary_frames_are_written_to_the_byte(name: str) -> None:
    assert Connection().send(golden(name)) == FRAMES[name]


@pytest.mark.parametrize("name", [n for n in NAMES if n.endswith(".response")])
def test_answers_of_apache_are_written_to_the_byte(name: str) -> None:
    command = golden(name)
    if b'"extFields":{}' in FRAMES[name]:
        assert not command.fields  # we leave an empty map out
    else:
        assert Connection().send(command) == FRAMES[name]


@pytest.mark.parametrize("name", [n for n in NAMES if not n.endswith(".response")])
def test_every_request_has_the_header_that_the_registry_names(name: str) -> None:
    command = golden(name)
    spec = REGISTRY[RequestCode(command.code)]
    if spec.request is None:
        return
    header = spec.request.from_fields(command.fields)
    ours = header.to_fields()
    assert {key: value for key, value in command.fields.items() if key in ours} == ours


@pytest.mark.parametrize("name", ["route.json.response", "route.old.response"])
def test_route_bodies_are_reproduced_to_the_byte(name: str) -> None:
    body = golden(name).body
    assert TopicRouteData.decode(body).encode(standard=name == "route.json.response") == body


def test_the_registration_body_is_reproduced_to_the_byte() -> None:
    body = golden("register.plain.request").body
    read = RegisterBrokerBody.decode(body, version=479)
    assert read.encode() == body
    assert read.topics == {name: TopicConfig(name, 8, 8) for name in ("FakeT1", "FakeT2")}


def test_compressed_registrations_hold_what_they_should() -> None:
    probe = golden("register.compressed.request")
    assert set(RegisterBrokerBody.decode(probe.body, version=probe.version).topics) == {"FakeT1", "FakeT3"}
    real = golden("java.register.compressed")
    assert real.fields["compressed"] == "false"
    assert len(RegisterBrokerBody.decode(real.body, version=real.version).topics) == 15


def test_small_bodies() -> None:
    version = golden("query.data.version.response")
    assert DataVersion.decode(version.body).encode() == version.body
    members = golden("consumer.list.response")
    assert ConsumerList.decode(members.body).encode() == members.body


@pytest.mark.parametrize("name", ["java.heartbeat.json", "java.heartbeat.binary"])
def test_a_java_clients_heartbeat_is_reproduced_to_the_byte(name: str) -> None:
    body = golden(name).body
    assert HeartbeatData.decode(body).encode() == body


def test_the_header_of_an_answered_send() -> None:
    answer = golden("send.v2.json.response")
    header = SendMessageResponseHeader.from_fields(answer.fields)
    assert (header.queue_id, header.region_id, header.trace_on) == (0, "DefaultRegion", True)
    assert header.to_fields() == answer.fields


def test_a_batch_is_a_send_with_a_mark() -> None:
    header = SendMessageRequestHeaderV2.from_fields(golden("send.batch.request").fields)
    assert header.batch is True


def test_a_pull_that_found_something() -> None:
    answer = golden("pull.found.binary.response")
    header = PullMessageResponseHeader.from_fields(answer.fields)
    messages = decode_messages(answer.body)
    assert [message.queue_offset for message in messages] == [0, 1]
    assert header.next_begin_offset == 2
    assert golden("pull.not.found.response").code == ResponseCode.PULL_NOT_FOUND


def test_half_a_stored_message_is_refused() -> None:
    body = golden("pull.found.binary.response").body
    with pytest.raises(LocalProtocolError):
        decode_messages(body[:-1])
