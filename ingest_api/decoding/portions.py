"""Many texts, a few at a time: nobody waits long, and no second copy of them all is made."""

from collections.abc import Iterable, Iterator, Sequence


def portions(texts: Iterable[bytes], most: int, most_bytes: int) -> Iterator[tuple[int, Sequence[bytes]]]:
    """The texts in order, each portion with the place of its first: up to `most`.

    One ends with the text by which it has `most_bytes`.
    """
    start, size, portion = 0, 0, list[bytes]()
    for text in texts:
        portion.append(text)
        size += len(text)
        if len(portion) == most or size >= most_bytes:
            yield start, portion
            start, size, portion = start + len(portion), 0, []
    if portion:
        yield start, portion


def line_portions(text: bytes, most: int, most_bytes: int) -> Iterator[tuple[int, Sequence[bytes]]]:
    """The same for the lines of a text that end within `most_bytes`, or one that is longer; none ends in a newline."""
    number, begin, end = 0, 0, len(text) - text.endswith(b"\n")
    while begin <= end:
        cut = min(begin + most_bytes, end)
        lines = text[begin:cut].split(b"\n", most)
        if len(lines) == 1 and cut < end:
            newline = text.find(b"\n", cut, end)
            cut = end if newline < 0 else newline
            lines = [text[begin:cut]]
            begin = cut + 1
        elif len(lines) > most or cut < end:
            begin = cut - len(lines.pop())
        else:
            begin = end + 1
        yield number, lines
        number += len(lines)
