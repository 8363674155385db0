"""The attack: yesterday's database dump and vault with today's keys open everything of people who stayed,
and nothing of people who left."""

import os
import pickle
import shutil

import numpy as np
import pytest
from django.utils import timezone

from accounts import consent, devices, key_rotation
from accounts import key_copy as copied
from accounts.models import Material, User
from datasets.clips import intake
from datasets.models import Annotation, Clip, ReleaseRow, Task, Withdrawal
from datasets.releases import freezing
from tagger.lending import assignments
from tagger.privacy import key_copy, rotation, tasks, withdrawal
from tagger.settling import settlement
from tests.conftest import NOW
from tests.support import opened, sounds
from tests.support.mutants import mutant
from tests.support.rotation import age, rotate
from tests.support.scan import Scanner

pytestmark = pytest.mark.django_db(transaction=True)

PEOPLE = ("leaver", "stayer")
CANARY = {
    f"{who}'s {what}": words.format(who=who)
    for who in PEOPLE
    for what, words in {
        "name": "kanarie-{who}-ünver",
        "address": "mail-canary-{who}@example.org",
        "device": "canary lamp of {who}",
        "first words": "first the yellow canary of {who} sang",
        "second words": "second the yellow canary of {who} slept",
    }.items()
}
NOISE = {
    f"{who}'s {nth} sound": (5_000 * np.random.default_rng(seed).standard_normal(12_000)).astype("<i2")
    for seed, (who, nth) in enumerate(
        (who, nth) for who in PEOPLE for nth in ("first", "second", "wake-word")
    )
}


@pytest.fixture(scope="module")
def scanner():
    return Scanner(CANARY | {name: samples.tobytes() for name, samples in NOISE.items()})


@pytest.fixture
def people(juniper, sentences, volunteers):
    """Two people with three clips each, which were labelled or transcribed, settled and released."""
    found = {}
    for who in PEOPLE:
        person = User.objects.create_user(CANARY[f"{who}'s name"], CANARY[f"{who}'s address"])
        for material in Material:
            consent.give(person, material, material.purposes, NOW, reference="on paper")
        offer = devices.offer("state", timezone.now())
        devices.claim(person, offer.code, CANARY[f"{who}'s device"], timezone.now())
        devices.activate("state", offer.token, {"platform": "shelf"}, timezone.now())
        found[who] = person
        for nth, campaign in (("first", sentences), ("second", sentences), ("wake-word", juniper)):
            sound = intake.read(sounds.in_format("wav", NOISE[f"{who}'s {nth} sound"]))
            origin = intake.Origin(person, Clip.Source.BROWSER, "en")
            intake.add(sound, campaign, origin, NOW, truth=CANARY.get(f"{who}'s {nth} words", ""))
    for volunteer in volunteers[:2]:
        for campaign in (juniper, sentences):
            for lent in assignments.lend(volunteer, campaign, 10, NOW):
                words = lent.task.reference or "yes"
                assignments.hand_in(volunteer, lent.pk, words, NOW)
    for task in Task.objects.all():
        settlement.settle(task.pk, NOW)
    freezing.freeze("first", [juniper, sentences], NOW)
    return found


@pytest.fixture
def attack(manage, people, site_environment, own_home, tmp_path):
    """Tries the keys of one day on yesterday's dump and vault; returns {row: what opened}."""
    url = site_environment["DATABASE_URL"]
    dump = opened.dump(url, tmp_path / "yesterday.sql")
    yesterday = tmp_path / "yesterday"
    shutil.copytree(own_home / "vault", yesterday / "vault")
    shutil.copytree(own_home / "keys", yesterday / "keys")

    def with_keys(keys, restored=True):
        # A new process finds the vault and the keys in its TAGGER_HOME.
        home = tmp_path / "attacker"
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(yesterday / "vault", home / "vault")
        shutil.copytree(yesterday / "keys" if keys == "yesterday" else own_home / "keys", home / "keys")
        with opened.Restored(url, dump, f"restored_{os.getpid()}") as address:
            environment = site_environment | {"DATABASE_URL": address, "TAGGER_HOME": str(home)}
            if restored:
                manage(environment, "restore_keys")
            write = f"from tests.support import opened; opened.write({str(home / 'all')!r})"
            manage(environment, "shell", "-c", write)
        return pickle.loads((home / "all").read_bytes())

    return with_keys


def erase(own_home):
    """Everything that follows a withdrawal: the scrub, the key rotation, the end of the old master key."""
    for pk in withdrawal.unfinished():
        tasks.scrub(pk)
    assert rotate() == ["0001"]


def opens(found):
    """What opened, without the data keys, which are replaced when a clip is erased."""
    return {row: each["opens"] for row, each in found.items() if not row.startswith("accounts.DataKey")}


def rows_of(person):
    """The person, their consents and devices, and everything that belongs to their clips."""
    clips = person.clips.all()
    found = [
        person,
        *person.consents.all(),
        *person.devices.all(),
        *clips,
        *Task.objects.filter(clip__in=clips),
    ]
    for model in (Annotation, ReleaseRow):
        found += model.objects.filter(task__clip__in=clips)
    return {f"{row._meta.label} {row.pk}" for row in found}


def test_yesterdays_dump_with_yesterdays_keys_opens_everything(attack, scanner, own_home):
    """The control: everything that the attack looks for exists, and the attack finds it."""
    found = attack("yesterday", restored=False)
    assert scanner.names(pickle.dumps(found)) == set(CANARY) | set(NOISE)
    assert not any(each["closed"] for each in found.values())


@mutant(
    "old backups open nothing of people who left",
    "accounts/key_rotation.py",
    kept_by="        keyring.destroy(master.name)\n        if not keyring.exists(master.name):\n",
    broken="        if True:\n",
)
def test_yesterdays_dump_with_todays_keys_opens_only_what_belongs_to_people_who_stayed(
    attack, people, scanner, own_home
):
    before = opens(attack("yesterday", restored=False))
    hers = rows_of(people["leaver"])
    withdrawal.forget_account(people["leaver"], False, timezone.now())
    erase(own_home)
    bare = attack("today", restored=False)
    assert not {name for name in scanner.names(pickle.dumps(bare)) if name.startswith("leaver")}
    found = attack("today")
    kept = {name for name in set(CANARY) | set(NOISE) if name.startswith("stayer")}
    assert scanner.names(pickle.dumps(found)) == kept
    now = opens(found)
    assert {row: now[row] for row in now if row not in hers} == {
        row: was for row, was in before.items() if row not in hers
    }
    assert {row for row in found if found[row]["closed"]} >= {
        row for row in hers if row.startswith("datasets.Clip ")
    }


def test_deleting_only_the_wrapped_key_hides_nothing(attack, people, scanner, own_home):
    """The control: as long as the old master key exists, the attack opens what was deleted."""
    withdrawal.forget_account(people["leaver"], False, timezone.now())
    for pk in withdrawal.unfinished():
        tasks.scrub(pk)
    assert scanner.names(pickle.dumps(attack("today"))) == set(CANARY) | set(NOISE)


@mutant(
    "old backups open no deleted clip",
    "tagger/privacy/withdrawal.py",
    kept_by="        _replace_key(person)\n",
    broken="        pass\n",
)
def test_a_deleted_clip_no_longer_opens_and_everything_else_of_that_person_does(
    attack, people, scanner, own_home
):
    person = people["stayer"]
    [first] = [clip for clip in person.clips.all() if "first" in clip.tasks.get().reference]
    before = opens(attack("yesterday", restored=False))
    withdrawal.forget_clips(person, [first.pk], timezone.now())
    erase(own_home)
    found = attack("today")
    gone = {"stayer's first words", "stayer's first sound"}
    assert scanner.names(pickle.dumps(found)) == (set(CANARY) | set(NOISE)) - gone
    closed = {row for row, each in found.items() if each["closed"]}
    assert {row: each for row, each in opens(found).items() if row not in closed} == {
        row: each for row, each in before.items() if row not in closed
    }


@mutant(
    "old backups still open the other clips of a person who deleted one",
    "tagger/privacy/key_copy.py",
    kept_by="[*key_copy.person_lines([person]), *_clip_lines([person])]",
    broken="[*key_copy.person_lines([person])]",
)
def test_without_clip_keys_in_the_copy_old_backups_of_a_person_who_deleted_a_clip_are_lost(
    attack, people, scanner, own_home
):
    """This is why the copy includes clip keys: restored from a copy without them, less opens."""
    person = people["stayer"]
    withdrawal.forget_clips(person, [person.clips.first().pk], timezone.now())
    erase(own_home)
    copied.replace([person.pk], copied.person_lines([person.pk]))
    assert "stayer's second sound" not in scanner.names(pickle.dumps(attack("today")))
    key_copy.replace(person.pk)
    assert "stayer's second sound" in scanner.names(pickle.dumps(attack("today")))


@mutant(
    "the master key is rotated after an erasure that was still running at the last rotation",
    "tagger/privacy/withdrawal.py",
    kept_by="            master = int(DataKey.objects.lock_master())\n",
    broken="            master = 1\n",
)
def test_a_scrub_that_began_before_the_last_key_rotation_asks_for_another(people, own_home):
    """An erasure names the master key of its end, so one that spans a rotation leads to the next one."""
    withdrawal.forget_account(people["leaver"], False, timezone.now())
    key_rotation.begin()
    key_rotation.put_in_use()
    [pk] = withdrawal.unfinished()
    withdrawal.scrub(Withdrawal.objects.get(pk=pk), timezone.now)
    age()
    assert Withdrawal.objects.get().last_master == 2 and rotation.is_due()


@mutant(
    "consent references in old backups open for everyone who stayed",
    "accounts/key_copy.py",
    kept_by="            given.update(sealed_reference=b64decode(reference))\n",
    broken="            given.exists()\n",
)
def test_consent_references_open_after_a_clip_was_deleted(attack, people, own_home):
    person = people["stayer"]
    withdrawal.forget_clips(person, [person.clips.first().pk], timezone.now())
    erase(own_home)
    found = attack("today")
    theirs = [row for row in person.consents.exclude(reference_hash="")]
    assert theirs
    assert {found[f"accounts.Consent {row.pk}"]["opens"].get("reference") for row in theirs} == {"on paper"}
