"""The audit against real Kafka, real InfluxDB, a real worker and a real aggregator."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import msgspec

from contract.hour import HOUR_MS, format_hour, parse_hour
from contract.log.action import RULES_VERSION, Action
from contract.log.progress import LogPartition
from contract.store import ProgressPoint, WindowPoint
from deploy.local.services.ports import free_port
from support.pipeline.collector_program import Auditor
from support.pipeline.pipeline import PARTITIONS, Numbers, Pipeline
from support.pipeline.traffic import Traffic
from support.services.kafka_admin import create_again, delete_topic, log_of_topic, remove_records

ACTIONS = 3_000


async def counted(pipeline: Pipeline, traffic: Traffic | None = None) -> None:
    """Actions of many hours, counted by a worker that is still there."""
    pipeline.send((traffic or Traffic()).actions(ACTIONS), lines=20)
    pipeline.append(b'{"broken":1}\nnot json\n', 2)
    pipeline.append(None, 3)
    pipeline.acknowledged()
    if not pipeline.workers:
        pipeline.started()
    await pipeline.counted()


async def any_window(pipeline: Pipeline, hour: int, partition: int = 1) -> WindowPoint:
    """The committed window that covers most."""
    points = await pipeline.store.read_windows(hour, LogPartition(pipeline.log, partition))
    return max(points, key=lambda point: point.value.through_offset)


async def test_what_workers_counted_is_equal_to_the_log(pipeline: Pipeline, audit: Auditor) -> None:
    await counted(pipeline)

    code, verdict = audit()

    assert (code, verdict["outcome"], verdict["differences"], verdict["not_judged"]) == (0, "equal", [], [])
    assert verdict["answers"] == len(pipeline.expected())
    assert verdict["lines"] == ACTIONS + 3
    assert verdict["through_offsets"] == {
        str(partition): offset for partition, offset in (await pipeline.through()).items()
    }


async def test_a_wrong_number_in_one_stored_window_is_seen_and_named(pipeline: Pipeline, audit: Auditor) -> None:
    await counted(pipeline)
    right = await any_window(pipeline, pipeline.this_hour)
    for name, wrong in {"counts": {"click": 1}, "duplicates": 77, "unique_users": 1, "most_partitions": 5}.items():
        wrong_value = msgspec.structs.replace(right.value, **{name: wrong})
        await pipeline.store.write_windows([right._replace(value=wrong_value)], [])

        code, verdict = audit("--from", format_hour(pipeline.this_hour))

        assert (code, verdict["outcome"]) == (1, "different")
        (window,) = [one for one in verdict["differences"] if one["what"] == "window"]
        assert (window["hour"], window["partition"]) == (format_hour(pipeline.this_hour), 1)
        assert window["stored"][name] == wrong
        assert window["recounted"] == {key: getattr(right.value, key) for key in window["recounted"]}


async def test_people_see_the_wrong_window_and_the_wrong_answer_it_causes(pipeline: Pipeline, audit: Auditor) -> None:
    await counted(pipeline)
    right = await any_window(pipeline, pipeline.this_hour)
    duplicates = right.value.duplicates
    wrong_value = msgspec.structs.replace(right.value, duplicates=duplicates + 1)
    await pipeline.store.write_windows([right._replace(value=wrong_value)], [])

    everything, earlier = audit.run(), audit.run("--to", format_hour(pipeline.this_hour - HOUR_MS))

    in_all = pipeline.expected()[pipeline.this_hour].duplicates
    hour = format_hour(pipeline.this_hour)
    window, answer, summary = everything.stdout.splitlines()
    assert everything.returncode == 1
    assert window.startswith(f"differs: {hour} partition 1 window: stored unique_users=")
    assert (window.count(f"duplicates={duplicates + 1} "), window.count(f"duplicates={duplicates} ")) == (1, 1)
    assert answer.startswith(f"differs: {hour} all partitions answer: answered unique_users=")
    assert answer.count(f"duplicates={in_all + 1};") == 1
    assert answer.endswith(f"duplicates={in_all}")
    assert summary.startswith("different: ")
    assert (earlier.returncode, earlier.stdout[:7]) == (0, "equal: ")


async def test_a_window_of_an_hour_that_the_log_has_nothing_of_is_seen(pipeline: Pipeline, audit: Auditor) -> None:
    await counted(pipeline)
    right = await any_window(pipeline, pipeline.this_hour)
    empty = pipeline.this_hour - 100 * HOUR_MS
    await pipeline.store.write_windows([right._replace(hour=empty)], [])

    code, verdict = audit("--from", format_hour(empty), "--to", format_hour(empty))

    assert code == 1
    assert [(one["what"], one["hour"], one["partition"]) for one in verdict["differences"]] == [
        ("window", format_hour(empty), 1),
        ("answer", format_hour(empty), None),
    ]
    assert [one["recounted"] for one in verdict["differences"]] == [
        None,
        {"counts": {}, "duplicates": 0, "unique_users": 0},
    ]


async def test_progress_that_names_other_lines_than_the_log_has_is_seen(pipeline: Pipeline, audit: Auditor) -> None:
    await counted(pipeline)
    pipeline.workers[0].stop()
    await count_by_hand(pipeline, 2)

    code, verdict = audit()

    assert code == 1
    (difference,) = verdict["differences"]
    assert (difference["what"], difference["hour"], difference["partition"]) == ("progress", None, 2)
    assert difference["stored"]["rejected"] == {"unknown_field": 1, "not_json": 1}
    assert difference["recounted"]["rejected"] == {"unknown_field": 1, "not_json": 1, "timestamp_missing": 1}
    assert difference["recounted"]["lines"] == difference["stored"]["lines"] + 1


async def count_by_hand(pipeline: Pipeline, partition: int, **changed: object) -> None:
    """One more record, and a progress that covers it, otherwise as it was: no worker wrote it."""
    source = LogPartition(pipeline.log, partition)
    pipeline.append(b"{}", partition)
    pipeline.acknowledged()
    before = (await pipeline.store.read_progress(source))[source]
    after = msgspec.structs.replace(before, through_offset=before.through_offset + 1, mark=None, **changed)
    await pipeline.store.write_progress([ProgressPoint(source, 0, after)])


async def test_workers_may_go_on_meanwhile(pipeline: Pipeline, audit: Auditor) -> None:
    traffic = Traffic()
    await counted(pipeline, traffic)
    for _ in range(3):
        pipeline.send(traffic.actions(500), lines=5)
        code, verdict = audit()
        assert (code, verdict["differences"]) == (0, [])
    await pipeline.counted()
    assert audit()[1]["moving"] == []


async def beginning_removed(pipeline: Pipeline) -> tuple[int, int]:
    """An hour that the log holds in part, and one that it holds whole, as it begins long after what was removed."""
    partly, whole = pipeline.this_hour, pipeline.this_hour + 6 * HOUR_MS
    for hour in (partly, whole):
        if hour == whole:
            remove_records(pipeline.admin, pipeline.topic, {1: pipeline.ends[1] + 1, 3: 2})
        pipeline.send([Action(hour + number, f"user-{number}", "click") for number in range(200)], lines=10)
        if not pipeline.workers:
            pipeline.started()
        await pipeline.counted()
    return partly, whole


async def spoilt(pipeline: Pipeline, hour: int, partition: int) -> None:
    right = await any_window(pipeline, hour, partition)
    wrong = msgspec.structs.replace(right.value, duplicates=77)
    await pipeline.store.write_windows([right._replace(value=wrong)], [])


async def test_hours_that_the_log_still_holds_whole_are_judged_though_its_beginning_is_gone(
    pipeline: Pipeline, audit: Auditor
) -> None:
    partly, whole = await beginning_removed(pipeline)

    code, verdict = audit()

    assert (code, verdict["outcome"], verdict["differences"], verdict["answers"]) == (0, "equal", [], 1)
    assert verdict["windows"] == PARTITIONS + 2
    assert sorted(verdict["whole_from"]) == ["1", "3"]
    assert verdict["windows_only"] == [format_hour(partly)]
    assert all(format_hour(partly) < hour <= format_hour(whole) for hour in verdict["whole_from"].values())
    for partition in range(PARTITIONS):
        await spoilt(pipeline, whole, partition)
    code, verdict = audit()
    assert code == 1
    assert [(one["what"], one["hour"], one["partition"]) for one in verdict["differences"]] == [
        *(("window", format_hour(whole), partition) for partition in range(PARTITIONS)),
        ("answer", format_hour(whole), None),
    ]


async def test_an_hour_of_which_records_were_removed_is_an_error_only_where_it_is_asked_for(
    pipeline: Pipeline, audit: Auditor
) -> None:
    partly, whole = await beginning_removed(pipeline)

    assert audit("--from", format_hour(whole))[0] == 0
    code, verdict = audit("--from", format_hour(partly))

    assert (code, verdict["outcome"], verdict["answers"]) == (2, "not_judged", 0)
    assert [one["partition"] for one in verdict["not_judged"]] == [1, 3]
    assert f"its first offset is 2, so it no longer holds all of {format_hour(partly)}" in str(verdict["not_judged"])
    assert sorted(verdict["through_offsets"]) == ["0", "2"]


async def test_a_partition_of_which_all_was_removed_unread_has_no_hour_to_judge(
    pipeline: Pipeline, audit: Auditor
) -> None:
    await beginning_removed(pipeline)
    pipeline.workers[0].stop()
    pipeline.append(b"{}", 3)
    pipeline.acknowledged()
    remove_records(pipeline.admin, pipeline.topic, {3: pipeline.ends[3] + 1})

    ended = audit.run()

    assert ended.returncode == 0
    assert ", all hours of partition 3\n" in ended.stdout
    assert "\ncompared by windows of the other partitions only, " in ended.stdout


async def test_where_no_hour_is_whole_nothing_is_called_equal(pipeline: Pipeline, audit: Auditor) -> None:
    await counted(pipeline, Traffic())
    hours = pipeline.expected()
    remove_records(pipeline.admin, pipeline.topic, {p: end + 1 for p, end in pipeline.ends.items()})

    code, verdict = audit("--to", format_hour(pipeline.this_hour))

    assert hours
    assert (code, verdict["windows"]) == (2, 0)
    assert "holds no hour whole" in verdict["not_judged"][0]["reason"]


async def test_what_nobody_has_counted_yet_cannot_be_judged(pipeline: Pipeline, audit: Auditor) -> None:
    assert audit()[0] == 2
    pipeline.append(b"x", 2)
    pipeline.acknowledged()

    code, verdict = audit()

    assert (code, [one["partition"] for one in verdict["not_judged"]]) == (2, [2])


async def test_progress_of_another_version_of_the_rules_cannot_be_judged(pipeline: Pipeline, audit: Auditor) -> None:
    await counted(pipeline)
    pipeline.workers[0].stop()
    await count_by_hand(pipeline, 0, rules=RULES_VERSION + 1)

    code, verdict = audit()

    assert (code, [one["partition"] for one in verdict["not_judged"]]) == (2, [0])


async def test_a_recreated_topic_is_judged_and_its_old_log_is_reported(pipeline: Pipeline, audit: Auditor) -> None:
    await counted(pipeline)
    pipeline.workers[0].kill()
    old = pipeline.log
    delete_topic(pipeline.admin, pipeline.topic)
    create_again(pipeline.admin, pipeline.topic, PARTITIONS)
    pipeline.topic_recreated(log_of_topic(pipeline.admin, pipeline.topic))
    fresh = pipeline.this_hour - 500 * HOUR_MS
    pipeline.send([Action(pipeline.this_hour, "user-1", "click"), Action(fresh, "user-1", "click")])
    pipeline.replacement()
    await pipeline.counted()

    code, verdict = audit()

    assert (code, verdict["old_logs"], verdict["of_old_logs"]) == (0, [old], [format_hour(pipeline.this_hour)])
    assert (verdict["windows"], verdict["answers"]) == (2, 1)


async def test_an_aggregator_that_answers_wrongly_is_seen_where_all_that_is_stored_is_right(
    pipeline: Pipeline, environment: dict[str, str]
) -> None:
    await counted(pipeline)
    with aggregator_that(lambda _: Numbers({}, 0, 0)) as url:
        code, verdict = Auditor(environment, url)()

    assert code == 1
    assert [(one["what"], one["hour"]) for one in verdict["differences"]] == [
        ("answer", format_hour(hour)) for hour in sorted(pipeline.expected())
    ]


async def test_an_answer_that_may_have_begun_before_the_question_is_asked_for_again(
    pipeline: Pipeline, environment: dict[str, str]
) -> None:
    await counted(pipeline)
    expected, asked = pipeline.expected(), set()

    def answer(hour: int) -> Numbers:
        if hour in asked:
            return expected[hour]
        asked.add(hour)
        return Numbers({}, 0, 0)

    with aggregator_that(answer) as url:
        code, verdict = Auditor(environment, url)()

    assert (code, verdict["answers"], asked) == (0, len(expected), set(expected))


@contextmanager
def aggregator_that(answer: Callable[[int], Numbers]) -> Iterator[str]:
    """An aggregator that gives the hours such numbers."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = msgspec.json.encode(answer(parse_hour(self.path.rpartition("/")[2]))._asdict())
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


async def test_without_an_aggregator_the_answers_are_not_judged(
    pipeline: Pipeline, environment: dict[str, str]
) -> None:
    await counted(pipeline)

    code, verdict = Auditor(environment, f"http://127.0.0.1:{free_port()}")()

    assert (code, verdict["differences"]) == (2, [])
    assert "does not answer" in verdict["not_judged"][0]["reason"]


async def test_without_kafka_or_the_store_nothing_is_judged(pipeline: Pipeline, environment: dict[str, str]) -> None:
    await counted(pipeline)
    nobody = f"127.0.0.1:{free_port()}"

    without_store = Auditor({**environment, "COLLECTOR_INFLUX_URL": f"http://{nobody}"}, "http://none")()
    without_topic = Auditor({**environment, "COLLECTOR_TOPIC": "no-such-topic"}, "http://none")()

    assert [one[0] for one in (without_store, without_topic)] == [2, 2]
    assert "does not exist" in without_topic[1]["not_judged"][0]["reason"]
