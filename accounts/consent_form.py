"""The consent form: boxes that are never ticked beforehand, in the words of the notice that was read."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _

from . import notices
from .models import Consent, ConsentNotice, Material, Purpose

DISGUISED = f"{Material.WAKE_WORD}.disguised"


class ConsentForm(forms.Form):
    """One box for each consent that is not yet live under the current notice."""

    language = forms.CharField(widget=forms.HiddenInput)
    read = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, notice: ConsentNotice, live: list[Consent], *args: Any, **kwargs: Any) -> None:
        """`live` are the person's consents that cover new clips."""
        words = {"initial": {"language": notice.language, "read": notice.sha256}, "auto_id": "id_%s"}
        super().__init__(*args, **words | kwargs)
        self.notice, self.words = notice, notices.boxes(notice)
        self._live = {(each.material, each.purpose) for each in live}
        for material in Material:
            for purpose in Purpose:
                if (material, purpose) not in self._live:
                    self._add(f"{material}.{purpose}")
        if f"{Material.WAKE_WORD}.{Purpose.VOLUNTEERS}" in self.fields:
            self._add(DISGUISED)

    def groups(self) -> list[tuple[str, list[forms.BoundField]]]:
        """A title with its boxes, for each material that has a box."""
        groups = [
            (self.words[material], [self[name] for name in self.fields if name.startswith(f"{material}.")])
            for material in Material
        ]
        return [(title, boxes) for title, boxes in groups if boxes]

    def notice_has_changed(self) -> bool:
        """Whether the notice changed after the person opened the form."""
        return self.data.get("read") != self.notice.sha256

    def chosen(self) -> dict[Material, list[Purpose]]:
        """The ticked purposes by material. A material without a tick is left out."""
        ticked = {material: self._ticked(material) for material in Material}
        return {material: purposes for material, purposes in ticked.items() if purposes}

    def disguised(self) -> bool:
        return bool(self.cleaned_data.get(DISGUISED))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        self.cleaned_data = cleaned
        for material, purposes in self.chosen().items():
            if Purpose.VOLUNTEERS not in purposes and (material, Purpose.VOLUNTEERS) not in self._live:
                self.add_error(f"{material}.{Purpose.VOLUNTEERS}", self.words["volunteers-first"])
        if self.disguised() and not cleaned.get(f"{Material.WAKE_WORD}.{Purpose.VOLUNTEERS}"):
            self.add_error(
                DISGUISED,
                _("Volunteers hear nothing, disguised or not, unless you tick the box that allows it."),
            )
        if not self.chosen() and not self.errors:
            raise forms.ValidationError(_("You did not tick anything, so nothing has changed."))
        return cleaned

    def _add(self, name: str) -> None:
        self.fields[name] = forms.BooleanField(label=self.words[name], required=False)

    def _ticked(self, material: Material) -> list[Purpose]:
        return [purpose for purpose in Purpose if self.cleaned_data.get(f"{material}.{purpose}")]
