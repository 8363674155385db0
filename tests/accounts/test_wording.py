"""Every refusal has a sentence, with the parameters that its code carries."""

import pytest

from accounts import audit, consent, devices, limits, receipts, signing, strict_json
from accounts.refusals import Refusal, in_words
from accounts.wording import WORDS

CODES = {
    *consent.ConsentRefusal,
    *devices.DeviceRefusal,
    *receipts.ReceiptRefusal,
    *signing.SignatureRefusal,
    *audit.AuditRefusal,
    *limits.LimitRefusal,
    *strict_json.JsonFault,
}


def test_every_code_has_words():
    assert set(WORDS) == CODES
    assert all(words % Number() for words in WORDS.values())


class Number(dict):
    """Any parameter is the number one."""

    def __missing__(self, name):
        return 1


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (
            consent.NoConsent(consent.ConsentRefusal.NO_CONSENT, purpose="may hear", material="words"),
            "no live consent: may hear, words",
        ),
        (
            receipts.Unreadable(receipts.ReceiptRefusal.TOO_LARGE, number=9),
            "This is too large for a receipt: more than 9 bytes.",
        ),
        (
            limits.LimitReached(limits.WRONG_CODES, 60),
            "Too many wrong codes. Try again in 1 minute.",
        ),
        (
            limits.LimitReached(limits.WRONG_CODES, 61),
            "Too many wrong codes. Try again in 2 minutes.",
        ),
    ],
)
def test_parameters_stand_in_the_sentence(refusal: Refusal, words):
    assert in_words(refusal, WORDS) == words


def test_the_sentence_for_a_changed_event_names_it():
    refusal = audit.ChainBroken(audit.AuditRefusal.EVENT_CHANGED, number=3)
    assert "Event 3" in in_words(refusal, WORDS)
