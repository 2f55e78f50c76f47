"""`rmq config` as a stranger uses it."""

from __future__ import annotations

import pytest
from tests.support.cli import rmq

pytestmark = [pytest.mark.slow]


def test_settings_are_shown_and_changed(namesrv: str) -> None:
    (before,) = rmq("config", "get", "deleteFileBatchMax", namesrv=namesrv).json()
    assert (before["server"], before["key"]) == ("broker-a/0", "deleteFileBatchMax")
    refused = rmq("config", "set", "deleteFileBatchMax=3", stdin=b"n\n", namesrv=namesrv)
    assert refused.code == 1
    assert f"broker-a/0: deleteFileBatchMax {before['value']} -> 3" in refused.err
    changed = rmq("config", "set", "deleteFileBatchMax=3", "--broker", "broker-a", "--yes", namesrv=namesrv)
    assert changed.json() == {"servers": ["broker-a/0"], "settings": {"deleteFileBatchMax": "3"}}
    (after,) = rmq("config", "get", "deleteFileBatchMax", namesrv=namesrv).json()
    assert after == before | {"value": "3"}
    cannot = rmq("config", "set", "brokerName=b", "--yes", namesrv=namesrv)
    assert cannot.code == 1
    assert "brokerName is read at the start only" in cannot.err


def test_settings_of_name_servers(namesrv: str) -> None:
    shown = rmq("config", "get", "--namesrv", namesrv=namesrv).json()
    assert {each["server"] for each in shown} == {namesrv}
    pair = "returnOrderTopicConfigToBroker=false"
    changed = rmq("config", "set", "--namesrv", pair, "--yes", namesrv=namesrv)
    assert changed.code == 0, changed.err
    (one,) = rmq("config", "get", "returnOrderTopicConfigToBroker", "--namesrv", namesrv=namesrv).json()
    assert one["value"] == "false"


def test_an_address_behind_namesrv_is_that_of_the_cluster(namesrv: str) -> None:
    of_brokers = rmq("config", "get", "--namesrv", namesrv, namesrv=None).json()
    assert {each["server"] for each in of_brokers} == {"broker-a/0"}
    both = rmq("config", "get", "--namesrv", namesrv, "--namesrv", namesrv=None).json()
    assert {each["server"] for each in both} == {namesrv}


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["set", "fileReservedTime"], "not of the form KEY=VALUE"),
        (["get", "--broker", "b", "--namesrv"], "exclude each other"),
    ],
)
def test_wrong_usage(namesrv: str, arguments: list[str], complaint: str) -> None:
    run = rmq("config", *arguments, namesrv=namesrv)
    assert run.code == 2
    assert complaint in run.err
