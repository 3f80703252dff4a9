from bench.soak import as_markdown


def test_the_table_has_a_row_for_each_figure() -> None:
    found = {"limit, actions/s": 301_234, "p99, s": 1.25, "raw actions": "packed", "grew": [], "series": {"a": 1}}
    assert list(as_markdown(found)) == [
        "| figure | measured |",
        "| --- | --- |",
        "| limit, actions/s | 301,234 |",
        "| p99, s | 1.25 |",
        "| raw actions | packed |",
    ]
