"""The network between browser and server, which can be cut: a relay of TCP connections on localhost."""

from __future__ import annotations

import contextlib
import socket
import threading


class Wire:
    """Relays connections to `port` (set before the first) until it is cut, and again when it is mended."""

    def __init__(self) -> None:
        self.port = 0
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self._whole = True
        self._listener = socket.create_server(("localhost", 0))
        self.own_port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Break all connections, and every new one at once."""
        with self._lock:
            self._whole = False
            ended, self._open = self._open, []
        for end in ended:
            _end(end)

    def mend(self) -> None:
        """Let connections through again."""
        self._whole = True

    def close(self) -> None:
        """End for good."""
        _end(self._listener)
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                near, _address = self._listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("localhost", self.port))
            except OSError:
                _end(near)
                continue
            with self._lock:
                if not self._whole:
                    _end(near)
                    _end(far)
                    continue
                self._open += [near, far]
            for ends in ((near, far), (far, near)):
                threading.Thread(target=_relay, args=ends, daemon=True).start()


def _relay(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    _end(source)
    _end(sink)


def _end(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
