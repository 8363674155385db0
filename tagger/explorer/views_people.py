"""The people who answer in an owner's campaign, by number, and how much their answers count."""

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET

from accounts.models import User
from accounts.posting import posted_from
from accounts.roles import PersonalRequest
from datasets.models import Campaign, Label
from datasets.owners import owner_page
from tagger.desk import wording
from tagger.lending import notes
from tagger.lending.refusals import AnswerRefused
from tagger.models import PersonWeight
from tagger.settling import person_weights

from . import inactive, tasks
from . import people as figures


class WeightForm(forms.Form):
    factor = forms.TypedChoiceField(
        label=gettext_lazy("Their answers count"),
        coerce=float,
        choices=PersonWeight.Factor.choices,
        widget=forms.RadioSelect,
    )
    note = forms.CharField(
        label=gettext_lazy("Why"),
        required=False,
        max_length=notes.LONGEST,
        help_text=gettext_lazy("For you; the person can read it in the download of their own data."),
    )

    def clean_note(self) -> str:
        try:
            return notes.checked(self.cleaned_data["note"])
        except AnswerRefused as refused:
            raise forms.ValidationError(wording.in_words(refused)) from None


@require_GET
@owner_page
def people(request: PersonalRequest, campaign: Campaign) -> HttpResponse:
    return _people(request, campaign)


@posted_from(lambda request, slug: reverse("campaign_people", args=[slug]))
@owner_page
def weigh_inactive(request: PersonalRequest, campaign: Campaign) -> HttpResponse:
    """What the answers of those who stopped answering count, until they answer again."""
    now = timezone.now()
    form = inactive.InactiveForm(request.POST, inactive.counts(figures.measured_at(campaign)))
    if not form.is_valid():
        return _people(request, campaign, form, status=400)
    found = inactive.people(campaign, form.cleaned_data["days"], now)
    factor = form.cleaned_data["factor"]
    changed = person_weights.decide_until_return(campaign, found, factor, request.user, now)
    tasks.recount.delay_on_commit()  # type: ignore[attr-defined]
    text = ngettext(
        "The weight of %(number)d person is changed. What they answered is being counted again.",
        "The weight of %(number)d people is changed. What they answered is being counted again.",
        changed,
    )
    messages.success(request, text % {"number": changed})
    return redirect("campaign_people", campaign.slug)


def _people(
    request: HttpRequest, campaign: Campaign, form: inactive.InactiveForm | None = None, status: int = 200
) -> HttpResponse:
    typed = request.GET.get("page", "1")
    number = int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 6 else 1
    found = figures.page(campaign, number)
    matrix = figures.matrix(campaign) if found.number == 1 else None
    count = figures.measured_at(campaign)
    stopped = inactive.counts(count) if found.number == 1 else []
    context = {
        "campaign": campaign,
        "tab": "people",
        "page": found,
        "matrix": matrix if matrix and matrix.people else None,
        "matrix_links": _links(campaign, matrix) if matrix else [],
        "count": count,
        "inactive": form or inactive.InactiveForm(None, stopped),
        "has_inactive": any(each.people for each in stopped),
    }
    return render(request, "tagger/explorer/people.html", context, status=status)


def _links(campaign: Campaign, matrix: figures.Matrix) -> list[list[str]]:
    """Each cell leads to the clips that both answered."""
    page = reverse("campaign_clips", args=[campaign.slug])
    people = matrix.people
    return [[f"{page}?answered_by={one}&also_by={other}" for other in people] for one in people]


@require_GET
@owner_page
def person(request: PersonalRequest, campaign: Campaign, pk: int) -> HttpResponse:
    return _page(request, campaign, pk)


@posted_from(lambda request, slug, pk: reverse("campaign_person", args=[slug, pk]))
@owner_page
def weigh(request: PersonalRequest, campaign: Campaign, pk: int) -> HttpResponse:
    form = WeightForm(request.POST)
    someone = get_object_or_404(User, pk=pk, is_active=True)
    if figures.one(campaign, pk) is None:
        raise Http404
    if not form.is_valid():
        return _page(request, campaign, pk, form, status=400)
    factor, note = form.cleaned_data["factor"], form.cleaned_data["note"]
    person_weights.decide(campaign, someone, factor, note, request.user, timezone.now())
    tasks.recount.delay_on_commit()  # type: ignore[attr-defined]
    messages.success(request, _("Saved. What they answered is being counted again."))
    return redirect("campaign_person", campaign.slug, pk)


def _confusion_links(campaign: Campaign, pk: int) -> list[list[str]]:
    """Each cell leads to the clips that were settled so and that they answered so."""
    page = reverse("campaign_clips", args=[campaign.slug])
    named = f"{page}?status=settled&answered_by={pk}"
    return [[f"{named}&answer={settled}&gave={gave}" for gave in Label.values] for settled in Label.values]


def _page(
    request: HttpRequest, campaign: Campaign, pk: int, form: WeightForm | None = None, status: int = 200
) -> HttpResponse:
    found = figures.one(campaign, pk)
    if found is None:
        raise Http404
    weight = figures.weight_of(campaign, pk)
    chosen = {"factor": f"{found.weight:g}", "note": person_weights.note_of(weight) if weight else ""}
    context = {
        "campaign": campaign,
        "tab": "people",
        "person": found,
        "weight": weight,
        "form": form or WeightForm(initial=chosen),
        "labels": [str(label.label) for label in Label],
        "confusion": None if campaign.asks_for_words else figures.confusion(found),
        "confusion_links": _confusion_links(campaign, pk),
    }
    return render(request, "tagger/explorer/person.html", context, status=status)
