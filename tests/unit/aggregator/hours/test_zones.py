import zoneinfo
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest

from aggregator.hours.zones import iana_zone

DAMAGED = "Europe/Vaduz"
FOREIGN = ["localtime", "posixrules", "Factory", "posix/UTC", "right/UTC", "leapseconds", "Company/Berlin"]


@pytest.fixture
def _system_zones(tmp_path: Path) -> Iterator[None]:
    """A system's folder of zones that has more in it than IANA's, and one that is damaged."""
    utc = (resources.files("tzdata.zoneinfo") / "UTC").read_bytes()
    for name in (*FOREIGN, DAMAGED):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(utc[1:] if name == DAMAGED else utc)
    zoneinfo.reset_tzpath([tmp_path])
    zoneinfo.ZoneInfo.clear_cache()
    yield
    zoneinfo.reset_tzpath()
    zoneinfo.ZoneInfo.clear_cache()


@pytest.mark.parametrize(
    "name", ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+1", "Asia/Calcutta", "EST5EDT"]
)
def test_a_zone_is_found_by_each_name_that_iana_has_for_it(name: str) -> None:
    zone = iana_zone(name)

    assert zone is not None
    assert zone.key == name


@pytest.mark.usefixtures("_system_zones")
@pytest.mark.parametrize("name", FOREIGN)
def test_what_else_lies_in_the_systems_folder_of_zones_is_none_of_ianas(name: str) -> None:
    assert zoneinfo.ZoneInfo(name).key == name

    assert iana_zone(name) is None


@pytest.mark.usefixtures("_system_zones")
def test_a_zone_whose_file_is_damaged_is_none_either() -> None:
    assert iana_zone(DAMAGED) is None


@pytest.mark.parametrize(
    "name", ["", ".", "Europe", "europe/berlin", "../../etc/passwd", "UTC\0", "__init__/x", "a/" * 999]
)
def test_what_is_no_name_of_a_zone_finds_none(name: str) -> None:
    assert iana_zone(name) is None


def test_each_name_of_ianas_leads_to_a_zone() -> None:
    listed = zoneinfo.available_timezones() - set(FOREIGN)

    assert len(listed) > 400
    assert [name for name in listed if iana_zone(name) is None] == []
