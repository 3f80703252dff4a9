"""Which hosts are answered for."""

import pytest

from service.settings import settings_or_exit
from service.web.hosts import AllowedHosts
from stream_workers.settings import WorkerSettings

LOOPBACK = [
    "localhost",
    "localhost:8081",
    "LocalHost",
    "localhost.",
    "localhost.:80",
    "127.0.0.1:1",
    "[::1]",
    "[::1]:9",
]
OTHERS = [
    "evil.example",
    "localhost.evil.example",
    "evil.example:8081",
    "127.0.0.1.evil.example",
    "[::2]",
    "",
    "192.0.2.1",
]


@pytest.mark.parametrize("listens_on", ["127.0.0.1", "127.0.0.9", "::1", "localhost"])
def test_on_loopback_only_its_own_names_are_answered_for(listens_on: str) -> None:
    hosts = AllowedHosts((), listens_on)
    for _ in range(2):
        assert [name for name in LOOPBACK if not hosts.allows(name.encode())] == []
        assert [name for name in OTHERS if hosts.allows(name.encode())] == []


@pytest.mark.parametrize("listens_on", ["0.0.0.0", "::", "192.0.2.7", "a.name"])
def test_elsewhere_all_are_unless_a_setting_names_some(listens_on: str) -> None:
    assert all(AllowedHosts((), listens_on).allows(name.encode()) for name in LOOPBACK + OTHERS)
    named = AllowedHosts(("collect.example",), listens_on)
    assert [name for name in (*LOOPBACK, *OTHERS, "collect.example:443") if named.allows(name.encode())] == [
        "collect.example:443"
    ]


def test_a_star_stands_for_all() -> None:
    assert all(AllowedHosts(("*",), "127.0.0.1").allows(name.encode()) for name in OTHERS)


def test_what_strangers_send_is_not_remembered() -> None:
    hosts = AllowedHosts((), "127.0.0.1")
    for port in range(10_000):
        assert hosts.allows(b"localhost:%d" % port)
        assert not hosts.allows(b"evil.example:%d" % port)
    assert len(hosts._known) < 100  # noqa: SLF001 - a bound on memory that nothing else shows


def test_the_setting_takes_names_and_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLLECTOR_ALLOWED_HOSTS", "Collect.Example, 192.0.2.7,[2001:db8::1]")
    assert settings_or_exit(WorkerSettings).allowed_hosts == ("collect.example", "192.0.2.7", "[2001:db8::1]")


@pytest.mark.parametrize("wrong", ["http://collect.example", "collect.example:443", "a b", "a,,b", "2001:db8::1"])
def test_what_is_no_host_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], wrong: str
) -> None:
    monkeypatch.setenv("COLLECTOR_ALLOWED_HOSTS", wrong)
    with pytest.raises(SystemExit):
        settings_or_exit(WorkerSettings)
    assert "is no host: a name or an address" in capsys.readouterr().err
