"""Names with wildcards, as settings have them."""

import re
from fnmatch import translate


def pattern_of(name: str) -> re.Pattern[str]:
    """What `name` matches, as a whole: `*` stands for any text, everything else for itself.

    The standard library's patterns never try twice, however many wildcards: what is matched comes from anybody. Of what
    else has a meaning there, people write `?` and `[` in names and mean them.
    """
    return re.compile(translate(re.sub(r"[?\[]", r"[\g<0>]", name)))
