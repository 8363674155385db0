"""Celery tasks, thin: each calls one act."""

from celery import shared_task
from django.utils import timezone

from . import audit, failed_log_ins, tokens
from .sessions import SessionStore


@shared_task
def clear_expired_sessions() -> None:
    """And tokens that ended a while ago."""
    SessionStore.clear_expired()
    tokens.delete_ended(timezone.now())


@shared_task
def record_failed_log_ins() -> int:
    return failed_log_ins.record(timezone.now())


@shared_task
def check_audit_record() -> bool:
    return audit.check_if_asked(timezone.now)
