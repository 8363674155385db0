"""The reviewers' first page: what waits, how much of it, and the notices; and the examples."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from accounts.models import Role, User
from accounts.posting import posted_from
from accounts.roles import PersonalRequest, reviewer_required
from datasets import language_names, languages, reviewing
from datasets.models import Label
from tagger.desk import examples, guidelines_flags
from tagger.models import ReviewItem

from . import queue, reports, rises, second_looks, undo
from .part_form import PartForm


@require_GET
@reviewer_required
def review(request: PersonalRequest) -> HttpResponse:
    """The queue: what is open to this reviewer, filtered, a page at a time."""
    now, form = timezone.now(), PartForm(request.GET)
    part = form.part()
    after = form.after()
    items = queue.page(request.user, part, now, after)
    counts = queue.counts(request.user, part, now)
    context = {
        "rises": rises.unseen_by(request.user),
        "unclear": guidelines_flags.unseen_by(request.user),
        "form": form,
        "query": form.query(),
        "items": items,
        "has_more": len(items) == queue.PAGE,
        "after": after,
        "counts": [(label, counted(counts[kind])) for kind, label in ReviewItem.Kind.choices if counts[kind]],
        "may_play_through": counts[ReviewItem.Kind.DISPUTE] > 1,
        "campaigns": reviewing.reviewed_by(request.user).order_by("slug"),
        "languages": _languages(request.user),
        "last": undo.last_of(request.user),
        "sees_all": request.user.has_role(Role.REVIEWER),
        "reviews_for": request.user.reviewing.select_related("campaign").order_by("campaign__slug"),
        "records": second_looks.records(now, None if request.user.is_superuser else request.user),
    }
    return render(request, "tagger/review/review.html", context)


def counted(number: int) -> str:
    """A count as pages write it: with a plus sign if there may be more.

    >>> counted(7), counted(queue.MOST_COUNTED)
    ('7', '1000+')
    """
    return f"{number}+" if number == queue.MOST_COUNTED else str(number)


def _languages(reviewer: User) -> list[tuple[str, str]]:
    """The languages of the campaigns that they review by code and name, the reviewer's own first."""
    own = set(reviewer.languages or ())
    codes = reviewing.reviewed_by(reviewer).order_by("language").values_list("language", flat=True).distinct()
    first = sorted(codes, key=lambda code: languages.primary(code) not in own)
    return [(code, language_names.own_name(code)) for code in first]


@require_GET
@reviewer_required
def all_examples(request: PersonalRequest) -> HttpResponse:
    context = {"examples": examples.for_reviewer(request.user)[:50], "labels": Label}
    return render(request, "tagger/review/examples.html", context)


@posted_from("review")
@reviewer_required
def dismiss_all(request: PersonalRequest, pk: int) -> HttpResponse:
    """Dismiss every open report of one volunteer."""
    reporter = get_object_or_404(User, pk=pk, is_active=True)
    dismissed = reports.dismiss_all_of(reporter.pk, request.user, timezone.now())
    text = ngettext(
        "%(number)d report of volunteer %(pk)d is dismissed.",
        "%(number)d reports of volunteer %(pk)d are dismissed.",
        dismissed,
    )
    messages.success(request, text % {"number": dismissed, "pk": pk})
    return redirect("review")


@posted_from("campaigns")
@login_required
def rise_seen(request: PersonalRequest, pk: int) -> HttpResponse:
    """A campaign's owner or a reviewer has seen that reports rose."""
    rise = get_object_or_404(rises.unseen_by(request.user), pk=pk)
    rises.mark_seen(rise, request.user, timezone.now())
    return redirect("review" if request.user.is_reviewer else "campaigns")


@posted_from("campaigns")
@login_required
def flags_seen(request: PersonalRequest, slug: str) -> HttpResponse:
    """A campaign's owner or a reviewer has seen that its guidelines are unclear to somebody."""
    found = [each.campaign for each in guidelines_flags.unseen_by(request.user)]
    campaign = next((each for each in found if each.slug == slug), None)
    if campaign is None:
        raise Http404
    guidelines_flags.mark_seen(campaign, request.user, timezone.now())
    return redirect("review" if request.user.is_reviewer else "campaigns")


@posted_from("review_examples")
@reviewer_required
def take_out(request: PersonalRequest, pk: int) -> HttpResponse:
    examples.take_out(get_object_or_404(examples.for_reviewer(request.user), pk=pk))
    messages.success(request, _("The clip is no longer an example."))
    return redirect("review_examples")
