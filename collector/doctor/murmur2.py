"""Where Kafka's Java producer puts a key unless it is told otherwise: to name the cause where users lie elsewhere."""

from typing import Final

_SEED: Final = 0x9747B28C
_MULTIPLIER: Final = 0x5BD1E995
_32_BITS: Final = 0xFFFFFFFF
_31_BITS: Final = 0x7FFFFFFF
_WORD: Final = 4


def java_partition_of(user: str, partitions: int) -> int:
    """MurmurHash2 of the UTF-8 user id, without its sign, modulo the partition count."""
    return (_murmur2(user.encode()) & _31_BITS) % partitions


def _murmur2(key: bytes) -> int:
    whole = len(key) // _WORD * _WORD
    state = _SEED ^ len(key)
    for at in range(0, whole, _WORD):
        word = _times(int.from_bytes(key[at : at + _WORD], "little"))
        state = _times(state) ^ _times(word ^ word >> 24)
    if rest := key[whole:]:
        state = _times(state ^ int.from_bytes(rest, "little"))
    state = _times(state ^ state >> 13)
    return state ^ state >> 15


def _times(number: int) -> int:
    return number * _MULTIPLIER & _32_BITS
