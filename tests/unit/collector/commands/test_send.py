import gzip
import json
from collections.abc import Callable
from pathlib import Path
from random import Random

import httpx
import pytest
from typer.testing import CliRunner

from collector.cli import app
from collector.commands import send as send_module
from collector.sending.batches import Line, in_batches, lines_of
from collector.sending.delivery import Delivery, DeliveryGivenUp, DeliveryRefused
from collector.sending.summary import Summary
from collector.sending.synthetic import synthetic_action
from contract.hour import HOUR_MS, hour_of

PLAIN = Line(b'{"timestamp":1,"user":"a","event":"click"}', repeatable=False)
WITH_ID = Line(b'{"timestamp":1,"user":"a","event":"click","id":"1"}', repeatable=True)

Handler = Callable[[httpx.Request], httpx.Response]


class Api:
    """Stands in for the API: plays its script, then accepts everything."""

    def __init__(self, *script: httpx.Response | Exception) -> None:
        self.script = list(script)
        self.bodies: list[list[bytes]] = []
        self.headers: list[httpx.Headers] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        body = request.read()
        if request.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        self.bodies.append(body.splitlines())
        self.headers.append(request.headers)
        answer = self.script.pop(0) if self.script else accepted(len(self.bodies[-1]))
        if isinstance(answer, Exception):
            raise answer
        return answer


def accepted(count: int, *codes: str) -> httpx.Response:
    rejected = [{"index": 0, "code": code, "field": "user", "message": ""} for code in codes]
    return httpx.Response(200, json={"accepted": count, "rejected": rejected})


def deliver(api: Handler, *lines: Line, compress: bool = False, patience: float = 1.0) -> Summary:
    summary = Summary()
    with httpx.Client(transport=httpx.MockTransport(api), base_url="http://api") as client:
        delivery = Delivery(client, summary, compress=compress, patience=patience, pause=lambda _: None)
        try:
            delivery.send(lines)
        except (DeliveryGivenUp, DeliveryRefused) as error:
            error.add_note(repr(summary))
            raise
    return summary


def test_what_is_accepted_and_rejected_is_counted_by_reason() -> None:
    summary = deliver(Api(accepted(1, "user_empty", "user_empty", "not_json")), *[PLAIN] * 4)

    assert (summary.sent, summary.accepted) == (4, 1)
    assert summary.rejected == {"user_empty": 2, "not_json": 1}
    assert summary.is_complete


def test_a_compressed_request_says_so_and_holds_the_same_lines() -> None:
    api = Api()

    deliver(api, PLAIN, WITH_ID, compress=True)

    assert api.headers[0]["content-encoding"] == "gzip"
    assert api.bodies == [[PLAIN.text, WITH_ID.text]]


@pytest.mark.parametrize(
    "failure",
    [
        httpx.ConnectError("refused"),
        httpx.ConnectTimeout("slow"),
        httpx.Response(429),
        httpx.Response(503, json={"code": "not_sent"}),
    ],
    ids=repr,
)
def test_what_cannot_have_arrived_is_sent_again_as_a_whole(failure: httpx.Response | Exception) -> None:
    api = Api(failure)

    summary = deliver(api, PLAIN, WITH_ID)

    assert api.bodies == [[PLAIN.text, WITH_ID.text]] * 2
    assert (summary.sent, summary.accepted, summary.unknown) == (2, 2, 0)


@pytest.mark.parametrize(
    "failure",
    [
        httpx.ReadError("cut"),
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("cut"),
        httpx.Response(503, json={"code": "outcome_unknown"}),
        httpx.Response(500, text="no JSON"),
    ],
    ids=repr,
)
def test_after_an_unknown_outcome_only_lines_with_an_id_are_sent_again(failure: httpx.Response | Exception) -> None:
    api = Api(failure)

    summary = deliver(api, PLAIN, WITH_ID, PLAIN)

    assert api.bodies[1:] == [[WITH_ID.text]]
    assert (summary.sent, summary.accepted, summary.unknown) == (3, 1, 2)
    assert not summary.is_complete


def test_a_request_that_is_refused_as_a_whole_is_not_repeated() -> None:
    api = Api(httpx.Response(413, text="too large"))

    with pytest.raises(DeliveryRefused, match="HTTP 413: too large"):
        deliver(api, WITH_ID)

    assert len(api.bodies) == 1


def test_an_api_that_stays_away_is_given_up_and_what_never_arrived_counts_as_not_sent() -> None:
    with pytest.raises(DeliveryGivenUp, match="no connection") as given_up:
        deliver(Api(*[httpx.ConnectError("refused")] * 100), PLAIN)

    assert "unknown=0, unsent=1" in given_up.value.__notes__[0]


def test_an_api_that_never_answers_is_given_up_and_the_outcome_counts_as_unknown() -> None:
    with pytest.raises(DeliveryGivenUp) as given_up:
        deliver(Api(*[httpx.ReadError("cut")] * 100), WITH_ID)

    assert "unknown=1, unsent=0" in given_up.value.__notes__[0]


def test_lines_that_are_safe_to_repeat_are_those_with_an_id_and_those_that_are_no_action() -> None:
    lines = list(lines_of([PLAIN.text + b"\n", b"\n", WITH_ID.text + b"\r\n", b"no json"]))

    assert [(line.text, line.repeatable) for line in lines] == [
        (PLAIN.text, False),
        (WITH_ID.text, True),
        (b"no json", True),
    ]


def test_a_batch_has_at_most_1000_lines_and_512_kib_and_no_line_is_lost() -> None:
    many = [PLAIN] * 2500 + [Line(b"x" * 200_000, repeatable=True)] * 5

    batches = list(in_batches(many))

    assert [line for batch in batches for line in batch] == many
    assert all(len(batch) <= 1000 and sum(len(line.text) for line in batch) <= 512 * 1024 for batch in batches)
    assert [len(batch) for batch in batches[:2]] == [1000, 1000]


def test_traffic_is_of_now_but_for_five_percent_of_earlier_hours() -> None:
    random, now = Random(7), 1_795_522_224_853

    actions = [synthetic_action(now, 1000, random) for _ in range(20_000)]

    late = [action for action in actions if action.timestamp < hour_of(now)]
    assert 0.04 < len(late) / len(actions) < 0.06
    assert min(action.timestamp for action in late) >= now - 25 * HOUR_MS
    assert {action.event for action in actions} == {"click", "impression"}
    assert len({action.id for action in actions}) == len(actions)


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Api:
    api = Api()
    monkeypatch.setattr(
        send_module, "_client", lambda url: httpx.Client(transport=httpx.MockTransport(api), base_url=url)
    )
    return api


def test_a_file_is_sent_and_the_summary_tells_what_became_of_it(api: Api, tmp_path: Path) -> None:
    api.script = [accepted(2, "timestamp_in_future")]
    file = tmp_path / "actions.ndjson"
    file.write_bytes(b"\n".join([PLAIN.text] * 3))

    result = CliRunner().invoke(app, ["send", str(file)])

    assert result.exit_code == 0
    assert result.stdout.split() == ["sent", "3", "accepted", "2", "rejected", "1", "timestamp_in_future:", "1"]


def test_standard_input_is_sent_by_a_dash(api: Api) -> None:
    result = CliRunner().invoke(app, ["send", "-"], input=PLAIN.text)

    assert result.exit_code == 0
    assert api.bodies == [[PLAIN.text]]


def test_an_unknown_outcome_is_told_and_ends_with_exit_code_1(api: Api) -> None:
    api.script = [httpx.Response(503)]

    result = CliRunner().invoke(app, ["send", "-"], input=PLAIN.text)

    assert result.exit_code == 1
    assert "unknown            1" in result.stdout


def test_synthetic_traffic_is_as_much_as_asked_for(api: Api) -> None:
    result = CliRunner().invoke(app, ["send", "--rate", "500", "--for", "1", "--users", "3"])

    users = {json.loads(line)["user"] for body in api.bodies for line in body}
    assert result.stdout.split()[:4] == ["sent", "500", "accepted", "500"]
    assert users == {"user-0", "user-1", "user-2"}


@pytest.mark.parametrize(
    "arguments", [[], ["file", "--rate", "1"], ["/nowhere/actions.ndjson"], ["-", "--url", "ftp:"]]
)
def test_wrong_usage_is_told_without_a_traceback(arguments: list[str]) -> None:
    result = CliRunner().invoke(app, ["send", *arguments])

    assert result.exit_code == 2
    assert "Error" in result.stderr
