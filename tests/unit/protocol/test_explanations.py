"""Every code is explained, and hints come from the explanations."""

from __future__ import annotations

import pytest

from rocketmq_lite.protocol.codes import RequestCode, ResponseCode
from rocketmq_lite.protocol.explanations import REQUESTS, RESPONSES, advice_on


def test_every_code_is_explained() -> None:
    assert set(REQUESTS) == set(RequestCode)
    assert set(RESPONSES) == set(ResponseCode)


@pytest.mark.parametrize("code", ResponseCode)
def test_an_explanation_is_short_text(code: ResponseCode) -> None:
    explained = RESPONSES[code]
    assert explained.meaning
    assert explained.cause
    for text in (explained.meaning, explained.cause, explained.advice):
        assert not text.endswith(".")


def test_advice_by_number() -> None:
    assert "rmq topic create" in advice_on(17)
    assert advice_on(0) == advice_on(9999) == ""
