"""Which sounds and words of a release may be handed out, by two statements of one rule, and which rows are
listed: in every state of a clip."""

from datetime import timedelta
from itertools import product

import pytest
from django.utils import timezone

from accounts import consent
from accounts.models import Material, User
from datasets.models import Recall, Release, ReleaseRow, Withdrawal
from datasets.releases import contents, frozen, pinning, versions
from tests.conftest import NOW
from tests.support.mutants import mutant

VOLUNTEERS, RESEARCHERS, PUBLIC = Material.WAKE_WORD.purposes
WAKE_WORD, UTTERANCE = Material


def agreed(*purposes, material=WAKE_WORD):
    return lambda person: consent.give(person, material, purposes, NOW, reference="on paper")


def withdrew(*purposes):
    def act(person):
        for purpose in purposes:
            consent.withdraw(person, NOW, purpose=purpose)

    return act


# What a contributor did, in this order, and the audiences that may have their wake-word clips since.
CONSENTS = {
    "nothing": ([], set()),
    "to volunteers": ([agreed(VOLUNTEERS)], set()),
    "to researchers": ([agreed(VOLUNTEERS, RESEARCHERS)], {RESEARCHERS}),
    "to a public release": ([agreed(VOLUNTEERS, PUBLIC)], {PUBLIC}),
    "to everyone": ([agreed(*WAKE_WORD.purposes)], {RESEARCHERS, PUBLIC}),
    "to everyone, for utterances": ([agreed(*UTTERANCE.purposes, material=UTTERANCE)], set()),
    "took researchers back": ([agreed(*WAKE_WORD.purposes), withdrew(RESEARCHERS)], {PUBLIC}),
    "took public releases back": ([agreed(*WAKE_WORD.purposes), withdrew(PUBLIC)], {RESEARCHERS}),
    "took all back": ([agreed(*WAKE_WORD.purposes), withdrew(VOLUNTEERS)], set()),
    "took all back and agreed again": (
        [agreed(*WAKE_WORD.purposes), withdrew(VOLUNTEERS), agreed(*WAKE_WORD.purposes)],
        {RESEARCHERS, PUBLIC},
    ),
}

COOLING_OFF = {"never": None, "over": -timedelta(hours=1), "running": timedelta(hours=1)}
CLIP_STATES = list(product([False, True], COOLING_OFF, [False, True], [False, True]))


@pytest.fixture
def pinned(juniper, add_tasks):
    """One row of a release for each state of a clip, all of one contributor; {id: state}."""

    def all_states(release, person):
        # add_tasks bases each clip on a consent; which one makes no difference to the rule.
        consent.give(person, WAKE_WORD, [VOLUNTEERS], NOW, reference="on paper")
        erasure = Withdrawal.objects.create(
            person_id=person.pk, scope=Withdrawal.Scope.CLIPS, token_sha256="x", requested_at=NOW
        )
        states = {}
        for task, state in zip(add_tasks(juniper, len(CLIP_STATES), person), CLIP_STATES, strict=True):
            is_hidden, cooling_off, is_being_erased, is_recalled = state
            offset = COOLING_OFF[cooling_off]
            task.clip.hidden_at = NOW if is_hidden else None
            task.clip.held_until = None if offset is None else timezone.now() + offset
            task.clip.withdrawal = erasure if is_being_erased else None
            task.clip.save()
            row = ReleaseRow.objects.create(
                release=release, task=task, public_id=f"r{task.pk}", speaker="s", split="train", confidence=1
            )
            if is_recalled:
                Recall.objects.create(release=release, public_id=row.public_id, published_on=NOW)
            states[row.public_id] = state
        consent.withdraw(person, NOW)
        return states

    return all_states


def served(release, public_id):
    """Whether the sound of this row would be sent now."""
    [sound] = frozen.sounds(release, [public_id])
    return sound.may_be_sent


def readable(release):
    """The rows whose words would be read now."""
    return {row[0] for row in frozen._stored_rows(release) if row[-1]}


@mutant(
    "a recalled sound is not sent again when its speaker agrees again",
    "datasets/releases/frozen.py",
    kept_by="""            AND NOT EXISTS (
                SELECT FROM {Recall._meta.db_table} recalled
                WHERE recalled.release_id = pinned.release_id AND recalled.public_id = pinned.public_id
                AND recalled.published_on IS NOT NULL AND recalled.returned_on IS NULL
            )
""",
    broken="",
)
@mutant(
    "a recalled row is in no later archive, though its speaker agrees again",
    "datasets/models.py",
    kept_by="        return self.filter(~Exists(recalled))",
    broken="        return self.all()",
)
@pytest.mark.parametrize("audience", [RESEARCHERS, PUBLIC])
@pytest.mark.parametrize("given", CONSENTS)
def test_a_rows_words_are_read_and_its_sound_is_sent_in_the_same_states(juniper, pinned, audience, given):
    release, other = (
        Release.objects.create(
            slug=slug,
            audience=audience,
            published_at=NOW,
            line=versions.line_of(None, NOW),
            subsets=[["wake-word", "en", "hey juniper"]],
            asked=[pinning.asked_of(juniper)],
        )
        for slug in ("spring", "summer")
    )
    wendy = User.objects.create_user("wendy")
    states = pinned(release, wendy)
    Recall.objects.bulk_create(Recall(release=other, public_id=each, published_on=NOW) for each in states)
    steps, audiences = CONSENTS[given]
    for step in steps:
        step(wendy)
    expected = {
        public_id
        for public_id, (is_hidden, cooling_off, is_being_erased, is_recalled) in states.items()
        if audience in audiences
        and not (is_hidden or cooling_off == "running" or is_being_erased or is_recalled)
    }
    assert {public_id for public_id in states if served(release, public_id)} == expected
    assert readable(release) == expected and len(expected) == (2 if audience in audiences else 0)
    # What is listed does not depend on anything that happened since the last recall feed.
    listed = {public_id for public_id, state in states.items() if not state[-1]}
    assert {row.id for row in frozen.rows(release)} == listed
    assert contents.keep(release)["clips"] == len(listed) == len(states) / 2
    assert frozen.count_silent(release) == len(listed) - len(expected)
