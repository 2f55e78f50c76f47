"""Many messages: all stored, in order within each queue, or an error that says which are."""

from __future__ import annotations

from collections import Counter, defaultdict

import pytest
import trio
from tests.integration.client.scripted import send_answer
from tests.integration.client.taking import take

from rocketmq_lite.client import batches
from rocketmq_lite.client.engine.lanes import MAX_LANES
from rocketmq_lite.client.engine.routes import queue_for_key
from rocketmq_lite.errors import (
    BrokerError,
    ConfigError,
    NotAllSent,
    NotDurable,
    RequestTimeout,
    RocketMQError,
)
from rocketmq_lite.model import Message, MessageQueue, SendStatus
from rocketmq_lite.protocol.codes import RequestCode

BATCH = RequestCode.SEND_BATCH_MESSAGE
SINGLE = RequestCode.SEND_MESSAGE_V2


def numbers(count):
    return [b"%d" % number for number in range(count)]


def batch_answer(request, code=0, first=7):
    """As a broker answers a batch: ids with commas between them."""
    count = len(split(request.body))
    fields = {
        "msgId": ",".join(f"{number:032X}" for number in range(count)),
        "queueId": request.fields["e"],
        "queueOffset": str(first),
    }
    return request.answer(code, fields=fields)


def split(body):
    """The bodies of a batch."""
    found = []
    while body:
        size = int.from_bytes(body[16:20])
        found.append(body[20 : 20 + size])
        body = body[int.from_bytes(body[:4]) :]
    return found


async def test_many_arrive_once_and_in_order_within_their_queues(autojump_clock, client):
    await client.admin.create_topic("orders", queues=4)
    producer = client.producer("p")
    bodies = numbers(10_000)
    receipts = await producer.send_many("orders", bodies, tag="paid", keys=["k"], properties={"a": "1"})
    assert isinstance(receipts, tuple)
    assert len(receipts) == len({receipt.message_id for receipt in receipts}) == 10_000
    by_place = {(receipt.queue, receipt.offset): body for receipt, body in zip(receipts, bodies, strict=True)}
    assert len(by_place) == 10_000
    async with client.consumer("g", "orders", start="earliest", tags="paid") as messages:
        taken = await take(messages, 10_000)
    assert {(message.queue, message.offset): message.body for message in taken} == by_place
    ids = {receipt.message_id: receipt.offset_message_id for receipt in receipts}
    assert {message.message_id: message.offset_message_id for message in taken} == ids
    by_queue = defaultdict(list)
    for receipt, body in zip(receipts, bodies, strict=True):
        by_queue[receipt.queue].append((receipt.offset, int(body)))
    assert len(by_queue) == 4
    for found in by_queue.values():
        assert found == sorted(found), "in the order given"
        assert [offset for offset, _ in found] == list(range(len(found)))
    assert (taken[0].tag, taken[0].keys, taken[0].properties) == ("paid", ("k",), {"a": "1"})
    assert producer.statistics().sent == 10_000


async def test_few_messages_are_spread_over_the_queues_too(autojump_clock, client):
    await client.admin.create_topic("orders", queues=4)
    for count in (4, 200):
        receipts = await client.producer("p").send_many("orders", numbers(count))
        sizes = Counter(receipt.queue for receipt in receipts)
        assert list(sizes.values()) == [count // 4] * 4


async def test_calls_of_one_batch_take_turns(autojump_clock, client):
    await client.admin.create_topic("orders", queues=4)
    producer = client.producer("p")
    chosen = [receipt.queue for _ in range(4) for receipt in await producer.send_many("orders", [b"a"])]
    assert len(set(chosen)) == 4


async def test_brokers_share_the_batches(autojump_clock, bare_cluster):
    for name in ("broker-a", "broker-b"):
        await bare_cluster.start_broker(name)
    async with bare_cluster.connect() as client:
        await client.admin.create_topic("orders", queues=2)
        receipts = await client.producer("p").send_many("orders", numbers(64))
    assert {(receipt.queue.broker_name, receipt.queue.queue_id) for receipt in receipts} == {
        (name, number) for name in ("broker-a", "broker-b") for number in (0, 1)
    }


async def test_messages_with_parts_of_their_own(autojump_clock, client):
    await client.admin.create_topic("orders", queues=1)
    large = b"compressible " * 40_000
    items = [
        Message(b"one", tag="t1", keys=["a", "b"], properties={"p": "1"}),
        b"two",
        bytearray(b"three"),
        Message(large, keys="c"),
    ]
    receipts = await client.producer("p").send_many("orders", items, tag="t2", properties={"q": "2"})
    async with client.consumer("g", "orders", start="earliest") as messages:
        taken = await take(messages, 4)
    found = [(message.body, message.tag, message.keys, dict(message.properties)) for message in taken]
    assert found == [
        (b"one", "t1", ("a", "b"), {"p": "1"}),
        (b"two", "t2", (), {"q": "2"}),
        (b"three", "t2", (), {"q": "2"}),
        (large, None, ("c",), {}),
    ]
    assert [message.message_id for message in taken] == [receipt.message_id for receipt in receipts]


async def test_an_order_key_keeps_all_in_one_queue(autojump_clock, client):
    await client.admin.create_topic("orders", queues=4)
    bodies = numbers(5_000)
    receipts = await client.producer("p").send_many("orders", iter(bodies), order_key="42")
    queues = [MessageQueue("orders", "broker-a", number) for number in range(4)]
    assert {receipt.queue for receipt in receipts} == {queue_for_key(queues, "42")}
    assert [receipt.offset for receipt in receipts] == list(range(5_000))
    async with client.consumer("g", "orders", start="earliest") as messages:
        taken = await take(messages, 5_000)
    assert [message.body for message in taken] == bodies
    assert taken[0].system_properties["__SHARDINGKEY"] == "42"


async def test_nothing_to_send(autojump_clock, client):
    assert await client.producer("p").send_many("orders", []) == ()


async def test_a_topic_is_created_by_the_first_batches(autojump_clock, client):
    receipts = await client.producer("p").send_many("fresh", numbers(100))
    assert len({(receipt.queue, receipt.offset) for receipt in receipts}) == 100


async def test_batches_of_several_queues_are_under_way_at_a_time(autojump_clock, scripted):
    """Never two in one queue, never more than there are lanes."""
    scripted.queues = 3
    under_way = []
    most = 0

    async def answer(request):
        nonlocal most
        assert request.fields["e"] not in under_way
        under_way.append(request.fields["e"])
        most = max(most, len(under_way))
        await trio.sleep(1)
        under_way.remove(request.fields["e"])
        return batch_answer(request)

    scripted.scripts[BATCH] = answer
    async with scripted.connect() as client:
        await client.producer("p").send_many("orders", iter(numbers(20 * batches.BATCH_MESSAGES)))
    assert most == 3
    assert scripted.count(BATCH) == 20
    scripted.queues = 50
    scripted.requests.clear()
    async with scripted.connect() as client:
        await client.producer("p").send_many("orders", iter(numbers(20 * batches.BATCH_MESSAGES)))
    assert most == MAX_LANES


async def test_a_generator_is_read_no_further_than_what_is_sent(autojump_clock, scripted):
    scripted.queues = 2
    read = 0

    def bodies():
        nonlocal read
        while True:
            read += 1
            yield b"x"

    async def answer(request):
        assert read <= (scripted.count(BATCH) + 2) * batches.BATCH_MESSAGES
        await trio.sleep(1)
        return batch_answer(request)

    scripted.scripts[BATCH] = answer
    async with scripted.connect() as client:
        with trio.move_on_after(20.5) as scope:
            await client.producer("p").send_many("orders", bodies())
    assert scope.cancelled_caught
    assert 30 <= scripted.count(BATCH) <= 44


async def test_headers_are_those_of_javas_client(autojump_clock, scripted):
    scripted.scripts[BATCH] = batch_answer
    async with scripted.connect() as client:
        receipts = await client.producer("p").send_many("orders", [b"one", b"two"])
    [request] = [request for request in scripted.requests if request.code == BATCH]
    own_id = request.fields["i"].removeprefix("WAIT\x01true\x02UNIQ_KEY\x01").removesuffix("\x02")
    assert len(own_id) == 32
    assert own_id not in {receipt.message_id for receipt in receipts}
    assert (request.fields["m"], request.fields["f"], request.fields["a"]) == ("true", "0", "p")
    assert [receipt.offset for receipt in receipts] == [7, 8]
    assert [receipt.offset_message_id for receipt in receipts] == [f"{number:032X}" for number in range(2)]


async def test_a_batch_that_is_stored_as_one_record_has_one_id(autojump_clock, scripted):
    scripted.scripts[BATCH] = send_answer
    async with scripted.connect() as client:
        receipts = await client.producer("p").send_many("orders", [b"one", b"two"])
    assert [(receipt.offset, receipt.offset_message_id) for receipt in receipts] == [
        (7, "0A" * 16),
        (8, "0A" * 16),
    ]


async def test_what_is_one_message_travels_as_one(autojump_clock, scripted):
    async with scripted.connect() as client:
        await client.producer("p").send_many("orders", [b"x" * 3_000_000])
    assert (scripted.count(SINGLE), scripted.count(BATCH)) == (1, 0)
    [request] = [request for request in scripted.requests if request.code == SINGLE]
    assert len(request.body) < 100_000, "compressed, as send does"


# --- errors


@pytest.mark.parametrize("bodies", [b"bytes", "text", Message(b"one"), [b"good", b""], [b"good", "text"]])
async def test_bad_arguments_send_nothing(autojump_clock, scripted, bodies):
    async with scripted.connect() as client:
        with pytest.raises(ConfigError):
            await client.producer("p").send_many("orders", bodies)
        with pytest.raises(ConfigError):
            await client.producer("p").send_many("orders", [b"x"], tag="a||b")
        with pytest.raises(ConfigError):
            await client.producer("p").send_many("orders", [b"x"], properties={"p": "x" * 32_740})
    assert scripted.count(SINGLE) + scripted.count(BATCH) == 0


async def test_a_refused_batch_is_told_apart_from_those_that_are_stored(autojump_clock, scripted):
    scripted.queues = 2
    scripted.scripts[BATCH] = lambda request: (
        request.answer(13, remark="no") if b"60" in split(request.body) else batch_answer(request)
    )
    bodies = numbers(1_000)
    async with scripted.connect() as client:
        producer = client.producer("p")
        batches_before = scripted.count(BATCH)
        with pytest.raises(NotAllSent, match="no") as caught:
            await producer.send_many("orders", bodies)
        error = caught.value
        statistics = producer.statistics()
    assert isinstance(error.__cause__, BrokerError)
    assert (error.code, error.retryable) == (13, False)
    stored = [body for body, receipt in zip(bodies, error.receipts, strict=True) if receipt is not None]
    assert len(stored) == 500
    assert sorted([*stored, *error.unsent]) == sorted(bodies)
    assert "500 messages are stored, 500 have no receipt" in str(error)
    assert (statistics.sent, statistics.failed) == (500, 500)
    assert scripted.count(BATCH) - batches_before == 2, "13 is not tried again"


async def test_after_an_error_nothing_more_is_begun(autojump_clock, scripted):
    scripted.scripts[BATCH] = lambda request: request.answer(13, remark="no")
    source = iter(numbers(10 * batches.BATCH_MESSAGES))
    async with scripted.connect() as client:
        with pytest.raises(NotAllSent) as caught:
            await client.producer("p").send_many("orders", source)
    assert scripted.count(BATCH) == 1
    again = [*caught.value.unsent, *source]
    assert again == numbers(10 * batches.BATCH_MESSAGES), "nothing is lost: the rest is in the iterator"


async def test_of_a_list_all_that_is_left_is_unsent(autojump_clock, scripted):
    scripted.scripts[BATCH] = lambda request: request.answer(13, remark="no")
    bodies = numbers(10 * batches.BATCH_MESSAGES)
    async with scripted.connect() as client:
        with pytest.raises(NotAllSent) as caught:
            await client.producer("p").send_many("orders", bodies)
        assert list(caught.value.unsent) == bodies
        scripted.scripts[BATCH] = batch_answer
        assert len(await client.producer("p").send_many("orders", caught.value.unsent)) == len(bodies)


async def test_a_batch_is_tried_again_elsewhere_with_the_same_ids(autojump_clock, scripted):
    scripted.brokers = {"broker-a": scripted.address, "broker-b": scripted.address}
    scripted.scripts[BATCH] = lambda request: (
        request.answer(2) if request.fields["n"] == "broker-a" else batch_answer(request)
    )
    async with scripted.connect() as client:
        producer = client.producer("p")
        receipts = await producer.send_many("orders", numbers(100))
    assert {receipt.queue.broker_name for receipt in receipts} == {"broker-b"}
    assert producer.statistics().retries == 1
    sent = [request.body for request in scripted.requests if request.code == BATCH]
    assert len(sent) == 3
    assert len(set(sent)) == 2


async def test_with_an_order_key_the_first_failure_is_the_end(autojump_clock, scripted):
    answers = iter([0, 2])

    def answer(request):
        code = next(answers)
        return batch_answer(request) if code == 0 else request.answer(code, remark="busy")

    scripted.scripts[BATCH] = answer
    bodies = numbers(5 * batches.BATCH_MESSAGES)
    async with scripted.connect() as client:
        with pytest.raises(NotAllSent, match="busy") as caught:
            await client.producer("p").send_many("orders", bodies, order_key="k")
    assert scripted.count(BATCH) == 2
    assert list(caught.value.unsent) == bodies[batches.BATCH_MESSAGES :]


async def test_an_error_of_the_iterable_comes_back_with_the_receipts(autojump_clock, scripted):
    scripted.scripts[BATCH] = batch_answer

    def bodies():
        yield from numbers(batches.BATCH_MESSAGES + 10)
        raise OSError("disk gone")

    async with scripted.connect() as client:
        with pytest.raises(NotAllSent, match="disk gone") as caught:
            await client.producer("p").send_many("orders", bodies())
        assert isinstance(caught.value.__cause__, OSError)
        assert len(caught.value.receipts) == batches.BATCH_MESSAGES
        assert list(caught.value.unsent) == numbers(batches.BATCH_MESSAGES + 10)[-10:]

        with pytest.raises(ZeroDivisionError):
            await client.producer("p").send_many("orders", (b"%d" % (1 // number) for number in [0]))


async def test_a_bad_body_behind_good_ones(autojump_clock, scripted):
    scripted.scripts[BATCH] = batch_answer
    bodies = [*numbers(batches.BATCH_MESSAGES), "text", b"last"]
    async with scripted.connect() as client:
        with pytest.raises(NotAllSent, match="body is text") as caught:
            await client.producer("p").send_many("orders", bodies)
    assert list(caught.value.unsent) == ["text", b"last"]
    assert isinstance(caught.value.__cause__, ConfigError)
    assert caught.value.__cause__.__notes__ == ["1024 messages were taken before it"]


@pytest.mark.parametrize("code", [10, 11, 12])
async def test_stored_but_weaker(autojump_clock, scripted, code):
    scripted.queues = 2
    scripted.scripts[BATCH] = lambda request: batch_answer(request, code if request.fields["e"] == "1" else 0)
    async with scripted.connect() as client:
        producer = client.producer("p")
        with pytest.raises(NotDurable, match="50 of 100 messages are stored, but only as") as caught:
            await producer.send_many("orders", numbers(100))
        assert caught.value.receipt.status is SendStatus(code)
        assert len(caught.value.receipts) == 100
        assert {receipt.status for receipt in caught.value.receipts} == {SendStatus.OK, SendStatus(code)}
        receipts = await producer.send_many("orders", numbers(100), accept_weaker=True)
        assert len(receipts) == 100
        statistics = producer.statistics()
    assert (statistics.sent, statistics.weaker, statistics.failed) == (100, 100, 0)


async def test_time_is_up(autojump_clock, scripted):
    scripted.queues = 2

    async def answer(request):
        if request.fields["e"] == "1":
            await trio.sleep_forever()
        return batch_answer(request)

    scripted.scripts[BATCH] = answer
    async with scripted.connect(request_timeout=30) as client:
        with pytest.raises(NotAllSent) as caught:
            await client.producer("p").send_many("orders", numbers(100), timeout=5)
        assert isinstance(caught.value.__cause__, RequestTimeout)
        assert caught.value.retryable
        assert len(caught.value.unsent) == 50
        assert len(await client.producer("p").send_many("orders", [b"x"])) == 1


async def test_time_is_up_before_the_route_is_known(autojump_clock, scripted):
    async def silent(_request):
        await trio.sleep_forever()

    async with scripted.connect(request_timeout=30) as client:
        scripted.scripts[RequestCode.GET_ROUTEINFO_BY_TOPIC] = silent
        began = trio.current_time()
        with pytest.raises(RequestTimeout, match="the route of topic orders did not come in time"):
            await client.producer("p").send_many("orders", numbers(10), timeout=5)
        assert trio.current_time() - began == pytest.approx(5)
    assert scripted.count(BATCH) == 0


async def test_a_broker_dies_under_way(autojump_clock, bare_cluster):
    """What has a receipt is stored; what has none is handed back."""
    server = await bare_cluster.start_broker()
    async with bare_cluster.connect() as client:
        await client.admin.create_topic("orders", queues=4)
        producer = client.producer("p")
        bodies = numbers(50 * batches.BATCH_MESSAGES)

        def until_half():
            for number, body in enumerate(bodies):
                if number == len(bodies) // 2:
                    server.scope.cancel()
                yield body

        source = until_half()
        with pytest.raises(NotAllSent) as caught:
            await producer.send_many("orders", source)
    error = caught.value
    assert isinstance(error.__cause__, RocketMQError)
    stored = {body for body, receipt in zip(bodies, error.receipts, strict=False) if receipt is not None}
    rest = set(error.unsent) | set(source)
    assert stored | rest == set(bodies)
    assert not stored & rest
    assert len(stored) >= len(bodies) // 4
