"""Every refusal of an answer has its sentence."""

import pytest

from datasets.normalise import TranscriptFault
from tagger.desk import wording
from tagger.lending.refusals import AnswerRefusal, AnswerRefused


def test_every_code_has_words():
    assert set(wording.WORDS) == {*AnswerRefusal, *TranscriptFault}


@pytest.mark.parametrize(
    ("refused", "sentence"),
    [
        (
            AnswerRefused(AnswerRefusal.NOT_A_PART, seconds=1.5),
            "part is [from, to] in seconds, within 1.50.",
        ),
        (
            AnswerRefused(AnswerRefusal.NOT_AMONG_LAST, number=10),
            "Only your last 10 answers can be changed.",
        ),
        (AnswerRefused(AnswerRefusal.NOT_LENT), "This clip is no longer lent to you."),
    ],
    ids=str,
)
def test_the_sentence_holds_the_parameters(refused, sentence):
    assert wording.in_words(refused) == sentence
