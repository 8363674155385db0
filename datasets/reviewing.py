"""Who reviews which campaign: the site's reviewers all of them, others those whose owners asked them to.

The only writer of CampaignReviewer, and of the role that comes with it. An owner gives away a link; whoever
takes it up first is a reviewer, and the link has ended. What ends this is written to the opt-out journal.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils.timezone import localdate

from accounts import audit, journal
from accounts.models import Role, User

from .invitations import Invitations
from .models import Campaign, CampaignReviewer

INVITATIONS = Invitations(Campaign, "reviewing_sha256")
ENDED = "reviewing-ended"  # in the opt-out journal


def reviewed_by(person: User) -> QuerySet[Campaign]:
    """The campaigns whose disputes and reports this person may see."""
    if person.has_role(Role.REVIEWER):
        return Campaign.objects.all()
    if person.has_role(Role.CAMPAIGN_REVIEWER):
        return Campaign.objects.filter(own_reviewers__person=person)
    return Campaign.objects.none()


def may_review(person: User, campaign_id: int) -> bool:
    return person.has_role(Role.REVIEWER) or reviewed_by(person).filter(pk=campaign_id).exists()


def asked_to(invitation: str) -> Campaign | None:
    """The campaign, unless the link has ended or was taken up."""
    return Campaign.objects.filter(INVITATIONS.to(invitation)).first()


@transaction.atomic
def accept(person: User, invitation: str, now: datetime) -> Campaign | None:
    """Make this person a reviewer of the campaign, and end the link; None if it has ended."""
    locked = User.objects.select_for_update(no_key=True).filter(pk=person.pk, is_active=True).first()
    found = Campaign.objects.select_for_update(of=("self",)).filter(INVITATIONS.to(invitation)).first()
    if locked is None or found is None:
        return None
    INVITATIONS.end(found, now)
    found.own_reviewers.get_or_create(person=locked, defaults={"since": localdate(now)})
    if Role.CAMPAIGN_REVIEWER not in locked.roles:
        locked.roles = [*locked.roles, Role.CAMPAIGN_REVIEWER]
        locked.save(update_fields=["roles"])
    _record(found, [None, locked.pk], locked, now)
    return found


@transaction.atomic
def end(reviewing: CampaignReviewer, by: User, now: datetime) -> None:
    """By the campaign's owner, or by the reviewer. What they decided stays. No error if it has ended."""
    journal.append(ENDED, now, reviewing=str(reviewing.pk))
    if _end(reviewing):
        _record(reviewing.campaign, [reviewing.person_id, None], by, now)


def end_again(entry: journal.Entry) -> int:
    """End what the journal says was ended, in a database that a backup brought back."""
    return sum(map(_end, CampaignReviewer.objects.filter(pk=entry["reviewing"])))


def leave_all(person: User) -> int:
    """For an erasure, which takes their roles too; returns of how many campaigns they were a reviewer."""
    return CampaignReviewer.objects.filter(person=person).delete()[0]


@transaction.atomic
def _end(reviewing: CampaignReviewer) -> int:
    """The role ends with the last of the person's campaigns."""
    person = User.objects.select_for_update(no_key=True).get(pk=reviewing.person_id)
    ended = CampaignReviewer.objects.filter(pk=reviewing.pk).delete()[0]
    if ended and not person.reviewing.exists():
        person.roles = [role for role in person.roles if role != Role.CAMPAIGN_REVIEWER]
        person.save(update_fields=["roles"])
    return ended


def _record(campaign: Campaign, change: list[int | None], by: User, now: datetime) -> None:
    """The old and the new value, as of each change of a campaign."""
    details = {"changed": {"reviewer": change}}
    audit.record(audit.Act.CHANGED_CAMPAIGN, f"campaign {campaign.slug}", by, now, details)
