"""A campaign's own reviewers: by a link that one person takes up, for what waits in that campaign alone."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import journal
from accounts.models import AuditEvent, Role, Scope, User
from datasets import reviewing
from datasets.models import Campaign, CampaignReviewer, Withdrawal
from tagger.desk import guidelines_flags
from tagger.lending import assignments
from tagger.models import Report
from tagger.privacy import restore, withdrawal
from tagger.review import queue, reports
from tests.campaigns.test_own_campaigns import as_olga, hers, olga  # noqa: F401
from tests.conftest import NOW
from tests.support import takeout
from tests.support.factors import give_factor
from tests.support.mutants import mutant
from tests.support.reviewing import dispute_over


@pytest.fixture
def cora(db):
    """Someone with a second factor, who reviews nothing yet."""
    return give_factor(User.objects.create_user("cora", roles=[Role.ANNOTATOR]))


def link_from(page):
    return re.search(r"/campaigns/review/[\w-]+/", page.content.decode()).group()


def makes_reviewer(person, campaign):
    reviewing.accept(person, reviewing.INVITATIONS.make(campaign, NOW), NOW)
    person.refresh_from_db()
    return person.reviewing.get(campaign=campaign)


@pytest.fixture
def other(juniper):
    return Campaign.objects.create(slug="oleander", language="en", kind="wake-word", wake_word="oleander")


def test_whoever_takes_up_the_link_first_reviews_the_campaign(client, as_olga, hers, cora, bea):  # noqa: F811
    page = reverse("campaign_reviewers", args=["juniper"])
    link = link_from(as_olga.post(page))
    assert link not in as_olga.get(page).content.decode()
    client.force_login(cora)
    assert "sees your pseudonym" in client.get(link).content.decode()
    assert not CampaignReviewer.objects.exists() and client.get("/review/").status_code == 403
    assert client.post(link)["Location"] == "/review/"
    assert client.get("/review/").status_code == 200
    client.force_login(bea)
    assert client.get(link).status_code == client.post(link).status_code == 404
    assert [row.person for row in CampaignReviewer.objects.all()] == [cora]
    client.force_login(hers.owner)
    assert "cora" in client.get(page).content.decode()


@mutant(
    "a reviewer of one campaign sees no item of another one",
    "tagger/review/queue.py",
    kept_by="        allowed = allowed.filter(campaign__in=reviewing.reviewed_by(reviewer))\n",
    broken="        pass\n",
)
def test_they_see_what_waits_in_their_campaign_and_nothing_else(client, juniper, other, cora, add_tasks):
    [own], [foreign] = add_tasks(juniper, 1), add_tasks(other, 1)
    item, hidden = dispute_over(own, NOW), dispute_over(foreign, NOW)
    makes_reviewer(cora, juniper)
    assert list(queue.open_to(cora)) == [item]
    client.force_login(cora)
    shown = client.get("/review/").content.decode()
    assert f"/review/items/{item.pk}/" in shown and "oleander" not in shown
    assert client.get(f"/review/items/{item.pk}/").status_code == 200
    for what in ("", "audio/"):
        assert client.get(f"/review/items/{hidden.pk}/{what}").status_code == 404
    for each, status in ((hidden, 404), (item, 200)):
        call = f"/api/v1/reviews/{each.pk}/accept/"
        assert client.post(call, {"answer": "yes"}, "application/json").status_code == status
    assert client.get(reverse("volunteers")).status_code == 403
    assert Scope.REVIEW in cora.scopes()


@mutant(
    "a reviewer of one campaign dismisses no report of another one",
    "tagger/review/reports.py",
    kept_by=", campaign__in=reviewing.reviewed_by(reviewer)",
    broken="",
)
def test_they_dismiss_reports_and_see_flags_of_their_campaign_alone(juniper, other, cora, bea, add_tasks):
    for campaign in (juniper, other):
        [task] = add_tasks(campaign, 1)
        assignments.report_example(bea, task, "audio", NOW)
        guidelines_flags.raise_flag(bea, campaign, "what of a whisper?", NOW)
    makes_reviewer(cora, juniper)
    assert reports.dismiss_all_of(bea.pk, cora, NOW) == 1
    assert [each.campaign for each in Report.objects.open()] == [other]
    assert [each.campaign for each in guidelines_flags.unseen_by(cora)] == [juniper]


def test_a_second_factor_comes_first(client, juniper):
    tim = User.objects.create_user("tim")
    makes_reviewer(tim, juniper)
    client.force_login(tim)
    assert client.get("/review/")["Location"] == "/accounts/2fa/"
    assert not reviewing.reviewed_by(tim).exists()


@pytest.mark.parametrize("by", ["owner", "themselves"])
@mutant(
    "the role of a reviewer ends with their last campaign",
    "datasets/reviewing.py",
    kept_by="        person.roles = [role for role in person.roles if role != Role.CAMPAIGN_REVIEWER]\n",
    broken="        pass\n",
)
def test_it_ends_by_the_owner_or_by_themselves(client, hers, other, cora, by):  # noqa: F811
    first, second = makes_reviewer(cora, hers), makes_reviewer(cora, other)
    client.force_login(hers.owner if by == "owner" else cora)
    client.post(reverse("end_reviewing", args=[first.pk]))
    cora.refresh_from_db()
    assert list(reviewing.reviewed_by(cora)) == [other] and Role.CAMPAIGN_REVIEWER in cora.roles
    # Another's campaign is not this owner's.
    assert client.post(reverse("end_reviewing", args=[second.pk])).status_code == (
        404 if by == "owner" else 302
    )
    reviewing.end(second, cora, NOW)
    cora.refresh_from_db()
    assert cora.roles == [Role.ANNOTATOR] and not cora.is_reviewer


def test_a_stranger_ends_nobodys_reviewing(client, juniper, cora, bea):
    row = makes_reviewer(cora, juniper)
    client.force_login(bea)
    assert client.post(reverse("end_reviewing", args=[row.pk])).status_code == 404
    assert CampaignReviewer.objects.filter(pk=row.pk).exists()


def test_the_list_costs_the_same_however_many_they_are(as_olga, hers, cora):  # noqa: F811
    page = reverse("campaign_reviewers", args=["juniper"])

    def statements():
        with CaptureQueriesContext(connection) as counted:
            answered = as_olga.get(page).content.decode()
        return len(counted), answered.count("needs a second factor first")

    makes_reviewer(cora, hers)
    few, lacking = statements()
    for number in range(5):
        makes_reviewer(User.objects.create_user(f"tim {number}"), hers)
    assert (lacking, statements()) == (0, (few, 5))


def test_both_are_in_the_record_with_old_and_new_value(juniper, cora):
    reviewing.end(makes_reviewer(cora, juniper), cora, NOW)
    changes = [
        (each.about, each.details["changed"]["reviewer"])
        for each in AuditEvent.objects.order_by("-number")[:2]
    ]
    assert changes == [("campaign juniper", [cora.pk, None]), ("campaign juniper", [None, cora.pk])]


@mutant(
    "a restored backup makes no one a reviewer again",
    "tagger/privacy/restore.py",
    kept_by="            done.rights_ended_again += reviewing.end_again(entry)\n",
    broken="            pass\n",
)
def test_a_restored_backup_makes_no_one_a_reviewer_again(juniper, cora):
    row = makes_reviewer(cora, juniper)
    reviewing.end(row, cora, NOW)
    entries = [entry for entry in journal.entries() if entry["kind"] == reviewing.ENDED]
    assert len(entries) == 1 and withdrawal._was_committed(entries[0])
    CampaignReviewer.objects.bulk_create([row])
    User.objects.filter(pk=cora.pk).update(roles=[Role.ANNOTATOR, Role.CAMPAIGN_REVIEWER])
    assert not withdrawal._was_committed(entries[0])
    done = restore.Restored()
    restore._replay(NOW, done)
    cora.refresh_from_db()
    # The link that was taken up had ended, too.
    assert cora.roles == [Role.ANNOTATOR] and done.rights_ended_again == 1


@mutant(
    "which campaigns someone reviewed is erased with them",
    "tagger/privacy/withdrawal.py",
    kept_by='        gone["reviewing"] = reviewing.leave_all(person)\n',
    broken="",
)
def test_it_is_in_their_download_and_erased_with_them(juniper, cora, now):
    makes_reviewer(cora, juniper)
    told = takeout.profile_of(cora)["reviews_campaigns"]
    assert told == [{"campaign__slug": "juniper", "since": str(NOW.date())}]
    withdrawal.forget_account(cora, True, now)
    withdrawal.scrub(Withdrawal.objects.get(), lambda: now)
    assert not CampaignReviewer.objects.exists()
