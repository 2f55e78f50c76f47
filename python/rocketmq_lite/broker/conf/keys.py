"""Which key of a configuration file is which setting: the one table, for reading and for showing settings.

A key that is Apache's and stands in no table here changes nothing, and whoever reads it says so. Keys whose meaning cannot
be ignored are in ``REFUSED``: going on would lose what they ask for, be it safety or the place of the data.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rocketmq_lite.broker.conf.kinds import (
    ADDRESSES,
    HOURS,
    LEVELS,
    PATH,
    PATHS,
    QUEUE_FILE,
    TEXT,
    TRUTH,
    Kind,
    choice,
    percent,
    scaled,
    whole_number,
)
from rocketmq_lite.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rocketmq_lite.config import BrokerSettings

Changes = dict[str, Any]
"""Values by the names of ``BrokerSettings``' attributes; ``retention.batch`` is one of its ``retention``."""

MAX_MESSAGE: Final = 16_000_000
"""What a frame has room for, beside the header (Apache's ``frameMaxLength`` is 16,777,216)."""
_MILLISECONDS: Final = scaled(whole_number(1), 1000, "milliseconds")
_ROLES: Final = {"ASYNC_MASTER": "async-master", "SYNC_MASTER": "sync-master", "SLAVE": "slave"}
_FLUSH: Final = {"ASYNC_FLUSH": "async", "SYNC_FLUSH": "sync"}


@dataclass(frozen=True, slots=True)
class Key:
    """A setting and its names.

    Attributes:
        apache: In Apache's files.
        toml: In ours; ``a.b`` is ``b`` in table ``[a]``.
        field: In ``BrokerSettings``; ``a.b`` is ``b`` of its attribute ``a``.
        kind: How it is written. Units are Apache's in both files.
    """

    apache: str
    toml: str
    field: str
    kind: Kind


KEYS: Final = (
    Key("brokerName", "name", "name", TEXT),
    Key("brokerClusterName", "cluster", "cluster", TEXT),
    Key("brokerId", "id", "broker_id", whole_number(0)),
    Key("brokerRole", "role", "role", choice(_ROLES)),
    Key("namesrvAddr", "namesrv", "namesrv", ADDRESSES),
    Key("bindAddress", "host", "host", TEXT),
    Key("brokerIP1", "advertise", "advertise", TEXT),
    Key("listenPort", "port", "port", whole_number(0, 65_535)),
    Key("regionId", "region", "region", TEXT),
    Key("registerNameServerPeriod", "register_interval", "register_interval", _MILLISECONDS),
    Key("flushConsumerOffsetInterval", "offset_interval", "offset_interval", _MILLISECONDS),
    Key("flushDelayOffsetInterval", "delay_interval", "delay_interval", _MILLISECONDS),
    Key("rocketmq.broker.rebalance.lockMaxLiveTime", "lock_time", "lock_seconds", _MILLISECONDS),
    Key("storePathRootDir", "store", "store", PATH),
    Key("storePathCommitLog", "log.paths", "commit_log", PATHS),
    Key("readOnlyCommitLogStorePaths", "log.read_only_paths", "read_only_commit_log", PATHS),
    Key("mappedFileSizeCommitLog", "log.file_size", "segment_size", whole_number(1024)),
    Key("flushDiskType", "flush", "flush", choice(_FLUSH)),
    Key("flushIntervalCommitLog", "flush_interval", "flush_interval", _MILLISECONDS),
    Key("mappedFileSizeConsumeQueue", "queues.file_size", "queue_file_entries", QUEUE_FILE),
    Key("enableConsumeQueueExt", "queues.extensions", "queue_extensions", TRUTH),
    Key(
        "mappedFileSizeConsumeQueueExt",
        "queues.extension_file_size",
        "queue_extension_file_size",
        whole_number(1024),
    ),
    Key("maxHashSlotNum", "index.slots", "index_slots", whole_number(1)),
    Key("maxIndexNum", "index.entries", "index_entries", whole_number(2)),
    Key("fileReservedTime", "retention.hours", "retention.reserved_hours", whole_number(0)),
    Key("deleteWhen", "retention.delete_when", "retention.delete_hours", HOURS),
    Key("diskMaxUsedSpaceRatio", "retention.clean_percent", "retention.clean_ratio", percent(10, 95)),
    Key("diskSpaceCleanForciblyRatio", "retention.force_percent", "retention.force_ratio", percent(30, 85)),
    Key("diskSpaceWarningLevelRatio", "retention.full_percent", "retention.full_ratio", percent(35, 90)),
    Key("cleanFileForciblyEnable", "retention.force", "retention.force", TRUTH),
    Key("cleanResourceInterval", "retention.interval", "retention.interval", _MILLISECONDS),
    Key("deleteFileBatchMax", "retention.batch", "retention.batch", whole_number(1)),
    Key("maxMessageSize", "max_message", "max_message", whole_number(1, MAX_MESSAGE)),
    Key("messageDelayLevel", "delay_levels", "delay_levels", LEVELS),
    Key("defaultTopicQueueNums", "topics.default_queues", "default_topic_queues", whole_number(1, 1024)),
    Key("autoCreateTopicEnable", "topics.auto_create", "auto_create_topic", TRUTH),
    Key("autoCreateSubscriptionGroup", "groups.auto_create", "auto_create_group", TRUTH),
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a key may have no other value than these.

    Attributes:
        harmless: Values that ask for nothing that is missing here.
        why: What is missing.
    """

    harmless: frozenset[str]
    why: str


def _off(why: str) -> Refusal:
    return Refusal(frozenset({"false"}), why)


_OPEN_TO_ALL: Final = "access control is not there yet, and the broker would be open to everybody"

REFUSED: Final[Mapping[str, Refusal]] = {
    "aclEnable": _off(_OPEN_TO_ALL),
    "authenticationEnabled": _off(_OPEN_TO_ALL),
    "authorizationEnabled": _off(_OPEN_TO_ALL),
    "duplicationEnable": _off("messages are not copied to a second log here"),
    "enableControllerMode": _off("there is no controller yet"),
    "enableDLegerCommitLog": _off("logs of DLedger cannot be read or written"),
    "enablePropertyFilter": Refusal(
        frozenset({"true"}), "conditions over properties cannot be switched off here"
    ),
    "storeType": Refusal(frozenset({"default"}), "consume queues are files here, and in no database"),
}


def known_to_apache() -> frozenset[str]:
    """All keys that Apache's broker knows."""
    text = Path(__file__).with_name("apache_keys.txt").read_text(encoding="ascii")
    return frozenset(line for line in text.splitlines() if not line.startswith("#"))


def with_changes(settings: BrokerSettings, changes: Changes) -> BrokerSettings:
    """The settings with some of them changed."""
    own = {field: value for field, value in changes.items() if "." not in field}
    retention = {
        field.partition(".")[2]: value for field, value in changes.items() if field.startswith("retention.")
    }
    return replace(settings, retention=replace(settings.retention, **retention), **own)


def as_properties(settings: BrokerSettings) -> dict[str, str]:
    """All settings that have a value, under Apache's names."""
    values = {key: _value(settings, key.field) for key in KEYS}
    return {key.apache: key.kind.write(value) for key, value in values.items() if value not in {None, ()}}


def _value(settings: BrokerSettings, field: str) -> object:
    owner: object = settings
    for part in field.split("."):
        owner = getattr(owner, part)
    return owner
