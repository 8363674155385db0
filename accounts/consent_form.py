"""The consent form: boxes that are never ticked beforehand, in the words of the notice that was read."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from . import notices
from .models import AUDIENCES, Consent, ConsentNotice, Material, Purpose

DISGUISED = f"{Material.WAKE_WORD}.disguised"


class ConsentForm(forms.Form):
    """One box for each consent that is not yet live under the current notice."""

    language = forms.CharField(widget=forms.HiddenInput)
    read = forms.CharField(widget=forms.HiddenInput)

    def __init__(
        self,
        notice: ConsentNotice,
        supplements: Sequence[ConsentNotice],
        live: list[Consent],
        *args: Any,
        **kwargs: Any,
    ) -> None:
        """`live` are the person's consents that cover new clips."""
        self.notice, self.supplements = notice, supplements
        self.texts = [notice, *supplements]
        self._hashes = " ".join(text.sha256 for text in self.texts)
        initial = {"language": notice.language, "read": self._hashes}
        super().__init__(*args, **{"initial": initial, "auto_id": "id_%s"} | kwargs)
        self.words = {name: words for text in self.texts for name, words in notices.boxes(text).items()}
        self._live = {(each.material, each.purpose) for each in live}
        for material in Material:
            for purpose in material.purposes:
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
        """Whether the notice or a supplement changed after the person opened the form."""
        return self.data.get("read") != self._hashes

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
            allowed = {*purposes, *(of for given, of in self._live if given == material)}
            if Purpose.VOLUNTEERS not in allowed:
                self.add_error(f"{material}.{Purpose.VOLUNTEERS}", self.words["volunteers-first"])
            if Purpose.SYNTHESIS in purposes and allowed.isdisjoint(AUDIENCES):
                self.add_error(f"{material}.{Purpose.SYNTHESIS}", self.words["synthesis-alone"])
        if self.disguised() and not cleaned.get(f"{Material.WAKE_WORD}.{Purpose.VOLUNTEERS}"):
            self.add_error(
                DISGUISED,
                _("Volunteers hear nothing, disguised or not, unless you tick the box that allows it."),
            )
        if not self.chosen() and not self.errors:
            raise forms.ValidationError(_("You did not tick anything, so nothing has changed."))
        return cleaned

    def full_clean(self) -> None:
        """The page is long, so it opens at the first box that is refused; at the first of all if none is."""
        super().full_clean()
        boxes = [name for name, field in self.fields.items() if isinstance(field, forms.BooleanField)]
        refused = [name for name in boxes if name in self.errors]
        for name in [*refused, *boxes][: 1 if self.errors else 0]:
            self.fields[name].widget.attrs["autofocus"] = True

    def _add(self, name: str) -> None:
        risk = self.words.get(f"{name}.risk", "")
        self.fields[name] = forms.BooleanField(label=self.words[name], help_text=risk, required=False)

    def _ticked(self, material: Material) -> list[Purpose]:
        return [purpose for purpose in material.purposes if self.cleaned_data.get(f"{material}.{purpose}")]
