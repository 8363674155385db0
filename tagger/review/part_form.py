"""The filter of the review queue as it stands in a page's address."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import Purpose
from tagger.models import ReviewItem

from .queue import Filter

EVERY = [("", _("All"))]
BLOCKED = [
    ("", _("Any")),
    (Purpose.PUBLIC.value, _("public releases")),
    (Purpose.RESEARCHERS.value, _("releases for researchers")),
]
AGES = [("", _("Any")), ("1", _("1 day")), ("7", _("7 days")), ("30", _("30 days"))]


class PartForm(forms.Form):
    """What an address has that fits nothing is left out."""

    kind = forms.ChoiceField(choices=EVERY + ReviewItem.Kind.choices, required=False, label=_("Kind"))
    reason = forms.ChoiceField(choices=EVERY + ReviewItem.Reason.choices, required=False, label=_("Reason"))
    campaign = forms.SlugField(required=False, label=_("Campaign"))
    language = forms.CharField(required=False, max_length=35, label=_("Language"))
    days = forms.ChoiceField(choices=AGES, required=False, label=_("Waiting for at least"))
    blocks = forms.ChoiceField(choices=BLOCKED, required=False, label=_("Keeps a clip out of"))
    after_item = forms.IntegerField(required=False)

    def _found(self) -> dict[str, Any]:
        self.is_valid()
        return self.cleaned_data

    def part(self) -> Filter:
        found = self._found()
        days = found.get("days")
        return Filter(
            kind=found.get("kind", ""),
            campaign=found.get("campaign", ""),
            language=found.get("language", ""),
            reason=found.get("reason", ""),
            older_than=timedelta(days=int(days)) if days else None,
            blocks=found.get("blocks", ""),
        )

    def after(self) -> ReviewItem | None:
        """The item after which it begins."""
        pk = self._found().get("after_item")
        return ReviewItem.objects.filter(pk=pk).first() if pk else None

    @property
    def kept(self) -> list[tuple[str, Any]]:
        """The filter, for forms and links to pages that keep it."""
        found = self._found()
        names = ("kind", "reason", "campaign", "language", "days", "blocks")
        return [(name, found[name]) for name in names if found.get(name)]

    def query(self, **more: Any) -> str:
        return urlencode([*self.kept, *more.items()])
