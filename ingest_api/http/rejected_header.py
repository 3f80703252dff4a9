"""A header that tells why an action was rejected where neither status nor body may say so."""

import json
import re
from typing import Final

REJECTED: Final = "Collector-Rejected"

_NOT_PRINTABLE: Final = re.compile(r"[^ -~]")


def rejected_header(code: str, message: str) -> dict[str, str]:
    """Code and message on one line; other characters than ASCII's printable ones as JSON escapes them."""
    return {REJECTED: _NOT_PRINTABLE.sub(lambda character: json.dumps(character[0])[1:-1], f"{code}: {message}")}
