"""Celery tasks, thin: each calls one act."""

from celery import shared_task
from django.utils import timezone

from . import tokens
from .sessions import SessionStore


@shared_task
def clear_expired_sessions() -> None:
    """And tokens that ended a while ago."""
    SessionStore.clear_expired()
    tokens.delete_ended(timezone.now())
