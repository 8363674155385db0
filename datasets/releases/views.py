"""The pages of releases, for everyone: the list, and of each one what is in it and how to get it."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts import operators, reauthentication
from accounts.ciphers import KeyLost
from accounts.models import User
from accounts.posting import posted_from
from accounts.refusals import in_words
from accounts.roles import PersonalRequest
from accounts.typed import keeps_typed
from datasets.access import asking, deciding, sealing, standing, terms, wording
from datasets.access.forms import AskForm
from datasets.access.refusals import AccessRefused
from datasets.access.standing import MAY_ASK, MAY_DOWNLOAD, Standing
from datasets.clips import byteranges
from datasets.models import AccessRequest, ArchivePlan, Label, Release

from . import commands, contents, pinning, plan, samples
from .formats.delta import SUFFIX
from .wording import WORDS


@dataclass(frozen=True)
class FormatShown:
    """One way to download a release."""

    name: str
    read_by: str | Promise
    fetch: str
    load: str
    size: int | None  # in bytes; None while it is not planned
    refusal: str  # why it cannot take the release
    delta_size: int | None  # of what is new alone; None or 0 where there is none

    @property
    def delta(self) -> str:
        """The name of the archive of what is new since the version before."""
        return self.name + SUFFIX


@require_safe
def releases_page(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        reauthentication.resumed(request)
    found = list(Release.objects.prefetch_related("campaigns"))
    person = request.user if isinstance(request.user, User) else None
    waiting = deciding.waiting_for(person).count() if person else 0
    rows = [(release, contents.of(release)) for release in found]
    return render(request, "datasets/releases/releases.html", {"rows": rows, "waiting": waiting})


@require_safe
def release_page(request: HttpRequest, slug: str) -> HttpResponse:
    return _page(request, get_object_or_404(Release, slug=slug))


@require_safe
def sample(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    """The sound of a clip that the page plays to everyone; 404 for every other clip."""
    release = get_object_or_404(Release, slug=slug, retracted_at=None)
    wav = samples.sound(release, public_id)
    if wav is None:
        raise Http404("no sample of this release")
    return byteranges.sound(request, wav)


def _page_of(request: HttpRequest, slug: str) -> str:
    return reverse("release_page", args=[slug])


@keeps_typed("name", "purpose")
@posted_from(_page_of)
@login_required
def ask(request: PersonalRequest, slug: str) -> HttpResponse:
    """Ask for a release and accept its terms, or accept a newer version of them."""
    release = get_object_or_404(Release, slug=slug)
    form = AskForm(request.POST)
    if not form.is_valid():
        return _page(request, release, form, status=400)
    said = form.cleaned_data
    about = sealing.About(said["name"], said["purpose"])
    try:
        asked = asking.ask(request.user, release, about, said["version"], timezone.now())
    except AccessRefused as refused:
        form.add_error(None, wording.in_words(refused))
        return _page(request, release, form, status=409)
    if asked.state == AccessRequest.State.GRANTED:
        messages.success(request, _("You may download this release."))
    else:
        messages.success(request, _("Your request waits for the people who give out this release."))
    return redirect("release_page", slug)


def _page(
    request: HttpRequest, release: Release, form: AskForm | None = None, status: int = 200
) -> HttpResponse:
    asked = standing.request_of(request.user, release)
    found = standing.of(request.user, release, asked)
    about = _about(asked)
    said = {"name": about.name, "purpose": about.purpose} if about else {}
    shown, shown_formats = contents.of(release), _formats(release)
    is_steward = isinstance(request.user, User) and (
        deciding.stewarded_by(request.user).filter(pk=release.pk).exists()
    )
    context: dict[str, Any] = {
        "release": release,
        "inside": shown,
        "answers": [(Label(answer).label, clips) for answer, clips in shown.answers],
        "people": release.figures.get("people", {}),
        "changed": sum(release.changes.get("changed", {}).values()),
        "doubt": 100 * shown.doubt,
        "agreement": None if shown.agreement is None else 100 * shown.agreement,
        "campaigns": release.campaigns.all(),
        "standing": found.value,
        "may_download": found in MAY_DOWNLOAD,
        "form": (form or AskForm(initial=said)) if _may_ask(request, found) else None,
        "asked": asked,
        "about": about,
        "terms": terms.TEXT,
        "version": terms.VERSION,
        "formats": shown_formats,
        "by_hand": commands.fetch_by_hand(release.slug, shown_formats[0].name, found == Standing.OPEN),
        "is_steward": is_steward,
        "citation": commands.citation(release.slug, release.published_at.year, operators.present()),
    }
    return render(request, "datasets/releases/release.html", context, status=status)


def _may_ask(request: HttpRequest, found: Standing) -> bool:
    is_able = isinstance(request.user, User) and not request.user.lacks_any_factor
    return found in MAY_ASK and is_able


def _formats(release: Release) -> list[FormatShown]:
    """Those that can take the release first."""
    plans = {each.form: each for each in plan.kept().filter(release=release).defer("sealed")}
    subsets = pinning.subsets_of(release)
    shown = [
        FormatShown(
            name=name,
            read_by=read_by,
            fetch=commands.fetch(release.slug, name),
            load=commands.load(release.slug, name, subsets),
            size=plans[name].size if name in plans else None,
            refusal=_refusal(plans[name]) if name in plans else "",
            delta_size=plans[name + SUFFIX].size if name + SUFFIX in plans else None,
        )
        for name, read_by in commands.READ_BY.items()
    ]
    return sorted(shown, key=lambda each: bool(each.refusal))


def _refusal(planned: ArchivePlan) -> str:
    refusal = plan.refusal_of(planned)
    return in_words(refusal, WORDS) if refusal else ""


def _about(asked: AccessRequest | None) -> sealing.About | None:
    try:
        return sealing.unseal(asked) if asked else None
    except KeyLost:
        return None
