"""Requests whose changes are taken back."""

from contextlib import contextmanager

from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction


@contextmanager
def undone():
    """Whatever a request changes in this block is rolled back, and the connection stays open."""
    for signal in (request_started, request_finished):  # they would end the connection with its transaction
        signal.disconnect(close_old_connections)
    try:
        with transaction.atomic():
            yield
            transaction.set_rollback(True)
    finally:
        for signal in (request_started, request_finished):
            signal.connect(close_old_connections)
