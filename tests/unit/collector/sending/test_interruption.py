import signal
from collections.abc import Callable

import pytest

from collector.sending.interruption import Interruption


def ctrl_c() -> None:
    signal.raise_signal(signal.SIGINT)


def finish(interruption: Interruption, *steps: Callable[[], object]) -> None:
    with interruption.finished():
        for step in steps:
            step()


def test_a_signal_interrupts_at_once_what_need_not_be_finished() -> None:
    with Interruption() as interruption, pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGTERM)

    assert interruption.signal == signal.SIGTERM


def test_a_first_signal_waits_for_what_is_finished_first(capfd: pytest.CaptureFixture[str]) -> None:
    done: list[int] = []
    with Interruption() as interruption, pytest.raises(KeyboardInterrupt):
        finish(interruption, ctrl_c, lambda: done.append(1))

    assert done == [1]
    assert "Waiting for the answer" in capfd.readouterr().err


def test_a_second_signal_breaks_off() -> None:
    done: list[int] = []
    with Interruption() as interruption, pytest.raises(KeyboardInterrupt):
        finish(interruption, ctrl_c, ctrl_c, lambda: done.append(1))

    assert done == []


def test_an_error_of_what_is_being_finished_is_not_hidden_by_a_signal() -> None:
    with Interruption() as interruption, pytest.raises(ZeroDivisionError):
        finish(interruption, ctrl_c, lambda: 1 / 0)


def test_a_signal_that_came_before_ends_a_pause_before_it_begins() -> None:
    with Interruption() as interruption, pytest.raises(KeyboardInterrupt):
        finish(interruption, ctrl_c, lambda: interruption.pause(3_600))


def test_a_signal_ends_a_pause() -> None:
    previous = signal.signal(signal.SIGALRM, lambda *_: ctrl_c())
    try:
        with Interruption() as interruption, pytest.raises(KeyboardInterrupt):
            finish(interruption, lambda: signal.setitimer(signal.ITIMER_REAL, 0.01), lambda: interruption.pause(3_600))
    finally:
        signal.signal(signal.SIGALRM, previous)


def test_after_a_pause_a_first_signal_waits_again() -> None:
    done: list[int] = []
    with Interruption() as interruption, pytest.raises(KeyboardInterrupt):
        finish(interruption, lambda: interruption.pause(0), ctrl_c, lambda: done.append(1))

    assert done == [1]


def test_a_signal_that_was_ignored_stays_ignored() -> None:
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with Interruption() as interruption:
            ctrl_c()
    finally:
        signal.signal(signal.SIGINT, previous)

    assert interruption.signal is None


def test_afterwards_signals_do_what_they_did_before() -> None:
    before = signal.getsignal(signal.SIGINT)
    with Interruption():
        assert signal.getsignal(signal.SIGINT) != before

    assert signal.getsignal(signal.SIGINT) == before
