"""The certificate of hours: true, signed with its name, checkable by anyone, and nothing of it is kept."""

import html
import json
import logging
import re

import pytest
from django.db import connection

from accounts import receipts, signing
from tagger.progress import hours_certificate
from tests.conftest import NOW
from tests.progress.conftest import DAY, drawn
from tests.support.mutants import mutant

pytestmark = pytest.mark.django_db

ADDRESS = "/my-answers/certificate/"
NAME = "Zoë O'Canary-Muñoz"


@pytest.fixture
def worked(bea, carl, juniper, sentences, give):
    """Bea answered 40 clips of three minutes on three days, and Carl many more."""
    for ago, campaign in ((0, juniper), (0, sentences), (1, juniper), (60, juniper)):
        some = give(bea, 10, NOW - ago * DAY, campaign=campaign)
        for task in some:
            task.clip.seconds = 180.0
            task.clip.save()
    give(carl, 5)


def printed(page):
    """The signed text of the page."""
    return json.loads(html.unescape(re.search(r"<pre[^>]*>(.*?)</pre>", page, re.S)[1]))


def test_it_says_hours_days_kinds_and_months(worked, bea):
    found = hours_certificate.document(bea, "", NOW)
    said = {name: found[name] for name in ("holder", "minutes_listened", "days_active", "from", "to")}
    assert said == {
        "holder": "bea",
        "minutes_listened": 120,
        "days_active": 3,
        "from": "2026-03",
        "to": "2026-05",
    }
    assert found["kinds_of_work"] == ["transcription", "wake-word"] and found["issued_on"] == "2026-05-04"
    signing.verify(found)


@mutant(
    "the name on a certificate is covered by its signature",
    "tagger/progress/hours_certificate.py",
    kept_by='"holder": name or person.pseudonym,',
    broken='"holder": person.pseudonym,',
)
def test_the_typed_name_is_signed_and_anyone_can_check_it(worked, here, client):
    page = here.post(ADDRESS, {"name": NAME}).content.decode()
    assert f"<bdi>{html.escape(NAME)}</bdi>" in page and "2.0</strong> hours" in page
    document = printed(page)
    assert document["holder"] == NAME and "did not check" in document["holder_is"]
    client.logout()
    checked = client.post("/receipts/", {"receipt": json.dumps(document)}).content.decode()
    assert "This site signed it" in checked and html.escape(NAME) in checked
    for change in ({"holder": "Someone Else"}, {"minutes_listened": 999}, {"holder_is": "checked"}):
        checked = client.post("/receipts/", {"receipt": json.dumps(document | change)}).content.decode()
        assert "could not be verified" in checked


def test_the_file_has_the_same_text(worked, here):
    page = here.post(ADDRESS, {"name": NAME})
    file = here.post(ADDRESS, {"name": NAME, "as": "file"})
    assert "attachment" in file["Content-Disposition"]
    assert receipts.read(file.content) == printed(page.content.decode())
    assert page["Cache-Control"] == file["Cache-Control"] == "no-store"


def rows_with(text):
    """How many rows of any table hold this text."""
    with connection.cursor() as cursor:
        found = 0
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT count(*) FROM "{table}" row WHERE row::text ILIKE %s', [f"%{text}%"])
            found += cursor.fetchone()[0]
    return found


@mutant(
    "a name is taken only from the form that was posted, so it is in no address and no log",
    "tagger/progress/views_certificate.py",
    kept_by='CertificateForm(request.POST if request.method == "POST" else None)',
    broken="CertificateForm(request.POST or request.GET or None)",
)
def test_a_typed_name_is_kept_nowhere_and_never_in_an_address(worked, here, caplog):
    before = dict(here.session.items())
    with caplog.at_level(logging.DEBUG):
        answered = here.post(ADDRESS, {"name": NAME})
        here.post(ADDRESS, {"name": NAME, "as": "file"})
        here.post(ADDRESS, {"name": "Zoë <O'Canary>"})
    assert answered.status_code == 200 and "Location" not in answered
    assert dict(here.session.items()) == before
    assert rows_with("canary") == 0 and "canary" not in caplog.text.casefold()
    assert 'method="post"' in answered.content.decode()
    assert "This is to say" not in drawn(here, f"{ADDRESS}?name=Canary")


@pytest.mark.parametrize(
    "name", ["see example.com/now", "a" * 81, "call 555", "\u202eevil", "- .", "<b>x</b>", "a@b.c"]
)
def test_the_site_signs_names_and_nothing_else(worked, here, name):
    answered = here.post(ADDRESS, {"name": name})
    assert answered.status_code == 400 and "errorlist" in answered.content.decode()


@mutant(
    "the page of answers and the certificate say the same of how long somebody listened",
    "tagger/progress/views.py",
    kept_by="durations.whole_minutes(heard)",
    broken="round(heard / 60)",
)
def test_a_minute_counts_once_it_was_listened_to_on_every_page(here, bea, give):
    """59 seconds are nothing to certify, and no page claims a minute; 119 are one minute."""
    (task,) = give(bea, 1)
    for seconds, minutes in ((59.0, 0), (119.0, 1)):
        task.clip.seconds = seconds
        task.clip.save()
        own, form = drawn(here, "/my-answers/"), drawn(here, ADDRESS)
        made = hours_certificate.document(bea, "", NOW)
        assert (made["minutes_listened"] if made else 0) == minutes
        assert ("You have listened for" in own) == (ADDRESS in own) == bool(minutes)
        assert ("Nothing to certify yet" in form) == (not minutes)
        assert ("This is to say" in here.post(ADDRESS, {"name": ""}).content.decode()) == bool(minutes)
    assert 'You have listened for <strong class="number">1</strong> minute.' in own
