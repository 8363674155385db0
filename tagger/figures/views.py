"""The page of a campaign's figures, and each figure as a CSV file."""

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.roles import PersonalRequest
from datasets.models import Campaign
from datasets.owners import owner_page

from . import files, page, reading, rows


@require_GET
@owner_page
def overview(request: PersonalRequest, campaign: Campaign) -> HttpResponse:
    figures = reading.of(campaign)
    context = {"campaign": campaign, "tab": "figures", "figures": figures}
    has_clips = bool(figures.totals and figures.totals["clips"])
    drawn = page.drawn(figures) if has_clips else None
    return render(request, "tagger/figures/figures.html", context | {"drawn": drawn})


@require_GET
@owner_page
def table(request: PersonalRequest, campaign: Campaign, name: str) -> HttpResponse:
    if name not in rows.ALL:
        raise Http404
    answer = HttpResponse(files.csv_of(reading.of(campaign), name), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{campaign.slug}-{name}.csv"'
    return answer
