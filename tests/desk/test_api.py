"""The API for programs, call by call: its addresses, bodies and statuses are a contract."""

import json
from datetime import timedelta
from io import BytesIO

import pytest
import soundfile
import yaml
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts import consent
from accounts.models import ProgramToken, Scope
from datasets.clips import vault
from datasets.models import Annotation, Campaign, Clip, Task
from tagger.lending import assignments, leases
from tagger.models import Assignment, ReviewItem
from tagger.settling import settlement
from tests.conftest import NOW
from tests.support.mutants import mutant
from tests.support.reviewing import page_of

CAMPAIGNS = "/api/v1/campaigns/"
LEND = "/api/v1/campaigns/juniper/assignments/"
MISSING = 10**30

# Every call about an assignment or an answer of one's own: method, address and a valid body.
ASSIGNMENT_CALLS = [
    ("get", "/api/v1/assignments/{}/audio/", None),
    ("post", "/api/v1/assignments/{}/annotation/", {"answer": "yes"}),
    ("post", "/api/v1/assignments/{}/skip/", None),
    ("post", "/api/v1/assignments/{}/report/", {"reason": "private"}),
]
CHANGE = ("patch", "/api/v1/annotations/{}/", {"answer": "no"})
PLEDGE_CALLS = [("get", "/api/v1/pledge/", None), ("post", "/api/v1/pledge/", {"version": 1})]
EVERY_CALL = [
    ("get", CAMPAIGNS, None),
    ("post", LEND, {"count": 1}),
    *ASSIGNMENT_CALLS,
    CHANGE,
    *PLEDGE_CALLS,
]


def program_of(person, scopes=None):
    """A program that sends this person's token."""
    _, token = ProgramToken.objects.create(person, scopes)
    program = APIClient()
    program.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    return program


def call(program, method, address, body=None, pk=MISSING):
    sent = "" if body is None else json.dumps(body)
    return program.generic(method.upper(), address.format(pk), sent, content_type="application/json")


@pytest.fixture
def beas(bea):
    return program_of(bea)


@pytest.fixture
def carls(carl):
    return program_of(carl)


@pytest.fixture
def task(juniper, share):
    return share(juniper)


@pytest.fixture
def lent(beas, task):
    """The task, lent to Bea: its id."""
    return beas.post(LEND).json()["assignments"][0]["id"]


@pytest.fixture
def sentence(beas, sentences, share):
    share(sentences)
    return beas.post("/api/v1/campaigns/sentences/assignments/").json()["assignments"][0]["id"]


def hand_in(program, assignment, body=None):
    body = {"answer": "yes"} if body is None else body
    return call(program, "post", "/api/v1/assignments/{}/annotation/", body, assignment)


def hear(program, assignment, **headers):
    return program.get(f"/api/v1/assignments/{assignment}/audio/", headers=headers)


def settled(task, people):
    for person in people:
        Annotation.objects.create(task=task, annotator=person, answer="yes", created_at=NOW)
    settlement.settle(task.pk, NOW)


def test_open_campaigns_are_listed_with_their_progress(beas, juniper, sentences, add_tasks, volunteers):
    done, _ = add_tasks(juniper, 2)
    settled(done, volunteers[:2])
    Campaign.objects.filter(pk=sentences.pk).update(stage="closed")
    [listed] = beas.get(CAMPAIGNS).json()
    assert listed == {
        "slug": "juniper",
        "title": "“hey juniper” in English",
        "purpose": "",
        "kind": "wake-word",
        "language": "en",
        "wake_word": "hey juniper",
        "guidelines": "",
        "progress": {"total": 2, "settled": 1, "disputed": 0},
    }


def test_an_assignment_has_the_address_of_its_sound_and_its_end(beas, bea, task):
    answer = beas.post(LEND, {"count": 3}, format="json")
    lent = Assignment.objects.get(annotator=bea)
    assert answer.status_code == 201
    assert answer.json() == {
        "assignments": [
            {
                "id": lent.pk,
                "audio": f"/api/v1/assignments/{lent.pk}/audio/",
                "duration": 0.5,
                "expires_at": lent.expires_at.isoformat().replace("+00:00", "Z"),
            }
        ]
    }


def test_one_assignment_is_lent_unless_more_are_asked_for(beas, juniper, add_tasks):
    add_tasks(juniper, 20)
    assert len(beas.post(LEND).json()["assignments"]) == 1
    assert len(beas.post(LEND, {"count": 10}, format="json").json()["assignments"]) == 10


def test_nothing_left_is_an_empty_list(beas, lent):
    answer = beas.post(LEND)
    assert (answer.status_code, answer.json()) == (201, {"assignments": []})


def test_ten_are_lent_with_as_many_queries_as_one(beas, carls, juniper, add_tasks):
    add_tasks(juniper, 30)
    with CaptureQueriesContext(connection) as for_one:
        beas.post(LEND, {"count": 1}, format="json")
    with CaptureQueriesContext(connection) as for_ten:
        assert len(carls.post(LEND, {"count": 10}, format="json").json()["assignments"]) == 10
    assert len(for_ten) == len(for_one)


@pytest.mark.parametrize("closed", [True, False])
def test_a_closed_campaign_answers_like_one_that_does_not_exist(beas, task, closed):
    Campaign.objects.update(stage="closed" if closed else "open")
    address = LEND if closed else LEND.replace("juniper", "jupiter")
    assert beas.post(address).status_code == 404


@pytest.mark.parametrize("count", [0, -1, 11, 1.5, "many", None, True, [], {}, 10**30])
def test_an_invalid_count_is_refused_with_the_fields_name(beas, task, count):
    answer = beas.post(LEND, {"count": count}, format="json")
    assert (answer.status_code, list(answer.json())) == (400, ["count"])
    assert not Assignment.objects.exists()


def test_the_volunteer_hears_the_clip_and_no_cache_stores_it(beas, task, lent):
    answer = hear(beas, lent)
    assert (answer.status_code, answer["Content-Type"]) == (200, "audio/wav")
    assert (answer["Cache-Control"], answer["Accept-Ranges"]) == ("no-store", "bytes")
    assert answer.content == vault.get(task.clip)
    sound, rate = soundfile.read(BytesIO(answer.content))
    assert (len(sound), rate) == (8_000, 16_000)


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-99", 0, 99),
        ("bytes=100-", 100, 16_043),
        ("bytes=16043-16043", 16_043, 16_043),
        ("bytes=16000-99999", 16_000, 16_043),
        ("bytes=-44", 16_000, 16_043),
        ("bytes=-99999", 0, 16_043),
    ],
)
def test_a_range_of_the_sound_is_served(beas, task, lent, asked, first, last):
    answer = hear(beas, lent, Range=asked)
    assert (answer.status_code, answer["Content-Range"]) == (206, f"bytes {first}-{last}/16044")
    assert (answer["Cache-Control"], answer["Content-Length"]) == ("no-store", str(last - first + 1))
    assert answer.content == vault.get(task.clip)[first : last + 1]


@pytest.mark.parametrize("asked", ["bytes=16044-", "bytes=16044-16050", "bytes=-0"])
def test_a_range_outside_the_sound_is_refused_with_its_length(beas, lent, asked):
    answer = hear(beas, lent, Range=asked)
    assert (answer.status_code, answer["Content-Range"], answer.content) == (416, "bytes */16044", b"")


@pytest.mark.parametrize(
    "asked", ["bytes=0-1,5-9", "bytes=-", "bytes=a-b", "seconds=0-1", "", f"bytes={'9' * 5000}-"], ids=len
)
def test_an_invalid_range_is_answered_with_the_whole_sound(beas, lent, asked):
    answer = hear(beas, lent, Range=asked)
    assert (answer.status_code, len(answer.content)) == (200, 16_044)


@pytest.mark.parametrize("accepted", ["audio/wav", "audio/*", "*/*", "application/json"])
def test_the_accept_header_does_not_matter_for_sound(beas, lent, accepted):
    assert hear(beas, lent, Accept=accepted).status_code == 200
    assert hear(beas, MISSING, Accept=accepted).json() == {"detail": "Not found."}


def test_head_answers_with_the_length_and_no_body(beas, lent):
    answer = beas.head(f"/api/v1/assignments/{lent}/audio/")
    assert (answer.status_code, answer["Content-Length"], answer.content) == (200, "16044", b"")


def test_an_expired_lease_cannot_be_heard(beas, lent):
    Assignment.objects.update(expires_at=NOW)
    assert hear(beas, lent).status_code == 409


def test_a_new_answer_is_201_the_same_again_200_and_another_409(beas, bea, lent):
    first = hand_in(beas, lent)
    assert (first.status_code, first.json()) == (201, {"id": bea.annotations.get().pk})
    again = hand_in(beas, lent)
    assert (again.status_code, again.json()) == (200, first.json())
    other = hand_in(beas, lent, {"answer": "no"})
    assert (other.status_code, list(other.json())) == (409, ["detail"])
    assert bea.annotations.get().answer == "yes"


@pytest.mark.parametrize("typed", ["  Hello,  World! ", "", "qué día es", "👋"])
def test_a_transcript_is_stored_as_typed(beas, bea, sentence, typed):
    assert hand_in(beas, sentence, {"transcript": typed}).status_code == 201
    assert bea.annotations.get().answer == typed.strip()


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"answer": "maybe"}, "answer is one of yes, similar, no, noise"),
        ({"answer": ""}, "answer"),
        ({"answer": None}, "answer"),
        ({"answer": ["yes"]}, "answer"),
        ({"answer": {"yes": 1}}, "answer"),
        ({"answer": "yes\0"}, "answer"),
        ({"answer": "\ud800"}, "answer"),
        ({"answer": "yes", "transcript": "yes"}, "answer"),
        ({}, "answer"),
        ({"reply": "yes"}, "answer"),
        (["yes"], "dictionary"),
        ("yes", "dictionary"),
    ],
    ids=str,
)
def test_an_invalid_answer_is_refused_with_the_fields_name(beas, lent, body, named):
    answer = hand_in(beas, lent, body)
    assert answer.status_code == 400
    assert named in answer.content.decode()
    assert not Annotation.objects.exists()


@pytest.mark.parametrize(
    ("typed", "named"),
    [("a" * 2001, "transcript is 2001 characters long"), ("a\0b", "transcript"), ("\udfff", "transcript")],
    ids=["too long", "zero", "half a character"],
)
def test_a_transcript_that_cannot_be_stored_is_refused_with_the_fields_name(beas, sentence, typed, named):
    answer = hand_in(beas, sentence, {"transcript": typed})
    assert answer.status_code == 400
    assert named in answer.content.decode()
    assert not Annotation.objects.exists()


@pytest.mark.parametrize("body", [b"{", b"\xff", b'{"answer": NaN}', b'{"answer": ' + b"9" * 5000 + b"}"])
def test_a_body_that_is_not_json_is_refused(beas, lent, body):
    address = f"/api/v1/assignments/{lent}/annotation/"
    answer = beas.generic("POST", address, body, content_type="application/json")
    assert (answer.status_code, answer.json()["detail"][:16]) == (400, "JSON parse error")


def test_a_form_body_is_refused(beas, lent):
    address = f"/api/v1/assignments/{lent}/annotation/"
    content_type = "application/x-www-form-urlencoded"
    assert beas.generic("POST", address, "answer=yes", content_type=content_type).status_code == 415


def test_a_withdrawn_clip_is_gone(alice, beas, lent):
    consent.withdraw(alice, NOW)
    assert hear(beas, lent).status_code == hand_in(beas, lent).status_code == 410


def test_a_late_answer_without_room_is_refused(beas, lent):
    Assignment.objects.update(expires_at=NOW)
    leases.reclaim(NOW)
    Campaign.objects.update(min_annotations=1, max_annotations=1)
    Task.objects.update(annotation_count=1, wanted=1)
    assert hand_in(beas, lent).status_code == 409


def test_a_skipped_clip_is_offered_only_to_others(beas, carls, lent):
    for _ in range(2):
        answer = beas.post(f"/api/v1/assignments/{lent}/skip/")
        assert (answer.status_code, answer.content) == (204, b"")
    assert hand_in(beas, lent).status_code == 409
    assert beas.post(LEND).json()["assignments"] == []
    assert len(carls.post(LEND).json()["assignments"]) == 1


def test_an_answered_clip_cannot_be_skipped(beas, lent):
    hand_in(beas, lent)
    assert beas.post(f"/api/v1/assignments/{lent}/skip/").status_code == 409


@pytest.mark.parametrize("reason", ["private", "other-person", "offensive"])
def test_a_report_hides_the_clip_from_everyone_immediately(beas, carls, lent, reason):
    [his] = carls.post(LEND).json()["assignments"]
    answer = beas.post(f"/api/v1/assignments/{lent}/report/", {"reason": reason}, format="json")
    assert (answer.status_code, answer.content) == (204, b"")
    assert hear(carls, his["id"]).status_code == 410
    assert hear(beas, lent).status_code == 409


@pytest.mark.parametrize("body", [{}, {"reason": "boring"}, {"reason": None}, {"reason": ["private"]}])
def test_a_report_without_a_valid_reason_is_refused_with_the_fields_name(beas, task, lent, body):
    answer = beas.post(f"/api/v1/assignments/{lent}/report/", body, format="json")
    assert (answer.status_code, list(answer.json())) == (400, ["reason"])
    assert not Clip.objects.exclude(hidden_at=None).exists()


def test_a_report_may_mark_a_part_of_the_clip_which_reviewers_see(beas, lent, client, rita):
    body = {"reason": "private", "part": [0.25, 0.5]}
    assert beas.post(f"/api/v1/assignments/{lent}/report/", body, format="json").status_code == 204
    client.force_login(rita)
    page = client.get(page_of(ReviewItem.objects.get())).content.decode()
    assert "Marked: 0.2 to 0.5 s" in page or "Marked: 0.3 to 0.5 s" in page


@pytest.mark.parametrize("part", [[0.5, 0.25], [-1, 0.5], [0, 99], [0], ["a", "b"], ["nan", "nan"], "all"])
def test_a_marked_part_outside_the_clip_is_refused(beas, lent, part):
    body = {"reason": "private", "part": part}
    answer = beas.post(f"/api/v1/assignments/{lent}/report/", body, format="json")
    assert answer.status_code == 400 and "part" in str(answer.json())
    assert not Clip.objects.exclude(hidden_at=None).exists()


def test_an_answer_can_be_changed(beas, bea, lent):
    pk = hand_in(beas, lent).json()["id"]
    changed = call(beas, *CHANGE, pk)
    assert (changed.status_code, changed.json()) == (200, {"id": pk})
    assert bea.annotations.get().answer == "no"


def test_an_answer_cannot_be_changed_to_an_invalid_one(beas, bea, lent):
    pk = hand_in(beas, lent).json()["id"]
    refused = call(beas, "patch", CHANGE[1], {"answer": "maybe"}, pk)
    assert (refused.status_code, "answer is one of" in refused.json()["detail"]) == (400, True)
    assert bea.annotations.get().answer == "yes"


def test_an_answer_that_is_not_among_the_last_cannot_be_changed(beas, bea, lent, juniper, add_tasks):
    pk = hand_in(beas, lent).json()["id"]
    for number, task in enumerate(add_tasks(juniper, assignments.CHANGEABLE), start=1):
        later = Annotation.objects.get(pk=pk).created_at + timedelta(seconds=number)
        Annotation.objects.create(task=task, annotator=bea, answer="yes", created_at=later)
    assert call(beas, *CHANGE, pk).status_code == 409


@pytest.mark.parametrize(("method", "address", "body"), [*ASSIGNMENT_CALLS, CHANGE])
def test_rows_of_other_people_answer_like_rows_that_do_not_exist(beas, carls, lent, method, address, body):
    pk = hand_in(beas, lent).json()["id"] if "annotations" in address else lent
    before = list(Assignment.objects.values()), list(Annotation.objects.values()), list(Clip.objects.values())
    beas_row, no_row = (call(carls, method, address, body, one) for one in (pk, MISSING))
    assert beas_row.status_code == no_row.status_code == 404
    assert beas_row.content == no_row.content == b'{"detail":"Not found."}'
    after = list(Assignment.objects.values()), list(Annotation.objects.values()), list(Clip.objects.values())
    assert after == before


@pytest.mark.parametrize(("method", "address", "body"), EVERY_CALL)
def test_every_call_needs_a_token(juniper, method, address, body):
    answer = call(APIClient(), method, address, body)
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Token")


@pytest.mark.parametrize("token", ["", "Token", "Token 1234", "Bearer 1234", "Token 12 34"])
def test_an_invalid_token_is_refused(juniper, token):
    program = APIClient()
    program.credentials(HTTP_AUTHORIZATION=token)
    assert program.post(LEND).status_code == 401


@mutant(
    "the token of a person who left is refused",
    "accounts/tokens.py",
    kept_by="        if not person.may_log_in:\n",
    broken="        if False:\n",
)
@pytest.mark.parametrize("end", ["revoked", "closed account"])
def test_a_revoked_token_and_one_of_a_closed_account_are_refused(beas, bea, task, end):
    assert beas.get(CAMPAIGNS).status_code == 200
    if end == "revoked":
        bea.tokens.all().delete()
    else:
        type(bea).objects.filter(pk=bea.pk).update(is_active=False)
    assert beas.get(CAMPAIGNS).status_code == beas.post(LEND).status_code == 401


@pytest.mark.parametrize(("method", "address", "body"), EVERY_CALL[1:])
def test_people_who_are_not_volunteers_are_refused(sam, juniper, method, address, body):
    answer = call(program_of(sam, list(Scope)), method, address, body)
    assert (answer.status_code, "role volunteer" in answer.json()["detail"]) == (403, True)


def test_a_session_with_its_csrf_token_works_like_a_token(bea, task):
    browser = APIClient(enforce_csrf_checks=True)
    browser.force_login(bea)
    browser.cookies["csrftoken"] = "a" * 32
    assert browser.get(CAMPAIGNS).status_code == 200
    assert browser.post(LEND).status_code == 403
    assert browser.post(LEND, headers={"X-CSRFToken": "b" * 32}).status_code == 403
    assert not Assignment.objects.exists()
    assert browser.post(LEND, headers={"X-CSRFToken": "a" * 32}).status_code == 201


@pytest.mark.parametrize(("method", "address", "body"), EVERY_CALL)
def test_other_methods_are_refused(beas, method, address, body):
    assert call(beas, "delete", address).status_code == 405


@pytest.mark.filterwarnings("error")
def test_the_schema_is_valid_without_a_warning(tmp_path):
    call_command("spectacular", validate=True, fail_on_warn=True, file=str(tmp_path / "schema.yaml"))
    assert yaml.safe_load((tmp_path / "schema.yaml").read_text())["info"]["title"] == "Tagger"


def test_the_schema_is_served_and_contains_every_call(db):
    served = yaml.safe_load(APIClient().get("/api/v1/schema/").content)
    paths = {
        path.replace("{id}", "{}").replace("{slug}", "juniper"): calls
        for path, calls in served["paths"].items()
    }
    assert all(method in paths[address] for method, address, _ in EVERY_CALL)
