"""Fill an empty database with demo data. A load that was cut goes on at the next start."""

import json
import os
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from accounts import consent, contributors
from accounts.ciphers import pseudonym_hash
from accounts.models import Purpose, Role, User
from datasets import campaigns
from datasets.clips import audio, intake
from datasets.models import Campaign, Clip, Label, Task
from tagger.desk import examples
from tagger.lending import assignments
from tagger.progress import community
from tagger.settling import settlement
from tagger.welcome import pledge

from . import scripts

# One for each role; the password of each is random and stands only in the file below.
ACCOUNTS: dict[str, dict[str, Any]] = {
    "contributor": {"roles": [Role.CONTRIBUTOR]},
    "volunteer": {"roles": [Role.CONTRIBUTOR, Role.ANNOTATOR]},
    "reviewer": {"roles": [Role.ANNOTATOR, Role.REVIEWER]},
    "researcher": {"roles": [Role.RESEARCHER]},
    "admin": {"roles": list(Role), "is_staff": True, "is_superuser": True},
}
CROWD = ("demo-maple", "demo-otter", "demo-wren", "demo-fern", "demo-lark")
# So many clips of each campaign are answered by the crowd; it cannot agree on the last of them.
ANSWERED = 9


@dataclass(frozen=True)
class Record:
    """What the file in the site's home says: the log-ins, and whether loading came to its end."""

    passwords: dict[str, str]
    finished: bool

    @staticmethod
    def path() -> Path:
        return settings.TAGGER_HOME / "demo-accounts.json"

    @classmethod
    def read(cls) -> "Record | None":
        path = cls.path()
        return cls(**json.loads(path.read_text())) if path.exists() else None

    def write(self) -> None:
        draft = self.path().with_suffix(".new")
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(self.__dict__, file)
        draft.replace(self.path())


def is_wanted() -> bool:
    """Into an empty database, or where an earlier load was cut; never outside of DEBUG."""
    if not settings.DEBUG:
        return False
    record = Record.read()
    empty = not User.objects.exists() and not Campaign.objects.exists()
    return empty or (record is not None and not record.finished)


def load(now: datetime, each: Callable[[list[scripts.Line]], Iterator[scripts.Line]]) -> Record:
    """Load everything; `each` passes the lines through, to show how far it is."""
    record = Record.read() or Record({name: secrets.token_urlsafe(9) for name in ACCOUNTS}, False)
    Record(record.passwords, False).write()
    for name, rights in ACCOUNTS.items():
        _account(name, record.passwords[name], rights)
    for campaign in _campaigns():
        for line in each([line for line in scripts.lines() if line.campaign == campaign.slug]):
            _add(line, campaign, now)
        _answer_some(campaign, now)
        _choose_examples(campaign)
    community.measure(timezone.now)
    done = Record(record.passwords, True)
    done.write()
    return done


def _account(name: str, password: str | None, rights: dict[str, Any]) -> User:
    found = User.objects.filter(username=pseudonym_hash(name)).first()
    return found or User.objects.create_user(name, password=password, **rights)


def _campaigns() -> list[Campaign]:
    shape: dict[str, Any] = {"language": "en", "max_annotations": len(CROWD)}
    wanted: list[dict[str, Any]] = [
        shape
        | {
            "slug": scripts.WAKE_WORD_CAMPAIGN,
            "kind": Campaign.Kind.WAKE_WORD,
            "wake_word": scripts.WAKE_WORD,
            "guidelines": (
                f"Yes: somebody says “{scripts.WAKE_WORD}”, also in the middle of a sentence. "
                "Similar: it sounds like it, but is something else. No: speech without it. "
                "Noise: nobody speaks."
            ),
        },
        shape
        | {
            "slug": scripts.TRANSCRIPTION_CAMPAIGN,
            "kind": Campaign.Kind.TRANSCRIPTION,
            "prompts": "\n".join(scripts.PROMPTS),
            "guidelines": (
                "Write every word as it is said, numbers as words. "
                "Where a word cannot be made out, write [unclear]."
            ),
        },
    ]
    return [Campaign.objects.filter(slug=w["slug"]).first() or campaigns.create(**w) for w in wanted]


def _add(line: scripts.Line, campaign: Campaign, now: datetime) -> None:
    """One clip, by the same way in that every clip takes."""
    speaker = contributors.find_or_create("demo", line.voice.name if line.voice else "")
    reference = "synthesised on this machine: nobody's voice"
    consent.give(speaker, campaign.material, Purpose, now, reference=reference)
    sound = intake.read(audio.wav(scripts.record(line)))
    origin = intake.Origin(speaker, Clip.Source.IMPORT, campaign.language, reference)
    intake.add(sound, campaign, origin, now, truth=line.truth)


# What it takes to hear them: nobody is in a hurry.
LISTENED = timedelta(minutes=5)


def _answer_some(campaign: Campaign, now: datetime) -> None:
    """What a small crowd would have done by now, so that there is progress and a dispute to see."""
    tasks = list(campaign.tasks.order_by("id").values_list("pk", flat=True)[:ANSWERED])
    for n, name in enumerate(CROWD):
        person = _account(name, None, {"roles": [Role.ANNOTATOR], "pledge": pledge.VERSION})
        for assignment in assignments.lend(person, campaign, campaign.tasks.count(), now - LISTENED):
            if assignment.task_id in tasks:
                answer = (
                    _disputed(campaign, n) if assignment.task_id == tasks[-1] else assignment.task.reference
                )
                assignments.hand_in(person, assignment.pk, answer, now)
                settlement.settle(assignment.task_id, now)
            else:
                assignments.skip(person, assignment.pk)


def _choose_examples(campaign: Campaign) -> None:
    """One settled clip for each answer, or two transcripts, to hear beside the guidelines."""
    settled = list(campaign.tasks.filter(status=Task.Status.SETTLED).order_by("id"))
    each = settled[:2] if campaign.asks_for_words else {task.answer: task for task in settled}.values()
    for task in each:
        examples.choose(task, "")


def _disputed(campaign: Campaign, n: int) -> str:
    if campaign.kind == Campaign.Kind.WAKE_WORD:
        return [Label.YES, Label.SIMILAR, Label.YES, Label.SIMILAR, Label.NO][n]
    return ["wait for the dog", "wade or the log", "way for a frog", "white fur the fog", "what for then"][n]
