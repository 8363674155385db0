"""A program asks for a release with its person's token, and learns where the person stands."""

from typing import Any

from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone, translation
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import APIException, PermissionDenied, ValidationError
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.ciphers import KeyLost
from accounts.models import Scope, User
from accounts.negotiation import AnyAccept
from datasets.models import AccessRequest, Release

from . import asking, sealing, standing, terms
from .forms import LONGEST_NAME, LONGEST_PURPOSE
from .refusals import AccessRefusal, AccessRefused
from .standing import MAY_DOWNLOAD, Standing
from .wording import NEXT, in_words


class TermsSerializer(serializers.Serializer[Any]):
    version = serializers.CharField(help_text="send it as `accept_terms`")
    text = serializers.ListField(child=serializers.CharField())
    accepted = serializers.CharField(allow_null=True, help_text="the version that you accepted; null if none")


class StandingSerializer(serializers.Serializer[Any]):
    release = serializers.CharField()
    state = serializers.ChoiceField(choices=[each.value for each in Standing])
    may_download = serializers.BooleanField()
    what_to_do = serializers.CharField()
    reason = serializers.CharField(allow_null=True, help_text="why a steward refused or ended it")
    asked_at = serializers.DateTimeField(allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    terms = TermsSerializer()


class AskForReleaseSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=LONGEST_NAME, help_text="yours, and where you work or study")
    purpose = serializers.CharField(max_length=LONGEST_PURPOSE, help_text="what you want the release for")
    accept_terms = serializers.CharField(max_length=8, help_text="the version of the terms that you accept")


ASKED = OpenApiExample(
    "a university's speech group",
    {
        "name": "Ada Example, University of Examples",
        "purpose": "We train a wake-word model for people with dysarthria.",
        "accept_terms": terms.VERSION,
    },
    request_only=True,
)


class Conflict(APIException):
    status_code = status.HTTP_409_CONFLICT


class Gone(APIException):
    status_code = status.HTTP_410_GONE


class AskFor(APIView):
    """Ask for a release that is for researchers, accepting its terms; and where you stand with it.

    Asking again accepts a newer version of the terms. The steward of the release sees your name and purpose.
    If you gave an e-mail address, and this site sends e-mail, the answer is sent there, too.
    """

    content_negotiation_class = AnyAccept
    permission_classes = [IsAuthenticated]
    token_scopes = (Scope.DOWNLOAD,)
    refusals = {
        "409": "the release is open to everyone",
        "410": "the release was retracted",
    }

    @extend_schema(operation_id="release_request", responses=StandingSerializer)
    def get(self, request: Request, slug: str) -> Response:
        release = get_object_or_404(Release, slug=slug)
        return Response(_told(request, release, standing.request_of(request.user, release)))

    @extend_schema(
        operation_id="release_ask",
        request=AskForReleaseSerializer,
        responses={200: StandingSerializer, 201: StandingSerializer},
        examples=[ASKED],
    )
    def post(self, request: Request, slug: str) -> Response:
        release = get_object_or_404(Release, slug=slug)
        serializer = AskForReleaseSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        said, before = serializer.validated_data, standing.request_of(request.user, release)
        about = sealing.About(said["name"], said["purpose"])
        assert isinstance(request.user, User)
        try:
            asked = asking.ask(request.user, release, about, said["accept_terms"], timezone.now())
        except AccessRefused as refused:
            raise _answer(request, refused) from refused
        is_new = before is None or before.pk != asked.pk
        created = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
        return Response(_told(request, release, asked), status=created)


def _told(request: Request, release: Release, asked: AccessRequest | None) -> dict[str, Any]:
    found = standing.of(request.user, release, asked)
    told = {
        "release": release.slug,
        "state": found.value,
        "may_download": found in MAY_DOWNLOAD,
        "what_to_do": NEXT[found],
        "reason": (asked and _reason(asked)) or None,
        "asked_at": asked and asked.asked_at,
        "decided_at": asked and asked.decided_at,
        "terms": {
            "version": terms.VERSION,
            "text": terms.in_english(),
            "accepted": asked and asked.terms,
        },
    }
    return dict(StandingSerializer(told).data)


def _reason(asked: AccessRequest) -> str:
    try:
        return sealing.unseal(asked).reason
    except KeyLost:
        return ""


def _answer(request: Request, refused: AccessRefused) -> APIException:
    with translation.override("en"):
        words = in_words(refused)
    match refused.code:
        case AccessRefusal.FACTOR_MISSING:
            page = request.build_absolute_uri(reverse("mfa_index"))
            return PermissionDenied({"detail": words, "code": refused.code, "set_up": page})
        case AccessRefusal.OTHER_TERMS:
            return ValidationError({"accept_terms": [words]})
        case AccessRefusal.RETRACTED:
            return Gone(words)
        case AccessRefusal.IS_PUBLIC:
            return Conflict(words)
    return PermissionDenied(words)
