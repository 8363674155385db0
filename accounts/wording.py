"""The sentence for each refusal of this room. Sentences that no page shows are not translated."""

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from .audit import AuditRefusal
from .consent import ConsentRefusal
from .devices import DeviceRefusal
from .limits import LimitRefusal
from .receipts import ReceiptRefusal
from .signing import SignatureRefusal
from .strict_json import JsonFault

WORDS: dict[Any, str | Promise] = {
    ConsentRefusal.NO_CONSENT: "no live consent: %(purpose)s, %(material)s",
    ConsentRefusal.NOTICE_CHANGED: "the notice has changed, and this person has not answered the new one yet",
    DeviceRefusal.TOO_MANY_WAITING: "Too many devices wait to be paired; try again later.",
    DeviceRefusal.WRONG_CODE: _(
        "No waiting device has this code. Each code works once, and stops working half an hour after the"
        " device is switched off."
    ),
    DeviceRefusal.NOT_CLAIMED: "No one has entered this code yet.",
    DeviceRefusal.BAD_TOKEN: "This token is not valid.",
    DeviceRefusal.BAD_TOKEN_FOR_DEVICE: "This token is not valid for this device.",
    DeviceRefusal.TOKEN_REUSED: (
        "This token was used before; the device is revoked and has to be paired again."
    ),
    LimitRefusal.WRONG_PASSWORDS: ngettext_lazy(
        "Too many wrong passwords. Try again in %(minutes)d minute.",
        "Too many wrong passwords. Try again in %(minutes)d minutes.",
        "minutes",
    ),
    LimitRefusal.LOG_INS: ngettext_lazy(
        "Too many people are logging in from your network. Try again in %(minutes)d minute.",
        "Too many people are logging in from your network. Try again in %(minutes)d minutes.",
        "minutes",
    ),
    LimitRefusal.SIGN_UPS: ngettext_lazy(
        "Too many people are signing up from your network. Try again in %(minutes)d minute.",
        "Too many people are signing up from your network. Try again in %(minutes)d minutes.",
        "minutes",
    ),
    LimitRefusal.PASSWORD_RESETS: ngettext_lazy(
        "Too many e-mails for a new password were requested. Try again in %(minutes)d minute.",
        "Too many e-mails for a new password were requested. Try again in %(minutes)d minutes.",
        "minutes",
    ),
    LimitRefusal.WRONG_CODES: ngettext_lazy(
        "Too many wrong codes. Try again in %(minutes)d minute.",
        "Too many wrong codes. Try again in %(minutes)d minutes.",
        "minutes",
    ),
    LimitRefusal.DEVICES: "Too many devices ask for codes from here; try again in %(minutes)d minutes.",
    JsonFault.NOT_UTF8: "The body is not UTF-8: byte %(byte)d.",
    JsonFault.NOT_JSON: "The body is not JSON: line %(line)d, column %(column)d.",
    JsonFault.TOO_DEEP: "This JSON is nested too deeply.",
    JsonFault.NOT_A_NUMBER: "This JSON has a number that is not finite or has too many digits.",
    JsonFault.REPEATED_KEY: "This JSON has an object with the same key twice.",
    JsonFault.NOT_TEXT: "%(where)s: this is not Unicode text, as it has half of a surrogate pair.",
    ReceiptRefusal.EMPTY: _("Paste a receipt or choose its file first."),
    ReceiptRefusal.TOO_LARGE: _("This is too large for a receipt: more than %(number)d bytes."),
    ReceiptRefusal.NOT_JSON: _("This is not JSON."),
    ReceiptRefusal.NOT_AN_OBJECT: _("This is JSON, but not an object with fields."),
    ReceiptRefusal.REPEATED_FIELD: _("A field appears twice."),
    SignatureRefusal.UNSIGNED: _("It is not signed: the fields “key” and “signature” are both required."),
    SignatureRefusal.OTHER_KEY: _("It was signed with a different key, not with this site's."),
    SignatureRefusal.MISMATCH: _(
        "The signature does not match: a field was changed, added or removed, or this site never signed it."
    ),
    SignatureRefusal.NOT_JSON_DATA: _("It contains something that cannot be written as JSON."),
    SignatureRefusal.NOT_BASE64: _("The signature cannot be read: it is not base64."),
    SignatureRefusal.OTHER_SPELLING: _("The signature is not written the way this site writes it."),
    AuditRefusal.EVENT_LOST: _(
        "Event %(number)d was lost when an older backup of this site was restored; the record says so."
    ),
    AuditRefusal.EVENT_CHANGED: _("Event %(number)d is no longer in this site's record as it was."),
}
