"""The pages of releases: what everyone sees, how one asks, what a steward does; what leaves with a person."""

import io
import json
import re
import zipfile
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import journal, keys
from accounts.models import Role, User
from datasets.access import asking, deciding, sealing, terms
from datasets.models import AccessRequest, Release, Withdrawal
from datasets.releases import freezing
from tagger.campaigns.release_form import ReleaseForm
from tagger.privacy import personal_data, restore, withdrawal
from tests.conftest import NOW
from tests.releases.test_access import TAR
from tests.support.asked import (
    ask,
    browser,
    ended,
    granted,
    old_terms,
    refused,
    role_lost,
    withdrawn,
    without_factor,
)
from tests.support.mutants import mutant
from tests.support.released import release, settle

LIST, PAGE = "/releases/", "/releases/spring/"
FORM = {
    "name": "Rosa Example",
    "purpose": "to train a wake word",
    "accept": "on",
    "version": terms.VERSION,
}
State = AccessRequest.State


@pytest.fixture(autouse=True)
def least_groups(settings):
    settings.RELEASE_LEAST_GROUP = {"researchers": 3, "public": 10}


def drawn(client, address=PAGE):
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def test_everyone_sees_what_releases_there_are_and_what_is_in_them(spring):
    here = drawn(Client(), LIST)
    assert 'href="/releases/spring/"' in here and "CC0-1.0" in here
    page = drawn(Client())
    for said in (
        *("hey juniper", "Clips by answer", "Clips by length", "Clips by confidence", "carry noise"),
        *("/api/v1/recalls/spring.json", "@misc{spring", "deepspeech", "precise", "clean_copy.py"),
        *map(str, terms.TEXT[:1]),
    ):
        assert said in page, said
    assert "There are four steps" in page and f'href="{TAR}"' not in page


def test_the_page_says_so_when_there_is_no_release(db):
    assert "There are no releases yet" in drawn(Client(), LIST)


@pytest.mark.parametrize(("address", "most"), [("/releases/summer/", 7), (LIST, 3), ("/api/v1/releases/", 3)])
def test_a_page_of_releases_reads_no_row_of_a_release(address, most, spring, juniper, share):
    for _ in range(5):
        settle(share(juniper))
    release("summer", juniper)
    with CaptureQueriesContext(connection) as asked:
        drawn(Client(), address)
    statements = [each["sql"] for each in asked.captured_queries]
    assert len(statements) <= most, "\n".join(statements)
    assert not [each for each in statements if "datasets_releaserow" in each or "datasets_recall" in each]


@pytest.mark.parametrize(
    ("way", "says"),
    [
        (lambda *cast: None, "Ask for it"),
        (lambda rosa, spring, olga: ask(rosa, spring), "Take the request back"),
        (granted, "You may download it"),
        (refused, "What is it for?"),
        (ended, "You published clips."),
        (withdrawn, "You withdrew from the terms"),
        (old_terms, "Accept the new terms"),
        (role_lost, "which you are not any more"),
        (without_factor, "For this you need a second factor"),
    ],
)
def test_the_page_says_where_one_stands(way, says, rosa, spring, olga):
    way(rosa, spring, olga)
    page = drawn(browser(User.objects.get(pk=rosa.pk)))
    assert says in page
    assert (f'href="{TAR}"' in page) == (way is granted)


def test_somebody_asks_by_the_form_and_the_steward_grants_it(rosa, spring, olga):
    here, steward = browser(rosa), browser(olga)
    answer = here.post(f"{PAGE}request/", FORM)
    assert (answer.status_code, answer["Location"]) == (302, PAGE)
    asked = AccessRequest.objects.get()
    assert asked.state == State.WAITING
    for address in (LIST, "/campaigns/", "/campaigns/juniper/releases/"):
        assert "1 person asks for a release" in drawn(steward, address), address
    waiting = drawn(steward, "/releases/requests/")
    assert "Rosa Example" in waiting and "to train a wake word" in waiting and "<bdi>rosa</bdi>" in waiting
    steward.post(f"/releases/requests/{asked.pk}/decide/", {"do": "grant"})
    assert "asks for a release" not in drawn(steward, LIST)
    page = drawn(here)
    assert "You may download it" in page and f'href="{TAR}"' in page
    assert here.get(TAR).status_code == 200


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"name": ""}, "errorlist"),
        ({"purpose": "x" * 1001}, "errorlist"),
        ({"accept": ""}, "Accept the terms to ask for it."),
        ({"version": "0"}, "The terms are another version now"),
    ],
)
def test_a_form_with_a_fault_is_shown_again_and_asks_for_nothing(wrong, says, rosa, spring):
    answer = browser(rosa).post(f"{PAGE}request/", FORM | wrong)
    page = answer.content.decode()
    assert answer.status_code in (400, 409) and says in page and "Nothing is sent yet" in page
    assert not AccessRequest.objects.exists()
    assert wrong == {"name": ""} or 'value="Rosa Example"' in page


def test_without_a_second_factor_the_form_asks_for_nothing(bea, spring):
    here = browser(bea)
    assert "Set up a second factor" in drawn(here) and "Ask for it" not in drawn(here)
    assert here.post(f"{PAGE}request/", FORM).status_code == 409 and not AccessRequest.objects.exists()


def test_the_address_of_the_form_leads_to_the_page(rosa, spring):
    assert browser(rosa).get(f"{PAGE}request/")["Location"] == PAGE


@mutant(
    "a steward decides on releases of their own campaigns alone",
    "datasets/access/views.py",
    kept_by="    get_object_or_404(AccessRequest, pk=pk, release__in=stewarded)\n",
    broken="    get_object_or_404(AccessRequest, pk=pk)\n",
)
def test_another_owner_neither_sees_nor_decides(rosa, spring, olga):
    asked = ask(rosa, spring)
    other = browser(olga)
    spring.campaigns.update(owner=None)
    assert "Rosa Example" not in drawn(other, "/releases/requests/")
    for address in (
        f"/releases/requests/{asked.pk}/decide/",
        "/releases/spring/grants/",
        "/releases/spring/downloads/",
    ):
        method = other.get if address.endswith("downloads/") else other.post
        assert method(address, {"do": "grant", "grants": "automatic"}).status_code == 404, address
    asked.refresh_from_db()
    spring.refresh_from_db()
    assert (asked.state, spring.grants) == (State.WAITING, "steward")


def test_a_steward_refuses_only_with_a_reason(rosa, spring, olga):
    asked, steward = ask(rosa, spring), browser(olga)
    address = f"/releases/requests/{asked.pk}/decide/"
    for sent, says in (
        ({"do": "refuse"}, "Write why"),
        ({"do": "marry"}, "could not be read"),
        ({"do": "end", "reason": "no"}, "has ended already"),
    ):
        assert says in steward.post(address, sent, follow=True).content.decode()
    steward.post(address, {"do": "refuse", "reason": "What is it for?"})
    asked.refresh_from_db()
    assert (asked.state, sealing.unseal(asked).reason) == (State.REFUSED, "What is it for?")


def test_a_steward_chooses_who_grants(spring, olga):
    steward = browser(olga)
    steward.post("/releases/spring/grants/", {"grants": "automatic"})
    assert Release.objects.get().grants == "automatic"
    steward.post("/releases/spring/grants/", {"grants": "nobody"})
    assert Release.objects.get().grants == "automatic"
    assert "You may download it at once" in drawn(Client())


def test_somebody_takes_back_only_their_own_request(rosa, spring, bea):
    asked = ask(rosa, spring)
    assert browser(bea).post(f"/releases/mine/{asked.pk}/withdraw/").status_code == 404
    browser(rosa).post(f"/releases/mine/{asked.pk}/withdraw/")
    asked.refresh_from_db()
    assert asked.state == State.WITHDRAWN


def test_withdrawing_needs_no_second_factor(rosa, spring, olga):
    granted(rosa, spring, olga)
    rosa.roles = [Role.REVIEWER]
    rosa.save()
    rosa.authenticator_set.all().delete()
    here = browser(User.objects.get(pk=rosa.pk))
    [asked] = re.findall(r"/releases/mine/[\w-]+/withdraw/", drawn(here, "/releases/mine/"))
    assert here.post(asked)["Location"] == "/releases/mine/"
    assert AccessRequest.objects.get().state == State.WITHDRAWN


@pytest.mark.parametrize("name", ["mine", "requests"])
def test_no_release_takes_the_address_of_another_page(name, juniper, share):
    settle(share(juniper))
    with pytest.raises(freezing.BadRelease):
        release(name, juniper)
    assert "slug" in ReleaseForm(juniper, {"slug": name}).errors


# --- what leaves with a person ------------------------------------------------------------------


def test_the_download_of_ones_own_data_has_requests_and_downloads(rosa, spring, olga):
    ended(rosa, spring, olga)
    packed = zipfile.ZipFile(io.BytesIO(b"".join(personal_data.archive(rosa, NOW))))
    [told] = json.loads(packed.read("access-requests.json"))
    assert (told["release"], told["state"], told["terms"]) == ("spring", "ended", terms.VERSION)
    assert (told["name"], told["purpose"]) == ("Rosa Example", "to train a wake word")
    assert told["reason"] == "You published clips." and "olga" not in str(told)
    assert b"access-requests.json" in packed.read("README.txt")


@mutant(
    "who asked for a release, and what for, goes with the account",
    "tagger/privacy/withdrawal.py",
    kept_by='        gone["access_requests"] = access.leave_all(person)\n',
    broken="",
)
def test_leaving_erases_requests_and_what_was_said(rosa, spring, olga):
    asked = ask(rosa, spring)
    other = ask(olga, spring)
    AccessRequest.objects.filter(pk=other.pk).update(decided_by=rosa)
    withdrawal.forget_account(rosa, keep_answers=False, now=NOW)
    for pk in withdrawal.unfinished():
        withdrawal.scrub(Withdrawal.objects.get(pk=pk), lambda: NOW)
    assert list(AccessRequest.objects.values_list("pk", "decided_by")) == [(other.pk, None)]
    assert not AccessRequest.objects.filter(pk=asked.pk).exists()


def test_a_steward_who_leaves_leaves_their_decisions(rosa, spring, olga):
    granted(rosa, spring, olga)
    withdrawal.forget_account(olga, keep_answers=False, now=NOW)
    for pk in withdrawal.unfinished():
        withdrawal.scrub(Withdrawal.objects.get(pk=pk), lambda: NOW)
    found = AccessRequest.objects.get()
    assert (found.state, found.decided_by) == (State.GRANTED, None)


@mutant(
    "what was said of a request is sealed under the new data key",
    "tagger/privacy/withdrawal.py",
    kept_by="        access_sealing.reseal(person, old, new)\n",
    broken="",
)
def test_a_replaced_data_key_opens_what_was_said(rosa, spring):
    asked = ask(rosa, spring)
    before = keys.existing_key(rosa)
    withdrawal._replace_key(rosa)
    found = AccessRequest.objects.get(pk=asked.pk)
    assert keys.existing_key(User.objects.get(pk=rosa.pk)) != before
    assert sealing.unseal(found).name == "Rosa Example"


@pytest.mark.parametrize("end", [withdrawn, ended])
@mutant(
    "a restore brings back no access that ended",
    "tagger/privacy/restore.py",
    kept_by='        elif entry["kind"] == access.ENDED:\n',
    broken='        elif entry["kind"] == "":\n',
)
def test_a_restored_backup_brings_back_no_access(end, rosa, spring, olga):
    end(rosa, spring, olga)
    state = AccessRequest.objects.get().state
    AccessRequest.objects.update(state=State.GRANTED, must_wait=False)  # as the backup has it
    done = restore.Restored()
    restore._replay(NOW + timedelta(hours=1), done)
    found = AccessRequest.objects.get()
    assert (found.state, found.must_wait, done.rights_ended_again) == (state, state == State.ENDED, 1)


def test_the_journal_knows_whether_an_access_ended(rosa, spring, olga):
    asked = granted(rosa, spring, olga)
    entry = {"kind": asking.ENDED, "request": str(asked.pk), "state": State.ENDED.value}
    assert not withdrawal._was_committed(entry)
    deciding.end(asked.pk, "You published clips.", olga, NOW)
    assert withdrawal._was_committed(entry)
    assert [each["kind"] for each in journal.entries()][-1] == asking.ENDED
