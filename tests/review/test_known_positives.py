"""What is missed is measured by made sounds, which nobody can tell from clips; the card says it."""

from datetime import timedelta
from io import StringIO

import numpy as np
import pytest
from django.core.management import call_command
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from accounts import consent
from accounts.models import Purpose
from datasets import campaigns
from datasets.clips import audio
from datasets.models import Annotation, Campaign, Clip, Release, Task
from datasets.releases.about import about
from datasets.releases.formats import card
from datasets.releases.formats.summary import Summary
from tagger.consensus.intervals import wilson
from tagger.demo import invented
from tagger.models import KnownPositive, PrivacyCheck
from tagger.privacy import silencing
from tagger.progress import missed
from tagger.review import check_order, clearing, known_positives, signs
from tests.conftest import NOW, Dice
from tests.support.checking import look, privacy_reviewer
from tests.support.described import Form
from tests.support.mutants import mutant
from tests.support.released import settle

DAY = timedelta(days=1)


@pytest.fixture
def alice(alice):
    for material in ("wake-word", "utterance"):
        consent.give(alice, material, [Purpose.PUBLIC], NOW, reference="on paper")
    return alice


@pytest.fixture
def pia(db):
    return privacy_reviewer("pia")


@pytest.fixture
def known(db):
    """Two in English, one in Spanish."""
    sounds = [np.full(16_000, level, dtype=np.int16) for level in (100, 200)]
    known_positives.add(sounds, "en", NOW)
    known_positives.add(sounds[:1], "es", NOW)


@pytest.fixture
def mixed_in(monkeypatch):
    def show(number):
        monkeypatch.setattr(known_positives, "dice", Dice(number))

    show(0)
    return show


@pytest.fixture
def settled(juniper, share):
    return settle(share(juniper))


@mutant(
    "known positives are mixed in at the rate that is set",
    "tagger/review/known_positives.py",
    kept_by="    if dice.random() >= settings.KNOWN_CHECKS_SHARE:\n        return None\n",
    broken="",
)
@mutant(
    "nobody gets a known positive twice, by which they would know it",
    "tagger/review/known_positives.py",
    kept_by=".exclude(checks__checker=checker)",
    broken="",
)
def test_known_positives_in_the_clips_language_are_mixed_in_once_each(known, settled, pia, mixed_in):
    for _ in range(2):
        check = look(pia, NOW, "unsure")
        assert (check.clip, check.language) == (None, "en")
    assert clearing.take(pia, NOW).clip == settled.clip
    mixed_in(0.06)
    assert clearing.take(privacy_reviewer("quinn"), NOW).clip == settled.clip


@mutant(
    "a program is not told which checks have a known answer",
    "tagger/review/api_checks.py",
    kept_by='        fields = ["id", "language",',
    broken='        fields = ["id", "clip", "language",',
)
def test_who_checks_cannot_tell_a_known_positive_from_a_clip(known, settled, pia, mixed_in):
    """By its page, API, audit event or own data: they differ in nothing but numbers and the time."""
    client = Client()
    client.force_login(pia)

    def seen():
        said = client.post("/api/v1/reviews/checks/next/").json()
        page = client.get("/review/checks/").content.decode()
        sound = client.get(said["audio"])
        assert sound.getvalue().startswith(b"RIFF")
        client.post(f"/api/v1/reviews/checks/{said['id']}/put-back/")
        return {name: type(value) for name, value in said.items()}, len(page), dict(sound.headers).keys()

    KnownPositive.objects.update(seconds=Clip.objects.get().seconds)
    first = seen()
    mixed_in(1)
    other = seen()
    assert (first[0], first[2]) == (other[0], other[2]) and abs(first[1] - other[1]) < 5
    assert set(pia.audit_events.values_list("act", flat=True)) == {"heard"}
    assert {about.split()[0] for about in pia.audit_events.values_list("about", flat=True)} == {"check"}


@mutant(
    "a known positive is in no task, and so in no release",
    "tagger/review/clearing.py",
    kept_by="    if clip:\n        _settle",
    broken="    if True:\n        _settle",
)
def test_an_answer_to_a_known_positive_changes_no_clip(known, settled, pia, mixed_in):
    look(pia, NOW)
    assert Clip.objects.get().cleared_at is None and Task.objects.count() == 1


def test_what_each_person_found_is_shown_from_the_next_day_on(known, settled, pia, mixed_in, rita):
    look(pia, NOW)
    look(pia, NOW, "yes")
    assert missed.by_person(NOW) == []
    assert missed.by_person(NOW + DAY) == [(pia.pk, missed.Missed(2, 1))]
    client = Client()
    client.force_login(rita)
    page = client.get("/review/volunteers/").content.decode()
    assert f"person {pia.pk}" in page and "50 % (9–91 %)" in page


def test_the_release_says_what_was_checked_and_what_is_missed(known, juniper, share, pia, rita, mixed_in):
    elsewhere = campaigns.create(slug="elsewhere", kind="wake-word", wake_word="hey elder", language="en")
    tasks = [settle(share(juniper)) for _ in range(3)]
    look(pia, NOW)
    look(pia, NOW, "yes")
    mixed_in(1)
    for _ in range(3):
        look(pia, NOW, "yes")
    silencing.silence(tasks[1].clip, [(0.1, 0.2)], rita, NOW)
    silencing.destroy(tasks[2].clip, rita, NOW)
    silencing.destroy(share(elsewhere).clip, rita, NOW)  # of no campaign of this release
    for task in tasks[:2]:
        Clip.objects.filter(tasks=task).update(cleared_at=NOW)
    call_command("release", "open", "--public", campaign=["juniper"])
    release = Release.objects.get()
    assert release.clearing == {
        **{"checkers": 2, "checked": 2, "found": 2, "silenced": 1, "destroyed": 1, "not_cleared": 0},
        **{"known": 2, "missed": 1, "missed_low": 0.095, "missed_high": 0.905},
    }
    said = card.readme(about(release), Summary(), Form)
    for sentence in (
        "heard whole by two people",
        "heard something private: 2\n",
        "silenced: 1\n",
        "destroyed: 1\n",
        "missed 1 (50.0%, 95 % interval 9.5% to 90.5%)",
    ):
        assert sentence in said
    assert Client().get("/api/v1/releases/open/").json()["clearing"] == release.clearing


@given(st.integers(0, 500), st.integers(0, 500))
def test_the_interval_holds_the_share_and_narrows_with_more_cases(found, more):
    number = found + more
    low, high = wilson(found, number)
    assert 0 <= low <= (found / number if number else 0.5) <= high <= 1
    wider = wilson(2 * found, 2 * number)
    assert not number or wider[1] - wider[0] < high - low


@mutant(
    "what is likeliest private is heard first",
    "tagger/review/clearing.py",
    kept_by='F("private_signs").desc(nulls_last=True), "pk")',
    broken='"pk")',
)
def test_clips_with_signs_of_something_private_come_first(sentences, juniper, add_tasks, bea, pia):
    said = ["turn on the light", "call ada on 555 0199", "it is ada"]
    for words, task in zip(said, add_tasks(sentences, 3), strict=True):
        settle(task, words)
    voices = settle(add_tasks(juniper, 1)[0])
    Annotation.objects.create(task=voices, annotator=bea, answer="yes", several_speakers=True, created_at=NOW)
    assert check_order.count_signs() == 4 and check_order.count_signs() == 0
    found = dict(Task.objects.values_list("pk", "clip__private_signs"))
    assert list(found.values()) == [0, 3, 1, 1]
    order = [check.clip.tasks.get() for check in iter(lambda: look(pia, NOW), None)]
    assert [found[task.pk] for task in order] == [3, 1, 1, 0]
    assert Campaign.objects.count() == 2 and PrivacyCheck.objects.count() == 4


@pytest.mark.parametrize(
    ("language", "words", "number"),
    [
        ("en", "write to ada.l@example.org", 2),
        ("en", "it is spelled J-O-H-N", 1),
        ("en", "i am on a bus", 0),
        ("es", "pero no hay nada de eso", 0),
        ("es", "soy maría josé", 2),
        ("de", "hier ist jürgen", 1),
        ("fr", "c'est hélène", 1),
        ("ar", "أنا أحمد", 1),
        ("ar", "رقمي ٥٥٥", 1),
    ],
)
def test_signs_are_counted_in_the_languages_of_the_site(language, words, number):
    assert signs.count(words, language) == number


def test_the_command_makes_sounds_in_each_language_of_the_site(db):
    for language in invented.SAID:
        call_command("make_known_positives", 1, language=language, stdout=StringIO())
    made = KnownPositive.objects.all()
    assert set(invented.SAID) == {each.language for each in made}
    assert all(1 < len(audio.read(bytes(each.sound))) / audio.RATE == each.seconds for each in made)
