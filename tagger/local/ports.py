"""The port of the site, open only on the loopback address."""

import errno
import socket

from .refusal import StartRefused

HOST = "127.0.0.1"


def listen(port: int) -> socket.socket:
    """A listening socket for web to inherit. The launcher keeps it open, even while web is restarted.

    Raises StartRefused if the port is in use.
    """
    try:
        return _listen(port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise StartRefused(
                f"port {port} is in use; try another: PORT={_free_after(port)} make run"
            ) from error
        raise StartRefused(f"port {port} cannot be used: {error.strerror}") from error


def parse(text: str) -> int:
    """The number of a port. Raises StartRefused."""
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65535):
        raise StartRefused(f"PORT must be a number from 1 to 65535, not {text!r}")
    return int(text)


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(1024)
    except OSError:
        listener.close()
        raise
    return listener


def _free_after(port: int) -> int:
    for candidate in range(port + 1, min(port + 100, 65536)):
        try:
            _listen(candidate).close()
        except OSError:
            continue
        return candidate
    with socket.socket() as any_free:
        any_free.bind((HOST, 0))
        return int(any_free.getsockname()[1])
