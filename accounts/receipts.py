"""What a person keeps of giving and of withdrawing: a signed document that names nobody.

Fields after ISO/IEC TS 27560:2023 (consent record and receipt). Nothing of a receipt is stored: it is made
anew, to the same bytes, from the Consent rows, as long as there is somebody who may ask for it.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from . import audit, signing
from .models import Consent, ConsentNotice, Material, Purpose, User

MOST_BYTES = 100_000

DESCRIBED = {
    Purpose.VOLUNTEERS: "volunteers hear the recordings one at a time, to label and to transcribe them",
    Purpose.RESEARCHERS: "named researchers get copies with labels, to train and to study speech recognition",
    Purpose.PUBLIC: "public releases hold copies with labels, for anybody, under the licence of the release",
}
RECIPIENTS = {
    Purpose.VOLUNTEERS: "people who signed up on this site as volunteers, under pseudonyms",
    Purpose.RESEARCHERS: "researchers whom those who run this site know by name",
    Purpose.PUBLIC: "anybody",
}
CATEGORIES = {
    Material.WAKE_WORD: "voice: the seconds around the wake word",
    Material.UTTERANCE: "voice: what was said after the wake word, said freely, or read aloud",
}


class Unreadable(Exception):
    """What was handed over is no receipt at all; says why."""


@dataclass(frozen=True)
class Receipt:
    """One act of one person: everything that was given, or that was withdrawn, at one moment."""

    contributor_id: int
    event: str  # given or withdrawn
    at: datetime
    consents: tuple[Consent, ...]  # as they were given, also where they were withdrawn

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
                # Another one on each receipt, so that two receipts cannot be told to be one person's.
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


def of(contributor: User) -> list[Receipt]:
    """All receipts of this person, the newest first."""
    rows = contributor.consents.select_related("notice", "withdraws__notice").order_by(
        "-at", "withdraws_id", "id"
    )
    return [
        Receipt(contributor.pk, event, at, _as_given(act))
        for (at, event), act in groupby(rows, key=lambda row: (row.at, _event(row)))
    ]


def _as_given(rows: Iterable[Consent]) -> tuple[Consent, ...]:
    """What an act was about, each material and purpose once: as it was given last."""
    given = (row.withdraws or row for row in rows)
    return tuple({(each.material, each.purpose): each for each in given}.values())


def read(data: bytes) -> dict[str, Any]:
    """The document in a file that somebody hands over. Raises Unreadable; the signature is not looked at."""
    if len(data) > MOST_BYTES:
        words = _("It is too large for a receipt: more than %(number)d bytes.")
        raise Unreadable(words % {"number": MOST_BYTES})
    try:
        found = json.loads(data.decode("utf-8-sig"), object_pairs_hook=_once_each)
    except (ValueError, RecursionError):
        raise Unreadable(_("It is not JSON.")) from None
    if not isinstance(found, dict):
        raise Unreadable(_("It is JSON, but not a document with fields."))
    return found


def check(document: dict[str, Any]) -> None:
    """Raises signing.BadSignature or audit.Broken, with the reason, unless it is from here and still true."""
    signing.verify(document)
    if event := document.get("audit"):
        audit.must_hold(event["number"], event["sha256"])


def written(document: dict[str, Any]) -> bytes:
    """As a file that people can read. The signature is over the canonical form, so spacing is free."""
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
    """None where the words were agreed to elsewhere."""
    if notice is None:
        return None
    return {"version": notice.version, "language": notice.language, "sha256": notice.sha256}


def _event(row: Consent) -> str:
    return "given" if row.withdraws_id is None else "withdrawn"


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # Written twice, a field could say one thing to the signature and another to a reader.
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Unreadable(_("It names a field twice."))
    return found
