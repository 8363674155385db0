"""The API for privacy reviewers: take the next clip to check before publication, hear it, answer."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone, translation
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import APIException
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import Role, Scope
from accounts.negotiation import AnyAccept
from accounts.roles import HasRole
from tagger.desk.api import ApiRequest
from tagger.models import PrivacyCheck

from . import clearing, sounds
from .api import PartsField
from .clearing import CheckRefusal, CheckRefused
from .wording import in_words


class IsPrivacyReviewer(HasRole):
    roles = (Role.PRIVACY_REVIEWER,)
    message = "This call is for people with the role privacy reviewer."


class CheckSerializer(serializers.ModelSerializer[PrivacyCheck]):
    """Nothing of it says which clip it is, or whether it is one whose answer is known."""

    audio = serializers.SerializerMethodField()
    duration = serializers.FloatField(source="seconds", help_text="seconds")
    language = serializers.CharField()

    class Meta:
        model = PrivacyCheck
        fields = ["id", "language", "duration", "lent_until", "audio"]

    def get_audio(self, check: PrivacyCheck) -> str:
        return f"/api/v1/reviews/checks/{check.pk}/audio/"


class CheckAnswerSerializer(serializers.Serializer[Any]):
    """`yes` needs what was found and where; `no` takes neither."""

    answer = serializers.ChoiceField(choices=PrivacyCheck.Answer.choices)
    found = serializers.MultipleChoiceField(choices=PrivacyCheck.Found.choices, default=set)
    parts = PartsField(default=list, max_length=clearing.MOST_PARTS)
    heard = serializers.FloatField(required=False, help_text="how many seconds of the clip sounded")


class RefusedCheck(APIException):
    """A refused answer, with the status that fits it."""

    conflicts = frozenset({CheckRefusal.TOO_LATE, CheckRefusal.ALREADY_ANSWERED})

    def __init__(self, refused: CheckRefused) -> None:
        with translation.override("en"):
            super().__init__(detail=in_words(refused), code=refused.code)
        is_conflict = refused.code in self.conflicts
        self.status_code = status.HTTP_409_CONFLICT if is_conflict else status.HTTP_400_BAD_REQUEST


class PrivacyReviewersCall(APIView):
    """A call for privacy reviewers. A check that is not lent to them is answered with 404."""

    content_negotiation_class = AnyAccept
    permission_classes = [IsAuthenticated, IsPrivacyReviewer]
    refusals = {"409": "answered already, or lent to another person since"}
    token_scopes = (Scope.CHECK,)
    request: ApiRequest

    def handle_exception(self, exc: Exception) -> Response:
        return super().handle_exception(RefusedCheck(exc) if isinstance(exc, CheckRefused) else exc)

    def check(self, pk: int) -> PrivacyCheck:
        return get_object_or_404(self.request.user.privacy_checks, pk=pk)


class Next(PrivacyReviewersCall):
    """The clip that you check, or the next one, lent to you for a quarter of an hour. 204: none is left."""

    @extend_schema(request=None, responses={200: CheckSerializer, 204: None})
    def post(self, request: ApiRequest) -> Response:
        check = clearing.take(request.user, timezone.now())
        if check is None:
            return Response(status=status.HTTP_204_NO_CONTENT)
        return Response(CheckSerializer(check).data)


class Sound(PrivacyReviewersCall):
    """The sound of the clip. The audit record says that you heard it."""

    @extend_schema(responses={(status, "audio/wav"): OpenApiTypes.BINARY for status in (200, 206, 416)})
    def get(self, request: ApiRequest, pk: int) -> HttpResponse:
        return sounds.of_check(request, pk)


class Answer(PrivacyReviewersCall):
    """Say whether a name, number, address, account, somebody's health or another voice is heard in it.

    The whole clip must have been heard: its sound was fetched, and at least half of its length has passed.
    The same answer again is no error.
    """

    @extend_schema(request=CheckAnswerSerializer, responses={204: None})
    def post(self, request: ApiRequest, pk: int) -> Response:
        check, serializer = self.check(pk), CheckAnswerSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        said = serializer.validated_data
        given, parts = said.pop("answer"), [tuple(part) for part in said.pop("parts")]
        clearing.answer(check, given, timezone.now(), parts=parts, **said)
        return Response(status=status.HTTP_204_NO_CONTENT)


class PutBack(PrivacyReviewersCall):
    """Not now: another person may check it."""

    @extend_schema(request=None, responses={204: None})
    def post(self, request: ApiRequest, pk: int) -> Response:
        clearing.put_back(self.check(pk))
        return Response(status=status.HTTP_204_NO_CONTENT)
