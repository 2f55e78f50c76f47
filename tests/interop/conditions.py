"""Conditions and properties made by chance, from a seed: sense, rubbish, and sense that was damaged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from random import Random

_NAMES: Final = ("a", "b", "c", "d", "Price", "$x", "_y", "TAGS")
_NUMBERS: Final = (
    *("0", "1", "5", "5", "10", "7L", "42l", "2147483647", "2147483648", "-5", "+5", "--5", "-(5)"),
    *("9223372036854775807", "9223372036854775808", "4294967296L", "05", "0x10", "017"),
    *(
        "1.5",
        "5.",
        ".5",
        "5e0",
        "1E3",
        "2.5e-3",
        "0.0",
        "1e400",
        "1e-400",
        "1.7976931348623157E308",
        "4.9e-324",
    ),
)
_WORDS: Final = ("paid", "x", "", "it''s", "true", "5", "1.5", "ünïcödé", "Δ😀", "a b", "--", "*/", "%")
_RELATIONS: Final = ("=", "=", "<>", "<", "<=", ">", ">=")
_TOKENS: Final = (
    *(
        "(",
        ")",
        ",",
        "+",
        "-",
        "=",
        "<>",
        "<",
        ">=",
        "!=",
        "==",
        "AND",
        "or",
        "Not",
        "IS",
        "NULL",
        "IN",
        "BETWEEN",
    ),
    *("CONTAINS", "StartsWith", "ENDSWITH", "TRUE", "false", "LIKE", "a", "b", "5", "0", "1.5", "'x'", "'"),
    *("-- c\n", "-- c", "/* c */", "/* c", "#", ";", ".", "\t", "\f", "é"),
)
_VALUES: Final = (
    *(
        "0",
        "1",
        "5",
        "5",
        "10",
        "42",
        "-5",
        "+5",
        " 5",
        "5 ",
        "5L",
        "05",
        "0x10",
        "1_000",
        "\u0665",
        "\uff15",
        "\U0001d7d3",
    ),
    *("2147483647", "2147483648", "-2147483648", "9223372036854775807", "9223372036854775808", "4294967296"),
    *(
        "1.5",
        "5.0",
        "5.",
        ".5",
        ".",
        "1e3",
        "1E",
        "5d",
        "5f",
        "5.0F",
        "\t1.5\n",
        "-0.0",
        "0.0",
        "NaN",
        "-NaN",
        "Infinity",
    ),
    *(
        "infinity",
        "-Infinity",
        "1e400",
        "1e-400",
        "0x1p3",
        "0x1.8p1",
        "0X.8p+1d",
        "0x1p-1074",
        "0x1.00000000000008p0",
    ),
    *(
        "0x",
        "1e3x",
        "4.9E-324",
        "2.4703282292062328e-324",
        "true",
        "TRUE",
        "True",
        "false",
        "no",
        "paid",
        "x",
        "it's",
    ),
    *("ünïcödé", "Δ😀", "a b", "-", "+", "%"),
)


def condition(random: Random) -> str:
    """A condition, or something that may look like one."""
    kind = random.random()
    if kind < 0.15:
        return " ".join(random.choices(_TOKENS, k=random.randint(0, 9)))
    text = _disjunction(random, 3)
    return _damaged(text, random) if kind < 0.35 else text


def properties(random: Random) -> dict[str, str]:
    """What a message may have; names that conditions ask for are sometimes missing."""
    return {name: random.choice(_VALUES) for name in _NAMES if random.random() < 0.7}


def _disjunction(random: Random, depth: int) -> str:
    parts = [_primary(random, depth) for _ in range(random.choice((1, 1, 2, 2, 3)))]
    text = parts[0]
    for part in parts[1:]:
        text = f"{text} {random.choice(('AND', 'OR', 'and', 'Or'))} {part}"
    return text


def _primary(random: Random, depth: int) -> str:
    if depth and random.random() < 0.3:
        inner = f"({_disjunction(random, depth - 1)})"
        shapes = (
            inner,
            inner,
            f"NOT {inner}",
            f"{inner} IS NULL",
            f"{inner} = TRUE",
            f"{inner} <> b",
            f"-{inner}",
        )
        return random.choice(shapes)
    return _predicate(random)


def _predicate(random: Random) -> str:
    left, low, high = (_operand(random) for _ in range(3))
    word, other = (f"'{random.choice(_WORDS)}'" for _ in range(2))
    negated = random.choice(("", "NOT "))
    name = random.choice(_NAMES)
    many = ", ".join(f"'{random.choice(_WORDS)}'" for _ in range(random.randint(1, 7)))
    match = random.choice(("CONTAINS", "STARTSWITH", "ENDSWITH", "contains"))
    return random.choice((
        f"{left} {random.choice(_RELATIONS)} {low}",
        f"{left}{random.choice(_RELATIONS)}{low}",
        f"{name} {random.choice(_RELATIONS)} {high}",
        f"{left} {negated}BETWEEN {low} AND {high}",
        f"{name} {negated}BETWEEN {random.randint(-9, 9)} AND {random.randint(-9, 99)}",
        f"{name} {negated}IN ({many})",
        f"{left} {negated}{match} {word}",
        f"{name} {negated}{match} {other}",
        f"{name} {random.choice(('=', '<>'))} {word}",
        f"{name} {random.choice(('=', '<>'))} {random.choice(('TRUE', 'FALSE'))}",
        f"{left} IS {negated}NULL",
        f"{left} IS {negated}NULL {random.choice((*_RELATIONS, 'CONTAINS', 'NOT IN', 'IS NOT'))} {low}",
        name,
        f"NOT {name}",
        random.choice(("TRUE", "FALSE", "NULL", "NOT NULL")),
    ))  # fmt: skip


def _operand(random: Random) -> str:
    return random.choice((
        *(random.choice(_NAMES) for _ in range(4)),
        *(random.choice(_NUMBERS) for _ in range(3)),
        f"'{random.choice(_WORDS)}'",
        random.choice(("TRUE", "FALSE", "NULL")),
        f"-{random.choice(_NAMES)}",
        f"({random.choice(_NAMES)})",
    ))  # fmt: skip


def _damaged(text: str, random: Random) -> str:
    """One or two places cut out, doubled or overwritten."""
    for _ in range(random.randint(1, 2)):
        start = random.randint(0, len(text))
        end = min(len(text), start + random.choice((0, 1, 1, 2, 5)))
        text = (
            text[:start] + random.choice(("", " ", text[start:end] * 2, random.choice(_TOKENS))) + text[end:]
        )
    return text
