"""A call for the owner of a campaign; and how the acts' refusals are answered to a program."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS
from django.core.exceptions import ValidationError as Invalid
from django.utils import translation
from rest_framework import serializers, status
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.permissions import IsAuthenticated
from rest_framework.settings import api_settings
from rest_framework.views import APIView

from accounts.models import Scope
from accounts.negotiation import AnyAccept
from datasets.models import Campaign
from datasets.owners import IsOwner, owned_or_404
from tagger.desk.api import ApiRequest, readers_language

# What is not wrong in itself: the campaign is not in a state for it.
CONFLICTS = frozenset({"answered", "stage", "busy"})


class OwnersCall(APIView):
    """A call for the owner of a campaign; a campaign that is another's is answered with 404."""

    content_negotiation_class = AnyAccept
    permission_classes = [IsAuthenticated, IsOwner]
    token_scopes = (Scope.MANAGE,)
    request: ApiRequest

    def campaign(self, slug: str) -> Campaign:
        return owned_or_404(self.request.user, slug)

    def sent(self, serializer: serializers.BaseSerializer[Any]) -> Any:
        serializer.is_valid(raise_exception=True)
        return serializer.validated_data

    @contextmanager
    def in_words(self) -> Iterator[None]:
        """What an act refuses becomes 400, by field, or 409."""
        try:
            with translation.override(readers_language(self.request)):
                yield
        except Invalid as refused:
            with translation.override(readers_language(self.request)):
                raise as_answer(refused) from None


class Conflict(APIException):
    status_code = status.HTTP_409_CONFLICT


def as_answer(refused: Invalid) -> APIException:
    if CONFLICTS.intersection(each.code for each in _all(refused)):
        return Conflict(" ".join(dict.fromkeys(refused.messages)))
    by_field: Mapping[str, list[str]] = (
        refused.message_dict if hasattr(refused, "error_dict") else {NON_FIELD_ERRORS: refused.messages}
    )
    general = str(api_settings.NON_FIELD_ERRORS_KEY)
    return ValidationError(
        {general if name == NON_FIELD_ERRORS else name: found for name, found in by_field.items()}
    )


def _all(refused: Invalid) -> list[Invalid]:
    if hasattr(refused, "error_dict"):
        return [each for found in refused.error_dict.values() for each in found]
    return refused.error_list
