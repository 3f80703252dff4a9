import hashlib
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.log.action import MAX_ID, MAX_USER, Action, Rejection, reject
from ingest_api.acceptance import AcceptancePolicy
from ingest_api.decoding.cloud_events.attributes import Attributes
from ingest_api.decoding.cloud_events.mapper import CloudEventMapper, identity

NOW = 1_800_000_000_000
NOON = 1_795_780_800_000
ACCEPTED = ("click", "impression")
POLICY = AcceptancePolicy(ACCEPTED, 1000, timedelta(hours=1), lambda: NOW)
MAPPER = CloudEventMapper(ACCEPTED, lambda _: None)
SENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": "7f0c",
    "source": "https://shop.example/web",
    "type": "com.example.click",
    "subject": "u1",
    "time": "2026-11-27T12:00:00.123Z",
}
TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=150)


def judged(mapper: CloudEventMapper = MAPPER, **change: Any) -> Action | Rejection:  # noqa: ANN401 - as JSON has them
    (one,) = mapper.judge([Attributes(**{**SENT, **change})], POLICY, NOW)
    return one


def action(**change: Any) -> Action:  # noqa: ANN401 - as JSON has them
    one = judged(**change)
    assert isinstance(one, Action), one
    return one


def refused(**change: Any) -> Rejection:  # noqa: ANN401 - as JSON has them
    one = judged(**change)
    assert isinstance(one, Rejection), one
    return one


def test_an_event_is_its_subjects_action_at_its_time_under_its_source_and_id() -> None:
    assert action() == Action(NOON + 123, "u1", "click", "https://shop.example/web 7f0c")


def test_without_a_subject_the_partition_key_is_the_user_and_without_a_time_it_is_the_arrival() -> None:
    assert action(subject=None, partitionkey="p").user == "p"
    assert action(partitionkey="p").user == "u1"
    assert action(time=None).timestamp == NOW


@pytest.mark.parametrize("type_", ["click", "com.example.click", ".click", "com.example.v2.click"])
def test_the_event_is_the_last_dotted_part_of_the_type(type_: str) -> None:
    assert action(type=type_).event == "click"


@pytest.mark.parametrize("type_", ["com.example.share", "com.example.Click", "com.example.click.v2", "click.", ". "])
def test_a_type_that_names_no_accepted_event_is_refused_and_named(type_: str) -> None:
    one = refused(type=type_)
    assert (one.code, one.field) == ("event_unknown", "type")
    assert type_ in one.value
    assert one.rule == "the last dotted part of type is one of click, impression"


def test_a_setting_comes_before_the_last_dotted_part() -> None:
    mapper = CloudEventMapper(ACCEPTED, {"com.example.seen": "impression", "com.example.click": "impression"}.get)
    for type_, event in [("com.example.seen", "impression"), ("com.example.click", "impression"), ("click", "click")]:
        one = judged(mapper, type=type_)
        assert isinstance(one, Action)
        assert one.event == event


@pytest.mark.parametrize(
    ("change", "code", "field", "rule"),
    [
        ({"specversion": None}, "specversion_missing", "specversion", "specversion is required"),
        ({"specversion": "0.3"}, "specversion_unsupported", "specversion", "specversion is 1.0"),
        ({"specversion": 1.0}, "specversion_unsupported", "specversion", "specversion is 1.0"),
        ({"id": None}, "id_missing", "id", "id is required"),
        ({"id": 7}, "id_not_text", "id", "id is a string"),
        ({"id": ""}, "id_empty", "id", "id has at least one character"),
        ({"id": "a\x00"}, "id_control_character", "id", "id has no control characters"),
        ({"source": None}, "source_missing", "source", "source is required"),
        ({"source": {}}, "source_not_text", "source", "source is a string"),
        ({"source": ""}, "source_empty", "source", "source has at least one character"),
        ({"source": "a\x85"}, "source_control_character", "source", "source has no control characters"),
        ({"type": None}, "type_missing", "type", "type is required"),
        ({"type": []}, "type_not_text", "type", "type is a string"),
        ({"type": ""}, "type_empty", "type", "type has at least one character"),
        ({"subject": None}, "user_missing", "subject", "subject is required, or else partitionkey: who did it"),
        ({"subject": 5}, "user_not_text", "subject", "subject is a string"),
        ({"subject": ""}, "user_empty", "subject", "subject has at least one character"),
        ({"subject": "u" * (MAX_USER + 1)}, "user_too_long", "subject", "subject has at most 256 characters"),
        ({"subject": "\x1f"}, "user_control_character", "subject", "subject has no control characters"),
        ({"subject": None, "partitionkey": 5}, "user_not_text", "partitionkey", "partitionkey is a string"),
        ({"time": "1969-12-31T23:59:59Z"}, "timestamp_negative", "time", "time is 1970-01-01T00:00:00Z or later"),
        ({"time": "2100-01-01T00:00:00Z"}, "timestamp_after_2099", "time", "time is before 2100-01-01T00:00:00Z"),
        (
            {"time": "1970-01-01T00:00:00.9Z"},
            "timestamp_too_old",
            "time",
            "time is 1970-01-01T00:00:01Z (1000) or later",
        ),
        (
            {"time": "2027-01-15T09:00:00.001Z"},
            "timestamp_in_future",
            "time",
            "time is at most 3600000 ms ahead of the server's clock",
        ),
    ],
)
def test_what_breaks_a_rule_is_told_of_the_attribute_that_its_sender_wrote(
    change: dict[str, Any], code: str, field: str, rule: str
) -> None:
    one = refused(**change)
    assert (one.code, one.field, one.rule) == (code, field, rule)
    assert one.message.endswith(rule)
    written = change.get(field)
    if isinstance(written, str):
        assert written[:20] in one.value.encode().decode("unicode_escape")


@pytest.mark.parametrize(
    "time",
    ["2026-11-27T12:00:00", "2026-11-27T12:00:00+01", "2026-11-27", "now", "", "1795780800000", NOON, 1.5, True, []],
)
def test_a_time_that_is_no_instant_as_rfc_3339_writes_one_is_refused(time: object) -> None:
    one = refused(time=time)
    assert (one.code, one.field) == ("timestamp_malformed", "time")


@pytest.mark.parametrize(
    "time", ["2026-11-27T13:00:00.123+01:00", "2026-11-27t12:00:00.123456z", "2026-11-27T06:30:00.123-0530"]
)
def test_a_time_has_any_offset_and_precision(time: str) -> None:
    assert action(time=time).timestamp == NOON + 123


def test_an_attribute_with_half_a_surrogate_pair_is_refused() -> None:
    for name in ("id", "source", "type", "subject"):
        assert refused(**{name: "\ud83d"}).field == name


def test_what_was_refused_before_stays_so_and_in_its_place() -> None:
    before = reject("not_json", None, b"?")
    good = Attributes(**SENT)
    assert MAPPER.judge([good, before, good], POLICY, NOW) == [action(), before, action()]


def test_an_arrival_that_the_policy_refuses_is_no_fault_of_an_attribute() -> None:
    (one,) = MAPPER.judge([Attributes(**{**SENT, "time": None})], POLICY, 5)
    assert isinstance(one, Rejection)
    assert (one.code, one.field) == ("timestamp_too_old", "timestamp")


def test_source_and_id_stand_as_they_are_up_to_128_characters_and_as_their_sha_256_beyond() -> None:
    assert identity("s" * 100, "i" * 27) == "s" * 100 + " " + "i" * 27
    digest = hashlib.sha256(b"s" * 100 + b"\x00" + "ü".encode() * 28).hexdigest()
    assert identity("s" * 100, "ü" * 28) == "sha256-" + digest
    assert identity("a b", "c") == "sha256-" + hashlib.sha256(b"a b\x00c").hexdigest()


@given(TEXTS, TEXTS, st.integers(0, 200))
def test_other_sources_or_ids_are_other_identities_wherever_they_meet(source: str, id_: str, cut: int) -> None:
    for joint in ("", " ", "  "):
        joined = source + joint + id_
        other = (joined[:cut], joined[cut:])
        if all(other) and other != (source, id_):
            assert identity(*other) != identity(source, id_)
    assert identity(source, id_) == identity(source, id_)
    assert len(identity(source, id_)) <= MAX_ID


@given(
    st.dictionaries(
        st.sampled_from(sorted(Attributes.__struct_fields__)), st.sampled_from([None, 7, "", "1.0", "a b", "\x00"])
    )
)
def test_whatever_attributes_are_they_make_an_action_or_name_what_is_wrong(change: dict[str, Any]) -> None:
    one = judged(**change)
    assert isinstance(one, Action) or one.field in Attributes.__struct_fields__
