"""A Faust app as its documents teach, that only reads: the most that any worker on Faust could do.

`python -m bench.baselines.faust_reader NUMBER` reads that many messages, prints its figures as JSON, and ends. The time
runs from the first message to the last.
"""

import asyncio
import json
import os
import sys
import time
from tempfile import mkdtemp

import faust


def main() -> None:
    """Reads from the beginning of the topic."""
    number, environment = int(sys.argv.pop()), os.environ
    app = faust.App(
        environment["COLLECTOR_CONSUMER_GROUP"],
        broker="kafka://" + environment["COLLECTOR_KAFKA_BOOTSTRAP"],
        datadir=mkdtemp(),
        autodiscover=False,
        topic_disable_leader=True,
        consumer_auto_offset_reset="earliest",
        web_enabled=False,
        value_serializer="raw",
    )
    topic = app.topic(environment["COLLECTOR_TOPIC"], value_type=bytes, value_serializer="raw")

    @app.agent(topic)  # type: ignore[untyped-decorator] # Faust is untyped here
    async def read(stream: faust.StreamT[bytes]) -> None:
        seen, began, cpu_before = 0, 0.0, 0.0
        async for _ in stream:
            if not seen:
                began, cpu_before = time.monotonic(), time.process_time()
            seen += 1
            if seen == number:
                seconds, cpu = time.monotonic() - began, time.process_time() - cpu_before
                figures = {"actions": seen, "actions/s": seen / seconds, "CPU us/action": cpu / seen * 1e6}
                print(json.dumps(figures), flush=True)  # noqa: T201 - its answer
                os._exit(0)

    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    faust.Worker(app, loop=loop, loglevel="ERROR", redirect_stdouts=False).execute_from_commandline()


if __name__ == "__main__":
    main()
