"""What a producer does when a broker refuses, fails, or stores less firmly than asked."""

from __future__ import annotations

from dataclasses import replace

import pytest
import trio
from tests.integration.client.scripted import send_answer

from rocketmq_lite.errors import (
    BrokerError,
    ConfigError,
    ConnectError,
    NotDurable,
    RequestTimeout,
    TopicNotFound,
)
from rocketmq_lite.model import SendStatus
from rocketmq_lite.protocol.bodies import TopicRouteData
from rocketmq_lite.protocol.codes import RequestCode

ROUTE = RequestCode.GET_ROUTEINFO_BY_TOPIC
SEND = RequestCode.SEND_MESSAGE_V2


async def never(_request):
    await trio.sleep_forever()


@pytest.mark.parametrize("code", [10, 11, 12])
async def test_stored_but_weaker_is_an_error_with_the_receipt(autojump_clock, scripted, code):
    scripted.scripts[SEND] = lambda request: send_answer(request, code)
    async with scripted.connect() as client:
        producer = client.producer("p")
        with pytest.raises(NotDurable) as caught:
            await producer.send("orders", b"x")
        assert (caught.value.code, caught.value.receipt.status) == (code, SendStatus(code))
        assert caught.value.receipt.offset == 7
        assert "do not send it again" in caught.value.hint
        receipt = await producer.send("orders", b"x", accept_weaker=True)
        assert receipt.status is SendStatus(code)
        statistics = producer.statistics()
        assert (statistics.sent, statistics.weaker, statistics.failed, statistics.retries) == (0, 2, 0, 0)


@pytest.mark.parametrize("code", [1, 2, 14, 16, 204, 205])
async def test_codes_that_are_tried_three_times(autojump_clock, scripted, code):
    scripted.scripts[SEND] = lambda request: request.answer(code, remark="no")
    async with scripted.connect() as client:
        with pytest.raises(BrokerError, match="no") as caught:
            await client.producer("p").send("orders", b"x")
    assert caught.value.code == code
    assert scripted.count(SEND) == 3
    assert len({request.fields["i"] for request in scripted.requests if request.code == SEND}) == 1
    assert len(caught.value.__notes__) == 2


@pytest.mark.parametrize("code", [13, 26, 29])
async def test_codes_that_are_final(autojump_clock, scripted, code):
    scripted.scripts[SEND] = lambda request: request.answer(code, remark="bad")
    async with scripted.connect() as client:
        with pytest.raises(BrokerError):
            await client.producer("p").send("orders", b"x")
    assert scripted.count(SEND) == 1


async def test_a_topic_that_the_broker_lost(autojump_clock, scripted):
    scripted.scripts[SEND] = lambda request: request.answer(17, remark="topic orders not exist")
    async with scripted.connect() as client:
        with pytest.raises(TopicNotFound) as caught:
            await client.producer("p").send("orders", b"x")
    assert caught.value.hint


async def test_an_order_key_is_sent_once_and_to_one_queue(autojump_clock, scripted):
    scripted.scripts[SEND] = lambda request: request.answer(2, remark="busy")
    scripted.queues = 4
    async with scripted.connect() as client:
        with pytest.raises(BrokerError):
            await client.producer("p").send("orders", b"x", order_key="42")
    assert scripted.count(SEND) == 1


async def test_a_retry_goes_to_another_broker(autojump_clock, scripted):
    scripted.brokers = {"broker-a": scripted.address, "broker-b": scripted.address}
    scripted.queues = 4
    scripted.scripts[SEND] = lambda request: (
        request.answer(2) if request.fields["n"] == "broker-a" else send_answer(request)
    )
    async with scripted.connect() as client:
        producer = client.producer("p")
        receipts = [await producer.send("orders", b"x") for _ in range(16)]
    assert {receipt.queue.broker_name for receipt in receipts} == {"broker-b"}
    assert producer.statistics().retries > 0
    assert scripted.count(SEND) == 16 + producer.statistics().retries


async def test_a_dead_broker_is_avoided_and_soon_forgotten(autojump_clock, bare_cluster):
    servers = {name: await bare_cluster.start_broker(name) for name in ("broker-a", "broker-b")}
    async with bare_cluster.connect() as client:
        await client.admin.create_topic("orders", queues=2)
        producer = client.producer("p")
        await producer.send("orders", b"x")
        await servers["broker-a"].stop()
        for _ in range(8):
            assert (await producer.send("orders", b"x")).queue.broker_name == "broker-b"
        await trio.sleep(1)
        retries = producer.statistics().retries
        for _ in range(8):
            await producer.send("orders", b"x")
        assert producer.statistics().retries == retries  # the route was refreshed after the first failure


async def test_a_broker_that_hangs_costs_one_send_its_time_and_not_every_second_one(autojump_clock, scripted):
    async def hang(_request):
        await trio.sleep_forever()

    scripted.brokers = {"broker-a": scripted.address, "broker-b": scripted.address}
    scripted.scripts[SEND] = lambda request: (
        hang(request) if request.fields["n"] == "broker-a" else send_answer(request)
    )
    async with scripted.connect(request_timeout=2) as client:
        producer = client.producer("p")
        began = trio.current_time()
        for _ in range(16):
            await producer.send("orders", b"x")
        assert trio.current_time() - began == pytest.approx(2, abs=0.1)
        assert producer.statistics().retries == 1


async def test_an_order_configuration_may_name_brokers_that_are_not_there(autojump_clock, scripted):
    def route(request):
        answer = known(request)
        data = replace(TopicRouteData.decode(answer.body), order_topic_conf="broker-a:2;broker-gone:2")
        return request.answer(0, body=data.encode(standard=True))

    known = scripted.scripts[ROUTE]
    scripted.scripts[ROUTE] = route
    async with scripted.connect() as client:
        producer = client.producer("p")
        for _ in range(8):
            assert (await producer.send("orders", b"x")).queue.broker_name == "broker-a"
        assert producer.statistics().retries == 0


async def test_the_only_broker_stops_and_comes_back(autojump_clock, bare_cluster):
    server = await bare_cluster.start_broker()
    async with bare_cluster.connect() as client:
        await client.admin.create_topic("orders", queues=1)
        producer = client.producer("p")
        await producer.send("orders", b"x")
        await server.stop()
        with pytest.raises((ConnectError, TopicNotFound, BrokerError)) as caught:
            await producer.send("orders", b"x")
        assert caught.value.retryable
        await bare_cluster.start_broker()  # on another port, with an empty store
        await trio.sleep(40)
        await client.admin.create_topic("orders", queues=1)
        assert (await producer.send("orders", b"x")).offset == 0


async def test_a_silent_broker_is_given_up_after_the_request_timeout(autojump_clock, scripted):
    scripted.scripts[SEND] = never
    async with scripted.connect(request_timeout=2) as client:
        began = trio.current_time()
        with pytest.raises(RequestTimeout):
            await client.producer("p").send("orders", b"x")
        assert trio.current_time() - began == pytest.approx(6)
        began = trio.current_time()
        with pytest.raises(RequestTimeout, match=r"within 0\.5 s"):
            await client.producer("p").send("orders", b"x", timeout=0.5)
        assert trio.current_time() - began == pytest.approx(0.5)


async def test_a_topic_that_cannot_be_written(autojump_clock, client):
    await client.admin.create_topic("orders", queues=1, perm="r")
    with pytest.raises(BrokerError, match="cannot be written"):
        await client.producer("p").send("orders", b"x")
    await client.admin.create_topic("orders", queues=1)
    await client.producer("p").send("orders", b"x")


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        (("a b", b"x"), {}),
        (("SCHEDULE_TOPIC_XXXX", b"x"), {}),
        (("orders", b""), {}),
        (("orders", "text"), {}),
        (("orders", b"x" * (4 * 1024 * 1024 + 1)), {}),
        (("orders", b"x"), {"tag": "a|b"}),
        (("orders", b"x"), {"keys": ["a b"]}),
        (("orders", b"x"), {"properties": {"DELAY": "3"}}),
        (("orders", b"x"), {"properties": {"a": "x" * 32_767}}),
        (("orders", b"x"), {"order_key": ""}),
    ],
)
async def test_bad_arguments_are_refused_before_anything_is_sent(
    autojump_clock, scripted, arguments, options
):
    async with scripted.connect() as client:
        producer = client.producer("p")
        for send in (producer.send, producer.send_oneway):
            with pytest.raises(ConfigError):
                await send(*arguments, **options)
    assert scripted.count(SEND) == 0


@pytest.mark.parametrize("argument", ["deliver_after", "deliver_at"])
async def test_what_is_not_there_yet_is_no_argument(autojump_clock, scripted, argument):
    async with scripted.connect() as client:
        with pytest.raises(TypeError, match=argument):
            await client.producer("p").send("orders", b"x", **{argument: 1})
