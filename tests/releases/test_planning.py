"""Archives are planned before anybody asks for them."""

from datetime import timedelta

import pytest

from accounts import consent
from datasets.models import ArchivePlan
from datasets.releases import formats, planning, recalls, retraction
from datasets.tasks import plan_archives
from tests.conftest import NOW
from tests.support.released import release, settle


@pytest.fixture
def spring(juniper, share):
    settle(share(juniper))
    return release("spring", juniper)


def all_day():
    return True


def test_every_format_of_every_release_is_planned_once(spring):
    assert plan_archives() == len(formats.FORMATS)
    assert set(ArchivePlan.objects.values_list("form", flat=True)) == set(formats.FORMATS)
    assert plan_archives() == 0


def test_why_a_format_cannot_take_a_release_is_kept(sentences, share):
    settle(share(sentences), "turn on the lights")
    release("said", sentences)
    planning.plan_some(all_day)
    kept = ArchivePlan.objects.get(form="precise")
    assert (kept.size, kept.refusal["code"]) == (0, "no-clips")
    assert ArchivePlan.objects.get(form="deepspeech").size > 0


def test_it_goes_on_where_it_stopped(spring):
    times = iter([True, False])
    assert planning.plan_some(lambda: next(times)) == 1
    assert planning.plan_some(all_day) == len(formats.FORMATS) - 1


def test_a_new_feed_is_planned_anew(spring, alice):
    planning.plan_some(all_day)
    consent.withdraw(alice, NOW)
    assert planning.plan_some(all_day) == 0
    recalls.publish(NOW + timedelta(days=1))
    assert planning.plan_some(all_day) == len(formats.FORMATS)


def test_a_retracted_release_is_not_planned(spring, rita):
    retraction.retract(spring, "labels were swapped", rita, NOW)
    assert planning.plan_some(all_day) == 0


def test_the_next_version_has_its_deltas_planned(spring, juniper, share):
    settle(share(juniper))
    release("summer", juniper, after=spring)
    planning.plan_some(all_day)
    planned = set(ArchivePlan.objects.filter(release__slug="summer").values_list("form", flat=True))
    assert {"precise", "precise-delta"} <= planned
