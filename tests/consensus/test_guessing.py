"""The language of a crowd's texts is guessed by how common their words are."""

import pytest

from datasets.normalise import words
from tagger.consensus import guessing, transcripts
from tagger.consensus.verdict import Vote


def guessed(*texts):
    return guessing.guess([tuple(words(text, "")) for text in texts])


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("the cat sat on the mat and it was his", "en"),
        ("turn on the light", "en"),
        ("ich weiß nicht ob das ist was wir wollen", "de"),
        ("je ne sais pas si les enfants sont dans le train", "fr"),
        ("el gato de la casa es una cosa que se ve en un sueño", "es"),
        ("o gato de um amigo que eu vi na rua", "pt"),
        ("de kat zit op de mat en het is een goede dag", "nl"),
        ("la casa di un amico che non è in città", "it"),
        ("я не знаю где он был и что он делал", "ru"),
        ("افتح الباب من فضلك على اليسار", "ar"),
    ],
)
def test_a_language_is_recognised_by_its_words(text, language):
    assert guessed(text) == language


@pytest.mark.parametrize(
    ("text", "language"), [("这是我的家，我们明天去北京吧", "zh"), ("今日は晴れですね", "ja")]
)
def test_a_language_without_spaces_is_recognised_by_its_characters(text, language):
    assert guessed(text) == language


@pytest.mark.parametrize("text", ["", "7 7 7", "xyzzy plugh", "zure etxean egon naiz baina ez zaitut ikusi"])
def test_what_is_in_no_listed_language_is_not_guessed(text):
    assert guessed(text) == ""


def test_a_few_foreign_words_do_not_change_the_guess():
    assert guessed(*["no sé dónde está la estación"] * 9, "the weather is nice") == "es"


def test_a_crowd_is_learned_in_the_language_of_its_texts():
    texts = ["el tren sale a las cinco", "el tren sale a las 5", "el tren sale a las cinco"]
    votes = [Vote(name, text) for name, text in zip(["ana", "luz", "eva"], texts, strict=True)]
    assert transcripts.fit([votes]).crowd.language == "es"
    assert transcripts.fit([votes], language="pt").crowd.language == "pt"
