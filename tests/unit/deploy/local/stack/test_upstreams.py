from deploy.local.stack.members import Member, Role
from deploy.local.stack.upstreams import upstreams


def member(role: Role, port: int, *, stopping: bool = False) -> Member:
    return Member(f"{role}-{port}", role, port, 1, 0.0, stopping)


def test_each_service_has_the_addresses_of_its_processes() -> None:
    members = [member(Role.INGEST, 1), member(Role.WORKER, 2), member(Role.INGEST, 3), member(Role.AGGREGATOR, 4)]

    assert upstreams(members) == {"GATEWAY_INGEST": "127.0.0.1:1 127.0.0.1:3", "GATEWAY_AGGREGATOR": "127.0.0.1:4"}


def test_a_process_that_was_told_to_stop_gets_nothing_more() -> None:
    assert upstreams([member(Role.INGEST, 1, stopping=True)]) == {"GATEWAY_INGEST": "", "GATEWAY_AGGREGATOR": ""}
