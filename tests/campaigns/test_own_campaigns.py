"""An owner makes a campaign, changes it, opens and closes it; nobody else does, and the question stays."""

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from accounts import audit
from accounts.models import AuditEvent, Role, User
from datasets import campaigns
from datasets.models import Annotation, Campaign
from datasets.owners import owned_by
from tests.support import factors
from tests.support.mutants import mutant

FIELDS = {
    "slug": "amaryllis",
    "title": "Amaryllis",
    "purpose": "A wake word that belongs to nobody.",
    "becomes": "A public data set.",
    "run_by": "The Amaryllis group",
    "kind": "wake-word",
    "language": "en",
    "wake_word": "hey amaryllis",
    "guidelines": "Only **exactly** this.",
    "min_annotations": "2",
    "max_annotations": "5",
    "confidence": "0.9",
    "needs_track_record": "on",
    "control_share": "0.1",
    "must_hear": "1",
    "takes_part": "everyone",
    "release_audience": "researchers",
    "release_licence": "CC0-1.0",
    "title_es": "Amarilis",
}


@pytest.fixture
def olga(db):
    return factors.give_factor(User.objects.create_user("olga", roles=[Role.ANNOTATOR, Role.OWNER]))


@pytest.fixture
def as_olga(client, olga):
    client.force_login(olga)
    return client


@pytest.fixture
def hers(juniper, olga):
    Campaign.objects.filter(pk=juniper.pk).update(owner=olga)
    juniper.refresh_from_db()
    return juniper


def settings_of(campaign):
    return reverse("campaign_settings", args=[campaign.slug])


def typed(campaign, **changed):
    """The settings page's form as the browser sends it, with these fields changed."""
    said = {name: str(getattr(campaign, name)) for name in FIELDS if hasattr(campaign, name)}
    return said | {"speech_first": "on"} | changed


def test_an_owner_makes_a_campaign_that_volunteers_see_once_it_is_opened(as_olga, olga, bea):
    answer = as_olga.post(reverse("new_campaign"), FIELDS)
    assert answer.status_code == 302, answer.context["form"].errors
    campaign = Campaign.objects.get(slug="amaryllis")
    assert (campaign.owner, campaign.stage, campaign.control_share) == (olga, "draft", 0.1)
    assert campaign.translations == {"es": {"title": "Amarilis"}}
    as_olga.force_login(bea)
    assert "Amaryllis" not in as_olga.get("/tag/").content.decode()
    assert as_olga.get("/tag/amaryllis/agreement/").status_code == 404
    as_olga.force_login(olga)
    as_olga.post(reverse("campaign_stage", args=["amaryllis"]), {"stage": "open"})
    as_olga.force_login(bea)
    assert "Amaryllis" in as_olga.get("/tag/").content.decode()
    assert "Amarilis" in as_olga.get("/tag/", headers={"accept-language": "es"}).content.decode()


def test_what_is_wrong_is_said_at_its_field_and_nothing_is_made(as_olga):
    wrong = FIELDS | {"wake_word": "", "max_annotations": "1", "language": "klingon!", "confidence": "2"}
    page = as_olga.post(reverse("new_campaign"), wrong)
    errors = page.context["form"].errors
    assert {"language", "__all__"} <= errors.keys()
    assert "A wake-word campaign needs its wake word." in errors["__all__"]
    assert not Campaign.objects.exists()


@mutant(
    "what was asked stays once someone answered it",
    "datasets/models.py",
    kept_by="        self._refuse_another_question()\n",
    broken="",
)
@pytest.mark.parametrize(
    ("name", "value"), [("wake_word", "hey june"), ("language", "de"), ("kind", "transcription")]
)
def test_the_question_stays_from_the_first_answer_on(share, hers, bea, now, name, value):
    task = share(hers)
    campaigns.change(hers, {"wake_word": "hey juniper!"}, None, now)
    Annotation.objects.create(task=task, annotator=bea, answer="yes", created_at=now)
    type(task).objects.filter(pk=task.pk).update(annotation_count=1)
    with pytest.raises(ValidationError) as refused:
        campaigns.change(hers, {name: value}, None, now)
    assert name in refused.value.message_dict
    hers.refresh_from_db()
    assert getattr(hers, name) != value


def test_the_page_does_not_take_another_question_either(as_olga, share, hers, bea, now):
    task = share(hers)
    type(task).objects.filter(pk=task.pk).update(annotation_count=1)
    answer = as_olga.post(settings_of(hers), typed(hers, wake_word="hey june", title="June"))
    assert answer.status_code == 302, answer.context["form"].errors
    hers.refresh_from_db()
    assert (hers.wake_word, hers.title) == ("hey juniper", "June")


def test_a_change_is_recorded_with_old_and_new_value(as_olga, olga, hers):
    as_olga.post(settings_of(hers), typed(hers, must_hear="0.5", run_by="Ada Lovelace"))
    event = AuditEvent.objects.filter(act=audit.Act.CHANGED_CAMPAIGN).last()
    assert (event.person, event.about) == (olga, "campaign juniper")
    assert event.details["changed"]["must_hear"] == [1.0, 0.5]
    assert "Lovelace" not in str(event.details)


@pytest.mark.parametrize(
    ("start", "stages", "ends"),
    [
        ("draft", ["open", "paused", "open", "closed", "open"], "open"),
        ("draft", ["paused"], "draft"),
        ("open", ["archived"], "open"),
        ("closed", ["archived", "closed"], "closed"),
        ("open", ["nonsense"], "open"),
        ("open", ["open"], "open"),
    ],
)
def test_stages_follow_each_other(as_olga, hers, start, stages, ends):
    Campaign.objects.update(stage=start)
    for stage in stages:
        as_olga.post(reverse("campaign_stage", args=["juniper"]), {"stage": stage})
    assert Campaign.objects.get().stage == ends


def test_a_paused_campaign_has_a_kind_word_for_volunteers(client, share, hers, bea):
    share(hers)
    Campaign.objects.update(stage="paused")
    client.force_login(bea)
    assert "is paused by the people who run it" in client.get("/tag/juniper/").content.decode()
    assert "goes on later" in client.get("/tag/").content.decode()
    assert client.post("/api/v1/campaigns/juniper/assignments/", {"count": 1}).status_code == 404


def test_a_clone_begins_with_the_settings_and_without_the_name(as_olga, hers):
    form = as_olga.get(reverse("new_campaign") + "?like=juniper").context["form"]
    assert form["wake_word"].value() == "hey juniper"
    assert not form["slug"].value()


@mutant(
    "the pages of another's campaign do not exist",
    "datasets/owners.py",
    kept_by="Campaign.objects.filter(owner=person)",
    broken="Campaign.objects.all()",
)
def test_another_owners_campaign_does_not_exist_for_anyone_else(
    client, as_olga, olga, juniper, admin_user, rita
):
    for page in ("campaign_settings", "campaign_stage"):
        address = reverse(page, args=["juniper"])
        assert client.post(address, {"stage": "closed"}).status_code == 404
    assert client.get(reverse("new_campaign") + "?like=juniper").status_code == 404
    assert list(owned_by(admin_user)) == [juniper]
    client.force_login(rita)
    assert client.get(settings_of(juniper)).status_code == 403
    assert Campaign.objects.get().stage == "open"


def test_an_owner_without_a_second_factor_sets_it_up_first(client, hers, olga):
    olga.authenticator_set.all().delete()
    client.force_login(olga)
    assert client.get(settings_of(hers))["Location"] == reverse("mfa_index")


def test_the_preview_shows_guidelines_as_volunteers_read_them(as_olga):
    written = "Only **this**.\n\n<script>alert(1)</script> [x](javascript:alert(1)) ![](https://elsewhere.example/a.png)"
    shown = as_olga.post(reverse("preview_guidelines"), {"guidelines": written}).content.decode()
    assert "<strong>this</strong>" in shown
    assert "<script" not in shown and "<img" not in shown and 'href="javascript' not in shown


@pytest.mark.parametrize("kind", ["wake-word", "transcription"])
def test_the_preview_asks_as_volunteers_are_asked_and_keeps_nothing(as_olga, hers, olga, now, kind):
    if kind == "transcription":
        hers = campaigns.make({"slug": "words", "kind": kind, "language": "de"}, olga, now)
    campaigns.change(hers, {"guidelines": "Only **this**."}, olga, now)
    address = reverse("campaign_preview", args=[hers.slug])
    shown = as_olga.get(address).content.decode()
    assert str(hers.question_html) in shown and "<strong>this</strong>" in shown
    answered = as_olga.post(address, {"answer": "yes"})
    assert "no answer is kept" in answered.content.decode()
    assert not Annotation.objects.exists()
    assert as_olga.post(address, {"answer": ""}).status_code == 400
    assert as_olga.get(address + "?clip=99").status_code == 200
