import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from service.keys.errors import KeysUnreadable, RateExceeded, Unauthenticated
from service.keys.key import Previous
from service.keys.keyring import KeyRing
from support.fixtures.keys import Seconds, hex_of, key_of, write_keys

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


class Ring:
    """A ring on a file that can be changed, and clocks that are moved by hand."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.now = NOW
        self.seconds = Seconds()
        write_keys(path, [key_of("uac_one", "write")])
        self.ring = self.opened()

    def opened(self) -> KeyRing:
        return KeyRing(self.path, lambda: int(self.now.timestamp() * 1000), self.seconds)

    def name_of(self, secret: str) -> str:
        """Whose key it is, or the code of its refusal."""
        try:
            return self.ring.find(secret.encode()).key.name
        except Unauthenticated as refused:
            return refused.code

    def change(self, *keys: object, text: bytes | None = None) -> None:
        before = self.path.stat().st_mtime_ns
        if text is None:
            write_keys(self.path, keys)  # type: ignore[arg-type] # keys
        else:
            self.path.write_bytes(text)
        assert self.path.stat().st_mtime_ns != before


@pytest.fixture
def ring(tmp_path: Path) -> Ring:
    return Ring(tmp_path / "keys")


def test_a_key_is_found_by_its_text_and_no_other_text_is_one(ring: Ring) -> None:
    assert ring.name_of("uac_one") == "one"
    for text in ("", "uac_", "uac_on", "uac_one ", "UAC_ONE", hex_of("uac_one"), "one"):
        assert ring.name_of(text) == "key_unknown"


def test_known_or_not_a_key_costs_one_hash_and_one_look_up(ring: Ring, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[bytes] = []
    looked: list[bytes] = []

    class Entries(dict[bytes, object]):
        def get(self, digest: bytes, default: object = None) -> object:
            looked.append(digest)
            return super().get(digest, default)

    monkeypatch.setattr(ring.ring, "_entries", Entries(ring.ring._entries))  # noqa: SLF001 - what it costs is inside
    monkeypatch.setattr("service.keys.keyring.digest_of", lambda secret: hashed.append(secret) or b"x" * 32)
    for secret in ("uac_one", "uac_two", "x" * 60_000):
        assert ring.name_of(secret) == "key_unknown"
        assert (hashed.pop(), looked.pop()) == (secret.encode(), b"x" * 32)
        assert (hashed, looked) == ([], [])


def header_of(secret: str) -> tuple[bytes, bytes]:
    return b"x-api-key", secret.encode()


def test_a_header_with_a_known_key_is_hashed_once_and_one_with_another_each_time_and_not_kept(
    ring: Ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[bytes] = []
    monkeypatch.setattr(
        "service.keys.keyring.digest_of", lambda secret: hashed.append(secret) or bytes.fromhex(hex_of(secret.decode()))
    )
    for _ in range(3):
        caller = ring.ring.find_by_header(header_of("uac_one"))
        assert caller is not None
        assert caller.key.name == "one"
        with pytest.raises(Unauthenticated):
            ring.ring.find_by_header(header_of("uac_two"))
    assert hashed == [b"uac_one", b"uac_two", b"uac_two", b"uac_two"]


def test_a_header_that_was_known_is_refused_once_its_key_is_revoked_or_has_expired(ring: Ring) -> None:
    ring.change(key_of("uac_one", "write", expires=NOW + timedelta(hours=1)), key_of("uac_two", "write"))
    ring.ring = ring.opened()
    for secret in ("uac_one", "uac_two"):
        assert ring.ring.find_by_header(header_of(secret))
    ring.now = NOW + timedelta(hours=1)
    with pytest.raises(Unauthenticated, match="has expired"):
        ring.ring.find_by_header(header_of("uac_one"))
    ring.change()
    ring.seconds.now += 1
    with pytest.raises(Unauthenticated, match="not known"):
        ring.ring.find_by_header(header_of("uac_two"))


def test_a_holder_who_writes_a_header_in_many_ways_fills_no_memory(ring: Ring) -> None:
    for spaces in range(5_000):
        assert ring.ring.find_by_header((b"authorization", b"Bearer " + b" " * spaces + b"uac_one"))
    kept = ring.ring._by_header  # noqa: SLF001 - what it keeps is inside
    assert len(kept) <= 1_000
    assert max(len(value) for _, value in kept) <= 256


def test_the_same_text_in_another_header_is_not_the_same_key(ring: Ring) -> None:
    assert ring.ring.find_by_header((b"authorization", b"Bearer uac_one"))
    with pytest.raises(Unauthenticated):
        ring.ring.find_by_header((b"x-api-key", b"Bearer uac_one"))


def test_a_change_of_the_file_holds_within_a_second(ring: Ring) -> None:
    ring.change(key_of("uac_two", "write"))
    assert ring.name_of("uac_one") == "one"
    ring.seconds.now += 1
    assert (ring.name_of("uac_one"), ring.name_of("uac_two")) == ("key_unknown", "two")


def test_a_file_that_another_one_replaces_is_read_again(ring: Ring) -> None:
    write_keys(ring.path.with_name("new"), [key_of("uac_two", "write")]).replace(ring.path)
    ring.seconds.now += 1
    assert (ring.name_of("uac_one"), ring.name_of("uac_two")) == ("key_unknown", "two")


@pytest.mark.parametrize("text", [b"{", None])
def test_with_a_broken_file_or_none_the_old_keys_stay_and_that_is_logged_once(
    ring: Ring, caplog: pytest.LogCaptureFixture, text: bytes | None
) -> None:
    if text is None:
        ring.path.unlink()
    else:
        ring.change(text=text)
    for _ in range(3):
        ring.seconds.now += 1
        assert ring.name_of("uac_one") == "one"
    (record,) = caplog.records
    assert (record.levelno, "the keys stay as they were" in record.getMessage()) == (logging.ERROR, True)
    write_keys(ring.path, [key_of("uac_two", "write")])
    ring.seconds.now += 1
    assert ring.name_of("uac_two") == "two"


def test_a_broken_file_at_the_start_is_refused(ring: Ring) -> None:
    ring.change(text=b"{")
    with pytest.raises(KeysUnreadable):
        ring.opened()


def test_a_key_is_refused_from_its_expiry_on(ring: Ring) -> None:
    ring.change(key_of("uac_one", "write", expires=NOW + timedelta(hours=1)))
    ring.ring = ring.opened()
    ring.now = NOW + timedelta(minutes=59, seconds=59)
    assert ring.name_of("uac_one") == "one"
    ring.now = NOW + timedelta(hours=1)
    assert ring.name_of("uac_one") == "key_expired"


def test_what_a_rotation_replaced_works_until_it_expires_on_the_same_account(ring: Ring) -> None:
    previous = Previous(hex_of("uac_old"), NOW + timedelta(hours=1))
    ring.change(key_of("uac_new", "write", actions_per_second=1, previous=previous))
    ring.ring = ring.opened()
    assert ring.name_of("uac_old") == ring.name_of("uac_new") == "new"
    ring.ring.find(b"uac_old").spend(100)
    with pytest.raises(RateExceeded):
        ring.ring.find(b"uac_new").begin()
    ring.now = NOW + timedelta(hours=1)
    assert (ring.name_of("uac_old"), ring.name_of("uac_new")) == ("key_expired", "new")


def test_what_a_rotation_replaced_never_outlives_the_key(ring: Ring) -> None:
    previous = Previous(hex_of("uac_old"), NOW + timedelta(hours=2))
    ring.change(key_of("uac_new", "write", expires=NOW + timedelta(hours=1), previous=previous))
    ring.ring = ring.opened()
    ring.now = NOW + timedelta(hours=1)
    assert ring.name_of("uac_old") == "key_expired"


def test_rates_that_were_used_up_stay_used_up_when_the_file_changes(ring: Ring) -> None:
    limited = key_of("uac_one", "write", actions_per_second=0.001)
    ring.change(limited)
    ring.ring = ring.opened()
    ring.ring.find(b"uac_one").spend(100)
    ring.change(limited, key_of("uac_two", "write"))
    ring.seconds.now += 1
    assert ring.name_of("uac_two") == "two"
    with pytest.raises(RateExceeded):
        ring.ring.find(b"uac_one").begin()
