"""The API for owners: the clips of a campaign, and the people who answer, by number."""

from dataclasses import asdict
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from datasets.owners import owned_or_404
from tagger.campaigns.calls import OwnersCall
from tagger.desk.api import ApiRequest

from . import people, rows, selection
from .filter_form import FilterForm


class GivenSerializer(serializers.Serializer[Any]):
    volunteer = serializers.IntegerField(allow_null=True, help_text="null if they have left")
    answer = serializers.CharField()
    weight = serializers.FloatField(help_text="by what you decided; 1 is as usual")
    reliability = serializers.FloatField(allow_null=True, help_text="the share expected to be right, 0 to 1")
    several_speakers = serializers.BooleanField()


class ClipSerializer(serializers.Serializer[Any]):
    clip = serializers.IntegerField()
    status = serializers.CharField()
    hidden = serializers.BooleanField()
    reported = serializers.BooleanField()
    live = serializers.BooleanField(help_text="volunteers may hear it now; otherwise no answers are given")
    answer = serializers.CharField(help_text="empty unless it is settled")
    confidence = serializers.FloatField(allow_null=True)
    answers = serializers.IntegerField()
    wanted = serializers.IntegerField()
    seconds = serializers.FloatField()
    speech_share = serializers.FloatField()
    source = serializers.CharField()  # type: ignore[assignment]
    contributor = serializers.IntegerField()
    quarter = serializers.CharField(help_text="of the recording, such as 2026-Q2")
    given = GivenSerializer(many=True)


class ClipsSerializer(serializers.Serializer[Any]):
    clips = ClipSerializer(many=True)
    below = serializers.IntegerField(
        allow_null=True,
        help_text="send it to go on; null at the end. There may be more even if this list is empty",
    )


NUMBERS = (
    *("confidence_from", "confidence_to", "seconds_from", "seconds_to"),
    *("speech_from", "speech_to"),
)
FILTERS = [
    *(OpenApiParameter(name, str) for name in ("status", "answer", "gave", "source", "quarter", "reported")),
    *(OpenApiParameter(name, float) for name in NUMBERS),
    *(
        OpenApiParameter(name, int)
        for name in ("contributor", "answered_by", "also_by", "votes_from", "votes_to", "below")
    ),
]


class Clips(OwnersCall):
    """The clips of your campaign, newest first, 25 at a time, with the filters of the page.

    An upper limit of `confidence`, `seconds` or `speech` is not included, except 1; one of `votes` is.
    """

    @extend_schema(operation_id="campaign_clips_list", parameters=FILTERS, responses=ClipsSerializer)
    def get(self, request: ApiRequest, slug: str) -> Response:
        campaign = owned_or_404(request.user, slug)
        form = FilterForm(request.query_params, campaign)
        if not form.is_valid():
            raise ValidationError({name: list(map(str, errors)) for name, errors in form.errors.items()})
        below = _whole(request.query_params.get("below"), "below")
        found = selection.find(form.selection(), below)
        shown = [_as_dict(row) for row in rows.of(campaign, found.ids, timezone.now())]
        return Response(ClipsSerializer({"clips": shown, "below": found.below}).data)


def _whole(typed: str | None, name: str) -> int | None:
    if not typed:
        return None
    if not (typed.isascii() and typed.isdecimal() and len(typed) < 19):
        raise ValidationError({name: ["A whole number."]})
    return int(typed)


def _as_dict(row: rows.Row) -> dict[str, Any]:
    given = [asdict(vote) for vote in row.votes]
    return rows.as_dict(row) | {"live": row.is_live, "given": given}


class PersonSerializer(serializers.Serializer[Any]):
    person = serializers.IntegerField()
    answers = serializers.IntegerField()
    days = serializers.IntegerField(help_text="on which they answered here")
    seconds_each = serializers.FloatField(allow_null=True, help_text="median from one answer to the next")
    compared = serializers.IntegerField(help_text="answers to clips that are settled now")
    agreed = serializers.IntegerField(help_text="of these, the same as the settled answer")
    controls = serializers.IntegerField()
    controls_right = serializers.IntegerField()
    one_answer_share = serializers.FloatField(allow_null=True, help_text="of the answer that they give most")
    reliability = serializers.FloatField(allow_null=True)
    too_fast = serializers.FloatField(allow_null=True)
    weight = serializers.FloatField()


class PeopleSerializer(serializers.Serializer[Any]):
    people = PersonSerializer(many=True)
    has_more = serializers.BooleanField()


class People(OwnersCall):
    """Who answers in your campaign, by number, those with most answers first; counted once an hour."""

    @extend_schema(
        operation_id="campaign_people_list",
        parameters=[OpenApiParameter("page", int)],
        responses=PeopleSerializer,
    )
    def get(self, request: ApiRequest, slug: str) -> Response:
        campaign = owned_or_404(request.user, slug)
        number = _whole(request.query_params.get("page"), "page") or 1
        found = people.page(campaign, number)
        shown = [people.as_dict(each) for each in found.people]
        return Response(PeopleSerializer({"people": shown, "has_more": found.has_more}).data)
