"""Consumers that ask for messages by a condition over properties."""

from __future__ import annotations

import pytest
from tests.integration.client.taking import nothing_more, take

from rocketmq_lite.errors import BrokerError, ConfigError
from rocketmq_lite.model import Tags, Where
from rocketmq_lite.protocol.codes import RequestCode


async def _send(client, *prices: str) -> None:
    producer = client.producer("order-service")
    for price in prices:
        await producer.send("orders", price.encode(), tag="paid", properties={"price": price})


def _fail() -> None:
    raise ZeroDivisionError


async def test_only_what_the_condition_selects_arrives(autojump_clock, client):
    await client.admin.create_topic("orders", queues=2)
    await _send(client, "1", "5", "free", "10")
    await client.producer("order-service").send("orders", b"without a price")
    async with client.consumer("billing", "orders", where="price > 4", start="earliest") as messages:
        bodies = {message.body for message in await take(messages, 2)}
        assert bodies == {b"5", b"10"}
        await _send(client, "2", "7")
        assert [message.body for message in await take(messages, 1)] == [b"7"]
        await nothing_more(messages)


async def test_each_topic_has_a_filter_of_its_own(autojump_clock, client):
    producer = client.producer("order-service")
    for topic in ("orders", "quotes"):
        await client.admin.create_topic(topic, queues=1)
        for price in ("1", "2"):
            await producer.send(
                topic,
                f"{topic} {price}".encode(),
                tag="even" if price == "2" else "odd",
                properties={"p": price},
            )
    wanted = {"orders": Tags("odd"), "quotes": Where("p = 2 AND TAGS = 'even'")}
    async with client.consumer("billing", wanted, start="earliest") as messages:
        assert {message.body for message in await take(messages, 2)} == {b"orders 1", b"quotes 2"}
        await nothing_more(messages)


async def test_a_message_that_failed_comes_back_although_a_condition_chose_it(autojump_clock, client):
    await client.admin.create_topic("orders", queues=1)
    await _send(client, "5")
    async with client.consumer("billing", "orders", where="price = 5", start="earliest") as messages:
        async with await anext(messages):
            _fail()
        assert [message.body for message in await take(messages, 1)] == [b"5"]


async def test_a_broker_that_evaluates_no_conditions_says_so_at_the_start(autojump_clock, scripted):
    remark = "The broker does not support consumer to filter message by SQL92"
    scripted.scripts[RequestCode.CHECK_CLIENT_CONFIG] = lambda request: request.answer(1, remark=remark)
    async with scripted.connect() as client:
        with pytest.raises(BrokerError, match="filter message by SQL92") as caught:
            async with client.consumer("billing", "orders", where="price > 1"):
                raise AssertionError("it started")
        assert "enablePropertyFilter=true" in caught.value.hint
        async with client.consumer("billing", "orders", tags="paid"):
            pass
    assert scripted.count(RequestCode.CHECK_CLIENT_CONFIG) == 1


async def test_a_mistake_is_found_before_anybody_is_asked(autojump_clock, client):
    with pytest.raises(ConfigError, match=r"line 1, column 10: .*OR"):
        client.consumer("billing", "orders", where="price OR OR 1")
    with pytest.raises(ConfigError, match="both tags= and where="):
        client.consumer("billing", "orders", tags="paid", where="price > 1")
    with pytest.raises(ConfigError, match="for one topic"):
        client.consumer("billing", {"orders": Tags()}, where="price > 1")
    with pytest.raises(ConfigError) as caught:
        client.consumer("billing", {"orders": "price > 1"})
    assert "rmq.Where" in caught.value.hint
