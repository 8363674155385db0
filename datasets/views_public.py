"""For everybody, without an account: what was withdrawn from releases, and whether all is in order."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from accounts import audit, signing

from . import recalls, reconcile
from .models import Reconciliation, Release


@require_safe
def recall_feed(request: HttpRequest, release: str) -> HttpResponse:
    feed = recalls.feed(get_object_or_404(Release, slug=release))
    return HttpResponse(signing.canonical(feed), content_type="application/json")


@require_safe
def ledger(request: HttpRequest) -> HttpResponse:
    newest = Reconciliation.objects.first()
    context = {
        "newest": newest,
        "orphans": _orphans(newest) if newest else [],
        "head": newest and audit.head(newest.looked_at),
    }
    return render(request, "datasets/ledger.html", context)


def _orphans(found: Reconciliation) -> list[tuple[str, int]]:
    """Each kind in words, and how many; a kind that was not looked for yet counts none."""
    return [(str(words), found.orphans.get(kind, 0)) for kind, words in reconcile.KINDS.items()]
