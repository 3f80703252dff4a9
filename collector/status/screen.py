"""The status as people read it."""

from collections.abc import Iterator, Sequence

from collector.status.seen import Outcome, Seen, Status


def as_text(status: Status, processes: Sequence[Seen]) -> Iterator[str]:
    """The lines: each process, what they come to, what is wrong, and the last warnings and errors."""
    width = max((len(one.name) for one in processes), default=0)
    for one in processes:
        yield f"{one.name:{width}}  {one.state}"
    yield ""
    yield f"numbers  {_numbers(status)}"
    yield f"lag      {_lag(status)}"
    yield f"kafka    {status.kafka}"
    yield f"store    {status.store}"
    if any(one.errors for one in processes):
        yield ""
        yield "warnings and errors since their start"
        for one in processes:
            yield from (f"  {one.name:{width}}  {line}" for line in one.errors)
    yield ""
    yield from _verdict(status)


def _numbers(status: Status) -> str:
    if status.complete_through is None or status.freshness_seconds is None:
        return "how complete they are is not known"
    return f"complete up to {status.complete_through:%Y-%m-%d %H:%M:%S} UTC, {round(status.freshness_seconds)} s ago"


def _lag(status: Status) -> str:
    amounts = ((status.lag_records, "records"), (status.lag_seconds, "s"))
    return ", ".join(f"{round(amount):,} {unit}" for amount, unit in amounts if amount is not None) or "unknown"


def _verdict(status: Status) -> Iterator[str]:
    if status.outcome is Outcome.FINE:
        yield "all is well"
    elif status.outcome is Outcome.UNKNOWN:
        yield "nothing is known to be wrong, but not all is known: no worker that counts, or no aggregator, was asked"
    yield from (f"wrong: {reason}" for reason in status.wrong)
