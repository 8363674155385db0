"""The form of a check before publication, as a page without scripts sends it."""

from typing import Any

from django import forms

from tagger.models import PrivacyCheck

PAIRS = (1, 2, 3)  # of fields for marked parts


class CheckForm(forms.Form):
    """Whether the answer fits what is marked is for the act to say."""

    answer = forms.CharField()
    found = forms.MultipleChoiceField(choices=PrivacyCheck.Found.choices, required=False)
    heard = forms.FloatField(required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for number in PAIRS:
            for name in ("from", "to"):
                self.fields[f"{name}_{number}"] = forms.FloatField(required=False)

    def said(self) -> dict[str, Any]:
        """What the act takes. What cannot be read is refused by it: an unknown answer, a part without end."""
        self.is_valid()
        found = self.cleaned_data
        pairs = [(found.get(f"from_{number}"), found.get(f"to_{number}")) for number in PAIRS]
        unread = float("nan")
        return {
            "given": found.get("answer", ""),
            "found": found.get("found", []),
            "parts": [
                (unread if start is None else start, unread if end is None else end)
                for (start, end), number in zip(pairs, PAIRS, strict=True)
                if self.data.get(f"from_{number}") or self.data.get(f"to_{number}")
            ],
            "heard": found.get("heard") if self.data.get("heard") else None,
        }

    @property
    def pairs(self) -> list[tuple[int, str, str]]:
        """The fields of marked parts, as they were sent."""
        return [(n, self.data.get(f"from_{n}", ""), self.data.get(f"to_{n}", "")) for n in PAIRS]

    @property
    def boxes(self) -> list[tuple[str, str, str, bool]]:
        """What may be heard: its key, a digit, the value, its label, and whether it is ticked."""
        ticked = self.data.getlist("found") if hasattr(self.data, "getlist") else []
        choices = PrivacyCheck.Found.choices
        return [(str(n), value, str(label), value in ticked) for n, (value, label) in enumerate(choices, 1)]
