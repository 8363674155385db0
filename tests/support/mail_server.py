"""A mail server on this machine: it speaks SMTP, keeps what it accepts, and answers as a test says."""

import threading
from contextlib import suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from queue import SimpleQueue
from socketserver import StreamRequestHandler, ThreadingTCPServer

from tests.support.serving import serving


@dataclass
class MailServer:
    """`answers` has the answer to the next of a command, such as {"RCPT": ["550 no such user"]}.

    `got` are the messages that arrived whole, as (address, message), whatever was answered. While
    `may_answer` is not set, a message that arrived gets no answer.
    """

    port: int
    answers: dict = field(default_factory=dict)
    got: list = field(default_factory=list)
    arrived: SimpleQueue = field(default_factory=SimpleQueue)
    may_answer: threading.Event = field(default_factory=threading.Event)

    @property
    def names(self):
        return [message["Message-ID"] for _address, message in self.got]

    def answer(self, command, usual):
        others = self.answers.get(command)
        return others.pop(0) if others else usual


def mail_server():
    """For a with block."""
    server = ThreadingTCPServer(("127.0.0.1", 0), _Session)
    server.mail = MailServer(server.server_address[1])
    return serving(server, server.mail)


class _Session(StreamRequestHandler):
    def handle(self):
        mail, to = self.server.mail, ""
        self._say("220 here")
        while line := self.rfile.readline():
            command = line[:4].decode().strip().upper()
            if command == "RCPT":
                to = line.decode().partition("<")[2].partition(">")[0]
            if command == "DATA":
                self._say("354 go on")
                mail.got.append((to, message_from_bytes(self._content(), policy=policy.default)))
                mail.arrived.put(to)
                mail.may_answer.wait(60)
            self._say(mail.answer(command, "221 bye" if command == "QUIT" else "250 ok"))
            if command == "QUIT":
                return

    def _content(self):
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b"."))
        return b"".join(lines)

    def _say(self, answer):
        with suppress(ConnectionError):  # a program that was killed reads no answer
            self.wfile.write(f"{answer}\r\n".encode())
