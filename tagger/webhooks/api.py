"""The webhooks of one's own campaigns, for programs: list, make, test, end, and what was sent."""

from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from django.utils import timezone, translation
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.response import Response

from datasets.models import Delivery, Webhook
from datasets.webhooks import keeping, places, sealing
from datasets.webhooks.refusals import WebhookRefusal, WebhookRefused
from datasets.webhooks.wording import in_words
from tagger.campaigns.calls import Conflict, OwnersCall
from tagger.desk.api import ApiRequest, readers_language

from .views import shown

PAGE = 100
CONFLICTS = frozenset({WebhookRefusal.OFF, WebhookRefusal.TOO_MANY})


class WebhookSerializer(serializers.ModelSerializer[Webhook]):
    host = serializers.SerializerMethodField(help_text="empty if its address cannot be read any more")

    class Meta:
        model = Webhook
        fields = ["id", "host", "events", "made_at", "off_at", "why_off", "failing_since"]
        read_only_fields = fields

    @extend_schema_field(str)
    def get_host(self, hook: Webhook) -> str:
        return shown(hook).host


class SecretSerializer(WebhookSerializer):
    secret = serializers.SerializerMethodField(help_text="it is told only in this answer")

    class Meta(WebhookSerializer.Meta):
        fields = [*WebhookSerializer.Meta.fields, "secret"]
        read_only_fields = fields

    @extend_schema_field(str)
    def get_secret(self, hook: Webhook) -> str:
        return sealing.unseal(hook).secret


class AskedSerializer(serializers.Serializer[Any]):
    url = serializers.CharField(max_length=places.LONGEST, help_text="it begins with https://")
    events = serializers.ListField(
        child=serializers.ChoiceField(choices=Webhook.Event.choices), min_length=1, max_length=20
    )


class DeliverySerializer(serializers.ModelSerializer[Delivery]):
    class Meta:
        model = Delivery
        fields = [
            *("id", "event", "happened_at", "attempts", "tried_at", "next_try_at", "arrived_at"),
            *("status", "fault", "first_line", "milliseconds"),
        ]
        read_only_fields = fields


ASKED = OpenApiExample(
    "releases and recalls",
    {"url": "https://hooks.example.org/tagger", "events": ["release.made", "clips.recalled"]},
    request_only=True,
)


class WebhooksCall(OwnersCall):
    refusals = {
        "409": "this site sends no messages to other servers, or the campaign has as many webhooks as it may"
    }

    def handle_exception(self, exc: Exception) -> Response:
        return super().handle_exception(self._answer(exc) if isinstance(exc, WebhookRefused) else exc)

    def _answer(self, refused: WebhookRefused) -> APIException:
        with translation.override(readers_language(self.request)):
            words = in_words(refused)
        if refused.code in CONFLICTS:
            return Conflict(words)
        field = "events" if refused.code == WebhookRefusal.NO_EVENT else "url"
        return ValidationError({field: [words]})

    def hook(self, slug: str, pk: UUID) -> Webhook:
        hooks = self.campaign(slug).webhooks.select_related("campaign", "maker__data_key")
        return get_object_or_404(hooks, pk=pk)


class Webhooks(WebhooksCall):
    """The servers that are told what happens in one of your campaigns; name another one.

    None is told anything unless whoever runs this site allows its host.
    """

    @extend_schema(operation_id="campaign_webhooks_list", responses=WebhookSerializer(many=True))
    def get(self, request: ApiRequest, slug: str) -> Response:
        hooks = self.campaign(slug).webhooks.select_related("maker__data_key")
        return Response(WebhookSerializer(hooks, many=True).data)

    @extend_schema(request=AskedSerializer, responses={201: SecretSerializer}, examples=[ASKED])
    def post(self, request: ApiRequest, slug: str) -> Response:
        campaign, said = self.campaign(slug), self.sent(AskedSerializer(data=request.data))
        made = keeping.make(campaign, said["url"], said["events"], request.user, timezone.now())
        return Response(SecretSerializer(made).data, status=status.HTTP_201_CREATED)


class SendTest(WebhooksCall):
    """Send a test message. Look at the log for what came of it."""

    @extend_schema(request=None, responses={201: DeliverySerializer})
    def post(self, request: ApiRequest, slug: str, hook: UUID) -> Response:
        owed = keeping.send_test(self.hook(slug, hook), timezone.now())
        return Response(DeliverySerializer(owed).data, status=status.HTTP_201_CREATED)


class End(WebhooksCall):
    """Delete it, with what was kept of its messages."""

    @extend_schema(request=None, responses={204: None})
    def post(self, request: ApiRequest, slug: str, hook: UUID) -> Response:
        keeping.end(self.hook(slug, hook), request.user, timezone.now())
        return Response(status=status.HTTP_204_NO_CONTENT)


class Log(WebhooksCall):
    """Its newest messages, up to 100, with what became of each; they are kept for 30 days."""

    @extend_schema(operation_id="campaign_webhook_log", responses=DeliverySerializer(many=True))
    def get(self, request: ApiRequest, slug: str, hook: UUID) -> Response:
        newest = self.hook(slug, hook).deliveries.order_by("-happened_at")[:PAGE]
        return Response(DeliverySerializer(newest, many=True).data)
