"""Conditions of groups: which are kept, for how long, and their text form."""

from __future__ import annotations

import pytest

from rocketmq_lite.broker.engine.filters import ConditionTable
from rocketmq_lite.errors import LocalProtocolError
from rocketmq_lite.protocol.bodies import SubscriptionData

NOW_MS = 1_700_000_000_000
DAY_MS = 24 * 3_600_000


def subscription(topic: str, text: str, version: int, kind: str = "SQL92") -> SubscriptionData:
    return SubscriptionData(topic=topic, sub_string=text, expression_type=kind, sub_version=version)


def entry(table: ConditionTable, topic: str = "orders", group: str = "billing") -> dict[str, object]:
    """What the file says of a condition."""
    document: dict[str, dict[str, dict[str, dict[str, dict[str, object]]]]] = table.picture()  # type: ignore[assignment]
    return document["filterDataByTopic"][topic]["groupFilterData"][group]


def filled() -> ConditionTable:
    table = ConditionTable()
    table.register("billing", [subscription("orders", "a > 5", 7)], now_ms=NOW_MS)
    return table


def test_a_condition_is_written_as_apache_writes_it() -> None:
    table = filled()
    assert not table.is_saved
    assert table.picture() == {
        "filterDataByTopic": {
            "orders": {
                "topic": "orders",
                "groupFilterData": {
                    "billing": {
                        "bloomFilterData": {"bitNum": 112, "bitPos": [31, 20, 9]},
                        "bornTime": NOW_MS,
                        "clientVersion": 7,
                        "consumerGroup": "billing",
                        "deadTime": 0,
                        "expression": "a > 5",
                        "expressionType": "SQL92",
                        "topic": "orders",
                    }
                },
            }
        }
    }
    assert table.is_saved


def test_subscriptions_by_tag_are_not_kept() -> None:
    table = ConditionTable()
    table.register(
        "billing",
        [subscription("orders", "a||b", 7, "TAG"), subscription("other", "*", 7, "")],
        now_ms=NOW_MS,
    )
    assert table.picture() == {"filterDataByTopic": {}}


@pytest.mark.parametrize(
    ("text", "version", "kept"),
    [
        ("a > 6", 8, ("a > 6", 8, NOW_MS + 1)),
        ("a > 6", 7, ("a > 5", 7, NOW_MS)),
        ("a > 6", 6, ("a > 5", 7, NOW_MS)),
        ("a > 5", 9, ("a > 5", 9, NOW_MS)),
        ("a > 5", 6, ("a > 5", 7, NOW_MS)),
    ],
)
def test_a_newer_version_wins(text: str, version: int, kept: tuple[str, int, int]) -> None:
    table = filled()
    table.register("billing", [subscription("orders", text, version)], now_ms=NOW_MS + 1)
    found = entry(table)
    assert (found["expression"], found["clientVersion"], found["bornTime"]) == kept
    assert found["deadTime"] == 0


def test_what_is_no_condition_leaves_the_one_before() -> None:
    table = filled()
    table.register("billing", [subscription("orders", "a >", 8)], now_ms=NOW_MS + 1)
    assert (entry(table)["expression"], entry(table)["deadTime"]) == ("a > 5", 0)


def test_what_nobody_subscribes_to_dies_and_is_forgotten_after_a_day() -> None:
    table = filled()
    table.register("other", [subscription("orders", "b = 1", 1)], now_ms=NOW_MS)
    table.register("billing", [subscription("payments", "a > 5", 7)], now_ms=NOW_MS + 5)
    assert entry(table)["deadTime"] == NOW_MS + 5
    table.register("billing", [], now_ms=NOW_MS + 6)
    assert [entry(table)["deadTime"], entry(table, "payments")["deadTime"]] == [NOW_MS + 5, NOW_MS + 6]
    table.forget(now_ms=NOW_MS + DAY_MS + 4)
    assert entry(table, "orders", "other")["deadTime"] == 0
    assert entry(table)["deadTime"] == NOW_MS + 5
    table.forget(now_ms=NOW_MS + DAY_MS + 5)
    assert not table.is_saved
    assert set(table.picture()["filterDataByTopic"]) == {"orders", "payments"}  # type: ignore[call-overload]
    with pytest.raises(KeyError):
        entry(table)


def test_a_group_that_comes_back_revives_its_condition() -> None:
    table = filled()
    table.register("billing", [], now_ms=NOW_MS + 5)
    table.register("billing", [subscription("orders", "a > 5", 7)], now_ms=NOW_MS + 9)
    assert (entry(table)["deadTime"], entry(table)["bornTime"]) == (0, NOW_MS)


def test_after_a_restart_conditions_are_dead_until_their_groups_come() -> None:
    document = filled().picture()
    later = ConditionTable()
    later.restore(document, now_ms=NOW_MS + 100_000)
    assert entry(later)["deadTime"] == NOW_MS + 70_000
    soon = ConditionTable()
    soon.restore(document, now_ms=NOW_MS + 10)
    assert entry(soon)["deadTime"] == NOW_MS, "not before it was born"
    soon.register("billing", [subscription("orders", "a > 5", 7)], now_ms=NOW_MS + 20)
    assert entry(soon)["deadTime"] == 0


@pytest.mark.parametrize(
    "bloom", [{"bitNum": 104, "bitPos": [1, 2, 3]}, {"bitNum": 112, "bitPos": [1]}, None]
)
def test_filters_of_another_size_void_the_file(bloom: object) -> None:
    table = filled()
    table.register("other", [subscription("orders", "b = 1", 1)], now_ms=NOW_MS)
    document = table.picture()
    entry(table)  # the document is ours alone
    document["filterDataByTopic"]["orders"]["groupFilterData"]["other"]["bloomFilterData"] = bloom  # type: ignore[index]
    again = ConditionTable()
    again.restore(document, now_ms=NOW_MS)
    assert again.picture() == {"filterDataByTopic": {}}


@pytest.mark.parametrize("document", [[], {"filterDataByTopic": []}, {"filterDataByTopic": {"t": 1}}])
def test_what_is_no_table_is_refused(document: object) -> None:
    with pytest.raises(LocalProtocolError):
        ConditionTable().restore(document, now_ms=NOW_MS)
