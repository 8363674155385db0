"""Reported clips wait for a reviewer for as long as they would be live without the report."""

from datetime import timedelta
from itertools import product

import pytest
from django.utils import timezone

from accounts import consent
from accounts.models import Purpose
from datasets.models import Clip, Task, Withdrawal
from tagger.review import reports
from tests.conftest import NOW


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
