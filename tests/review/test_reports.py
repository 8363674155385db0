"""Reported clips wait for a reviewer for as long as they would be live without the report, and so do their
recalls."""

from datetime import timedelta
from itertools import product

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import consent, notices
from accounts.models import Purpose
from datasets.models import Clip, Task, Withdrawal
from datasets.releases import recalls
from tagger.desk import examples
from tagger.review import reports
from tests.conftest import NOW
from tests.support.mutants import mutant
from tests.support.released import release, settle


@pytest.mark.parametrize(
    ("is_consented", "is_cooling_off", "is_being_erased"), list(product([True, False], repeat=3))
)
def test_a_reported_clip_waits_for_a_reviewer_exactly_if_it_is_live_without_the_report(
    alice, rita, juniper, add_tasks, is_consented, is_cooling_off, is_being_erased
):
    add_tasks(juniper, 1)
    erasure = Withdrawal.objects.create(
        person_id=alice.pk, scope=Withdrawal.Scope.CLIPS, token_sha256="x", requested_at=NOW
    )
    Clip.objects.update(
        hidden_at=NOW,
        held_until=timezone.now() + timedelta(hours=1 if is_cooling_off else -1),
        withdrawal=erasure if is_being_erased else None,
    )
    if not is_consented:
        consent.withdraw(alice, NOW)
    waits = reports.open_for(rita).exists()
    assert not Clip.objects.live_for(Purpose.VOLUNTEERS) and not Task.objects.live_for(Purpose.VOLUNTEERS)
    Clip.objects.update(hidden_at=None)
    is_live = is_consented and not is_cooling_off and not is_being_erased
    assert waits == is_live
    assert Clip.objects.live_for(Purpose.VOLUNTEERS).exists() == is_live
    assert Task.objects.live_for(Purpose.VOLUNTEERS).exists() == is_live
    assert not reports.open_for(rita)


@mutant(
    "what a reviewer shows again is good again in the feed",
    "tagger/review/reports.py",
    kept_by=".update(hidden_at=None)",
    broken=".update(hidden_at=now)",
)
def test_a_report_recalls_a_released_clip_and_showing_it_again_says_that_it_is_good(
    client, alice, bea, rita, juniper, share
):
    """Over the pages on which volunteers report an example and reviewers dismiss the report."""
    consent.give(alice, "wake-word", Purpose, NOW, notice=notices.current("en"))
    task = settle(share(juniper))
    spring = release("spring", juniper)
    [public_id] = spring.rows.values_list("public_id", flat=True)
    example = examples.choose(task, "clear")

    def feed_of_day(number):
        recalls.publish(timezone.now() + timedelta(days=number))
        feed = Client().get("/api/v1/recalls/spring.json").json()
        return feed["recalled"], feed["returned"]

    client.force_login(bea)
    client.post(reverse("report_example", args=[example.pk]), {"reason": "private"})
    assert feed_of_day(1) == ([public_id], [])
    client.force_login(rita)
    client.post(reverse("show_again", args=[task.clip_id]))
    assert feed_of_day(2) == ([], [public_id])
