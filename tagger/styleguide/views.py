"""The page that draws every component in every state, for those who build and run the site."""

from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from . import colours, samples

PAGE_SIZE = 6


@require_GET
def styleguide(request: HttpRequest) -> HttpResponse:
    """To others there is nothing here: they would take its made-up numbers for the site's own."""
    if not (settings.DEBUG or request.user.is_staff):
        raise Http404("for those who build or run this site")
    found, sort, is_down = _listed(request)
    return render(
        request,
        "tagger/styleguide/styleguide.html",
        {
            "sizes": samples.SIZES,
            "themes": {name: colours.pairs(theme) for name, theme in colours.themes().items()},
            "icons": samples.icons(),
            "drawings": [(name, f"drawings/{name}.svg") for name in samples.DRAWINGS],
            "heights": samples.wave_heights(),
            "form": samples.SampleForm(auto_id="sample_ok_%s"),
            "refused": samples.refused_form(),
            "page": Paginator(found, PAGE_SIZE).get_page(request.GET.get("page")),
            "state": request.GET.get("state", ""),
            "states": samples.STATES,
            "sort": sort,
            "is_down": is_down,
            "sortable": samples.SORTABLE,
            "is_dialog_open": request.GET.get("open") == "sample-dialog",
            "steps": samples.STEPS,
            "code": samples.CODE,
            "charts": samples.charts(),
            "answers": samples.ANSWERS,
        },
    )


def _listed(request: HttpRequest) -> tuple[list[samples.Row], str, bool]:
    """The sample rows as the filter and the sorted column in the address ask for them."""
    state, wanted = request.GET.get("state", ""), request.GET.get("sort", "")
    sort = wanted.lstrip("-") if wanted.lstrip("-") in samples.SORTABLE else "number"
    is_down = wanted.startswith("-")
    found = [row for row in samples.rows() if state in ("", row.state)]
    return sorted(found, key=lambda row: getattr(row, sort), reverse=is_down), sort, is_down
