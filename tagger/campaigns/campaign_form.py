"""The form of an owner's campaign: the question, what volunteers read and hear, when a clip is settled."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.forms import BoundField
from django.utils.functional import Promise
from django.utils.translation import get_language_info
from django.utils.translation import gettext_lazy as _

from accounts.models import Purpose
from datasets import campaigns, titles
from datasets.models import QUESTION, Campaign

TRANSLATED = ("title", "purpose", "becomes")
GUIDELINES_HELP = _(
    "How to decide, with the doubtful cases. Markdown: **bold**, - lists, ## headings and [links](https://…)."
)


@dataclass(frozen=True)
class Section:
    """A part of the form, under one heading."""

    name: str
    title: str | Promise
    fields: tuple[str, ...]


SECTIONS = (
    Section("question", _("The question"), ("slug", "title", "purpose", "kind", "language", "wake_word")),
    Section("about", _("What volunteers read"), ("becomes", "run_by", "guidelines", "prompts")),
    Section(
        "settling",
        _("When a clip is settled"),
        ("min_annotations", "max_annotations", "confidence", "needs_track_record"),
    ),
    Section(
        "lending",
        _("What volunteers hear"),
        ("control_share", "contributor_cap", "must_hear", "speech_first", "takes_part"),
    ),
    Section(
        "releases", _("Releases"), ("release_audience", "release_licence", "needs_clearing", "drafts_by")
    ),
)


# As an owner chooses them; without the empty choice that Django adds.
CHOICES = {
    "kind": (
        (Campaign.Kind.WAKE_WORD, _("They say whether a wake word is said")),
        (Campaign.Kind.TRANSCRIPTION, _("They write down what is said")),
    ),
    "takes_part": (
        (Campaign.TakingPart.EVERYONE, _("Everyone")),
        (Campaign.TakingPart.LANGUAGE, _("People who say that they understand its language")),
        (Campaign.TakingPart.INVITED, _("People who have its link")),
    ),
    "release_audience": (
        (Purpose.RESEARCHERS, _("Researchers, by name")),
        (Purpose.PUBLIC, _("Everyone")),
    ),
}


class CampaignForm(forms.ModelForm):
    """For a new campaign, or for one whose question may be fixed already."""

    prompts = forms.CharField(
        required=False,
        label=_("Sentences to read aloud"),
        help_text=_("one per line, for contributors who record in the browser; transcription only"),
        widget=forms.Textarea(attrs={"rows": 6}),
    )

    class Meta:
        model = Campaign
        fields = [name for section in SECTIONS for name in section.fields if name != "prompts"]
        labels = {
            "slug": _("Name in addresses"),
            "title": _("Title"),
            "purpose": _("Purpose"),
            "becomes": _("What it becomes"),
            "run_by": _("Who runs it"),
            "kind": _("What volunteers do"),
            "language": _("Language"),
            "wake_word": _("Wake word"),
            "guidelines": _("Guidelines"),
            "min_annotations": _("Least answers"),
            "max_annotations": _("Most answers"),
            "confidence": _("Confidence to reach"),
            "needs_track_record": _("Someone with a track record must be among those who answered"),
            "control_share": _("Share of clips with a known answer"),
            "contributor_cap": _("Most clips of one voice a day"),
            "must_hear": _("Share of a clip that must be heard"),
            "speech_first": _("Clips without speech come last"),
            "takes_part": _("Who may take part"),
            "release_audience": _("Who may have its releases"),
            "release_licence": _("Licence of its releases"),
            "needs_clearing": _("Privacy reviewers hear every clip before any release"),
            "drafts_by": _("Machine whose drafts are offered"),
        }
        help_texts = {
            "slug": _("small letters, digits and hyphens; it stays as it is"),
            "guidelines": GUIDELINES_HELP,
            "min_annotations": _("a clip is never settled by fewer"),
            "max_annotations": _("after so many, a reviewer decides"),
            "confidence": _("how sure an answer must be, above 0 and at most 1"),
            "language": _("a code such as en or pt-BR"),
            "wake_word": _("for wake-word campaigns: the words that should be said"),
            "release_licence": _(
                "its SPDX name, such as CC0-1.0; empty: what the licences of its clips allow"
            ),
        }
        widgets = {
            "purpose": forms.Textarea(attrs={"rows": 2}),
            "becomes": forms.Textarea(attrs={"rows": 2}),
            "guidelines": forms.Textarea(attrs={"rows": 8, "data-part": "source"}),
            "kind": forms.RadioSelect,
            "takes_part": forms.RadioSelect,
            "release_audience": forms.RadioSelect,
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self._be_of(self.instance)
        for name, choices in CHOICES.items():
            self.fields[name].choices = choices  # type: ignore[attr-defined]
        for name in ("control_share", "confidence", "must_hear"):
            self.fields[name].widget.attrs["step"] = "0.01"
        for language, _info in self.languages():
            self._add_translations(language)

    def _be_of(self, campaign: Campaign) -> None:
        self.fields["slug"].disabled = True
        sentences = campaign.prompts.order_by("id").values_list("text", flat=True)
        self.fields["prompts"].initial = "\n".join(sentences)
        if campaign.is_answered:
            for name in QUESTION:
                self.fields[name].disabled = True
                self.fields[name].help_text = _(
                    "People have answered it, so it stays. Clone the campaign instead."
                )

    def languages(self) -> list[tuple[str, dict[str, Any]]]:
        """The site's, as (code, what Django knows of it)."""
        return [(code, get_language_info(code)) for code, _name in settings.LANGUAGES]

    def _add_translations(self, language: str) -> None:
        written = self.instance.translations.get(language, {})
        for name in TRANSLATED:
            self.fields[f"{name}_{language}"] = forms.CharField(
                required=False,
                label=self.fields[name].label,
                max_length=titles.LONGEST if name == "title" else 240,
                initial=written.get(name, ""),
                widget=forms.TextInput(attrs={"lang": language, "dir": "auto"}),
            )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        try:
            campaigns.clean_prompts(cleaned.get("kind", self.instance.kind), cleaned.get("prompts", ""))
        except ValidationError as error:
            self.add_error(None, error)
        return cleaned

    def values(self) -> dict[str, Any]:
        """What was typed, as datasets.campaigns takes it. Only of a form that is valid."""
        found = {name: self.cleaned_data[name] for name in [*self.Meta.fields, "prompts"]}
        return found | {"translations": self._translations()}

    def values_of_model(self) -> dict[str, Any]:
        return {name: value for name, value in self.values().items() if name != "prompts"}

    def _translations(self) -> dict[str, dict[str, str]]:
        typed = {
            code: {name: text for name in TRANSLATED if (text := self.cleaned_data[f"{name}_{code}"].strip())}
            for code, _info in self.languages()
        }
        return {code: texts for code, texts in typed.items() if texts}

    @property
    def sections(self) -> Iterator[tuple[Section, list[BoundField]]]:
        """For the page."""
        for section in SECTIONS:
            yield section, [self[name] for name in section.fields]

    @property
    def translated(self) -> Iterator[tuple[dict[str, Any], list[BoundField]]]:
        """For the page: each language with its fields."""
        for code, info in self.languages():
            yield info, [self[f"{name}_{code}"] for name in TRANSLATED]
