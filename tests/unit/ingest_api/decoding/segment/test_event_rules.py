import pytest

from ingest_api.decoding.segment.event_rules import CALL_TYPES, EventRules

DEFAULT = ("page=impression", "screen=impression", "track:Clicked=click")


@pytest.mark.parametrize(
    ("rules", "call_type", "name", "event"),
    [
        (DEFAULT, "page", "", "impression"),
        (DEFAULT, "page", "Home", "impression"),
        (DEFAULT, "screen", "Home", "impression"),
        (DEFAULT, "track", "Clicked", "click"),
        (DEFAULT, "track", "clicked", None),
        (DEFAULT, "track", "Clicked ", None),
        (DEFAULT, "track", "Product Clicked", None),
        (DEFAULT, "track", "", None),
        (DEFAULT, "identify", "", None),
        (DEFAULT, "Clicked", "", None),
        (("track:Product *=click",), "track", "Product Clicked", "click"),
        (("track:Product *=click",), "track", "Product ", "click"),
        (("track:Product *=click",), "track", "Product", None),
        (("track:*Clicked=click",), "track", "Product\nClicked", "click"),
        (("track:*Clicked=click",), "track", "Product Clicked twice", None),
        (("track:P*t C*d=click",), "track", "Product Clicked", "click"),
        (("track:*=click",), "track", "", "click"),
        (("track=click",), "track", "anything", "click"),
        (("page:Home=click",), "page", "Home", "click"),
        (("page:Home=click",), "page", "Other", None),
        (("track:a=b=click",), "track", "a=b", "click"),
        (("track:a:b=click",), "track", "a:b", "click"),
        (("track:Helpful?=click",), "track", "Helpful?", "click"),
        (("track:Helpful?=click",), "track", "Helpful!", None),
        (("track:[abc]=click",), "track", "[abc]", "click"),
        (("track:[abc]=click",), "track", "a", None),
        (("track:Añadir=click",), "track", "Añadir", "click"),
        (("track:A*=click", "track:*=impression"), "track", "Ab", "click"),
        (("track:A*=click", "track:*=impression"), "track", "Bb", "impression"),
        (("track:*=impression", "track:A*=click"), "track", "Ab", "impression"),
    ],
)
def test_the_first_rule_that_a_call_matches_names_its_event(
    rules: tuple[str, ...], call_type: str, name: str, event: str | None
) -> None:
    assert EventRules(rules).event_of(call_type, name) == event


def test_a_rule_can_name_each_type_of_call() -> None:
    for call_type in CALL_TYPES:
        assert EventRules((f"{call_type}=click",)).event_of(call_type, "") == "click"


def test_spaces_around_the_parts_of_a_rule_do_not_count() -> None:
    rules = EventRules((" track : Product Clicked = click ",))
    assert rules.event_of("track", "Product Clicked") == "click"


@pytest.mark.parametrize(
    "rule",
    [
        "",
        "track",
        "track:Clicked",
        "track:Clicked=",
        "track:Clicked=Click",
        "track:=click",
        "=click",
        "Clicked=click",
        "tracks:Clicked=click",
        "*=click",
    ],
)
def test_what_is_no_rule_is_refused_and_shown(rule: str) -> None:
    with pytest.raises(ValueError, match="is no rule") as refused:
        EventRules(("page=impression", rule))
    assert str(refused.value).startswith(f'"{rule}"')


def test_the_events_that_rules_can_name_are_known() -> None:
    assert EventRules(("page=impression", "track:A=click", "track:B=click")).events == {"impression", "click"}


def test_a_long_name_against_many_wildcards_ends() -> None:
    rules = EventRules((f"track:{'*a' * 20}*b=click",))
    assert rules.event_of("track", "a" * 100_000) is None
