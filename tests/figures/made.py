"""A campaign with everything in it, drawn at random from a fixed seed: rows only, without sound."""

import secrets
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random

from accounts import consent, keys
from accounts.ciphers import KEY
from accounts.models import Material, Purpose, User
from datasets.models import Annotation, Clip, Label, Task, Withdrawal
from tagger.models import Assignment, Control, Repeat, ReviewItem
from tests.conftest import NOW

BEGAN = NOW - timedelta(days=40)
QUARTER = datetime(2026, 4, 1, tzinfo=UTC)
STATUSES = ["settled"] * 6 + ["open"] * 4 + ["disputed", "unusable"]
_numbers = count(1)


def fill(campaign, number):
    """So many tasks of clips that are counted, and some that are not: being erased, or cooling off."""
    random = Random(number)
    contributors = [_contributor(campaign) for _ in range(max(3, number // 25))]
    people = [User.objects.create_user(f"person {next(_numbers)}") for _ in range(max(5, number // 50))]
    left_out = max(2, number // 20)
    clips = Clip.objects.bulk_create(
        _clip(random, campaign, random.choice(contributors), left_out > place)
        for place in range(number + left_out)
    )
    tasks = Task.objects.bulk_create(_task(random, campaign, clip, people) for clip in clips)
    given = [each for task in tasks for each in _answers(random, task, people)]
    Annotation.objects.bulk_create(given)
    Repeat.objects.bulk_create(
        Repeat(annotation=each, plain_answer="yes", created_at=NOW)
        for each in given
        if each.annotator_id and random.random() < 0.05
    )
    settled = [task for task in tasks if task.status == "settled"]
    for task in settled[:: max(1, len(settled) // 20)]:
        _control(random, task, [each for each in given if each.task_id == task.pk])
    ReviewItem.objects.bulk_create(
        ReviewItem(
            kind="dispute",
            reason=random.choice(["no-agreement", "confidence-fell", "second-look"]),
            clip=task.clip,
            task=task,
            campaign=campaign,
            language="en",
            opened_at=_moment(random),
            closed_at=None if task.status == "disputed" else NOW,
        )
        for task in tasks
        if task.status == "disputed" or random.random() < 0.05
    )


def _contributor(campaign):
    person = User.objects.create_user(f"contributor {next(_numbers)}")
    consent.give(person, Material.WAKE_WORD, [Purpose.VOLUNTEERS], NOW, reference="on paper")
    return person


def _clip(random, campaign, contributor, is_left_out):
    name = f"made {next(_numbers)}"
    withdrawal = None
    if is_left_out and random.random() < 0.7:
        withdrawal = Withdrawal.objects.create(
            person_id=contributor.pk, scope="clips", token_sha256=name, requested_at=NOW
        )
    clip = Clip(
        contributor=contributor,
        consent=contributor.consents.get(),
        material=campaign.material,
        language="en",
        source=random.choice(Clip.Source.values),
        # Some lie exactly on the edge of a class.
        seconds=random.choice([1.0, 2.0, 30.0, round(random.uniform(0.4, 40), 2)]),
        speech_share=random.choice([0.0, 0.5, 1.0, random.random()]),
        samples_hash=name,
        stored_as=name,
        created_at=_moment(random),
        hidden_at=NOW if random.random() < 0.08 else None,
        withdrawal=withdrawal,
        held_until=NOW + timedelta(days=1) if is_left_out and not withdrawal else None,
    )
    clip.wrap(secrets.token_bytes(KEY), keys.data_key(contributor))
    return clip


def _task(random, campaign, clip, people):
    status = random.choice(STATUSES)
    is_settled = status == "settled"
    least, most = {"open": (0, 2), "unusable": (0, 1)}.get(status, (2, 5))
    return Task(
        clip=clip,
        campaign=campaign,
        wanted=random.choice([2, 3, 4]),
        status=status,
        annotation_count=random.randint(least, min(most, len(people))),
        plain_answer=random.choice(Label.values) if is_settled else None,
        confidence=random.choice([0.75, 0.9, 1.0, random.uniform(0.5, 1), None]),
        adjudicated=is_settled and random.random() < 0.15,
        settled_at=_moment(random) if is_settled else None,
    )


def _answers(random, task, people):
    for person in random.sample(people, task.annotation_count):
        answer = (
            task.plain_answer if task.plain_answer and random.random() < 0.8 else random.choice(Label.values)
        )
        answered = Annotation(task=task, annotator=person, plain_answer=answer, created_at=_moment(random))
        if random.random() < 0.06:
            answered.pk, answered.annotator, answered.kept_weight = -next(_numbers), None, 2
            answered.created_at = QUARTER
        yield answered


def _control(random, task, given):
    known = task.plain_answer if random.random() < 0.9 else random.choice(Label.values)
    Control.objects.create(task=task, campaign=task.campaign, plain_answer=known, since=NOW)
    states = [*["done"] * 3, "skipped"]
    for each in given:
        if each.annotator_id:
            Assignment.objects.create(
                task=task,
                annotator=each.annotator,
                role=random.choice(["control", "control", "vote"]),
                state=random.choice(states),
                lent_at=NOW,
                expires_at=NOW,
            )


def _moment(random):
    """On the last 40 days, some a second before midnight; none on one day of the last fourteen."""
    moment = BEGAN + timedelta(
        days=random.randrange(40), seconds=random.choice([0, 43_199, random.randrange(86_400)])
    )
    return moment + timedelta(days=1) if moment.date() == (NOW - timedelta(days=5)).date() else moment
