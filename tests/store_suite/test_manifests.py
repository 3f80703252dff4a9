"""What every store promises of the manifests of rebuilds."""

from contract.hour import END_OF_TIME_MS, HOUR_MS
from contract.log.progress import LogPartition
from contract.log.rebuild import Manifest, Rebuild
from contract.store import ManifestPoint, Store

SOURCE = LogPartition("OldrkDJ2R4WmwCUXOqKyRw", 3)
OTHERS = [LogPartition("OldrkDJ2R4WmwCUXOqKyRw", 30), LogPartition("-_Tz1x8yQ4u0sK0XfJ2c9A", 3)]
NOVEMBER = 494_902 * HOUR_MS


def manifest(number: int, generation: int = NOVEMBER) -> Manifest:
    return Manifest(f"{number:032x}", Rebuild(generation, HOUR_MS, END_OF_TIME_MS, 10**12 + number))


async def test_an_empty_store_has_none(store: Store) -> None:
    assert await store.read_manifests(SOURCE) == {}


async def test_a_manifest_comes_back_as_it_was_written(store: Store) -> None:
    written = [manifest(1), manifest(2), manifest(3, generation=1)]
    await store.write_manifests([ManifestPoint(SOURCE, one) for one in written])
    assert await store.read_manifests(SOURCE) == {one.id: one.rebuild for one in written}


async def test_those_of_other_partitions_and_logs_are_not_read(store: Store) -> None:
    await store.write_manifests([ManifestPoint(other, manifest(number)) for number, other in enumerate(OTHERS)])
    assert await store.read_manifests(SOURCE) == {}
    assert [list(await store.read_manifests(other)) for other in OTHERS] == [[manifest(0).id], [manifest(1).id]]


async def test_a_write_may_be_repeated(store: Store) -> None:
    for _ in range(3):
        await store.write_manifests([ManifestPoint(SOURCE, manifest(1))])
    assert await store.read_manifests(SOURCE) == {manifest(1).id: manifest(1).rebuild}


async def test_no_number_of_them_is_too_many(store: Store) -> None:
    written = [manifest(number, NOVEMBER + number) for number in range(12_000)]
    await store.write_manifests([ManifestPoint(SOURCE, one) for one in written])
    assert await store.read_manifests(SOURCE) == {one.id: one.rebuild for one in written}
