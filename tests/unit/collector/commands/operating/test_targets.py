from collector.commands.operating.targets import as_targets
from deploy.local.stack.members import Member, Role


def test_each_process_that_has_metrics_is_a_target_under_its_roles_job_and_its_own_name() -> None:
    members = [Member(name, role, port, 1, 0.0) for name, role, port in MEMBERS]
    assert as_targets(members) == [
        {"targets": ["127.0.0.1:8301"], "labels": {"job": "worker", "instance": "worker-1"}},
        {"targets": ["127.0.0.1:8302"], "labels": {"job": "worker", "instance": "worker-2"}},
        {"targets": ["127.0.0.1:8201"], "labels": {"job": "aggregator", "instance": "aggregator-1"}},
    ]


MEMBERS = [
    ("kafka", Role.KAFKA, 9092),
    ("worker-1", Role.WORKER, 8301),
    ("worker-2", Role.WORKER, 8302),
    ("aggregator-1", Role.AGGREGATOR, 8201),
    ("gateway", Role.GATEWAY, 8080),
]
