"""What keeps a file of keys from being changed."""

from contract.errors import CollectorError


class NameTaken(CollectorError):
    """There is a key of this name."""


class NoSuchKey(CollectorError):
    """There is no key of this name."""
