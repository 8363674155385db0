"""The API for reviewers: list the queue, take an item, hear it, decide. The review page uses it too."""

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
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

from accounts.models import REVIEWERS, Scope
from accounts.negotiation import AnyAccept
from accounts.refusals import Refusal
from accounts.roles import HasRole
from datasets.normalise import LONGEST, BadTranscript
from tagger.desk.api import ApiRequest, readers_language
from tagger.desk.examples import ExampleRefused
from tagger.lending.refusals import AnswerRefused
from tagger.models import Decision, ReviewItem
from tagger.privacy import silencing
from tagger.privacy.silencing import SilencingRefusal, SilencingRefused

from . import blocking, evidence, named_acts, near, queue, sounds
from .refusals import ReviewRefusal, ReviewRefused
from .wording import in_words


class IsReviewer(HasRole):
    roles = REVIEWERS
    message = "This call is for people with the role reviewer."


class PartSerializer(serializers.Serializer[Any]):
    """Which part of the queue. What is left out leaves nothing out."""

    kind = serializers.ChoiceField(choices=ReviewItem.Kind.choices, required=False)
    campaign = serializers.SlugField(required=False)
    language = serializers.CharField(required=False)
    reason = serializers.ChoiceField(choices=ReviewItem.Reason.choices, required=False)
    older_than_days = serializers.IntegerField(required=False, min_value=0, max_value=36_500)
    blocks = serializers.ChoiceField(
        choices=[str(each) for each in blocking.COLUMNS],
        required=False,
        help_text="what keeps a clip out of releases of this kind, as it was some minutes ago",
    )
    after = serializers.IntegerField(required=False, help_text="the id of an item; those that follow it")


class ItemSerializer(serializers.ModelSerializer[ReviewItem]):
    campaign = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True)
    audio = serializers.SerializerMethodField()
    duration = serializers.FloatField(source="clip.seconds", help_text="seconds")

    class Meta:
        model = ReviewItem
        fields = [
            *("id", "kind", "reason", "campaign", "language", "opened_at"),
            *("lent_until", "clip", "task", "duration", "audio"),
        ]

    def get_audio(self, item: ReviewItem) -> str:
        return f"/api/v1/reviews/{item.pk}/audio/"


class QueueSerializer(serializers.Serializer[Any]):
    counts = serializers.DictField(
        child=serializers.IntegerField(), help_text="open items of each kind, up to 1000 of each"
    )
    items = ItemSerializer(many=True)


class PartsField(serializers.ListField):
    """Parts of the clip, each from and to in seconds."""

    child = serializers.ListField(child=serializers.FloatField(), min_length=2, max_length=2)

    def __init__(self, max_length: int = 100, **options: Any) -> None:
        help_text = "parts, each from and to in seconds"
        super().__init__(max_length=max_length, help_text=help_text, **options)


class PartsSerializer(serializers.Serializer[Any]):
    parts = PartsField()


class LeftSerializer(serializers.Serializer[Any]):
    before = serializers.CharField()
    after = serializers.CharField()


class TextsLeftSerializer(serializers.Serializer[Any]):
    texts = LeftSerializer(many=True)


class ActSerializer(serializers.Serializer[Any]):
    """What acts take: `answer` or `transcript` to accept, `number` to ask for more, `reason` if unusable,
    `parts` to silence."""

    answer = serializers.CharField(required=False)
    transcript = serializers.CharField(
        required=False, allow_blank=True, trim_whitespace=False, max_length=LONGEST
    )
    number = serializers.IntegerField(required=False)
    reason = serializers.ChoiceField(choices=Decision.UnusableReason.choices, required=False)
    parts = PartsField(required=False)
    note = serializers.CharField(required=False, allow_blank=True, default="")
    is_example = serializers.BooleanField(
        required=False, default=False, help_text="volunteers may hear the clip with the accepted answer"
    )
    example_note = serializers.CharField(required=False, allow_blank=True, max_length=200, default="")


class DecisionSerializer(serializers.Serializer[Any]):
    decision = serializers.IntegerField(allow_null=True, help_text="null if the item was only put back")


class RefusedReview(APIException):
    """A refused act, with the status that fits it."""

    bad_requests = frozenset(
        {
            ReviewRefusal.NOT_FOR_KIND,
            ReviewRefusal.NO_ANSWER,
            ReviewRefusal.NOT_A_NUMBER,
            ReviewRefusal.NOT_A_REASON,
            ReviewRefusal.NOTE_TOO_LONG,
            SilencingRefusal.NOTHING_MARKED,
            SilencingRefusal.OUTSIDE_THE_CLIP,
            SilencingRefusal.NOTHING_LEFT,
        }
    )

    def __init__(self, refused: Refusal, language: str) -> None:
        with translation.override(language):
            super().__init__(detail=in_words(refused), code=refused.code)
        is_act = isinstance(refused, (ReviewRefused, SilencingRefused, ExampleRefused))
        is_bad = not is_act or refused.code in self.bad_requests
        self.status_code = status.HTTP_400_BAD_REQUEST if is_bad else status.HTTP_409_CONFLICT


class ReviewersCall(APIView):
    """A call for reviewers.

    An item that this person may not decide on is answered with 404: their own clip, or one that they answered
    or reported.
    """

    content_negotiation_class = AnyAccept
    permission_classes = [IsAuthenticated, IsReviewer]
    refusals = {"409": "decided in the meantime, or lent to another reviewer"}
    token_scopes = (Scope.REVIEW,)
    request: ApiRequest

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, (ReviewRefused, SilencingRefused, ExampleRefused, AnswerRefused, BadTranscript)):
            exc = RefusedReview(exc, readers_language(self.request))
        return super().handle_exception(exc)

    def part(self, sent: Any) -> tuple[queue.Filter, ReviewItem | None]:
        """The filter, and the item after which it begins."""
        serializer = PartSerializer(data=sent)
        serializer.is_valid(raise_exception=True)
        found = serializer.validated_data
        days, after = found.pop("older_than_days", None), found.pop("after", None)
        older_than = timedelta(days=days) if days else None
        return queue.Filter(**found, older_than=older_than), ReviewItem.objects.filter(pk=after).first()

    def item(self, pk: int) -> ReviewItem:
        return get_object_or_404(self.items(), pk=pk)

    def items(self) -> QuerySet[ReviewItem]:
        return queue.allowed_to(self.request.user).with_keys()


class Queue(ReviewersCall):
    """The open items of the queue that you may decide on, and how many of each kind there are."""

    @extend_schema(operation_id="reviews_list", parameters=[PartSerializer], responses=QueueSerializer)
    def get(self, request: ApiRequest) -> Response:
        part, after = self.part(request.query_params)
        now = timezone.now()
        items = queue.page(request.user, part, now, after)
        counts = queue.counts(request.user, part, now)
        return Response(QueueSerializer({"counts": counts, "items": items}).data)


class Next(ReviewersCall):
    """Take the next item: it is lent to you alone for a quarter of an hour. 204: nothing is left for you."""

    @extend_schema(request=PartSerializer, responses={200: ItemSerializer, 204: None})
    def post(self, request: ApiRequest) -> Response:
        part, after = self.part(request.data)
        item = queue.take(request.user, part, timezone.now(), after)
        if item is None:
            return Response(status=status.HTTP_204_NO_CONTENT)
        return Response(ItemSerializer(item).data)


class Item(ReviewersCall):
    """An item with its evidence: the votes, what the engine makes of them, and near clips of its speaker."""

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: ApiRequest, pk: int) -> Response:
        item, now = self.item(pk), timezone.now()
        found = evidence.of(item, now)
        others = [asdict(each) | {"audio": _near_address(item, each.clip)} for each in near.of(item)]
        told = {"evidence": found and asdict(found), "near": others}
        return Response(ItemSerializer(item).data | told)


def _near_address(item: ReviewItem, clip: int) -> str:
    return f"/api/v1/reviews/{item.pk}/near/{clip}/audio/"


class Renew(ReviewersCall):
    """Keep an item for another quarter of an hour, as while you type. 409: it is not yours any more."""

    @extend_schema(request=None, responses=ItemSerializer)
    def post(self, request: ApiRequest, pk: int) -> Response:
        item = self.item(pk)
        queue.renew(item, request.user, timezone.now())
        return Response(ItemSerializer(item).data)


class Sound(ReviewersCall):
    """The sound of an item's clip. The audit record says that you heard it."""

    @extend_schema(responses={(status, "audio/wav"): OpenApiTypes.BINARY for status in (200, 206, 416)})
    def get(self, request: ApiRequest, pk: int) -> HttpResponse:
        return sounds.of_item(request, self.item(pk))


class NearSound(ReviewersCall):
    """The sound of another clip of the same speaker. The audit record says that you heard it."""

    @extend_schema(responses={(status, "audio/wav"): OpenApiTypes.BINARY for status in (200, 206, 416)})
    def get(self, request: ApiRequest, pk: int, clip: int) -> HttpResponse:
        return sounds.near_item(request, self.item(pk), clip)


class TextsLeft(ReviewersCall):
    """What silencing these parts would leave of the clip's transcripts. Nothing is changed."""

    @extend_schema(request=PartsSerializer, responses=TextsLeftSerializer)
    def post(self, request: ApiRequest, pk: int) -> Response:
        serializer = PartsSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        left = silencing.texts_left(self.item(pk).clip, serializer.validated_data["parts"])
        return Response(TextsLeftSerializer({"texts": [each._asdict() for each in left]}).data)


class Decide(ReviewersCall):
    """Decide on an item that is lent to you, or on one that nobody has.

    `accept` (a dispute's answer), `ask-more` (so many more answers), `unusable` (with a reason), `return` (a
    reported clip is shown again), `dismiss` (its reports were wrong), `silence` (these seconds, for good),
    `destroy` (erase the clip, for good), `clear` (nothing in a clip that was checked before publication is
    private), `put-back` (another reviewer may have it), `undo` (what you decided on it; one of your last
    ten decisions).
    """

    @extend_schema(request=ActSerializer, responses=DecisionSerializer)
    def post(self, request: ApiRequest, pk: int, act: str) -> Response:
        serializer = ActSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        decided = named_acts.do(act, self.item(pk), request.user, serializer.validated_data, timezone.now())
        return Response({"decision": decided and decided.pk})
