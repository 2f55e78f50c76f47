"""Version numbers as text."""

from __future__ import annotations

import pytest

from rocketmq_lite.protocol.versions import version_constant, version_text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (213, "4.0.0"), (232, "4.1.0-snapshot"), (233, "4.1.0"), (317, "4.5.2"), (409, "4.9.8"), (413, "5.0.0"),
        (479, "5.3.3"), (493, "5.4.0"), (513, "5.5.0"), (0, "0"), (79, "79"), (612, "612"), (-1, "-1"),
    ],
)  # fmt: skip
def test_a_number_is_a_place_in_the_list_of_releases(number: int, text: str) -> None:
    assert version_text(number) == text


def test_as_java_spells_it() -> None:
    assert version_constant(479) == "V5_3_3"
    assert version_constant(232) == "V4_1_0_SNAPSHOT"
