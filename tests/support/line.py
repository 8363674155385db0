"""A line to a running site that can be cut: its address then refuses connections, like a stopped server."""

import selectors
import socket
from contextlib import suppress
from threading import Thread


class Line:
    def __init__(self, site):
        self._to = site.port
        self.manage = site.manage
        self._sockets = set()
        self._listener = None
        self.port = self.mend()
        self.url = f"http://localhost:{self.port}"

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.cut()

    def mend(self):
        """Listens, on the same port as before. Returns it."""
        self._listener = socket.create_server(("127.0.0.1", getattr(self, "port", 0)))
        Thread(target=self._accept, args=(self._listener,), daemon=True).start()
        return self._listener.getsockname()[1]

    def cut(self):
        """Also for connections that are open."""
        for each in (self._listener, *self._sockets):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        self._sockets.clear()

    def _accept(self, listener):
        with suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.create_connection(("127.0.0.1", self._to))
                self._sockets |= {near, far}
                if listener.fileno() < 0:  # cut in between
                    return self.cut()
                Thread(target=_carry, args=(near, far), daemon=True).start()


def _carry(near, far):
    with suppress(OSError, ValueError), selectors.DefaultSelector() as ready, near, far:
        for each, other in ((near, far), (far, near)):
            ready.register(each, selectors.EVENT_READ, other)
        while True:
            for key, _ in ready.select():
                piece = key.fileobj.recv(65536)
                if not piece:
                    return
                key.data.sendall(piece)
