"""Requests that no one can read, for every address that takes a body."""

from copy import deepcopy

from django.db import transaction
from django.test import Client
from django.urls import get_resolver

from tests.support import every_page

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=x"
PART = b'--x\r\nContent-Disposition: form-data; name="audio"; filename="a.wav"\r\n\r\nRIFF\r\n--x--\r\n'
FIELDS = (
    *(
        "answer",
        "transcript",
        "reason",
        "count",
        "part",
        "version",
        "code",
        "name",
        "slug",
        "language",
        "next",
    ),
    *("username", "login", "password", "password1", "kind", "note", "text", "clips", "prompt", "other"),
    *("receipt", "state", "token", "choice", "why", "act", "action", "purpose", "confirm", "start", "end"),
)


def every_field(value):
    return b"&".join(name.encode() + b"=" + value for name in FIELDS)


def in_json(value):
    return b"{" + b",".join(b'"%s":%s' % (name.encode(), value) for name in FIELDS) + b"}"


# Of what nobody can read at any address: the headers say so.
HEADERS = {
    "utf-7": {"content_type": "application/json; charset=utf-7"},
    "a codec for bytes": {"content_type": f"{FORM}; charset=base64"},
    "a codec that is none for bytes": {"content_type": f"{MULTIPART}; charset=rot13"},
    "an unknown character set": {"content_type": f"{MULTIPART}; charset=klingon"},
    "a length that is no number": {"CONTENT_LENGTH": "many"},
    "a negative length": {"CONTENT_LENGTH": "-1"},
    "a length in other digits": {"CONTENT_LENGTH": "١٢"},
    "a NUL in the query": {"QUERY_STRING": "campaign=a%00b"},
}

# What no form is: it cannot be taken apart.
BAD_FORMS = {
    "no boundary": ("multipart/form-data", PART),
    "a boundary that is not ASCII": ("multipart/form-data; boundary=\xff", PART),
    "an empty boundary": ("multipart/form-data; boundary=", PART),
    "bad base64": (
        MULTIPART,
        PART.replace(b"\r\n\r\nRIFF", b"\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!!!"),
    ),
    "too many fields": (FORM, b"&".join(b"a=1" for _ in range(5_000))),
    "too many files": (MULTIPART, PART.removesuffix(b"--\r\n").join([b"", b"\r\n"]) * 200 + b"--x--\r\n"),
}

# What no JSON is, or JSON that can be read in two ways.
BAD_JSON = {
    "deep lists": b"[" * 100_000,
    "deep objects": b'{"answer":' * 40_000,
    "not UTF-8": b'{"answer":"\xff\xfe"}',
    "UTF-16": '{"answer":"yes"}'.encode("utf-16"),
    "half a surrogate pair": in_json(b'"\\ud800"'),
    "half a surrogate pair as a key": b'{"\\ud800":"yes"}',
    "NaN": in_json(b"NaN"),
    "infinite": in_json(b"1e999"),
    "too many digits": in_json(b"9" * 5_000),
    "a repeated key": b'{"answer":"yes","answer":"no"}',
    "cut off": b'{"answer":"y',
    "a raw NUL": b'{"answer":"a\0b"}',
    "a form": b"answer=yes",
}

# Readable, and yet no one's answer: an act must refuse it.
ODD_VALUES = {
    "NUL in a form": (FORM, every_field(b"a%00b")),
    "bytes that are not UTF-8": (FORM, every_field(b"%ff%fe")),
    "half a surrogate pair in a form": (FORM, every_field(b"%ed%a0%80")),
    "a number of 4,000 digits in a form": (FORM, every_field(b"9" * 4_000)),
    "a wrong boundary": ("multipart/form-data; boundary=y", PART),
    "a part that is cut off": (MULTIPART, PART[:40]),
    "a name in an unknown character set": (
        MULTIPART,
        b"--x\r\nContent-Disposition: form-data; name*=klingon''a; filename*=klingon''%ff"
        b"\r\n\r\nb\r\n--x--\r\n",
    ),
    "NUL in a file's name": (MULTIPART, PART.replace(b"a.wav", b"a\0.wav")),
    "NUL in JSON": ("application/json", in_json(b'"a\\u0000b"')),
    "a number of 4,000 digits": ("application/json", in_json(b"9" * 4_000)),
    "a list": ("application/json", b"[1]"),
    "null": ("application/json", b"null"),
    "text": ("application/json", b'"yes"'),
    "objects as values": ("application/json", in_json(b'{"a":[1]}')),
    "lists as values": ("application/json", in_json(b'["private"]')),
    "XML": ("text/xml", b"<a/>"),
    "no content type": ("", b"x"),
    "a content type of punctuation": (";;;=", b"x"),
}


def fitting(address, number):
    """By turns half of the odd values in the kind of body that this address reads, and one of the others."""
    reads = "application/json" if address.startswith(("/api/", "/v1/")) else "form"
    others = [name for name, (content_type, _) in ODD_VALUES.items() if reads not in content_type]
    own = [name for name in ODD_VALUES if name not in others]
    few = {*own[number % 2 :: 2], others[number % len(others)]}
    return {name: odd for name, odd in ODD_VALUES.items() if name in few}


class Spy:
    """An endless body that counts how often it is read."""

    def __init__(self):
        self.reads = 0

    def read(self, size=-1):
        self.reads += 1
        return b"\0" * max(size, 0)

    def readline(self, size=-1):
        return self.read(size)


def addresses(things):
    """Every address of the site. Logging out would end the visit of whoever sends the nonsense."""
    named = {every_page.filled(route, things) for route in every_page.routes(get_resolver())}
    return sorted(address for address in named if "logout" not in address)


def sent(client, method, address, body=b"", content_type=FORM):
    """The response. Whatever the request did is undone, so that whoever sent it stays and stays logged in."""
    cookies = deepcopy(client.cookies)
    with transaction.atomic():
        response = client.generic(method, address, body, content_type)
        response.content = b"".join(response) if response.streaming else response.content
        transaction.set_rollback(True)
    client.cookies = cookies
    return response


def doors(client, addresses):
    """Method and address of everything here that takes a body."""
    for address in addresses:
        for method in ("POST", "PUT", "PATCH") if address.startswith(("/api/", "/v1/")) else ("POST",):
            if sent(client, method, address).status_code not in (403, 404, 405):
                yield method, address


def visitor(person=None, **options):
    client = Client(HTTP_HOST="localhost", raise_request_exception=False, **options)
    if person:
        client.force_login(person)
    return client
