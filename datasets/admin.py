from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from . import campaigns
from .models import Campaign

MOST_PROMPTS = 1_000  # on the page of one campaign


class CampaignForm(forms.ModelForm):
    prompts = forms.CharField(
        required=False,
        label=_("Sentences to read"),
        help_text=_("one per line; contributors are asked to read them aloud"),
        widget=forms.Textarea(attrs={"rows": 12}),
    )

    class Meta:
        model = Campaign
        fields = "__all__"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            sentences = self.instance.prompts.order_by("id").values_list("text", flat=True)
            found = list(sentences[: MOST_PROMPTS + 1])
            self.fields["prompts"].initial = "\n".join(found[:MOST_PROMPTS])
            if len(found) > MOST_PROMPTS:
                self.fields["prompts"].disabled = True
                self.fields["prompts"].help_text = _(
                    "These are the first of many. Change them on the campaign’s page of settings."
                )

    @property
    def has_all_prompts(self) -> bool:
        return not self.fields["prompts"].disabled

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        try:
            campaigns.clean_prompts(self.cleaned_data.get("kind", ""), self.cleaned_data.get("prompts", ""))
        except ValidationError as error:
            self.add_error(None, error)
        return cleaned


ON_OWN_PAGES = ("slug", "stage", "min_annotations", "max_annotations", "confidence", "needs_track_record")


@admin.register(Campaign)
class CampaignAdmin(admin.ModelAdmin):
    form = CampaignForm
    list_display = ("slug", "title", "kind", "language", "wake_word", "stage")
    list_filter = ("kind", "language", "stage")
    search_fields = ("slug", "title")
    search_help_text = _("part of the name in addresses, or of the title")
    raw_id_fields = ("owner",)
    show_full_result_count = False

    def get_readonly_fields(self, request: HttpRequest, obj: Campaign | None = None) -> tuple[str, ...]:
        """Its own pages say what these lead to, and apply them to the clips that are there."""
        return ON_OWN_PAGES if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """It is archived instead: with it would go all its clips and answers, which the page would list."""
        return False

    def save_form(self, request: HttpRequest, form: forms.ModelForm, change: bool) -> Any:
        # The form has its new values by now, and the database its old ones.
        stored = Campaign.objects.filter(pk=form.instance.pk).first()
        form.before = campaigns.values(stored) if stored else {}  # type: ignore[attr-defined]
        return super().save_form(request, form, change)

    def save_related(self, request: HttpRequest, form: forms.ModelForm, *args: Any) -> None:
        super().save_related(request, form, *args)
        if form.has_all_prompts:  # type: ignore[attr-defined]
            campaigns.set_prompts(form.instance, form.cleaned_data["prompts"])
        campaigns.record_change(form.before, form.instance, request.user, timezone.now())  # type: ignore
