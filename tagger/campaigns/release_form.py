"""The bounds of a release, and the sentence with which one is retracted."""

from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext_lazy as _

from datasets.models import Campaign, Release
from datasets.releases import retraction

from .campaign_form import CHOICES


class BoundsForm(forms.Form):
    """What a release takes. It is shown with what that would be before it is made."""

    min_confidence = forms.FloatField(
        label=_("Least confidence"),
        help_text=_("0 to 1; what a reviewer decided is taken at any"),
        validators=[MinValueValidator(0), MaxValueValidator(1)],
        widget=forms.NumberInput(attrs={"step": "0.01", "min": "0", "max": "1"}),
    )
    min_contributors = forms.IntegerField(
        label=_("Least number of speakers"), min_value=1, help_text=_("with fewer, none is made")
    )
    audience = forms.ChoiceField(
        label=_("Who may have it"), choices=CHOICES["release_audience"], widget=forms.RadioSelect
    )

    @staticmethod
    def of(campaign: Campaign) -> dict[str, Any]:
        """What the page begins with."""
        return {"min_confidence": 0.0, "min_contributors": 1, "audience": campaign.release_audience}


class ReleaseForm(BoundsForm):
    slug = forms.SlugField(
        label=_("Name of the release"), max_length=60, help_text=_("letters, digits and hyphens")
    )
    licence = forms.CharField(
        label=_("Licence"),
        max_length=Release._meta.get_field("licence").max_length,
        help_text=_("its SPDX name, such as CC0-1.0"),
    )
    field_order = ("min_confidence", "min_contributors", "audience", "slug", "licence")


class RetractionForm(forms.Form):
    because = forms.CharField(
        label=_("Why it is retracted (everyone will read it)"),
        max_length=retraction.LONGEST,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
