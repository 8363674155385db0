"""The datasheet: seven sections, an answer to each question, from the same facts as the card."""

import re
from dataclasses import replace

import pytest
from markdown_it import MarkdownIt

from datasets.releases.formats.about import Origin
from datasets.releases.formats.datasheet import datasheet
from tests.support.described import CLEARING, FULL, PLAIN, RELEASES, Form, summary
from tests.support.mutants import mutant

SECTIONS = [
    "Motivation",
    "Composition",
    "Collection",
    "Preprocessing, cleaning and labelling",
    "Uses",
    "Distribution",
    "Maintenance",
]


def sheet(about=PLAIN, counts=None):
    return datasheet(about, counts or summary(("en", "es-MX"), 4), Form)


@pytest.mark.parametrize("about", RELEASES.values(), ids=RELEASES)
@pytest.mark.parametrize("clips", [0, 1, 4])
def test_it_has_the_seven_sections_and_answers_every_question(about, clips):
    text = sheet(about, summary(clips=clips))
    assert re.findall(r"^## (.*)$", text, re.M) == SECTIONS
    answers = re.split(r"^#{2,3} .*\n", text, flags=re.M)
    questions = re.findall(r"^(#{2,3}) ", text, re.M)
    unanswered = [
        answer
        for mark, answer in zip(questions, answers[1:], strict=True)
        if mark == "###" and not answer.strip()
    ]
    assert unanswered == [] and questions.count("###") > 40


def test_it_names_the_paper_whose_questions_it_answers():
    assert "Gebru" in sheet() and "10.1145/3458723" in sheet()


def test_the_questions_are_asked_once():
    asked = re.findall(r"^### (.*)$", sheet(FULL), re.M)
    assert len(set(asked)) == len(asked)


def test_it_answers_from_the_facts():
    text = sheet(
        replace(FULL, clearing=CLEARING, is_disguised=True), summary(clips=4, left_out={"too long": 2})
    )
    for fact in (
        "4 clips of 2 speakers, 0:00:08 in all",
        "Left out: 2 clips (too long).",
        "12 volunteers gave 1,340 answers",
        "clips that were checked: 9",
        "17 of 30 voices were found again",
        "Licences that occur: CC-BY-4.0, CC0-1.0.",
        "The release was made in 2025-Q3.",
        "Those who run https://tags.example (Tags \\& Friends)",
        "Shares reached: train 70.0%, dev 10.0%, test 20.0%.",
        "- New: 5 clips",
    ):
        assert fact in text


def test_only_people_who_gave_clips_here_are_said_to_have_ticked_a_box():
    imported = sheet(replace(PLAIN, origins=(Origin("import", "MIT", 4, 8.0, 2, "Old"),)))
    assert "tick a box" not in imported and "stated the consent of its speakers" in imported
    here = sheet(replace(PLAIN, origins=(Origin("browser", "CC0-1.0", 4, 8.0, 2),)))
    assert "tick a box" in here and "Imported" not in here


@mutant(
    "the datasheet of every archive says how people take their clips back",
    "datasets/releases/formats/datasheet.py",
    kept_by='        ("Can they take it back?", privacy.withdrawal(about)),\n',
    broken="",
)
@pytest.mark.parametrize("about", RELEASES.values(), ids=RELEASES)
def test_it_says_how_people_take_their_clips_back(about):
    answer = sheet(about).split("### Can they take it back?")[1].split("###")[0]
    assert f"https://tags.example/api/v1/recalls/{about.name}.json" in answer and "clean_copy.py" in answer


@pytest.mark.parametrize("about", RELEASES.values(), ids=RELEASES)
def test_it_never_calls_voices_anonymous(about):
    assert "anonym" not in sheet(about).lower()


def test_what_people_typed_is_no_markup():
    rendered = MarkdownIt("commonmark").render(sheet(FULL))
    assert "<b>" not in rendered and "&lt;b&gt;release&lt;/b&gt;" in rendered
