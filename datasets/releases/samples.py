"""Up to three clips of a release that its page plays to everyone, without an account.

Only clips that everyone may have: their speakers agreed to publication and, at a notice that mentions
examples, to these; or a machine made the voice, as their import says. They are chosen once, when the release
is made. What may not be one any more is silent at once, and the next recall feed takes it off the page.
"""

from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts import consent, notices
from accounts.models import Consent, Purpose
from datasets.models import Clip, Release, ReleaseRow, Task

from . import frozen, sound_files
from .sound_files import LOST

MOST = 3
LOOKED_AT = 100  # rows, of which it takes one of each speaker


def choose(release: Release) -> list[dict[str, Any]]:
    """By their ids, which are random, and each of another speaker."""
    rows = _allowed(release).order_by("public_id")
    found = rows.values_list("speaker", "public_id", "task__clip__seconds", "voice")[:LOOKED_AT]
    by_speaker = {speaker: rest for speaker, *rest in reversed(found)}
    chosen = sorted(by_speaker.values())[:MOST]
    return [{"id": identity, "seconds": seconds, "voice": voice} for identity, seconds, voice in chosen]


def remaining(release: Release) -> list[dict[str, Any]]:
    """Those that still may be samples, as of the recall feed that is being published."""
    ids = [each["id"] for each in release.samples]
    allowed = _allowed(release).filter(public_id__in=ids) if ids else ReleaseRow.objects.none()
    stay = set(allowed.values_list("public_id", flat=True))
    return [each for each in release.samples if each["id"] in stay]


def sound(release: Release, public_id: str) -> bytes | None:
    """The WAV of a sample, or silence if it may not be one any more; None if it is no sample."""
    found = next((each for each in release.samples if each["id"] == public_id), None)
    if found is None:
        return None
    # In every release, so that its hash tells nothing of the same clip in another one.
    mark = sound_files.comment(public_id)
    buffer = memoryview(bytearray(sound_files.size(found["seconds"], mark)))
    [stored] = frozen.sounds(release, [public_id], Purpose.PUBLIC)
    if not (stored.may_be_sent and _is_allowed(release, public_id)):
        sound_files.silence_into(buffer, mark)
        return bytes(buffer)
    try:
        sound_files.read_into(buffer, stored, mark, hashing=False)
    except LOST:
        if _is_allowed(release, public_id):
            raise
        sound_files.silence_into(buffer, mark)  # it was erased while it was read
    return bytes(buffer)


def _is_allowed(release: Release, public_id: str) -> bool:
    return _allowed(release).filter(public_id=public_id).exists()


def _allowed(release: Release) -> QuerySet[ReleaseRow]:
    """The rows that may be samples now. A made voice needs no speaker's agreement to examples."""
    everyones = Task.objects.live_for(Purpose.PUBLIC, per_row=True)
    rows = release.rows.listed().filter(task__in=everyones)
    return rows.filter(Q(voice=Clip.Voice.MADE) | _is_example())


def _is_example() -> Q:
    """A condition on a row: its speaker agreed to examples, and nothing private is heard in it.

    Not of an import: no notice told its speakers of examples. And not of somebody whom volunteers hear
    disguised.
    """
    agreed = consent.live_for(
        "task__clip__contributor",
        "task__clip__material",
        Purpose.VOLUNTEERS,
        since=notices.FIRST_WITH_EXAMPLES,
    )
    given_here = ~Q(task__clip__source=Clip.Source.IMPORT)
    hidden = Consent.objects.live().filter(contributor=OuterRef("task__clip__contributor"), disguised=True)
    return Q(agreed, given_here, ~Exists(hidden), task__clip__cleared_at__isnull=False)
