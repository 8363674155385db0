"""People who stopped answering: their owner is asked what their answers count, until they answer again."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEvent, User
from datasets.models import Annotation, Task
from tagger.explorer import counting, inactive, people, selection
from tagger.models import PersonFigures, PersonWeight
from tagger.settling import person_weights
from tests.support.mutants import mutant

pytestmark = pytest.mark.django_db
NOW = timezone.now()  # pages know no other one
DAY = timedelta(days=1)


@pytest.fixture
def stopped(hers, add_tasks, answer, bea, carl, dora):
    """Bea, Carl, Dora and Eli answered 100 days ago; Dora also 10 days ago, and Carl's account is closed."""
    old, new = add_tasks(hers, 2)
    answer(old, "no", "yes", "yes", "yes", at=NOW - 100 * DAY)
    Annotation.objects.create(task=new, annotator=dora, answer="yes", created_at=NOW - 10 * DAY)
    User.objects.filter(pk=carl.pk).update(is_active=False)
    assert counting.count(hers, lambda: NOW)
    return old


@pytest.fixture
def dora(volunteers):
    return volunteers[2]


@pytest.fixture
def eli(volunteers):
    return volunteers[3]


def choose(client, **sent):
    return client.post(reverse("campaign_inactive", args=["juniper"]), sent)


def weights():
    return dict(PersonWeight.objects.values_list("person", "factor"))


def test_who_stopped_is_counted_from_the_last_day(stopped, hers, bea, carl, dora, eli):
    assert PersonFigures.objects.get(person=dora).last_on == (NOW - 10 * DAY).date()
    found = {each.days: (each.people, each.answers) for each in inactive.counts(people.measured_at(hers))}
    assert found == {30: (3, 3), 90: (3, 3), 180: (1, 1), 365: (1, 1)}
    assert set(inactive.people(hers, 90, NOW)) == {bea.pk, carl.pk, eli.pk}


@pytest.mark.parametrize("sent", [{}, {"days": "90"}, {"factor": "0"}, {"days": "7", "factor": "0"}])
def test_nothing_is_chosen_beforehand_and_nothing_happens_without_a_choice(as_olga, stopped, sent, now):
    answered = choose(as_olga, **sent)
    assert answered.status_code == 400 and "errorlist" in answered.content.decode()
    assert not PersonWeight.objects.exists()
    shown = as_olga.get(reverse("campaign_people", args=["juniper"])).content.decode()
    assert "People who stopped answering" in shown and "checked" not in shown


@mutant(
    "what an owner decided about one person stays when they decide about all who stopped",
    "tagger/settling/person_weights.py",
    kept_by='    some = sorted(set(people) - set(alone.values_list("person", flat=True)))\n',
    broken="    some = sorted(people)\n",
)
def test_one_choice_for_all_who_stopped_except_where_one_was_decided_alone(
    as_olga, stopped, hers, olga, bea, carl, eli
):
    person_weights.decide(hers, carl, 2, "", olga, NOW)
    assert choose(as_olga, days="90", factor="0").status_code == 302
    assert weights() == {carl.pk: 2, bea.pk: 0, eli.pk: 0}
    changed = {"weights": {str(each.pk): [1, 0] for each in (bea, eli)}}
    event = AuditEvent.objects.latest("number")
    assert event.details == {"campaign": "juniper", "changed": changed}
    person_weights.recount(NOW)
    assert Task.objects.get(pk=stopped.pk).dirty_since
    assert Annotation.objects.count() == 5  # none is deleted
    # And back, which leaves no row.
    choose(as_olga, days="90", factor="1")
    person_weights.recount(NOW)
    assert weights() == {carl.pk: 2}


@mutant(
    "whoever answers again counts as usual again",
    "tagger/explorer/counting.py",
    kept_by="        person_weights.end_for_returned(campaign, now)\n",
    broken="",
)
def test_whoever_answers_again_counts_as_usual_again(stopped, hers, olga, add_tasks, bea, carl):
    person_weights.decide_until_return(hers, [bea.pk, carl.pk], 0.5, olga, NOW)
    person_weights.recount(NOW)
    [new] = add_tasks(hers, 1)
    Annotation.objects.create(task=new, annotator=bea, answer="yes", created_at=NOW + DAY)
    later = NOW + 2 * DAY
    assert counting.count(hers, lambda: later)
    person_weights.recount(later)
    assert weights() == {carl.pk: 0.5}
    changed = AuditEvent.objects.latest("number").details["changed"]
    assert changed == {"weights": {str(bea.pk): [0.5, 1]}}


def test_cells_of_the_matrices_lead_to_the_clips_behind_them(as_olga, stopped, hers, bea, carl):
    both = as_olga.get(reverse("campaign_people", args=["juniper"])).content.decode()
    assert f"?answered_by={bea.pk}&amp;also_by={carl.pk}" in both
    page = as_olga.get(reverse("campaign_person", args=["juniper", bea.pk])).content.decode()
    assert f"answered_by={bea.pk}&amp;answer=yes&amp;gave=no" in page
    found = {"answered_by": bea.pk, "also_by": carl.pk}
    assert list(selection.Selection(hers, found).tasks()) == [stopped]
    for gave, expected in (("no", [stopped]), ("yes", [])):
        found = {"answered_by": bea.pk, "gave": gave}
        assert list(selection.Selection(hers, found).tasks()) == expected


def test_a_filter_by_a_second_person_needs_a_first_one(as_olga, hers):
    answered = as_olga.get(reverse("campaign_clips", args=["juniper"]), {"also_by": "3"})
    assert "number here first" in answered.content.decode()
