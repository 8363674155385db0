"""Words as people type them, in the spelling of their language: what sounds the same is one answer."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from datasets import normalise, spelling
from tests.support.mutants import mutant

# (language, what people type for it, in this normal form)
SAME = [
    ("tr", "ışık", "IŞIK", "Işık", "ışık."),
    ("tr", "istanbul'da", "İstanbul'da", "İSTANBUL’DA", "I\u0307stanbul'da"),
    ("tr-TR", "kızılırmak çığ", "KIZILIRMAK ÇIĞ", "Kızılırmak, çığ!"),
    ("az", "qızıl işıq", "QIZIL İŞIQ", "Qızıl işıq."),
    ("crh", "qırım", "QIRIM"),
    ("kk", "qazaqstan tili", "QAZAQSTAN TİLİ"),
    ("kk", "қазақстан", "ҚАЗАҚСТАН"),
    ("en", "istanbul", "İstanbul", "ISTANBUL"),
    ("lt", "jį", "JĮ", "ji\u0328"),
    ("lt", "lìs", "LÌS", "li\u0307\u0300s"),
    ("ca", "col·legi", "Col·legi", "COL·LEGI", "coŀlegi", "COĿLEGI", "col.legi", "COL.LEGI", "col•legi"),
    ("ca", "intel·ligència paral·lela", "intel‧ligència paral∙lela", "Intel⋅ligència, paral.lela"),
    ("ca", "animal la casa", "animal.La casa", "Animal. La casa", "animal · la casa"),
    ("oc", "des·har in·hèr", "Des·har, in•hèr"),
    ("ar", "السلام عليكم", "السَّلَامُ عَلَيْكُمْ", "الســـلام عليكم", "ﺍﻟﺴﻼﻡ ﻋﻠﻴﻜﻢ"),
    ("ar", "شكرا جزيلا", "شكراً جزيلاً", "شُكْرًا جَزِيلًا"),
    ("ar-EG", "هذا", "هٰذا", "هَذَا"),
    ("ar", "أمي آمنت", "أُمّي آمَنَت", unicodedata.normalize("NFD", "أمي آمنت")),
    ("fa", "می‌خواهم کتابی", "مي‌خواهم كتابي", "می‌خواهم کتابـی"),
    ("ur", "یہ کیا ہے", "يہ كيا ہے", "یہ کیا ہے۔"),
    ("ug", "ياخشى", "ياخشـى"),
    ("he", "שלום עולם", "שָׁלוֹם עוֹלָם", "שלום, עולם!"),
    ("he", "צה״ל ארה״ב", 'צה"ל ארה"ב', "צה''ל ארה”ב", "צה״ל, ארה״ב."),
    ("he", "ג׳ירפה צ׳יפס", "ג'ירפה צ'יפס", "ג’ירפה צ´יפס"),
    ("he", "וכו׳", "וכו'", "וכו׳."),
    ("he", "הארץ אמר", '"הארץ" אמר', "'הארץ' אמר"),
    ("he", "ה ארץ אמר", 'ה"ארץ" אמר'),
    ("he", "בית ספר", "בית־ספר"),
    ("yi", "אַז אָט", "אַז, אָט"),
    ("yi", "ייִדיש וואס", "ײִדיש װאס"),
    ("af", "'n man", "’n man", "ŉ man", "‘n man", "'N MAN", "`n man"),
    ("af", "dis 'n hond", "Dis ʼn hond.", "dis 'n 'hond'"),
    ("nl", "'s avonds 't huis", "’s avonds, ‘t huis", "'S Avonds 'T Huis"),
    ("nl", "foto's ijs", "foto’s ĳs", "FOTO'S ĲS"),
    ("cy", "mae 'r dyn", "Mae ’r dyn"),
    ("ha", "'yan sanda", "’Yan sanda", "'YAN SANDA"),
    ("mt", "ta' malta", "Ta’ Malta", "ta' 'Malta'"),
    ("haw", "hawaiʻi", "Hawai'i", "HAWAIʻI", "Hawai‘i", "hawai’i", "Hawai`i"),
    ("haw", "ʻōlelo ʻaʻā", "'Ōlelo ‘a‘ā", "ʻŌLELO ʻAʻĀ", "ʻo\u0304lelo ʻaʻa\u0304"),
    ("sm", "faʻafetai", "fa'afetai", "Fa‘afetai!"),
    ("to", "fakaʻapaʻapa", "faka'apa'apa"),
    ("uz", "oʻzbek gʻoz", "o'zbek g'oz", "O‘ZBEK G‘OZ", "oʻzbek, gʼoz"),
    ("uk", "п'ять сім'я", "п’ять сімʼя", "П`ЯТЬ СІМ'Я", 'п"ять сім"я'),
    ("uk", "він сказав так", 'він сказав "так"'),
    ("be", "аб'ява", "аб’ява", "АБʼЯВА"),
    ("fr", "l'eau aujourd'hui", "L’eau aujourd’hui", "l´eau aujourdʼhui", "L‘EAU AUJOURD`HUI"),
    ("fr", "fine été", "ﬁne été", "fine e\u0301te\u0301", "FINE ÉTÉ"),
    ("it", "l'amica c'è", "L’amica c’è", "l'amica c'e\u0300"),
    ("el", "οδός", "ΟΔΌΣ", "οδόσ", "Οδός."),
    ("el", "σας σου", "ΣΑΣ-ΣΟΥ", "σασ σου", "Σας, σου"),
    ("el", "άσκησης", "ΆΣΚΗΣΗΣ", "άσκησησ", "\u1f71σκησης"),
    ("de", "straße", "Straße", "STRAẞE"),
    ("de", "strasse", "STRASSE"),
    ("de", "äöü", "ÄÖÜ", "a\u0308o\u0308u\u0308"),
    ("en", "hello world 5", "Ｈｅｌｌｏ　Ｗｏｒｌｄ ５", "ℍ𝕖𝕝𝕝𝕠 world 5"),
    ("en", "office ffi", "oﬃce ﬃ", "OFFICE FFI"),
    (
        "en",
        "cafe",
        "ca\u00adfe",
        "c\u2060afe",
        "ca\ufe0ffe",
        "ca\u034ffe",
        "caf\u3164e",
    ),
    ("ja", "ガラス", "ｶﾞﾗｽ", "カ\u3099ラス"),
    ("ja", "葛城", "葛\U000e0100城"),
    ("ko", "한국어", unicodedata.normalize("NFD", "한국어"), "한국어."),
    ("hi", "क्षमा हिन्दी", "क्\u200dषमा हिन्\u200cदी"),
    ("hi", "ज़रा", "ज\u093cरा", "\u095bरा"),
    ("bn", "হঠাৎ", "হঠাত\u09cd\u200d"),
    ("ml", "അവൻ", "അവന\u0d4d\u200d"),
    ("th", "น้ำ", unicodedata.normalize("NFKC", "น้ำ"), "น้ำ"),
    ("hy", "ինչ է", "Ի՞նչ է", "ինչ՜ է"),
    ("hy", "բարև", "Բարև", "բարեւ"),
    ("ro", "și țară", "şi ţară", "ŞI ŢARĂ", "ȘI ȚARĂ"),
    ("vi", "tiếng việt", "TIẾNG VIỆT", "tie\u0302\u0301ng vie\u0323\u0302t"),
    ("cs", "příliš žluťoučký", "PŘÍLIŠ ŽLUŤOUČKÝ"),
    ("pl", "żółć", "ŻÓŁĆ", "z\u0307o\u0301łc\u0301"),
    ("es", "qué día", "¿QUÉ DÍA?", "que\u0301 di\u0301a"),
    ("pt-BR", "coração", "CORAÇÃO"),
    ("ga", "an tsráid", "An tSráid"),
    ("yo", "ọ̀rọ̀", "Ọ̀RỌ̀", "o\u0323\u0300ro\u0323\u0300"),
    ("ka", "ქართული", "ᲥᲐᲠᲗᲣᲚᲘ"),
    ("am", "ሰላም ለዓለም", "ሰላም፡ለዓለም።"),
]
EVERY_LANGUAGE = sorted({*spelling._BY_LANGUAGE, "", "en", "de", "fr", "th", "ko", "lt", "pt-BR"})


@mutant(
    "a Turkish capital I is the dotless letter",
    "datasets/spelling.py",
    kept_by='str.maketrans({"I": "ı", "İ": "i"})',
    broken="{}",
)
@mutant(
    "a Catalan double l stays one word",
    "datasets/spelling.py",
    kept_by='_replace(rf"(?<=[lL])[{_DOTS}](?=[lL])", _MIDDLE_DOT),',
    broken="",
)
@mutant(
    "vowel signs make no other Arabic word",
    "datasets/spelling.py",
    kept_by='_replace(f"[{_TATWEEL}{_HARAKAT}]", "")',
    broken='_replace(_TATWEEL, "")',
)
@mutant(
    "a Hebrew abbreviation stays one word",
    "datasets/spelling.py",
    kept_by='", _GERSHAYIM\n',
    broken='", " "\n',
)
@mutant(
    "an Afrikaans article keeps its apostrophe",
    "datasets/spelling.py",
    kept_by="            return _APOSTROPHE + word\n",
    broken="            return word\n",
)
@mutant(
    "the Hawaiian okina is a letter",
    "datasets/spelling.py",
    kept_by='(?=[^\\W\\d_{_OKINA}])", _OKINA),',
    broken="(?=[^\\W\\d_{_OKINA}])\", ' '),",
)
@mutant(
    "no invisible character makes another word",
    "datasets/normalise.py",
    kept_by='unicodedata.normalize("NFC", text).translate(_WITHOUT)',
    broken='unicodedata.normalize("NFC", text)',
)
@pytest.mark.parametrize(
    ("language", "normal", "typed"), [(one, form, t) for one, form, *ts in SAME for t in ts]
)
def test_what_is_the_same_in_a_language_is_one_answer(language, normal, typed):
    assert normalise.text(typed, language) == normal


@pytest.mark.parametrize(("language", "normal"), [(language, normal) for language, normal, *_ in SAME])
def test_a_normal_form_is_its_own(language, normal):
    assert normalise.text(normal, language) == normal


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        ("tr", "kırmak", "kirmak"),  # to break, to fold
        ("ar", "كتب", "كتاب"),
        ("he", "שלום", "שלם"),
        ("ca", "cel·la", "cela"),
        ("haw", "pau", "paʻu"),
        ("af", "n", "'n"),
        ("mr", "दर्\u200dया", "दर्या"),  # valleys, ocean
        ("fa", "می‌خواهم", "میخواهم"),
        ("de", "maße", "masse"),
        ("es", "papá", "papa"),
        ("yi", "אַ", "אָ"),
        ("vi", "ma", "mà"),
    ],
)
def test_what_differs_in_a_language_stays_different(language, one, other):
    assert normalise.text(one, language) != normalise.text(other, language)


def test_a_language_changes_nothing_for_others():
    for _language, normal, *typed in SAME:
        for text in (normal, *typed):
            assert normalise.words(text, "en-GB") == normalise.words(text, "de")


LETTERS = "".join({letter for _, normal, *typed in SAME for text in (normal, *typed) for letter in text})
crowded = st.lists(
    st.one_of(
        st.characters(),
        st.sampled_from(LETTERS),
        st.sampled_from(
            "'\"’ʻ`´.·•-_ lLnNσςΣiIİı\u0307\u0301\u200c\u200d\u0640\u05f3\u05f4\ue000\ue001\ue002\ue003"
        ),
        st.sampled_from(["[unclear]", "l·l", "l.l", "'n ", " 'n", 'צ"', "\u0d28\u0d4d\u200d", "եւ"]),
    ),
    max_size=12,
).map("".join)


@given(crowded, st.sampled_from(EVERY_LANGUAGE))
@example("μεσ_α", "el")
@example("Σ'", "el")
def test_normalising_twice_changes_nothing_in_any_language(text, language):
    found = normalise.words(text, language)
    assert normalise.words(normalise.join(found), language) == found


@given(crowded, st.sampled_from([each for each in EVERY_LANGUAGE if each]))
@example("\u1ffd", "el")
def test_composition_never_matters_in_any_language(text, language):
    found = normalise.words(text, language)
    for form in ("NFC", "NFD"):
        assert normalise.words(unicodedata.normalize(form, text), language) == found


@given(crowded, st.sampled_from(EVERY_LANGUAGE))
def test_a_word_has_nothing_but_letters_marks_digits_and_what_a_language_adds(text, language):
    added = "'\u200c\u200d" + "".join(spelling.STAND_INS.values())
    for word in normalise.words(text, language):
        if word != normalise.UNCLEAR:
            assert all(unicodedata.category(c)[0] in "LNM" or c in added for c in word)
