import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from collector.cli import app
from contract.errors import CollectorError
from service.keys.key import Key, Scope
from service.keys.keyring import KeyRing
from service.keys.keys_file import read_keys


class Program:
    """The commands on one file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def result(self, *arguments: str) -> Result:
        return CliRunner().invoke(app, ["keys", *arguments], env={"COLLECTOR_KEYS_FILE": str(self.path)})

    def secret(self, *arguments: str) -> str:
        """What the command prints for programs: the key and nothing else."""
        result = self.result(*arguments)
        assert result.exit_code == 0, result.output
        (line,) = result.stdout.splitlines()
        return line

    def key(self, name: str) -> Key:
        (found,) = (key for key in read_keys(self.path) if key.name == name)
        return found

    def finds(self, secret: str) -> str | None:
        ring = KeyRing(self.path, lambda: int(datetime.now(UTC).timestamp() * 1000))
        try:
            return ring.find(secret.encode()).key.name
        except CollectorError:
            return None


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path / "keys")


def test_an_added_key_is_printed_once_and_works_and_the_file_does_not_hold_it(program: Program) -> None:
    secret = program.secret("add", "shop")
    assert program.finds(secret) == "shop"
    assert secret not in program.path.read_text()
    assert secret.removeprefix("uac_") not in program.result("list").output


def test_by_default_a_key_writes_into_1000_distinct_hours_an_hour(program: Program) -> None:
    program.secret("add", "shop")
    assert (program.key("shop").scopes, program.key("shop").hours) == ({Scope.WRITE}, 1_000)


@pytest.mark.parametrize("scopes", [["--scope", "read"], ["--scope", "write", "--scope", "backfill"]])
def test_who_reads_or_backfills_has_no_bound_on_hours_by_default(program: Program, scopes: list[str]) -> None:
    program.secret("add", "k", *scopes)
    program.secret("add", "bounded", *scopes, "--hours", "5")
    assert (program.key("k").hours, program.key("bounded").hours) == (None, 5)


def test_every_limit_can_be_given(program: Program) -> None:
    arguments: dict[str, Any] = {
        "--event": "click",
        "--origin": "https://shop.example",
        "--actions-per-second": "500",
        "--requests-per-second": "0.5",
        "--hours": "0",
        "--expires": "2100-01-01",
    }
    program.secret("add", "shop", *(text for pair in arguments.items() for text in pair))
    key = program.key("shop")
    assert (key.events, key.origins) == (("click",), ("https://shop.example",))
    assert (key.actions_per_second, key.requests_per_second, key.hours) == (500, 0.5, None)
    assert key.expires == datetime(2100, 1, 1, tzinfo=UTC)


def test_an_expiry_may_be_a_duration_from_now(program: Program) -> None:
    program.secret("add", "shop", "--expires", "P90D")
    expires = program.key("shop").expires
    assert expires is not None
    assert abs(expires - datetime.now(UTC) - timedelta(days=90)) < timedelta(minutes=5)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["add", "a b"], "a name has"),
        (["add", "k", "--scope", "own"], "own"),
        (["add", "k", "--scope", "read", "--origin", "https://shop.example"], "write alone"),
        (["add", "k", "--origin", "shop.example"], "is not an origin"),
        (["add", "k", "--actions-per-second", "0"], "actions_per_second"),
        (["add", "k", "--expires", "soon"], "--expires soon"),
        (["add", "k", "--expires", "-P1D"], "--expires -P1D"),
        (["rotate", "shop", "--overlap", "-P1D"], "--overlap -P1D"),
    ],
)
def test_what_cannot_work_is_wrong_usage_and_changes_nothing(program: Program, arguments: list[str], told: str) -> None:
    program.secret("add", "shop")
    before = program.path.read_bytes()
    result = program.result(*arguments)
    assert (result.exit_code, told in " ".join(result.output.split())) == (2, True)
    assert program.path.read_bytes() == before


def test_a_revoked_key_does_not_work_any_more(program: Program) -> None:
    shop, news = program.secret("add", "shop"), program.secret("add", "news")
    assert program.result("revoke", "shop").exit_code == 0
    assert (program.finds(shop), program.finds(news)) == (None, "news")


def test_a_rotated_key_and_the_one_before_both_work_until_the_next_rotation(program: Program) -> None:
    first = program.secret("add", "shop", "--actions-per-second", "5")
    second = program.secret("rotate", "shop")
    assert program.finds(first) == program.finds(second) == "shop"
    assert program.key("shop").actions_per_second == 5
    third = program.secret("rotate", "shop", "--overlap", "PT0S")
    assert (program.finds(first), program.finds(second), program.finds(third)) == (None, None, "shop")


def test_keys_are_listed_with_what_they_may_do_and_until_when(program: Program) -> None:
    program.secret("add", "shop", "--event", "click", "--actions-per-second", "500", "--expires", "2020-01-01")
    program.secret("add", "import", "--scope", "write", "--scope", "backfill")
    program.secret("rotate", "import", "--overlap", "P1D")
    head, shop, backfill = program.result("list").stdout.splitlines()
    assert head.split() == ["NAME", "SCOPES", "LIMITS", "EXPIRES"]
    assert shop.split("  ")[0] == "shop"
    assert "write" in shop
    assert "events click; 500 actions/s; 1000 hours" in shop
    assert "2020-01-01T00:00:00Z (expired)" in shop
    assert "backfill,write" in backfill
    assert "  none  " in backfill
    assert "  never; the one before 2" in backfill
    lines = program.result("list", "--json").stdout.splitlines()
    assert [json.loads(line)["name"] for line in lines] == ["shop", "import"]


@pytest.mark.parametrize("command", [["revoke", "none"], ["rotate", "none"], ["add", "shop"]])
def test_a_name_that_is_missing_or_taken_is_told(program: Program, command: list[str]) -> None:
    program.secret("add", "shop")
    result = program.result(*command)
    assert isinstance(result.exception, CollectorError)
    assert "there is" in str(result.exception)


@pytest.mark.parametrize("command", [["list"], ["revoke", "shop"], ["rotate", "shop"]])
def test_without_a_file_there_is_nothing_to_change(program: Program, command: list[str]) -> None:
    result = program.result(*command)
    assert isinstance(result.exception, CollectorError)
    assert "No such file" in str(result.exception)
