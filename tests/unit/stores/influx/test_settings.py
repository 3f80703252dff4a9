"""Where the token comes from, and that nobody is shown it."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from service.settings import settings_or_exit
from stores.influx.settings import InfluxSettings

TOKEN = "kdL3-only-for-InfluxDB-Q9x7"


def told(capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit):
        settings_or_exit(InfluxSettings)
    return capsys.readouterr().err


def test_a_token_in_a_file_goes_before_one_in_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    monkeypatch.setenv("COLLECTOR_INFLUX_TOKEN", "another")
    monkeypatch.setenv("COLLECTOR_INFLUX_TOKEN_FILE", str(tmp_path / "token"))
    assert InfluxSettings().influx_token.get_secret_value() == TOKEN


def test_an_empty_name_of_a_file_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLLECTOR_INFLUX_TOKEN", TOKEN)
    monkeypatch.setenv("COLLECTOR_INFLUX_TOKEN_FILE", "")
    assert InfluxSettings().influx_token.get_secret_value() == TOKEN


@pytest.mark.parametrize(
    ("content", "rule"),
    [(None, "No such file or directory"), (b" \n", "is empty"), (b"\xff\xfe", "is no text in UTF-8")],
)
def test_a_file_without_a_token_is_told_by_its_name(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    content: bytes | None,
    rule: str,
) -> None:
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setenv("COLLECTOR_INFLUX_TOKEN_FILE", str(file))
    assert told(capsys) == f"COLLECTOR_INFLUX_TOKEN_FILE={file}: {rule}\n"


@pytest.mark.parametrize("token", ["", " ", f"{TOKEN} ", f"{TOKEN}\nx"])
def test_a_token_that_cannot_be_one_is_refused_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], token: str
) -> None:
    monkeypatch.setenv("COLLECTOR_INFLUX_TOKEN", token)
    text = told(capsys)
    assert text.startswith("COLLECTOR_INFLUX_TOKEN: ")
    assert TOKEN not in text


@pytest.mark.parametrize("url", [f"http://name:{TOKEN}@host:8086", f"http://host:8086/?u=name&p={TOKEN}"])
def test_an_address_that_holds_a_secret_is_refused_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], url: str
) -> None:
    monkeypatch.setenv("COLLECTOR_INFLUX_URL", url)
    text = told(capsys)
    assert text.startswith("COLLECTOR_INFLUX_URL: an address without ")
    assert TOKEN not in text


@pytest.mark.parametrize("last", [4, 7, 20, len(TOKEN)])
def test_no_part_of_the_token_is_in_the_error_about_settings_that_do_not_fit_together(last: int) -> None:
    with pytest.raises(ValidationError) as raised:
        InfluxSettings(raw_retention="PT1H", influx_token=TOKEN)  # type: ignore[arg-type] # pydantic converts them
    assert TOKEN[-last:] not in str(raised.value)
    assert TOKEN not in repr(raised.value)
