"""A server of a test's own on this machine, in a thread."""

import threading
from contextlib import contextmanager


@contextmanager
def serving(server, told):
    """Until the block ends; `told` is what it answers and got, with the event `may_answer`."""
    server.daemon_threads = True
    told.may_answer.set()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield told
    finally:
        told.may_answer.set()
        server.shutdown()
        thread.join()
        server.server_close()
