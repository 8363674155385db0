"""The API for volunteers: borrow clips, hear them, answer. The tagging page in the browser uses it too."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone, translation
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import APIException, NotFound, PermissionDenied, Throttled
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import Scope, User
from accounts.negotiation import AnyAccept
from accounts.roles import IsAnnotator
from datasets import taking_part
from datasets.clips import byteranges, hearing
from datasets.models import Annotation, Campaign, Label
from datasets.normalise import LONGEST, BadTranscript, TranscriptFault
from tagger.lending import assignments, notes
from tagger.lending.quotas import QuotaReached
from tagger.lending.refusals import AnswerRefusal, AnswerRefused
from tagger.models import Assignment, Report
from tagger.welcome.api import HasPledged

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


class TrueOrFalse(serializers.BooleanField):
    """JSON's true or false, and nothing that only resembles them."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class SeveralSpeakersSerializer(serializers.Serializer[Any]):
    """What every answer may bring along."""

    several_speakers = TrueOrFalse(
        required=False,
        help_text="more than one person speaks; a mark beside the answer, which no vote counts",
    )


class OneAnswerSerializer(serializers.Serializer[Any]):
    """`answer` for a wake word, `transcript` for a transcription; exactly one of them."""

    answer = serializers.CharField(required=False)
    transcript = serializers.CharField(required=False, allow_blank=True, trim_whitespace=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs.keys() & {"answer", "transcript"}) != 1:
            raise serializers.ValidationError('Send {"answer": …} or {"transcript": …}, one of them.')
        return attrs


class AnswerSerializer(OneAnswerSerializer, SeveralSpeakersSerializer):
    """The one answer, and what it may bring along."""


class LabelAnswerSerializer(SeveralSpeakersSerializer):
    """For a wake word."""

    answer = serializers.ChoiceField(choices=Label.choices)


class TranscriptAnswerSerializer(SeveralSpeakersSerializer):
    """For a transcription."""

    transcript = serializers.CharField(max_length=LONGEST, allow_blank=True)


# How the API's description says what AnswerSerializer takes.
ONE_ANSWER = PolymorphicProxySerializer(
    component_name="OneAnswer",
    serializers=[LabelAnswerSerializer, TranscriptAnswerSerializer],
    resource_type_field_name=None,
)


class ReportSerializer(serializers.Serializer[Any]):
    reason = serializers.ChoiceField(choices=Report.Reason.choices)
    part = serializers.ListField(
        child=serializers.FloatField(),
        min_length=2,
        max_length=2,
        required=False,
        help_text="start and end within the clip, in seconds",
    )
    note = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=notes.LONGEST,
        help_text="for reviewers alone; without e-mail addresses, web addresses and telephone numbers",
    )


class DraftSerializer(serializers.Serializer[Any]):
    draft = serializers.CharField(
        allow_null=True,
        help_text="a machine's transcript, shown to one volunteer per task; null where there is none for you",
    )


class IdSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()


class RefusedCall(APIException):
    """A refused answer, with the status that fits it."""

    statuses: dict[str, int] = {
        AnswerRefusal.NOT_A_LABEL: status.HTTP_400_BAD_REQUEST,
        AnswerRefusal.NOT_A_REASON: status.HTTP_400_BAD_REQUEST,
        AnswerRefusal.NOT_A_PART: status.HTTP_400_BAD_REQUEST,
        AnswerRefusal.NOTE_TOO_LONG: status.HTTP_400_BAD_REQUEST,
        **dict.fromkeys(notes.PATTERNS, status.HTTP_400_BAD_REQUEST),
        **dict.fromkeys(TranscriptFault, status.HTTP_400_BAD_REQUEST),
        AnswerRefusal.CLIP_GONE: status.HTTP_410_GONE,
    }

    def __init__(self, refused: AnswerRefused | BadTranscript, language: str) -> None:
        with translation.override(language):
            super().__init__(detail=wording.in_words(refused), code=refused.code)
        self.status_code = self.statuses.get(refused.code, status.HTTP_409_CONFLICT)


class TooMuchAtOnce(Throttled):
    """A quota is used up. `Retry-After` has the seconds after which the same call succeeds."""

    def __init__(self, reached: QuotaReached, language: str) -> None:
        with translation.override(language):
            APIException.__init__(self, detail=wording.in_words(reached), code=reached.code)
        self.wait = reached.seconds  # sent as Retry-After


class ApiRequest(Request):
    """A request of a logged-in person: what a call receives once its permissions are checked."""

    user: User


def readers_language(request: Request) -> str:
    """English for a program, which sends a token; the browser's language for a person on the page."""
    if request.auth is not None:
        return "en"
    return translation.get_language_from_request(request._request)


class VolunteerCall(APIView):
    """A call for volunteers.

    A refusal is answered with its status and sentence, another person's row with 404.
    """

    content_negotiation_class = AnyAccept
    permission_classes = [IsAuthenticated, IsAnnotator]
    refusals = {
        "409": "not in this state: answered otherwise, or no longer lent to you",
        "410": "the clip was taken back",
    }
    token_scopes = (Scope.TAG,)

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, (AnswerRefused, BadTranscript)):
            exc = RefusedCall(exc, readers_language(self.request))
        elif isinstance(exc, QuotaReached):
            exc = TooMuchAtOnce(exc, readers_language(self.request))
        elif isinstance(exc, (Assignment.DoesNotExist, Annotation.DoesNotExist)):
            exc = NotFound()
        return super().handle_exception(exc)

    def validated(self, serializer_class: type[serializers.Serializer]) -> dict[str, Any]:
        serializer = serializer_class(data=self.request.data)
        serializer.is_valid(raise_exception=True)
        return serializer.validated_data


class ListenersCall(VolunteerCall):
    """A call that gives clips, or what is said in them: only after the listener's pledge."""

    permission_classes = [*VolunteerCall.permission_classes, HasPledged]


NOT_TAKING_PART = {
    Campaign.TakingPart.LANGUAGE: "This campaign is for people who chose its language on the site.",
    Campaign.TakingPart.INVITED: "This campaign is for people who were invited to it.",
}


class Lend(ListenersCall):
    """Borrow up to ten clips of a campaign. An empty list means that nothing is left for you."""

    @extend_schema(request=CountSerializer, responses={201: LentSerializer})
    def post(self, request: ApiRequest, slug: str) -> Response:
        campaign = get_object_or_404(Campaign.objects.open(), slug=slug)
        if not taking_part.may(request.user, campaign):
            raise PermissionDenied(NOT_TAKING_PART[Campaign.TakingPart(campaign.takes_part)])
        count = self.validated(CountSerializer)["count"]
        lent = assignments.lend(request.user, campaign, count, timezone.now())
        return Response(LentSerializer({"assignments": lent}).data, status=status.HTTP_201_CREATED)


class Audio(ListenersCall):
    """The sound of a clip that is lent to you."""

    @extend_schema(responses={(status, "audio/wav"): OpenApiTypes.BINARY for status in (200, 206, 416)})
    def get(self, request: ApiRequest, pk: int) -> HttpResponse:
        clip = assignments.playable(request.user, pk, timezone.now())
        return byteranges.sound(request, hearing.for_volunteers(clip))


class Draft(ListenersCall):
    """A machine's transcript of a clip that is lent to you, as a start for your own."""

    @extend_schema(responses={200: DraftSerializer})
    def get(self, request: ApiRequest, pk: int) -> Response:
        draft = drafts.show(request.user, pk, timezone.now())
        return Response({"draft": draft or None})


class HandIn(VolunteerCall):
    """Hand in your answer to a clip that is lent to you. Sending the same answer again changes nothing."""

    @extend_schema(
        request=ONE_ANSWER,
        responses={201: IdSerializer, 200: IdSerializer},
    )
    def post(self, request: ApiRequest, pk: int) -> Response:
        sent = self.validated(AnswerSerializer)
        several = sent.get("several_speakers", False)
        annotation, is_new = assignments.hand_in(request.user, pk, answer_in(sent), timezone.now(), several)
        return Response(
            {"id": annotation.pk}, status=status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
        )


class Skip(VolunteerCall):
    """Give a clip back without an answer. It is not offered to you again."""

    @extend_schema(request=None, responses={204: None})
    def post(self, request: ApiRequest, pk: int) -> Response:
        assignments.skip(request.user, pk, timezone.now())
        return Response(status=status.HTTP_204_NO_CONTENT)


class ReportClip(VolunteerCall):
    """Report a clip. It is not given to you again.

    A first report of `private`, `other-person` or `offensive` hides it from everyone until a reviewer has
    heard it; `language` and `audio` hide it once a second person reports it too. If reviewers dismissed most
    of your reports, a second person is needed for every reason. A report that was dismissed never hides that
    clip again.
    """

    @extend_schema(request=ReportSerializer, responses={204: None})
    def post(self, request: ApiRequest, pk: int) -> Response:
        sent = self.validated(ReportSerializer)
        part = tuple(sent["part"]) if "part" in sent else None
        assignments.report(request.user, pk, sent["reason"], timezone.now(), part, sent.get("note", ""))
        return Response(status=status.HTTP_204_NO_CONTENT)


class ChangeAnswer(VolunteerCall):
    """Change one of your last answers, and if it is sent, the mark that several people speak."""

    @extend_schema(request=ONE_ANSWER, responses=IdSerializer)
    def patch(self, request: ApiRequest, pk: int) -> Response:
        sent = self.validated(AnswerSerializer)
        several = sent.get("several_speakers")
        changed = assignments.change(request.user, pk, answer_in(sent), timezone.now(), several)
        return Response({"id": changed.pk})


def answer_in(sent: dict[str, Any]) -> str:
    """The one answer of a validated AnswerSerializer."""
    return str(sent["answer"] if "answer" in sent else sent["transcript"])
