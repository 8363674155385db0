import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from datasets import normalise


@pytest.mark.parametrize(
    ("typed", "normal"),
    [
        ("  Hello,\n WORLD! ", "hello world"),
        ("one,two", "one two"),
        ("twenty-one", "twenty one"),
        ("don’t don´t don`t don＇t donʼt", "don't don't don't don't don't"),
        ("'tis the dogs' 'rock'", "tis the dogs rock"),
        ("¿Qué día es, señor Núñez?", "qué día es señor núñez"),
        ("cafe\u0301", "café"),
        ("ﬁve ５ ½", "five 5 1 2"),
        ("Straße ΟΔΟΣ", "straße οδος"),
        ("A[Unclear]b [ unclear ]", "a [unclear] b unclear"),
        ("co\u00adoperate e\u2060\u0301", "cooperate é"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("हिन्दी में", "हिन्दी में"),
        ("50% & $3.20 _x_", "50 3 20 x"),
        ("🎵 la la 🎵", "la la"),
        ("", ""),
        ("!?…", ""),
    ],
)
def test_a_text_is_brought_to_its_normal_form(typed, normal):
    assert normalise.text(typed, "") == normal


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("你好 世界。", ["你", "好", "世", "界"]),
        ("ラーメン、がく", ["ラ", "ー", "メ", "ン", "が", "く"]),
        ("น้ำ", ["น้", "ำ"]),
        ("play東京", ["play", "東", "京"]),
        ("안녕 하세요", ["안녕", "하세요"]),
    ],
)
def test_a_script_without_spaces_is_counted_by_character(typed, found):
    assert normalise.words(typed, "") == found


def test_joining_puts_spaces_only_where_a_script_has_them():
    assert normalise.join(["我", "用", "hey", "mycroft", "听", "歌"]) == "我用 hey mycroft 听歌"


def test_the_thai_vowel_am_is_not_split():
    assert normalise.text("น้ำ", "") == "น้ำ"


def test_joining_no_words_gives_the_empty_text():
    assert normalise.join([]) == ""


# Letters of many scripts, separators, and combining marks.
crowded = st.lists(
    st.one_of(
        st.characters(),
        st.sampled_from("aZéßſσΣİıǰ'’´`ʼ-_.[]½²ﬁ\u0301\u0307\u00ad\u200b\u200c\u200d\u0e4d\u0e32ำน้東ガ゛한"),
        st.sampled_from(["[unclear]", "a'b", "e\u0301"]),
    )
).map("".join)


@given(crowded)
@example("0\u0e4d:\u0e32")  # joined, they would be one vowel
def test_normalising_twice_changes_nothing(text):
    once = normalise.text(text, "")
    assert normalise.text(once, "") == once


@given(crowded)
def test_joining_loses_no_word(text):
    found = normalise.words(text, "")
    assert normalise.words(normalise.join(found), "") == found


@given(crowded)
def test_a_word_contains_only_letters_marks_digits_and_joiners(text):
    for word in normalise.words(text, ""):
        if word != normalise.UNCLEAR:
            assert unicodedata.category(word[0])[0] in "LN"
            assert all(unicodedata.category(c)[0] in "LNM" or c in "'\u200c\u200d" for c in word)


@given(st.text(st.characters(max_codepoint=0x2FF)))
def test_case_and_composition_never_matter(text):
    if text.upper().lower() == text.lower():
        assert normalise.words(unicodedata.normalize("NFD", text.upper()), "") == normalise.words(text, "")
