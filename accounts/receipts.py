"""Consent receipts: a signed document for each time a person gave or withdrew consent. It names no one.

Fields after ISO/IEC TS 27560:2023 (consent record and receipt). Receipts are not stored: each is generated
from the Consent rows when it is asked for, always with the same bytes.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import groupby
from typing import Any

from django.conf import settings
from django.urls import reverse

from . import audit, signing
from .models import Consent, ConsentNotice, Material, Purpose, User
from .refusals import Refusal

MAX_BYTES = 100_000

DESCRIBED = {
    Purpose.VOLUNTEERS: "volunteers hear the recordings one at a time, to label and to transcribe them",
    Purpose.RESEARCHERS: "named researchers get copies with labels, to train and to study speech recognition",
    Purpose.PUBLIC: "public releases hold copies with labels, for anybody, under the licence of the release",
    Purpose.SYNTHESIS: "speech synthesis may be trained on the copies that recipients get by another consent",
}
RECIPIENTS = {
    Purpose.VOLUNTEERS: "people who signed up on this site as volunteers, under pseudonyms",
    Purpose.RESEARCHERS: "researchers whom those who run this site know by name",
    Purpose.PUBLIC: "anybody",
    Purpose.SYNTHESIS: "those to whom another consent gives the recordings; by this one alone, no one",
}
CATEGORIES = {
    Material.WAKE_WORD: "voice: the seconds around the wake word",
    Material.UTTERANCE: "voice: what was said after the wake word, said freely, or read aloud",
}


class ReceiptRefusal(StrEnum):
    EMPTY = "receipt-empty"
    TOO_LARGE = "receipt-too-large"  # with the `number` of bytes allowed
    NOT_JSON = "receipt-not-json"
    NOT_AN_OBJECT = "receipt-not-an-object"
    REPEATED_FIELD = "receipt-repeated-field"


class Unreadable(Refusal):
    """What was submitted is not a receipt at all."""


@dataclass(frozen=True)
class Receipt:
    """One act of one person: everything that they gave, or withdrew, at one moment."""

    contributor_id: int
    event: str  # given or withdrawn
    at: datetime
    consents: tuple[Consent, ...]  # the consents as given, for a withdrawal too

    @property
    def id(self) -> str:
        return signing.pseudonym(f"receipt {self._act}")

    def document(self) -> dict[str, Any]:
        """The receipt itself, signed."""
        return signing.sign(
            {
                "document": "consent receipt",
                "schema_version": "fields after ISO/IEC TS 27560:2023, edition 1 of this site",
                "receipt_id": self.id,
                "issued_at": _time(self.at),
                # Different on each receipt, so that no one can tell that two receipts are of one person.
                "pii_principal_id": signing.pseudonym(f"subject {self._act}"),
                "pii_processing": [_processing(each) for each in self.consents],
                "party_identification": [
                    {
                        "party_role": "PII controller",
                        "party_url": settings.SITE_URL,
                        "party_contact": settings.CONTACT,
                    }
                ],
                "events": [
                    {"event_type": "consent", "event_state": self.event, "event_time": _time(self.at)}
                ],
                "check_at": settings.SITE_URL + reverse("check_receipt"),
            }
        )

    @property
    def _act(self) -> str:
        return f"{self.contributor_id} {self.event} {self.at.isoformat()}"


def for_contributor(contributor: User) -> list[Receipt]:
    """All receipts of this person, newest first."""
    rows = contributor.consents.select_related("notice", "withdraws__notice").order_by(
        "-at", "withdraws_id", "id"
    )
    return [
        Receipt(contributor.pk, event, at, _given_consents(act))
        for (at, event), act in groupby(rows, key=lambda row: (row.at, _event(row)))
    ]


def _given_consents(rows: Iterable[Consent]) -> tuple[Consent, ...]:
    """The consents that an act was about: for each material and purpose the one that was given last."""
    given = (row.withdraws or row for row in rows)
    return tuple({(each.material, each.purpose): each for each in given}.values())


def read(data: bytes) -> dict[str, Any]:
    """The document in a submitted file. Raises Unreadable. Does not check the signature."""
    if len(data) > MAX_BYTES:
        raise Unreadable(ReceiptRefusal.TOO_LARGE, number=MAX_BYTES)
    try:
        document = json.loads(data.decode("utf-8-sig"), object_pairs_hook=_without_repeated_fields)
    except (ValueError, RecursionError):
        raise Unreadable(ReceiptRefusal.NOT_JSON) from None
    if not isinstance(document, dict):
        raise Unreadable(ReceiptRefusal.NOT_AN_OBJECT)
    return document


def check(document: dict[str, Any]) -> None:
    """Raises signing.BadSignature or audit.ChainBroken, unless this site signed it and it is still true."""
    signing.verify(document)
    if event := document.get("audit"):
        audit.check_event(event["number"], event["sha256"])


def as_file(document: dict[str, Any]) -> bytes:
    """Indented for people to read. The signature covers the canonical form, so spacing does not matter."""
    return (json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def _processing(consent: Consent) -> dict[str, Any]:
    material, purpose = Material(consent.material), Purpose(consent.purpose)
    return {
        "privacy_notice": _notice(consent.notice),
        "lawful_basis": "consent",
        "purpose": purpose.value,
        "purpose_description": DESCRIBED[purpose],
        "pii_information": [{"pii_type": material.value, "pii_description": CATEGORIES[material]}],
        "collection_method": "a device that the person paired, a browser recording, or an import",
        "processing_method": _method(consent),
        "storage_locations": [f"{settings.SITE_URL}, encrypted under a key of this person alone"],
        "retention_period": "until withdrawn",
        "recipients": RECIPIENTS[purpose],
        "withdrawal_method": f"one press of a button at {settings.SITE_URL}{reverse('consent')}",
        "given_at": _time(consent.at),
    }


def _method(consent: Consent) -> str:
    if consent.disguised:
        return "the voice is disguised before a volunteer hears it"
    return "used as it was recorded"


def _time(at: datetime) -> str:
    return at.isoformat(timespec="seconds")


def _notice(notice: ConsentNotice | None) -> dict[str, Any] | None:
    """None for a consent that was given outside this site."""
    if notice is None:
        return None
    words = {"version": notice.version, "language": notice.language, "sha256": notice.sha256}
    return words | ({"supplement": notice.purpose} if notice.purpose else {})


def _event(row: Consent) -> str:
    return "given" if row.withdraws_id is None else "withdrawn"


def _without_repeated_fields(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # A repeated field could say one thing to the signature check and another to a reader.
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise Unreadable(ReceiptRefusal.REPEATED_FIELD)
    return fields
