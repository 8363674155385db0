"""The API for bringing clips to one's own campaigns. The import page uses it, too.

An import is made, its files are named, then sent in parts; it is started, looked at, cancelled or undone.
"""

import json
from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone, translation
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.parsers import MultiPartParser
from rest_framework.response import Response

from accounts.refusals import Refusal
from datasets.clips.sources import BadSource
from datasets.imports import ending, gathering, planning, report, running, tasks
from datasets.imports.refusals import BringingRefusal, ImportRefused
from datasets.imports.wording import in_words
from datasets.models import Import, ImportFile
from tagger.campaigns.calls import OwnersCall
from tagger.desk.api import ApiRequest, readers_language

from . import undoing

MAX_PARTS_BYTES = 10 * 2**20  # of one call, with what surrounds the parts
MOST_FILES = 200  # that are named in one call
MOST_PARTS = 100
PAGE = 200


class MakeSerializer(serializers.Serializer[Any]):
    collection = serializers.CharField(help_text="its name; each speaker becomes a contributor under it")
    consent_reference = serializers.CharField(help_text="where the speakers' consent is filed")
    licence = serializers.CharField(
        required=False,
        allow_blank=True,
        default="",
        help_text="an SPDX identifier; empty if a column of the table has one for each recording",
    )
    public = serializers.BooleanField(
        required=False,
        default=False,
        help_text="the consent covers public releases, not only researchers",
    )


class CountsSerializer(serializers.Serializer[Any]):
    waiting = serializers.IntegerField()
    added = serializers.IntegerField()
    held = serializers.IntegerField(help_text="held already")
    refused = serializers.IntegerField()


class ImportSerializer(serializers.ModelSerializer[Import]):
    counts = serializers.SerializerMethodField()

    class Meta:
        model = Import
        fields = ["id", "state", "licence", "is_public", "size", "counts"]
        read_only_fields = fields

    @extend_schema(responses=CountsSerializer)
    def get_counts(self, run: Import) -> dict[str, int]:
        return running.counts(run)


class NamedSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(
        allow_blank=True, trim_whitespace=False, help_text="its path in what is brought, with slashes"
    )
    size = serializers.IntegerField(min_value=0, max_value=2**62)
    sha256 = serializers.RegexField("^[0-9a-fA-F]{64}$", help_text="of its content, in hex")


class NameFilesSerializer(serializers.Serializer[Any]):
    files = serializers.ListSerializer[Any](child=NamedSerializer(), min_length=1, max_length=MOST_FILES)


class FileSerializer(serializers.ModelSerializer[ImportFile]):
    class Meta:
        model = ImportFile
        fields = ["id", "kind", "state", "size", "received"]
        read_only_fields = fields


class FilesSerializer(serializers.Serializer[Any]):
    files = FileSerializer(many=True, help_text="in the order in which they were named")


class PartSerializer(serializers.Serializer[Any]):
    file = serializers.IntegerField(help_text="the id of a named file", max_value=2**62)
    offset = serializers.IntegerField(min_value=0, max_value=2**62)


class SentPartsSerializer(serializers.Serializer[Any]):
    parts = serializers.CharField(help_text='JSON: [{"file": 1, "offset": 0}, …], one for each of `bytes`')
    bytes = serializers.ListField(child=serializers.FileField(), max_length=MOST_PARTS)


class ReceivedSerializer(serializers.Serializer[Any]):
    received = serializers.DictField(
        child=serializers.IntegerField(), help_text="how many bytes of each of these files are here now"
    )


class StartSerializer(serializers.Serializer[Any]):
    reading = serializers.CharField(
        required=False, allow_blank=True, default="", help_text="one of the preview's; empty: the likeliest"
    )
    columns = serializers.ListField(
        child=serializers.CharField(allow_blank=True, max_length=20),
        required=False,
        max_length=200,
        help_text="what each column of the table is; empty for one that is not read",
    )
    without_incomplete = serializers.BooleanField(
        required=False, default=False, help_text="refuse files that did not arrive whole"
    )


class ColumnSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    field = serializers.CharField()
    cells = serializers.ListField(child=serializers.CharField())
    is_personal = serializers.BooleanField(help_text="such things are never stored")
    is_unknown = serializers.BooleanField()


class RowSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    speaker = serializers.CharField()
    language = serializers.CharField()
    truth = serializers.CharField()
    transcript = serializers.CharField()


class PreviewSerializer(serializers.Serializer[Any]):
    readings = serializers.ListField(
        child=serializers.CharField(), help_text="how the files can be understood"
    )
    reading = serializers.CharField()
    columns = ColumnSerializer(many=True)
    rows = RowSerializer(many=True)
    fault = serializers.CharField(allow_blank=True)


class RefusedFileSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="number")
    name = serializers.CharField()
    code = serializers.CharField(source="why.code")
    reason = serializers.CharField()


class RefusedSerializer(serializers.Serializer[Any]):
    refused = RefusedFileSerializer(many=True)


class RefusedImport(APIException):
    """An import that is refused, or a table that cannot be read, with the status that fits it."""

    conflicts = frozenset(
        {
            BringingRefusal.NOT_GATHERING,
            BringingRefusal.INCOMPLETE,
            BringingRefusal.NOT_READABLE,
            BringingRefusal.NOTHING_TO_UNDO,
            BringingRefusal.NOTHING_TO_CANCEL,
        }
    )

    def __init__(self, refused: Refusal, language: str) -> None:
        with translation.override(language):
            super().__init__(detail=in_words(refused), code=refused.code)
        if refused.code in self.conflicts:
            self.status_code = status.HTTP_409_CONFLICT
        elif refused.code == BringingRefusal.NO_SPACE:
            self.status_code = status.HTTP_507_INSUFFICIENT_STORAGE
        else:
            self.status_code = status.HTTP_400_BAD_REQUEST


class TooLarge(APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = f"More than {MAX_PARTS_BYTES} bytes: send fewer parts in one call."


class ImportsCall(OwnersCall):
    """A call for the owner of the campaign that its address names; anyone else's answers 404."""

    refusals = {
        "409": "the import is not in a state for this, or files of it are missing",
        "507": "there is no space left",
    }

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, (ImportRefused, BadSource)):
            exc = RefusedImport(exc, readers_language(self.request))
        return super().handle_exception(exc)

    def run(self, slug: str, pk: int) -> Import:
        runs = self.campaign(slug).imports.select_related("campaign", "owner")
        return get_object_or_404(runs, pk=pk)


class Imports(ImportsCall):
    """The imports of one of your campaigns, the newest first; make another one."""

    @extend_schema(operation_id="campaigns_imports_list", responses=ImportSerializer(many=True))
    def get(self, request: ApiRequest, slug: str) -> Response:
        runs = self.campaign(slug).imports.order_by("-pk")[:PAGE]
        return Response(ImportSerializer(runs, many=True).data)

    @extend_schema(request=MakeSerializer, responses={201: ImportSerializer})
    def post(self, request: ApiRequest, slug: str) -> Response:
        campaign, said = self.campaign(slug), self.sent(MakeSerializer(data=request.data))
        run = gathering.make(
            campaign,
            request.user,
            said["collection"],
            said["consent_reference"],
            timezone.now(),
            licence=said["licence"],
            public=said["public"],
        )
        return Response(ImportSerializer(run).data, status=status.HTTP_201_CREATED)


class OneImport(ImportsCall):
    """An import, with how many of its recordings wait, were added, were held already, or were refused."""

    @extend_schema(responses=ImportSerializer)
    def get(self, request: ApiRequest, slug: str, pk: int) -> Response:
        return Response(ImportSerializer(self.run(slug, pk)).data)


class Files(ImportsCall):
    """Name files before you send them. A file of the same name, size and content is the same file: you get
    what of it is here already, so that an import goes on where it was interrupted."""

    @extend_schema(request=NameFilesSerializer, responses=FilesSerializer)
    def post(self, request: ApiRequest, slug: str, pk: int) -> Response:
        run, said = self.run(slug, pk), self.sent(NameFilesSerializer(data=request.data))
        named = [gathering.Named(**each) for each in said["files"]]
        files = gathering.name_files(run, named, timezone.now())
        return Response(FilesSerializer({"files": files}).data)


class Parts(ImportsCall):
    """Send parts of named files, several in one call. A part follows on what is here; one that is here
    already changes nothing."""

    parser_classes = [MultiPartParser]

    def initial(self, request: Any, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if int(request.META.get("CONTENT_LENGTH") or 0) > MAX_PARTS_BYTES:
            raise TooLarge

    @extend_schema(request={"multipart/form-data": SentPartsSerializer}, responses=ReceivedSerializer)
    def post(self, request: ApiRequest, slug: str, pk: int) -> Response:
        run = self.run(slug, pk)
        contents = request.FILES.getlist("bytes")
        said = self._said(request.POST.get("parts"))
        if len(said) != len(contents):
            raise ValidationError({"parts": ["One for each of the parts in bytes is needed."]})
        sent = [
            gathering.Part(**each, content=body.read()) for each, body in zip(said, contents, strict=True)
        ]
        received = gathering.receive(run, sent, timezone.now())
        return Response({"received": {str(file): size for file, size in received.items()}})

    def _said(self, text: Any) -> Any:
        try:
            said = json.loads(text)
        except (TypeError, ValueError) as error:
            raise ValidationError({"parts": ["This is not JSON."]}) from error
        child = PartSerializer()
        return self.sent(
            serializers.ListSerializer(data=said, child=child, min_length=1, max_length=MOST_PARTS)
        )


class Preview(ImportsCall):
    """How the files that are here would be read: a table's columns, or the first rows of another layout."""

    @extend_schema(
        parameters=[OpenApiParameter("reading", OpenApiTypes.STR, required=False)],
        responses=PreviewSerializer,
    )
    def get(self, request: ApiRequest, slug: str, pk: int) -> Response:
        shown = planning.preview(self.run(slug, pk), request.query_params.get("reading", ""))
        with translation.override(readers_language(request)):
            fault = in_words(shown.fault) if shown.fault else ""
        told = {
            "readings": list(map(str, shown.readings)),
            "reading": str(shown.reading),
            "columns": shown.columns,
            "rows": shown.rows,
            "fault": fault,
        }
        return Response(PreviewSerializer(told).data)


class Start(ImportsCall):
    """Begin to add what was sent. A worker does it; look at the import for how far it is."""

    @extend_schema(request=StartSerializer, responses=ImportSerializer)
    def post(self, request: ApiRequest, slug: str, pk: int) -> Response:
        run, said = self.run(slug, pk), self.sent(StartSerializer(data=request.data))
        running.start(
            run,
            timezone.now(),
            reading=said["reading"],
            fields=said.get("columns"),
            without_incomplete=said["without_incomplete"],
        )
        tasks.proceed.delay_on_commit()  # type: ignore[attr-defined]
        return Response(ImportSerializer(run).data)


class Refused(ImportsCall):
    """What was refused, and why, 200 at a time; names are kept for 30 days after the import ended."""

    @extend_schema(
        parameters=[OpenApiParameter("after", OpenApiTypes.INT, required=False)], responses=RefusedSerializer
    )
    def get(self, request: ApiRequest, slug: str, pk: int) -> Response:
        after = request.query_params.get("after", "0")
        if not after.isdecimal() or len(after) > 18:
            raise ValidationError({"after": ["A whole number is needed."]})
        with translation.override(readers_language(request)):
            refused = list(report.refused(self.run(slug, pk), int(after), PAGE))
            return Response(RefusedSerializer({"refused": refused}).data)


class Cancel(ImportsCall):
    """Add nothing more, and delete what waits. Clips that were added stay."""

    @extend_schema(request=None, responses=ImportSerializer)
    def post(self, request: ApiRequest, slug: str, pk: int) -> Response:
        run = self.run(slug, pk)
        ending.cancel(run, timezone.now())
        return Response(ImportSerializer(self.run(slug, pk)).data)


class Undo(ImportsCall):
    """Withdraw every clip that this import added, for good. Clips that were here before it stay."""

    @extend_schema(request=None, responses=ImportSerializer)
    def post(self, request: ApiRequest, slug: str, pk: int) -> Response:
        undoing.undo(self.run(slug, pk), request.user, timezone.now())
        return Response(ImportSerializer(self.run(slug, pk)).data)
