from collector.sending.reading.line import Line
from collector.sending.summary import Numbers, Summary


def test_numbers_that_follow_one_another_are_a_range_and_ten_ranges_are_shown() -> None:
    numbers = Numbers()
    for number in [*range(1, 4000), 5000, *range(6000, 6002), *range(7000, 7100, 2)]:
        numbers.add([Line(number, b"{}")])

    assert str(numbers) == "1-3999, 5000, 6000-6001, 7000, 7002, 7004, 7006, 7008, 7010, 7012, …"


def test_lines_in_doubt_are_told_with_their_numbers() -> None:
    summary = Summary(sent=3, accepted=1)
    summary.doubt([Line(4, b"{}"), Line(5, b"{}")])

    assert not summary.is_clean
    assert summary.lines()[-2:] == [
        "unknown            2  sent without an answer",
        "  without an id, they might count twice if sent again: 4-5",
    ]


def test_a_file_of_which_nothing_is_settled_is_sent_again_as_a_whole() -> None:
    assert Summary().go_on("line") == "Send it again from its beginning"
