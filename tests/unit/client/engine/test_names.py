"""Each bad argument is named, with a hint where there is a way out."""

from __future__ import annotations

import pytest

from rocketmq_lite.client.engine import names
from rocketmq_lite.errors import ConfigError


@pytest.mark.parametrize("topic", ["orders", "A-1_b", "%RETRY%g", "a|b", "x" * 127])
def test_topics_that_rocketmq_takes(topic):
    assert names.check_topic(topic) == topic


@pytest.mark.parametrize(
    ("topic", "complaint"),
    [
        ("", "has no name"),
        ("  ", "has no name"),
        ("a b", "characters"),
        ("a.b", "characters"),
        ("größe", "characters"),
        ("a\n", "characters"),
        ("x" * 128, "at most 127"),
        (7, "is int, not text"),
    ],
)
def test_topics_that_it_refuses(topic, complaint):
    with pytest.raises(ConfigError, match=complaint):
        names.check_topic(topic)


def test_rocketmqs_own_topics_cannot_be_sent_to():
    assert names.check_topic("SCHEDULE_TOPIC_XXXX")
    with pytest.raises(ConfigError, match="belongs to RocketMQ") as caught:
        names.check_topic_to_send("SCHEDULE_TOPIC_XXXX")
    assert caught.value.hint


@pytest.mark.parametrize("group", ["DEFAULT_PRODUCER", "DEFAULT_CONSUMER", "x" * 121, "", "a b"])
def test_groups_that_are_refused(group):
    with pytest.raises(ConfigError):
        names.check_group(group)


@pytest.mark.parametrize("body", [b"x", bytearray(b"x"), memoryview(b"x")])
def test_bodies_become_bytes(body):
    assert names.check_body(body) == b"x"


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (b"", "empty"),
        ("text", "text, not bytes"),
        (None, "NoneType"),
        (b"x" * (names.MAX_BODY + 1), "at most 4194304"),
    ],
)
def test_bodies_that_are_refused(body, complaint):
    with pytest.raises(ConfigError, match=complaint):
        names.check_body(body)


@pytest.mark.parametrize("tag", ["", " ", "a|b", " a", "*", "a\x01", 3])
def test_tags_that_no_subscription_can_name(tag):
    with pytest.raises(ConfigError):
        names.check_tag(tag)


def test_one_key_or_a_list_of_them():
    assert names.check_keys("42") == ("42",)
    assert names.check_keys(["42", "43"]) == ("42", "43")
    assert names.check_keys(()) == ()


@pytest.mark.parametrize("keys", ["", "a b", ["a", ""], ["a\tb"], [1]])
def test_keys_that_are_refused(keys):
    with pytest.raises(ConfigError):
        names.check_keys(keys)


def test_properties_of_the_user():
    assert names.check_properties({"amount": "12"}) == {"amount": "12"}


@pytest.mark.parametrize(
    ("properties", "complaint"),
    [
        ({"TAGS": "a"}, "reserved"),
        ({"DELAY": "3"}, "reserved"),
        ({"TIMER_DELAY_SEC": "3"}, "reserved"),
        ({"__RMQ.TRANSIENT.x": "3"}, "reserved"),
        ({"": "x"}, "blank"),
        ({"x": ""}, "blank"),
        ({"x": 12}, "is int, not text"),
        ({"x": "a\x02b"}, "separator"),
        ({"x": "\ud800"}, "not valid Unicode"),
    ],
)
def test_properties_that_are_refused(properties, complaint):
    with pytest.raises(ConfigError, match=complaint):
        names.check_properties(properties)


def test_a_reserved_property_with_an_argument_of_its_own_says_so():
    with pytest.raises(ConfigError) as caught:
        names.check_properties({"KEYS": "a"})
    assert caught.value.hint == "use the argument keys="


def test_order_keys():
    assert names.check_order_key("customer 42") == "customer 42"


@pytest.mark.parametrize("key", ["", " ", "a\x01", 42])
def test_order_keys_that_are_refused(key):
    with pytest.raises(ConfigError):
        names.check_order_key(key)
