import pytest

from ingest_api.decoding.wildcards import pattern_of


@pytest.mark.parametrize(
    ("name", "matches", "does_not"),
    [
        ("Product *", ["Product ", "Product Clicked", "Product a\nb"], ["Product", "A Product x"]),
        ("*", ["", "anything"], []),
        ("*clicked", ["clicked", "com.example.clicked"], ["Clicked", "clicked "]),
        ("Really?", ["Really?"], ["ReallyX"]),
        ("[new] *", ["[new] x"], ["n x"]),
        ("a.b+(c)", ["a.b+(c)"], ["aXb+(c)"]),
    ],
)
def test_a_star_stands_for_any_text_and_everything_else_for_itself(
    name: str, matches: list[str], does_not: list[str]
) -> None:
    pattern = pattern_of(name)
    assert [text for text in (*matches, *does_not) if pattern.match(text)] == matches


def test_many_stars_take_no_more_time_than_the_text_has_characters() -> None:
    assert not pattern_of("*a" * 50 + "b").match("a" * 10_000)
