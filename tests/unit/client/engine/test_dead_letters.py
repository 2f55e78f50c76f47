"""What a dead letter keeps when it is sent again."""

from __future__ import annotations

from rocketmq_lite.client.engine.dead_letters import origin_of, resent_properties

DEAD = {
    "TAGS": "paid",
    "KEYS": "k l",
    "__SHARDINGKEY": "o",
    "UNIQ_KEY": "7F",
    "amount": "12",
    "WAIT": "false",
    "DELAY": "0",
    "REAL_TOPIC": "%RETRY%g",
    "REAL_QID": "0",
    "RECONSUME_TIME": "16",
    "RETRY_TOPIC": "orders",
    "ORIGIN_MESSAGE_ID": "0A",
}


def test_the_senders_words_are_kept_and_the_brokers_notes_are_not() -> None:
    own = {"TAGS": "paid", "KEYS": "k l", "__SHARDINGKEY": "o", "amount": "12", "WAIT": "true"}
    assert resent_properties(DEAD, to_retry=False) == own
    past = {"RETRY_TOPIC": "orders", "ORIGIN_MESSAGE_ID": "0A"}
    assert resent_properties(DEAD, to_retry=True) == own | past
    assert resent_properties({"RETRY_TOPIC": "t"}, to_retry=True) == {"WAIT": "true", "RETRY_TOPIC": "t"}


def test_where_it_came_from() -> None:
    assert (origin_of(DEAD), origin_of({}), origin_of({"RETRY_TOPIC": ""})) == ("orders", None, None)
