"""Expect an answer to be refused."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from datasets.normalise import BadTranscript, TranscriptFault
from tagger.desk import wording
from tagger.lending.quotas import QuotaReached, QuotaRefusal
from tagger.lending.refusals import AnswerRefusal, AnswerRefused


@contextmanager
def refused(code: AnswerRefusal | TranscriptFault | QuotaRefusal, words: str = "") -> Iterator[None]:
    """The block must be refused with this code, and the sentence for it must contain `words`."""
    with pytest.raises((AnswerRefused, BadTranscript, QuotaReached)) as raised:
        yield
    assert raised.value.code == code
    assert words in wording.in_words(raised.value)
