"""The exception tree: what each error carries."""

from __future__ import annotations

import inspect

import pytest

from rocketmq_lite import errors
from rocketmq_lite.errors import BrokerError, ConnectionLost, NotDurable, RocketMQError, TopicNotFound
from rocketmq_lite.model import MessageQueue, SendReceipt, SendStatus


def test_everything_listed_is_in_the_tree() -> None:
    found = {name for name, value in vars(errors).items() if inspect.isclass(value) and name[0] != "_"}
    assert found == set(errors.__all__)
    assert all(issubclass(getattr(errors, name), RocketMQError) for name in errors.__all__)


def test_an_error_keeps_hint_and_code_beside_its_text() -> None:
    error = RocketMQError("it broke", hint="mend it", code=7)
    assert (str(error), error.message, error.hint, error.code) == ("it broke", "it broke", "mend it", 7)
    assert not error.retryable
    assert ConnectionLost("gone").retryable


@pytest.mark.parametrize(("code", "retryable"), [(1, True), (2, True), (14, True), (13, False), (16, False)])
def test_a_brokers_answer_says_whether_to_try_again(code: int, retryable: bool) -> None:
    assert BrokerError(code, "no").retryable is retryable


def test_a_brokers_answer_as_text() -> None:
    error = TopicNotFound(17, " no such topic ", where="10.0.0.1:1")
    assert str(error) == "10.0.0.1:1: no such topic (code 17)"
    assert (error.code, error.remark) == (17, " no such topic ")
    assert str(BrokerError(3)) == "no reason given (code 3)"


def test_a_weaker_promise_keeps_its_receipt() -> None:
    receipt = SendReceipt("id", MessageQueue("T", "b", 0), 4, SendStatus.OK)
    assert NotDurable("stored", receipt=receipt, code=10).receipt is receipt
