"""The listener's pledge, for programs: no clip is lent or played without it, and no answer is lost for it."""

import pytest
from django.utils import timezone

from datasets.models import Annotation
from tagger.lending import assignments
from tagger.models import Assignment
from tagger.welcome import pledge
from tests.desk.test_api import LEND, call, program_of
from tests.support.mutants import mutant

PLEDGE = "/api/v1/pledge/"


@pytest.fixture
def newcomer(bea):
    """A program of Bea's, who has not made the pledge."""
    type(bea).objects.filter(pk=bea.pk).update(pledge="")
    return program_of(bea)


@mutant(
    "the API lends no clip before the listener's pledge",
    "tagger/desk/api.py",
    kept_by="    permission_classes = [*VolunteerCall.permission_classes, HasPledged]\n",
    broken="    pass\n",
)
def test_no_clip_is_lent_or_played_before_the_pledge_and_the_answer_says_where_to_make_it(
    newcomer, bea, juniper, share
):
    share(juniper)
    [lent] = assignments.lend(bea, juniper, 1, timezone.now())
    share(juniper)
    paths = LEND, f"/api/v1/assignments/{lent.pk}/audio/", f"/api/v1/assignments/{lent.pk}/draft/"
    for method, path in zip(("post", "get", "get"), paths, strict=True):
        answer = call(newcomer, method, path)
        assert answer.status_code == 403
        assert (answer.json()["code"], answer.json()["pledge"]) == ("pledge-missing", PLEDGE)
        assert PLEDGE in answer.json()["detail"]
    assert Assignment.objects.count() == 1
    assert newcomer.post(PLEDGE, {"version": int(pledge.VERSION)}, format="json").status_code == 200
    for method, path, status in zip(("post", "get", "get"), paths, (201, 200, 200), strict=True):
        assert call(newcomer, method, path).status_code == status


@pytest.mark.parametrize("act", ["annotation", "skip", "report"])
def test_what_is_lent_already_is_handed_in_skipped_or_reported_without_the_pledge(
    newcomer, bea, juniper, share, act
):
    share(juniper)
    [lent] = assignments.lend(bea, juniper, 1, timezone.now())
    body = {"annotation": {"answer": "yes"}, "skip": None, "report": {"reason": "private"}}[act]
    answer = call(newcomer, "post", f"/api/v1/assignments/{lent.pk}/{act}/", body)
    assert answer.status_code in {201, 204}
    assert Annotation.objects.count() == (act == "annotation")


def test_the_pledge_says_what_is_promised_and_where_people_make_it(newcomer):
    said = newcomer.get(PLEDGE, headers={"Accept-Language": "es"}).json()
    assert said == {
        "version": int(pledge.VERSION),
        "promises": [
            "I do not repeat, copy or record what I hear.",
            "I do not try to find out who is speaking.",
            "I report what was not meant for me.",
        ],
        "page": "http://testserver/first-minute/",
        "is_made": False,
    }
    made = newcomer.post(PLEDGE, {"version": said["version"]}, format="json")
    assert (made.status_code, made.json()) == (200, said | {"is_made": True})
    assert newcomer.get(PLEDGE).json()["is_made"]


@mutant(
    "only the pledge's current version is made",
    "tagger/welcome/api.py",
    kept_by="!= int(pledge.VERSION):\n            refused",
    broken='== "":\n            refused',
)
@pytest.mark.parametrize("version", [0, 2, -1, 10**30])
def test_another_version_of_the_pledge_is_refused_with_the_current_one(newcomer, bea, version):
    answer = newcomer.post(PLEDGE, {"version": version}, format="json")
    assert answer.status_code == 400
    assert (answer.json()["code"], answer.json()["version"]) == ("pledge-outdated", int(pledge.VERSION))
    bea.refresh_from_db()
    assert bea.pledge == ""


@pytest.mark.parametrize("body", [{}, {"version": "one"}, {"version": None}, {"version": [1]}])
def test_a_pledge_without_a_version_is_refused_with_the_fields_name(newcomer, body):
    answer = newcomer.post(PLEDGE, body, format="json")
    assert (answer.status_code, list(answer.json())) == (400, ["version"])


def test_a_new_version_of_the_pledge_is_asked_of_programs_again(newcomer, juniper, share, monkeypatch):
    share(juniper)
    newcomer.post(PLEDGE, {"version": 1}, format="json")
    monkeypatch.setattr(pledge, "VERSION", "2")
    assert newcomer.post(LEND).status_code == 403
    assert newcomer.post(PLEDGE, {"version": 1}, format="json").json()["version"] == 2
    assert newcomer.post(PLEDGE, {"version": 2}, format="json").status_code == 200
    assert newcomer.post(LEND).status_code == 201


def test_whether_the_pledge_is_made_takes_no_query_of_its_own(
    bea, juniper, share, django_assert_max_num_queries, monkeypatch
):
    share(juniper)
    program = program_of(bea)
    with django_assert_max_num_queries(2):  # PREPARE and EXECUTE of the token's statement
        monkeypatch.setattr(pledge, "VERSION", "2")
        assert program.post(LEND).status_code == 403
