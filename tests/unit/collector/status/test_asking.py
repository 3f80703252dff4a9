from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from collector.status.asking import Asked, ask, last_errors, samples_in
from collector.status.seen import Sample
from deploy.local.services.ports import free_port


def test_a_process_that_nobody_reaches_gives_no_answer_and_says_why() -> None:
    (seen,) = ask([Asked("ingest-1", f"http://127.0.0.1:{free_port()}", lambda: "running")], {})
    assert (seen.name, seen.state) == ("ingest-1", "no answer")
    assert "refused" in str(seen.reason)


def test_a_process_that_is_dead_is_not_asked() -> None:
    (seen,) = ask([Asked("ingest-1", "http://127.0.0.1:1", lambda: "dead")], {})
    assert (seen.state, seen.reason) == ("dead", None)


class Page(BaseHTTPRequestHandler):
    """Answers `/metrics` and everything else."""

    metrics = b""
    other = b"{}"

    def do_GET(self) -> None:
        body = self.metrics if self.path == "/metrics" else self.other
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def page(metrics: bytes, other: bytes = b"{}") -> Iterator[str]:
    """A server that answers so, and its address."""
    answers = {"metrics": metrics, "other": other}
    with ThreadingHTTPServer(("127.0.0.1", 0), type("ThisPage", (Page,), answers)) as server:
        Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_who_answers_with_something_else_hides_nothing_of_the_others() -> None:
    with page(b"<html>\x1b[2J</html>") as one, page(b"collector_a 2.0\n") as other:
        asked = [Asked("proxy", one, lambda: "running"), Asked("ingest-1", other, lambda: "running")]
        seen, good = ask(asked, {})
    assert seen.state == "no answer"
    assert seen.reason is not None
    assert seen.reason.startswith("/metrics has no metrics: ")
    assert seen.reason.isprintable()
    assert good.values("collector_a") == [2.0]


def test_a_reason_for_not_being_ready_moves_no_cursor() -> None:
    with page(b"collector_a 2.0\n", b'{"reason":"a\\u001b[2Jb"}') as one:
        (seen,) = ask([Asked("ingest-1", one, lambda: "running")], {})
    assert seen.reason == r"a\u001b[2Jb"


def test_samples_are_those_of_ours() -> None:
    text = '# TYPE collector_a gauge\ncollector_a{x="1"} 2.0\n# TYPE process_b gauge\nprocess_b 3.0\n'
    assert samples_in(text) == [Sample("collector_a", {"x": "1"}, 2.0)]


def test_the_last_lines_about_trouble_are_shown_in_either_form_of_a_log(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    lines = ["1 INFO fine", "2 ERROR a b", '{"level":"WARNING","message":"3"}', "4 INFO", "5 WARNING c", "6 ERROR d"]
    log.write_text("\n".join(lines) + "\n")
    assert last_errors(log) == ['{"level":"WARNING","message":"3"}', "5 WARNING c", "6 ERROR d"]


def test_trouble_of_earlier_runs_is_over(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    before, after = "2026-11-27 10:00:00,500 ERROR a b", "2026-11-27 10:00:02,500 ERROR a c"
    before_in_json = '{"time":"2026-11-27T10:00:00.500Z","level":"ERROR"}'
    after_in_json = '{"time":"2026-11-27T10:00:02.500Z","level":"ERROR"}'
    of_no_time = "[] ERROR a"

    log.write_text(f"{before}\n{of_no_time}\n{after}\n")
    assert last_errors(log, datetime(2026, 11, 27, 10, 0, 1).astimezone().timestamp()) == [of_no_time, after]
    log.write_text(f"{before_in_json}\n{after_in_json}\n")
    assert last_errors(log, datetime(2026, 11, 27, 10, 0, 1, tzinfo=UTC).timestamp()) == [after_in_json]


def test_a_time_that_is_none_hides_no_line(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("2026-99-99 10:00:00 ERROR a\n")
    assert last_errors(log, 1.0) == ["2026-99-99 10:00:00 ERROR a"]


def test_a_log_that_is_not_there_tells_of_no_trouble(tmp_path: Path) -> None:
    assert last_errors(tmp_path / "none.log") == last_errors(None) == []
