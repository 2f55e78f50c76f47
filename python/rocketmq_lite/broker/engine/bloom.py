"""Which bits of Apache's bloom filter a group's subscription sets: ``consumerFilter.json`` holds them.

The filter has 112 bits and 3 of them for each entry: the smallest multiple of 8 that keeps 32 entries below 20 % of false
hits (``maxErrorRateOfBloomFilter``, ``expectConsumerNumUseFilter``). The positions come from the first 64 bits of
MurmurHash3 (the 128 bit one for 64 bit machines, seed 0) of ``group#topic``. Apache throws a whole file away if one
entry has another number of bits or positions.
"""

from __future__ import annotations

from typing import Final

BITS: Final = 112
POSITIONS: Final = 3

_MASK: Final = (1 << 64) - 1
_C1: Final = 0x87C37B91114253D5
_C2: Final = 0x4CF5AD432745937F


def bit_positions(group: str, topic: str) -> list[int]:
    """The bits of a group's subscription to a topic."""
    value = _murmur3(f"{group}#{topic}".encode())
    low, high = value & 0xFFFF_FFFF, value >> 32
    return [_magnitude(low + step * high) % BITS for step in range(1, POSITIONS + 1)]


def _magnitude(number: int) -> int:
    """What Java makes of it: the low 32 bits, inverted where they are negative as a signed number."""
    number &= 0xFFFF_FFFF
    return number ^ 0xFFFF_FFFF if number >> 31 else number


def _murmur3(data: bytes) -> int:
    """The first half of the hash."""
    first = second = 0
    whole = len(data) - len(data) % 16
    for at in range(0, whole, 16):
        first ^= _mix_first(int.from_bytes(data[at : at + 8], "little"))
        first = ((_rotated(first, 27) + second) * 5 + 0x52DCE729) & _MASK
        second ^= _mix_second(int.from_bytes(data[at + 8 : at + 16], "little"))
        second = ((_rotated(second, 31) + first) * 5 + 0x38495AB5) & _MASK
    second ^= _mix_second(int.from_bytes(data[whole + 8 :], "little"))
    first ^= _mix_first(int.from_bytes(data[whole : whole + 8], "little"))
    first ^= len(data)
    second ^= len(data)
    first = (first + second) & _MASK
    second = (second + first) & _MASK
    return (_finished(first) + _finished(second)) & _MASK


def _mix_first(word: int) -> int:
    return _rotated(word * _C1 & _MASK, 31) * _C2 & _MASK


def _mix_second(word: int) -> int:
    return _rotated(word * _C2 & _MASK, 33) * _C1 & _MASK


def _rotated(word: int, bits: int) -> int:
    return (word << bits | word >> (64 - bits)) & _MASK


def _finished(word: int) -> int:
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        word = (word ^ word >> 33) * factor & _MASK
    return word ^ word >> 33
