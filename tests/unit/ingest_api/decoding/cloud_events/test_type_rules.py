import pytest

from ingest_api.decoding.cloud_events.type_rules import TypeRules


@pytest.mark.parametrize(
    ("rules", "type_", "event"),
    [
        ((), "click", None),
        (("com.example.clicked=click",), "com.example.clicked", "click"),
        (("com.example.clicked=click",), "com.example.clicked.v2", None),
        (("com.example.clicked=click",), "com-example.clicked", None),
        (("com.example.clicked=click",), "Com.example.clicked", None),
        (("com.example.clicked.*=click",), "com.example.clicked.v2", "click"),
        (("*.clicked=click",), "com.example.clicked", "click"),
        (("*.clicked=click",), "clicked", None),
        (("com.*.click*=click",), "com.example.a.clicked", "click"),
        (("*=click",), "\n", "click"),
        (("a=b=click",), "a=b", "click"),
        (("what?=click",), "what?", "click"),
        (("what?=click",), "whats", None),
        (("[abc]=click",), "a", None),
        (("a.*=click", "*=impression"), "a.b", "click"),
        (("*=impression", "a.*=click"), "a.b", "impression"),
    ],
)
def test_the_first_rule_that_a_type_matches_names_its_event(
    rules: tuple[str, ...], type_: str, event: str | None
) -> None:
    assert TypeRules(rules).event_of(type_) == event


def test_spaces_around_the_parts_of_a_rule_do_not_count() -> None:
    assert TypeRules((" com.example.clicked = click ",)).event_of("com.example.clicked") == "click"


@pytest.mark.parametrize("rule", ["", "clicked", "clicked=", "clicked=Click", "=click", " =click"])
def test_what_is_no_rule_is_refused_and_shown(rule: str) -> None:
    with pytest.raises(ValueError, match="is no rule") as refused:
        TypeRules(("a=click", rule))
    assert str(refused.value).startswith(f'"{rule}"')


def test_the_events_that_rules_can_name_are_known() -> None:
    assert TypeRules(("a=click", "b=impression", "c=click")).events == {"click", "impression"}


def test_a_long_type_against_many_wildcards_ends() -> None:
    assert TypeRules((f"{'*a' * 20}*b=click",)).event_of("a" * 60_000) is None
