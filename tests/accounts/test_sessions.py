"""A person sees their sessions by day, and ends them one by one."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import sessions
from accounts.models import PersonalSession
from tests.support.mutants import mutant


@pytest.fixture
def log_in():
    def one_more(person):
        client = Client()
        client.force_login(person)
        return client

    return one_more


def ways_to_end(client):
    return re.findall(
        r'action="(/profile/sessions/\w+/end/)"', client.get("/profile/sessions/").content.decode()
    )


def is_in(client):
    return client.get("/profile/").status_code == 200


def test_each_session_is_listed_by_its_days_and_this_one_is_marked(bea, log_in):
    here = log_in(bea)
    log_in(bea)
    PersonalSession.objects.exclude(pk=here.session.session_key).update(
        began_on="2026-01-02", used_on="2026-02-03"
    )
    answer = here.get("/profile/sessions/")
    page = answer.content.decode()
    assert answer["Cache-Control"] == "no-store"
    assert "Began on Jan. 2, 2026" in page and "last used on Feb. 3, 2026" in page
    assert page.count("This one") == 1 and len(ways_to_end(here)) == 1
    keys = PersonalSession.objects.values_list("session_key", flat=True)
    assert not [key for key in keys if key in page]


def test_one_session_is_ended_and_the_others_stay(bea, log_in):
    here, there, elsewhere = (log_in(bea) for _ in range(3))
    address = reverse("end_session", args=[sessions.name(PersonalSession.objects.get(pk=key(there)))])
    assert address in ways_to_end(here)
    assert here.post(address)["Location"] == "/profile/sessions/"
    assert [is_in(each) for each in (here, there, elsewhere)] == [True, False, True]
    assert here.post(address).status_code == 404


def key(client):
    return client.session.session_key


def test_all_others_are_ended_at_once(bea, carl, log_in):
    here, there, elsewhere, carls = log_in(bea), log_in(bea), log_in(bea), log_in(carl)
    assert "Ended: 2 sessions." in here.post("/profile/sessions/end-others/", follow=True).content.decode()
    assert [is_in(each) for each in (here, there, elsewhere, carls)] == [True, False, False, True]


@mutant(
    "no one ends another person's session",
    "accounts/views_sessions.py",
    kept_by="    found = [each for each in acts.of(request.user) if",
    broken="    found = [each for each in type(request.user).sessions.rel.related_model.objects.all() if",
)
def test_another_persons_session_is_not_found(bea, carl, log_in):
    beas, carls = log_in(bea), log_in(carl)
    name = sessions.name(PersonalSession.objects.get(person=bea))
    assert carls.post(reverse("end_session", args=[name])).status_code == 404
    assert carls.post(reverse("end_session", args=[key(beas)])).status_code == 404
    assert is_in(beas)


def test_ending_this_one_leads_to_the_page_that_logs_out(bea, log_in):
    here = log_in(bea)
    name = sessions.name(PersonalSession.objects.get(person=bea))
    assert here.post(reverse("end_session", args=[name]))["Location"] == "/accounts/logout/"
    assert is_in(here)


def test_the_day_of_use_is_noted_once_a_day(bea, log_in, django_assert_num_queries):
    here = log_in(bea)
    today = timezone.now().date()
    rows = PersonalSession.objects.filter(person=bea)
    rows.update(began_on=today - timedelta(days=3), used_on=today - timedelta(days=1))
    store = sessions.SessionStore(key(here))
    with django_assert_num_queries(2):
        store.load()
    assert rows.get().used_on == today
    with django_assert_num_queries(1):
        store.load()
    store["anything"] = 1
    store.save()
    assert rows.get().began_on == today - timedelta(days=3) or "began_on" in store


def test_the_day_it_began_survives_a_change_of_its_key(bea, log_in):
    here = log_in(bea)
    store = here.session
    store["began_on"] = "2026-01-02"
    store.save()
    store.cycle_key()
    assert str(PersonalSession.objects.get(person=bea).began_on) == "2026-01-02"


def test_a_session_of_no_one_has_no_person_and_no_name_in_it(db, client):
    client.get("/accounts/login/")
    assert not PersonalSession.objects.filter(person__isnull=False).exists()
