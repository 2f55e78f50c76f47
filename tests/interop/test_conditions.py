"""SQL92 conditions: Apache's parser and evaluator say what each means, and we have to agree."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from tests.interop import conditions

from rocketmq_lite._native import SqlError, SqlFilter
from rocketmq_lite.protocol.framing import encode_properties

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.interop.judge import Judge

# Every run asks the same; change it to ask something else.
SEED = 20261123
CONDITIONS = 6_000
MAPS = 4
PAIRS = CONDITIONS * MAPS
# All of the grammar; each has to be in so many conditions that Apache accepts.
GRAMMAR = (
    *("AND", "OR", "NOT", "BETWEEN", "IN", "IS NULL", "IS NOT NULL", "CONTAINS", "STARTSWITH", "ENDSWITH"),
    *("=", "<>", "<", "<=", ">", ">=", "TRUE", "FALSE", "'", "(", "."),
)
OFTEN = 20


def ours(condition: str, maps: Sequence[Mapping[str, str]]) -> str | None:
    """Our verdicts in the judge's words."""
    try:
        compiled = SqlFilter(condition)
    except SqlError:
        return None
    return "".join(verdict(compiled, encode_properties(properties)) for properties in maps)


def verdict(condition: SqlFilter, properties: str) -> str:
    try:
        return {True: "T", False: "F", None: "N"}[condition.verdict(properties)]
    except SqlError:
        return "E"


def test_24000_pairs_of_condition_and_properties_made_by_chance(json_judge: Judge) -> None:
    chance = random.Random(SEED)
    cases = [
        (conditions.condition(chance), [conditions.properties(chance) for _ in range(MAPS)])
        for _ in range(CONDITIONS)
    ]
    apache = json_judge.conditions(cases)
    differing = [
        (condition, maps, theirs, found)
        for (condition, maps), theirs in zip(cases, apache, strict=True)
        if (found := ours(condition, maps)) != theirs
    ]
    assert not differing, f"seed {SEED}: {len(differing)} differ, the first: {differing[:5]}"
    # The cases are worth something only if they reach every answer and all of the grammar.
    assert PAIRS == 24_000
    accepted = [verdicts for verdicts in apache if verdicts is not None]
    assert CONDITIONS * 0.3 < len(accepted) < CONDITIONS * 0.9
    assert len(accepted) * MAPS >= 10_000
    everything = "".join(accepted)
    assert min(everything.count(answer) for answer in "TFNE") > 400, {a: everything.count(a) for a in "TFNE"}
    texts = [
        condition.upper() for (condition, _), found in zip(cases, apache, strict=True) if found is not None
    ]
    counts = {part: sum(part in text for text in texts) for part in GRAMMAR}
    assert min(counts.values()) >= OFTEN, counts


def test_digits_of_every_script(json_judge: Judge) -> None:
    characters = [
        chr(code) for code in range(0x10000) if not 0xD800 <= code < 0xE000 and chr(code) not in "\x01\x02"
    ]
    maps = [{"a": character} for character in characters]
    for condition in ("a >= 0", "a = 5", "a > 4.5"):
        [theirs] = json_judge.conditions([(condition, maps)])
        assert ours(condition, maps) == theirs
