"""A program's token is looked up first, even if the database connection was lost since the last call."""

import os
import socket

import pytest
from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.test import Client
from knox.models import AuthToken

from accounts import prepared, tokens
from tests.support.mutants import mutant


@pytest.fixture
def call(bea):
    """Make a request with Bea's token; returns the status."""
    _stored, token = AuthToken.objects.create(bea)
    client = Client(HTTP_AUTHORIZATION=f"Token {token}", raise_request_exception=False)
    return lambda: client.get("/api/v1/campaigns/").status_code


@pytest.fixture
def looked_up(monkeypatch):
    """The token look-ups so far. A function put into `fails` is called before the next one, once."""
    times, fails, real_one = [], [], prepared.one

    def one(*args):
        times.append(args[0])
        if fails:
            fails.pop()()
        return real_one(*args)

    monkeypatch.setattr(tokens.prepared, "one", one)
    return times, fails


def cut():
    """Cut the database connection."""
    with socket.socket(fileno=os.dup(connection.connection.fileno())) as wire:
        wire.shutdown(socket.SHUT_RDWR)


@mutant(
    "a call over a lost database connection is answered",
    "accounts/tokens.py",
    kept_by="    except Error:",
    broken="    except InterfaceError:",
)
@pytest.mark.django_db(transaction=True)
def test_a_connection_lost_since_the_last_call_is_reopened(call):
    assert call() == 200
    cut()
    assert call() == 200


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("error", [DatabaseError, InterfaceError, OperationalError])
def test_a_lost_connection_is_recognised_by_any_of_the_drivers_errors(call, looked_up, error):
    """In a run of 300 faults, a killed server caused DatabaseError three times."""

    def lose():
        cut()
        raise error("server closed the connection unexpectedly")

    times, fails = looked_up
    fails.append(lose)
    assert call() == 200
    assert times == ["person_of_token"] * 2


@pytest.mark.django_db(transaction=True)
def test_an_error_on_a_working_connection_is_not_retried(call, looked_up):
    def refuse():
        raise DatabaseError("no")

    times, fails = looked_up
    fails.append(refuse)
    assert call() == 500
    assert times == ["person_of_token"]
