"""What is asked while a connection opens."""

from types import SimpleNamespace

from stores.cassandra import queries
from stores.cassandra.driver.connection import schema_version


class FakeSession:
    """Answers each question with one row, and keeps whether it might have been asked of several nodes."""

    def __init__(self, row: tuple[object, ...]) -> None:
        self._row = row
        self.asked: dict[str, bool] = {}

    def prepare(self, query: str) -> SimpleNamespace:
        return SimpleNamespace(query=query, is_idempotent=False)

    def execute(self, prepared: SimpleNamespace, _values: object) -> list[tuple[object, ...]]:
        self.asked[prepared.query] = prepared.is_idempotent
        return [self._row]


def test_a_node_that_does_not_answer_keeps_nobody_from_learning_the_schema_s_version() -> None:
    session = FakeSession((7,))
    assert schema_version(session) == 7
    assert session.asked == {queries.VERSIONS: True}
