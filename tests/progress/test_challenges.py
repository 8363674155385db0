"""A challenge a month: set by a campaign's owner, days instead of answers, and taking part is a choice."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from tagger.models import Challenge, ChallengeEntry
from tagger.privacy import withdrawal
from tagger.progress import challenges
from tests.conftest import NOW
from tests.progress.conftest import DAY, drawn
from tests.support import takeout
from tests.support.mutants import mutant

pytestmark = pytest.mark.django_db

MID = NOW.replace(day=20)


def take_part(client, challenge, switch="on"):
    return client.post(reverse("take_part", args=[challenge.pk]), {"switch": switch})


@mutant(
    "only a campaign's owner or an admin sets its challenge",
    "tagger/progress/challenges.py",
    kept_by="return person.is_superuser or campaign.owner_id == person.pk",
    broken="return True",
)
def test_a_campaigns_owner_or_an_admin_sets_its_challenge(here, client, admin_user, juniper, sentences, bea):
    address = reverse("choose_challenge", args=["juniper"])
    assert here.get(address).status_code == here.post(address, {"days": 8}).status_code == 403
    assert "Set a challenge" not in drawn(here, "/tag/")
    juniper.owner = bea
    juniper.save()
    assert address in drawn(here, "/tag/")
    for days in ("0", "29", "many", ""):
        assert here.post(address, {"days": days}).status_code == 400
    assert here.post(address, {"days": 8})["Location"] == "/tag/"
    assert here.post(address, {"days": 6})["Location"] == "/tag/"
    challenge = Challenge.objects.get()
    assert (challenge.days, challenge.month) == (6, timezone.localdate().replace(day=1))
    assert here.get(reverse("choose_challenge", args=["sentences"])).status_code == 403
    take_part(here, challenge)
    assert "already takes part" in here.post(address, {"days": 7}).content.decode()
    client.force_login(admin_user)
    assert client.post(reverse("choose_challenge", args=["sentences"]), {"days": 3}).status_code == 302


@mutant(
    "a challenge counts days, not answers",
    "tagger/progress/challenges.py",
    kept_by="count(DISTINCT date_trunc('day', given.created_at, %s))",
    broken="count(date_trunc('day', given.created_at, %s))",
)
def test_days_of_this_month_with_an_answer_there_count(bea, carl, juniper, sentences, give):
    challenge = challenges.set_for(juniper, 3, MID)
    challenges.take_part(bea, challenge, True)
    give(bea, 50, MID), give(bea, 1, MID - DAY), give(bea, 1, MID - 21 * DAY)
    give(bea, 5, MID - 2 * DAY, campaign=sentences), give(carl, 5, MID - 3 * DAY)
    [shown] = challenges.of(bea, MID)
    assert (shown.takes_part, shown.days, shown.is_done) == (True, 2, False)
    give(bea, 1, MID - 4 * DAY)
    [shown] = challenges.of(bea, MID)
    assert shown.is_done and shown.share == 1
    assert challenges.of(bea, MID + 31 * DAY) == []


@mutant(
    "a challenge counts nothing of those who did not choose to take part",
    "tagger/progress/challenges.py",
    kept_by="joined = [each.campaign_id for each in challenges if each.takes_part]",
    broken="joined = [each.campaign_id for each in challenges]",
)
def test_taking_part_is_a_choice_and_shows_thanks_when_done(here, bea, juniper, give):
    now = timezone.now()
    challenge = challenges.set_for(juniper, 1, now)
    give(bea, 1, now)
    [shown] = challenges.of(bea, now)
    assert (shown.takes_part, shown.days, shown.is_done) == (False, 0, False)
    for page in ("/tag/", "/my-answers/"):
        assert "Take part" in drawn(here, page) and "Done. Thank you!" not in drawn(here, page)
    assert take_part(here, challenge)["Location"] == "/tag/"
    for page in ("/tag/", "/my-answers/"):
        assert "Done. Thank you!" in drawn(here, page)
    take_part(here, challenge, "off")
    assert not ChallengeEntry.objects.exists()


@mutant(
    "a person who leaves is erased from challenges",
    "tagger/privacy/withdrawal.py",
    kept_by='        gone["challenges"] = person.challenge_entries.all().delete()[0]\n',
    broken="",
)
def test_entries_are_in_my_data_and_leave_with_me(here, bea, carl, juniper):
    challenge = challenges.set_for(juniper, 5, NOW)
    for person in (bea, carl):
        challenges.take_part(person, challenge, True)
    profile = takeout.profile_of(bea)
    assert profile["challenges"] == [
        {"challenge__campaign__slug": "juniper", "challenge__month": "2026-05-01"}
    ]
    withdrawal.forget_account(bea, True, NOW)
    challenges.take_part(User.objects.get(pk=bea.pk), challenge, True)  # a request that was running
    withdrawal.scrub(withdrawal.Withdrawal.objects.get(), lambda: NOW)
    assert ChallengeEntry.objects.get().person == carl


def test_a_past_challenge_can_no_longer_be_joined(here, juniper):
    past = challenges.set_for(juniper, 5, timezone.now() - timedelta(days=40))
    assert take_part(here, past).status_code == 404
    assert "This month’s challenge" not in drawn(here, "/tag/")
