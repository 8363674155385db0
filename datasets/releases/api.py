"""The HTTP API for researchers' programs: the list of releases, one release, its manifest and its archives.

Everyone may read what releases there are and what is in them. A public release, which has only clips that
their contributors agreed to publish, needs no account. Manifest and archives of one for researchers need the
access that its steward grants (datasets.access); whoever has none is told what to do.
"""

import json
from collections.abc import Iterator
from time import time
from typing import Any

from django.http import Http404, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.decorators import method_decorator
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import APIException
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import audit, reauthentication, signing
from accounts.caching import public_document
from accounts.models import Purpose, Scope
from accounts.negotiation import AnyAccept
from accounts.refusals import in_words
from datasets.access import terms
from datasets.access.permissions import MayDownload
from datasets.clips import byteranges
from datasets.models import Release

from . import contents, formats, frozen, recalls
from .archive import Archive
from .formats.rows import NotRepresentable, Row, UnknownFormat
from .wording import WORDS

EXPORTS = "exports"  # in a session: when it began to download which release
RESUMED_WITHIN = 86_400  # seconds


class ReleaseSerializer(serializers.Serializer[Any]):
    slug = serializers.CharField()
    campaigns = serializers.ListField(child=serializers.CharField())
    licence = serializers.CharField(help_text="an SPDX identifier")
    published_at = serializers.DateTimeField()
    audience = serializers.ChoiceField(choices=[Purpose.RESEARCHERS, Purpose.PUBLIC])
    clips = serializers.IntegerField(help_text="as of the recall feed of the day")
    hours = serializers.FloatField()
    speakers = serializers.IntegerField(
        allow_null=True, help_text="with noise; null if they are few, or no number was published"
    )
    languages = serializers.ListField(child=serializers.CharField())
    grants = serializers.ChoiceField(
        choices=Release.Grants.choices, help_text="who grants a request; a public release needs none"
    )
    terms = serializers.CharField(
        allow_null=True, help_text="the version to accept before a download; null if it is open to everyone"
    )
    clearing = serializers.DictField(
        help_text="what was counted when privacy reviewers heard its campaigns' clips: how many were "
        "checked, found, silenced, destroyed, left out, and what people missed of known positives"
    )
    has_single_votes = serializers.BooleanField(
        help_text="whether archives have votes.parquet, with answers of volunteers who agreed to that"
    )
    retracted_because = serializers.CharField(
        allow_null=True, help_text="why nothing of it is handed out any more; null if it is"
    )
    request = serializers.CharField(help_text="the address to ask for it, and to see where you stand")
    manifest = serializers.CharField(help_text="its address")
    recalls = serializers.CharField(help_text="the address of the recall feed")
    formats = serializers.DictField(child=serializers.CharField(), help_text="the archives' addresses")


class NotInThisFormat(APIException):
    status_code = 409


class IsAnother(APIException):
    status_code = 412
    default_detail = "A recall feed changed this archive since. Download it anew."


class Retracted(APIException):
    status_code = 410


class ReleaseCall(APIView):
    content_negotiation_class = AnyAccept
    permission_classes: Any = [MayDownload]
    open_to_some = True
    token_scopes = (Scope.DOWNLOAD,)

    def confirm(self, request: Request, release: Release) -> None:
        """Someone at an open session is asked again; a program has its token, and a public release is open.

        A download that began is not interrupted: its later ranges are not asked for.
        """
        is_session = request.auth is None and request.user.is_authenticated
        if not is_session or release.audience == Purpose.PUBLIC:
            return
        begun, now = request.session.get(EXPORTS, {}), time()
        if "Range" not in request.headers or now - begun.get(release.slug, 0) > RESUMED_WITHIN:
            reauthentication.check(request._request, page="releases")
            request.session[EXPORTS] = begun | {release.slug: now}

    def release(self, slug: str) -> Release:
        try:
            return Release.objects.prefetch_related("campaigns").get(slug=slug)
        except Release.DoesNotExist:
            raise Http404 from None

    def available(self, slug: str) -> Release:
        """One that was not retracted: of another one nothing is handed out any more."""
        release = self.release(slug)
        if release.retracted_at:
            raise Retracted(f"This release was retracted: {release.retracted_because}")
        return release


class Releases(ReleaseCall):
    permission_classes = [AllowAny]

    @extend_schema(responses=ReleaseSerializer(many=True))
    def get(self, request: Request) -> Response:
        return Response(_described(list(Release.objects.prefetch_related("campaigns"))))


class OneRelease(ReleaseCall):
    permission_classes = [AllowAny]

    @extend_schema(responses=ReleaseSerializer)
    def get(self, request: Request, slug: str) -> Response:
        [described] = _described([self.release(slug)])
        return Response(described)


class Manifest(ReleaseCall):
    @extend_schema(responses={(200, "application/jsonl"): OpenApiTypes.STR})
    def get(self, request: Request, slug: str) -> HttpResponseBase:
        release = self.available(slug)
        self.confirm(request, release)
        if request.method == "GET":
            _record(request, release, "manifest")
        lines = map(_manifest_line, frozen.rows(release, with_words=False))
        return StreamingHttpResponse(
            () if request.method == "HEAD" else _in_blocks(lines),
            content_type="application/jsonl",
            headers={"Cache-Control": "private, no-store"},
        )


class Tar(ReleaseCall):
    refusals = {
        "409": "the format cannot hold this release",
        "412": "the archive is not the one that If-Match names: a recall feed changed it",
    }

    @extend_schema(
        responses={
            (200, "application/x-tar"): OpenApiTypes.BINARY,
            (206, "application/x-tar"): OpenApiTypes.BINARY,
            (416, "application/x-tar"): OpenApiResponse(
                OpenApiTypes.BINARY, description="no byte of the archive is in the range"
            ),
        }
    )
    def get(self, request: Request, slug: str, form: str) -> HttpResponseBase:
        release = self.available(slug)
        self.confirm(request, release)
        try:
            archive = Archive(release, formats.find(form))
        except UnknownFormat:
            raise Http404 from None
        except NotRepresentable as refusal:
            raise NotInThisFormat(in_words(refusal, WORDS)) from refusal
        if not _is_wanted(request, archive):
            archive.close()
            raise IsAnother
        first, last = _range(request, archive)
        if first <= last and request.method == "GET":
            _record(request, release, form)
            return _response(archive, first, last, Stream(archive, first, last))
        archive.close()
        return _response(archive, first, last, ())


def _record(request: Request, release: Release, what: str) -> None:
    """An archive in many parts, or in some of them only, is one event for as long as it is being fetched."""
    person = request.user if request.user.is_authenticated else None
    audit.record_once(audit.Act.EXPORTED, f"release {release.slug}", person, timezone.now(), {"format": what})


@method_decorator(public_document, name="dispatch")
class RecallFeed(APIView):
    """What was taken back of a release, signed by this site."""

    authentication_classes = []
    permission_classes = [AllowAny]
    content_negotiation_class = AnyAccept

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, release: str) -> HttpResponse:
        feed = recalls.feed(get_object_or_404(Release, slug=release))
        return HttpResponse(signing.canonical_json(feed), content_type="application/json")


def _described(releases: list[Release]) -> list[dict[str, Any]]:
    """In as many statements for many as for one."""
    told = [_description(release, contents.of(release)) for release in releases]
    return list(ReleaseSerializer(told, many=True).data)


def _description(release: Release, inside: contents.Figures) -> dict[str, Any]:
    here = f"/api/v1/releases/{release.slug}"
    return {
        "slug": release.slug,
        "campaigns": [campaign.slug for campaign in release.campaigns.all()],
        "licence": release.licence,
        "published_at": release.published_at,
        "audience": release.audience,
        "clips": inside.whole.clips,
        "hours": round(inside.whole.hours, 2),
        "speakers": inside.whole.speakers,
        "languages": inside.languages,
        "grants": release.grants,
        "terms": None if release.audience == Purpose.PUBLIC else terms.VERSION,
        "clearing": release.clearing,
        "has_single_votes": release.has_single_votes,
        "retracted_because": release.retracted_because or None,
        "request": f"{here}/request/",
        "manifest": f"{here}/manifest.jsonl",
        "recalls": f"/api/v1/recalls/{release.slug}.json",
        "formats": {name: f"{here}/{name}.tar" for name in formats.FORMATS},
    }


def _is_wanted(request: Request, archive: Archive) -> bool:
    """By If-Match (RFC 9110, section 13.1.1). If-Range would have the whole sent in place of a part."""
    wanted = request.headers.get("If-Match", "*")
    return wanted.strip() == "*" or archive.etag in [each.strip() for each in wanted.split(",")]


def _range(request: Request, archive: Archive) -> tuple[int, int]:
    """The first and the last byte to send. Without a range, or if If-Range has another ETag, that is all."""
    whole = 0, archive.size - 1
    if request.headers.get("If-Range", archive.etag) != archive.etag:
        return whole
    return byteranges.requested(request, archive.size) or whole


class Stream:
    """A range of an archive as a response's body. The archive is closed with the response."""

    def __init__(self, archive: Archive, first: int, last: int) -> None:
        self._archive, self._first, self._last = archive, first, last

    def __iter__(self) -> Iterator[bytes]:
        return self._archive.stream(self._first, self._last)

    def close(self) -> None:
        self._archive.close()


def _response(archive: Archive, first: int, last: int, body: Any) -> HttpResponseBase:
    whole = (first, last) == (0, archive.size - 1)
    status = 416 if first > last else 200 if whole else 206
    response: HttpResponseBase = (
        HttpResponse(status=status) if status == 416 else StreamingHttpResponse(body, status=status)
    )
    response["Content-Type"] = "application/x-tar"
    response["Accept-Ranges"] = "bytes"
    response["ETag"] = archive.etag
    response["Cache-Control"] = "private, no-store"
    response["Content-Disposition"] = f'attachment; filename="{archive.release.slug}-{archive.form.NAME}.tar"'
    response["Content-Length"] = str(max(last - first + 1, 0))
    if status == 206:
        response["Content-Range"] = f"bytes {first}-{last}/{archive.size}"
    elif status == 416:
        response["Content-Range"] = f"bytes */{archive.size}"
    return response


def _manifest_line(row: Row) -> bytes:
    """Without transcripts, which only archives have, because they go at once when a clip is withdrawn."""
    is_label = row.label is not None
    fields = {
        "id": row.id,
        "speaker": row.speaker,
        "split": row.split,
        "kind": row.kind,
        "language": row.language,
        "wake_word": row.wake_word,
        "answer": row.label,
        "confidence": row.confidence,
        "soft": row.soft if is_label else None,
        "seconds": row.seconds,
    }
    return json.dumps(fields, ensure_ascii=False).encode() + b"\n"


def _in_blocks(lines: Iterator[bytes]) -> Iterator[bytes]:
    """Many lines together, because the server sends each piece that it is given by itself."""
    block: list[bytes] = []
    for line in lines:
        block.append(line)
        if len(block) == 500:
            yield b"".join(block)
            block = []
    yield b"".join(block)
