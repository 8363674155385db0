"""Fill a running site with people and their clips, and measure how long it takes to erase them.

Runs in a process of that site, see tests/support/opt_out_times.py.
"""

import secrets
import sys
import time

from django.utils import timezone

from accounts import consent, keys
from accounts.ciphers import KEY
from accounts.models import Material, Purpose, User
from datasets import campaigns
from datasets.clips import audio, vault
from datasets.models import Annotation, Campaign, Clip, Task, Withdrawal
from datasets.releases import freezing
from tagger.privacy import erasure
from tests.support import sounds
from tests.support.site import eventually

PROMISED_SECONDS = 300


def measure(opt_outs, clips):
    campaign = campaigns.create(
        slug="times",
        kind=Campaign.Kind.TRANSCRIPTION,
        language="en",
        min_annotations=2,
        max_annotations=5,
        needs_track_record=False,
    )
    people = [User.objects.create_user(f"speaker {number}") for number in range(2 * opt_outs)]
    listeners = [User.objects.create_user(f"listener {number}") for number in range(2)]
    for person in people:
        share(person, campaign, clips, listeners)
    freezing.freeze("times", [campaign], timezone.now())
    seconds = sorted(one_opt_out(person) for person in people[:opt_outs])
    places = {"min": 0, "median": opt_outs // 2, "p95": int(0.95 * opt_outs), "max": opt_outs - 1}
    times = ", ".join(f"{name} {seconds[place]:.2f} s" for name, place in places.items())
    left = Clip.objects.filter(contributor__in=people[:opt_outs]).count()
    stayed = Clip.objects.filter(contributor__in=people[opt_outs:]).count()
    sys.stdout.write(
        f"{opt_outs} opt-outs of {clips} clips: {times}; {left} of their clips left, {stayed} of others\n"
    )


def share(person, campaign, number, listeners):
    """Store clips as if they had been answered and settled already."""
    now = timezone.now()
    [basis] = consent.give(person, Material.UTTERANCE, [Purpose.VOLUNTEERS], now, reference="on paper")
    consent.give(person, Material.UTTERANCE, [Purpose.RESEARCHERS], now, reference="on paper")
    wav, data_key = audio.wav(sounds.babble(1)), keys.data_key(person)
    clips = [clip_of(person, basis, data_key, wav, now) for _ in range(number)]
    Clip.objects.bulk_create(clips)
    tasks = [task_of(clip, campaign, now) for clip in clips]
    Task.objects.bulk_create(tasks)
    given = [
        Annotation(task=task, annotator=listener, answer=task.answer, created_at=now)
        for task in tasks
        for listener in listeners
    ]
    Annotation.objects.bulk_create(given)


def clip_of(person, basis, data_key, wav, now):
    name, key = vault.new_name(), secrets.token_bytes(KEY)
    clip = Clip(
        contributor=person,
        consent=basis,
        material=Material.UTTERANCE,
        language="en",
        source=Clip.Source.BROWSER,
        seconds=1.0,
        speech_share=1.0,
        samples_hash=secrets.token_hex(32),
        stored_as=name,
        created_at=now,
    )
    clip.wrap(key, data_key)
    vault.put(name, key, wav)
    return clip


def task_of(clip, campaign, now):
    return Task(
        clip=clip,
        campaign=campaign,
        wanted=2,
        annotation_count=2,
        status=Task.Status.SETTLED,
        answer="what was said",
        confidence=1.0,
        settled_at=now,
    )


def one_opt_out(person):
    began = time.perf_counter()
    erasure.erase_account(person, False, timezone.now())
    request = Withdrawal.objects.filter(person_id=person.pk)
    assert eventually(lambda: request.get().finished_at is not None, PROMISED_SECONDS), f"person {person.pk}"
    return time.perf_counter() - began
