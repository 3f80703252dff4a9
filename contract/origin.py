"""Origins of pages, as browsers write them in the header `Origin`."""

import re
from typing import Final

ALL: Final = "*"
"""Stands for every origin."""

ORIGIN_RULE: Final = (
    "scheme://host or scheme://host:port, as browsers send it: in lower case, without the scheme's own port, and with "
    "nothing behind it, not even a slash"
)
_OWN_PORT: Final = r"(?!http://.*:80$|https://.*:443$)"
_HOST: Final = r"(?:[a-z0-9._-]+|\[[0-9a-f:]+\])"
_ORIGIN: Final = re.compile(rf"{_OWN_PORT}[a-z][a-z0-9+.-]*://{_HOST}(?::[1-9][0-9]*)?")


def is_origin(text: str) -> bool:
    """Whether a browser could send it."""
    return _ORIGIN.fullmatch(text) is not None
