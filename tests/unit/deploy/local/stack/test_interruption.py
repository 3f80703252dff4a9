import os
import signal

import pytest

from deploy.local.stack.interruption import Interrupted, Interruption


def test_ctrl_c_breaks_nothing_off_but_is_seen_at_once() -> None:
    with Interruption() as interruption:
        os.kill(os.getpid(), signal.SIGINT)

        assert interruption.wait(300)
        with pytest.raises(Interrupted):
            interruption.check()


def test_a_second_ctrl_c_only_says_that_stopping_is_under_way(capfd: pytest.CaptureFixture[str]) -> None:
    with Interruption() as interruption:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGTERM)

        assert interruption.asked
    assert "Stopping already" in capfd.readouterr().err


def test_signals_mean_what_they_meant_before_once_it_is_over() -> None:
    before = signal.getsignal(signal.SIGINT)

    with Interruption():
        pass

    assert signal.getsignal(signal.SIGINT) is before
