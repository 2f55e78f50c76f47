"""The settings of `rmq broker`: options win over the file, the file over the environment and the defaults."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from rocketmq_lite.cli import serving

if TYPE_CHECKING:
    from pathlib import Path

    from rocketmq_lite.broker.conf.keys import Changes
    from rocketmq_lite.config import BrokerSettings

_log: Final = logging.getLogger(__name__)


def broker_settings(file: Path | None, *, namesrv: str | None, **given: object) -> BrokerSettings:
    """What the file and the options say together.

    Args:
        file: A configuration file.
        namesrv: Name servers, as the option has them.
        given: Settings by their names; ``None`` where the option was not given.

    Raises:
        ConfigError: The file says what cannot be.
        UsageFault: Clients could not be told where the broker is.
    """
    from rocketmq_lite.broker.conf.keys import with_changes
    from rocketmq_lite.client.addresses import name_servers
    from rocketmq_lite.config import BrokerSettings, split_addresses

    changes = _from_file(file)
    if given["data"] is not None:  # all of the data, wherever the file has it
        changes = {field: value for field, value in changes.items() if field not in _PLACES}
    changes |= {field: value for field, value in given.items() if value is not None}
    if namesrv is not None or "namesrv" not in changes:
        servers = name_servers(namesrv)
        changes["namesrv"] = split_addresses(servers) if servers else ()
    if not changes.keys() & {"data", "store"}:
        changes["data"] = serving.default_data_directory()
    settings = with_changes(BrokerSettings(), changes)
    serving.require_advertised(settings.host, settings.advertise)
    return settings


_PLACES: Final = frozenset({"data", "store", "commit_log", "read_only_commit_log"})


def _from_file(file: Path | None) -> Changes:
    from rocketmq_lite.broker.conf.files import read_file

    if file is None:
        return {}
    found = read_file(file)
    for warning in found.warnings:
        _log.warning("%s", warning)
    return found.changes
