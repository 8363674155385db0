"""Privacy reviewers who check clips before publication, for tests that begin or end there."""

from datetime import timedelta

from django.utils import timezone

from accounts.models import Role, User
from tagger.review import clearing
from tests.support.factors import give_factor

MINUTE = timedelta(minutes=1)
MARKED = {"found": ["name"], "parts": [(0.1, 0.3)]}


def privacy_reviewer(name):
    found = User.objects.found_by(name).first()
    return found or give_factor(User.objects.create_user(name, roles=[Role.PRIVACY_REVIEWER]))


def look(person, now, given="no", **marked):
    """This person hears what they are lent next and answers; the check, or None if nothing waits."""
    check = clearing.take(person, now)
    if check is None:
        return None
    clearing.hear(check, now)
    marked = marked or (MARKED if given == "yes" else {})
    return clearing.answer(check, given, now + MINUTE, **marked)


def clear_all():
    """Two privacy reviewers hear all clips that wait, and nothing private in them."""
    for name in ("pia", "quinn"):
        person = privacy_reviewer(name)
        while look(person, timezone.now()):
            pass
