"""Every refusal has a sentence, with the parameters that its code carries."""

import pytest

from accounts import audit, consent, devices, receipts, signing
from accounts.refusals import Refusal, in_words
from accounts.wording import WORDS

CODES = {
    *consent.ConsentRefusal,
    *devices.DeviceRefusal,
    *receipts.ReceiptRefusal,
    *signing.SignatureRefusal,
    *audit.AuditRefusal,
}


def test_every_code_has_words():
    assert set(WORDS) == CODES
    assert all(str(words) for words in WORDS.values())


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
    ],
)
def test_parameters_stand_in_the_sentence(refusal: Refusal, words):
    assert in_words(refusal, WORDS) == words


def test_the_sentence_for_a_changed_event_names_it():
    refusal = audit.ChainBroken(audit.AuditRefusal.EVENT_CHANGED, number=3)
    assert "Event 3" in in_words(refusal, WORDS)
