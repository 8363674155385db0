"""Arabic: its six plural forms, its dates, and words of another direction within its sentences."""

import re
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
from django.template import engines
from django.urls import get_resolver
from django.utils import formats, translation
from django.utils.html import strip_tags
from django.utils.translation import ngettext

from accounts.isolated import comma, isolated, listed
from datasets.models import Campaign
from tagger.desk import wording
from tagger.lending.quotas import QuotaReached, QuotaRefusal
from tests.support import every_page
from tests.support.mutants import mutant
from tests.whole_site.test_languages import PLACEHOLDER, entries, forms

COUNTS = (0, 1, 2, 3, 11, 100)
LATIN = re.compile(r"[A-Za-z]{2,}")
ARABIC = re.compile(r"[\u0621-\u064a]")
# Its name, the languages in their own words, and what the time is given in.
THE_SITE_ITSELF = {"Tagger", "UTC", *LATIN.findall("English Deutsch Español Français")}
ISOLATES = re.compile("[\u2066-\u2068]")


@pytest.fixture(autouse=True)
def arabic():
    with translation.override("ar"):
        yield


# --- plural forms -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "many", "name", "said"),
    [
        (
            "%(count)d day",
            "%(count)d days",
            "count",
            ["دون أيام (0)", "يوم واحد (1)", "يومان (2)", "3 أيام", "11 يومًا", "100 يوم"],
        ),
        (
            "%(minutes)d minute",
            "%(minutes)d minutes",
            "minutes",
            ["أقل من دقيقة (0)", "دقيقة واحدة (1)", "دقيقتين (2)", "3 دقائق", "11 دقيقة", "100 دقيقة"],
        ),
        (
            "Shared: %(count)d clip.",
            "Shared: %(count)d clips.",
            "count",
            [
                "لم تتم مشاركة أي مقطع (0).",
                "تمت مشاركة مقطع واحد (1).",
                "تمت مشاركة مقطعين (2).",
                "تمت مشاركة 3 مقاطع.",
                "تمت مشاركة 11 مقطعًا.",
                "تمت مشاركة 100 مقطع.",
            ],
        ),
        (
            "Ended: %(count)d session.",
            "Ended: %(count)d sessions.",
            "count",
            [
                "لم تُنهَ أي جلسة (0).",
                "أُنهيت جلسة واحدة (1).",
                "أُنهيت جلستان (2).",
                "أُنهيت 3 جلسات.",
                "أُنهيت 11 جلسة.",
                "أُنهيت 100 جلسة.",
            ],
        ),
    ],
)
def test_every_count_has_its_form(one, many, name, said):
    assert [ngettext(one, many, count) % {name: count} for count in COUNTS] == said


def test_a_template_counts_in_the_same_forms():
    template = engines["django"].from_string(
        "{% load i18n %}{% blocktrans trimmed count votes=votes %}"
        '<strong class="number">{{ votes }}</strong> answer{% plural %}'
        '<strong class="number">{{ votes }}</strong> answers{% endblocktrans %}'
    )
    said = ["لا إجابات (0)", "إجابة واحدة (1)", "إجابتان (2)", "3 إجابات", "11 إجابة", "100 إجابة"]
    assert [strip_tags(template.render({"votes": count})) for count in COUNTS] == said


@pytest.mark.parametrize(("count", "like"), [(10, 3), (99, 11), (101, 100), (102, 100), (103, 3), (111, 11)])
def test_larger_counts_repeat_the_forms(count, like):
    one, many = "Ended: %(count)d session.", "Ended: %(count)d sessions."
    assert ngettext(one, many, count) == ngettext(one, many, like)


def test_six_forms_are_given_wherever_something_is_counted():
    counted = [entry for entry in entries("ar") if "msgid_plural" in entry]
    assert len(counted) > 20
    assert [entry["msgid"] for entry in counted if len(forms(entry)) != 6 or not all(forms(entry))] == []
    # 0, 1 and 2 are said in words, three to ten with the plural, eleven and more with the singular.
    alike = [entry["msgid"] for entry in counted if len({entry[f"msgstr[{n}]"] for n in (1, 2, 3)}) < 3]
    assert alike == []


def test_the_wait_for_more_clips_is_a_sentence():
    reached = QuotaReached(QuotaRefusal.LENT, seconds=120)
    assert wording.in_words(reached).endswith("يأتي المزيد بعد دقيقتين (2).")


# --- what is written ----------------------------------------------------------------------------


def test_no_text_differs_in_placeholders_or_spaces_or_leaves_a_direction_open():
    wrong = []
    for entry in entries("ar"):
        originals = {fixed(entry["msgid"]), fixed(entry.get("msgid_plural", entry["msgid"]))}
        for text in forms(entry) if entry["msgid"] else []:
            opened, closed = len(ISOLATES.findall(text)), text.count("\u2069")
            wrong += [text] if fixed(text) not in originals or opened != closed else []
    assert wrong == []


def fixed(text):
    return tuple(sorted(PLACEHOLDER.findall(text))), text[:1].isspace(), text[-1:].isspace()


def test_marks_are_arabic():
    """Commas, semicolons and question marks, except where a program reads them."""
    texts = [text for entry in entries("ar") if entry["msgid"] for text in forms(entry)]
    assert [text for text in texts if re.search(r"[,;?]", re.sub(r"<[^>]*>|&\w+;", "", text))] == []
    assert [text for text in texts if re.search('[“”"]', re.sub(r"<[^>]*>", "", text))] == []


# --- dates --------------------------------------------------------------------------------------


def test_dates_are_arabic():
    moment = datetime(2026, 5, 4, 13, 7, tzinfo=UTC)
    assert formats.date_format(moment) == "4 مايو، 2026"
    assert formats.date_format(moment, "DATETIME_FORMAT") == "4 مايو، 2026، 13:07"
    ours = {"j F Y": "4 مايو، 2026", "j F Y, H:i": "4 مايو، 2026، 13:07", "F Y": "مايو 2026"}
    for asked, written in ours.items():
        assert formats.date_format(moment, translation.gettext(asked)) == written
    assert formats.number_format(0.5, 2) == "0,50"


# --- two directions -----------------------------------------------------------------------------


class Bare(HTMLParser):
    """The texts of a page that are in no element with its own direction, given by `dir`, browser or site."""

    ISOLATING = {"bdi", "code", "kbd", "pre", "textarea", "option", "title", "script", "style", "template"}
    VOID = {"area", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}

    def __init__(self, page):
        super().__init__()
        self.open, self.texts = [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        if tag not in self.VOID:
            held = dict(attrs)
            isolates = tag in self.ISOLATING or ("dir" in held and tag != "html")
            unseen = "visually-hidden" in (held.get("class") or "")
            self.open.append((tag, isolates or unseen))

    def handle_endtag(self, tag):
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, text):
        if text.strip() and not any(isolates for _tag, isolates in self.open):
            self.texts.append(" ".join(text.split()))


def latin_of_the_texts():
    """Latin words that a translator put into an Arabic sentence: formats, headers, programs."""
    texts = [text for entry in entries("ar") for text in forms(entry)]
    found = {word for text in texts for word in LATIN.findall(re.sub(r"%\(\w+\)|<[^>]*>", "", text))}
    return found - {"hey", "juniper", "en"}  # as they are in data, too


@mutant(
    "a wake word in an Arabic sentence keeps its own direction",
    "datasets/models.py",
    kept_by="""return format_html('<bdi lang="{}">{}</bdi>', self.language, self.wake_word)""",
    broken="""return format_html("{1}", self.language, self.wake_word)""",
)
def test_no_word_of_another_direction_stands_bare_in_an_arabic_page(db):
    """On every page, for everyone: wake words, pseudonyms, slugs, codes, files, hashes, months in English."""
    things = every_page.one_of_each()
    routes = (every_page.filled(route, things) for route in every_page.routes(get_resolver()))
    # The style guide is in English alone.
    others = ("/admin/", "/api/", "/offline/en/", "/styleguide/", "/v1/")
    ours = {route for route in routes if not route.startswith(others)}
    known = latin_of_the_texts() | THE_SITE_ITSELF
    bare, seen = {}, 0
    for client in every_page.everybody().values():
        for address in sorted(ours | set(map(every_page.other_kind, ours))):
            answered = client.get(address, headers={"accept-language": "ar"})
            if not answered.headers.get("Content-Type", "").startswith("text/html") or not answered.content:
                continue
            page, seen = answered.content.decode(), seen + 1
            assert '<html lang="ar" dir="rtl">' in page, address
            for text in Bare(page).texts:
                if words := set(LATIN.findall(text)) - known:
                    bare.setdefault(" ".join(sorted(words)), (address, text))
    assert seen > 50
    assert bare == {}


def test_what_isolates_escapes_and_uses_the_languages_own_comma():
    assert isolated("<b>") == "<bdi>&lt;b&gt;</bdi>"
    assert listed(["a", "<b>"]) == "<bdi>a</bdi>، <bdi>&lt;b&gt;</bdi>"
    assert (listed(["a", "b"], ";"), comma()) == ("<bdi>a</bdi>؛ <bdi>b</bdi>", "، ")
    with translation.override("es"):
        assert listed(["a", "b"]) == "<bdi>a</bdi>, <bdi>b</bdi>"


def test_a_wake_word_is_escaped_and_marked_with_its_language():
    campaign = Campaign(kind="wake-word", language="en", wake_word="hey <i>")
    assert campaign.question_html == 'هل هي «<bdi lang="en">hey &lt;i&gt;</bdi>»؟'
    assert campaign.question == "هل هي «hey <i>»؟"


def test_outside_of_pages_marks_isolate():
    """In mails and messages, which have no elements, a slug stands between U+2068 and U+2069."""
    assert translation.gettext("More reports than usual in %(slug)s") % {"slug": "hey-1"} == (
        "بلاغات أكثر من المعتاد في \u2068hey-1\u2069"
    )
