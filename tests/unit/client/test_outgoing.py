"""What a send turns into before it is sent."""

from __future__ import annotations

import os
import zlib
from typing import TYPE_CHECKING, cast

import pytest

from rocketmq_lite.client.outgoing import outgoing_message
from rocketmq_lite.errors import ConfigError
from rocketmq_lite.protocol.framing import OutgoingMessage, decode_properties

if TYPE_CHECKING:
    from rocketmq_lite.client.identity import Identity


class Numbers:
    def next_message_id(self) -> str:
        return "ID"


def build(body: bytes = b"x", **options):
    arguments = {"tag": None, "keys": (), "properties": None, "order_key": None, **options}
    return outgoing_message("orders", body, identity=cast("Identity", Numbers()), **arguments)


def test_a_plain_message():
    message = build()
    assert (message.topic, message.body, message.sys_flag, message.message_id) == ("orders", b"x", 0, "ID")
    assert decode_properties(message.properties) == {"WAIT": "true", "UNIQ_KEY": "ID"}


def test_all_that_can_be_added():
    message = build(tag="paid", keys=["42", "43"], properties={"amount": "12"}, order_key="7")
    assert decode_properties(message.properties) == {
        "WAIT": "true",
        "UNIQ_KEY": "ID",
        "TAGS": "paid",
        "KEYS": "42 43",
        "__SHARDINGKEY": "7",
        "amount": "12",
    }
    assert message.order_key == "7"


def test_large_bodies_are_compressed_where_that_pays():
    body = b"x" * OutgoingMessage.COMPRESS_FROM
    message = build(body)
    assert message.sys_flag == 0x301
    assert zlib.decompress(message.body) == body
    noise = os.urandom(OutgoingMessage.COMPRESS_FROM)
    assert (build(noise).body, build(noise).sys_flag) == (noise, 0)
    assert build(body[1:]).sys_flag == 0


def test_a_batch_travels_as_it_is():
    body = b"x" * OutgoingMessage.COMPRESS_FROM
    batch = OutgoingMessage("orders", body, "WAIT\x01true\x02", "ID", "7", is_batch=True)
    assert (batch.body, batch.sys_flag, batch.order_key, batch.is_batch) == (body, 0, "7", True)
    assert batch.properties == "WAIT\x01true\x02UNIQ_KEY\x01ID\x02"


def test_properties_that_do_not_fit():
    with pytest.raises(ConfigError, match="32767"):
        build(properties={"a": "ä" * 16_380})
    build(properties={"a": "ä" * 16_300})
