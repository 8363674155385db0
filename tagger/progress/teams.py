"""Teams by invitation. The only writer of Team and Membership.

Whoever has a team's invitation may join it. Any member can make another invitation, which ends the one
before, or end it; and everyone leaves when they like. What ends a right is written to the opt-out journal.
"""

import unicodedata
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from accounts import journal
from accounts.models import User
from accounts.refusals import Refusal
from datasets.invitations import Invitations
from datasets.models import Annotation, Clip, Task
from tagger.lending import notes
from tagger.lending.refusals import AnswerRefusal
from tagger.models import Membership, Team

from . import days, leaderboard, names, queries

MOST_TEAMS, MOST_MEMBERS = 5, 100  # of one person; of one team
LEAST_ACTIVE = 3  # members who gave votes in a month, before the team's figures say nothing of one of them
BATCH_SIZE = 200
INVITATIONS = Invitations(Team, "invitation_sha256")
_IN_NAMES = " .,'’&-"
# An e-mail address needs a letter that no name may have.
_CONTACTS = {
    AnswerRefusal.NOTE_HAS_LINK: _("A team's name cannot have a web address in it. Please leave it out."),
    AnswerRefusal.NOTE_HAS_NUMBER: _(
        "A team's name cannot have a long number in it, such as a telephone number. Please leave it out."
    ),
}


class TeamRefusal(StrEnum):
    NAME_TAKEN = "team-name-taken"
    TOO_MANY_TEAMS = "too-many-teams"  # with the `number` allowed
    TEAM_FULL = "team-full"  # with the `number` allowed


class TeamRefused(Refusal):
    """No one joined, and no team was made."""


def check_name(name: str) -> None:
    """Raises ValidationError unless it consists of what names have, without a way to contact anyone."""
    sentence = _("A team's name can have letters, digits, spaces and . , ' & -, but not “%(character)s”.")
    names.check_letters(name, "LMN", _IN_NAMES, sentence)
    plain = "".join(map(_as_in_numbers, unicodedata.normalize("NFKC", name)))
    for kind, contact in _CONTACTS.items():
        if notes.has_contact(kind, plain):
            raise ValidationError(contact, code=kind)


def _as_in_numbers(letter: str) -> str:
    """Digits of any script as ours, and as a space what notes do not know between digits."""
    if letter in ",'’":
        return " "
    return str(unicodedata.decimal(letter, letter))


@transaction.atomic
def make(person: User, name: str, is_named: bool, now: datetime) -> tuple[Team, str]:
    """A new team with one member, and its first invitation."""
    try:
        with transaction.atomic():
            team = Team.objects.create(name=name)
    except IntegrityError:
        raise TeamRefused(TeamRefusal.NAME_TAKEN) from None
    _add(person, team, is_named)
    return team, INVITATIONS.make(team, now)


def invited_to(invitation: str) -> Team | None:
    return Team.objects.filter(INVITATIONS.to(invitation)).first()


@transaction.atomic
def join(person: User, invitation: str, is_named: bool) -> Team | None:
    """The team that they are in now; None if the invitation has ended."""
    team = Team.objects.select_for_update().filter(INVITATIONS.to(invitation)).first()
    if team and not team.memberships.filter(person=person).exists():
        if team.memberships.count() >= MOST_MEMBERS:
            raise TeamRefused(TeamRefusal.TEAM_FULL, number=MOST_MEMBERS)
        _add(person, team, is_named)
    return team


def leave(membership: Membership, now: datetime) -> None:
    journal.append("team-left", now, membership=str(membership.pk))
    _end([membership])


def leave_all(person: User) -> int:
    """For an erasure; returns how many teams they were in."""
    return _end(list(person.memberships.all()))


def show_name(membership: Membership, is_named: bool, now: datetime) -> None:
    """Whether the other members see this member's pseudonym, from the next request on."""
    with transaction.atomic():
        if membership.is_named and not is_named:
            journal.append("team-unnamed", now, membership=str(membership.pk))
        Membership.objects.filter(pk=membership.pk, person__is_active=True).update(is_named=is_named)


ENDINGS = ("team-left", "team-unnamed")


@transaction.atomic
def end_again(entry: journal.Entry) -> int:
    """End what the journal says was ended, in a database that a backup brought back; returns how much."""
    found = Membership.objects.filter(pk=entry["membership"])
    if entry["kind"] == "team-unnamed":
        return found.filter(is_named=True).update(is_named=False)
    return _end(list(found))


def named_members(team: Team) -> list[str]:
    """The pseudonyms of those who want to be named, by name. For members only."""
    named = team.memberships.filter(is_named=True, person__is_active=True)
    people = User.objects.filter(pk__in=named.values("person")).select_related("data_key")
    return sorted(filter(None, map(leaderboard.name_of, people)), key=lambda name: (name.casefold(), name))


def by_name() -> QuerySet[Team]:
    return Team.objects.order_by("name")


def has_figures(team: Team, now: datetime) -> bool:
    """Whether what it did this month was counted, and may be shown."""
    return bool(team.votes and team.counted_on and team.counted_on >= days.start_of_month(now).date())


def measure(now: datetime) -> int:
    """Count once a day what each team did together this month; returns how many teams were counted."""
    today = localtime(now).date()
    counted = 0
    while some := list(_due(today)[:BATCH_SIZE]):
        with transaction.atomic():
            locked = list(Team.objects.select_for_update().filter(pk__in=some).order_by("pk"))
            _count(locked, now)
        counted += len(some)
    return counted


def _due(today: Any) -> QuerySet[Any]:
    never_or_earlier = Q(counted_on=None) | Q(counted_on__lt=today)
    due = Team.objects.filter(never_or_earlier).order_by(F("counted_on").asc(nulls_first=True))
    return due.values_list("pk", flat=True)


def _count(locked: Iterable[Team], now: datetime) -> None:
    values = [settings.TIME_ZONE, days.start_of_month(now), [team.pk for team in locked], LEAST_ACTIVE]
    found = {team: figures for team, *figures in queries.rows(TOGETHER, values)}
    for team in locked:
        team.votes, team.seconds, team.days = found.get(team.pk, (0, 0, 0))
        team.counted_on = localtime(now).date()
        team.save(update_fields=["votes", "seconds", "days", "counted_on"])


TOGETHER = f"""
    SELECT member.team_id, count(*), sum(clip.seconds),
        count(DISTINCT date_trunc('day', given.created_at, %s))
    FROM {Membership._meta.db_table} member
    JOIN {Annotation._meta.db_table} given ON given.annotator_id = member.person_id AND given.created_at >= %s
    JOIN {Task._meta.db_table} task ON task.id = given.task_id
    JOIN {Clip._meta.db_table} clip ON clip.id = task.clip_id
    WHERE member.team_id = ANY(%s::uuid[])
    GROUP BY member.team_id HAVING count(DISTINCT given.annotator_id) >= %s
"""


def _add(person: User, team: Team, is_named: bool) -> None:
    # The person's row: two requests must not both find a free place.
    User.objects.select_for_update(no_key=True).values_list("pk").get(pk=person.pk, is_active=True)
    if person.memberships.count() >= MOST_TEAMS:
        raise TeamRefused(TeamRefusal.TOO_MANY_TEAMS, number=MOST_TEAMS)
    Membership.objects.create(team=team, person=person, is_named=is_named)


@transaction.atomic
def _end(memberships: list[Membership]) -> int:
    """What their teams did is counted anew, without them. A team without members is gone."""
    some = sorted(each.team_id for each in memberships)
    locked = Team.objects.select_for_update().filter(pk__in=some).order_by("pk")
    teams = [team.pk for team in locked]
    ended = Membership.objects.filter(pk__in=[each.pk for each in memberships]).delete()[0]
    Team.objects.filter(pk__in=teams).update(counted_on=None, votes=0, seconds=0, days=0)
    Team.objects.filter(pk__in=teams, memberships=None).delete()
    return ended
