"""An owner's campaigns, for programs: make, read, change, clone, open and close them, foresee a rule.

What can be set, and what is refused, is as on the pages: the same acts, and the same checks of the model.
"""

from importlib import import_module
from typing import Any

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.response import Response

from datasets import campaigns, titles
from datasets.models import Campaign
from datasets.owners import owned_by
from tagger.desk.api import ApiRequest

from . import changes, rules
from .calls import OwnersCall
from .campaign_form import CampaignForm

# Those of the owner's form; each is checked by the model.
SETTINGS = [name for name in CampaignForm.Meta.fields if name != "slug"]
NOT_CLONED = ("title",)
MOST_PROMPTS = 100_000


class TranslationSerializer(serializers.Serializer[Any]):
    title = serializers.CharField(required=False, allow_blank=True, max_length=titles.LONGEST)
    purpose = serializers.CharField(required=False, allow_blank=True, max_length=240)
    becomes = serializers.CharField(required=False, allow_blank=True, max_length=240)


class ProgressSerializer(serializers.Serializer[Any]):
    total = serializers.IntegerField(source="clips")
    settled = serializers.IntegerField()
    disputed = serializers.IntegerField()


class OwnCampaignSerializer(serializers.ModelSerializer[Campaign]):
    """One of your campaigns in the list."""

    progress = ProgressSerializer(
        source="counted", allow_null=True, read_only=True, help_text="as it was last counted"
    )

    class Meta:
        model = Campaign
        fields = ["slug", "title", "stage", "kind", "language", "wake_word", "progress"]
        read_only_fields = fields


class RecountSerializer(serializers.Serializer[Any]):
    tasks = serializers.IntegerField(help_text="how many there are to look at")
    done = serializers.IntegerField()
    reopened = serializers.IntegerField()
    settled = serializers.IntegerField()
    disputed = serializers.IntegerField()
    finished_at = serializers.DateTimeField(allow_null=True)


class SettingsSerializer(serializers.ModelSerializer[Campaign]):
    """All settings of a campaign. `kind`, `language` and `wake_word` are fixed once somebody answered."""

    # The model refuses a name that is taken.
    slug = serializers.SlugField(max_length=60, help_text="its name in addresses; it stays as it is")
    prompts = serializers.ListField(
        child=serializers.CharField(max_length=1_000),
        required=False,
        max_length=MOST_PROMPTS,
        write_only=True,
        help_text="all sentences to read aloud; those that are missing here are removed",
    )
    translations = serializers.DictField(
        child=TranslationSerializer(), required=False, help_text="by the code of a language of this site"
    )
    stage = serializers.CharField(read_only=True)
    question_is_fixed = serializers.BooleanField(source="is_answered", read_only=True)
    recount = serializers.SerializerMethodField(
        help_text="of the clips that are there, after another rule was set"
    )

    class Meta:
        model = Campaign
        fields = [
            *("slug", "stage", "question_is_fixed", "recount"),
            *SETTINGS,
            *("prompts", "translations"),
        ]

    @extend_schema_field(RecountSerializer(allow_null=True))
    def get_recount(self, campaign: Campaign) -> Any:
        found = rules.latest_recount(campaign)
        return RecountSerializer(found).data if found else None

    def validate_translations(self, typed: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
        if unknown := typed.keys() - dict(settings.LANGUAGES).keys():
            raise serializers.ValidationError(f"This site has no language {min(unknown)}.")
        tidied = {
            code: {name: text for name, each in texts.items() if (text := each.strip())}
            for code, texts in typed.items()
        }
        return {code: texts for code, texts in tidied.items() if texts}

    def validate_slug(self, typed: str) -> str:
        if isinstance(self.instance, Campaign) and typed != self.instance.slug:
            raise serializers.ValidationError("A campaign’s name in addresses stays as it is.")
        return typed

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if unknown := set(self.initial_data) - set(self.fields):
            raise serializers.ValidationError({name: ["There is no such setting."] for name in unknown})
        if "prompts" in attrs:
            attrs["prompts"] = "\n".join(attrs["prompts"])
        return attrs


class StageSerializer(serializers.Serializer[Any]):
    stage = serializers.ChoiceField(choices=Campaign.Stage.choices)


class EstimateSerializer(serializers.Serializer[Any]):
    value = serializers.FloatField()
    low = serializers.FloatField(help_text="of the 95 % interval")
    high = serializers.FloatField()


class ConsequencesSerializer(serializers.Serializer[Any]):
    clips = serializers.IntegerField(help_text="how many the campaign has")
    replayed = serializers.IntegerField(
        source="foreseen.tasks", help_text="clips whose answers were replayed"
    )
    like = serializers.CharField(
        source="model.slug", default=None, allow_null=True, help_text="the campaign they are of, if another"
    )
    votes_a_clip = EstimateSerializer(source="foreseen.votes")
    disputed_share = EstimateSerializer(source="foreseen.disputed")
    wrong_share = EstimateSerializer(
        source="foreseen.wrong", allow_null=True, help_text="of the settled clips; for transcripts, of words"
    )


class ForesightSerializer(serializers.Serializer[Any]):
    now = ConsequencesSerializer(allow_null=True, help_text="by the present rule; null without answers")
    then = ConsequencesSerializer(allow_null=True, help_text="by the rule that was asked about")


class RuleSerializer(serializers.Serializer[Any]):
    min_annotations = serializers.IntegerField(required=False, min_value=1, max_value=99)
    max_annotations = serializers.IntegerField(required=False, min_value=1, max_value=99)
    confidence = serializers.FloatField(required=False)


MADE = OpenApiExample(
    "a wake word",
    {
        "slug": "hey-amaryllis",
        "kind": "wake-word",
        "language": "en",
        "wake_word": "hey amaryllis",
        "purpose": "A wake word that belongs to nobody.",
        "min_annotations": 2,
        "max_annotations": 5,
        "confidence": 0.9,
    },
    request_only=True,
)
CHANGED = OpenApiExample("another rule", {"max_annotations": 9, "confidence": 0.97}, request_only=True)
OPENED = OpenApiExample("open it", {"stage": "open"}, request_only=True)
CLONED = OpenApiExample(
    "in another language", {"slug": "hey-amaryllis-de", "language": "de"}, request_only=True
)


class OwnCampaigns(OwnersCall):
    """Your campaigns, whatever their stage; make another one, which nobody else sees until it is opened."""

    @extend_schema(operation_id="own_campaigns_list", responses=OwnCampaignSerializer(many=True))
    def get(self, request: ApiRequest) -> Response:
        found = owned_by(request.user).select_related("counted").order_by("slug")
        return Response(OwnCampaignSerializer(found, many=True).data)

    @extend_schema(request=SettingsSerializer, responses={201: SettingsSerializer}, examples=[MADE])
    def post(self, request: ApiRequest) -> Response:
        with self.in_words():
            said = self.sent(SettingsSerializer(data=request.data))
            made = campaigns.make(said, request.user, timezone.now())
        return Response(SettingsSerializer(made).data, status=status.HTTP_201_CREATED)


class OwnCampaign(OwnersCall):
    """One of your campaigns, with all of its settings; change some of them.

    Another rule for when a clip is settled is applied to the clips that are there: see `recount`.
    """

    refusals = {"409": "somebody has answered the question, so it stays"}

    @extend_schema(operation_id="own_campaign", responses=SettingsSerializer)
    def get(self, request: ApiRequest, slug: str) -> Response:
        return Response(SettingsSerializer(self.campaign(slug)).data)

    @extend_schema(request=SettingsSerializer(partial=True), responses=SettingsSerializer, examples=[CHANGED])
    def patch(self, request: ApiRequest, slug: str) -> Response:
        campaign = self.campaign(slug)
        with self.in_words():
            said = self.sent(SettingsSerializer(campaign, data=request.data, partial=True))
            changes.apply(campaign, said, request.user, timezone.now())
        return Response(SettingsSerializer(campaign).data)


class Stage(OwnersCall):
    """Open, pause, close, reopen or archive it."""

    refusals = {"409": "this cannot follow its present stage"}

    @extend_schema(request=StageSerializer, responses=SettingsSerializer, examples=[OPENED])
    def post(self, request: ApiRequest, slug: str) -> Response:
        campaign = self.campaign(slug)
        with self.in_words():
            said = self.sent(StageSerializer(data=request.data))
            campaigns.move_to(campaign, said["stage"], request.user, timezone.now())
        return Response(SettingsSerializer(campaign).data)


class Clone(OwnersCall):
    """Make a campaign with the settings of this one, without its clips; what you send replaces a setting."""

    @extend_schema(
        request=SettingsSerializer(partial=True), responses={201: SettingsSerializer}, examples=[CLONED]
    )
    def post(self, request: ApiRequest, slug: str) -> Response:
        model = self.campaign(slug)
        with self.in_words():
            said = self.sent(SettingsSerializer(data=request.data, partial=True))
            made = campaigns.make(_copied(model) | said, request.user, timezone.now())
        return Response(SettingsSerializer(made).data, status=status.HTTP_201_CREATED)


def _copied(model: Campaign) -> dict[str, Any]:
    copied = {name: getattr(model, name) for name in SETTINGS if name not in NOT_CLONED}
    sentences = model.prompts.order_by("id").values_list("text", flat=True)
    return copied | {"translations": model.translations, "prompts": "\n".join(sentences)}


class Foresee(OwnersCall):
    """What another rule for when a clip is settled would lead to, by the campaign's own answers, or those of
    one like it. Nothing is changed. What you leave out is as it is now."""

    @extend_schema(
        parameters=[
            OpenApiParameter("min_annotations", int),
            OpenApiParameter("max_annotations", int),
            OpenApiParameter("confidence", float),
        ],
        responses=ForesightSerializer,
    )
    def get(self, request: ApiRequest, slug: str) -> Response:
        campaign = self.campaign(slug)
        with self.in_words():
            said = self.sent(RuleSerializer(data=request.query_params.dict()))
            typed = rules.of(campaign) | said
            asked = Campaign.objects.get(pk=campaign.pk)
            for name, value in typed.items():
                setattr(asked, name, value)
            asked.full_clean()
        # Imported where an owner asks for it: the engine would double the memory of every web process.
        then = import_module("tagger.campaigns.consequences").Then.of(campaign, typed)
        return Response(ForesightSerializer(then).data)
