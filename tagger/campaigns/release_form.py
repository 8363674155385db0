"""The bounds of a release, and the sentence with which one is retracted."""

from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext_lazy as _

from datasets.models import Campaign, Release, not_a_page
from datasets.releases import retraction

from .campaign_form import CHOICES

WISHES = ("after", "notes", "sentences_apart", "disguised", "single_votes")


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
        label=_("Name of the release"),
        max_length=60,
        help_text=_("letters, digits and hyphens"),
        validators=[not_a_page],
    )
    licence = forms.CharField(
        label=_("Licence"),
        required=False,
        max_length=Release._meta.get_field("licence").max_length,
        help_text=_("its SPDX name, such as CC0-1.0; empty: what the licences of its clips allow"),
    )
    after = forms.ChoiceField(
        label=_("Next version of"),
        required=False,
        help_text=_("its speakers stay in training or test, and researchers fetch only what is new"),
    )
    notes = forms.CharField(
        label=_("What is new"),
        required=False,
        max_length=2_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("for researchers; everyone may read it"),
    )
    sentences_apart = forms.BooleanField(
        label=_("No sentence is both trained on and tested with"),
        required=False,
        help_text=_("clips that repeat a sentence of another part are left out"),
    )
    disguised = forms.BooleanField(
        label=_("Disguise the voices"),
        required=False,
        help_text=_("they may still be recognised, and models learn less from them"),
    )
    single_votes = forms.BooleanField(
        label=_("List the answers of volunteers one by one"),
        required=False,
        help_text=_("only of those who agreed to it, each under a random id that is of this release alone"),
    )
    field_order = ("min_confidence", "min_contributors", "audience", "slug", "licence", *WISHES)

    def __init__(self, campaign: Campaign, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        newest = campaign.releases.filter(following=None).order_by("-published_at")
        choices = [(release.slug, f"{release.slug} ({release.version})") for release in newest]
        field = self.fields["after"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", _("none: a new data set")), *choices]

    @property
    def wanted(self) -> dict[str, Any]:
        """What a ReleaseOrder keeps."""
        plain = {name: value for name, value in self.cleaned_data.items() if name not in WISHES}
        wish = {name: self.cleaned_data[name] for name in WISHES if self.cleaned_data[name]}
        return plain | {"wish": wish}


class RetractionForm(forms.Form):
    because = forms.CharField(
        label=_("Why it is retracted (everyone will read it)"),
        max_length=retraction.LONGEST,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
