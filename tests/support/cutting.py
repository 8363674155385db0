"""A server between a program and the site, which cuts archives off, or answers before the site does."""

import contextlib
import re
import socket
import threading


class Between:
    """`asked` are the first lines of all requests. `cut_after` and `first` may be changed at any time.

    `before(line)` is called before a request with that first line is passed on. `cut_after()` says after how
    many bytes an archive is cut off; None: not at all. `first` are whole answers that the next requests for
    archives get in place of the site's. `sent` says how many bytes came of each archive's answer. Headers
    that begin with `drops` are not passed on.
    """

    def __init__(self, port):
        self.behind = port
        self.asked, self.first, self.cut_after = [], [], lambda: None
        self.sent, self.drops = [], b""
        self.on_archive, self.before = (lambda: None), (lambda line: None)
        self._listening = socket.create_server(("localhost", 0))
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def address(self):
        return f"http://localhost:{self.port}"

    @property
    def archives(self):
        return [line.split()[1] for line in self.asked if line.startswith("GET") and ".tar " in line]

    def close(self):
        self._listening.close()

    def _accept(self):
        with contextlib.suppress(OSError):  # it was closed
            while True:
                connection, _address = self._listening.accept()
                threading.Thread(target=self._pass_on, args=[connection], daemon=True).start()

    def _pass_on(self, connection):
        # A program that was stopped has closed its end.
        with connection, contextlib.suppress(ConnectionError):
            head = _request(connection)
            line = head.split(b"\r\n")[0].decode()
            self.asked.append(line)
            self.before(line)
            is_archive = line.startswith("GET") and ".tar " in line
            if is_archive and self.first:
                connection.sendall(self.first.pop(0))
                return
            if self.drops:
                lines = head.split(b"\r\n")
                head = b"\r\n".join(line for line in lines if not line.lower().startswith(self.drops))
            if is_archive:
                self.sent.append(0)
            self._answer(connection, head, self.cut_after() if is_archive else None, is_archive)
            if is_archive:
                self.on_archive()

    def _answer(self, connection, head, left, is_archive):
        with socket.create_connection(("localhost", self.behind)) as site:
            site.sendall(head)
            while data := site.recv(65536):
                data = data if left is None else data[:left]
                if is_archive:
                    self.sent[-1] += len(data)
                connection.sendall(data)
                if left is not None:
                    left -= len(data)
                    if left <= 0:
                        return


def _request(connection):
    """With its body, which a program may send by itself."""
    asked = b""
    while b"\r\n\r\n" not in asked or len(asked) < _size(asked):
        if not (data := connection.recv(65536)):
            raise ConnectionError
        asked += data
    return asked


def _size(asked):
    head, _end, _body = asked.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
    return len(head) + 4 + (int(length[1]) if length else 0)
