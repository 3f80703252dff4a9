"""Sends calls with one of the Python SDKs, which are twins: `server.py PACKAGE ADDRESS CALLS`."""

import json
import sys
from datetime import datetime
from importlib import import_module

package, address, calls = sys.argv[1:]
client = import_module(f"{package}.analytics.client").Client("write key", host=address)
for call in json.loads(calls):
    who = {"user_id": call.get("userId"), "anonymous_id": call.get("anonymousId")}
    when = datetime.fromisoformat(call["timestamp"]) if "timestamp" in call else None
    named = {"track": {"event": call["name"]}, "page": {"name": call["name"]}, "identify": {}}[call["type"]]
    getattr(client, call["type"])(**who, **named, timestamp=when)
client.flush()
client.join()
