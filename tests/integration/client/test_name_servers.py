"""Finding a name server, keeping it, leaving it; and what is said when there is none."""

from __future__ import annotations

import pytest
import trio
from tests.integration.client.taking import take
from tests.integration.peer import connect

from rocketmq_lite.broker.engine.lease import MAX_RETRY_SECONDS
from rocketmq_lite.client.engine.routes import REFRESH_INCOMPLETE_FOR, REFRESH_INCOMPLETE_INTERVAL
from rocketmq_lite.errors import ConfigError, NoNameServer
from rocketmq_lite.protocol.codes import RequestCode


async def test_nothing_listens_there(autojump_clock, bare_cluster):
    with pytest.raises(NoNameServer, match=r"127\.0\.0\.1:1") as caught:
        async with bare_cluster.connect("127.0.0.1:1"):
            pass
    assert "rmq up" in caught.value.hint
    assert caught.value.retryable


async def test_what_answers_is_a_broker(autojump_clock, bare_cluster):
    broker = await bare_cluster.start_broker()
    with pytest.raises(NoNameServer, match="is not a name server") as caught:
        async with bare_cluster.connect(broker.address):
            pass
    assert "9876" in caught.value.hint


async def test_what_answers_is_something_else(autojump_clock, bare_cluster):
    async def talk_http(stream):
        async with stream:
            await stream.receive_some()
            await stream.send_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n" * 10)

    async with trio.open_nursery() as nursery:
        listener = await bare_cluster.network.listen("127.0.0.1", 80)
        nursery.start_soon(trio.serve_listeners, talk_http, [listener])
        with pytest.raises(NoNameServer):
            async with bare_cluster.connect("127.0.0.1:80"):
                pass
        nursery.cancel_scope.cancel()


async def test_what_answers_says_nothing(autojump_clock, bare_cluster):
    async def be_silent(_stream):
        await trio.sleep_forever()

    async with trio.open_nursery() as nursery:
        listener = await bare_cluster.network.listen("127.0.0.1", 81)
        nursery.start_soon(trio.serve_listeners, be_silent, [listener])
        began = trio.current_time()
        with pytest.raises(NoNameServer):
            async with bare_cluster.connect("127.0.0.1:81", request_timeout=2):
                pass
        assert trio.current_time() - began == pytest.approx(2)
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("namesrv", ["", ";", "localhost", "host:port"])
async def test_addresses_that_are_none(namesrv, bare_cluster):
    with pytest.raises(ConfigError):
        async with bare_cluster.connect(namesrv or " "):
            pass


@pytest.mark.parametrize("request_timeout", [0, -1])
async def test_a_request_timeout_that_is_none(request_timeout, bare_cluster):
    with pytest.raises(ConfigError, match="request_timeout"):
        async with bare_cluster.connect(request_timeout=request_timeout):
            pass


async def test_the_environment_names_it(autojump_clock, bare_cluster, monkeypatch):
    monkeypatch.delenv("ROCKETMQ_NAMESRV", raising=False)
    monkeypatch.delenv("NAMESRV_ADDR", raising=False)
    bare_cluster.namesrv = None
    with pytest.raises(NoNameServer, match="no name server is given"):
        async with bare_cluster.connect():
            pass
    monkeypatch.setenv("NAMESRV_ADDR", "127.0.0.1:9876")
    async with bare_cluster.connect() as client:
        assert client.statistics().name_server == "127.0.0.1:9876"
    monkeypatch.setenv("ROCKETMQ_NAMESRV", "127.0.0.1:1")
    with pytest.raises(NoNameServer, match=r"127\.0\.0\.1:1"):
        async with bare_cluster.connect():
            pass


async def test_one_is_kept_while_it_answers_and_left_when_it_does_not(autojump_clock, bare_cluster):
    second = await bare_cluster.start_name_server(9877)
    both = "127.0.0.1:9876;127.0.0.1:9877"
    await bare_cluster.start_broker(namesrv=tuple(both.split(";")))
    async with bare_cluster.connect(both) as client:
        await client.admin.create_topic("orders", queues=1)
        chosen = client.statistics().name_server
        for _ in range(5):
            await client.admin.topics()
        assert client.statistics().name_server == chosen
        await (second if chosen.endswith("9877") else bare_cluster.first_name_server).stop()
        assert "orders" in await client.admin.topics()
        assert client.statistics().name_server != chosen
        await client.producer("p").send("orders", b"x")


async def test_without_any_name_server_what_is_known_goes_on(autojump_clock, bare_cluster):
    await bare_cluster.start_broker()
    async with bare_cluster.connect() as client:
        await client.admin.create_topic("orders", queues=1)
        producer = client.producer("p")
        async with client.consumer("g", "orders") as messages:
            await producer.send("orders", b"x")
            await bare_cluster.first_name_server.stop()
            for _ in range(10):
                await trio.sleep(30)
                await producer.send("orders", b"x")
                async with await anext(messages):
                    pass
        with pytest.raises(NoNameServer):
            await producer.send("another", b"x")


async def test_routes_are_refreshed_every_thirty_seconds(autojump_clock, scripted):
    async with scripted.connect() as client:
        await client.producer("p").send("orders", b"x")
        before = scripted.count(RequestCode.GET_ROUTEINFO_BY_TOPIC)
        await trio.sleep(301)
        assert scripted.count(RequestCode.GET_ROUTEINFO_BY_TOPIC) == before + 10


async def test_a_broker_that_is_restarted_is_found_within_seconds(autojump_clock, bare_cluster):
    await bare_cluster.start_broker("broker-a")
    second = await bare_cluster.start_broker("broker-b", port=20_500)
    async with bare_cluster.connect() as client:
        await client.admin.create_topic("orders", queues=1)
        async with client.consumer("g", "orders") as messages:
            assert len(messages.queues) == 2
            await second.stop()
            await trio.sleep(40)
            assert len(messages.queues) == 1
            await bare_cluster.start_broker("broker-b", port=20_500)
            await client.admin.create_topic("orders", queues=1)
            await trio.sleep(REFRESH_INCOMPLETE_INTERVAL + 0.2)
            assert len(messages.queues) == 2


async def test_a_broker_that_is_gone_for_good_is_not_asked_about_for_ever(autojump_clock, scripted):
    scripted.brokers = {"broker-a": scripted.address, "broker-b": scripted.address}
    async with scripted.connect() as client:
        await client.producer("p").send("orders", b"x")
        del scripted.brokers["broker-b"]
        await trio.sleep(31 + REFRESH_INCOMPLETE_FOR)
        asked = scripted.count(RequestCode.GET_ROUTEINFO_BY_TOPIC)
        assert asked >= REFRESH_INCOMPLETE_FOR / REFRESH_INCOMPLETE_INTERVAL
        await trio.sleep(300)
        assert scripted.count(RequestCode.GET_ROUTEINFO_BY_TOPIC) <= asked + 11


async def test_many_tasks_that_begin_with_one_topic_ask_once(autojump_clock, scripted):
    async with scripted.connect() as client:
        producer = client.producer("p")
        before = scripted.count(RequestCode.GET_ROUTEINFO_BY_TOPIC)
        async with trio.open_nursery() as nursery:
            for _ in range(50):
                nursery.start_soon(producer.send, "orders", b"x")
        assert scripted.count(RequestCode.GET_ROUTEINFO_BY_TOPIC) == before + 1


async def test_a_name_server_that_was_restarted_is_told_within_seconds(autojump_clock, bare_cluster, caplog):
    second = await bare_cluster.start_name_server(9877)
    broker = await bare_cluster.start_broker(namesrv=("127.0.0.1:9876", "127.0.0.1:9877"))
    async with connect(bare_cluster.network, broker.address) as peer:
        await second.stop()
        await trio.sleep(60)
        await peer.create_topic("meanwhile")
        await bare_cluster.start_name_server(9877)
        await trio.sleep(MAX_RETRY_SECONDS + 0.1)
        async with bare_cluster.connect("127.0.0.1:9877") as client:
            assert "meanwhile" in await client.admin.topics()
    messages = [record.message for record in caplog.records if "name server" in record.message]
    assert [message.split(" failed")[0] for message in messages] == [
        "registration with name server 127.0.0.1:9877",  # once, not at each attempt
        "registered with name server 127.0.0.1:9877 again",
    ]


async def test_both_name_servers_down_for_a_minute(autojump_clock, bare_cluster):
    both = ("127.0.0.1:9876", "127.0.0.1:9877")
    second = await bare_cluster.start_name_server(9877)
    for name in ("broker-a", "broker-b"):
        await bare_cluster.start_broker(name, namesrv=both)
    async with bare_cluster.connect(";".join(both)) as client:
        await client.admin.create_topic("orders", queues=2)
        producer = client.producer("p")
        async with client.consumer("g", "orders") as messages:
            await bare_cluster.first_name_server.stop()
            await second.stop()
            for _ in range(60):
                await producer.send("orders", b"x")
                await take(messages, 1, within=1)
                await trio.sleep(1)
            for port in (9876, 9877):
                await bare_cluster.start_name_server(port)
            await trio.sleep(MAX_RETRY_SECONDS + 0.1)
            await client.admin.create_topic("afterwards", queues=1)
            await producer.send("afterwards", b"x")
            await producer.send("orders", b"x")
            await take(messages, 1, within=1)
