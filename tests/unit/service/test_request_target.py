import pytest

from service.request_target import explain_target


@pytest.mark.parametrize(
    ("data", "field", "value"),
    [
        ("GET /a?user=Zoë&event=click HTTP/1.1\r\n", "user", "Zoë"),
        ("GET /a?us%65r=Zoë HTTP/1.1\r\n", "user", "Zoë"),
        ("GET /a?usër=1 HTTP/1.1\r\n", "usër", "1"),
        ("GET /a?usër HTTP/1.1\r\n", "usër", '""'),
        ("GET /ä?user=Zoë HTTP/1.1\r\n", "path", "/ä"),
        ("GET /ä HTTP/1.1\r\n", "path", "/ä"),
        ("POST /a?user=ü", "user", "ü"),
        ("GET /first HTTP/1.1\r\n\r\nGET /a?x=1&user=ü HTTP/1.1\r\n", "user", "ü"),
    ],
)
def test_the_parameter_is_named_and_its_value_shown_as_it_was_sent(data: str, field: str, value: str) -> None:
    problem = explain_target(data.encode())
    assert (problem.status, problem.code, problem.field, problem.value) == (400, "target_not_encoded", field, value)
    assert problem.detail == f"{field} {value}: {problem.rule}"


def test_where_the_target_came_in_pieces_the_rule_is_told_without_the_parameter() -> None:
    problem = explain_target("er=ü&x=1 HTTP/1.1\r\n".encode())
    assert (problem.code, problem.field, problem.value) == ("target_not_encoded", None, None)
    assert "percent-encoded" in problem.detail
