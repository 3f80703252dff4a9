import socket

import pytest

from deploy.local.services import ports
from deploy.local.services.ports import free_port, is_free


def test_a_port_in_use_is_not_free() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]

        assert not is_free(port)
        assert free_port([port]) != port


def test_a_preferred_port_is_taken_if_nobody_else_of_the_stack_has_it() -> None:
    port = free_port()

    assert free_port([port]) == port
    assert free_port([port], {port}) != port


def test_no_port_is_given_twice_while_nobody_listens_on_it_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    few = sorted({free_port() for _ in range(3)})
    monkeypatch.setattr(ports, "_QUIET", few)
    monkeypatch.setattr(ports, "_given", set())
    assert sorted(free_port() for _ in few) == few


def test_a_preferred_port_that_was_given_is_nobody_else_s(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = sorted({free_port() for _ in range(2)})
    monkeypatch.setattr(ports, "_QUIET", [first, second])
    monkeypatch.setattr(ports, "_given", set())
    assert [free_port([first]), free_port()] == [first, second]


def test_ports_are_given_again_once_all_were(monkeypatch: pytest.MonkeyPatch) -> None:
    few = [free_port()]
    monkeypatch.setattr(ports, "_QUIET", few)
    monkeypatch.setattr(ports, "_given", set())
    assert [free_port(), free_port()] == few * 2


def test_a_port_beyond_the_last_one_is_not_free() -> None:
    assert not is_free(66_000)
