"""What was typed when the session ended is shown again to the person who typed it, and to no one else."""

import re
from base64 import b64decode
from datetime import timedelta
from html import unescape

import pytest
from django.test import Client
from django.utils import timezone

from accounts import typed
from accounts.models import PersonalSession
from datasets.models import Task
from tagger.lending import assignments
from tagger.models import ReviewItem
from tests.support.mutants import mutant
from tests.support.people import PASSWORD
from tests.support.reviewing import act_on, dispute_over, page_of

TEXT = "die stille Größe & <b>ich</b>"


@pytest.fixture
def lent(bea, carl, sentences, share):
    for person in (bea, carl):
        person.set_password(PASSWORD)
        person.save()
    share(sentences)
    [assignment] = assignments.lend(bea, sentences, 1, timezone.now())
    return assignment


@pytest.fixture
def desk(client, bea, lent):
    """Bea's form, as the page shows it, and her browser, in which the session has ended since."""
    client.force_login(bea)
    page = client.get("/tag/sentences/").content.decode()
    client.logout()
    return hidden(page) | {"answer": TEXT}


def hidden(page):
    """The hidden fields of a page's form that asks for something, but for a report."""
    forms = re.findall(r"<form.*?</form>", page, re.S)
    [form] = [form for form in forms if "typed_by" in form and not re.search('action="[^"]*/report/"', form)]
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form)
    return {name: unescape(value) for name, value in found if name != "csrfmiddlewaretoken"}


def log_in(client, name, next_page):
    sent = {"login": name, "password": PASSWORD, "next": next_page}
    return client.post("/accounts/login/", sent, follow=True)


def address(lent):
    return f"/assignments/{lent.pk}/answer/"


def post_late(client, lent, fields):
    answer = client.post(address(lent), fields)
    assert (answer.status_code, answer["Location"]) == (302, f"/accounts/login/?next={address(lent)}")


@mutant(
    "what was typed after the session ended is not lost",
    "accounts/typed.py",
    kept_by="                    return _keep(request) or view(request, *args, **kwargs)\n",
    broken="                    return view(request, *args, **kwargs)\n",
)
def test_a_transcript_sent_too_late_is_shown_and_sent_after_logging_in(client, desk, lent, bea):
    post_late(client, lent, desk)
    page = log_in(client, "bea", address(lent)).content.decode()
    assert "What you typed is still here" in page and unescape(page).count(TEXT) == 2
    assert "<b>ich" not in page
    assert not bea.annotations.exists()  # logging in sends nothing
    client.post(address(lent), hidden(page))
    assert bea.annotations.get().answer == TEXT
    assert client.get(address(lent)).status_code == 302  # it is shown no more


@mutant(
    "what was typed is shown to no one else who logs in",
    "accounts/typed.py",
    kept_by="    except KeyLost:  # another person's, another form's, or too old\n",
    broken="    except ValueError:\n",
)
def test_another_person_who_logs_in_there_sees_nothing_of_it(client, desk, lent, bea):
    post_late(client, lent, desk)
    page = log_in(client, "carl", address(lent))
    assert page.redirect_chain[-1][0] == "/tag/" and TEXT not in unescape(page.content.decode())
    client.logout()
    assert TEXT not in unescape(log_in(client, "bea", address(lent)).content.decode())


@mutant(
    "what was typed is in no session in plain text",
    "accounts/typed.py",
    kept_by="        sealed = keys.seal(keys.existing_key(person), plain, _label(person.pk, request.path))\n",
    broken="        sealed = plain\n",
)
def test_until_then_it_is_sealed_and_soon_forgotten(client, desk, lent):
    post_late(client, lent, desk)
    [row] = PersonalSession.objects.all()
    kept = row.get_decoded()[typed._KEPT]
    assert b"stille" not in b64decode(kept["sealed"]) and "stille" not in str(kept)
    assert row.expire_date < timezone.now() + timedelta(hours=1, minutes=1)
    session = client.session
    session[typed._KEPT] |= {"at": (timezone.now() - timedelta(hours=1, minutes=1)).isoformat()}
    session.save()
    assert TEXT not in unescape(log_in(client, "bea", address(lent)).content.decode())


def test_it_can_be_deleted_instead(client, desk, lent, bea):
    post_late(client, lent, desk)
    page = log_in(client, "bea", address(lent)).content.decode()
    answer = client.post(address(lent), hidden(page) | {"forget_typed": "1"}, follow=True)
    assert answer.redirect_chain[-1][0] == "/tag/sentences/"
    assert not bea.annotations.exists() and typed._KEPT not in client.session


@pytest.mark.parametrize("whose", ["", "nonsense", "7:1abc:xyz"])
def test_a_form_that_is_provably_no_ones_is_not_kept(client, lent, whose, bea):
    post_late(client, lent, {"typed_by": whose, "answer": TEXT})
    assert not PersonalSession.objects.exists()
    assert log_in(client, "bea", address(lent)).redirect_chain[-1][0] == "/tag/sentences/"


def test_passwords_and_the_longest_transcripts(client, desk, lent):
    longest = "😀" * 2000
    post_late(client, lent, desk | {"answer": longest, "new_password1": PASSWORD})
    page = log_in(client, "bea", address(lent)).content.decode()
    assert longest in page and PASSWORD not in page
    client.logout()
    post_late(client, lent, desk | {"answer": "x" * 50_000})
    assert not [row for row in PersonalSession.objects.all() if typed._KEPT in row.get_decoded()]


def test_a_reviewers_decision_is_kept_with_its_note(client, rita, sentences, share):
    rita.set_password(PASSWORD)
    rita.save()
    task = share(sentences)
    Task.objects.filter(pk=task.pk).update(status="disputed")
    dispute = dispute_over(task, timezone.now())
    page = page_of(dispute)
    client.force_login(rita)
    fields = hidden(client.get(page).content.decode()) | {"answer": TEXT, "remark": "both words"}
    client.logout()
    page = act_on(dispute, "accept")
    client.post(page, fields)
    # After the password comes the page for her second factor, in the same session.
    assert TEXT not in unescape(log_in(client, "rita", page).content.decode())
    client.force_login(rita)
    shown = unescape(client.get(page).content.decode())
    assert TEXT in shown and "both words" in shown
    assert ReviewItem.objects.get().closed_at is None


# --- logged in again in another window ----------------------------------------------------------


@pytest.fixture
def strict(bea, lent):
    """A browser that checks forms; its token is another one since Bea logged in again."""
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(bea)
    return strict


OURS = {"Sec-Fetch-Site": "same-origin"}


def test_an_outdated_form_is_shown_again_instead_of_lost(strict, desk, lent, bea):
    answer = strict.post(address(lent), desk, headers=OURS, follow=True)
    assert TEXT in unescape(answer.content.decode())
    assert not bea.annotations.exists()


@mutant(
    "a form of another site is never taken for one's own",
    "accounts/typed.py",
    kept_by='    is_ours = request.headers.get("Sec-Fetch-Site") == "same-origin"\n',
    broken="    is_ours = True\n",
)
@pytest.mark.parametrize("site", ["cross-site", "same-site", None])
def test_a_form_of_another_site_is_refused_and_not_kept(strict, desk, lent, bea, site):
    answer = strict.post(address(lent), desk, headers={"Sec-Fetch-Site": site} if site else {})
    assert answer.status_code == 403 and typed._KEPT not in strict.session


@mutant(
    "someone who logged in meanwhile does not see the other's form",
    "accounts/typed.py",
    kept_by="        return None  # another person is logged in: the form's owner has to send it again\n",
    broken="        pass\n",
)
def test_the_form_of_another_account_is_refused(desk, lent, carl):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(carl)
    answer = strict.post(address(lent), desk, headers=OURS)
    assert answer.status_code == 403 and typed._KEPT not in strict.session
