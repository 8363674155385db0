"""The sentence for each refusal of this room. Sentences that no page shows are not translated."""

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from .audit import AuditRefusal
from .consent import ConsentRefusal
from .devices import DeviceRefusal
from .receipts import ReceiptRefusal
from .signing import SignatureRefusal

WORDS: dict[Any, str | Promise] = {
    ConsentRefusal.NO_CONSENT: "no live consent: %(purpose)s, %(material)s",
    ConsentRefusal.NOTICE_CHANGED: "the notice has changed, and this person has not answered the new one yet",
    DeviceRefusal.TOO_MANY_WAITING: "Too many devices wait to be paired; try again later.",
    DeviceRefusal.WRONG_CODE: _(
        "No waiting device has this code. Codes work once and expire after 24 hours."
    ),
    DeviceRefusal.TOO_MANY_TRIES: _("Too many wrong codes. Wait an hour, then try again."),
    DeviceRefusal.NOT_CLAIMED: "Nobody entered this code yet.",
    DeviceRefusal.BAD_TOKEN: "This token is not valid.",
    DeviceRefusal.BAD_TOKEN_FOR_DEVICE: "This token is not valid for this device.",
    DeviceRefusal.TOKEN_REUSED: (
        "This token was used before; the device is revoked and has to be paired again."
    ),
    ReceiptRefusal.EMPTY: _("Paste a receipt or choose its file first."),
    ReceiptRefusal.TOO_LARGE: _("It is too large for a receipt: more than %(number)d bytes."),
    ReceiptRefusal.NOT_JSON: _("It is not JSON."),
    ReceiptRefusal.NOT_AN_OBJECT: _("It is JSON, but not a document with fields."),
    ReceiptRefusal.REPEATED_FIELD: _("It names a field twice."),
    SignatureRefusal.UNSIGNED: _(
        "It bears no signature: the fields “key” and “signature” must both be there."
    ),
    SignatureRefusal.OTHER_KEY: _("It was signed with another key than this site's."),
    SignatureRefusal.MISMATCH: _(
        "The signature does not fit: a field was changed, added or removed, or this site never signed it."
    ),
    SignatureRefusal.NOT_JSON_DATA: _("It holds something that cannot be written as JSON."),
    SignatureRefusal.NOT_BASE64: _("Its signature cannot be read: it is not base64."),
    SignatureRefusal.OTHER_SPELLING: _("Its signature is not spelled as this site spells it."),
    AuditRefusal.EVENT_CHANGED: _("This site's record does not hold event %(number)d as it was any more."),
}
