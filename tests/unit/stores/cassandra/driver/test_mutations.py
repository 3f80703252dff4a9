from stores.cassandra.driver.mutations import MAX_BYTES, MAX_ROWS, Mutation, Values, mutations, size_of


def sizes(rows: list[Values]) -> list[int]:
    return [len(write.rows) for write in mutations("INSERT", rows)]


def test_rows_are_written_together_in_their_order() -> None:
    rows: list[Values] = [("log", number) for number in range(MAX_ROWS)]
    assert list(mutations("INSERT", rows)) == [Mutation("INSERT", rows)]
    assert list(mutations("INSERT", [])) == []


def test_a_write_has_a_bounded_number_of_rows() -> None:
    assert sizes([(number,) for number in range(2 * MAX_ROWS + 1)]) == [MAX_ROWS, MAX_ROWS, 1]


def test_a_write_has_a_bounded_number_of_bytes_unless_a_row_has_more() -> None:
    third, large = (b"x" * (MAX_BYTES // 3),), (b"x" * (2 * MAX_BYTES),)
    assert sizes([third] * 4) == [2, 2]
    assert sizes([third, large, third]) == [1, 1, 1]


def test_texts_and_bytes_count() -> None:
    assert size_of(("abc", b"de", 7, True)) - size_of((7, True)) == 5
