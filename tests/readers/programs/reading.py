"""What every program here does first and last: it can reach nobody, and prints what it read as JSON.

The programs run in build/readers, where the project cannot be imported.
"""

import hashlib
import io
import json
import os
import sys

import numpy
import soundfile


def refuse_strangers(event, arguments):
    """Ends the program: an error might be caught by the reader, which would then do without."""
    if event == "socket.connect":
        to = arguments[1]
    elif event == "socket.getaddrinfo":
        to = arguments[:1]
    else:
        return
    if isinstance(to, tuple) and to[0] not in ("127.0.0.1", "::1"):
        print(f"a reader wanted to contact {to}", file=sys.stderr, flush=True)
        os._exit(1)


sys.addaudithook(refuse_strangers)


def digest(samples):
    """Of float samples from -1 to 1, as the reader decoded them: one row, mono."""
    mono = numpy.asarray(samples).reshape(-1)
    return hashlib.sha256(numpy.rint(mono * 32_768).astype("<i2").tobytes()).hexdigest()


def digest_of_file(content):
    """Of a WAV, by libsndfile."""
    samples, rate = soundfile.read(io.BytesIO(content), dtype="float64")
    assert rate == 16_000
    return digest(samples)


def finish(records):
    json.dump(records, sys.stdout)
