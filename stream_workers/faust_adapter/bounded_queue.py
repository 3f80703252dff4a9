"""The queue between Faust and the writer, bounded in records and in bytes.

Records of one line come by the thousand, records of 512 KiB would then fill the memory.
"""

from typing import Any

from mode.utils.queues import ThrowableQueue


class BoundedQueue(ThrowableQueue):  # type: ignore[misc] # mode is untyped here
    """Faust's queue, but full when its records have `max_bytes` together, too; soft by one record."""

    def __init__(self, *args: Any, max_bytes: int, **kwargs: Any) -> None:  # noqa: ANN401 - handed on as they are
        super().__init__(*args, **kwargs)
        self._max_bytes = max_bytes
        self._bytes = 0

    def full(self) -> bool:
        return self._bytes >= self._max_bytes or bool(super().full())

    def clear(self) -> None:
        super().clear()
        self._bytes = 0

    def _put(self, item: Any) -> None:  # noqa: ANN401 - Faust's event is untyped
        super()._put(item)
        self._bytes += _size_of(item)

    def _get(self) -> Any:  # noqa: ANN401 - as above
        item = super()._get()
        self._bytes -= _size_of(item)
        return item


def _size_of(event: Any) -> int:  # noqa: ANN401 - as above
    return len(event.message.value or b"")
