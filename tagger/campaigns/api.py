"""The open campaigns, for programs."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.negotiation import AnyAccept
from accounts.tokens import ANY_SCOPE
from datasets import campaigns, taking_part
from datasets.models import Campaign


class CampaignSerializer(serializers.ModelSerializer[Campaign]):
    progress = serializers.SerializerMethodField()

    class Meta:
        model = Campaign
        fields = ["slug", "title", "purpose", "kind", "language", "wake_word", "guidelines", "progress"]

    def get_progress(self, campaign: Any) -> dict[str, int]:
        return {"total": campaign.clips, "settled": campaign.settled, "disputed": campaign.disputed}


class Campaigns(APIView):
    """The open campaigns, with how many of their clips are settled and disputed."""

    content_negotiation_class = AnyAccept
    permission_classes = [IsAuthenticated]
    token_scopes = ANY_SCOPE

    @extend_schema(responses=CampaignSerializer(many=True))
    def get(self, request: Request) -> Response:
        person = request.user
        assert person.is_authenticated, "IsAuthenticated"
        shown = taking_part.shown_to(person, Campaign.objects.open())
        counted = campaigns.with_progress(shown)
        return Response(CampaignSerializer(counted, many=True).data)
