"""The page of a person's sessions: see where they are logged in, and end it one by one or at once."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from . import sessions as acts
from .posting import posted_from
from .roles import PersonalRequest


@require_GET
@login_required
def sessions(request: PersonalRequest) -> HttpResponse:
    here = request.session.session_key
    rows = [
        {"name": acts.name(each), "session": each, "is_this": each.session_key == here}
        for each in acts.of(request.user)
    ]
    rows.sort(key=lambda row: not row["is_this"])
    return render(request, "accounts/sessions.html", {"rows": rows})


@posted_from("sessions")
@login_required
def end(request: PersonalRequest, name: str) -> HttpResponse:
    """End one of the person's own sessions. This one ends by logging out, which also clears the browser."""
    found = [each for each in acts.of(request.user) if constant_time_compare(acts.name(each), name)]
    if not found:
        raise Http404("no such session")
    if found[0].session_key == request.session.session_key:
        return redirect("account_logout")
    acts.end(found)
    messages.success(request, _("That session is ended."))
    return redirect("sessions")


@posted_from("sessions")
@login_required
def end_others(request: PersonalRequest) -> HttpResponse:
    ended = acts.end_all(request.user, but=request.session.session_key)
    words = ngettext("Ended: %(count)d session.", "Ended: %(count)d sessions.", ended)
    messages.success(request, words % {"count": ended})
    return redirect("sessions")
