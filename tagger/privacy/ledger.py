"""The ledger, without an account: whether every stored thing still has its row, its key and its consent."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts import audit
from datasets.models import Reconciliation

from . import reconciler


@require_safe
def ledger(request: HttpRequest) -> HttpResponse:
    newest = Reconciliation.objects.first()
    context = {
        "newest": newest,
        "orphans": _orphans(newest) if newest else [],
        "head": newest and audit.head(newest.looked_at),
    }
    return render(request, "tagger/privacy/ledger.html", context)


def _orphans(found: Reconciliation) -> list[tuple[str, int]]:
    """Each kind in words, and how many; a kind that was not looked for yet counts none."""
    return [(str(words), found.orphans.get(kind, 0)) for kind, words in reconciler.KINDS.items()]
