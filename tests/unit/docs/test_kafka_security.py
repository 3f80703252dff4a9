"""The page about Kafka's security lists the ACLs that provision makes."""

import re
from pathlib import Path

from deploy.kafka.acls import Principals, Resources, permissions

PAGE = Path(__file__).parents[3] / "docs/kafka-security.md"
PRINCIPALS = Principals("User:ingest", "User:worker", "User:aggregator", "User:operator")


def listed() -> set[tuple[str, str, str, str]]:
    """(principal, operation, kind, name) of each line of the table."""
    found, principal = set(), ""
    for line in PAGE.read_text().splitlines():
        columns = [column.strip() for column in line.strip("|").split("|")]
        if len(columns) != 4 or not (target := re.fullmatch(r"(topic|group) `(.*)`", columns[3])):
            continue
        if named := re.search(r"\((User:\w+)\)", columns[1]):
            principal = named[1]
        for operation in columns[2].split(", "):
            found.add((principal, re.sub(r"(?<=[a-z])(?=[A-Z])", "_", operation).upper(), target[1], target[2]))
    return found


def test_the_table_lists_each_permission_and_no_other() -> None:
    made = permissions(PRINCIPALS, Resources("actions", "actions.rejected", "stream-workers"))
    assert listed() == {(one.principal, one.operation.name, one.kind.name.lower(), one.name) for one in made}
