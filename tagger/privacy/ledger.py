"""The public ledger: the reconciler's latest counts, and the head of the audit record at that time."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts import audit
from accounts.roles import open_without_factor
from datasets.models import Reconciliation

from . import reconciler, rotation


@open_without_factor
@require_safe
def ledger(request: HttpRequest) -> HttpResponse:
    newest = Reconciliation.objects.first()
    context = {
        "newest": newest,
        "orphans": _orphans(newest) if newest else [],
        "head": newest and audit.head(newest.looked_at),
        "keys_not_copied_since": rotation.state(timezone.now())["keys_not_copied_since"],
    }
    return render(request, "tagger/privacy/ledger.html", context)


def _orphans(newest: Reconciliation) -> list[tuple[str, int]]:
    """Each kind in words with its count; 0 for a kind that is newer than the stored counts."""
    return [(str(words), newest.orphans.get(kind, 0)) for kind, words in reconciler.KINDS.items()]
