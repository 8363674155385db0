"""The sentence for each refusal of this room."""

from django.utils.translation import gettext_lazy as _

from .challenges import ChallengeRefusal
from .teams import TeamRefusal

WORDS = {
    ChallengeRefusal.TAKEN_UP: _("Someone already takes part in this month's challenge, so it stays."),
    TeamRefusal.NAME_TAKEN: _("Another team has this name. Choose a different one."),
    TeamRefusal.TOO_MANY_TEAMS: _("You can be in %(number)d teams at most. Leave one first."),
    TeamRefusal.TEAM_FULL: _("This team is full: it has %(number)d members."),
}
