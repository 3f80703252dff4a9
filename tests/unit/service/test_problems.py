"""Every error becomes a problem, whoever raised it."""

import json
from http import HTTPStatus

import httpx
from fastapi import FastAPI
from starlette.exceptions import HTTPException

from service.problems import Explained, ProblemHandlers, problem


class OwnError(Exception):
    """An error that the service explains."""


def explain(error: Exception, path: str) -> Explained | None:
    if isinstance(error, OwnError):
        return Explained(problem(HTTPStatus.CONFLICT, "own", f"on {path}"), {"Retry-After": "1"})
    return None


def test_a_services_own_error_is_answered_as_it_explains_it_and_counted() -> None:
    counted: list[str] = []
    answer = ProblemHandlers(explain, OwnError, count=counted.append).answer(OwnError(), "/path")
    assert (answer.status_code, answer.media_type) == (409, "application/problem+json")
    assert answer.headers["retry-after"] == "1"
    assert json.loads(answer.body) == {
        "type": "about:blank",
        "title": "Conflict",
        "status": 409,
        "detail": "on /path",
        "code": "own",
    }
    assert counted == ["own"]


def test_where_clients_look_for_a_message_the_detail_stands_there_too() -> None:
    handlers = ProblemHandlers(explain, OwnError, paths_with_message={"/path"})
    for error in (OwnError(), HTTPException(405), ValueError("secret")):
        told = json.loads(handlers.answer(error, "/path").body)
        assert told["message"] == told["detail"]
        assert "message" not in json.loads(handlers.answer(error, "/other").body)


def test_what_the_framework_refuses_has_its_status_name_for_a_code_and_keeps_its_headers() -> None:
    answer = ProblemHandlers(explain).answer(HTTPException(405, headers={"Allow": "GET"}))
    assert (answer.status_code, json.loads(answer.body)["code"]) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "GET"


def test_an_error_that_nobody_thought_of_is_500_and_shows_nothing_of_itself() -> None:
    answer = ProblemHandlers(explain).answer(ValueError("secret"))
    assert (answer.status_code, json.loads(answer.body)["code"]) == (500, "internal_error")
    assert b"secret" not in answer.body


def test_a_method_that_is_not_allowed_is_told_where_the_others_stand() -> None:
    answer = ProblemHandlers(explain).answer(HTTPException(405, headers={"Allow": "GET"}), "/path")
    assert json.loads(answer.body)["detail"] == "/path does not answer this method; Allow names those that it answers"


def test_a_path_with_a_slash_at_its_end_is_not_found_and_told_why() -> None:
    def detail(path: str) -> str:
        told: str = json.loads(ProblemHandlers(explain).answer(HTTPException(404), path).body)["detail"]
        return told

    assert detail("/v1/ledger/") == "there is nothing at /v1/ledger/: no path ends in a slash"
    assert detail("/nowhere") == "there is nothing at /nowhere"
    assert detail("/a\nb") == "there is nothing at /a\\nb"


async def test_what_the_framework_finds_in_a_parameter_is_told_with_its_name_value_and_rule() -> None:
    app = FastAPI()
    ProblemHandlers(explain).install(app)

    @app.get("/framework")
    async def framework(number: int, other: int) -> int:
        return number + other

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        wrong = (await client.get("/framework", params={"number": "it's", "other": 1})).json()
        missing = (await client.get("/framework", params={"number": 1})).json()

    assert (wrong["status"], wrong["code"], wrong["field"], wrong["value"]) == (
        422,
        "request_invalid",
        "number",
        '"it\'s"',
    )
    assert wrong["detail"] == f'number "it\'s": {wrong["rule"]}'
    assert (missing["field"], missing["detail"]) == ("other", f"other: {missing['rule']}")
    assert "value" not in missing
