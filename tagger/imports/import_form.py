"""What an owner says of a collection before its files are sent; and how its table is read."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from datasets import licences
from datasets.clips import manifests
from datasets.imports.gathering import LONGEST_TEXT

IN_TABLE = "in-table"
OTHER = "other"

FIELD_NAMES = {
    "": _("not read"),
    "path": _("the file"),
    "speaker": _("who speaks"),
    "language": _("language"),
    "wake_word": _("wake word"),
    "truth": _("the right answer, if known"),
    "transcript": _("what is said"),
    "draft": _("a machine’s transcript"),
    "licence": _("licence"),
    "voice": _("“made” if a machine made the voice"),
}


def choices_for_columns() -> list[tuple[str, Any]]:
    return [(field, FIELD_NAMES[field]) for field in ("", *manifests.COLUMNS)]


class ImportForm(forms.Form):
    collection = forms.CharField(
        max_length=LONGEST_TEXT,
        label=_("Name of the collection"),
        help_text=_("Each of its speakers becomes a contributor of their own. Shown to nobody but owners."),
    )
    reference = forms.CharField(
        max_length=LONGEST_TEXT,
        label=_("Where is the speakers’ consent filed?"),
        help_text=_("So that it is found again, such as “forms of May 2026, folder 3”."),
    )
    licence = forms.ChoiceField(
        choices=[
            ("", _("Choose…")),
            *((name, name) for name in licences.COMMON),
            (IN_TABLE, _("a column of the table, or the archive, names it")),
            (OTHER, _("another one")),
        ],
        label=_("Licence of the recordings"),
    )
    other_licence = forms.CharField(
        required=False,
        max_length=licences.LONGEST,
        label=_("If another: its name"),
        help_text=_("A name of your own that begins with LicenseRef-, such as LicenseRef-school-project."),
    )
    audience = forms.ChoiceField(
        choices=[
            ("", _("Choose…")),
            ("researchers", _("volunteers, and researchers who were admitted")),
            ("public", _("these, and everyone: public releases, too")),
        ],
        label=_("Whom does the consent cover?"),
    )

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        if said.get("licence") == OTHER and not licences.tidied(said.get("other_licence", "")):
            self.add_error("other_licence", _("Write a name that begins with LicenseRef-."))
        return said

    @property
    def spdx(self) -> str:
        """Empty if a column names it."""
        chosen = self.cleaned_data["licence"]
        if chosen == OTHER:
            return str(self.cleaned_data["other_licence"])
        return "" if chosen == IN_TABLE else str(chosen)


class WithdrawForm(forms.Form):
    prefix = "withdraw"
    collection = forms.CharField(max_length=LONGEST_TEXT, label=_("Name of the collection"))
    who = forms.ChoiceField(
        choices=[("", _("Choose…")), ("one", _("one person")), ("everybody", _("everybody in it"))],
        label=_("Who"),
    )
    speaker = forms.CharField(
        required=False,
        max_length=200,
        label=_("Their name in the table"),
        help_text=_("Empty for clips that came without a speaker."),
    )
    is_sure = forms.BooleanField(label=_("I know that these clips are erased for good."))
