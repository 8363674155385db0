"""People choose a pseudonym in their own script, and find it again however it is typed."""

import unicodedata

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from accounts import names, pseudonyms
from accounts.models import User
from tests.support.mutants import mutant

PASSWORD = "four quiet herons at dusk"
GOOD = [
    *("maple", "Ünver", "o.neill+2", "señor_nuñez", "Nguyễn-Thị", "Łukasz", "ß", "ŉ"),
    *("हिन्दी", "स्त्री", "সুমিত্রা", "ਗੁਰਪ੍ਰੀਤ", "ગુજરાતી", "தமிழ்", "తెలుగు", "ಕನ್ನಡ", "മലയാളം", "ଓଡ଼ିଆ", "ශ්\u200dරී"),
    *("สมชาย", "น้ำผึ้ง", "ກິ່ງ", "ខ្មែរ", "မြန်မာ", "བོདཡིག", "རྐྱང"),
    *("محمد", "مُحَمَّد", "علی\u200cرضا", "ئۇيغۇر", "שָׁלוֹם", "דוד"),
    *(
        "小明",
        "민수",
        "さくら",
        "カ\u3099ラス",
        "Ἀθηνᾶ",
        "ΠΡΟΪ\u0301ΣΤΑΜΑΙ",
        "Олександр",
        "Հայկ",
        "თამარ",
        "ሰላም",
    ),
    *("ዓለም", "ᠮᠣᠩᠭᠣᠯ", "ⵜⴰⵎⴰⵣⵉⵖⵜ", "ᏣᎳᎩ", "ߒߞߏ", "e\u0301lan", "q\u0307u\u0323"),
]
BAD = {
    "invisible": [
        "ma\u200bple",
        "maple\u200d",
        "ma\u200cple",
        "\u202emaple",
        "ma\u00adple",
        "ㅤㅤㅤ",
        "ma\ufe0fple",
        "a\ufeffb",
    ],
    "loose_mark": ["\u0301maple", "ma.\u0301ple", "-\u093eab"],
    "too_many_marks": ["a" + "\u0301\u0302\u0303\u0304\u0305\u0306\u0307\u0308" + "b"],
    "not_allowed": [
        "ma ple",
        "a/b",
        "🍁🍁🍁",
        "a:b",
        "<b>",
        "a\u20ddb",
        "a\u3000b",
    ],
}


def sign_up(client, pseudonym):
    return client.post(reverse("account_signup"), {"username": pseudonym, "password1": PASSWORD})


@mutant(
    "marks of any script may be in a pseudonym",
    "accounts/pseudonyms.py",
    kept_by='        marks = marks + 1 if kind in {"Mn", "Mc"} else 0\n',
    broken="        marks = 0\n",
)
@pytest.mark.parametrize("pseudonym", GOOD)
def test_letters_of_any_script_with_their_marks_are_a_pseudonym(pseudonym):
    assert pseudonyms.check(pseudonym) is None
    assert pseudonyms.check(unicodedata.normalize("NFD", pseudonym)) is None


@mutant(
    "a pseudonym has no character that cannot be seen",
    "accounts/pseudonyms.py",
    kept_by="        if _is_invisible(character, kind) and not _joins(text, place):\n",
    broken="        if False:\n",
)
@pytest.mark.parametrize(
    ("code", "pseudonym"), [(code, each) for code, several in BAD.items() for each in several]
)
def test_what_cannot_be_seen_or_read_is_refused(code, pseudonym):
    with pytest.raises(ValidationError) as refused:
        pseudonyms.check(pseudonym)
    assert refused.value.code == code


def test_the_page_says_what_is_wrong_and_where(client, db):
    page = sign_up(client, "ma\u200bple").content.decode()
    assert "Character 3 (U+200B) cannot be seen. Write the name without it." in page
    assert not User.objects.exists()


@pytest.mark.parametrize("pseudonym", ["स्त्री", "مُحَمَّد", "น้ำผึ้ง", "小明", "ΠΡΟΪ\u0301ΣΤΑΜΑΙ", "ශ්\u200dරී"])
def test_they_sign_up_and_log_in_however_they_type_it(client, db, pseudonym):
    assert sign_up(client, pseudonym).status_code == 302
    assert User.objects.get().pseudonym == pseudonym
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        for typed in (pseudonym, pseudonym.lower(), pseudonym.upper(), pseudonym.replace("\u200d", "")):
            assert User.objects.get_by_natural_key(unicodedata.normalize(form, typed)).pseudonym == pseudonym


@mutant(
    "no one takes a pseudonym that looks the same",
    "accounts/names.py",
    kept_by='        seen = unicodedata.normalize("NFKC", seen).casefold()\n',
    broken="        seen = seen.casefold()\n",
)
def test_the_same_name_in_another_form_is_taken(client, db):
    User.objects.create_user("Zoe\u0301")
    page = sign_up(client, "zoé")
    assert page.status_code == 200 and User.objects.count() == 1
    User.objects.create_user("ශ්\u200dරී")
    assert sign_up(client, "ශ්රී").status_code == 200


@given(st.text(st.characters(categories=["L", "N"]), min_size=1))
def test_people_who_signed_up_before_are_found_as_before(pseudonym):
    """Older versions hashed this; they allowed letters and digits without marks."""
    assert names.looked_up(pseudonym) == unicodedata.normalize("NFKC", pseudonym).casefold()


@given(st.text(st.characters(categories=["L", "M", "N", "Cf"]), min_size=1, max_size=8))
def test_what_is_allowed_is_one_name_in_every_form(pseudonym):
    try:
        pseudonyms.check(pseudonym)
    except ValidationError:
        return
    for form in ("NFC", "NFD"):
        other = unicodedata.normalize(form, pseudonym)
        assert pseudonyms.check(other) is None
        assert names.looked_up(other) == names.looked_up(pseudonym)
