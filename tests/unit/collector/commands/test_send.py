import gzip
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import cast

import httpx
import pytest
from typer.testing import CliRunner, Result

from collector.cli import app
from contract.log.action import Action, encode_action
from ingest_api.app import create_app
from ingest_api.publishing.memory import MemoryPublisher
from ingest_api.settings import IngestSettings
from support.fixtures.sending import Api, app_client, judged, patch_client, problem

NOW = 1_800_000_000_000
PLAIN = b'{"timestamp":1,"user":"a","event":"click"}'
WITH_ID = b'{"timestamp":1,"user":"a","event":"click","id":"1"}'


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Api:
    api = Api()
    patch_client(monkeypatch, api.client())
    return api


@pytest.fixture
def write(tmp_path: Path) -> Callable[[bytes], str]:
    def write(content: bytes) -> str:
        path = tmp_path / "actions"
        path.write_bytes(content)
        return str(path)

    return write


Write = Callable[[bytes], str]


def send(*arguments: str, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(app, ["send", *arguments], input=stdin, catch_exceptions=False)


def test_a_file_is_sent_and_the_summary_tells_what_became_of_it(api: Api, write: Write) -> None:
    result = send(write(b"\n".join([PLAIN] * 3)))

    assert result.exit_code == 0
    assert result.stdout.split() == ["sent", "3", "accepted", "3", "rejected", "0"]
    assert api.bodies == [[PLAIN] * 3]


def test_anything_rejected_is_told_by_its_line_and_ends_with_exit_code_1(api: Api, write: Write) -> None:
    api.script = [judged(2, {1: "timestamp_in_future"})]

    result = send(write(b"\n\n".join([PLAIN] * 3)))

    assert result.exit_code == 1
    assert result.stdout.splitlines()[2:] == [
        "rejected           1",
        "  timestamp_in_future: 1",
        "line 3: user: timestamp_in_future",
    ]


def test_a_file_of_which_all_is_rejected_is_told_like_any_other(api: Api, write: Write) -> None:
    api.script = [judged(0, {0: "user_empty"}, status=422)]

    result = send(write(PLAIN))

    assert result.exit_code == 1
    assert "line 1: user: user_empty" in result.stdout
    assert result.stderr == ""


def test_all_that_was_rejected_is_written_to_a_file_and_can_be_sent_again(api: Api, write: Write) -> None:
    api.script = [judged(1, {0: "user_empty", 2: "user_empty"})]
    file = write(b"\n".join([PLAIN, WITH_ID, PLAIN]))

    send(file, "--rejects", f"{file}.rejects")

    entries = [json.loads(line) for line in Path(f"{file}.rejects").read_text().splitlines()]
    assert [(entry["line"], entry["text"].encode()) for entry in entries] == [(1, PLAIN), (3, PLAIN)]


def test_a_file_of_rejects_with_content_is_wrong_usage_and_nothing_is_sent(api: Api, write: Write) -> None:
    file = write(PLAIN)

    result = send(file, "--rejects", file)

    assert result.exit_code == 2
    assert api.bodies == []
    assert Path(file).read_bytes() == PLAIN


def test_standard_input_is_sent_by_a_dash_gzipped_too(api: Api) -> None:
    result = send("-", stdin=gzip.compress(b"[" + PLAIN + b"]"))

    assert result.exit_code == 0
    assert api.bodies == [[PLAIN]]


def test_a_form_that_is_not_sent_is_one_line_of_error_and_nothing_is_sent(api: Api, write: Write) -> None:
    file = write(PLAIN.decode().encode("utf-16"))

    result = send(file)

    assert (result.exit_code, result.stdout, api.bodies) == (1, "", [])
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith(f"collector: {file} looks like UTF-16")
    assert result.stderr.endswith("Nothing was sent\n")


@pytest.mark.parametrize("content", [b"", b"\n \n", b"[]"])
def test_a_file_of_nothing_is_told(api: Api, write: Write, content: bytes) -> None:
    result = send(write(content))

    assert (result.exit_code, api.bodies) == (0, [])
    assert result.stderr == "collector: there was nothing to send\n"


def test_what_is_skipped_is_not_sent_and_the_others_keep_their_numbers(api: Api, write: Write) -> None:
    api.script = [judged(0, {0: "user_empty"})]

    result = send(write(b"\n".join([PLAIN, b"", WITH_ID])), "--skip", "1")

    assert api.lines == [WITH_ID]
    assert "line 3: user: user_empty" in result.stdout


def test_a_refusal_in_the_middle_is_told_with_where_to_go_on(api: Api, write: Write) -> None:
    api.script = [judged(1000), problem(413, "body_too_large", "too large")]

    result = send(write(b"\n".join([PLAIN] * 2500)))

    assert result.exit_code == 1
    assert result.stdout.split() == ["sent", "1,000", "accepted", "1,000", "rejected", "0", "not", "sent", "1,000"]
    assert result.stderr == ("collector: http://api/v1/actions answered 413: too large. Go on with --skip 1000\n")


def test_a_file_that_is_cut_off_is_sent_as_far_as_it_goes_and_told(api: Api, write: Write) -> None:
    result = send(write(b"[" + b",".join([PLAIN] * 3)))

    assert result.exit_code == 1
    assert api.lines == [PLAIN] * 2
    assert result.stderr.endswith("does not end after element 2. Go on with --skip 2\n")


@pytest.mark.parametrize(
    "answer",
    [
        judged(0, {0: "\x1b[2J\x9b2J"}),
        problem(400, "refused", "\x1b[2J\x9b2J"),
        problem(503, "unavailable", "\x1b[2J\x9b2J"),
        httpx.Response(500, text="\x1b[2J\x9b2J"),
        httpx.Response(200, text="\x1b[2J\x9b2J"),
        httpx.Response(307, headers={"location": "/\x9b2J".encode()}),
    ],
    ids=["rejected", "refused", "unavailable", "a failure", "no JSON", "a redirect"],
)
def test_words_of_a_server_do_not_command_the_terminal(api: Api, answer: httpx.Response) -> None:
    api.script = [answer]

    result = send("-", stdin=PLAIN)

    assert result.exit_code == 1
    assert "\\u009b2J" in result.output
    assert result.output.replace("\n", "").isprintable()


@pytest.mark.parametrize("body", [b'{"accepted":1,"rejected":[],"x":' + b"[" * 100_000, b'{"detail":"\xff"}', b"null"])
@pytest.mark.parametrize("status", [200, 400, 422, 503])
def test_an_answer_that_is_no_api_s_is_told_without_a_traceback(api: Api, body: bytes, status: int) -> None:
    api.script = [httpx.Response(status, content=body)]

    result = send("-", stdin=PLAIN)

    assert result.exit_code == 1
    assert f" answered {status}" in result.stderr


def test_an_unknown_outcome_is_told_and_ends_with_exit_code_1(api: Api) -> None:
    api.script = [httpx.Response(503)]

    result = send("-", stdin=PLAIN)

    assert result.exit_code == 1
    assert "unknown            1" in result.stdout


def test_synthetic_traffic_is_as_much_as_asked_for(api: Api) -> None:
    result = send("--rate", "500", "--for", "1", "--users", "3")

    assert result.stdout.split()[:4] == ["sent", "500", "accepted", "500"]
    assert {json.loads(line)["user"] for line in api.lines} == {"user-0", "user-1", "user-2"}


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["file", "--rate", "1"],
        ["/nowhere/actions.ndjson"],
        ["/tmp"],
        ["-", "--url", "ftp:"],
        ["--rate", "1", "--skip", "1"],
        ["-", "--rejects", "/nowhere/rejects"],
    ],
)
def test_wrong_usage_is_told_without_a_traceback(arguments: list[str]) -> None:
    result = send(*arguments)

    assert result.exit_code == 2
    assert "Error" in result.stderr


# With the ingest API itself.


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[MemoryPublisher]:
    log = MemoryPublisher()
    with app_client(create_app(IngestSettings(ingest_oldest=0), log, clock=lambda: NOW)) as client:
        patch_client(monkeypatch, client)
        yield log


@pytest.mark.parametrize("is_array", [False, True])
@pytest.mark.parametrize("is_gzipped", [False, True])
def test_the_api_counts_each_good_line_once_and_each_other_one_is_written_with_its_number(
    log: MemoryPublisher, write: Write, *, is_array: bool, is_gzipped: bool
) -> None:
    good = [Action(NOW + number, f"user-{number}", "click") for number in range(2_500)]
    bad = {
        700: b'{"timestamp":-1,"user":"a","event":"click"}',
        1_500: b"nope",
        1_900: b'{"user":"' + b"x" * 9_000_000 + b'"}',
        2_400: b'{"timestamp":1}',
    }
    lines = [*map(encode_action, good)]
    for number, line in bad.items():
        lines.insert(number - 1, line)
    content = b"[" + b",".join(lines) + b"]" if is_array else b"\n".join(lines)
    content = b"\xef\xbb\xbf" + content
    file = write(gzip.compress(content, 1) if is_gzipped else content)

    result = send(file, "--rejects", f"{file}.rejects")

    entries = [json.loads(line) for line in Path(f"{file}.rejects").read_text().splitlines()]
    assert result.exit_code == 1
    assert log.published == good
    assert [(entry["element" if is_array else "line"], entry["code"]) for entry in entries] == [
        (700, "timestamp_negative"),
        (1_500, "not_json"),
        (1_900, "line_too_long"),
        (2_400, "user_missing"),
    ]
    assert [entry.get("text", "").encode() for entry in entries] == [bad[700], bad[1_500], b"", bad[2_400]]


def test_the_api_s_answer_to_a_batch_of_rejected_lines_is_understood(log: MemoryPublisher, write: Write) -> None:
    result = send(write(b"nope\n{}"))

    assert (result.exit_code, log.published) == (1, [])
    assert result.stdout.splitlines()[-2:] == [
        "line 1: line nope: a line is one JSON object in UTF-8",
        "line 2: timestamp is required",
    ]


@pytest.mark.parametrize("first", [b"[1]", b"[", b"nope", b"\x1f\x8b\x08", b"\xff\xfe", b"\xef\xbb\xbf", b'{"a":'])
def test_whatever_the_first_line_of_a_request_looks_like_the_others_are_counted(
    log: MemoryPublisher, write: Write, first: bytes
) -> None:
    file = write(PLAIN + b"\n" + first + b"\n" + PLAIN)

    result = send(file, "--skip", "1")

    assert (result.exit_code, len(log.published)) == (1, 1)
    assert "line 2: line" in result.stdout


def test_a_line_as_long_as_may_be_is_sent_and_judged_by_the_api(log: MemoryPublisher, write: Write) -> None:
    longest = b'{"timestamp":1,"user":"a","event":"click"%s}' % (b" " * (16_384 - len(PLAIN)))

    result = send(write(longest + b"\n" + PLAIN))

    assert (result.exit_code, len(log.published)) == (0, 2)


# With real signals.


class HoldingApi:
    """Accepts everything; the answer to the second request waits until it is let go."""

    def __init__(self) -> None:
        self.requests = 0
        self.second_came = threading.Event()
        self.let_go = threading.Event()
        self.port = 0

    def answer(self, lines: int) -> bytes:
        self.requests += 1
        if self.requests == 2:
            self.second_came.set()
            self.let_go.wait()
        return json.dumps({"accepted": lines, "rejected": []}).encode()


class _Server(ThreadingHTTPServer):
    api: HoldingApi


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        answer = cast("_Server", self.server).api.answer(body.count(b"\n"))
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def holding_api() -> Iterator[HoldingApi]:
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.api = HoldingApi()
        server.api.port = server.server_address[1]
        server.handle_error = lambda *_: None  # type: ignore[method-assign] # a client that is gone is no error here
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.api
        server.api.let_go.set()
        server.shutdown()
        thread.join()


@contextmanager
def sending(api: HoldingApi, file: str) -> Iterator["subprocess.Popen[str]"]:
    """`collector send` while its second request waits for an answer."""
    program = "from collector.cli import main; main()"
    arguments = [sys.executable, "-c", program, "send", file, "--url", f"http://127.0.0.1:{api.port}"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert api.second_came.wait(60)
        yield process


def until(process: "subprocess.Popen[str]", text: str) -> None:
    assert process.stderr is not None
    while text not in process.stderr.readline():
        assert process.poll() is None


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_waits_for_the_answer_and_tells_where_to_go_on(
    holding_api: HoldingApi, write: Write, number: signal.Signals, code: int
) -> None:
    with sending(holding_api, write(b"\n".join([PLAIN] * 5_000))) as process:
        process.send_signal(number)
        until(process, "Waiting for the answer")
        holding_api.let_go.set()
        out, err = process.communicate()

    assert process.returncode == code
    assert out.split() == ["sent", "2,000", "accepted", "2,000", "rejected", "0"]
    assert err == "collector: interrupted. Go on with --skip 2000\n"
    assert holding_api.requests == 2


@pytest.mark.parametrize(("line", "skip"), [(WITH_ID, 1_000), (PLAIN, 2_000)])
def test_a_second_signal_breaks_off_and_only_lines_with_an_id_are_to_be_sent_again(
    holding_api: HoldingApi, write: Write, line: bytes, skip: int
) -> None:
    with sending(holding_api, write(b"\n".join([line] * 5_000))) as process:
        process.send_signal(signal.SIGINT)
        until(process, "Waiting for the answer")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()

    assert process.returncode == 130
    assert "unknown        1,000  sent without an answer" in out
    assert ("1001-2000" in out) is (line is PLAIN)
    assert err == f"collector: interrupted. Go on with --skip {skip}\n"


def test_a_reader_that_goes_away_leaves_no_traceback(holding_api: HoldingApi, write: Write) -> None:
    holding_api.let_go.set()
    reading, writing = os.pipe()
    os.close(reading)
    program = "from collector.cli import main; main()"
    arguments = [sys.executable, "-c", program, "send", write(PLAIN), "--url", f"http://127.0.0.1:{holding_api.port}"]
    with os.fdopen(writing, "wb") as closed:
        process = subprocess.run(arguments, stdout=closed, stderr=subprocess.PIPE, text=True, check=False)

    assert (process.returncode, process.stderr) == (1, "")
