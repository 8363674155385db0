"""Teams by invitation: joined by a link that can be ended, left at any time, and no member is measured."""

import json
import re

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from accounts import journal
from accounts.models import User
from tagger.models import Membership, Team
from tagger.privacy import restore, withdrawal
from tagger.progress import teams
from tests.conftest import NOW
from tests.progress.conftest import DAY, drawn
from tests.support import takeout
from tests.support.mutants import mutant

pytestmark = pytest.mark.django_db


@pytest.fixture
def owls(carl):
    """Carl's team, and its invitation."""
    return teams.make(carl, "Owls", is_named=False, now=NOW)


def page_of(client, team):
    return drawn(client, reverse("team", args=[team.pk]))


def join(client, invitation, **fields):
    return client.post(reverse("join_team", args=[invitation]), fields)


def test_a_volunteer_makes_a_team_and_another_joins_by_its_link(here, client, bea, carl):
    made = here.post(reverse("teams"), {"name": "Night Owls"}).content.decode()
    link = re.search(r'id="invitation" dir="ltr"><code>\w+://[^/]+(/[^<]+)<', made)[1]
    team = Team.objects.get()
    assert link.rsplit("/")[-2] not in page_of(here, team)  # shown once
    client.force_login(carl)
    assert "Join <bdi>Night Owls</bdi>?" in drawn(client, link)
    assert not carl.memberships.exists()  # opening a link joins nothing
    assert client.post(link)["Location"] == reverse("team", args=[team.pk])
    client.post(link)
    assert team.memberships.count() == 2
    assert 'class="alone" href="' + reverse("team", args=[team.pk]) in drawn(client, reverse("teams"))


@mutant(
    "a team's name holds no telephone number and no web address",
    "tagger/progress/teams.py",
    kept_by="            raise ValidationError(contact, code=kind)\n",
    broken="            pass\n",
)
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("Call 555 123 4567", "such as a telephone number"),
        ("Owls 555,12,34-56'7", "such as a telephone number"),
        ("Owls ٠١٢٣٤٥٦٧", "such as a telephone number"),
        ("Owls ०१२३४५६७", "such as a telephone number"),
        ("www.owls", "a web address"),
        ("Owls.example.org", "a web address"),
        ("owls@example.org", "but not “@”"),
        ("https://owls", "but not “:”"),
    ],
)
def test_a_teams_name_holds_no_way_to_contact_anyone(here, name, reason):
    answered = here.post(reverse("teams"), {"name": name})
    assert answered.status_code == 400 and not Team.objects.exists()
    assert reason in answered.content.decode()


@pytest.mark.parametrize("name", ["Night Owls 2026", "Class 7.b", "St. John's, 1984 & 1985", "بوم ٢٠٢٦"])
def test_a_teams_name_may_have_numbers_like_a_year(here, name):
    assert here.post(reverse("teams"), {"name": name}).status_code == 200
    assert Team.objects.get().name == name


@mutant(
    "a new invitation to a team ends the one before",
    "datasets/invitations.py",
    kept_by="            self.end(row, now)\n",
    broken="",
)
@mutant(
    "an invitation to a team that was ended lets no one in",
    "datasets/invitations.py",
    kept_by="            self.end_again(ended)\n",
    broken="",
)
def test_a_link_that_was_renewed_or_ended_lets_no_one_in(client, owls, bea, carl):
    team, first = owls
    client.force_login(carl)
    made = client.post(reverse("invite_to_team", args=[team.pk])).content.decode()
    second = re.search(r"/teams/join/([^/]+)/", made)[1]
    assert {entry["kind"] for entry in journal.entries()} == {"invitation"}
    client.post(reverse("invite_to_team", args=[team.pk]), {"switch": "off"})
    client.force_login(bea)
    for ended in (first, second, "nonsense", ""):
        assert teams.invited_to(ended) is None
    assert join(client, first).status_code == join(client, second).status_code == 404
    assert not bea.memberships.exists()


@mutant(
    "members of a team are listed only to members",
    "tagger/progress/views_teams.py",
    kept_by='    if own:\n        context["named"]',
    broken='    if True:\n        context["named"]',
)
@mutant(
    "members of a team are named only if they want to be",
    "tagger/progress/teams.py",
    kept_by="team.memberships.filter(is_named=True, person__is_active=True)",
    broken="team.memberships.filter(person__is_active=True)",
)
def test_members_see_who_wants_to_be_named_and_no_one_else_does(here, client, owls, volunteers):
    dora = volunteers[2]
    team, invitation = owls
    teams.join(dora, invitation, is_named=True)
    stranger = client.get(reverse("team", args=[team.pk]))
    assert teams.named_members(team) == ["dora"]
    assert "named" not in stranger.context and "dora" not in stranger.content.decode()
    for address in ("invite_to_team", "name_me_in_team", "leave_team"):
        assert client.post(reverse(address, args=[team.pk])).status_code == 404
    assert client.post(reverse("remove_team", args=[team.pk])).status_code == 403
    join(here, invitation)
    assert "<li><bdi>dora</bdi></li>" in page_of(here, team)
    here.post(reverse("name_me_in_team", args=[team.pk]), {"switch": "on"})
    assert teams.named_members(team) == ["bea", "dora"]
    withdrawal.forget_account(dora, True, NOW)
    assert teams.named_members(team) == ["bea"]


@mutant(
    "a team's figures are shown only if three of its members gave votes",
    "tagger/progress/teams.py",
    kept_by="HAVING count(DISTINCT given.annotator_id) >= %s",
    broken="HAVING count(DISTINCT given.annotator_id) >= %s - 1",
)
def test_a_teams_figures_never_tell_what_one_member_did(here, owls, volunteers, give):
    bea, carl, dora, eli, *_ = volunteers
    team, invitation = owls
    for person in (bea, dora):
        teams.join(person, invitation, is_named=False)
    give(eli, 50, NOW)
    give(bea, 4, NOW), give(carl, 5, NOW - DAY), give(carl, 50, NOW - 5 * DAY)
    teams.measure(NOW)
    team.refresh_from_db()
    assert (team.votes, team.days) == (0, 0)
    give(dora, 1, NOW)
    teams.measure(NOW)
    team.refresh_from_db()
    assert team.votes == 0  # counted once a day: no one can watch a member at work
    teams.measure(NOW + DAY)
    team.refresh_from_db()
    assert (team.votes, team.seconds, team.days) == (10, 10.0, 2)
    assert teams.has_figures(team, NOW + DAY) and not teams.has_figures(team, NOW + 40 * DAY)


def test_teams_are_listed_by_name_whatever_they_did(here, volunteers):
    for person, name, votes in zip(volunteers, ("Crows", "Ants", "Bees"), (5, 9, 70), strict=False):
        team, _ = teams.make(person, name, is_named=False, now=NOW)
        Team.objects.filter(pk=team.pk).update(votes=votes, counted_on=timezone.localdate(), days=3)
    page = drawn(here, reverse("teams"))
    listed = page[page.index("rows card teams") :]
    assert re.findall(r"<bdi>(\w+)</bdi>", listed) == ["Ants", "Bees", "Crows"]
    assert '<strong class="number">70</strong> answers' in listed


@mutant(
    "what a member did no longer counts for a team that they left",
    "tagger/progress/teams.py",
    kept_by=".update(counted_on=None, votes=0, seconds=0, days=0)",
    broken=".count()",
)
def test_everyone_leaves_at_any_time_and_a_team_ends_with_its_last_member(here, owls, bea, carl):
    team, invitation = owls
    teams.join(bea, invitation, is_named=True)
    Team.objects.update(votes=9, counted_on=NOW.date())
    here.post(reverse("leave_team", args=[team.pk]))
    team.refresh_from_db()
    assert (team.votes, team.counted_on, teams.named_members(team)) == (0, None, [])
    assert not bea.memberships.exists()
    teams.leave(carl.memberships.get(), NOW)
    assert not Team.objects.exists()


@mutant(
    "a person who leaves the site leaves their teams",
    "tagger/privacy/withdrawal.py",
    kept_by='        gone["memberships"] = teams.leave_all(person)\n',
    broken="",
)
def test_leaving_the_site_erases_memberships_and_teams_of_no_one_else(owls, bea, carl):
    team, invitation = owls
    teams.join(bea, invitation, is_named=True)
    teams.make(bea, "Bea alone", is_named=True, now=NOW)
    withdrawal.forget_account(bea, True, NOW)
    withdrawal.scrub(withdrawal.Withdrawal.objects.get(), lambda: NOW)
    assert withdrawal.Withdrawal.objects.get().counts["memberships"] == 2
    assert list(Team.objects.all()) == [team] and Membership.objects.get().person == carl


@pytest.mark.django_db(transaction=True)
@mutant(
    "a restore brings no one back into a team that they left, and no ended invitation",
    "tagger/privacy/restore.py",
    kept_by="            done.rights_ended_again += teams.end_again(entry)\n",
    broken="            pass\n",
)
def test_a_restored_backup_brings_back_no_membership_name_or_invitation(owls, bea, carl):
    team, invitation = owls
    teams.join(bea, invitation, is_named=True)
    teams.show_name(carl.memberships.get(), True, NOW)
    backup = [list(model.objects.values()) for model in (Team, Membership)]
    teams.leave(bea.memberships.get(), NOW)
    teams.show_name(carl.memberships.get(), False, NOW)
    teams.INVITATIONS.end(team, NOW)
    Team.objects.all().delete()
    for model, rows in zip((Team, Membership), backup, strict=True):
        model.objects.bulk_create(model(**row) for row in rows)
    assert teams.named_members(team) == ["bea", "carl"] and teams.invited_to(invitation)
    done = restore.Restored()
    restore._replay(NOW, done)
    assert done.rights_ended_again == 3
    assert Membership.objects.get().person == carl and teams.named_members(team) == []
    assert teams.invited_to(invitation) is None


def test_old_lines_about_teams_are_settled(owls, carl):
    team, _ = owls
    teams.INVITATIONS.end(team, NOW)
    teams.show_name(carl.memberships.get(), True, NOW)
    teams.show_name(carl.memberships.get(), False, NOW)
    entries = journal.entries()
    assert all(withdrawal._was_committed(entry) for entry in entries) and len(entries) == 2


def test_my_data_names_my_teams(here, owls, bea):
    teams.join(bea, owls[1], is_named=True)
    profile = takeout.profile_of(bea)
    assert profile["teams"] == [{"team__name": "Owls", "is_named": True}]


def test_bounds_and_names(here, owls, bea, monkeypatch):
    for name in ("owls", "a", "see http://x.y", "x" * 41, "<b>"):
        assert here.post(reverse("teams"), {"name": name}).status_code == 400
    monkeypatch.setattr(teams, "MOST_MEMBERS", 1)
    with pytest.raises(teams.TeamRefused, match="team-full"):
        teams.join(bea, owls[1], is_named=False)
    full = join(here, owls[1])  # an error would log the address, which is the invitation
    assert full.status_code == 200 and "This team is full" in full.content.decode()
    monkeypatch.setattr(teams, "MOST_TEAMS", 0)
    with pytest.raises(teams.TeamRefused, match="too-many-teams"):
        teams.make(bea, "Larks", is_named=False, now=NOW)
    assert Team.objects.count() == 1


def test_an_invitation_is_stored_nowhere(owls):
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM tagger_team row WHERE row::text LIKE %s", [f"%{owls[1]}%"])
        assert cursor.fetchone()[0] == 0
    assert owls[1] not in json.dumps(journal.entries())


def test_an_admin_removes_a_team_whose_name_cannot_stay(client, admin_user, owls):
    client.force_login(admin_user)
    client.post(reverse("remove_team", args=[owls[0].pk]))
    assert not Team.objects.exists() and User.objects.filter(pk=admin_user.pk).exists()
