"""The listener's pledge, for programs: what it says, whether it was made, and the call that makes it."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import translation
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import APIException
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request as AnyRequest
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import Scope, User
from accounts.negotiation import AnyAccept
from accounts.roles import IsAnnotator

from . import pledge

MISSING = "pledge-missing"
OUTDATED = "pledge-outdated"


class PledgeSerializer(serializers.Serializer[Any]):
    version = serializers.IntegerField(help_text="the pledge's current version")
    promises = serializers.ListField(child=serializers.CharField(), help_text="what it says")
    page = serializers.CharField(help_text="the page on which people make it")
    is_made = serializers.BooleanField(help_text="whether you made it in this version")


class VersionSerializer(serializers.Serializer[Any]):
    version = serializers.IntegerField(help_text="the version that you read and promise to keep")


class PledgeMissing(APIException):
    """No clip is given to someone who has not made the pledge in its current version."""

    status_code = status.HTTP_403_FORBIDDEN

    def __init__(self) -> None:
        address = reverse("api_pledge")
        said = f"Make the listener's pledge first: POST its version to {address}"
        super().__init__({"detail": said, "code": MISSING, "pledge": address})


class Request(AnyRequest):
    """A request of a logged-in person."""

    user: User


class HasPledged(BasePermission):
    """Whoever calls made the listener's pledge. It was read together with their token or session."""

    def has_permission(self, request: AnyRequest, view: APIView) -> bool:
        if isinstance(request.user, User) and pledge.is_made(request.user):
            return True
        raise PledgeMissing


class Pledge(APIView):
    """The listener's pledge. Without it, no clip is lent or played.

    Show its promises to the person on whose behalf your program listens, before you make it for them. When
    its version changes, it has to be made again. Another version than the current one is refused with 400,
    whose `version` is the current one.
    """

    content_negotiation_class = AnyAccept
    permission_classes = [IsAuthenticated, IsAnnotator]
    token_scopes = (Scope.TAG,)

    @extend_schema(responses=PledgeSerializer)
    def get(self, request: Request) -> Response:
        return Response(_as_it_stands(request))

    @extend_schema(request=VersionSerializer, responses=PledgeSerializer)
    def post(self, request: Request) -> Response:
        sent = VersionSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        if sent.validated_data["version"] != int(pledge.VERSION):
            refused = {
                "detail": f"The pledge's current version is {pledge.VERSION}. Read and promise that one.",
                "code": OUTDATED,
                "version": int(pledge.VERSION),
            }
            return Response(refused, status=status.HTTP_400_BAD_REQUEST)
        pledge.make(request.user)
        return Response(_as_it_stands(request))


def _as_it_stands(request: Request) -> dict[str, Any]:
    page: HttpRequest = request._request
    with translation.override("en"):  # as all that programs read
        promises = [str(each) for each in pledge.PROMISES]
    return {
        "version": int(pledge.VERSION),
        "promises": promises,
        "page": page.build_absolute_uri(reverse("first_minute")),
        "is_made": pledge.is_made(request.user),
    }
