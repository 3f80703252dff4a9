"""Which partition a user lives on."""

from zlib import crc32


def partition_of(user: str, partitions: int) -> int:
    """CRC-32 of the UTF-8 user id, modulo the partition count.

    This is what librdkafka's default partitioner (`consistent_random`) does with key = user, so any librdkafka producer
    that keys its messages by user agrees with ours.
    """
    return crc32(user.encode()) % partitions
