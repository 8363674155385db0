"""A campaign's owner and the reviewers are told when its clips are reported more than usual."""

from datetime import timedelta

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.urls import reverse

from accounts.models import User
from datasets.models import Campaign
from tagger.models import Report, ReportRise
from tagger.privacy import withdrawal
from tagger.review import rises
from tests.conftest import NOW
from tests.releases.test_between_feeds import scrub_all
from tests.support.mutants import mutant

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOTICE = "reported in the last hour, more than usual"


@pytest.fixture
def olga(juniper):
    """Who owns the campaign."""
    person = User.objects.create_user("olga", "olga@example.org", pledge="1")
    juniper.owner = person
    juniper.save()
    return person


@pytest.fixture
def report(juniper, add_tasks, bea):
    """Stores this number of reports of different clips at a time."""

    def at(time, number, campaign=juniper):
        Report.objects.bulk_create(
            Report(clip_id=task.clip_id, campaign=campaign, reporter=bea, reason="audio", at=time)
            for task in add_tasks(campaign, number)
        )

    return at


def sees(client, person, page="/tag/"):
    client.force_login(person)
    return NOTICE in client.get(page).content.decode()


def read(client, person):
    client.force_login(person)
    return client.post(reverse("report_rise_seen", args=[ReportRise.objects.latest("pk").pk]))


@mutant(
    "a campaign's owner is told when its clips are reported more than usual",
    "tagger/review/rises.py",
    kept_by="    unseen = Q(campaign__owner=person, seen_by_owner_at=None)\n",
    broken="    unseen = Q(pk=None)\n",
)
def test_when_reports_rise_the_owner_and_the_reviewers_are_told_and_no_one_else(
    client, olga, rita, carl, report
):
    report(NOW, 9)
    assert rises.measure(NOW) == 0 and not sees(client, olga)
    report(NOW, 1)
    assert rises.measure(NOW) == 1
    assert sees(client, olga) and sees(client, rita) and sees(client, rita, "/review/")
    assert not sees(client, carl)
    assert rises.measure(NOW) == 0  # once for each rise


def test_the_notice_goes_for_the_owner_and_for_reviewers_when_they_have_seen_it(client, olga, rita, report):
    report(NOW, 12)
    rises.measure(NOW)
    assert read(client, olga)["Location"] == "/tag/"
    assert not sees(client, olga) and sees(client, rita)
    assert read(client, rita)["Location"] == "/review/"
    assert not sees(client, rita) and read(client, rita).status_code == 404
    report(NOW, 30)
    rises.measure(NOW)
    assert not sees(client, olga) and not sees(client, rita)


def test_the_notice_goes_when_reports_fall_and_comes_again_with_the_next_rise(client, olga, report):
    report(NOW, 12)
    rises.measure(NOW)
    assert rises.measure(NOW + 2 * HOUR) == 0
    assert ReportRise.objects.get().ended_at == NOW + 2 * HOUR and not sees(client, olga)
    report(NOW + 3 * HOUR, 12)
    assert rises.measure(NOW + 3 * HOUR) == 1
    assert sees(client, olga)


def test_a_number_that_goes_up_and_down_a_little_is_one_rise(report):
    report(NOW, 5)
    report(NOW + HOUR / 2, 5)
    assert rises.measure(NOW + HOUR / 2) == 1
    assert rises.measure(NOW + HOUR + HOUR / 4) == 0  # five in the last hour
    assert ReportRise.objects.get().ended_at is None


def test_what_is_usual_for_a_campaign_is_no_rise(report):
    for hours in range(1, 29):
        report(NOW - hours * DAY, 120)  # five an hour
    report(NOW, 19)
    assert rises.measure(NOW) == 0
    report(NOW, 1)
    assert rises.measure(NOW) == 1


def test_each_campaign_is_compared_with_itself(juniper, sentences, report):
    report(NOW, 12, sentences)
    rises.measure(NOW)
    assert ReportRise.objects.get().campaign == sentences


def test_a_stranger_marks_no_notice_as_seen(client, olga, carl, report):
    report(NOW, 12)
    rises.measure(NOW)
    assert read(client, carl).status_code == 404
    assert sees(client, olga)


@mutant(
    "the mail about reports names no one",
    "tagger/review/rises.py",
    kept_by='"reports": reports, "site"',
    broken='"reports": campaign.owner.pseudonym, "site"',
)
def test_the_owner_gets_a_mail_without_any_name(
    olga, report, settings, django_capture_on_commit_callbacks, bea
):
    settings.SENDS_MAIL = True
    report(NOW, 12)
    with django_capture_on_commit_callbacks(execute=True):
        rises.measure(NOW)
    with django_capture_on_commit_callbacks(execute=True):
        rises.measure(NOW)
    [letter] = mail.outbox
    assert letter.to == ["olga@example.org"] and letter.subject == "More reports than usual in juniper"
    assert "12 clips" in letter.body and not {"olga", "bea", str(bea.pk)} & set(letter.body.split())


@pytest.mark.parametrize("why", ["the site sends no mail", "no address", "no owner"])
def test_without_mail_there_is_only_the_notice(
    olga, juniper, report, settings, django_capture_on_commit_callbacks, why
):
    settings.SENDS_MAIL = why != "the site sends no mail"
    if why == "no address":
        olga.seal_name("olga")
    if why == "no owner":
        Campaign.objects.update(owner=None)
    report(NOW, 12)
    with django_capture_on_commit_callbacks(execute=True):
        assert rises.measure(NOW) == 1
    assert mail.outbox == []


def test_the_owner_is_named_when_the_campaign_is_created(olga):
    options = {"kind": "transcription", "language": "en"}
    call_command("create_campaign", "hers", owner="olga", **options)
    assert Campaign.objects.get(slug="hers").owner == olga
    with pytest.raises(CommandError, match="owner: no one here is called 'nobody'"):
        call_command("create_campaign", "other", owner="nobody", **options)
    assert not Campaign.objects.filter(slug="other").exists()


@mutant(
    "a campaign names no owner who has left",
    "tagger/privacy/withdrawal.py",
    kept_by="        Campaign.objects.filter(owner=person).update(owner=None)\n",
    broken="",
)
def test_a_campaign_names_no_owner_who_has_left(olga, juniper):
    withdrawal.forget_account(olga, False, NOW)
    scrub_all()
    juniper.refresh_from_db()
    assert juniper.owner is None
