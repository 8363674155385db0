"""Stores a recording as a clip, if consent and audio allow it, and asks a campaign's question of it.

The only way in for sound: one at a time from pages and devices, in batches from imports, by the same rules.
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef

from accounts import consent, keys
from accounts.ciphers import KEY
from accounts.models import Consent, DataKey, Material, Purpose, User
from accounts.refusals import Refusal
from datasets import licences, words
from datasets.models import Campaign, Clip, Task

from . import audio, copying, fingerprints, quality, vault

# Clips with a smaller share of speech count as silent. This decides only the order of tasks.
SOME_SPEECH = 0.05


class IntakeRefusal(StrEnum):
    DUPLICATE = "duplicate"


class Duplicate(Refusal):
    """The same samples are stored already, from another contributor."""

    def __init__(self) -> None:
        super().__init__(IntakeRefusal.DUPLICATE)


@dataclass(frozen=True)
class Sound:
    """A decoded, checked recording: int16 samples (n,) at 16 kHz, and their fingerprint."""

    samples: np.ndarray
    fingerprint: str


@dataclass(frozen=True)
class Origin:
    """Where a recording comes from, and the consent it needs: with a reference, only one that carries it.

    `licence` is that of an import; what is given on this site comes under the terms of its consent. `voice`
    is what an import says of it.
    `brought_by` is the number of the Import that brings it.
    """

    contributor: User
    source: Clip.Source
    language: str
    reference: str = ""
    held_until: datetime | None = None  # the end of its cooling-off
    licence: str = ""
    voice: Clip.Voice = Clip.Voice.UNKNOWN
    brought_by: int | None = None


@dataclass(frozen=True)
class Submission:
    """A recording to store, where it comes from, and the answer its sender gave for it, if any.

    `draft` is a machine's transcript, for campaigns that offer drafts.
    """

    sound: Sound
    origin: Origin
    truth: str = ""
    draft: str = ""

    @property
    def speech_share(self) -> float:
        return self.measured.speech_share

    @cached_property
    def measured(self) -> "Measured":
        """With a neural network for single recordings. For a whole collection that would take days: the
        quality of imported clips is measured later (datasets.clips.measuring)."""
        samples = self.sound.samples
        if self.origin.source == Clip.Source.IMPORT:
            return Measured(audio.voiced_share(samples), None, None)
        frames = audio.speech_frames(samples)
        share = audio.share_of(frames, samples)
        return Measured(share, quality.snr(samples, frames), quality.clipping(samples))


class Measured(NamedTuple):
    """The share of a clip that has speech, its speech over its noise in dB, and the share that is clipped.

    Without `clipping` its quality is not measured yet; without `snr` alone, there is none.
    """

    speech_share: float
    snr: int | None
    clipping: float | None


# Is told of submissions and what became of them, in the transaction that stores them.
Record = Callable[[Sequence[Submission], Sequence["bool | Refusal"]], None]


def read(data: bytes) -> Sound:
    """Decode and check an upload. Raises audio.BadAudio."""
    samples = audio.read(data)
    audio.check(samples)
    return Sound(samples, audio.fingerprint(samples))


def add(sound: Sound, campaign: Campaign, origin: Origin, now: datetime, *, truth: str = "") -> bool:
    """Store the recording and ask the campaign's question of it; False if both were done already.

    Raises consent.NoConsent and Duplicate; then nothing was stored.
    """
    [outcome] = add_all([Submission(sound, origin, truth)], campaign, now)
    if isinstance(outcome, Refusal):
        raise outcome
    return outcome


def add_all(
    submissions: Sequence[Submission], campaign: Campaign, now: datetime, record: Record | None = None
) -> list[bool | Refusal]:
    """As `add` for each, in one transaction: what it returned, or what it raised, which stops no other.

    Any other failure stores none of them, also one of `record`, which is called at the transaction's end.
    """
    _measure(submissions)
    try:
        return _add_all(submissions, campaign, now, record)
    except IntegrityError:  # another contributor's upload of one of these sounds was committed first
        return [_add_alone(submission, campaign, now, record) for submission in submissions]


def _measure(submissions: Sequence[Submission]) -> None:
    """Look for speech in new recordings, before any lock is taken, because it is slow."""
    sounds = {submission.sound.fingerprint for submission in submissions}
    hashes = fingerprints.hashes(sounds)
    stored = Clip.objects.filter(samples_hash__in=hashes)
    known = {hashes[each] for each in stored.values_list("samples_hash", flat=True)}
    for submission in submissions:
        if submission.sound.fingerprint not in known:
            _ = submission.measured


def _add_alone(
    submission: Submission, campaign: Campaign, now: datetime, record: Record | None
) -> bool | Refusal:
    try:
        [outcome] = _add_all([submission], campaign, now, record)
    except IntegrityError:
        outcome = Duplicate()
        if record:
            record([submission], [outcome])
    return outcome


def _add_all(
    submissions: Sequence[Submission], campaign: Campaign, now: datetime, record: Record | None
) -> list[bool | Refusal]:
    """Store all of them in one transaction. No row is committed before its file is on disk.

    Rows are written before files, so that a process that is killed while it waits for another's row leaves no
    file behind.
    """
    names: list[str] = []
    with vault.destroyed_unless_stored(names), transaction.atomic():
        # Before anything is looked up: what others stored under the master key before is committed.
        master = DataKey.objects.lock_master()
        decisions = _decide(submissions, campaign)
        accepted = [each for each in decisions if isinstance(each, _Accepted)]
        new = [each for each in accepted if each.existing is None]
        names += vault.new_names(len(new))
        _store(accepted, new, names, campaign, now, master)
        outcomes = [True if isinstance(each, _Accepted) else each for each in decisions]
        if record:
            record(submissions, outcomes)
    return outcomes


class _Existing(NamedTuple):
    """A stored clip with the same samples, or an earlier submission of the batch, which has no `pk` yet."""

    pk: int | None
    contributor: int
    material: str
    is_asked: bool  # whether this campaign asks about it already


@dataclass(frozen=True)
class _Accepted:
    """A submission to store: a new clip and its task or, with the id of an `existing` clip, only the task."""

    submission: Submission
    allowed_by: Consent
    existing: int | None


def _decide(submissions: Sequence[Submission], campaign: Campaign) -> list[_Accepted | Refusal | bool]:
    """Each submission is accepted, refused, or False if there is nothing left to do."""
    consents = _Consents(submissions, campaign.material)
    # Looked up under the contributors' locks, because the same upload may arrive twice at the same time.
    stored = _existing(submissions, campaign)
    decisions: list[_Accepted | Refusal | bool] = []
    for submission in submissions:
        fingerprint = submission.sound.fingerprint
        decision = _decide_one(submission, stored.get(fingerprint), campaign, consents)
        if isinstance(decision, _Accepted):
            contributor = submission.origin.contributor.pk
            stored[fingerprint] = _Existing(None, contributor, decision.allowed_by.material, True)
        decisions.append(decision)
    return decisions


def _decide_one(
    submission: Submission, existing: _Existing | None, campaign: Campaign, consents: "_Consents"
) -> _Accepted | Refusal | bool:
    """The rules, in order: another contributor's recording is refused; an existing clip needs consent for its
    own material, a new one for the campaign's; a question that was asked already is not asked again."""
    if existing and existing.contributor != submission.origin.contributor.pk:
        return Duplicate()
    material = Material(existing.material) if existing else campaign.material
    allowed_by = consents.of(submission.origin, material)
    if isinstance(allowed_by, Refusal):
        return allowed_by
    if existing and existing.is_asked:
        return False
    return _Accepted(submission, allowed_by, existing.pk if existing else None)


class _Consents:
    """The live consent for each origin and material, which no one can withdraw until the transaction ends."""

    def __init__(self, submissions: Sequence[Submission], material: Material) -> None:
        self._found: dict[tuple[int, str, Material], Consent | consent.NoConsent] = {}
        # Sorted, so that two imports lock the same people in the same order.
        for origin in sorted((each.origin for each in submissions), key=lambda each: each.contributor.pk):
            self.of(origin, material)

    def of(self, origin: Origin, material: Material) -> Consent | consent.NoConsent:
        wanted = (origin.contributor.pk, origin.reference, material)
        if wanted not in self._found:
            try:
                self._found[wanted] = consent.require(
                    origin.contributor, material, Purpose.VOLUNTEERS, origin.reference
                )
            except consent.NoConsent as refusal:
                self._found[wanted] = refusal
        return self._found[wanted]


def _existing(submissions: Sequence[Submission], campaign: Campaign) -> dict[str, _Existing]:
    """The stored clips with these sounds, by fingerprint."""
    hashes = fingerprints.hashes({submission.sound.fingerprint for submission in submissions})
    asked = Exists(Task.objects.filter(clip=OuterRef("pk"), campaign=campaign))
    found = Clip.objects.filter(samples_hash__in=hashes).annotate(asked=asked)
    rows = found.values_list("samples_hash", "pk", "contributor_id", "material", "asked")
    return {hashes[row[0]]: _Existing(*row[1:]) for row in rows}


def _store(
    accepted: Sequence[_Accepted],
    new: Sequence[_Accepted],
    names: Sequence[str],
    campaign: Campaign,
    now: datetime,
    master: str,
) -> None:
    data_keys = _data_keys(new)
    clips, tasks, files = [], [], []
    for each, number, name in zip(new, copying.reserve(Clip, len(new)), names, strict=True):
        key = secrets.token_bytes(KEY)
        data_key = data_keys[each.submission.origin.contributor.pk]
        row = _clip_row(each, number, name, keys.seal(data_key, key, Clip.key_label_of(name)))
        clips.append(row | fingerprints.columns(each.submission.sound.fingerprint, name, data_key, master))
        tasks.append(_task_row(each.submission, number, key, each.submission.speech_share, campaign))
        files.append((name, key, each.submission.sound))
    tasks += _tasks_of_existing(accepted, campaign)
    # Sorted, so that of two imports of the same sounds one waits for the other, without a deadlock.
    clips.sort(key=itemgetter("samples_hash"))
    copying.copy(Clip(material=campaign.material, created_at=now), clips)
    copying.copy(Task(campaign=campaign, wanted=campaign.min_annotations), tasks)
    vault.put_all((name, key, audio.wav(sound.samples)) for name, key, sound in files)


def _data_keys(new: Sequence[_Accepted]) -> dict[int, bytes]:
    contributors = (each.submission.origin.contributor for each in new)
    people = {person.pk: person for person in contributors}
    return {pk: keys.data_key(person) for pk, person in people.items()}


def _tasks_of_existing(accepted: Sequence[_Accepted], campaign: Campaign) -> list[dict[str, Any]]:
    wanted = {each.existing: each.submission for each in accepted if each.existing is not None}
    clips = Clip.objects.select_related("contributor__data_key").in_bulk(wanted) if wanted else {}
    return [
        _task_row(submission, pk, clips[pk].key, clips[pk].speech_share, campaign)
        for pk, submission in wanted.items()
    ]


def _clip_row(accepted: _Accepted, number: int, name: str, wrapped_key: bytes) -> dict[str, Any]:
    """The columns of a new clip that differ within a batch."""
    origin, sound = accepted.submission.origin, accepted.submission.sound
    return {
        "pk": number,
        "contributor_id": origin.contributor.pk,
        "consent_id": accepted.allowed_by.pk,
        "language": origin.language,
        "source": origin.source.value,
        "held_until": origin.held_until,
        "licence": origin.licence if origin.source == Clip.Source.IMPORT else licences.BY_CONSENT,
        "voice": origin.voice.value,
        "brought_by_id": origin.brought_by,
        "seconds": audio.seconds(sound.samples),
        **accepted.submission.measured._asdict(),
        "stored_as": name,
        "wrapped_key": wrapped_key,
    }


def _task_row(
    submission: Submission, clip: int, key: bytes, speech_share: float, campaign: Campaign
) -> dict[str, Any]:
    """The columns of a new task that differ within a batch. `key` is the clip's."""
    is_silent = campaign.speech_first and speech_share < SOME_SPEECH
    return {
        "clip_id": clip,
        **_words_columns("reference", submission.truth, clip, key, campaign),
        **_words_columns("draft", submission.draft or None, clip, key, campaign),
        "priority": int(is_silent),
    }


def _words_columns(name: str, text: str | None, clip: int, key: bytes, campaign: Campaign) -> dict[str, Any]:
    """The columns of Task.reference or Task.draft: in plain if labels are asked for, sealed if words are."""
    is_sealed = campaign.asks_for_words and text is not None
    label = words.seal_label(Task, name, clip, campaign.pk)
    return {
        f"plain_{name}": "" if is_sealed else text or "",
        f"sealed_{name}": words.sealed_value(key, text, label) if is_sealed else b"",
    }
