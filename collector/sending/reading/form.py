"""What a file is, by its first bytes."""

import re
from enum import Enum
from typing import Final

from collector.sending.errors import FileUnreadable

HEAD: Final = 64 * 1024
"""So many bytes decide, at most."""

_LINES: Final = 10
_FEW: Final = 4
_SHOWN: Final = 40
_EXPECTED: Final = "expected is one JSON object a line, or a JSON array of objects, in UTF-8, gzipped or not"

_GZIP: Final = b"\x1f\x8b"
_BOM: Final = b"\xef\xbb\xbf"
_BLANK: Final = b" \t\r\n"
_OBJECT: Final = re.compile(rb'\{[ \t]*["}]')
_ARRAY: Final = re.compile(rb"\[\s*[{\]]")
_FILES: Final = {
    b"\xff\xfe\0\0": "UTF-32",
    b"\0\0\xfe\xff": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
    b"PK\x03\x04": "a zip archive",
    b"\x28\xb5\x2f\xfd": "compressed with zstd",
    b"BZh": "compressed with bzip2",
    b"\xfd7zXZ\0": "compressed with xz",
    b"\x04\x22\x4d\x18": "compressed with lz4",
    b"PAR1": "a Parquet file",
    b"Obj\x01": "an Avro file",
}


class Form(Enum):
    """A form that is sent."""

    LINES = "NDJSON"
    ARRAY = "a JSON array"
    GZIP = "gzip"


def is_enough(head: bytes) -> bool:
    """Whether the form is known, whatever follows."""
    if len(head) < _FEW:
        return False
    text = _text_of(head)
    lines = _lines_of(text[: text.rfind(b"\n") + 1])
    return (
        len(head) >= HEAD
        or head.startswith(_GZIP)
        or _ARRAY.match(text) is not None
        or len(lines) >= _LINES
        or _has_object(lines)
    )


def form_of(head: bytes) -> tuple[Form, int]:
    """The form, and how many bytes to pass over: a byte-order mark, and blanks before an array.

    Raises FileUnreadable for a form that is not sent: it says what the file looks like.
    """
    if head.startswith(_GZIP):
        return Form.GZIP, 0
    text = _text_of(head)
    if _ARRAY.match(text) or text == b"[":
        return Form.ARRAY, len(head) - len(text)
    lines = _lines_of(text)
    if not lines or _has_object(lines) or _is_one_long_line(head):
        return Form.LINES, len(_BOM) if head.startswith(_BOM) else 0
    raise FileUnreadable(f"looks like {_looks_like(head, lines)}; {_EXPECTED}")


def _text_of(head: bytes) -> bytes:
    return head.removeprefix(_BOM).lstrip(_BLANK)


def _lines_of(text: bytes) -> list[bytes]:
    return [line.strip() for line in text.split(b"\n") if line.strip()][:_LINES]


def _has_object(lines: list[bytes]) -> bool:
    return any(map(_OBJECT.match, lines))


def _is_one_long_line(head: bytes) -> bool:
    return len(head) >= HEAD and not set(b"\n\0") & set(head) and _file_of(head) is None


def _looks_like(head: bytes, lines: list[bytes]) -> str:
    if name := _file_of(head):
        return _with_remedy(name)
    if b"\0" in head:
        return _with_remedy("UTF-16") if _is_every_other_byte_nul(head) else "a binary file"
    first = lines[0]
    if first == b"{":
        return "JSON objects written over several lines (`jq -c .` writes one a line)"
    if first.startswith(b"<"):
        return f"XML or HTML: it begins with {_shown(first)}"
    if _is_csv(lines):
        return f"CSV: it begins with {_shown(first)}"
    return f"text of another form: it begins with {_shown(first)}"


def _file_of(head: bytes) -> str | None:
    return next((name for start, name in _FILES.items() if head.startswith(start)), None)


def _with_remedy(name: str) -> str:
    return f"{name} (`iconv -f {name} -t UTF-8` converts it)" if name.startswith("UTF") else name


def _is_every_other_byte_nul(head: bytes) -> bool:
    beginning = head[:_SHOWN]
    return any(beginning[::2]) != any(beginning[1::2])


def _is_csv(lines: list[bytes]) -> bool:
    """Whether some separator stands in each line; the last one may be cut."""
    return not lines[0].startswith((b"{", b"[")) and any(
        all(by in line for line in lines[:-1] or lines) for by in (b",", b";", b"\t", b"|")
    )


def _shown(line: bytes) -> str:
    text = line.decode(errors="replace")
    shown = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
    return f"“{shown[:_SHOWN]}…”" if len(shown) > _SHOWN else f"“{shown}”"
