"""What an owner does with many clips, and the filters that they keep."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.posting import posted_from
from accounts.roles import PersonalRequest
from datasets.models import Campaign
from datasets.owners import owner_page

from . import jobs, saved_views, selection, tasks, views, wording
from .act_form import ActForm
from .filter_form import FilterForm


def _list_of(request: HttpRequest, slug: str, **_rest: object) -> str:
    return reverse("campaign_clips", args=[slug])


@posted_from(_list_of)
@owner_page
def act(request: PersonalRequest, campaign: Campaign) -> HttpResponse:
    """Chosen clips are dealt with now; all of a filter by a worker, after the owner confirmed it."""
    form = FilterForm(QueryDict(request.POST.get("query", "")), campaign)
    act_form = ActForm(request.POST)
    if not form.is_valid() or not act_form.is_valid():
        return views.page(request, campaign, form, act_form, status=400)
    name, options, now = act_form.cleaned_data["act"], act_form.options, timezone.now()
    if not act_form.is_of_all:
        job = jobs.ask(campaign, request.user, name, options, now, clips=act_form.chosen)
        jobs.go_on(job, now)
        job.refresh_from_db()
        _tell(request, job)
    elif "sure" in request.POST:
        job = jobs.ask(campaign, request.user, name, options, now, query=form.query())
        tasks.work.delay_on_commit(job.pk)  # type: ignore[attr-defined]
        messages.success(request, _("This is being done. How far it is stands below."))
    else:
        return _ask_if_sure(request, campaign, form, act_form)
    return redirect(f"{reverse('campaign_clips', args=[campaign.slug])}?{form.query()}")


def _ask_if_sure(
    request: PersonalRequest, campaign: Campaign, form: FilterForm, act_form: ActForm
) -> HttpResponse:
    found = selection.find(form.selection(), None, selection.FEW)
    context = {
        "campaign": campaign,
        "tab": "clips",
        "query": form.query(),
        "act": dict(act_form.fields["act"].choices)[act_form.cleaned_data["act"]],  # type: ignore[attr-defined]
        "sent": [("act", act_form.cleaned_data["act"]), *act_form.options.items()],
        "number": len(found.ids),
        "is_more": found.below is not None,
    }
    return render(request, "tagger/explorer/sure.html", context)


def _tell(request: PersonalRequest, job: jobs.ClipJob) -> None:
    if job.done:
        text = ngettext("Done with %(number)d clip.", "Done with %(number)d clips.", job.done)
        messages.success(request, text % {"number": job.done})
    for why, number in wording.why_refused(job):
        text = _("Left as they are: %(number)d. %(why)s")
        messages.error(request, text % {"number": number, "why": why})


class ViewForm(forms.Form):
    name = forms.CharField(max_length=60, label=gettext_lazy("Name of this view"))


@posted_from(_list_of)
@owner_page
def save_view(request: PersonalRequest, campaign: Campaign) -> HttpResponse:
    form = FilterForm(QueryDict(request.POST.get("query", "")), campaign)
    named = ViewForm(request.POST)
    query = form.query()
    if not named.is_valid() or not form.is_valid() or not query:
        messages.error(request, _("Filter the clips, and give the view a name of at most 60 letters."))
    elif saved_views.save(campaign, request.user, named.cleaned_data["name"], query):
        messages.success(request, _("Saved."))
    else:
        text = _("You have %(number)d views already. Delete one first.")
        messages.error(request, text % {"number": saved_views.MOST})
    return redirect(f"{reverse('campaign_clips', args=[campaign.slug])}?{query}")


@posted_from(lambda request, slug, pk: reverse("campaign_clips", args=[slug]))
@owner_page
def forget_view(request: PersonalRequest, campaign: Campaign, pk: int) -> HttpResponse:
    saved_views.forget(campaign, request.user, pk)
    messages.success(request, _("Deleted."))
    return redirect("campaign_clips", campaign.slug)
