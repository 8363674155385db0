"""Fills an empty database with demo data. An interrupted load continues at the next start."""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import check_password
from django.utils import timezone

from accounts import consent, contributors, keyring, names
from accounts.models import Purpose, Role, User
from datasets import campaigns
from datasets.access import deciding
from datasets.clips import audio, intake
from datasets.models import Campaign, Clip, Label, Release, Task
from datasets.releases import freezing
from tagger.desk import examples
from tagger.lending import assignments
from tagger.local import durable
from tagger.models import KnownPositive, PrivacyCheck
from tagger.progress import community
from tagger.review import clearing, clearing_figures, known_positives
from tagger.settling import settlement, track_records
from tagger.welcome import pledge

from . import invented, scripts

# One account per role. The passwords are random, and stored in plain only in the file of `DemoAccounts`.
ACCOUNTS: dict[str, dict[str, Any]] = {
    "contributor": {"roles": [Role.CONTRIBUTOR]},
    "volunteer": {"roles": [Role.CONTRIBUTOR, Role.ANNOTATOR]},
    "reviewer": {"roles": [Role.ANNOTATOR, Role.REVIEWER, Role.PRIVACY_REVIEWER]},
    "owner": {"roles": [Role.ANNOTATOR, Role.OWNER]},
    "researcher": {"roles": [Role.RESEARCHER]},
    "admin": {"roles": list(Role), "is_staff": True, "is_superuser": True},
}
# Those of demos that were not marked. Whoever has another of these names beside such a demo is a person.
OLD_ACCOUNTS = ("contributor", "volunteer", "reviewer", "researcher", "admin")
CROWD = ("demo-maple", "demo-otter", "demo-wren", "demo-fern", "demo-lark")
# The clips of each campaign that the crowd has answered; it does not agree on the last one.
ANSWERED = 9
# The settled clips of each campaign that stay for someone who tries out the checks before publication.
UNCHECKED = 3
KNOWN_POSITIVES = 5


@dataclass(frozen=True)
class DemoAccounts:
    """The file in the site's home with the passwords by user name, and whether the load has `finished`."""

    passwords: dict[str, str]
    finished: bool

    @staticmethod
    def path() -> Path:
        return settings.TAGGER_HOME / "demo-accounts.json"

    @classmethod
    def read(cls) -> "DemoAccounts | None":
        """None if there is no such file, or if it is damaged."""
        record = durable.read_record(cls.path())
        passwords, finished = record.get("passwords"), record.get("finished")
        if not isinstance(passwords, dict) or not isinstance(finished, bool):
            return None
        texts = {name: text for name, text in passwords.items() if name in ACCOUNTS and isinstance(text, str)}
        return cls(texts, finished) if len(texts) == len(ACCOUNTS) else None

    @classmethod
    def are_lost(cls) -> bool:
        return cls.path().exists() and cls.read() is None

    def write(self) -> None:
        durable.write_record(self.path(), asdict(self))


def is_wanted() -> bool:
    """Whether the database is empty, or an earlier load was interrupted; never without DEBUG."""
    if not settings.DEBUG:
        return False
    accounts = DemoAccounts.read()
    empty = not User.objects.exists() and not Campaign.objects.exists()
    return empty or (accounts is not None and not accounts.finished)


def load(now: datetime, each: Callable[[list[scripts.Line]], Iterator[scripts.Line]]) -> DemoAccounts:
    """Load everything. `each` passes the lines through and may show the progress."""
    passwords = {name: secrets.token_urlsafe(9) for name in ACCOUNTS}
    earlier = DemoAccounts.read()
    accounts = DemoAccounts(passwords | (earlier.passwords if earlier else {}), False)
    accounts.write()
    people = {name: _account(name, accounts.passwords[name], rights) for name, rights in ACCOUNTS.items()}
    for campaign in _campaigns(people["owner"]):
        for line in each([line for line in scripts.lines() if line.campaign == campaign.slug]):
            _add(line, campaign, now)
        _answer_some(campaign, now)
        _choose_examples(campaign)
        _check_some(campaign, now)
        _release(campaign, people["owner"], now)
    _make_known_positives(now)
    community.measure(timezone.now)
    done = DemoAccounts(accounts.passwords, True)
    done.write()
    return done


def renew_passwords() -> int:
    """Give the demo accounts new passwords; returns how many exist. An interrupted load is not continued."""
    demo = User.objects.filter(is_demo=True)
    users = {name: _named(demo, name).first() for name in ACCOUNTS}
    passwords = {name: secrets.token_urlsafe(9) for name in ACCOUNTS}
    found = {name: user for name, user in users.items() if user}
    if found:
        DemoAccounts(passwords, True).write()  # first: if this is interrupted, it can be repeated
    for name, user in found.items():
        user.set_password(passwords[name])
        user.save(update_fields=["password"])
    return len(found)


def mark(people: Any = User.objects) -> int:
    """Mark the accounts of a demo that an older version loaded; returns how many are marked.

    If all of the crowd are in the database, the demo was loaded while it was empty, so the accounts are the
    demo's, too. Of a load that was interrupted before that, an account is known by its password in the file.
    """
    is_loaded = all(_named(people, name).exists() for name in CROWD)
    names_ = [*OLD_ACCOUNTS, *CROWD] if is_loaded else _with_password_of_file(people)
    return sum(_named(people, name).update(is_demo=True) for name in names_)


def _with_password_of_file(people: Any) -> list[str]:
    accounts = DemoAccounts.read()
    found = {name: _named(people, name).first() for name in OLD_ACCOUNTS} if accounts else {}
    return [
        name
        for name, person in found.items()
        if accounts and person and check_password(accounts.passwords[name], person.password)
    ]


def _named(people: Any, name: str) -> Any:
    return people.filter(username__in=keyring.hashes(names.looked_up(name)))


def _account(name: str, password: str | None, rights: dict[str, Any]) -> User:
    found = User.objects.found_by(names.looked_up(name)).first()
    return found or User.objects.create_user(name, password=password, is_demo=True, **rights)


def _campaigns(owner: User) -> list[Campaign]:
    shape: dict[str, Any] = {
        "language": "en",
        "max_annotations": len(CROWD),
        "owner": owner,
        "run_by": "the demo",
        "becomes": "Nothing: nobody’s voice is in it.",
    }
    wanted: list[dict[str, Any]] = [
        shape
        | {
            "slug": scripts.WAKE_WORD_CAMPAIGN,
            "kind": Campaign.Kind.WAKE_WORD,
            "wake_word": scripts.WAKE_WORD,
            "title": f"Devices that answer to “{scripts.WAKE_WORD}”",
            "purpose": "So that a device at home starts listening when it is called, and only then.",
            "guidelines": (
                f"- **Yes**: someone says “{scripts.WAKE_WORD}”, even in the middle of a sentence.\n"
                "- **Similar**: it sounds like it but is something else.\n"
                "- **No**: speech without it.\n"
                "- **Noise**: no one speaks."
            ),
        },
        shape
        | {
            "slug": scripts.TRANSCRIPTION_CAMPAIGN,
            "kind": Campaign.Kind.TRANSCRIPTION,
            "title": "English as people speak it",
            "purpose": "So that open speech recognition learns to write down what people say.",
            "prompts": "\n".join(scripts.PROMPTS),
            "guidelines": (
                "Write every word as it is spoken, and numbers as words. "
                "Where you cannot make out a word, write [unclear]."
            ),
        },
    ]
    return [Campaign.objects.filter(slug=w["slug"]).first() or campaigns.create(**w) for w in wanted]


def _add(line: scripts.Line, campaign: Campaign, now: datetime) -> None:
    """Add one clip, through the same intake as every other clip."""
    speaker = contributors.find_or_create("demo", line.voice.name if line.voice else "")
    reference = "synthesised on this machine: nobody's voice"
    consent.give(speaker, campaign.material, campaign.material.purposes, now, reference=reference)
    sound = intake.read(audio.wav(scripts.record(line)))
    origin = intake.Origin(speaker, Clip.Source.IMPORT, campaign.language, reference, licence=scripts.LICENCE)
    intake.add(sound, campaign, origin, now, truth=line.truth)


# The time between lending and answering, long enough that no one seems to answer too fast.
LISTENING_TIME = timedelta(minutes=5)


def _answer_some(campaign: Campaign, now: datetime) -> None:
    """Answer some clips as a small crowd would, so that there is progress and a dispute to see."""
    tasks = list(campaign.tasks.order_by("id").values_list("pk", flat=True)[:ANSWERED])
    crowd = [_account(name, None, {"roles": [Role.ANNOTATOR], "pledge": pledge.VERSION}) for name in CROWD]
    experienced = {person.pk for person in (*crowd, _account("volunteer", None, ACCOUNTS["volunteer"]))}
    track_records.grant(campaign.kind, campaign.language, experienced)
    for n, person in enumerate(crowd):
        wanted, then = campaign.tasks.count(), now - LISTENING_TIME
        for assignment in assignments.lend(person, campaign, wanted, then, has_quota=False):
            if assignment.task_id in tasks:
                answer = (
                    _disputed(campaign, n) if assignment.task_id == tasks[-1] else assignment.task.reference
                )
                assignments.hand_in(person, assignment.pk, answer, now)
                settlement.settle(assignment.task_id, now)
            else:
                assignments.skip(person, assignment.pk, now, has_quota=False)


def _choose_examples(campaign: Campaign) -> None:
    """Choose the campaign's examples: a settled clip for each answer, or two transcripts."""
    settled = list(campaign.tasks.filter(status=Task.Status.SETTLED).order_by("id"))
    each = settled[:2] if campaign.asks_for_words else {task.answer: task for task in settled}.values()
    for task in each:
        examples.choose(task, "")


def _check_some(campaign: Campaign, now: datetime) -> None:
    """Let two of the crowd check settled clips before publication: nothing said in them is private."""
    checkers = [_account(name, None, {}) for name in CROWD[:2]]
    for person in checkers:
        person.roles = [Role.ANNOTATOR, Role.PRIVACY_REVIEWER]
        person.save(update_fields=["roles"])
    settled = Clip.objects.filter(tasks__campaign=campaign, tasks__status=Task.Status.SETTLED)
    for clip in settled.order_by("pk")[UNCHECKED:]:
        for person in checkers:
            if check := clearing.lend(clip, person, now - LISTENING_TIME):
                clearing.hear(check, now - LISTENING_TIME)
                clearing.answer(check, PrivacyCheck.Answer.NO, now)


def _release(campaign: Campaign, owner: User, now: datetime) -> None:
    """Transcripts for everyone, and wake words for researchers, who are granted them at once."""
    slug = f"{campaign.slug}-1"
    if Release.objects.filter(slug=slug).exists():
        return
    audience = Purpose.PUBLIC if campaign.asks_for_words else Purpose.RESEARCHERS
    found = clearing_figures.of([campaign])
    release = freezing.freeze(slug, [campaign], now, by=owner, audience=audience, clearing=found).release
    if audience == Purpose.RESEARCHERS:
        deciding.set_grants(release, Release.Grants.AUTOMATIC, owner, now)


def _make_known_positives(now: datetime) -> None:
    """Made sounds that say something private, which privacy reviewers get among the clips."""
    if not KnownPositive.objects.exists():
        known_positives.add(invented.sounds("en", KNOWN_POSITIVES, seed=1), "en", now)


def _disputed(campaign: Campaign, n: int) -> str:
    if campaign.kind == Campaign.Kind.WAKE_WORD:
        return [Label.YES, Label.SIMILAR, Label.YES, Label.SIMILAR, Label.NO][n]
    return ["wait for the dog", "wade or the log", "way for a frog", "white fur the fog", "what for then"][n]
