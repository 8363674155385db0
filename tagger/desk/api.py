"""HTTP for people's programs: borrow, hear, hand in. The desk in the browser uses the same calls."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone, translation
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import APIException, NotFound
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.caching import uncached
from accounts.models import User
from accounts.negotiation import AnyAccept
from accounts.roles import IsAnnotator
from datasets.clips import byteranges, hearing
from datasets.models import Annotation, Campaign
from datasets.normalise import BadTranscript, TranscriptFault
from tagger.lending import assignments
from tagger.lending.refusals import AnswerRefusal, AnswerRefused
from tagger.models import Assignment

from . import drafts, wording


class CountSerializer(serializers.Serializer[Any]):
    count = serializers.IntegerField(min_value=1, max_value=10, default=1)


class AssignmentSerializer(serializers.ModelSerializer[Assignment]):
    audio = serializers.SerializerMethodField()
    duration = serializers.FloatField(source="task.clip.seconds", help_text="seconds")

    class Meta:
        model = Assignment
        fields = ["id", "audio", "duration", "expires_at"]

    def get_audio(self, assignment: Assignment) -> str:
        return f"/api/v1/assignments/{assignment.pk}/audio/"


class LentSerializer(serializers.Serializer[Any]):
    assignments = AssignmentSerializer(many=True)


class AnswerSerializer(serializers.Serializer[Any]):
    """`answer` for a wake word, `transcript` for a transcription; exactly one of them."""

    answer = serializers.CharField(required=False)
    transcript = serializers.CharField(required=False, allow_blank=True, trim_whitespace=False)

    def validate(self, attrs: dict[str, str]) -> dict[str, str]:
        if len(attrs) != 1:
            raise serializers.ValidationError('Send {"answer": …} or {"transcript": …}, one of them.')
        return attrs


class ReportSerializer(serializers.Serializer[Any]):
    reason = serializers.ChoiceField(choices=Assignment.Reason.choices)
    part = serializers.ListField(
        child=serializers.FloatField(),
        min_length=2,
        max_length=2,
        required=False,
        help_text="from where to where in the clip, in seconds",
    )


class DraftSerializer(serializers.Serializer[Any]):
    draft = serializers.CharField(
        allow_null=True, help_text="what a machine wrote down, for one volunteer of each task"
    )


class IdSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()


class RefusedCall(APIException):
    """A refused answer, with the status that fits it."""

    statuses: dict[str, int] = {
        AnswerRefusal.NOT_A_LABEL: status.HTTP_400_BAD_REQUEST,
        AnswerRefusal.NOT_A_REASON: status.HTTP_400_BAD_REQUEST,
        AnswerRefusal.NOT_A_PART: status.HTTP_400_BAD_REQUEST,
        **dict.fromkeys(TranscriptFault, status.HTTP_400_BAD_REQUEST),
        AnswerRefusal.CLIP_GONE: status.HTTP_410_GONE,
    }

    def __init__(self, refused: AnswerRefused | BadTranscript, language: str) -> None:
        with translation.override(language):
            super().__init__(detail=wording.in_words(refused), code=refused.code)
        self.status_code = self.statuses.get(refused.code, status.HTTP_409_CONFLICT)


class PersonalRequest(Request):
    """What a call receives once its permissions let it through."""

    user: User


class Call(APIView):
    """A call in which a refusal and a row that is not yours become their answers."""

    content_negotiation_class = AnyAccept
    permission_classes = [IsAuthenticated, IsAnnotator]

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, (AnswerRefused, BadTranscript)):
            exc = RefusedCall(exc, self._readers_language())
        elif isinstance(exc, (Assignment.DoesNotExist, Annotation.DoesNotExist)):
            exc = NotFound()
        return super().handle_exception(exc)

    def _readers_language(self) -> str:
        """A program, which sends a token, reads English; a person at the desk reads their own language."""
        if self.request.auth is not None:
            return "en"
        return translation.get_language_from_request(self.request._request)

    def sent(self, serializer: type[serializers.Serializer]) -> dict[str, Any]:
        checked = serializer(data=self.request.data)
        checked.is_valid(raise_exception=True)
        return checked.validated_data


class Lend(Call):
    @extend_schema(request=CountSerializer, responses={201: LentSerializer})
    def post(self, request: PersonalRequest, slug: str) -> Response:
        campaign = get_object_or_404(Campaign, slug=slug, is_open=True)
        lent = assignments.lend(request.user, campaign, self.sent(CountSerializer)["count"], timezone.now())
        return Response(LentSerializer({"assignments": lent}).data, status=status.HTTP_201_CREATED)


class Audio(Call):
    @extend_schema(
        responses={(200, "audio/wav"): OpenApiTypes.BINARY, (206, "audio/wav"): OpenApiTypes.BINARY}
    )
    def get(self, request: PersonalRequest, pk: int) -> HttpResponse:
        clip = assignments.playable(request.user, pk, timezone.now())
        return byteranges.sound(request, hearing.for_volunteers(clip))


class Draft(Call):
    @extend_schema(responses={200: DraftSerializer})
    def get(self, request: PersonalRequest, pk: int) -> Response:
        draft = drafts.show(request.user, pk, timezone.now())
        return uncached(Response({"draft": draft or None}))


class HandIn(Call):
    @extend_schema(
        request=AnswerSerializer,
        responses={201: IdSerializer, 200: IdSerializer, 409: OpenApiResponse(description="another answer")},
    )
    def post(self, request: PersonalRequest, pk: int) -> Response:
        given = self.sent(AnswerSerializer)
        annotation, is_new = assignments.hand_in(request.user, pk, answer_in(given), timezone.now())
        return Response(
            {"id": annotation.pk}, status=status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
        )


class Skip(Call):
    @extend_schema(request=None, responses={204: None})
    def post(self, request: PersonalRequest, pk: int) -> Response:
        assignments.skip(request.user, pk)
        return Response(status=status.HTTP_204_NO_CONTENT)


class Report(Call):
    @extend_schema(request=ReportSerializer, responses={204: None})
    def post(self, request: PersonalRequest, pk: int) -> Response:
        told = self.sent(ReportSerializer)
        part = tuple(told["part"]) if "part" in told else None
        assignments.report(request.user, pk, told["reason"], timezone.now(), part)
        return Response(status=status.HTTP_204_NO_CONTENT)


class Change(Call):
    @extend_schema(request=AnswerSerializer, responses=IdSerializer)
    def patch(self, request: PersonalRequest, pk: int) -> Response:
        given = self.sent(AnswerSerializer)
        changed = assignments.change(request.user, pk, answer_in(given), timezone.now())
        return Response({"id": changed.pk})


def answer_in(given: dict[str, str]) -> str:
    return next(iter(given.values()))
