"""The mechanism of headers, and the rules that every header must keep."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil

import pytest

from rocketmq_lite.errors import LocalProtocolError
from rocketmq_lite.protocol import headers
from rocketmq_lite.protocol.headers.heartbeat import UnregisterClientRequestHeader
from rocketmq_lite.protocol.headers.offset import QueryConsumerOffsetRequestHeader, QueueRequestHeader
from rocketmq_lite.protocol.headers.pull import PullMessageRequestHeader, QueryMessageRequestHeader
from rocketmq_lite.protocol.headers.route import RegisterBrokerRequestHeader
from rocketmq_lite.protocol.headers.send import SendMessageRequestHeader, SendMessageRequestHeaderV2
from rocketmq_lite.protocol.headers.shape import Header, camel_case
from rocketmq_lite.protocol.headers.topic import TopicRequestHeader
from rocketmq_lite.protocol.registry import REGISTRY, Role

MODULES = [
    importlib.import_module(f"{headers.__name__}.{m.name}") for m in pkgutil.iter_modules(headers.__path__)
]
ALL = [getattr(m, name) for m in MODULES for name in m.__all__ if "Header" in name and name != "Header"]


@pytest.mark.parametrize("header", ALL, ids=lambda header: header.__name__)
def test_each_header_is_a_frozen_documented_dataclass(header: type[Header]) -> None:
    assert dataclasses.is_dataclass(header)
    with pytest.raises(dataclasses.FrozenInstanceError):
        object.__new__(header).topic = "other"  # type: ignore[attr-defined]
    assert "__dict__" not in dir(header)
    assert header.__doc__
    assert not header.__doc__.startswith(header.__name__)


def test_a_name_is_javas_unless_the_field_says_otherwise() -> None:
    assert camel_case("default_topic_queue_nums") == "defaultTopicQueueNums"
    assert UnregisterClientRequestHeader("id").to_fields() == {"clientID": "id"}
    register = RegisterBrokerRequestHeader("a", "b", "c", "d", 1, body_crc32=9).to_fields()
    assert (register["bodyCrc32"], register["haServerAddr"]) == ("9", "d")
    assert QueryMessageRequestHeader("T", "k", 1, 2, 3, unique_key=True).to_fields() == {
        "topic": "T",
        "key": "k",
        "maxNum": "1",
        "beginTimestamp": "2",
        "endTimestamp": "3",
        "_UNIQUE_KEY_QUERY": "true",
    }


def test_the_second_version_of_a_send_has_single_letters() -> None:
    header = SendMessageRequestHeaderV2("g", "T", "TBW102", 4, -1, 0, 5, 0, "p", 0, False, 1, True, "b")
    fields = header.to_fields()
    assert "".join(fields) == "abcdefghijklmn"
    assert (fields["e"], fields["k"], fields["m"]) == ("-1", "false", "true")
    assert SendMessageRequestHeaderV2.from_fields(fields) == header
    values = dataclasses.astuple(header)
    assert dataclasses.astuple(SendMessageRequestHeader(*values)) == values


def test_what_is_none_is_left_out_and_what_is_missing_is_none() -> None:
    header = QueryConsumerOffsetRequestHeader("G", "T", 3)
    assert header.to_fields() == {"consumerGroup": "G", "topic": "T", "queueId": "3"}
    assert QueryConsumerOffsetRequestHeader.from_fields(header.to_fields()) == header


def test_unknown_keys_are_ignored() -> None:
    fields = {"topic": "T", "bname": "b", "ns": "x"}
    assert TopicRequestHeader.from_fields(fields) == TopicRequestHeader("T")


@pytest.mark.parametrize(
    ("text", "value"), [("true", True), ("TRUE", True), ("false", False), ("1", False), ("", False)]
)
def test_booleans_are_read_as_java_reads_them(text: str, value: bool) -> None:
    fields = {"consumerGroup": "G", "topic": "T", "queueId": "0", "setZeroIfNotFound": text}
    assert QueryConsumerOffsetRequestHeader.from_fields(fields).set_zero_if_not_found is value


@pytest.mark.parametrize("text", ["", "x", "1.0", "2147483648", "-2147483649", "9" * 5000])
def test_a_number_must_be_one_that_java_could_hold(text: str) -> None:
    with pytest.raises(LocalProtocolError, match="queueId"):
        QueueRequestHeader.from_fields({"topic": "T", "queueId": text})


def test_a_required_field_must_be_there() -> None:
    with pytest.raises(LocalProtocolError, match="queueId is missing"):
        QueueRequestHeader.from_fields({"topic": "T"})


def test_a_pull_without_subscription_version_is_read() -> None:
    fields = PullMessageRequestHeader("G", "T", 0, 0, 32, 4, 0, 0, "*").to_fields()
    del fields["subVersion"]
    assert PullMessageRequestHeader.from_fields(fields).sub_version == 0


def test_the_registry_lists_every_code_and_every_header() -> None:
    used = {kind for spec in REGISTRY.values() for kind in (spec.request, spec.response) if kind}
    assert used == set(ALL)
    assert all(code == spec.code and spec.answered_by for code, spec in REGISTRY.items())
    assert sum(Role.CLIENT in spec.answered_by for spec in REGISTRY.values()) == 7
