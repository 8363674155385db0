"""Where somebody comes after logging in: to the releases, if they are here for nothing else."""

from django.http import HttpRequest
from django.urls import reverse

from accounts.adapter import Adapter as AccountAdapter
from accounts.models import Role, User


class Adapter(AccountAdapter):
    """The site's adapter of allauth."""

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        if isinstance(request.user, User) and is_here_for_releases(request.user):
            return reverse("releases")
        usual: str = super().get_login_redirect_url(request)
        return usual


def is_here_for_releases(person: User) -> bool:
    """A researcher who is no volunteer, or who asked for a release and has not begun to volunteer."""
    if Role.ANNOTATOR not in person.roles:
        return Role.RESEARCHER in person.roles
    has_begun = person.pledge or person.clips.exists()
    return not has_begun and person.access_requests.exists()
