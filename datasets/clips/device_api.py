"""The Mycroft device protocol over HTTP, as its clients in the field use it.

Those clients are careless, so this module

- ignores `Content-Type`: every call says `application/json`, even one with a multipart body, and then the
  header names no boundary;
- refuses every call but an upload in plain text: clients take any JSON for the answer they asked for, so
  that a refusal in JSON would be saved as the device's identity.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime, time, timedelta
from functools import wraps
from io import BytesIO
from typing import Any
from uuid import UUID

from django.core.exceptions import SuspiciousOperation
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.multipartparser import MultiPartParser, MultiPartParserError
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import client_addresses, consent, devices, limits, strict_json, too_many
from accounts.caching import uncached
from accounts.models import Device
from accounts.refusals import in_words
from datasets.models import Campaign

from . import audio, intake, uploads
from .in_memory import InMemory
from .wording import FOR_DEVICES

View = Callable[..., HttpResponse]

MAX_JSON_BYTES = 10_000
MAX_UPLOAD_BYTES = 2 * 2**20  # 30 s as this site stores them are 960 kB
LONGEST_STATE = 100

# The beginning of a multipart body, with the characters that RFC 2046 allows in a boundary.
_BOUNDARY = re.compile(rb"--([0-9A-Za-z'()+_,./:=?-]{1,70})\r\n")


class DeviceCallRefused(Exception):
    """A call that is refused with this status and this sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


def call(view: View) -> View:
    """Without CSRF checks, because cookies are ignored here. A refusal is answered in plain text."""

    @csrf_exempt
    @wraps(view)
    def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            response = view(request, *args, **kwargs)
        except DeviceCallRefused as refused:
            response = HttpResponse(str(refused), status=refused.status, content_type="text/plain")
        except limits.LimitReached as reached:
            words = in_words(reached, FOR_DEVICES)
            response = HttpResponse(words, status=too_many.STATUS, content_type="text/plain")
            too_many.with_time(response, reached)
        return uncached(response)

    return answered


@require_GET
@call
def code(request: HttpRequest) -> HttpResponse:
    state = request.GET.get("state", "")
    if not 0 < len(state) <= LONGEST_STATE:
        raise DeviceCallRefused(400, f"State must have 1 to {LONGEST_STATE} characters.")
    now = timezone.now()
    limits.count(now, (limits.PAIRING_CODES, client_addresses.client(request)))
    try:
        offer = devices.offer(state, now)
    except devices.Busy as refusal:
        raise DeviceCallRefused(503, in_words(refusal, FOR_DEVICES)) from refusal
    return JsonResponse(
        {"state": state, "token": offer.token, "expiration": offer.seconds, "code": offer.code}
    )


@require_POST
@call
def activate(request: HttpRequest) -> HttpResponse:
    sent, now = json_in(request), timezone.now()
    state, token = str(sent.get("state")), str(sent.get("token"))
    try:
        login = devices.activate(state, token, about_device(sent), now)
    except devices.NotClaimed as refusal:
        devices.keep_waiting(state, token, client_addresses.client(request), now)
        raise DeviceCallRefused(404, in_words(refusal, FOR_DEVICES)) from refusal
    return login_response(login)


@require_GET
@call
def renew(request: HttpRequest) -> HttpResponse:
    try:
        login = devices.renew(bearer(request), named_device(request), timezone.now())
    except devices.InvalidToken as refusal:
        raise DeviceCallRefused(401, in_words(refusal, FOR_DEVICES)) from refusal
    return login_response(login)


@require_http_methods(["GET", "PATCH"])
@call
def device(request: HttpRequest, uuid: UUID) -> HttpResponse:
    own = calling_device(request, uuid, timezone.now())
    if request.method == "PATCH":
        devices.update(own, about_device(json_in(request)))
    return JsonResponse(described(own))


@require_POST
@call
def wake_word_file(request: HttpRequest, uuid: UUID) -> HttpResponse:
    return upload(request, uuid, Campaign.Kind.WAKE_WORD)


@require_POST
@call
def utterance_file(request: HttpRequest, uuid: UUID) -> HttpResponse:
    return upload(request, uuid, Campaign.Kind.TRANSCRIPTION)


def upload(request: HttpRequest, uuid: UUID, kind: Campaign.Kind) -> HttpResponse:
    """201 if the clip was stored, 200 if it was stored already. Reads nothing that may not be stored."""
    now = timezone.now()
    try:
        own = calling_device(request, uuid, now)
        uploads.check(own, kind, now)
        audio_file, metadata = recording_in(request)
        added = uploads.store(own, kind, audio_file, metadata, now)
    except DeviceCallRefused as refused:
        return refused_upload(refused.status, str(refused))
    except consent.NoConsent as refusal:
        return refused_upload(403, in_words(refusal, FOR_DEVICES))
    except intake.Duplicate as refusal:
        return refused_upload(409, in_words(refusal, FOR_DEVICES))
    except (uploads.NoCampaignAsks, audio.BadAudio) as refusal:
        return refused_upload(422, in_words(refusal, FOR_DEVICES))
    except uploads.DailyLimitReached as refusal:
        response = refused_upload(429, in_words(refusal, FOR_DEVICES))
        response["Retry-After"] = str(seconds_to_midnight(now))
        return response
    return JsonResponse({"held": True}, status=201 if added else 200)


def refused_upload(status: int, sentence: str) -> HttpResponse:
    return JsonResponse({"detail": sentence}, status=status)


def calling_device(request: HttpRequest, uuid: UUID, now: datetime) -> Device:
    try:
        return devices.by_access(bearer(request), uuid, now)
    except devices.InvalidToken as refusal:
        raise DeviceCallRefused(401, in_words(refusal, FOR_DEVICES)) from refusal


def bearer(request: HttpRequest) -> str:
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def named_device(request: HttpRequest) -> UUID | None:
    try:
        return UUID(request.headers.get("Device", ""))
    except ValueError:
        return None


def login_response(login: devices.Login) -> HttpResponse:
    return JsonResponse(
        {
            "uuid": str(login.device),
            "accessToken": login.access,
            "refreshToken": login.refresh,
            "expiration": login.seconds,
        }
    )


def described(own: Device) -> dict[str, object]:
    about = own.about
    return {
        "uuid": str(own.uuid),
        "name": about.get("name", ""),
        "description": "",
        "platform": about.get("platform", ""),
        "coreVersion": about.get("core_version", ""),
        "enclosureVersion": about.get("enclosure_version", ""),
        # Clients expect a person's id here, but this site gives out no number of a person.
        "user": {"uuid": str(own.uuid)},
    }


def about_device(sent: Mapping[str, Any]) -> dict[str, object]:
    """What a device says about itself, under our names. The protocol has two generations of names."""
    return {
        "platform": sent.get("platform"),
        "platform_build": sent.get("platform_build"),
        "core_version": sent.get("coreVersion") or sent.get("core_version"),
        "enclosure_version": sent.get("enclosureVersion") or sent.get("enclosure_version"),
        "language": sent.get("language") or sent.get("lang"),
    }


def json_in(request: HttpRequest) -> dict[str, Any]:
    return json_object(body(request, MAX_JSON_BYTES))


def json_object(data: bytes) -> dict[str, Any]:
    try:
        sent = strict_json.read(data)
    except strict_json.BadJson as refusal:
        raise DeviceCallRefused(400, in_words(refusal, FOR_DEVICES)) from refusal
    if not isinstance(sent, dict):
        raise DeviceCallRefused(400, "This is not a JSON object.")
    return sent


def body(request: HttpRequest, limit: int) -> bytes:
    """The whole body, read directly from the connection: nothing before this wrote it to a file."""
    length = int(request.META.get("CONTENT_LENGTH") or 0)
    if length > limit:
        raise DeviceCallRefused(413, f"{length} bytes are too many; the limit is {limit}.")
    return request.read()


def recording_in(request: HttpRequest) -> tuple[bytes, uploads.Metadata]:
    """The parts `audio` and `metadata` of a multipart body. Clients send the latter as a file or a field."""
    data = body(request, MAX_UPLOAD_BYTES)
    begins = _BOUNDARY.match(data)
    if begins is None:
        raise DeviceCallRefused(400, "This is not a multipart body.")
    meta = {
        "CONTENT_TYPE": f'multipart/form-data; boundary="{begins[1].decode()}"',
        "CONTENT_LENGTH": str(len(data)),
    }
    try:
        fields, files = MultiPartParser(meta, BytesIO(data), [InMemory()]).parse()
    except (MultiPartParserError, SuspiciousOperation) as error:
        raise DeviceCallRefused(400, "This multipart body cannot be read.") from error
    sent = {name: file.read() for name, file in files.items() if isinstance(file, UploadedFile)}
    if "audio" not in sent:
        raise DeviceCallRefused(400, "There is no file named audio.")
    metadata = sent.get("metadata", str(fields.get("metadata", "")).encode())
    if len(metadata) > MAX_JSON_BYTES:
        raise DeviceCallRefused(413, f"The metadata is too long; the limit is {MAX_JSON_BYTES} bytes.")
    return sent["audio"], metadata_in(json_object(metadata))


def metadata_in(sent: Mapping[str, Any]) -> uploads.Metadata:
    """The other fields (engine, model, timestamp, a transcription) are dropped; `uploads` says why."""
    word = sent.get("wake_word") or sent.get("name")
    language = sent.get("language") or sent.get("lang")
    return uploads.Metadata(
        word if isinstance(word, str) else "", language if isinstance(language, str) else ""
    )


def seconds_to_midnight(now: datetime) -> int:
    tomorrow = datetime.combine(now.date() + timedelta(days=1), time(), now.tzinfo)
    return int((tomorrow - now).total_seconds()) + 1
