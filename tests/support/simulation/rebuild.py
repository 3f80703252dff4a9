"""A rebuild of the product's own parts, and the damage that it is for."""

import random
from collections.abc import Callable, Sequence

import msgspec

from collector.hour_range import HourRange
from collector.rebuild.recount import RebuildRecount, store_recounted
from contract.errors import StoreUnavailable
from contract.hour import HOUR_MS
from contract.log.progress import LogPartition
from contract.log.rebuild import Rebuild
from contract.windows.hashes import pack_hashes
from support.simulation.hostile_store import HostileStore, Turn
from support.simulation.log import SimulatedLog


def damage(rng: random.Random, store: HostileStore, log: SimulatedLog, hours: Sequence[int]) -> None:
    """Some of what is stored of one hour is wrong from now on."""
    source, hour = rng.choice(log.sources()), rng.choice(hours)
    log.damage.happen(source.partition, hour)
    for (key, start, slot), value in list(store.windows.items()):
        if (key, start) == (source, hour) and rng.random() < 0.7:
            counts = {"click": 100, **value.counts}
            store.windows[key, start, slot] = msgspec.structs.replace(value, counts=counts, duplicates=50)
    for (key, start, segment_key), segment in list(store.segments.items()):
        if (key, start) == (source, hour) and rng.random() < 0.5:
            wrong = segment._replace(users=pack_hashes([99]), ids=pack_hashes([99]))
            store.segments[key, start, segment_key] = wrong
    store.changes += 1


async def rebuild(
    rng: random.Random, store: HostileStore, log: SimulatedLog, hours: Sequence[int], now: Callable[[], int]
) -> None:
    """Of one partition."""
    partition = rng.randrange(log.partitions)
    if log.stable_end(partition) == 0:
        return
    first, last = sorted(rng.choices(hours, k=2))
    asked, generation = HourRange(first, last + HOUR_MS), now()
    log.damage.begin_rebuild(generation, partition, [hour for hour in hours if first <= hour <= last])
    recount, source = RebuildRecount(asked, generation), LogPartition(log.name, partition)
    through = log.stable_end(partition) - 1
    for record in log.given(partition, 0, through + 1):
        recount.add(record)

    async def retry(attempt: Callable[[], object]) -> None:
        while True:
            try:
                await attempt()  # type: ignore[misc] # an awaitable
            except StoreUnavailable:
                await Turn()
            else:
                return

    stored = await store.read_windows_between(*asked, source)
    slot = rng.randrange(10**12)
    manifest_id = str(rng.getrandbits(64))
    recounted = recount.stored_as(source, through, {point.hour for point in stored}, slot, manifest_id)
    await store_recounted(store, recounted, retry)
    manifest = recounted.manifest.manifest
    log.authorize(partition, manifest.rebuild, manifest.id)
    await Turn()
    log.append_rebuild(partition, manifest.rebuild, manifest.id, now())


def forge(
    rng: random.Random, store: HostileStore, log: SimulatedLog, hours: Sequence[int], now: Callable[[], int]
) -> None:
    """What somebody appends who may write the log and read the store, but not write it."""
    source = rng.choice(log.sources())
    first, last = sorted(rng.choices(hours, k=2))
    made_up = Rebuild(now(), first, last + HOUR_MS, rng.randrange(log.end(source.partition) + 1))
    known = [(one, name) for (_, name), one in store.manifests.items() if log.is_authorized(name)]
    if not known or rng.random() < 0.2:
        log.append_rebuild(source.partition, made_up, str(rng.getrandbits(64)), now())
        return
    # A copy, on its own partition or another one, or with something changed.
    rebuild, name = rng.choice(known)
    if (changed := rng.choice(["generation", "first", "end", "through_offset", "", "", "", ""])) != "":
        rebuild = msgspec.structs.replace(rebuild, **{changed: getattr(made_up, changed)})
    log.append_rebuild(source.partition, rebuild, name, now())
