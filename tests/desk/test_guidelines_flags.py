"""A volunteer says that guidelines are unclear: its owner and reviewers see it, and no name."""

import pytest
from django.db import connection

from datasets.models import Campaign
from tagger.desk import guidelines_flags
from tagger.models import GuidelinesFlag
from tagger.privacy import withdrawal
from tests.conftest import NOW
from tests.desk.test_notes import file_of
from tests.support.mutants import mutant

pytestmark = pytest.mark.django_db
NOTE = "what if she is interrupted?"
FLAG = "/tag/juniper/guidelines-unclear/"


@pytest.fixture
def owned(juniper, carl):
    Campaign.objects.update(owner=carl, guidelines="Yes: exactly this is said.")
    juniper.refresh_from_db()
    return juniper


@mutant(
    "the owner of a campaign is told that its guidelines are unclear",
    "tagger/desk/guidelines_flags.py",
    kept_by="    unseen = Q(campaign__owner=person, seen_by_owner_at=None)\n",
    broken="    unseen = Q(pk=None)\n",
)
def test_owner_and_reviewers_see_how_many_and_the_notes_until_they_have_seen_them(
    client, volunteers, carl, rita, owned
):
    for person, note in ((volunteers[0], NOTE), (volunteers[0], NOTE), (volunteers[2], "")):
        client.force_login(person)
        page = client.post(FLAG, {"note": note}, follow=True).content.decode()
        assert "Thank you. Whoever runs this campaign will see it." in page
    for person, address in ((carl, "/tag/"), (rita, "/review/")):
        client.force_login(person)
        page = client.get(address).content.decode()
        assert "2 volunteers find the guidelines unclear" in page and NOTE in page
        client.post("/review/guidelines/juniper/seen/")
        assert "guidelines unclear" not in client.get(address).content.decode()
    client.force_login(volunteers[3])
    assert client.post("/review/guidelines/juniper/seen/").status_code == 404


def test_once_the_guidelines_are_changed_the_flag_is_over_and_can_be_raised_again(bea, rita, owned):
    guidelines_flags.raise_flag(bea, owned, "", NOW)
    Campaign.objects.update(guidelines="Yes: this, and nothing after it.")
    assert guidelines_flags.unseen_by(rita) == []
    owned.refresh_from_db()
    guidelines_flags.raise_flag(bea, owned, "", NOW)
    assert [each.people for each in guidelines_flags.unseen_by(rita)] == [1]


def test_a_flags_note_is_screened_too(client, bea, owned):
    client.force_login(bea)
    page = client.post(FLAG, {"note": "write to a@b.example"}, follow=True).content.decode()
    assert "has an e-mail address" in page
    assert not GuidelinesFlag.objects.exists()


@mutant(
    "a flag on guidelines is erased with its person",
    "tagger/privacy/withdrawal.py",
    kept_by='            "guidelines_flags": person.guidelines_flags.all().delete()[0],\n',
    broken="",
)
@mutant(
    "a note on guidelines survives when its author deletes a clip",
    "tagger/privacy/withdrawal.py",
    kept_by="        guidelines_flags.reseal(person, old, new)\n",
    broken="",
)
def test_a_note_is_sealed_under_its_authors_key_and_goes_with_them(alice, rita, owned, now):
    guidelines_flags.raise_flag(alice, owned, NOTE, NOW)
    with connection.cursor() as cursor:
        cursor.execute("SELECT f::text FROM tagger_guidelinesflag f")
        assert "interrupted" not in cursor.fetchone()[0]
    scrub(withdrawal.forget_clips(alice, [], NOW))
    assert [each.notes for each in guidelines_flags.unseen_by(rita)] == [[NOTE]]
    assert NOTE in file_of(type(alice).objects.get(pk=alice.pk), "guidelines-flags.jsonl")
    scrub(withdrawal.forget_account(type(alice).objects.get(pk=alice.pk), True, NOW))
    assert not GuidelinesFlag.objects.exists()


def scrub(requested):
    row = withdrawal.Withdrawal.objects.get(pk=requested.withdrawal)
    withdrawal.scrub(row, lambda: NOW)
