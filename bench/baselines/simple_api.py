"""The API as one would write it first: FastAPI, pydantic, one record an action, and each delivery awaited."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from threading import Thread
from typing import Literal

import uvicorn
from confluent_kafka import KafkaError, Message, Producer
from fastapi import FastAPI, Response
from pydantic import BaseModel, Field

TOPIC = os.environ.get("COLLECTOR_TOPIC", "actions")


class Action(BaseModel):
    """As it is sent."""

    timestamp: int = Field(ge=0)
    user: str = Field(min_length=1, max_length=256)
    event: Literal["click", "impression"]


class Log:
    """A producer whose deliveries can be awaited."""

    def __init__(self) -> None:
        self._producer = Producer(
            {
                "bootstrap.servers": os.environ["COLLECTOR_KAFKA_BOOTSTRAP"],
                "acks": "all",
                "enable.idempotence": True,
                "linger.ms": 3,
                "compression.type": "zstd",
            }
        )
        self._loop = asyncio.get_running_loop()
        Thread(target=self._poll, daemon=True).start()

    def publish(self, action: Action) -> asyncio.Future[None]:
        """Done once Kafka has acknowledged the action."""
        delivered: asyncio.Future[None] = self._loop.create_future()

        def on_delivery(error: KafkaError | None, _: Message) -> None:
            if error is None:
                self._loop.call_soon_threadsafe(delivered.set_result, None)
            else:
                self._loop.call_soon_threadsafe(delivered.set_exception, RuntimeError(error.str()))

        self._producer.produce(TOPIC, action.model_dump_json(), key=action.user, on_delivery=on_delivery)
        return delivered

    def _poll(self) -> None:
        while True:
            self._producer.poll(0.1)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Opens the producer."""
    app.state.log = Log()
    yield


app = FastAPI(lifespan=lifespan)


@app.post("/analytics", status_code=204)
async def analytics(timestamp: int, user: str, event: Literal["click", "impression"]) -> Response:
    """One action."""
    await app.state.log.publish(Action(timestamp=timestamp, user=user, event=event))
    return Response(status_code=204)


@app.post("/v1/actions")
async def actions(batch: list[Action]) -> dict[str, int]:
    """Many, as a JSON array."""
    await asyncio.gather(*map(app.state.log.publish, batch))
    return {"accepted": len(batch)}


@app.get("/readyz")
async def readyz() -> dict[str, bool]:
    """It has started."""
    return {"ready": True}


if __name__ == "__main__":
    uvicorn.run(
        app, host="127.0.0.1", port=int(os.environ["COLLECTOR_PORT"]), loop="uvloop", http="httptools", access_log=False
    )
