"""A broker's configuration file: what each key sets, and what is said of one that sets nothing."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from rocketmq_lite.broker.conf.files import read_file
from rocketmq_lite.broker.conf.keys import KEYS, REFUSED, as_properties, known_to_apache, with_changes
from rocketmq_lite.config import BrokerSettings, RetentionSettings
from rocketmq_lite.errors import ConfigError

APACHE = """\
# as shipped
brokerClusterName = Prod
brokerName=broker-b
brokerId=0
namesrvAddr=10.0.0.1:9876;10.0.0.2:9876
brokerIP1=10.0.0.7
listenPort=10921
storePathRootDir=/var/rocketmq
mappedFileSizeCommitLog=65536
mappedFileSizeConsumeQueue=30001
enableConsumeQueueExt=true
mappedFileSizeConsumeQueueExt=4096
maxHashSlotNum=100
maxIndexNum=400
flushDiskType=SYNC_FLUSH
brokerRole=ASYNC_MASTER
flushIntervalCommitLog=250
deleteWhen=04;16
fileReservedTime=48
diskMaxUsedSpaceRatio=88
cleanFileForciblyEnable=false
autoCreateTopicEnable=false
defaultTopicQueueNums=16
maxMessageSize=65536
messageDelayLevel=2s 10s  1d
flushConsumerOffsetInterval=100
flushDelayOffsetInterval=200
"""
TOML = """\
name = "broker-b"
cluster = "Prod"
id = 0
namesrv = ["10.0.0.1:9876", "10.0.0.2:9876"]
advertise = "10.0.0.7"
host = "0.0.0.0"
port = 10921
store = "/var/rocketmq"
flush = "sync"
flush_interval = 250
max_message = 65536
delay_levels = ["2s", "10s", "1d"]
offset_interval = 100
delay_interval = 200
role = "async-master"

[log]
file_size = 65536

[queues]
file_size = 30001
extensions = true
extension_file_size = 4096

[index]
slots = 100
entries = 400

[retention]
delete_when = [4, 16]
hours = 48
clean_percent = 88
force = false

[topics]
auto_create = false
default_queues = 16
"""
MEANT = BrokerSettings(
    name="broker-b",
    cluster="Prod",
    namesrv=("10.0.0.1:9876", "10.0.0.2:9876"),
    advertise="10.0.0.7",
    host="0.0.0.0",
    port=10921,
    store=Path("/var/rocketmq"),
    segment_size=65536,
    queue_file_entries=1501,
    queue_extensions=True,
    queue_extension_file_size=4096,
    index_slots=100,
    index_entries=400,
    flush="sync",
    flush_interval=0.25,
    auto_create_topic=False,
    default_topic_queues=16,
    max_message=65536,
    delay_levels=("2s", "10s", "1d"),
    offset_interval=0.1,
    delay_interval=0.2,
    retention=RetentionSettings(reserved_hours=48, delete_hours=(4, 16), clean_ratio=0.88, force=False),
)


def written(directory: Path, text: str, name: str = "broker.conf") -> Path:
    path = directory / name
    path.write_text(text)
    return path


@pytest.mark.parametrize(("name", "text"), [("broker.conf", APACHE), ("broker.toml", TOML)])
def test_both_forms_say_the_same(tmp_path: Path, name: str, text: str) -> None:
    found = read_file(written(tmp_path, text, name))
    assert found.warnings == []
    assert with_changes(BrokerSettings(), found.changes) == MEANT


def test_what_is_shown_is_what_was_read(tmp_path: Path) -> None:
    shown = "".join(f"{key}={value}\n" for key, value in as_properties(MEANT).items())
    assert with_changes(BrokerSettings(), read_file(written(tmp_path, shown)).changes) == MEANT


def test_every_key_sets_something_and_is_apaches() -> None:
    apache = known_to_apache()
    own = {field.name for field in fields(BrokerSettings)}
    kept = {f"retention.{field.name}" for field in fields(RetentionSettings)}
    assert {key.field for key in KEYS} <= own | kept
    assert {key.apache for key in KEYS} | REFUSED.keys() <= apache
    assert len({key.toml for key in KEYS}) == len(KEYS)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("brokerNam=x", "brokerNam is not known; did you mean brokerName?"),
        ("sendMessageThreadPoolNums=16", "a setting of Apache's broker that changes nothing here"),
        ("nothingLikeThis=1", "nothingLikeThis is not known"),
    ],
)
def test_a_key_that_sets_nothing_is_named(tmp_path: Path, line: str, said: str) -> None:
    found = read_file(path := written(tmp_path, f"# first\n{line}\n"))
    assert found.changes == {}
    assert len(found.warnings) == 1
    assert found.warnings[0].startswith(f"{path}:2: ")
    assert found.warnings[0].endswith(said)


@pytest.mark.parametrize(
    ("line", "allowed"),
    [
        ("listenPort=none", "from 0 to 65535"),
        ("listenPort=65536", "from 0 to 65535"),
        ("flushDiskType=ASYNC", "ASYNC_FLUSH or SYNC_FLUSH"),
        ("deleteWhen=04;24", "from 00 to 23"),
        ("diskMaxUsedSpaceRatio=0.8", "from 10 to 95"),
        ("autoCreateTopicEnable=yes", "true or false"),
        ("namesrvAddr=localhost", "host:port"),
        ("brokerName=", "some text"),
        ("mappedFileSizeConsumeQueue=19", "20 or more"),
        ("maxMessageSize=0", "from 1 to 16000000"),
        ("messageDelayLevel=", "up to 1000 times"),
        ("messageDelayLevel=1s 0m", "as '1s 5m 2h 1d'"),
        ("messageDelayLevel=1s,5s", "with blanks between them"),
        ("messageDelayLevel=1s " + "1s " * 1000, "up to 1000 times"),
    ],
)
def test_a_value_that_cannot_be_is_an_error_with_its_place(tmp_path: Path, line: str, allowed: str) -> None:
    path = written(tmp_path, f"brokerId=0\n\n{line}\n")
    with pytest.raises(ConfigError) as caught:
        read_file(path)
    assert f"{path}:3: {line.partition('=')[0]} cannot be" in str(caught.value)
    assert allowed in caught.value.hint


@pytest.mark.parametrize("key", sorted(REFUSED))
def test_what_cannot_be_ignored_is_refused_unless_it_asks_for_nothing(tmp_path: Path, key: str) -> None:
    harmless = min(REFUSED[key].harmless)
    assert read_file(written(tmp_path, f"{key}={harmless}")).warnings == []
    with pytest.raises(ConfigError, match=f"1: {key} cannot be 'other': "):
        read_file(written(tmp_path, f"{key}=other"))


def test_an_address_for_others_opens_every_address_as_in_apaches_broker(tmp_path: Path) -> None:
    assert read_file(written(tmp_path, "brokerIP1=10.0.0.7")).changes["host"] == "0.0.0.0"
    assert "host" not in read_file(written(tmp_path, "brokerIP1=127.0.0.1")).changes
    given = read_file(written(tmp_path, "brokerIP1=10.0.0.7\nbindAddress=10.0.0.7"))
    assert given.changes["host"] == "10.0.0.7"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name = ", "this is no TOML"),
        ('a = 1\n[retention]\nbatch = 1\nhours = "long"', ":4: retention.hours cannot be 'long'"),
        ("retention.hours = -1", ":1: retention.hours cannot be '-1'"),
    ],
)
def test_toml_that_cannot_be(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_file(written(tmp_path, text, "broker.toml"))
    assert said in str(caught.value)


def test_a_key_of_apaches_in_toml_gets_its_name_here(tmp_path: Path) -> None:
    found = read_file(written(tmp_path, 'storePathRootDir = "/x"\nretention.hour = 3\n', "broker.toml"))
    assert found.changes == {}
    assert [each.partition(": ")[2] for each in found.warnings] == [
        "storePathRootDir is not known; did you mean store?",
        "retention.hour is not known; did you mean retention.hours?",
    ]


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot read .*missing\.conf: No such file"):
        read_file(tmp_path / "missing.conf")
    (tmp_path / "latin.conf").write_bytes(b"brokerName=\xe9")
    with pytest.raises(ConfigError, match=r"latin\.conf: .*not UTF-8"):
        read_file(tmp_path / "latin.conf")
