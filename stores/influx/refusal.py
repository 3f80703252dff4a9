"""What a refused write means. 1.8.10 and 2.7.12 answered in these words; what is not known as harmless is not."""

import re
from typing import Final

from stores.influx.connection import Answer

_RETENTION: Final = re.compile(
    r"partial write: points beyond retention policy dropped=(?P<old>\d+)"
    r"|failure writing points to database: partial write: dropped (?P<new>\d+) points outside retention policy of .*"
    r" dropped=(?P=new) for database: \S+ for retention policy: \S+"
)
_NEVER: Final = re.compile(r"unable to parse|field type conflict|input field .* is too long")
_TEXT_FIELD: Final = re.compile(r'(\b(?:user|id|packed)=)"(?:[^"\\]|\\.)*"?')
_TOO_LARGE: Final = 413
_REFUSED: Final = {400, 422}


def is_too_large(answer: Answer) -> bool:
    """Whether fewer lines a request may help."""
    return answer.status == _TOO_LARGE


def dropped_as_old(answer: Answer) -> int:
    """How many lines were dropped because they lie beyond the bucket's retention: its oldest; 0 if that is not it.

    1.8 says only this where lines besides could not be parsed. So the others are known as stored only when they have
    been sent again, without these.
    """
    found = _RETENTION.fullmatch(answer.text) if answer.status in _REFUSED else None
    return int(found["old"] or found["new"]) if found else 0


def is_for_ever(answer: Answer) -> bool:
    """Whether the lines themselves are at fault: they cannot be parsed, or conflict with what is stored."""
    return answer.status in _REFUSED and _NEVER.search(answer.text) is not None


def without_values(text: str) -> str:
    """The text of a refusal, without the texts in the lines that it repeats: they name users."""
    return _TEXT_FIELD.sub(r"\1…", text)
