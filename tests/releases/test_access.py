"""Who may download a release for researchers: every state of a request, at every call."""

from datetime import timedelta

import pytest
from django.test import Client

from accounts import consent
from accounts.models import AuditEvent, Purpose, Role, Scope, User
from datasets.access import asking, deciding, standing, terms
from datasets.access.refusals import AccessRefusal, AccessRefused
from datasets.access.sealing import About, unseal
from datasets.access.standing import Standing
from datasets.models import AccessRequest, Release
from tests.conftest import NOW
from tests.support.asked import WAYS, ask, browser, ended, granted, program, refused
from tests.support.mutants import mutant
from tests.support.released import release, settle

LIST = "/api/v1/releases/"
ONE = "/api/v1/releases/spring/"
MANIFEST = "/api/v1/releases/spring/manifest.jsonl"
TAR = "/api/v1/releases/spring/precise.tar"
REQUEST = "/api/v1/releases/spring/request/"
PAGE = "/releases/spring/"
SAID = {"name": "Rosa Example", "purpose": "to train a wake word", "accept_terms": terms.VERSION}
State = AccessRequest.State


def exported():
    return AuditEvent.objects.filter(act=AuditEvent.Act.EXPORTED)


@pytest.mark.parametrize("asks", [program, browser])
@pytest.mark.parametrize("state", WAYS)
@mutant(
    "no grant, no bytes",
    "datasets/access/permissions.py",
    kept_by="        return found in MAY_DOWNLOAD\n",
    broken="        return True\n",
)
def test_bytes_are_only_for_whom_they_are_granted(state, asks, rosa, spring, olga):
    WAYS[state](rosa, spring, olga)
    here = asks(User.objects.get(pk=rosa.pk))
    for address in (MANIFEST, TAR):
        for call in (here.get, here.head):
            answer = call(address)
            assert answer.status_code == (200 if state == Standing.GRANTED else 403), (state, address)
    ranged = here.get(TAR, headers={"Range": "bytes=1000-1999"})
    assert ranged.status_code == (206 if state == Standing.GRANTED else 403)
    if state == Standing.GRANTED:
        assert exported().count() == 2
        return
    told = here.get(TAR).json()
    assert told["code"] == state and told["page"].endswith(PAGE) and told["request"].endswith(REQUEST)
    assert ("set_up" in told) == (state == Standing.FACTOR_MISSING)
    assert not exported().exists()


@pytest.mark.parametrize("state", WAYS)
def test_what_there_is_and_where_one_stands_is_told_in_every_state(state, rosa, spring, olga):
    WAYS[state](rosa, spring, olga)
    for here in (program(rosa), browser(User.objects.get(pk=rosa.pk))):
        assert here.get(LIST).status_code == here.get(ONE).status_code == 200
        told = here.get(REQUEST).json()
        assert (told["release"], told["state"]) == ("spring", state)
        assert told["may_download"] == (state == Standing.GRANTED) and told["what_to_do"]
        assert told["terms"]["version"] == terms.VERSION and len(told["terms"]["text"]) == len(terms.TEXT)
    assert browser(User.objects.get(pk=rosa.pk)).get(PAGE).status_code == 200


def test_a_stranger_is_told_to_sign_up(spring):
    here = Client()
    assert here.get(LIST).status_code == here.get(ONE).status_code == here.get(PAGE).status_code == 200
    for address in (MANIFEST, TAR, REQUEST):
        assert here.get(address).status_code == 401
    assert "Sign up" in here.get(TAR).json()["detail"]
    assert here.post(REQUEST, SAID, "application/json").status_code == 401
    assert here.post(f"{PAGE}request/").status_code == 302


@pytest.mark.parametrize("address", ["none/", "none/manifest.jsonl", "none/precise.tar"])
def test_a_release_that_does_not_exist_is_not_found_by_anyone(db, address):
    assert Client().get(LIST + address).status_code == 404


def test_a_token_without_the_scope_neither_asks_nor_downloads(rosa, spring, olga):
    granted(rosa, spring, olga)
    here = program(rosa, Scope.TAG)
    for answer in (here.get(TAR), here.get(MANIFEST), here.get(REQUEST), here.post(REQUEST)):
        assert (answer.status_code, answer.json()["missing_scope"]) == (403, "download")


def test_a_public_release_is_asked_for_by_nobody(juniper, share, alice, rosa):
    agreed = (Purpose.VOLUNTEERS, Purpose.RESEARCHERS, Purpose.PUBLIC)
    consent.give(alice, "wake-word", agreed, NOW, reference="on paper")
    settle(share(juniper))
    release("open", juniper, audience=Purpose.PUBLIC)
    assert Client().get("/api/v1/releases/open/precise.tar").status_code == 200
    here = program(rosa)
    assert here.get("/api/v1/releases/open/request/").json()["state"] == "open"
    answer = here.post("/api/v1/releases/open/request/", SAID, "application/json")
    assert answer.status_code == 409 and not AccessRequest.objects.exists()


def test_a_program_asks_waits_and_downloads(rosa, spring, olga):
    here = program(rosa)
    asked = here.post(REQUEST, SAID, "application/json")
    assert (asked.status_code, asked.json()["state"]) == (201, "waiting")
    again = here.post(REQUEST, SAID | {"purpose": "for my thesis"}, "application/json")
    assert (again.status_code, again.json()["state"]) == (200, "waiting")
    row = AccessRequest.objects.get()
    assert unseal(row) == About("Rosa Example", "for my thesis")
    deciding.grant(row.pk, olga, NOW)
    assert here.get(REQUEST).json()["state"] == "granted" and here.get(TAR).status_code == 200
    once_more = here.post(REQUEST, SAID, "application/json")
    assert (once_more.status_code, once_more.json()["state"]) == (200, "granted")


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": ""}, "name"),
        ({"purpose": " "}, "purpose"),
        ({"name": "x" * 201}, "name"),
        ({"purpose": "x" * 1001}, "purpose"),
        ({"name": "a\0b"}, "name"),
        ({"accept_terms": "0"}, "accept_terms"),
        ({"accept_terms": None}, "accept_terms"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_field_and_stores_nothing(wrong, field, rosa, spring):
    answer = program(rosa).post(REQUEST, SAID | wrong, "application/json")
    assert answer.status_code == 400 and list(answer.json()) == [field]
    assert not AccessRequest.objects.exists()


@mutant(
    "nobody asks for voices without a second factor",
    "datasets/access/asking.py",
    kept_by="    if person.lacks_any_factor:\n",
    broken="    if False:\n",
)
def test_asking_needs_a_second_factor(bea, spring):
    answer = program(bea).post(REQUEST, SAID, "application/json")
    assert (answer.status_code, answer.json()["code"]) == (403, "second-factor-missing")
    assert answer.json()["set_up"].endswith("/accounts/2fa/") and not AccessRequest.objects.exists()


def test_a_release_may_be_granted_to_whoever_accepts_its_terms(rosa, spring, olga):
    deciding.set_grants(spring, Release.Grants.AUTOMATIC, olga, NOW)
    answer = program(rosa).post(REQUEST, SAID, "application/json")
    assert (answer.status_code, answer.json()["state"]) == (201, "granted")
    assert program(rosa).get(TAR).status_code == 200


def test_a_researcher_accepts_the_terms_and_waits_for_no_one(rosa, spring):
    rosa.roles = [Role.RESEARCHER]
    rosa.save()
    here = program(rosa)
    assert here.get(TAR).json()["code"] == "not-asked"
    assert here.post(REQUEST, SAID, "application/json").json()["state"] == "granted"
    assert here.get(TAR).status_code == 200


@pytest.mark.parametrize("say_no", [refused, ended])
@mutant(
    "whom a steward said no to is not granted anything by itself",
    "datasets/access/asking.py",
    kept_by="                must_wait=before is not None and (before.must_wait or before.state in _NO),\n",
    broken="                must_wait=False,\n",
)
def test_after_a_no_everyone_waits_for_a_steward(say_no, rosa, spring, olga):
    say_no(rosa, spring, olga)
    deciding.set_grants(spring, Release.Grants.AUTOMATIC, olga, NOW)
    rosa.roles = [Role.RESEARCHER]
    rosa.save()
    asked = ask(rosa, spring)
    assert asked.state == State.WAITING
    asking.withdraw(asked, NOW)
    asked = ask(rosa, spring)
    assert asked.state == State.WAITING
    assert deciding.grant(asked.pk, olga, NOW).must_wait is False


@mutant(
    "withdrawn terms end access",
    "datasets/access/asking.py",
    kept_by='    return live.update(state=entry["state"], **steward)\n',
    broken="    return live.update(**steward) if steward else 0\n",
)
def test_withdrawing_from_the_terms_ends_access_at_once_for_tokens_too(rosa, spring, olga):
    asked = granted(rosa, spring, olga)
    by_token, by_session = program(rosa), browser(rosa)
    assert by_token.get(TAR).status_code == by_session.get(TAR).status_code == 200
    answer = by_session.post(f"/releases/mine/{asked.pk}/withdraw/")
    assert (answer.status_code, answer["Location"]) == (302, "/releases/mine/")
    for here in (by_token, by_session):
        assert here.get(TAR).status_code == here.get(MANIFEST).status_code == 403
    assert by_token.get(REQUEST).json()["state"] == "withdrawn"


@mutant(
    "an access that its steward ended is over",
    "datasets/access/deciding.py",
    kept_by="    _say_no(asked, State.ENDED, reason)\n",
    broken="    _say_no(asked, State.GRANTED, reason)\n",
)
def test_a_steward_ends_an_access_at_once_for_tokens_too(rosa, spring, olga):
    asked = granted(rosa, spring, olga)
    by_token, by_session = program(rosa), browser(rosa)
    decided = browser(olga).post(
        f"/releases/requests/{asked.pk}/decide/", {"do": "end", "reason": "You published clips."}
    )
    assert decided["Location"] == "/releases/requests/"
    for here in (by_token, by_session):
        assert here.get(TAR).status_code == here.get(MANIFEST).status_code == 403
    assert by_token.get(REQUEST).json()["reason"] == "You published clips."


@mutant(
    "an old version of the terms asks again",
    "datasets/access/standing.py",
    kept_by="    if asked.terms != terms.VERSION:\n",
    broken="    if False:\n",
)
def test_a_new_version_of_the_terms_is_accepted_before_the_next_download(rosa, spring, olga, monkeypatch):
    granted(rosa, spring, olga)
    here = program(rosa)
    assert here.get(TAR).status_code == 200
    monkeypatch.setattr(terms, "VERSION", "3")
    assert here.get(TAR).json()["code"] == here.get(MANIFEST).json()["code"] == "old-terms"
    stale = here.post(REQUEST, SAID, "application/json")
    assert stale.status_code == 400 and "3" in stale.json()["accept_terms"][0]
    answer = here.post(REQUEST, SAID | {"accept_terms": "3"}, "application/json")
    assert (answer.status_code, answer.json()["state"]) == (200, "granted")
    assert here.get(TAR).status_code == 200


PUBLISHED = {
    "1": [
        "I do not try to find out who speaks in a clip, and I join the clips with nothing that could tell.",
        "When the release’s recall feed names a clip, I delete it from every copy within 30 days.",
        "I do not publish the clips or pass them on. Whoever wants them asks for them here.",
        "When my access ends, I delete my copies. I can withdraw from these terms at any time; that ends it.",
    ],
    "2": [
        "I do not try to find out who speaks in a clip or who answered, and I join neither with any"
        "thing that could tell.",
        "When the release’s recall feed names a clip or a volunteer, I delete the clip or the answe"
        "rs from every copy within 30 days.",
        "I do not publish the clips or pass them on. Whoever wants them asks for them here.",
        "When my access ends, I delete my copies. I can withdraw from these terms at any time; that ends it.",
    ],
}


def test_terms_that_were_published_are_never_edited():
    assert terms.in_english() == PUBLISHED[terms.VERSION]


def test_a_retracted_release_says_so_to_everyone_and_is_not_asked_for(rosa, spring):
    Release.objects.update(retracted_at=NOW, retracted_because="Two campaigns were swapped.")
    for here in (Client(), program(rosa)):
        assert here.get(TAR).status_code == here.get(MANIFEST).status_code == 410
        assert "swapped" in here.get(TAR).json()["detail"]
    assert program(rosa).post(REQUEST, SAID, "application/json").status_code == 410
    assert "Two campaigns were swapped." in Client().get(PAGE).content.decode()


def test_nobody_decides_on_their_own_request(spring, olga):
    asked = ask(olga, spring)
    with pytest.raises(AccessRefused) as no:
        deciding.grant(asked.pk, olga, NOW)
    assert no.value.code == AccessRefusal.OWN_REQUEST
    assert not deciding.waiting_for(olga).exists()


def test_what_is_decided_is_decided_once_and_a_no_needs_a_reason(rosa, spring, olga):
    asked = ask(rosa, spring)
    with pytest.raises(AccessRefused) as no:
        deciding.refuse(asked.pk, "  ", olga, NOW)
    assert no.value.code == AccessRefusal.NO_REASON
    deciding.grant(asked.pk, olga, NOW)
    for act in (
        lambda: deciding.grant(asked.pk, olga, NOW),
        lambda: deciding.refuse(asked.pk, "no", olga, NOW),
    ):
        with pytest.raises(AccessRefused) as no:
            act()
        assert no.value.code == AccessRefusal.NOT_WAITING


def test_an_owner_is_steward_of_releases_of_their_campaigns_alone(spring, olga, sentences, share, admin_user):
    settle(share(sentences), "what a fine day")
    both = release("both", *spring.campaigns.all(), sentences)
    assert list(deciding.stewarded_by(olga)) == [spring]
    assert set(deciding.stewarded_by(admin_user)) == {spring, both}
    assert not deciding.stewarded_by(User.objects.create_user("nina")).exists()


@mutant(
    "a name that was given for a release is sealed",
    "datasets/access/sealing.py",
    kept_by="    return keys.seal(key, json.dumps(asdict(about)).encode(), _label(asked))\n",
    broken="    return json.dumps(asdict(about)).encode()\n",
)
def test_name_and_purpose_are_sealed_under_the_persons_key(rosa, spring):
    asked = ask(rosa, spring)
    assert b"Rosa" not in bytes(AccessRequest.objects.get(pk=asked.pk).sealed_about)
    assert unseal(AccessRequest.objects.get(pk=asked.pk)).name == "Rosa Example"


def test_what_was_asked_and_decided_is_recorded_without_names(rosa, spring, olga):
    ended(rosa, spring, olga)
    events = AuditEvent.objects.filter(about="release spring").exclude(act=AuditEvent.Act.RELEASED)
    told = [(event.act, event.person, event.details["state"]) for event in events.order_by("number")]
    assert told == [
        ("asked-access", rosa, "waiting"),
        ("decided-access", olga, "granted"),
        ("decided-access", olga, "ended"),
    ]
    assert "Rosa" not in str(list(events.values()))


def test_a_request_of_a_person_and_a_release_is_one(rosa, spring, olga):
    first = ask(rosa, spring)
    deciding.refuse(first.pk, "What is it for?", olga, NOW)
    second = ask(rosa, spring, purpose="for my thesis")
    assert AccessRequest.objects.get() == second != first
    assert standing.of(rosa, spring, second) == Standing.WAITING


@pytest.mark.django_db(transaction=True)
def test_two_requests_at_once_are_one(rosa, spring, run_together):
    found = run_together(*[lambda: ask(User.objects.get(pk=rosa.pk), spring)] * 4)
    assert {each.pk for each in found} == {AccessRequest.objects.get().pk}


def test_downloads_are_listed_by_day_person_and_format(rosa, spring, olga):
    granted(rosa, spring, olga)
    here = program(rosa)
    for address in (TAR, TAR, MANIFEST):
        list(here.get(address))
    AuditEvent.objects.filter(act=AuditEvent.Act.EXPORTED, details__format="manifest").update(
        at=NOW - timedelta(days=3)
    )
    drawn = browser(olga).get("/releases/spring/downloads/").content.decode()
    assert drawn.count("<bdi>rosa</bdi>") == drawn.count("<bdi>Rosa Example</bdi>") == 2
    assert "<bdi>precise</bdi>" in drawn and "<bdi>manifest</bdi>" in drawn and "1 May 2026" in drawn
    mine = browser(rosa).get("/releases/mine/").content.decode()
    assert "<bdi>precise</bdi>" in mine and "1 May 2026" in mine
