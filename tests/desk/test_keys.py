"""Which keys the desk has: by position, with letters only where no one can mistake them."""

import pytest
from django.conf import settings
from django.utils import translation

from tagger.templatetags.desk_keys import BY_POSITION, desk_keys, letters, shown_words
from tests.support.mutants import mutant


@mutant(
    "no letter means another word than the one it begins",
    "tagger/templatetags/desk_keys.py",
    kept_by="if each.isalpha() and times[each] == 1}",
    broken="if each.isalpha()}",
)
@pytest.mark.parametrize("language", [code for code, _ in settings.LANGUAGES])
def test_a_letter_is_the_first_of_one_shown_word_alone(language):
    with translation.override(language):
        words = shown_words()
        for name, letter in letters(words).items():
            assert [each for each in words if words[each].lower().startswith(letter)] == [name]
        assert [desk_keys(name).split()[0] for name in BY_POSITION] == list("1234567")


def test_in_english_no_letter_stands_for_two_words():
    assert letters(shown_words()) == {"yes": "y", "report": "r", "undo": "u"}
