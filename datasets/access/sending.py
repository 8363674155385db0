"""Send the e-mails that are owed, one at a time, and try again what failed.

A letter is taken before it is sent, and marked once the mail server has accepted it. Whoever is killed before
that leaves it to the next run. Between the server's answer and the commit of the mark, a few milliseconds, a
kill has it sent a second time, under the same Message-ID, by which mail programs recognise it: SMTP has no
way to ask whether a message was accepted. No transaction is open while the server answers.
"""

import smtplib
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import Enum
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.utils import translation

from accounts.alone import alone
from accounts.ciphers import KeyLost
from datasets.models import AccessRequest, Letter

from . import letter_texts, recall_notices, sealing

# After the first attempt; the last one is three days after it.
DELAYS = (
    *(timedelta(minutes=minutes) for minutes in (1, 5, 30)),
    *(timedelta(hours=hours) for hours in (2, 5, 10, 14, 20, 24)),
)
TAKEN_FOR = timedelta(minutes=10)  # longer than an attempt takes: ten answers, EMAIL_TIMEOUT for each
KEPT = timedelta(days=30)
LETTER_LOCK = 7_310  # see accounts.models for the other advisory locks
Clock = Callable[[], datetime]


class Outcome(Enum):
    SENT = "sent"
    LATER = "later"
    NEVER = "never"  # the server will not take it, whenever it is sent


def send_owed(clock: Clock, most: int = 200) -> int:
    """Send what is due, if no other worker does; returns how many were accepted by the mail server.

    The first one that cannot be sent now ends the run: mostly the server cannot be reached, which every other
    letter would wait for, too.
    """
    if not settings.SENDS_MAIL:
        return 0
    sent = 0
    with alone(LETTER_LOCK) as is_mine:
        while is_mine and sent < most and (letter := _take(clock())):
            message = _message(letter)
            if message is None:
                letter.delete()
                continue
            outcome = _send(message)
            _store(letter, outcome, clock())
            sent += outcome is Outcome.SENT
            if outcome is Outcome.LATER:
                break
    return sent


def forget_old(now: datetime) -> int:
    """Letters that are a month old, whatever became of them."""
    return Letter.objects.filter(day__lt=(now - KEPT).date()).delete()[0]


@transaction.atomic
def _take(now: datetime) -> Letter | None:
    due = Letter.objects.select_for_update(of=("self",), skip_locked=True).filter(next_try_at__lte=now)
    letter = due.select_related("release", "person__data_key").order_by("next_try_at", "pk").first()
    if letter:
        letter.attempts, letter.next_try_at = letter.attempts + 1, now + TAKEN_FOR
        letter.save(update_fields=["attempts", "next_try_at"])
    return letter


def _message(letter: Letter) -> EmailMessage | None:
    """None if it is not owed any more: its person left, has no address, or does not want it."""
    person = letter.person
    try:
        reason = _reason(letter)
        if reason is None or not person.may_log_in or not person.address:
            return None
    except KeyLost:
        return None
    with translation.override(letter.language):
        return EmailMessage(
            letter_texts.subject(letter),
            letter_texts.text(letter, reason),
            to=[person.address],
            headers={
                "Message-ID": f"<{letter.pk.hex}@{urlsplit(settings.SITE_URL).hostname}>",
                "Auto-Submitted": "auto-generated",
            },
        )


def _reason(letter: Letter) -> str | None:
    """What the steward wrote, or nothing; None if what the letter tells is not so any more."""
    if letter.kind == Letter.Kind.RECALLED:
        return "" if recall_notices.is_wanted(letter.person) else None
    requests = AccessRequest.objects.filter(release=letter.release, state=letter.kind, person=letter.person)
    asked = requests.select_related("person__data_key").first()
    if asked is None:
        return None
    says_why = letter.kind in (Letter.Kind.REFUSED, Letter.Kind.ENDED)
    return sealing.unseal(asked).reason if says_why else ""


def _send(message: EmailMessage) -> Outcome:
    try:
        message.send()
    except smtplib.SMTPRecipientsRefused as refused:
        codes = [code for code, _said in refused.recipients.values()]
        return Outcome.NEVER if min(codes) >= 500 else Outcome.LATER
    except smtplib.SMTPDataError as refused:
        return Outcome.NEVER if refused.smtp_code >= 500 else Outcome.LATER
    except OSError:  # smtplib's other errors are of this kind, too
        return Outcome.LATER
    return Outcome.SENT


def _store(letter: Letter, outcome: Outcome, now: datetime) -> None:
    """Its row may be gone meanwhile, with its person."""
    changed: dict[str, datetime | None] = {"next_try_at": None}
    if outcome is Outcome.SENT:
        changed["sent_at"] = now
    elif outcome is Outcome.LATER and letter.attempts <= len(DELAYS):
        changed["next_try_at"] = now + DELAYS[letter.attempts - 1]
    Letter.objects.filter(pk=letter.pk).update(**changed)
