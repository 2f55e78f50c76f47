from __future__ import annotations

import pytest

from rocketmq_lite.client.engine.name_servers import NameServers
from rocketmq_lite.errors import ConfigError


def test_one_is_chosen_and_kept():
    servers = NameServers(["a:1", "b:1", "c:1"], start=4)
    assert servers.chosen == "b:1"
    assert servers.chosen == "b:1"
    assert servers.addresses == ("a:1", "b:1", "c:1")


def test_a_failure_moves_to_the_next_and_around():
    servers = NameServers(["a:1", "b:1"], start=0)
    assert servers.failed("a:1") == "b:1"
    assert servers.failed("b:1") == "a:1"


def test_a_late_report_does_not_skip_a_healthy_one():
    servers = NameServers(["a:1", "b:1", "c:1"], start=0)
    servers.failed("a:1")
    assert servers.failed("a:1") == "b:1"


def test_none_configured():
    with pytest.raises(ConfigError):
        NameServers([], start=0)
