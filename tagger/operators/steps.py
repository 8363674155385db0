"""The first steps of whoever runs a new site, in order, and how far each is: as the database has it."""

from dataclasses import dataclass
from enum import StrEnum

from django.db.models import Exists, Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import Operator, User
from datasets.models import Campaign, Clip

from . import unset


class State(StrEnum):
    DONE = "done"
    OPEN = "open"
    NOT_NEEDED = "not-needed"


@dataclass(frozen=True)
class Step:
    """`name` is also the part of the page to which a link leads."""

    name: str
    title: str | Promise
    why: str | Promise
    state: State

    @property
    def is_open(self) -> bool:
        return self.state == State.OPEN


TITLES = {
    "operator": _("Say who runs this site"),
    "roles": _("Give people their roles"),
    "campaign": _("Open the first campaign"),
    "clips": _("Bring the first clips"),
    "invite": _("Invite people"),
}
REASONS = {
    "operator": _("People entrust you with their voices: they should know whose hands these are in."),
    "roles": _("What volunteers cannot agree on waits until a reviewer decides."),
    "campaign": _(
        "A campaign is the question that volunteers answer. Until one is open, there is nothing to do."
    ),
    "clips": _("Without clips volunteers find an empty page."),
    "invite": _("A campaign by invitation is seen only by people who have its link."),
}

_INVITED = Q(takes_part=Campaign.TakingPart.INVITED)


def of_site(admin: User) -> list[Step]:
    """Their states cost one statement, whatever the site holds."""
    opened = Campaign.objects.open()
    asked = {
        "operator": Operator.objects.all(),
        "roles": unset.reviewers(),
        "campaign": opened,
        "clips": Clip.objects.all(),
        "invite": opened.filter(_INVITED, invitation_sha256__isnull=False),
        "for all": opened.exclude(_INVITED),
    }
    found = User.objects.filter(pk=admin.pk).values_list(
        *(Exists(each.order_by()) for each in asked.values())
    )
    there = dict(zip(asked, found.get(), strict=True))
    return [Step(name, TITLES[name], REASONS[name], _state(name, there)) for name in TITLES]


def next_one(admin: User) -> Step | None:
    return next((step for step in of_site(admin) if step.is_open), None)


def _state(name: str, there: dict[str, bool]) -> State:
    if there[name]:
        return State.DONE
    return State.NOT_NEEDED if name == "invite" and there["for all"] else State.OPEN
