"""Uploads that race an opt-out, and uploads without consent.

The environment variables RACES and UPLOADS set how many; by default few, to keep the test run short.
"""

import hashlib
import os
import sys
from threading import Event

import numpy as np
import pytest
import redis
from django.conf import settings
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.utils import timezone

from accounts import consent, devices
from accounts.models import DataKey, Material, Purpose, User
from datasets.clips import intake
from datasets.models import Clip, Task, Withdrawal
from tagger.lending import assignments
from tagger.privacy import withdrawal
from tests.support import sounds
from tests.support.mutants import mutant
from tests.support.stored import files

RACES = int(os.environ.get("RACES", "100"))
UPLOADS = int(os.environ.get("UPLOADS", "500"))
BY_HTTP = 50


def sound(seed):
    """A short and unique sound, because the race is about storing, not decoding."""
    noise = 6_000 * np.random.default_rng(seed).standard_normal(8_000)
    return intake.read(sounds.in_format("wav", noise.astype(np.int16)))


def scrub_all():
    for pk in withdrawal.unfinished():
        withdrawal.scrub(Withdrawal.objects.get(pk=pk), timezone.now)


@mutant(
    "no upload is stored for a person who is leaving",
    "accounts/consent.py",
    kept_by="    lock(contributor)\n    found = ",
    broken="    found = ",
)
@pytest.mark.django_db(transaction=True)
def test_an_upload_that_races_an_opt_out_leaves_no_clip_no_file_and_no_key(juniper, own_home, run_together):
    won = sum(run_race(number, juniper, own_home, run_together) for number in range(RACES))
    sys.stdout.write(f"{RACES} races, {won} of {2 * RACES} uploads came first\n")
    assert 0 < won < 2 * RACES, "both sides must win some races, or nothing was tested"


def run_race(number, juniper, own_home, run_together):
    """Two uploads and an opt-out at once; how many uploads came first.

    Of seven races five are free. A scheduler may favour the same side each time, so in one of seven the
    opt-out waits for the first upload, and in another the second upload waits for the opt-out.
    """
    person = User.objects.create_user(f"racer {number}")
    consent.give(person, Material.WAKE_WORD, [Purpose.VOLUNTEERS], timezone.now(), reference="on paper")
    origin = intake.Origin(person, Clip.Source.BROWSER, "en")
    two = [sound(2 * number), sound(2 * number + 1)]
    stored, gone = Event(), Event()

    def upload(one):
        try:
            return intake.add(one, juniper, origin, timezone.now())
        finally:
            stored.set()

    def upload_second():
        assert number % 7 != 3 or gone.wait(30)
        return upload(two[1])

    def opt_out():
        assert number % 7 != 0 or stored.wait(30)
        try:
            if number % 2:
                return withdrawal.forget_contributor(person, timezone.now())
            return withdrawal.forget_account(person, False, timezone.now())
        finally:
            gone.set()

    first, left, second = run_together(lambda: upload(two[0]), opt_out, upload_second)
    assert isinstance(left, withdrawal.ErasureRequest), left
    for outcome in (first, second):
        assert outcome is True or isinstance(outcome, consent.NoConsent), outcome
    assert not Clip.objects.live_for(Purpose.VOLUNTEERS).exists()  # even before the scrub
    scrub_all()
    assert (Clip.objects.count(), Task.objects.count(), files(own_home)) == (0, 0, [])
    assert DataKey.objects.filter(person=person).exists() == bool(number % 2)
    return [first, second].count(True)


@mutant(
    "two workers at one erasure count nothing twice",
    "tagger/privacy/withdrawal.py",
    kept_by="    Withdrawal.objects.select_for_update().get(pk=request.pk)\n",
    broken="    pass\n",
)
@pytest.mark.django_db(transaction=True)
def test_two_workers_at_one_erasure_count_nothing_twice(alice, bea, juniper, sentences, share, run_together):
    """One worker from the queue and one from beat, on the same request."""
    for _ in range(3):
        share(juniper)
    for lent in assignments.lend(bea, juniper, 3, timezone.now()):
        assignments.hand_in(bea, lent.pk, "yes", timezone.now())
    for person in (bea, alice):
        request = withdrawal.forget_account(person, False, timezone.now()).withdrawal

        def scrub(request=request):
            withdrawal.scrub(Withdrawal.objects.get(pk=request), timezone.now)

        assert run_together(*[scrub] * 4) == [None] * 4
    counts = [row.counts for row in Withdrawal.objects.order_by("pk")]
    assert (counts[0]["answers"], counts[1]["clips"], counts[1]["tasks"]) == (3, 3, 3)


def disk(home):
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in home.rglob("*") if path.is_file()}


def database():
    """Every table and a hash of all its rows."""
    with connection.cursor() as cursor:
        tables = {}
        for table in connection.introspection.table_names(cursor):
            cursor.execute(
                f'SELECT count(*), md5(string_agg(t::text, chr(10) ORDER BY t::text)) FROM "{table}" t'
            )
            tables[table] = cursor.fetchone()
    return tables


def broker():
    """Every key of Redis with its value."""
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        return {key: client.dump(key) for key in client.scan_iter()}


@pytest.fixture
def unwilling(alice, sam, juniper, sentences):
    """Contributors whose consent does not cover the campaign, each for a different reason."""
    lapsed = User.objects.create_user("lapsed")
    consent.give(
        lapsed, Material.WAKE_WORD, Material.WAKE_WORD.purposes, timezone.now(), reference="on paper"
    )
    consent.withdraw(lapsed, timezone.now())
    half = User.objects.create_user("half")
    consent.give(half, Material.WAKE_WORD, [Purpose.VOLUNTEERS], timezone.now(), reference="on paper")
    hushed = User.objects.create_user("hushed")
    consent.give(hushed, Material.UTTERANCE, [Purpose.RESEARCHERS], timezone.now(), reference="on paper")
    gone = User.objects.create_user("gone")
    consent.give(gone, Material.WAKE_WORD, Material.WAKE_WORD.purposes, timezone.now(), reference="on paper")
    withdrawal.forget_account(gone, False, timezone.now())
    scrub_all()
    return [
        (sam, juniper, ""),  # never gave any
        (lapsed, juniper, ""),  # gave and withdrew
        (half, sentences, ""),  # gave for the other material
        (hushed, sentences, ""),  # gave for the other purpose only
        (gone, juniper, ""),  # left
        (alice, juniper, "another paper"),  # gave, but not on this reference
    ]


@pytest.mark.django_db(transaction=True)
def test_uploads_without_the_right_consent_change_nothing_anywhere(unwilling, own_home):
    sample = sound(1)
    cache.clear()  # entries of other tests expire by themselves
    before = disk(own_home), database(), broker()
    refused = 0
    for number in range(UPLOADS):
        person, campaign, reference = unwilling[number % len(unwilling)]
        # A different recording each time, so that it is not the fingerprint that stops it.
        one = intake.Sound(sample.samples, f"{number:064x}")
        origin = intake.Origin(person, Clip.Source.DEVICE, "en", reference)
        with pytest.raises(consent.NoConsent):
            intake.add(one, campaign, origin, timezone.now())
        refused += 1
    sys.stdout.write(f"{refused} of {UPLOADS} uploads refused\n")
    assert (disk(own_home), database(), broker()) == before


@pytest.mark.django_db(transaction=True)
def test_uploads_over_http_without_the_right_consent_change_nothing_anywhere(sam, juniper, own_home, client):
    """By the record page and by a paired device."""
    sam.roles = ["contributor"]
    sam.save()
    client.force_login(sam)
    access = paired(sam)
    wav = sounds.in_format("wav", sounds.babble(3, 1.5))
    before = disk(own_home), database(), broker()
    for number in range(BY_HTTP):
        # A different recording each time, so that it is not the fingerprint that stops it.
        file = SimpleUploadedFile("a.wav", wav[:-4] + number.to_bytes(4, "little"), "audio/wav")
        if number % 2:
            answer = client.post(f"/record/{juniper.slug}/", {"audio": file})
            assert answer.status_code == 403
        else:
            answer = client.post(
                f"/v1/device/{access.device}/wake-word-file",
                {"audio": file, "metadata": SimpleUploadedFile("m.json", b"{}")},
                headers={"authorization": f"Bearer {access.access}"},
            )
            assert 400 <= answer.status_code < 500 and answer.status_code != 401, answer.content
    assert (disk(own_home), database(), broker()) == before


def paired(owner):
    offer = devices.offer("state", timezone.now())
    devices.claim(owner, offer.code, "kitchen", timezone.now())
    return devices.activate("state", offer.token, {}, timezone.now())
