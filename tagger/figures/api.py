"""A campaign's figures, for its owner's programs."""

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import Scope, User
from accounts.negotiation import AnyAccept
from datasets.owners import IsOwner, owned_or_404

from . import reading
from .rows import FiguresSerializer


class PersonalCall(Request):
    """A call by someone who is logged in."""

    user: User


class CampaignFiguresCall(APIView):
    """How one of your campaigns goes, as it was last counted.

    Each figure is also on the campaign's page and in a CSV file. People are numbers. `as_of` says when it was
    counted; the more clips there are, the less often that is.
    """

    content_negotiation_class = AnyAccept
    permission_classes = [IsAuthenticated, IsOwner]
    token_scopes = (Scope.MANAGE,)

    @extend_schema(operation_id="campaign_figures", responses=FiguresSerializer)
    def get(self, request: PersonalCall, slug: str) -> Response:
        found = reading.of(owned_or_404(request.user, slug))
        return Response(FiguresSerializer(found.as_dict()).data)
