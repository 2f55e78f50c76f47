"""The table of producers and consumers."""

from __future__ import annotations

from dataclasses import replace

from rocketmq_lite.broker.engine.clients import (
    EXPIRY_SECONDS,
    Changes,
    ClientStatistics,
    ClientTable,
    Member,
    Notice,
)
from rocketmq_lite.protocol.bodies import ConsumerData, HeartbeatData, ProducerData, SubscriptionData


def member(conn: int) -> Member:
    return Member(conn, f"client-{conn}", f"10.0.0.{conn}:1", "JAVA", 479)


def subscription(topic: str, *, version: int = 1, expression: str = "*") -> SubscriptionData:
    return SubscriptionData(topic=topic, sub_string=expression, sub_version=version)


def heartbeat(
    *subscriptions: SubscriptionData, group: str = "G", model: str = "CLUSTERING", producer: str | None = None
) -> HeartbeatData:
    return HeartbeatData(
        client_id="any",
        consumer_data_set=(
            ConsumerData(
                group_name=group,
                consume_type="CONSUME_PASSIVELY",
                message_model=model,
                consume_from_where="CONSUME_FROM_LAST_OFFSET",
                subscription_data_set=subscriptions,
            ),
        ),
        producer_data_set=() if producer is None else (ProducerData(group_name=producer),),
    )


def test_the_newcomer_itself_is_told_and_the_engine_learns_the_subscriptions() -> None:
    clients = ClientTable()
    changes = clients.heartbeat(member(1), heartbeat(subscription("T")), now=0.0).changes
    assert changes.notices == (Notice("G", (1,)),)
    (table,) = changes.tables
    assert (table.group, table.broadcasting) == ("G", False)
    assert table.subscriptions == (subscription("T"),)


def test_every_member_is_told_of_another_one() -> None:
    clients = ClientTable()
    clients.heartbeat(member(1), heartbeat(subscription("T")), now=0.0)
    changes = clients.heartbeat(member(2), heartbeat(subscription("T")), now=1.0).changes
    assert changes == Changes(notices=(Notice("G", (1, 2)),))
    assert clients.client_ids("G") == ("client-1", "client-2")


def test_a_repeated_heartbeat_changes_nothing() -> None:
    clients = ClientTable()
    clients.heartbeat(member(1), heartbeat(subscription("T")), now=0.0)
    assert clients.heartbeat(member(1), heartbeat(subscription("T")), now=1.0).changes == Changes()


def test_a_newer_version_reaches_the_engine_but_disturbs_no_member() -> None:
    clients = ClientTable()
    clients.heartbeat(member(1), heartbeat(subscription("T")), now=0.0)
    newer = subscription("T", version=2, expression="a")
    changes = clients.heartbeat(member(1), heartbeat(newer), now=1.0).changes
    assert changes.notices == ()
    assert changes.tables[0].subscriptions == (newer,)


def test_an_older_version_is_ignored() -> None:
    clients = ClientTable()
    clients.heartbeat(member(1), heartbeat(subscription("T", version=5)), now=0.0)
    assert clients.heartbeat(member(2), heartbeat(subscription("T", version=4)), now=0.0).changes.tables == ()


def test_topics_that_come_and_go_are_told() -> None:
    clients = ClientTable()
    clients.heartbeat(member(1), heartbeat(subscription("T")), now=0.0)
    changes = clients.heartbeat(member(1), heartbeat(subscription("U")), now=1.0).changes
    assert changes.notices == (Notice("G", (1,)),)
    assert changes.tables[0].subscriptions == (subscription("U"),)


def test_a_broadcasting_group_is_never_told() -> None:
    clients = ClientTable()
    clients.heartbeat(member(1), heartbeat(subscription("T"), model="BROADCASTING"), now=0.0)
    changes = clients.heartbeat(
        member(2), heartbeat(subscription("T"), model="BROADCASTING"), now=0.0
    ).changes
    assert changes.notices == ()
    assert clients.closed(1).notices == ()


def test_a_closed_connection_leaves_all_its_groups() -> None:
    clients = ClientTable()
    clients.heartbeat(member(1), heartbeat(subscription("T"), producer="P"), now=0.0)
    clients.heartbeat(member(2), heartbeat(subscription("T")), now=0.0)
    assert clients.producers("P") == (member(1),)
    assert clients.closed(1) == Changes(notices=(Notice("G", (2,)),))
    assert clients.producers("P") == ()
    assert clients.closed(1) == Changes()


def test_the_last_member_takes_the_subscriptions_with_it() -> None:
    clients = ClientTable()
    clients.heartbeat(member(1), heartbeat(subscription("T")), now=0.0)
    changes = clients.closed(1)
    assert changes.notices == ()
    assert changes.tables[0].subscriptions is None
    assert clients.statistics() == ClientStatistics(0, 0, 0)


def test_unregistering_leaves_one_group_only() -> None:
    clients = ClientTable()
    clients.heartbeat(member(1), heartbeat(subscription("T"), producer="P"), now=0.0)
    changes = clients.unregister(1, consumer_group="G", producer_group=None)
    assert changes.tables[0].subscriptions is None
    assert clients.producers("P") == (member(1),)
    clients.unregister(1, consumer_group=None, producer_group="P")
    assert clients.statistics() == ClientStatistics(0, 0, 0)
    assert clients.unregister(1, consumer_group="G", producer_group="P") == Changes()


def test_silence_is_noticed_after_two_minutes() -> None:
    clients = ClientTable()
    clients.heartbeat(member(1), heartbeat(subscription("T")), now=0.0)
    clients.heartbeat(member(2), heartbeat(subscription("T")), now=50.0)
    assert clients.plan_expiry(EXPIRY_SECONDS) == ()
    assert clients.plan_expiry(EXPIRY_SECONDS + 0.1) == (1,)
    assert clients.plan_expiry(EXPIRY_SECONDS + 50.1) == (1, 2)


def test_a_full_heartbeat_is_asked_for_when_the_fingerfingerprintis_not_the_groups_last() -> None:
    clients = ClientTable()
    full = replace(heartbeat(subscription("T")), heartbeat_fingerprint=7)
    wants = [
        clients.heartbeat(
            member(conn), replace(full, heartbeat_fingerprint=fingerprint), now=0.0
        ).wants_subscriptions
        for conn, fingerprint in [(1, 7), (1, 7), (2, 7), (1, 8), (1, 8)]
    ]
    assert wants == [False, False, False, True, False]  # as a 5.5.0 broker answered


def test_a_short_heartbeat_keeps_the_subscriptions_and_asks_for_them_when_it_does_not_know_them() -> None:
    clients = ClientTable()
    short = replace(heartbeat(), heartbeat_fingerprint=7, without_sub=True)
    full = replace(heartbeat(subscription("T")), heartbeat_fingerprint=7)
    assert clients.heartbeat(member(1), short, now=0.0).wants_subscriptions
    assert not clients.heartbeat(member(1), full, now=1.0).wants_subscriptions
    outcome = clients.heartbeat(member(1), short, now=2.0)
    assert not outcome.wants_subscriptions
    assert outcome.changes == Changes()
    assert not clients.heartbeat(member(2), short, now=3.0).wants_subscriptions
    other = replace(short, heartbeat_fingerprint=8)
    assert clients.heartbeat(member(1), other, now=4.0).wants_subscriptions
    view = clients.consumer_group("G")
    assert view is not None
    assert set(view.subscriptions) == {"T"}
