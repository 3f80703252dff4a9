import random
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import msgspec
import pytest

from collector.sending.delivery import Delivery, Waiting
from collector.sending.errors import DeliveryGivenUp, DeliveryRefused, RejectsUnwritable
from collector.sending.reading.line import Line, too_long
from collector.sending.rejects import Rejects, RejectsFile
from collector.sending.summary import Summary
from support.fixtures.sending import Api, StrictApi, judged, problem

PLAIN = b'{"timestamp":1,"user":"a","event":"click"}'
WITH_ID = b'{"timestamp":1,"user":"a","event":"click","id":"1"}'


def lines(*texts: bytes, first: int = 1) -> list[Line]:
    return [Line(number, text) for number, text in enumerate(texts, first)]


@dataclass
class Sender:
    """A delivery, with what it reports."""

    api: Api | StrictApi
    compress: bool = False
    patience: float = 1.0
    interrupted_in_pause: bool = False
    file: RejectsFile | None = None
    told: list[str] = field(default_factory=list)
    summary: Summary = field(default_factory=Summary)

    def __post_init__(self) -> None:
        self.rejects = Rejects(self.file)

    def send(self, *batches: list[Line]) -> Summary:
        with self.api.client() as client:
            waiting = Waiting(self.patience, self._pause, self.told.append)
            delivery = Delivery(client, self.summary, self.rejects, waiting, compress=self.compress)
            for batch in batches:
                delivery.send(batch)
        return self.summary

    def _pause(self, _: float) -> None:
        if self.interrupted_in_pause:
            raise KeyboardInterrupt

    @property
    def shown(self) -> list[str]:
        return self.rejects.lines(self.summary.rejected.total())


def test_what_is_accepted_and_rejected_is_counted_by_reason() -> None:
    api = Api(judged(1, {0: "user_empty", 2: "user_empty", 3: "not_json"}))

    summary = Sender(api).send(lines(*[PLAIN] * 4))

    assert (summary.sent, summary.accepted) == (4, 1)
    assert summary.rejected == {"user_empty": 2, "not_json": 1}
    assert not summary.is_clean


def test_a_compressed_request_says_so_and_holds_the_same_lines() -> None:
    api = Api()

    Sender(api, compress=True).send(lines(PLAIN, WITH_ID))

    assert api.headers[0]["content-encoding"] == "gzip"
    assert api.bodies == [[PLAIN, WITH_ID]]


@pytest.mark.parametrize(
    "failure",
    [
        httpx.ConnectError("refused"),
        httpx.ConnectTimeout("slow"),
        httpx.Response(429),
        problem(503, "not_sent", "Kafka is away"),
    ],
    ids=repr,
)
def test_what_cannot_have_arrived_is_sent_again_as_a_whole(failure: httpx.Response | Exception) -> None:
    api = Api(failure)

    summary = Sender(api).send(lines(PLAIN, WITH_ID))

    assert api.bodies == [[PLAIN, WITH_ID]] * 2
    assert (summary.sent, summary.accepted, summary.unknown) == (2, 2, 0)


@pytest.mark.parametrize(
    "failure",
    [
        httpx.ReadError("cut"),
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("cut"),
        problem(503, "outcome_unknown", "Kafka is slow"),
        httpx.Response(500, text="no JSON"),
    ],
    ids=repr,
)
def test_after_an_unknown_outcome_only_lines_with_an_id_are_sent_again(failure: httpx.Response | Exception) -> None:
    api = Api(failure)

    summary = Sender(api).send(lines(PLAIN, WITH_ID, PLAIN, PLAIN, first=7))

    assert api.bodies[1:] == [[WITH_ID]]
    assert (summary.sent, summary.accepted, summary.unknown) == (4, 1, 3)
    assert str(summary.doubtful) == "7, 9-10"
    assert not summary.is_clean


def test_a_line_that_is_no_action_is_safe_to_send_again() -> None:
    api = Api(httpx.ReadError("cut"), judged(0, {0: "not_json"}))

    assert Sender(api).send(lines(b"no json")).rejected == {"not_json": 1}


def test_the_first_of_several_pauses_is_told_with_its_reason_and_the_others_are_not() -> None:
    sender = Sender(Api(*[httpx.ConnectError("refused")] * 3), patience=60)

    sender.send(lines(PLAIN))

    assert sender.told == ["no connection to http://api: refused. Waiting for up to 60 s"]


def test_a_request_that_is_refused_as_a_whole_is_not_repeated_and_the_reason_is_told() -> None:
    sender = Sender(Api(judged(1), problem(413, "body_too_large", "the body has more bytes")))

    with pytest.raises(DeliveryRefused, match="answered 413: the body has more bytes"):
        sender.send(lines(PLAIN), lines(WITH_ID, first=2))

    assert len(sender.api.bodies) == 2
    assert (sender.summary.accepted, sender.summary.unsent, sender.summary.settled) == (1, 1, 1)


def test_a_422_that_lists_rejections_is_an_answer() -> None:
    sender = Sender(Api(judged(0, {0: "user_empty", 1: "not_json"}, status=422)))

    summary = sender.send(lines(PLAIN, PLAIN))

    assert (summary.sent, summary.accepted, summary.settled) == (2, 0, 2)
    assert summary.rejected == {"user_empty": 1, "not_json": 1}


def test_another_422_is_a_refusal() -> None:
    with pytest.raises(DeliveryRefused, match="answered 422: no good"):
        Sender(Api(problem(422, "other", "no good"))).send(lines(PLAIN))


@pytest.mark.parametrize("body", ["<html>Welcome</html>", "", "[]", '{"accepted":1}'])
def test_a_success_that_is_no_answer_of_the_api_s_is_told_as_a_wrong_address(body: str) -> None:
    with pytest.raises(DeliveryRefused, match=r"http://api/v1/actions answered 200.*is the address right"):
        Sender(Api(httpx.Response(200, text=body))).send(lines(PLAIN))


def test_a_redirect_is_told_with_where_it_leads() -> None:
    with pytest.raises(DeliveryRefused, match="it leads to https://api/v1/actions"):
        Sender(Api(httpx.Response(308, headers={"Location": "https://api/v1/actions"}))).send(lines(PLAIN))


def test_an_answer_s_index_is_told_as_the_line_s_number_in_the_file() -> None:
    sender = Sender(Api(judged(1, {1: "user_empty"})))

    sender.send([Line(7, PLAIN), Line(9, PLAIN)])

    assert sender.shown == ["line 9: user: user_empty"]


def test_an_index_is_told_as_the_line_s_number_also_once_only_some_lines_were_sent_again() -> None:
    sender = Sender(Api(httpx.ReadError("cut"), judged(1, {1: "user_empty"})))

    sender.send(lines(PLAIN, WITH_ID, PLAIN, WITH_ID))

    assert sender.shown == ["line 4: user: user_empty"]


def test_a_list_of_rejections_that_was_cut_counts_the_others_too() -> None:
    sender = Sender(Api(judged(2, {0: "user_empty"})))

    summary = sender.send(lines(*[PLAIN] * 10))

    assert summary.rejected == {"user_empty": 1, "not listed": 7}


def test_a_rejection_of_a_line_that_was_not_sent_is_not_believed_to_be_of_another() -> None:
    sender = Sender(Api(judged(0, {-1: "user_empty", 1: "user_empty"})))

    summary = sender.send(lines(PLAIN))

    assert summary.rejected == {"not listed": 1}


def test_a_line_too_long_is_not_sent_and_the_others_of_its_batch_are() -> None:
    sender = Sender(Api(judged(1, {1: "user_empty"})))

    summary = sender.send([Line(1, PLAIN), too_long(2, b"xxx", 9_000_000), Line(3, b"{}")])

    assert sender.api.lines == [PLAIN, b"{}"]
    assert (summary.sent, summary.accepted) == (3, 1)
    assert summary.rejected == {"line_too_long": 1, "user_empty": 1}
    assert sender.shown == [
        "line 2: line xxx: a line has at most 16,384 bytes, this one has 9,000,000",
        "line 3: user: user_empty",
    ]


def test_nothing_is_sent_for_a_batch_of_lines_too_long() -> None:
    sender = Sender(Api())

    assert sender.send([too_long(1, b"xxx", 9_000_000)]).settled == 1
    assert sender.api.bodies == []


def test_an_api_that_stays_away_is_given_up_and_what_never_arrived_counts_as_not_sent() -> None:
    sender = Sender(Api(judged(1), *[httpx.ConnectError("refused")] * 100))

    with pytest.raises(DeliveryGivenUp, match="no connection"):
        sender.send(lines(PLAIN), lines(PLAIN, WITH_ID, first=2))

    assert (sender.summary.sent, sender.summary.unknown, sender.summary.unsent) == (1, 0, 2)
    assert sender.summary.go_on("line") == "Go on with --skip 1"


def test_an_api_that_never_answers_is_given_up_and_lines_with_an_id_may_be_sent_again() -> None:
    sender = Sender(Api(judged(1), *[httpx.ReadError("cut")] * 100))

    with pytest.raises(DeliveryGivenUp):
        sender.send(lines(PLAIN), lines(WITH_ID, WITH_ID, first=2))

    assert (sender.summary.unknown, sender.summary.unsent) == (2, 0)
    assert sender.summary.go_on("line") == "Go on with --skip 1"


def test_of_a_file_without_ids_few_lines_come_to_be_in_doubt_before_an_api_that_never_answers_is_given_up() -> None:
    sender = Sender(Api(*[httpx.ReadError("cut")] * 100))

    with pytest.raises(DeliveryGivenUp):
        sender.send(*[lines(PLAIN, first=number) for number in range(1, 100)])

    # Pauses of 0.2, 0.4 and 0.8 s are a patience of 1 s.
    assert (sender.summary.unknown, sender.summary.unsent) == (4, 0)
    assert sender.summary.go_on("line") == "Go on with --skip 4"


def test_patience_begins_anew_with_each_answer() -> None:
    failures = [httpx.ConnectError("refused")] * 3
    sender = Sender(Api(*failures, judged(1), *failures, judged(1)))

    assert sender.send(lines(PLAIN), lines(PLAIN, first=2)).accepted == 2


def test_what_may_have_arrived_stays_unknown_once_there_is_no_connection_any_more() -> None:
    sender = Sender(Api(httpx.ReadError("cut"), *[httpx.ConnectError("refused")] * 100))

    with pytest.raises(DeliveryGivenUp):
        sender.send(lines(WITH_ID))

    assert (sender.summary.unknown, sender.summary.unsent) == (1, 0)


def test_lines_with_an_unknown_outcome_and_no_id_are_not_to_be_sent_again_when_interrupted() -> None:
    sender = Sender(Api(judged(1), httpx.ReadError("cut")), interrupted_in_pause=True)

    with pytest.raises(KeyboardInterrupt):
        sender.send(lines(PLAIN), lines(PLAIN, PLAIN, first=2))

    assert sender.summary.go_on("line") == "Go on with --skip 3"
    assert str(sender.summary.doubtful) == "2-3"


def test_where_lines_with_and_without_an_id_are_unknown_the_danger_of_going_on_is_told() -> None:
    sender = Sender(Api(judged(1), httpx.ReadError("cut")), interrupted_in_pause=True)

    with pytest.raises(KeyboardInterrupt):
        sender.send(lines(PLAIN), lines(PLAIN, WITH_ID, PLAIN, first=2))

    assert sender.summary.go_on("line") == (
        "Go on with --skip 2, but 1 of the lines after that may have arrived, and have no id: "
        "sent again, they might count twice"
    )


def test_lines_of_a_request_that_is_broken_off_are_unknown() -> None:
    sender = Sender(Api(judged(1)))
    sender.api.script.append(KeyboardInterrupt())  # as a second Ctrl-C does

    with pytest.raises(KeyboardInterrupt):
        sender.send(lines(PLAIN), lines(WITH_ID, first=2))

    assert (sender.summary.unknown, sender.summary.settled) == (1, 1)


def test_rejections_that_cannot_be_written_end_the_sending_after_the_batch_that_is_judged() -> None:
    with RejectsFile(Path("/dev/full")) as file:
        sender = Sender(Api(judged(0, {0: "user_empty"})), file=file)

        with pytest.raises(RejectsUnwritable, match="No space left on device"):
            sender.send(lines(PLAIN, first=5), lines(PLAIN, first=6))

    assert (sender.summary.settled, len(sender.api.bodies)) == (5, 1)
    assert sender.summary.rejected == {"user_empty": 1}


def test_rejections_are_in_the_file_once_their_batch_is_judged(tmp_path: Path) -> None:
    path = tmp_path / "rejects"
    api = Api(judged(0, {0: "user_empty"}), httpx.Response(400))
    with RejectsFile(path) as file, pytest.raises(DeliveryRefused):
        Sender(api, file=file).send(lines(PLAIN), lines(PLAIN))

    assert [msgspec.json.decode(line)["line"] for line in path.read_bytes().splitlines()] == [1]


def test_where_not_all_rejections_are_listed_all_are_counted_by_their_code() -> None:
    sender = Sender(StrictApi())

    summary = sender.send(lines(PLAIN, *[b"?"] * 20, PLAIN))

    assert (summary.accepted, summary.rejected) == (2, {"not_json": 20})
    assert len(sender.api.bodies) == 1


@pytest.mark.parametrize("bad", [0, 1, 3, 4, 20, 21])
def test_each_rejected_line_is_in_the_file_however_few_of_them_an_answer_lists(tmp_path: Path, bad: int) -> None:
    texts = [b"?" if number < bad else PLAIN for number in range(21)]
    random.Random(bad).shuffle(texts)
    api, path = StrictApi(), tmp_path / "rejects"
    with RejectsFile(path) as file:
        summary = Sender(api, file=file).send(lines(*texts))

    kept = [msgspec.json.decode(line)["line"] for line in path.read_bytes().splitlines()]
    assert kept == [number for number, text in enumerate(texts, 1) if text == b"?"]
    assert api.taken == [PLAIN] * (21 - bad)
    assert (summary.sent, summary.accepted, summary.rejected.total()) == (21, 21 - bad, bad)


def test_of_a_batch_that_is_sent_in_pieces_only_the_last_one_sent_is_in_doubt(tmp_path: Path) -> None:
    api = StrictApi(None, None, httpx.ReadError("cut"), KeyboardInterrupt())
    with RejectsFile(tmp_path / "rejects") as file:
        sender = Sender(api, file=file)
        with pytest.raises(KeyboardInterrupt):
            sender.send(lines(PLAIN, b"?", b"?", b"?", b"?", PLAIN, PLAIN, PLAIN, PLAIN))

    summary = sender.summary
    assert api.taken == [PLAIN]
    assert (summary.accepted, summary.rejected, summary.unknown, summary.unsent) == (1, {"not_json": 2}, 3, 3)
    assert str(summary.doubtful) == "6"
    assert summary.go_on("line").startswith("Go on with --skip 3, but 1 of the lines after that may have arrived")
