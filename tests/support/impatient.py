"""A small application under the web server's worker, with little patience: no test waits half a minute."""

from tagger.local.web_worker import BufferingWorker


class Impatient(BufferingWorker):
    head_seconds = 0.5
    body_patience = 0.5


def application(environ, start_response):
    """Answers with how many bytes it was sent, or with as many as the address says."""
    if environ["PATH_INFO"].startswith("/send/"):
        answer = b"x" * int(environ["PATH_INFO"].removeprefix("/send/"))
    elif environ["PATH_INFO"] == "/unread":
        answer = b"refused"
    else:
        answer = b"%d bytes" % len(environ["wsgi.input"].read())
    start_response("200 OK", [("Content-Length", str(len(answer)))])
    return [answer]


application.limit_of = lambda address: 3_000_000 if address == "/large" else 1_000
