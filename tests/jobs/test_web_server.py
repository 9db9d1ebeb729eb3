"""The port of the web process."""

import socket

import pytest

from jobs import web_server


def test_who_goes_silent_in_the_middle_of_a_request_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_server, "_SILENT_SECONDS", 1)
    with web_server.listening("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()) as silent:
        taken, _ = listener.accept()
        with taken:
            taken.setblocking(True)  # as gunicorn does
            silent.sendall(b"POST / HTTP/1.1\r\n")
            assert taken.recv(100) == b"POST / HTTP/1.1\r\n"
            with pytest.raises(BlockingIOError):
                taken.recv(100)


def test_a_port_in_use_is_told_with_what_to_do() -> None:
    with web_server.listening("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(web_server.CannotListen, match=f"Port {port} is in use"), web_server.listening("", port):
            pass
