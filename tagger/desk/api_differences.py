"""The API for what differs from the settled answers: the list, and 'I still think …'."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema
from rest_framework import serializers, status
from rest_framework.response import Response

from datasets.models import Label
from datasets.normalise import LONGEST
from tagger.lending import notes

from . import api, differences, objections
from .differences import Difference
from .objections import Outcome


class AfterSerializer(serializers.Serializer[Any]):
    after = serializers.IntegerField(required=False, help_text="the id of an answer; those that follow it")


class ObjectedSerializer(serializers.Serializer[Any]):
    answer = serializers.CharField()
    at = serializers.DateTimeField()
    outcome = serializers.ChoiceField(choices=Outcome.choices)
    decided = serializers.CharField(allow_blank=True, help_text="the answer that a reviewer accepted since")


class DifferenceSerializer(serializers.Serializer[Any]):
    annotation = serializers.IntegerField()
    campaign = serializers.SlugField()
    question = serializers.CharField()
    answer = serializers.CharField(allow_blank=True, help_text="yours")
    settled = serializers.CharField(allow_null=True, help_text="null while it is not settled")
    answered_at = serializers.DateTimeField()
    duration = serializers.FloatField(help_text="seconds")
    audio = serializers.CharField(allow_null=True)
    may_object = serializers.BooleanField()
    objection = ObjectedSerializer(allow_null=True)


class DifferencesSerializer(serializers.Serializer[Any]):
    differences = DifferenceSerializer(many=True)
    after = serializers.IntegerField(allow_null=True, help_text="for the next page; null at the end")


class NoteSerializer(serializers.Serializer[Any]):
    note = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=notes.LONGEST,
        help_text="for reviewers alone; without e-mail addresses, web addresses and telephone numbers",
    )


class ObjectionSerializer(api.OneAnswerSerializer, NoteSerializer):
    """`answer` for a wake word, `transcript` for a transcription; exactly one of them."""


class LabelObjectionSerializer(NoteSerializer):
    """To what a wake word was settled as."""

    answer = serializers.ChoiceField(choices=Label.choices)


class TranscriptObjectionSerializer(NoteSerializer):
    """To what a transcription was settled as."""

    transcript = serializers.CharField(max_length=LONGEST, allow_blank=True)


ONE_OBJECTION = PolymorphicProxySerializer(
    component_name="OneObjection",
    serializers=[LabelObjectionSerializer, TranscriptObjectionSerializer],
    resource_type_field_name=None,
)


class Differences(api.ListenersCall):
    """Your answers that differ from what their clips were settled as, newest first.

    Some are left out: your last answers, which you can still change, and clips that may be asked again.
    """

    @extend_schema(
        operation_id="differences_list", parameters=[AfterSerializer], responses=DifferencesSerializer
    )
    def get(self, request: api.ApiRequest) -> Response:
        sent = AfterSerializer(data=request.query_params)
        sent.is_valid(raise_exception=True)
        after = request.user.annotations.filter(pk=sent.validated_data.get("after")).first()
        found, goes_on_after = differences.page(request.user, after)
        return Response({"differences": [_as_sent(each) for each in found], "after": goes_on_after})


class ObjectTo(api.ListenersCall):
    """'I still think …': a reviewer hears the clip again. Once for each answer; it stays settled."""

    refusals = api.ListenersCall.refusals | {"409": "you did so before, or it is the settled answer"}

    @extend_schema(request=ONE_OBJECTION, responses={201: api.IdSerializer})
    def post(self, request: api.ApiRequest, pk: int) -> Response:
        sent = self.validated(ObjectionSerializer)
        answer, note = api.answer_in(sent), sent.get("note", "")
        objection = objections.store(request.user, pk, answer, note, timezone.now())
        return Response({"id": objection.pk}, status=status.HTTP_201_CREATED)


def _as_sent(each: Difference) -> dict[str, Any]:
    objection = each.objection and {
        "answer": each.objected,
        "at": each.objection.created_at,
        "outcome": each.outcome,
        "decided": each.decided,
    }
    return {
        "annotation": each.given.pk,
        "campaign": each.campaign.slug,
        "question": each.campaign.question,
        "answer": each.own,
        "settled": each.settled,
        "answered_at": each.given.created_at,
        "duration": each.clip.seconds,
        "audio": each.assignment and f"/api/v1/assignments/{each.assignment}/audio/",
        "may_object": each.may_object,
        "objection": objection,
    }
