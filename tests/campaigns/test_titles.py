"""A campaign has a title and a purpose, written by its owner, and a question, which follows from its kind."""

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.utils import translation

from datasets import campaigns, titles
from datasets.models import Campaign

SPEECH = {"kind": "transcription", "language": "en"}
JUNIPER = {"kind": "wake-word", "language": "en", "wake_word": "hey juniper"}


@pytest.mark.parametrize(
    ("given", "title"),
    [
        (("en", "hey juniper"), "“hey juniper” in English"),
        (("en",), "Speech in English"),
        (("es-MX",), "Speech in Mexican Spanish"),
        (("tlh",), "Speech in tlh"),
        (("en", "w" * 80), f"“{'w' * 78}…"),
    ],
)
def test_a_campaign_without_a_title_is_named_for_its_wake_word_and_language(given, title):
    assert titles.default(*given) == title
    assert len(title) <= titles.LONGEST


def test_title_and_purpose_are_set_by_the_command_and_shown_on_one_line(db, capsys):
    given = {"title": "  Kitchens\nthat listen ", "purpose": "So that timers work\twith floury hands."}
    call_command("create_campaign", "kitchens", **JUNIPER, **given)
    made = Campaign.objects.get()
    assert (made.title, made.purpose) == ("Kitchens that listen", "So that timers work with floury hands.")
    call_command("create_campaign", "plain", **SPEECH)
    assert (Campaign.objects.get(slug="plain").title, "Speech in English" in capsys.readouterr().out) == (
        "Speech in English",
        True,
    )


def test_a_title_or_a_purpose_that_is_too_long_is_refused(db):
    with pytest.raises(ValidationError) as refused:
        campaigns.create(slug="long", **SPEECH, title="t" * 81, purpose="p" * 241)
    assert set(refused.value.message_dict) == {"title", "purpose"}
    assert not Campaign.objects.exists()


def test_the_question_is_in_the_readers_language_and_the_title_as_it_was_written(db):
    campaign = campaigns.create(slug="kitchens", **JUNIPER, title="Kitchens")
    with translation.override("es"):
        assert campaign.question != "Is it “hey juniper”?" and "hey juniper" in campaign.question
        assert campaign.title == "Kitchens"
    assert campaign.question == "Is it “hey juniper”?"
