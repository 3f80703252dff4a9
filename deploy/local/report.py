"""Progress in plain words: live on a terminal, one line at a time elsewhere."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

_SECONDS_BETWEEN_LINES = 10.0


class Step:
    """One step under way. `advance` may be called from any thread."""

    def advance(self, detail: str) -> None:
        """One more part is done; `detail` names it."""


class _LiveStep(Step):
    def __init__(self, progress: Progress, text: str, parts: int | None) -> None:
        self._progress = progress
        self._task = progress.add_task(text, total=parts, detail="")

    def advance(self, detail: str) -> None:
        self._progress.update(self._task, advance=1, detail=detail)


class _PlainStep(Step):
    def __init__(self, console: Console, text: str, parts: int | None) -> None:
        self._console, self._text, self._parts = console, text, parts
        self._done, self._told = 0, time.monotonic()

    def advance(self, detail: str) -> None:
        self._done += 1
        if time.monotonic() - self._told > _SECONDS_BETWEEN_LINES:
            self._told = time.monotonic()
            of = f" of {self._parts}" if self._parts else ""
            self._console.print(
                f"{self._text}: {self._done}{of} done, now {detail}", markup=False, highlight=False, soft_wrap=True
            )


class Report:
    """Tells people what happens."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def say(self, text: str) -> None:
        """One plain line."""
        # A closed terminal or pipe must not break off what is being told.
        with suppress(OSError):
            self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    @contextmanager
    def step(self, text: str, parts: int | None = None) -> Iterator[Step]:
        """A step of so many parts (None: unknown); it is over when the block ends."""
        if not self._console.is_terminal:
            self.say(f"{text} …")
            yield _PlainStep(self._console, text, parts)
            return
        count = MofNCompleteColumn() if parts else TextColumn("{task.completed:.0f}")
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            *((BarColumn(),) if parts else ()),
            count,
            TimeElapsedColumn(),
            TextColumn("{task.fields[detail]}", style="dim", markup=False),
        )
        with Progress(*columns, console=self._console) as progress:
            yield _LiveStep(progress, text, parts)


def quiet() -> Report:
    """A report that says nothing."""
    return Report(Console(quiet=True))
