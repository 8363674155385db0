"""Who may take part in a campaign: everyone, people who understand its language, or people who have its link.

The only writer of Participation.
"""

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import User

from . import languages
from .invitations import Invitations
from .models import Campaign, Participation

TakingPart = Campaign.TakingPart
INVITATIONS = Invitations(Campaign, "invitation_sha256")


def may(person: User, campaign: Campaign) -> bool:
    """Whether it may lend them clips, and take theirs."""
    if campaign.takes_part == TakingPart.LANGUAGE:
        return languages.primary(campaign.language) in (person.languages or ())
    if campaign.takes_part == TakingPart.INVITED:
        return Participation.objects.filter(campaign=campaign, person=person).exists()
    return True


def shown_to(person: User | None, some: QuerySet[Campaign]) -> QuerySet[Campaign]:
    """Those of the campaigns that are not by invitation, or to which this person was invited."""
    joined = Participation.objects.filter(campaign=OuterRef("pk"), person=person)
    return some.filter(~Q(takes_part=TakingPart.INVITED) | Exists(joined))


# A condition on a statement's `campaign`. Its values: the person's languages, and the person.
CONDITION = f"""(
    campaign.takes_part = 'everyone'
    OR campaign.takes_part = 'language' AND split_part(lower(campaign.language), '-', 1) = ANY(%s)
    OR campaign.takes_part = 'invited' AND EXISTS (
        SELECT FROM {Participation._meta.db_table} joined
        WHERE joined.campaign_id = campaign.id AND joined.person_id = %s
    )
)"""


def invited_to(invitation: str) -> Campaign | None:
    """The campaign, unless the invitation has ended or the campaign is not open."""
    return Campaign.objects.open().filter(INVITATIONS.to(invitation)).first()


def join(person: User, campaign: Campaign) -> None:
    Participation.objects.get_or_create(campaign=campaign, person=person)


def leave_all(person: User) -> int:
    """For an erasure; returns how many campaigns they were in."""
    return Participation.objects.filter(person=person).delete()[0]
