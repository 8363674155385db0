"""Who may take part: what is lent, shown and taken follows the campaign's choice."""

import re

import pytest
from django.urls import reverse

from datasets import taking_part
from datasets.models import Campaign, Participation, Withdrawal
from tagger.lending import assignments, waiting
from tagger.privacy import personal_data, withdrawal
from tests.campaigns.test_own_campaigns import as_olga, hers, olga  # noqa: F401
from tests.support.mutants import mutant


def only_for(campaign, who, language="en"):
    Campaign.objects.filter(pk=campaign.pk).update(takes_part=who, language=language)
    campaign.refresh_from_db()


def understands(person, *languages):
    type(person).objects.filter(pk=person.pk).update(languages=list(languages))
    person.refresh_from_db()


@mutant(
    "a campaign by invitation lends to those who were invited",
    "tagger/lending/assignments.py",
    kept_by="    if not taking_part.may(annotator, campaign):\n        return []\n",
    broken="",
)
@pytest.mark.parametrize(
    ("who", "language", "knows", "joined", "is_lent"),
    [
        ("everyone", "en", [], False, True),
        ("language", "en", [], False, False),
        ("language", "en-GB", ["en"], False, True),
        ("language", "de", ["en", "fr"], True, False),
        ("invited", "en", ["en"], False, False),
        ("invited", "en", [], True, True),
    ],
)
def test_clips_are_lent_to_those_who_take_part(
    share, juniper, bea, now, who, language, knows, joined, is_lent
):
    share(juniper)
    only_for(juniper, who, language)
    understands(bea, *knows)
    if joined:
        taking_part.join(bea, juniper)
    # What the list says is what lending does.
    assert (juniper.pk in waiting.campaigns(bea, now)) == is_lent
    assert bool(assignments.lend(bea, juniper, 1, now)) == is_lent


def test_nobody_else_sees_a_campaign_by_invitation(client, share, juniper, bea, alice):
    share(juniper)
    only_for(juniper, "invited")
    Campaign.objects.update(title="Orchids")
    client.force_login(bea)
    assert client.get("/tag/juniper/").status_code == 404
    assert client.post("/api/v1/campaigns/juniper/assignments/", {"count": 1}).status_code == 403
    for page in ("/", "/tag/", "/api/v1/campaigns/"):
        assert "Orchids" not in client.get(page).content.decode()
    client.force_login(alice)
    assert client.get("/record/juniper/").status_code == 404


def test_the_page_of_another_language_leads_to_the_choice_of_languages(client, juniper, bea):
    only_for(juniper, "language", "de")
    client.force_login(bea)
    assert client.get("/tag/juniper/", follow=True).redirect_chain[-1][0] == "/tag/"


def test_whoever_has_the_link_takes_part_until_it_ends(client, as_olga, hers, bea):  # noqa: F811
    only_for(hers, "invited")
    shown = as_olga.post(reverse("campaign_invitation", args=["juniper"])).content.decode()
    link = re.search(r"/campaigns/join/[\w-]+/", shown).group()
    assert (
        link.split("/")[3] not in as_olga.get(reverse("campaign_settings", args=["juniper"])).content.decode()
    )
    client.force_login(bea)
    assert "You are invited" in client.get(link).content.decode()
    assert not Participation.objects.exists()
    assert client.post(link)["Location"] == "/tag/juniper/"
    client.post(link)
    assert Participation.objects.get().person == bea
    client.force_login(hers.owner)
    client.post(reverse("campaign_invitation", args=["juniper"]), {"switch": "off"})
    client.force_login(bea)
    assert client.post(link).status_code == 404
    assert taking_part.may(bea, hers)


@mutant(
    "to which campaigns someone was invited is erased with them",
    "tagger/privacy/withdrawal.py",
    kept_by='        gone["participations"] = taking_part.leave_all(person)\n',
    broken="",
)
def test_an_invitation_is_shown_to_its_person_and_erased_with_them(juniper, bea, now):
    taking_part.join(bea, juniper)
    assert personal_data._profile(bea)["invited_to"] == ["juniper"]
    withdrawal.forget_account(bea, True, now)
    withdrawal.scrub(Withdrawal.objects.get(), lambda: now)
    assert not Participation.objects.exists()
