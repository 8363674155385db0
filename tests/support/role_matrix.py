"""What each visitor gets at each address, also at the things of others. Everything is asked for real."""

import json
from copy import copy
from http.cookies import SimpleCookie
from urllib.parse import urlsplit

from django.urls import get_resolver, reverse

from accounts.models import User
from tests.support import every_page, factors
from tests.support.undone import undone

METHODS = ("GET", "POST", "PATCH")

LEGEND = """\
Each column has three letters: GET, POST, PATCH.
  +  answered, whether or not it was a good request     .  the address has no such call
  >  led on to another page                             L  log in first
  -  not for this role                                  0  nothing here: it does not exist, or is another's"""

LETTERS = {401: "L", 403: "-", 404: "0", 405: "."}

# Enough for a call to get as far as the thing that it names. All others are made with an empty object.
SENT = {
    "/api/v1/annotations/%(pk)s/": {"answer": "yes"},
    "/api/v1/differences/%(pk)s/objection/": {"answer": "similar"},
    "/api/v1/assignments/%(pk)s/annotation/": {"transcript": "what a fine day"},
    "/api/v1/assignments/%(pk)s/report/": {"reason": "audio"},
}


def tell():
    """Prints the matrix of a site that runs beside."""
    print(LEGEND, *lines(), sep="\n")  # noqa: T201


def lines(known=()):
    """One line for each address: every visitor's letters. A real object stands for whatever it names.

    Where the `known` lines say that an address has no such call, the admin, who may do everything, is asked
    whether it has one now, and of the others each fourth by turns; what the rest get stands in these lines.
    """
    things = every_page.one_of_each()
    addresses = {route: every_page.filled(route, things) for route in every_page.routes(get_resolver())}
    visitors = every_page.everybody()
    # Researchers confirm that it is they before they download.
    factors.confirm(visitors["researcher"], User.objects.get_by_natural_key("rex"))
    width = max(map(len, addresses))
    yield " ".join(["".ljust(width), *visitors])
    told = {route: dict(zip(visitors, each, strict=True)) for route, *each in map(str.split, known)}
    for number, (route, address) in enumerate(sorted(addresses.items())):
        known_here, found = told.get(route), []
        for place, (who, client) in enumerate(visitors.items()):
            is_asked = who == "admin" or (number + place) % 4 == 0
            letters = (
                known_here[who][each]
                if known_here and known_here["admin"][each] == "." and not is_asked
                else ask(client, method, route, address)
                for each, method in enumerate(METHODS)
            )
            found.append("".join(letters).ljust(len(who)))
        yield " ".join([route.ljust(width), *found]).rstrip()


def ask(client, method, route, address):
    """The letter of this visitor. What the request changes is taken back; their cookies stay as they are."""
    asking = copy(client)  # it shares the middleware, which takes long to load
    asking.raise_request_exception = False
    asking.cookies = SimpleCookie({name: kept.value for name, kept in client.cookies.items()})
    with undone():
        answered = asking.generic(method, address, json.dumps(SENT.get(route, {})), "application/json")
        if answered.streaming:  # the client closed all others; once more would end the connection
            answered.close()
    assert answered.status_code < 500, f"{method} {address} answered {answered.status_code}"
    if answered.status_code in (301, 302, 303):
        leads_to = urlsplit(answered["Location"]).path
        return "L" if leads_to in (reverse("account_login"), reverse("admin:login")) else ">"
    return LETTERS.get(answered.status_code, "+")
