"""The consumer groups of this broker: their settings, and which topics a group may not read.

Rules:
- Groups are created by administrators or by their first heartbeat or pull, with Apache's defaults.
- ``forbiddenTable`` holds a bit mask a (group, topic); it is kept and written back, for an Apache broker to obey.
"""

from __future__ import annotations

from rocketmq_lite.broker.engine.config_table import ConfigTable
from rocketmq_lite.broker.engine.document import member, members, table, whole_number
from rocketmq_lite.broker.engine.names import group_name_problem
from rocketmq_lite.broker.engine.topics import MAX_QUEUES
from rocketmq_lite.errors import BrokerError
from rocketmq_lite.protocol.bodies import DataVersion, SubscriptionGroupConfig
from rocketmq_lite.protocol.codes import ResponseCode
from rocketmq_lite.protocol.reserved import SYSTEM_GROUP_PREFIX, SYSTEM_GROUPS


class GroupTable(ConfigTable[SubscriptionGroupConfig]):
    """All consumer groups by name, with the version of the whole.

    Attributes:
        auto_create: Whether the first use of a name creates a group; may change at any time.
    """

    def __init__(self, *, auto_create: bool, now_ms: int) -> None:
        self.auto_create = auto_create
        self._forbidden: dict[str, dict[str, int]] = {}
        super().__init__(
            (SubscriptionGroupConfig(group_name=name) for name in SYSTEM_GROUPS),
            name_of=lambda group: group.group_name,
            now_ms=now_ms,
        )

    # --- plans

    def plan_auto_create(self, name: str) -> SubscriptionGroupConfig:
        """The group that a first use of an unknown name creates.

        Raises:
            BrokerError: 26 when groups are not created by use, or not with such a name.
        """
        problem = group_name_problem(name)
        if problem is None and not (self.auto_create or name.startswith(SYSTEM_GROUP_PREFIX)):
            problem = "groups are not created on first use here"
        if problem is not None:
            raise BrokerError(
                ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST,
                f"subscription group [{name}] does not exist: {problem}",
            )
        return SubscriptionGroupConfig(group_name=name)

    def plan_update(self, wanted: SubscriptionGroupConfig) -> SubscriptionGroupConfig | None:
        """The group after an administrator's request, or None when that changes nothing.

        Raises:
            BrokerError: 29 for a name or a number that cannot be.
        """
        problem = group_name_problem(wanted.group_name)
        if problem is None and not 0 <= wanted.retry_queue_nums <= MAX_QUEUES:
            problem = f"retryQueueNums is not between 0 and {MAX_QUEUES}"
        if problem is None and wanted.consume_timeout_minute < 0:
            problem = "consumeTimeoutMinute may not be negative"
        if problem is not None:
            raise BrokerError(ResponseCode.INVALID_PARAMETER, problem)
        return None if self._entries.get(wanted.group_name) == wanted else wanted

    # --- changes

    def remove(self, name: str, *, now_ms: int) -> bool:
        """Forget a group and what it was forbidden; False when it was not there."""
        self._forbidden.pop(name, None)
        return super().remove(name, now_ms=now_ms)

    # --- subscriptionGroup.json

    def picture(self) -> dict[str, object]:
        """The table as ``subscriptionGroup.json`` has it."""
        return {
            "dataVersion": self._version.to_json(),
            "forbiddenTable": {group: dict(topics) for group, topics in self._forbidden.items()},
            "subscriptionGroupTable": {name: group.to_json() for name, group in self._entries.items()},
        }

    def restore(self, document: object) -> None:
        """Take over what ``subscriptionGroup.json`` says; system groups that it lacks stay as they are.

        Raises:
            LocalProtocolError: The document is not a group table; nothing has changed.
        """
        groups = [
            SubscriptionGroupConfig.from_json(group)
            for group in table(document, "subscriptionGroupTable").values()
        ]
        forbidden = {
            str(group): {
                str(topic): whole_number(mask) for topic, mask in members({"of": topics}, "of").items()
            }
            for group, topics in members(document, "forbiddenTable").items()
        }
        version = DataVersion.from_json(member(document, "dataVersion"))
        self._take_over(groups, version)
        self._forbidden = forbidden
