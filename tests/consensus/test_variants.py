"""The spelling variants of each language: written as votes are counted, and in the right language."""

import pytest

from datasets import normalise
from tagger.consensus import variants

FILES = sorted(path.stem for path in variants.LANGUAGES.glob("*.json"))


@pytest.mark.parametrize("language", FILES)
def test_every_word_is_in_the_form_that_votes_are_counted_in(language):
    data = variants._data(language)
    words = {*data["spoken"]}.union(*data["spoken"].values())
    assert [word for word in sorted(words) if normalise.text(word, language) != word] == []


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        ("en", "21", "twenty one"),
        ("de", "21", "einundzwanzig"),
        ("de", "1984", "neunzehnhundertvierundachtzig"),
        ("de", "daß", "dass"),
        ("de", "strasse", "straße"),
        ("de", "geht's", "geht es"),
        ("fr", "92", "quatre vingt douze"),
        ("fr", "92", "nonante deux"),
        ("fr", "plait", "plaît"),
    ],
)
def test_two_spellings_of_one_word_are_the_same(language, one, other):
    assert variants.of_language(language).same(one, other)
    assert variants.of_language(language).same(other, one)


@pytest.mark.parametrize(("language", "one", "other"), [("de", "masse", "maße"), ("fr", "sur", "sûr")])
def test_different_words_are_not_the_same(language, one, other):
    assert not variants.of_language(language).same(one, other)
