"""Members of one group that contradict each other are told of once, and once more when it is over."""

from __future__ import annotations

from rocketmq_lite.broker.engine.discord import Discord, DiscordWatch
from rocketmq_lite.protocol.bodies import ConsumerData, SubscriptionData

MIXED = "some members consume in clustering, others in broadcasting mode"
DIFFERENT = "its members subscribe to different messages, and each takes away what others want"


def said(watch, conn, *, client_id=None, model="CLUSTERING", kind="TAG", short=False, **topics):
    data = ConsumerData(
        group_name="g",
        message_model=model,
        subscription_data_set=tuple(
            SubscriptionData(topic=topic, sub_string=expression, expression_type=kind)
            for topic, expression in topics.items()
        ),
    )
    return watch.heard(conn, client_id or f"client-{conn}", data, with_subscriptions=not short)


def test_members_that_agree_are_not_mentioned():
    watch = DiscordWatch()
    assert said(watch, 1, orders="a || b", returns="*") == ()
    assert said(watch, 2, returns="*", orders="b||a") == ()
    assert said(watch, 1, orders="b || a", returns="*") == ()
    assert watch.left(1, "g") == ()


def test_different_tags_topics_or_kinds_are_told_of_once_and_when_they_end():
    for other in ({"orders": "b"}, {"orders": "a", "returns": "*"}, {"orders": "a", "kind": "SQL92"}):
        watch = DiscordWatch()
        said(watch, 1, orders="a")
        assert said(watch, 2, **other) == (Discord("g", DIFFERENT),)
        assert said(watch, 1, orders="a") == said(watch, 2, **other) == ()
        assert said(watch, 2, orders="a") == (Discord("g", DIFFERENT, over=True),)
        said(watch, 2, **other)
        assert watch.left(2, "g") == (Discord("g", DIFFERENT, over=True),)


def test_a_short_heartbeat_says_nothing_of_subscriptions():
    watch = DiscordWatch()
    said(watch, 1, orders="a")
    assert said(watch, 2, short=True) == ()
    assert said(watch, 2, orders="b") == (Discord("g", DIFFERENT),)
    assert said(watch, 2, short=True) == ()


def test_two_models_in_one_group():
    watch = DiscordWatch()
    said(watch, 1, orders="*")
    assert said(watch, 2, orders="*", model="BROADCASTING") == (Discord("g", MIXED),)
    assert watch.left(1, "g") == (Discord("g", MIXED, over=True),)


def test_one_id_of_two_clients():
    watch = DiscordWatch()
    text = "client id x is used by more than one client"
    said(watch, 1, client_id="x", orders="*")
    assert (
        said(watch, 2, client_id="x", orders="*") == ()
    )  # may be the same one, back before the first was missed
    assert said(watch, 2, client_id="x", orders="*") == ()
    assert said(watch, 1, client_id="x", orders="*") == (Discord("g", text),)
    assert said(watch, 2, client_id="x", orders="*") == ()
    assert watch.left(2, "g") == (Discord("g", text, over=True),)


def test_an_id_that_comes_back_on_a_new_connection_is_no_twin():
    watch = DiscordWatch()
    said(watch, 1, client_id="x", orders="*")
    said(watch, 2, client_id="x", orders="*")
    watch.left(1, "g")
    said(watch, 3, client_id="y", orders="*")
    assert said(watch, 2, client_id="x", orders="*") == ()


def test_who_was_never_heard_leaves_without_a_word():
    assert DiscordWatch().left(1, "g") == ()
