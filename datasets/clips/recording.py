"""Recordings from the browser: gives out a sentence to read, and stores the recording."""

import hashlib
import hmac
import random
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from itertools import count

from django.db import transaction
from django.db.models import F

from accounts import keys
from accounts.models import User
from accounts.refusals import Refusal
from datasets.models import Campaign, Clip, Prompt, Reading, Task

from . import audio, fingerprints, intake

SHORTEST, LONGEST = 1.0, 15.0  # seconds
MAX_BYTES = 2_000_000
_PROMPTS_AT_A_TIME = 100


class RecordingRefusal(StrEnum):
    ALREADY_READ = "sentence-already-read"
    TOO_SHORT = "recording-too-short"


class AlreadyRead(Refusal):
    """This person has read this sentence before, in another recording."""

    def __init__(self) -> None:
        super().__init__(RecordingRefusal.ALREADY_READ)


def share(
    person: User, campaign: Campaign, data: bytes, now: datetime, *, prompt: Prompt | None = None
) -> bool:
    """Store a recording; False if it is stored already. With a prompt, it is a reading of that prompt.

    Raises audio.BadAudio, AlreadyRead, accounts.consent.NoConsent and intake.Duplicate; then nothing was
    stored. The same recording may be sent twice.
    """
    sound = intake.read(data)
    _check_length(audio.seconds(sound.samples))
    if prompt and _has_read(person, prompt, in_another_than=sound):
        raise AlreadyRead
    origin = intake.Origin(person, Clip.Source.BROWSER, campaign.language)
    added = intake.add(sound, campaign, origin, now, truth=prompt.text if prompt else "")
    if added and prompt:
        _record_reading(person, prompt, sound)
    return added


def next_prompt(person: User, campaign: Campaign, *, other_than: str = "") -> Prompt | None:
    """A sentence that this person has not read, among those that were read least; None if they read all.

    It stays the same until it is read. With `other_than`, a prompt's id: a random different one, if there is
    one.
    """
    key = keys.existing_key(person)
    only = None
    for some in _least_read_first(campaign):
        marks = {_mark(key, campaign.pk, prompt.text): prompt for prompt in some}
        for mark in Reading.objects.filter(mark__in=marks).values_list("mark", flat=True):
            del marks[mark]
        others = [mark for mark, prompt in marks.items() if str(prompt.pk) != other_than]
        if others and other_than:
            return marks[random.choice(others)]
        if others:  # among prompts read equally often, each person has their own order
            return marks[min(others, key=lambda mark: (marks[mark].times_read, mark))]
        only = only or next(iter(marks.values()), None)
    return only


def renew_marks(person: User) -> None:
    """Mark what this person read under their current data key, in the transaction that renewed the key."""
    key = keys.data_key(person)
    mine = Reading.objects.filter(task__clip__contributor=person)
    for reading in mine.select_related("task__clip__contributor__data_key", "task__campaign").order_by("pk"):
        reading.mark = _mark(key, reading.task.campaign_id, reading.task.reference)
        reading.save(update_fields=["mark"])


def _least_read_first(campaign: Campaign) -> Iterator[list[Prompt]]:
    prompts = campaign.prompts.order_by("times_read", "id")
    for start in count(0, _PROMPTS_AT_A_TIME):
        some = list(prompts[start : start + _PROMPTS_AT_A_TIME])
        if not some:
            return
        yield some


def _check_length(seconds: float) -> None:
    if seconds < SHORTEST:
        raise audio.BadAudio(RecordingRefusal.TOO_SHORT, seconds=SHORTEST)
    if seconds > LONGEST:
        raise audio.BadAudio(audio.AudioFault.TOO_LONG, seconds=LONGEST)


def _has_read(person: User, prompt: Prompt, *, in_another_than: intake.Sound) -> bool:
    # The same recording comes again if the answer to the first request was lost. It gets the same answer.
    readings = Reading.objects.filter(mark=_mark(keys.existing_key(person), prompt.campaign_id, prompt.text))
    return readings.exclude(
        task__clip__samples_hash__in=fingerprints.hashes([in_another_than.fingerprint])
    ).exists()


@transaction.atomic
def _record_reading(person: User, prompt: Prompt, sound: intake.Sound) -> None:
    tasks = Task.objects.filter(
        clip__contributor=person, clip__samples_hash__in=fingerprints.hashes([sound.fingerprint])
    )
    task = tasks.filter(campaign=prompt.campaign_id).first()
    if task is None:  # withdrawn in the meantime
        return
    mark = _mark(keys.existing_key(person), prompt.campaign_id, prompt.text)
    _reading, is_new = Reading.objects.get_or_create(mark=mark, defaults={"task": task})
    if is_new:
        Prompt.objects.filter(pk=prompt.pk).update(times_read=F("times_read") + 1)


def _mark(key: bytes, campaign: int, text: str) -> str:
    return hmac.new(key, f"reading in campaign {campaign}: {text}".encode(), hashlib.sha256).hexdigest()
