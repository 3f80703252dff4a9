"""Finding the mistakes in a log's records, one after another. Pure."""

from typing import Final

from collector.doctor.findings import Diagnosis, Example, Finding, Mistake
from collector.doctor.murmur2 import java_partition_of
from contract.log.action import Action, Rejection
from contract.log.partitioning import partition_of
from contract.log.record import Record, lines_of
from contract.shown import shown

_ORDER: Final = list(Mistake)


class _Seen:
    """One mistake, as often as it was seen so far."""

    def __init__(self) -> None:
        self.lines = self.records = self.as_java = 0
        self.latest: Example | None = None

    def add(self, lines: int, example: Example) -> None:
        """Lines of one more record."""
        self.lines += lines
        self.records += 1
        self.latest = example


class Examination:
    """Looks at records of a topic that has `partitions` partitions."""

    def __init__(self, partitions: int) -> None:
        """Nothing seen yet."""
        self._partitions = partitions
        self._records = self._lines = 0
        self._seen: dict[tuple[Mistake, str | None], _Seen] = {}

    def add(self, record: Record) -> None:
        """Looks at one record; a rebuild's has no producer."""
        lines = lines_of(record)
        if not lines:
            return
        self._records += 1
        self._lines += len(lines)
        self._look_at_header(record, len(lines))
        actions = [(number, line) for number, line in enumerate(lines) if isinstance(line, Action)]
        self._look_at_users(record, actions)
        self._look_at_ids(record, actions)
        self._look_at_rejections(record, lines)

    def diagnosis(self, topic: str) -> Diagnosis:
        """What was seen, the worst first, then the most frequent."""
        findings = [
            Finding(
                mistake,
                seen.lines,
                seen.records,
                seen.latest,
                code,
                seen.as_java if mistake is Mistake.ELSEWHERE else None,
            )
            for (mistake, code), seen in self._seen.items()
            if seen.latest is not None
        ]
        findings.sort(key=lambda finding: (_ORDER.index(finding.mistake), -finding.lines))
        return Diagnosis(topic, self._partitions, self._records, self._lines, findings)

    def _of(self, mistake: Mistake, code: str | None = None) -> _Seen:
        return self._seen.setdefault((mistake, code), _Seen())

    def _look_at_header(self, record: Record, lines: int) -> None:
        if record.partitions == self._partitions:
            return
        mistake = Mistake.OTHER_COUNT if record.partitions else Mistake.NO_HEADER
        what = f"{record.partitions} partitions, not {self._partitions}" if record.partitions else "no count"
        self._of(mistake).add(lines, _example(record, None, what))

    def _look_at_users(self, record: Record, actions: list[tuple[int, Action]]) -> None:
        """By the count that the record itself names: it may be older than the topic's."""
        count = record.partitions or self._partitions
        elsewhere = [one for one in actions if partition_of(one[1].user, count) != record.partition]
        if not elsewhere:
            return
        number, action = elsewhere[-1]
        what = f"user {shown(action.user)} lives on partition {partition_of(action.user, count)} of {count}"
        seen = self._of(Mistake.ELSEWHERE)
        seen.add(len(elsewhere), _example(record, number, what))
        seen.as_java += sum(java_partition_of(action.user, count) == record.partition for _, action in elsewhere)

    def _look_at_ids(self, record: Record, actions: list[tuple[int, Action]]) -> None:
        without = [one for one in actions if one[1].id is None]
        if without:
            number, action = without[-1]
            example = _example(record, number, f"user {shown(action.user)}")
            self._of(Mistake.NO_ID).add(len(without), example)

    def _look_at_rejections(self, record: Record, lines: list[Action | Rejection]) -> None:
        by_code: dict[str, list[Example]] = {}
        for number, line in enumerate(lines):
            if isinstance(line, Rejection):
                by_code.setdefault(line.code, []).append(_example(record, number, line.message))
        for code, examples in by_code.items():
            self._of(Mistake.REJECTED, code).add(len(examples), examples[-1])


def _example(record: Record, line: int | None, what: str) -> Example:
    return Example(record.partition, record.offset, line, what)
