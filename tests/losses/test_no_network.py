"""Nothing touches the network unless the user asked: every distance is made where sockets are an error."""

import socket
import warnings
from collections.abc import Iterator

import pytest

from tonedeaf.losses import describe, names


class ConnectionAttemptError(AssertionError):
    """Something tried to reach the network."""


@pytest.fixture
def no_sockets(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def refuse(*arguments: object, **_keywords: object) -> None:
        raise ConnectionAttemptError(f"a connection was attempted: {arguments[1:]}")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    return  # pyright: ignore[reportReturnType]


@pytest.mark.usefixtures("no_sockets")
def test_no_distance_reaches_for_the_network_as_it_is_made():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of empty mel filters
        described = list(describe())  # an AssertionError is none that it would take for "unavailable"
    assert [each.name for each in described] == names()
    assert all(each.available or each.reason for each in described)


@pytest.mark.usefixtures("no_sockets")
def test_the_trap_works():
    with pytest.raises(ConnectionAttemptError):
        socket.create_connection(("127.0.0.1", 9))
