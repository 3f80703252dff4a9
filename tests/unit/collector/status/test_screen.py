from datetime import UTC, datetime

from collector.status.screen import as_text
from collector.status.seen import Outcome, Seen, Status

THROUGH = datetime(2026, 11, 27, 12, 0, 5, tzinfo=UTC)


def test_one_screen_says_all() -> None:
    status = Status(Outcome.WRONG, ["worker-1: dead"], 1234, None, THROUGH, 61.4, "ok", "unknown")
    processes = [Seen("worker-1", "dead", errors=["12:00 ERROR no"]), Seen("kafka", "running")]

    assert "\n".join(as_text(status, processes)) == (
        "worker-1  dead\n"
        "kafka     running\n"
        "\n"
        "numbers  complete up to 2026-11-27 12:00:05 UTC, 61 s ago\n"
        "lag      1,234 records\n"
        "kafka    ok\n"
        "store    unknown\n"
        "\n"
        "warnings and errors since their start\n"
        "  worker-1  12:00 ERROR no\n"
        "\n"
        "wrong: worker-1: dead"
    )


def test_what_is_not_known_is_not_called_well() -> None:
    status = Status(Outcome.UNKNOWN, [], None, None, None, None, "unknown", "unknown")

    *lines, last = as_text(status, [])

    assert "lag      unknown" in lines
    assert last.startswith("nothing is known to be wrong, but not all is known")
