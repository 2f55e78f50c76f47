"""The local file of a broadcasting member: Apache's format, and what becomes of a damaged one."""

from __future__ import annotations

import json

import pytest

import rocketmq_lite as rmq
from rocketmq_lite.client.identity import own_address
from rocketmq_lite.client.local_positions import LocalPositions
from rocketmq_lite.config_files import inline_offload
from rocketmq_lite.errors import StoreError
from rocketmq_lite.model import MessageQueue

QUEUE, OTHER = MessageQueue("T", "b", 0), MessageQueue("U", "b", 3)
# As Java's client 5.5.0 writes it.
JAVA = b"""{
	"offsetTable":{{
			"brokerName":"b",
			"queueId":0,
			"topic":"T"
		}:12,{
			"brokerName":"b",
			"queueId":3,
			"topic":"U"
		}:7
	}
}"""


def opened(directory) -> LocalPositions:
    return LocalPositions(directory, offload=inline_offload())


async def test_what_java_wrote_is_read_and_what_is_not_ours_is_kept(tmp_path):
    (tmp_path / "offsets.json").write_bytes(JAVA)
    positions = opened(tmp_path)
    assert [await positions.read(QUEUE), await positions.read(OTHER)] == [12, 7]
    assert await positions.write({QUEUE: 13}, wait=True) == {}
    assert (tmp_path / "offsets.json").read_bytes() == (
        b'{"offsetTable":{{"brokerName":"b","queueId":0,"topic":"T"}:13,{"brokerName":"b","queueId":3,"topic":"U"}:7}}'
    )
    assert (tmp_path / "offsets.json.bak").read_bytes() == JAVA


async def test_without_a_file_there_is_no_position(tmp_path):
    positions = opened(tmp_path / "new" / "g")
    assert await positions.read(QUEUE) is None
    await positions.write({QUEUE: 1}, wait=False)
    assert await opened(tmp_path / "new" / "g").read(QUEUE) == 1


async def test_a_damaged_file_is_set_aside_and_its_backup_taken(tmp_path, caplog):
    (tmp_path / "offsets.json").write_bytes(JAVA[:60])
    (tmp_path / "offsets.json.bak").write_bytes(JAVA)
    assert await opened(tmp_path).read(QUEUE) == 12
    assert (tmp_path / "offsets.json.damaged").read_bytes() == JAVA[:60]
    assert "does not decode" in caplog.text


async def test_with_both_damaged_the_member_begins_anew(tmp_path, caplog):
    for name in ("offsets.json", "offsets.json.bak"):
        (tmp_path / name).write_bytes(b'{"offsetTable":{"x":')
    positions = opened(tmp_path)
    assert await positions.read(QUEUE) is None
    assert {path.name for path in tmp_path.iterdir()} == {"offsets.json.damaged", "offsets.json.bak.damaged"}
    assert "begins as a new one" in caplog.text
    assert await positions.write({QUEUE: 1}, wait=True) == {}


async def test_a_disk_that_refuses_is_told_of_each_queue_and_of_a_start(tmp_path):
    positions = opened(tmp_path / "g")
    (tmp_path / "g").rmdir()
    failures = await positions.write({QUEUE: 1, OTHER: 2}, wait=True)
    assert set(failures) == {QUEUE, OTHER}
    assert {type(error) for error in failures.values()} == {StoreError}
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreError, match="cannot make"):
        opened(tmp_path / "file" / "g")


@pytest.mark.slow
async def test_a_consumer_keeps_its_positions_where_javas_would(tmp_path):
    async with rmq.embedded() as cluster, rmq.connect(cluster.namesrv) as client:
        await cluster.create_topic("orders", queues=1)
        await client.producer("p").send_many("orders", [b"1", b"2", b"3"])
        for expected in (b"1", b"2"):
            async with (
                client.consumer(
                    "g", "orders", start="earliest", model="broadcasting", offsets_directory=tmp_path
                ) as messages,
                await anext(messages) as message,
            ):
                assert message.body == expected
        groups = await client.admin.group_names()
    path = tmp_path / f"{own_address()}@DEFAULT" / "g" / "offsets.json"
    assert json.loads(path.read_bytes().split(b"}:")[1][:1]) == 2
    assert not [group for group in groups if "_BC_" in group]
