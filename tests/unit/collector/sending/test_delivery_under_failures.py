"""However often sending fails and goes on from where it stopped, nothing is lost, or counted twice, unsaid."""

from collections import Counter

import httpx
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.sending.delivery import Delivery, Waiting
from collector.sending.errors import DeliveryGivenUp, DeliveryRefused
from collector.sending.reading.line import Line
from collector.sending.rejects import Rejects
from collector.sending.summary import Summary
from support.fixtures.sending import judged, problem

BATCH = 10
FATES = ["taken", "taken, then cut", "cut", "no connection", "not sent", "taken, then 500", "refused", "interrupted"]


class Log:
    """An API that takes lines, and fails as it is told; at last it works."""

    def __init__(self, fates: list[str]) -> None:
        self.fates = fates
        self.taken: Counter[bytes] = Counter()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        lines = request.read().splitlines()
        fate = self.fates.pop(0) if self.fates else "taken"
        if fate.startswith("taken") or fate == "interrupted":
            self.taken.update(lines)
        match fate:
            case "taken, then cut" | "cut":
                raise httpx.ReadError("cut")
            case "no connection":
                raise httpx.ConnectError("refused")
            case "interrupted":
                raise KeyboardInterrupt
            case "not sent":
                return problem(503, "not_sent", "Kafka is away")
            case "taken, then 500":
                return httpx.Response(500)
            case "refused":
                return problem(413, "body_too_large", "too large")
        return judged(len(lines))


def text_of(number: int, *, has_id: bool) -> bytes:
    own = f',"id":"{number}"' if has_id else ""
    return f'{{"timestamp":{number},"user":"a","event":"click"{own}}}'.encode()


def send_on(log: Log, lines: list[Line], settled: int) -> Summary:
    """Sends what comes after the settled lines, until it is done or stops."""
    summary = Summary(settled=settled)
    with httpx.Client(transport=httpx.MockTransport(log), base_url="http://api") as client:
        delivery = Delivery(client, summary, Rejects(), Waiting(0.5, lambda _: None), compress=False)
        try:
            for start in range(settled, len(lines), BATCH):
                delivery.send(lines[start : start + BATCH])
        except (DeliveryGivenUp, DeliveryRefused, KeyboardInterrupt):
            pass
    return summary


@settings(deadline=None)
@given(
    ids=st.lists(st.sampled_from([True, False]), min_size=1, max_size=4),
    fates=st.lists(st.sampled_from(FATES), max_size=12),
)
def test_lines_with_an_id_all_arrive_and_others_arrive_twice_or_never_only_if_that_was_told(
    ids: list[bool], fates: list[str]
) -> None:
    count = 35
    lines = [Line(number, text_of(number, has_id=ids[number % len(ids)])) for number in range(1, count + 1)]
    log, settled, unknown, might_be_twice = Log(fates), 0, 0, 0

    while settled < count:
        summary = send_on(log, lines, settled)
        assert summary.settled >= settled
        assert summary.sent == summary.accepted + summary.unknown
        settled, unknown = summary.settled, unknown + summary.unknown
        might_be_twice += summary.doubtful_after

    never = {line.text for line in lines} - log.taken.keys()
    twice = {text for text, times in log.taken.items() if times > 1}
    assert not any(b'"id"' in text for text in never)
    assert len(never) <= unknown
    assert sum(b'"id"' not in text for text in twice) <= might_be_twice
