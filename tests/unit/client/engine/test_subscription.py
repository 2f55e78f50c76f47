from __future__ import annotations

import pytest

from rocketmq_lite.client.engine.subscription import Condition, TagExpression
from rocketmq_lite.errors import ConfigError


@pytest.mark.parametrize("text", ["*", "", "  ", " * "])
def test_every_message(text):
    expression = TagExpression.parse(text)
    assert (expression.text, expression.codes) == ("*", ())
    assert expression.matches(None)
    assert expression.matches("x")


def test_a_list_of_tags():
    expression = TagExpression.parse(" TagA||TagB || TagA|| ")
    assert expression.tags == ("TagA", "TagB")
    assert expression.text == "TagA || TagB"
    assert expression.codes == (2598919, 2598920)
    assert expression.matches("TagB")
    assert not expression.matches("TagC")
    assert not expression.matches(None)


def test_equal_hashes_are_told_apart():
    assert TagExpression.parse("Aa").codes == TagExpression.parse("BB").codes
    assert not TagExpression.parse("Aa").matches("BB")


@pytest.mark.parametrize("text", ["a | b", "a|b", "a && b", "a b", "||", "a, b"])
def test_other_operators_are_refused_with_a_hint(text):
    with pytest.raises(ConfigError) as caught:
        TagExpression.parse(text)
    assert "||" in caught.value.hint or "*" in caught.value.hint


def test_a_condition_is_checked_before_anybody_is_asked():
    condition = Condition.parse("price > 1 AND region IN ('eu')")
    assert condition.text == "price > 1 AND region IN ('eu')"
    assert (condition.expression_type, condition.tags, condition.codes) == ("SQL92", (), ())
    assert condition.matches(None)
    with pytest.raises(ConfigError, match=r"line 1, column 9: .*found the end") as caught:
        Condition.parse("price > ")
    assert "price > 1" in caught.value.hint
