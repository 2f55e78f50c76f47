"""Settings that tools read and change while the name server runs, under Apache's names (namesrv.md 10).

Only switches that act at once can be changed. As in Apache, an unknown name is ignored, and names that decide
where files are cannot be changed from outside.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from rocketmq_lite.errors import BrokerError
from rocketmq_lite.protocol.codes import ResponseCode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rocketmq_lite.config import NameServerSettings

__all__ = ["shown_settings", "updated_settings"]

_SWITCHES: Final = {
    "deleteTopicWithBrokerRegistration": "delete_topic_with_registration",
    "enableAllTopicList": "enable_all_topic_list",
    "enableTopicList": "enable_topic_list",
    "orderMessageEnable": "order_message_enable",
    "returnOrderTopicConfigToBroker": "return_order_topic_config",
}

_FORBIDDEN: Final = frozenset({"configBlackList", "configStorePath", "kvConfigPath", "rocketmqHome"})


def shown_settings(settings: NameServerSettings) -> dict[str, str]:
    """The settings as texts."""
    switches = {key: "true" if getattr(settings, name) else "false" for key, name in _SWITCHES.items()}
    return {**switches, "scanNotActiveBrokerInterval": str(int(settings.scan_interval * 1000))}


def updated_settings(settings: NameServerSettings, changes: Mapping[str, str]) -> NameServerSettings:
    """The settings after a change.

    Raises:
        BrokerError: 16 for a name that may not be changed; nothing has changed.
    """
    if not _FORBIDDEN.isdisjoint(changes):
        raise BrokerError(ResponseCode.NO_PERMISSION, "Can not update config in black list.")
    switches: dict[str, Any] = {
        _SWITCHES[key]: value == "true" for key, value in changes.items() if key in _SWITCHES
    }
    return replace(settings, **switches)
