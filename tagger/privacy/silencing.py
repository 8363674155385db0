"""Silence private seconds of a clip, or destroy it: what a reviewer does about what should not be heard.

The stored sound is replaced by one in which these seconds are zero, under a new name and a new key, and what
was said there goes from every transcript. The clip stays the same row, so that all that refers to it stays.
The old sound gets a row of its own with the old name and key, and this row is erased as any erasure is: the
file, the key (by a new data key of the contributor), and the backups (by the next key rotation).

All of this is one transaction. If it is killed, the clip is untouched; if it is not, the erasure of the old
sound is owed in the database, and the sweep finds it.
"""

import math
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import NamedTuple

import numpy as np
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce

from accounts import audit, consent
from accounts.ciphers import KEY, KeyLost
from accounts.models import DataKey, User
from accounts.refusals import Refusal
from datasets.clips import audio, fingerprints, vault
from datasets.models import Campaign, Clip, Reading, ReleaseRow, Task, Withdrawal
from datasets.releases import freezing, recalls
from tagger.lending.assignments import END_TOLERANCE
from tagger.models import Assignment, Control, PrivacyCheck
from tagger.privacy import tasks as queue
from tagger.settling.queue import request_settlement

from . import clip_words, private_words, withdrawal

Part = tuple[float, float]  # from and to, in seconds of the stored sound

# Words are placed by an estimate, which is the rougher the longer a clip is: those that may have been said
# this near to a part, as a share of the clip, go with it.
NEAR = 0.05
FRAME = audio.FRAME / audio.RATE  # seconds


class SilencingRefusal(StrEnum):
    NOTHING_MARKED = "nothing-marked"
    OUTSIDE_THE_CLIP = "outside-the-clip"  # seconds
    NOTHING_LEFT = "nothing-left"
    BEING_ERASED = "being-erased"
    RELEASE_BEING_MADE = "release-being-made"


class Left(NamedTuple):
    """A transcript, and what would be left of it."""

    before: str
    after: str


class SilencingRefused(Refusal):
    """Its code is a SilencingRefusal. Nothing was changed."""


def silence(clip: Clip, parts: Sequence[Part], reviewer: User, now: datetime) -> Clip:
    """Silence these parts of the clip for good; returns the clip as it is then.

    Volunteers who hold the clip lose it, because they may have heard what was said. Raises SilencingRefused.
    Within a larger transaction, call it last: if that fails later, the new file is left to the reconciler.
    """
    marked = _checked(parts, clip.seconds)
    names: list[str] = []
    with vault.destroyed_unless_stored(names), transaction.atomic():
        if freezing.is_freezing():
            raise SilencingRefused(SilencingRefusal.RELEASE_BEING_MADE)
        master = DataKey.objects.lock_master()
        current, tasks = lock(clip)
        samples = _read(current)
        silent = _with_silence(samples, marked)
        hide = partial(private_words.taken_out, parts=_shares(samples, marked, current.silenced))
        released = ReleaseRow.objects.filter(task__in=tasks)
        recalls.recall(released)
        released.delete()
        _end_leases(tasks)
        names += vault.new_names(1)
        old = _replace(current, tasks, names[0], marked, hide, now, master)
        vault.put(current.stored_as, current.key, audio.wav(silent))
        _erase(current.contributor, old, Withdrawal.Cause.SILENCED, now)
        seconds = sum(end - start for start, end in marked)
        audit.record(audit.Act.SILENCED, f"clip {clip.pk}", reviewer, now, {"seconds": round(seconds, 2)})
    request_settlement()
    return current


@transaction.atomic
def destroy(clip: Clip, reviewer: User, now: datetime) -> None:
    """Erase the whole clip, as if its contributor had deleted it. Raises SilencingRefused."""
    consent.lock(clip.contributor)
    current = Clip.objects.filter(pk=clip.pk, withdrawal=None).first()
    if current is None:
        raise SilencingRefused(SilencingRefusal.BEING_ERASED)
    _erase(clip.contributor, current, Withdrawal.Cause.DESTROYED, now)
    asked_about_it = Campaign.objects.filter(pk__in=Task.objects.filter(clip=current).values("campaign"))
    asked_about_it.update(destroyed=F("destroyed") + 1)
    audit.record(
        audit.Act.DESTROYED, f"clip {clip.pk}", reviewer, now, {"seconds": round(current.seconds, 2)}
    )


def _erase(contributor: User, clip: Clip, cause: Withdrawal.Cause, now: datetime) -> None:
    requested = withdrawal.forget_clips(contributor, [clip.pk], now, cause)
    queue.scrub.delay_on_commit(requested.withdrawal)  # type: ignore[attr-defined]


def _checked(parts: Sequence[Part], seconds: float) -> list[Part]:
    """The parts in order, without overlaps. A player may end a little later than the clip."""
    if not parts:
        raise SilencingRefused(SilencingRefusal.NOTHING_MARKED)
    for start, end in parts:
        if not 0 <= start < end <= seconds + END_TOLERANCE or start >= seconds:  # false for NaN, too
            raise SilencingRefused(SilencingRefusal.OUTSIDE_THE_CLIP, seconds=seconds)
    return merged([(start, min(end, seconds)) for start, end in parts])


def merged(parts: Sequence[Part]) -> list[Part]:
    """The same parts in order, those that overlap as one.

    >>> merged([(2, 3), (0, 1), (0.5, 1.5)])
    [(0, 1.5), (2, 3)]
    """
    found: list[Part] = []
    for start, end in sorted(parts):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end)
        else:
            found.append((start, end))
    return found


def lock(clip: Clip) -> tuple[Clip, list[Task]]:
    """The clip and its tasks as they are once all is locked: tasks, the contributor, the clip.

    Raises SilencingRefused: it is being erased.
    """
    _locked_tasks(clip)
    consent.lock(clip.contributor)
    tasks = _locked_tasks(clip)  # with those that an import added until then
    locked = Clip.objects.select_for_update(of=("self",), no_key=True).select_related("contributor__data_key")
    current = locked.filter(pk=clip.pk, withdrawal=None).first()
    if current is None:
        raise SilencingRefused(SilencingRefusal.BEING_ERASED)
    return current, tasks


def texts_left(clip: Clip, parts: Sequence[Part]) -> list[Left]:
    """What silencing these parts would leave of each transcript of the clip. Changes nothing.

    Raises SilencingRefused.
    """
    marked = _checked(parts, clip.seconds)
    samples = _read(clip)
    _with_silence(samples, marked)
    shares = _shares(samples, marked, clip.silenced)
    tasks = [task for task in clip.tasks.select_related("campaign") if task.campaign.asks_for_words]
    texts = dict.fromkeys(opened.text for opened in clip_words.open_texts(clip, tasks))
    return [Left(text, private_words.taken_out(text, shares)) for text in texts]


def _locked_tasks(clip: Clip) -> list[Task]:
    locked = Task.objects.select_for_update(of=("self",), no_key=True).filter(clip=clip).order_by("pk")
    return list(locked.select_related("campaign"))


def _read(clip: Clip) -> np.ndarray:
    try:
        return audio.read(vault.get(clip))
    except (FileNotFoundError, KeyLost):
        raise SilencingRefused(SilencingRefusal.BEING_ERASED) from None


def _with_silence(samples: np.ndarray, parts: Sequence[Part]) -> np.ndarray:
    silent = samples.copy()
    for start, end in parts:
        silent[math.floor(round(start * audio.RATE, 3)) : math.ceil(round(end * audio.RATE, 3))] = 0
    if not silent.any():
        raise SilencingRefused(SilencingRefusal.NOTHING_LEFT)
    return silent


def _shares(
    samples: np.ndarray, parts: Sequence[Part], before: Sequence[Sequence[float]]
) -> list[private_words.Share]:
    """Where the parts lie in the speech, from 0 to 1, by two estimates, both of which count: as if people
    spoke all the time, and as if they spoke where a machine hears a voice. `before`: parts that are silent
    already, in which no word of today's transcripts was said."""
    voiced, near = audio.voiced_frames(samples), NEAR * audio.seconds(samples)
    anywhere = np.ones_like(voiced)
    for start, end in before:
        anywhere[int(start / FRAME) : math.ceil(end / FRAME)] = False
    shares = []
    for spoken in (anywhere, anywhere & voiced):
        so_far = np.concatenate([[0], np.cumsum(spoken)])
        if so_far[-1]:
            last = len(so_far) - 1
            bounds = (
                (max(int((start - near) / FRAME), 0), min(math.ceil((end + near) / FRAME), last))
                for start, end in parts
            )
            shares += [
                (float(so_far[min(low, last)] / so_far[-1]), float(so_far[high] / so_far[-1]))
                for low, high in bounds
            ]
    return shares or [(0.0, 1.0)]


def _end_leases(tasks: Sequence[Task]) -> None:
    """Whoever holds the clip may have heard it: their answer must not bring the words back.

    Without the assignment the same person may be lent the clip again, as it is then.
    """
    held = (Assignment.State.LENT, Assignment.State.EXPIRED)
    Assignment.objects.filter(task__in=tasks, state__in=held).delete()
    Task.objects.filter(pk__in=[task.pk for task in tasks]).update(lent_count=0)


def _replace(
    clip: Clip,
    tasks: Sequence[Task],
    name: str,
    parts: Sequence[Part],
    hide: Callable[[str], str],
    now: datetime,
    master: str,
) -> Clip:
    """Give the clip a new name and key, with all of its words; returns a row with the old ones, to be erased.

    The clip keeps the fingerprint of what was shared, so that an import of it does not bring the old sound
    back. The row to be erased gets a random one, which the erasure of other clips can seal again.
    """
    transcribed = [task for task in tasks if task.campaign.asks_for_words]
    opened = clip_words.open_texts(clip, transcribed)
    data_key = clip.contributor.data_key.open()
    fingerprint, kept = fingerprints.of(clip), ("stored_as", "wrapped_key", "seconds", "speech_share")
    old = {column: getattr(clip, column) for column in kept}
    clip.stored_as = name
    clip.wrap(secrets.token_bytes(KEY), data_key)
    del clip.key  # the old one, which the object remembers
    clip.sealed_samples = fingerprints.sealed(fingerprint, name, data_key)
    clip.silenced = [list(part) for part in merged([*map(tuple, clip.silenced), *parts])]
    clip.save(update_fields=["stored_as", "wrapped_key", "sealed_samples", "silenced"])
    PrivacyCheck.objects.void(clip, now)
    clip.cleared_at = clip.private_signs = None
    clip_words.seal_texts(opened, hide)
    clip_words.remove_others(clip, transcribed)
    _count_again(transcribed, now)
    return Clip.objects.create(
        contributor=clip.contributor,
        consent_id=clip.consent_id,
        material=clip.material,
        language=clip.language,
        source=clip.source,
        created_at=clip.created_at,
        hidden_at=now,
        **old,
        **fingerprints.columns(secrets.token_hex(32), old["stored_as"], data_key, master),
    )


def _count_again(transcribed: Sequence[Task], now: datetime) -> None:
    """Let the tasks be settled by what is left of their transcripts; a reviewer's decision stays."""
    pks = [task.pk for task in transcribed]
    Task.objects.filter(pk__in=pks).update(dirty_since=Coalesce("dirty_since", now))
    # Whoever hears the silence cannot write what the control's answer says.
    Control.objects.filter(task__in=pks, retired_at=None).update(retired_at=now)
    # The mark is made again from the sentence, which is not whole any more: it may be read once more.
    Reading.objects.filter(task__in=pks).delete()
