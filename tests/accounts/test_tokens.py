"""A program's token is looked up first of all, also over a connection that was lost since the last call."""

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
    """Asks for something by Bea's token; the status."""
    _stored, token = AuthToken.objects.create(bea)
    client = Client(HTTP_AUTHORIZATION=f"Token {token}", raise_request_exception=False)
    return lambda: client.get("/api/v1/campaigns/").status_code


@pytest.fixture
def looked_up(monkeypatch):
    """Each time that a token is looked up; what is put into `fails` is done first, once."""
    times, fails, ask = [], [], prepared.one

    def one(*asked):
        times.append(asked[0])
        if fails:
            fails.pop()()
        return ask(*asked)

    monkeypatch.setattr(tokens.prepared, "one", one)
    return times, fails


def cut():
    """The other end of the connection is gone."""
    with socket.socket(fileno=os.dup(connection.connection.fileno())) as wire:
        wire.shutdown(socket.SHUT_RDWR)


@mutant(
    "a call over a connection that was lost meanwhile is answered",
    "accounts/tokens.py",
    kept_by="    except Error:",
    broken="    except InterfaceError:",
)
@pytest.mark.django_db(transaction=True)
def test_a_connection_that_was_lost_since_the_last_call_is_made_anew(call):
    assert call() == 200
    cut()
    assert call() == 200


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("told", [DatabaseError, InterfaceError, OperationalError])
def test_whatever_the_driver_calls_it(call, looked_up, told):
    """A run of 300 faults met its DatabaseError three times, for a server that was stopped hard."""

    def lose():
        cut()
        raise told("server closed the connection unexpectedly")

    times, fails = looked_up
    fails.append(lose)
    assert call() == 200
    assert times == ["person_of_token"] * 2


@pytest.mark.django_db(transaction=True)
def test_what_fails_on_a_connection_that_is_there_is_not_tried_again(call, looked_up):
    def refuse():
        raise DatabaseError("no")

    times, fails = looked_up
    fails.append(refuse)
    assert call() == 500
    assert times == ["person_of_token"]
