"""Lists of addresses as users write them."""

from __future__ import annotations

import pytest

from rocketmq_lite.config import split_addresses
from rocketmq_lite.errors import ConfigError


def test_blanks_empty_parts_and_repetitions_go() -> None:
    assert split_addresses(" a:1 ;; b:2;a:1; ") == ("a:1", "b:2")


@pytest.mark.parametrize("text", ["", " ; ", "host", "a:1;b"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        split_addresses(text)
