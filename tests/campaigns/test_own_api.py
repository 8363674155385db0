"""Programs make, read, change, clone and open campaigns as the pages do; to one's own campaigns only."""

import json

import pytest

from accounts import audit
from accounts.models import AuditEvent, ProgramToken, Scope
from datasets import campaigns
from datasets.models import Annotation, Campaign, Task
from tagger.explorer import counting
from tagger.models import Recount
from tests.campaigns.test_own_campaigns import hers, olga  # noqa: F401
from tests.conftest import NOW
from tests.support.mutants import mutant

MINE = "/api/v1/campaigns/mine/"
HERS = "/api/v1/campaigns/juniper/"
MADE = {
    "slug": "amaryllis",
    "kind": "wake-word",
    "language": "en",
    "wake_word": "hey amaryllis",
    "confidence": 0.9,
    "max_annotations": 5,
    "translations": {"es": {"title": " Amarilis "}, "de": {"title": ""}},
}


@pytest.fixture
def call(client, olga):  # noqa: F811
    """As a program of Olga's, whose token has this scope."""
    _, key = ProgramToken.objects.create(olga, scopes=[Scope.MANAGE])

    def called(method, path, body=None, key=key):
        headers = {"Authorization": f"Token {key}"}
        if method == "get":
            return client.get(path, body, headers=headers)
        sent = json.dumps({} if body is None else body)
        return getattr(client, method)(path, sent, content_type="application/json", headers=headers)

    return called


def answered(campaign, bea, add_tasks):
    [task] = add_tasks(campaign, 1)
    Task.objects.filter(pk=task.pk).update(annotation_count=1)


def test_a_program_makes_a_campaign_as_the_page_does(call, olga):  # noqa: F811
    made = call("post", MINE, MADE)
    assert made.status_code == 201, made.json()
    campaign = Campaign.objects.get(slug="amaryllis")
    assert (campaign.owner, campaign.stage, campaign.title) == (olga, "draft", "“hey amaryllis” in English")
    assert campaign.translations == {"es": {"title": "Amarilis"}}
    told = made.json()
    assert (told["stage"], told["question_is_fixed"], told["recount"]) == ("draft", False, None)
    event = AuditEvent.objects.get(act=audit.Act.CHANGED_CAMPAIGN)
    assert (event.person, event.details["changed"]["confidence"]) == (olga, [None, 0.9])
    assert call("get", "/api/v1/campaigns/amaryllis/").json() == told
    assert "amaryllis" not in call("get", "/api/v1/campaigns/", key=tagging(olga)).content.decode()


def tagging(person):
    return ProgramToken.objects.create(person, scopes=[Scope.TAG])[1]


@pytest.mark.parametrize(
    ("wrong", "field", "says"),
    [
        ({"wake_word": ""}, "non_field_errors", "A wake-word campaign needs its wake word."),
        ({"max_annotations": 1}, "non_field_errors", "cannot be fewer than the least"),
        ({"confidence": 2}, "non_field_errors", "above 0 and at most 1"),
        ({"confidence": "nan"}, "confidence", "number"),
        ({"language": "klingon!"}, "language", "language code"),
        ({"slug": "new"}, "slug", "taken by a page"),
        ({"slug": "juniper"}, "slug", "already exists"),
        ({"slug": "not a slug"}, "slug", "valid"),
        ({"prompts": ["hello"]}, "prompts", "Only transcription campaigns"),
        ({"translations": {"xx": {"title": "x"}}}, "translations", "no language xx"),
        ({"translations": {"es": {"title": "x" * 81}}}, "translations", "80"),
        ({"colour": "red"}, "colour", "no such setting"),
        ({"kind": "poem"}, "kind", "not a valid choice"),
        ({"takes_part": "nobody"}, "takes_part", "not a valid choice"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_is_made(call, hers, wrong, field, says):  # noqa: F811
    refused = call("post", MINE, MADE | wrong)
    assert refused.status_code == 400 and says in json.dumps(refused.json()[field], ensure_ascii=False)
    assert Campaign.objects.count() == 1


def test_a_change_is_recorded_and_leaves_the_rest(call, hers, olga):  # noqa: F811
    changed = call("patch", HERS, {"must_hear": 0.5, "run_by": "Ada Lovelace"})
    assert changed.status_code == 200 and changed.json()["must_hear"] == 0.5
    hers.refresh_from_db()
    assert (hers.run_by, hers.wake_word, hers.confidence) == ("Ada Lovelace", "hey juniper", 0.75)
    event = AuditEvent.objects.get(act=audit.Act.CHANGED_CAMPAIGN)
    assert event.person == olga and event.details["changed"]["must_hear"] == [1.0, 0.5]
    assert "Lovelace" not in str(event.details)
    assert call("patch", HERS, {"slug": "other"}).status_code == 400
    assert call("patch", HERS, {"slug": "juniper", "stage": "closed"}).json()["stage"] == "open"


@mutant(
    "a changed rule is applied also if a program changes it",
    "tagger/campaigns/own_api.py",
    kept_by="            changes.apply(campaign, said, request.user, timezone.now())\n",
    broken="            campaigns.change(campaign, said, request.user, timezone.now())\n",
)
def test_another_rule_is_applied_to_the_clips_that_are_there(call, hers, add_tasks):  # noqa: F811
    add_tasks(hers, 3)
    assert call("patch", HERS, {"must_hear": 0.5}).json()["recount"] is None
    told = call("patch", HERS, {"max_annotations": 9}).json()["recount"]
    assert (told["tasks"], told["done"], told["finished_at"]) == (3, 0, None)
    assert Recount.objects.get().campaign == hers


@pytest.mark.parametrize(
    "changed", [{"wake_word": "hey june"}, {"language": "de"}, {"kind": "transcription"}]
)
def test_the_question_stays_once_it_was_answered(call, hers, bea, add_tasks, changed):  # noqa: F811
    answered(hers, bea, add_tasks)
    refused = call("patch", HERS, changed | {"must_hear": 0.5})
    assert refused.status_code == 409 and "Clone the campaign instead" in refused.json()["detail"]
    hers.refresh_from_db()
    assert (hers.wake_word, hers.must_hear) == ("hey juniper", 1.0)
    assert call("get", HERS).json()["question_is_fixed"] is True


def test_stages_follow_each_other_as_on_the_page(call, hers):  # noqa: F811
    for stage in ("paused", "open", "closed", "archived"):
        assert call("post", f"{HERS}stage/", {"stage": stage}).json()["stage"] == stage
    refused = call("post", f"{HERS}stage/", {"stage": "open"})
    assert refused.status_code == 409 and "archived" in refused.json()["detail"]
    for body in ({}, {"stage": "lost"}, []):
        assert call("post", f"{HERS}stage/", body).status_code == 400


def test_a_clone_has_the_settings_and_not_the_name(call, hers, olga, bea, add_tasks):  # noqa: F811
    campaigns.change(hers, {"guidelines": "Only this.", "confidence": 0.8}, olga, NOW)
    answered(hers, bea, add_tasks)
    assert call("post", f"{HERS}clone/", {}).status_code == 400
    made = call("post", f"{HERS}clone/", {"slug": "june", "wake_word": "hey june"})
    assert made.status_code == 201, made.json()
    june = Campaign.objects.get(slug="june")
    assert (june.guidelines, june.confidence, june.wake_word) == ("Only this.", 0.8, "hey june")
    assert (june.stage, june.title, june.tasks.count()) == ("draft", "“hey june” in English", 0)


def test_sentences_to_read_are_set_and_cloned(call, olga):  # noqa: F811
    said = {"slug": "words", "kind": "transcription", "language": "en", "prompts": ["one", "two"]}
    assert call("post", MINE, said).status_code == 201
    call("post", "/api/v1/campaigns/words/clone/", {"slug": "more"})
    call("patch", "/api/v1/campaigns/words/", {"prompts": ["two", "three"]})
    texts = {each.slug: set(each.prompts.values_list("text", flat=True)) for each in Campaign.objects.all()}
    assert texts == {"words": {"two", "three"}, "more": {"one", "two"}}


def test_what_a_rule_would_lead_to_is_told_and_nothing_changes(call, hers, add_tasks, volunteers):  # noqa: F811
    assert call("get", f"{HERS}foresee/").json() == {"now": None, "then": None}
    for task in add_tasks(hers, 10):
        for person, said in zip(volunteers, ("yes", "yes", "no"), strict=False):
            Annotation.objects.create(task=task, annotator=person, answer=said, created_at=NOW)
    Task.objects.update(annotation_count=3)
    told = call("get", f"{HERS}foresee/", {"max_annotations": 2, "confidence": "0.99"}).json()
    assert told["then"]["clips"] == 10 and told["then"]["replayed"] == 10 and told["then"]["like"] is None
    assert 2 <= told["then"]["votes_a_clip"]["value"] <= told["now"]["votes_a_clip"]["high"]
    assert not AuditEvent.objects.filter(act=audit.Act.CHANGED_CAMPAIGN).exists()
    for wrong in ({"confidence": 7}, {"max_annotations": 1}, {"min_annotations": "x"}):
        assert call("get", f"{HERS}foresee/", wrong).status_code == 400


ADDRESSES = (
    *(("get", MINE), ("post", MINE), ("get", HERS), ("patch", HERS), ("get", f"{HERS}foresee/")),
    *(("post", f"{HERS}stage/"), ("post", f"{HERS}clone/")),
)


@mutant(
    "a program needs the right to manage campaigns",
    "tagger/campaigns/calls.py",
    kept_by="    token_scopes = (Scope.MANAGE,)\n",
    broken="    token_scopes = (Scope.MANAGE, Scope.TAG)\n",
)
def test_the_token_needs_the_scope_and_the_person_the_role_and_a_second_factor(call, hers, olga, bea):  # noqa: F811
    wrong = [tagging(olga), ProgramToken.objects.create(bea, scopes=[Scope.MANAGE])[1]]
    for key in wrong:
        assert {call(*address, key=key).status_code for address in ADDRESSES} == {403}
    olga.authenticator_set.all().delete()
    assert {call(*address).status_code for address in ADDRESSES} == {403}


def test_another_owners_campaign_does_not_exist(call, hers, bea):  # noqa: F811
    Campaign.objects.update(owner=bea)
    assert {call(*address).status_code for address in ADDRESSES if address[1] != MINE} == {404}
    assert call("get", MINE).json() == []


def test_the_list_costs_the_same_however_many_there_are(call, hers, olga, django_assert_max_num_queries):  # noqa: F811
    for number in range(20):
        campaigns.make(MADE | {"slug": f"a{number}", "translations": {}}, olga, NOW)
    counting.count_due(lambda: NOW)
    with django_assert_max_num_queries(4):
        listed = call("get", MINE).json()
    assert len(listed) == 21 and listed[-1]["slug"] == "juniper" and listed[0]["stage"] == "draft"
    with django_assert_max_num_queries(6):
        call("get", HERS)
