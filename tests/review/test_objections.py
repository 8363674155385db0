"""'I still think …': once for each answer, heard by a reviewer who is not concerned, gone with its person."""

from datetime import timedelta

import pytest
from rest_framework.test import APIClient

from accounts.models import Role, User
from datasets.models import Annotation, Task, Withdrawal
from datasets.normalise import BadTranscript
from tagger.desk import differences, objections
from tagger.lending.quotas import QuotaReached
from tagger.lending.refusals import AnswerRefusal
from tagger.models import Decision, Objection, ReviewItem
from tagger.privacy import personal_data, withdrawal
from tagger.review import acts, bulk, evidence, queue, undo
from tagger.settling import settlement
from tests.conftest import NOW
from tests.privacy.test_withdrawal import scrub_all
from tests.support.differing import answer, answer_more, differ
from tests.support.mutants import mutant
from tests.support.refused import refused
from tests.support.reviewing import as_reviewers, dispute_over, page_of

EARLIER = NOW - timedelta(days=2)
LATER = NOW + timedelta(hours=1)
Reason = ReviewItem.Reason


@pytest.fixture
def given(bea, juniper, share, add_tasks):
    """Bea said yes; it was settled as no."""
    made = differ(bea, share(juniper), "yes", "no", EARLIER)
    answer_more(bea, add_tasks(juniper, 10), NOW)
    return made


@pytest.fixture
def written(bea, juniper, sentences, share, add_tasks):
    made = differ(bea, share(sentences), "burn all the kites", "burn all the lights", EARLIER)
    answer_more(bea, add_tasks(juniper, 10), NOW)
    return made


def told(person):
    """What the volunteer sees of their one objection."""
    [one] = [each for each in differences.page(person)[0] if each.objection]
    return one.outcome, one.decided


def object_to(made, text="yes", note="", now=NOW):
    return objections.store(made.annotator, made.pk, text, note, now)


def opened(made):
    return ReviewItem.objects.open().with_keys().get(task=made.task_id)


def test_an_item_is_opened_and_the_task_keeps_its_answer_meanwhile(bea, rita, given):
    object_to(given, note="she says it twice")
    item = opened(given)
    assert (item.kind, item.reason) == ("dispute", Reason.OBJECTION) and list(queue.open_to(rita)) == [item]
    settlement.settle(given.task_id, LATER)
    task = Task.objects.get(pk=given.task_id)
    seen = evidence.of(item, NOW)
    [made] = seen.objections
    assert (made.volunteer, made.label, made.note) == (bea.pk, "Yes", "she says it twice")
    assert told(bea) == ("waiting", "")
    assert task.answer == "no" or task.status != "settled"


def test_votes_that_agree_do_not_close_it(bea, carl, juniper, given):
    answer(carl, given.task, "no", NOW)
    Task.objects.filter(pk=given.task_id).update(adjudicated=True, annotation_count=2)
    object_to(given)
    settlement.settle(given.task_id, LATER)
    assert opened(given).reason == Reason.OBJECTION
    assert Task.objects.get(pk=given.task_id).answer == "no"


@mutant(
    "a volunteer objects to a settled answer once",
    "tagger/desk/objections.py",
    kept_by="    if differing.has_objection(given):\n",
    broken="    if False:\n",
)
def test_once_for_each_answer(given):
    object_to(given)
    with refused(AnswerRefusal.OBJECTED_ALREADY):
        object_to(given, "noise")
    assert Objection.objects.get().answer == "yes"


@mutant(
    "a volunteer objects only on answers of their own",
    "tagger/desk/objections.py",
    kept_by="    given = differing.find(annotator, pk)\n",
    broken="    given = Annotation.objects.select_related('task__campaign', 'task__clip').get(pk=pk)\n",
)
def test_no_one_objects_on_the_answer_of_another_or_where_nothing_differs(bea, carl, given, add_tasks):
    with pytest.raises(Annotation.DoesNotExist):
        objections.store(carl, given.pk, "yes", "", NOW)
    last = bea.annotations.order_by("-created_at", "-pk")[0]
    with pytest.raises(Annotation.DoesNotExist):
        object_to(last)
    assert not Objection.objects.exists() and not ReviewItem.objects.exists()


def test_what_makes_no_sense_is_refused(bea, given, written):
    with refused(AnswerRefusal.SAME_AS_SETTLED):
        object_to(given, "no")
    with refused(AnswerRefusal.SAME_AS_SETTLED):
        object_to(written, "Burn, all the LIGHTS")
    with refused(AnswerRefusal.NOTE_HAS_EMAIL):
        object_to(given, note="write to bea@example.org")
    with pytest.raises(BadTranscript):
        object_to(written, "\0")
    assert not Objection.objects.exists()


@mutant(
    "nobody writes down again what was silenced by objecting",
    "tagger/desk/objections.py",
    kept_by="    if given.task.clip.silenced:",
    broken="    if False:",
)
def test_a_clip_with_silenced_seconds_takes_none(client, bea, written):
    type(written.task.clip).objects.update(silenced=[[0.0, 0.1]])
    with refused(AnswerRefusal.CLIP_GONE):
        object_to(written, "burn all the kites")
    client.force_login(bea)
    page = client.get("/my-answers/differences/").content.decode()
    assert "cannot be judged again" in page and "I still think" not in page


@mutant(
    "one person sends reviewers no flood of objections",
    "tagger/desk/objections.py",
    kept_by="    quotas.check_objection(annotator, now)\n",
    broken="",
)
def test_only_so_many_in_a_day(settings, bea, juniper, add_tasks):
    settings.OBJECTIONS_A_DAY = 2
    made = [differ(bea, task, "yes", "no", EARLIER) for task in add_tasks(juniper, 4)]
    answer_more(bea, add_tasks(juniper, 10), NOW)
    object_to(made[0])
    object_to(made[1])
    with pytest.raises(QuotaReached) as reached:
        object_to(made[2], now=LATER)
    assert (reached.value.code, reached.value.seconds) == ("objecting-quota", 23 * 3600)
    object_to(made[2], now=NOW + timedelta(days=1))
    settings.OBJECTIONS_A_DAY = 0
    object_to(made[3], now=NOW + timedelta(days=1))


@pytest.mark.django_db(transaction=True)
def test_sent_twice_at_the_same_moment_it_is_one(bea, given, run_together):
    done = run_together(*[lambda: object_to(given).pk] * 3)
    assert sorted(isinstance(each, int) for each in done) == [False, False, True]
    assert Objection.objects.count() == ReviewItem.objects.count() == 1


def test_a_dispute_that_is_open_already_is_joined(bea, given):
    item = dispute_over(given.task, EARLIER)
    object_to(given)
    assert ReviewItem.objects.get() == item and len(evidence.of(opened(given), NOW).objections) == 1


@mutant(
    "whoever objects, gave the clip or voted on it never reviews the objection",
    "tagger/review/queue.py",
    kept_by="~Exists(own_answer), ",
    broken="",
)
def test_who_objected_gave_the_clip_or_voted_never_gets_it(alice, bea, carl, rita, given):
    answer(carl, given.task, "no", NOW)
    object_to(given)
    assert [list(queue.open_to(each)) for each in as_reviewers(alice, bea, carl)] == [[], [], []]
    assert queue.take(bea, queue.EVERYTHING, NOW) is None
    assert queue.take(rita, queue.EVERYTHING, NOW) == opened(given)


def test_who_objected_is_told_what_a_reviewer_decided(bea, rita, given):
    object_to(given)
    decision = acts.accept(opened(given), rita, "yes", LATER)
    assert told(bea) == ("agreed", "yes") and Task.objects.get(pk=given.task_id).answer == "yes"
    undo.undo(decision, rita, LATER)
    assert told(bea)[0] == "waiting" and Task.objects.get(pk=given.task_id).answer == "no"
    acts.accept(opened(given), rita, "no", LATER)
    assert told(bea)[0] == "kept"


@pytest.mark.parametrize(
    ("decide", "outcome"),
    [
        (lambda item, rita: acts.accept(item, rita, "burn all the bikes", LATER), "decided"),
        (lambda item, rita: acts.accept(item, rita, "Burn all the lights", LATER), "kept"),
        (lambda item, rita: acts.ask_more(item, rita, 2, LATER), "asked-more"),
        (lambda item, rita: acts.call_unusable(item, rita, "sound", LATER), "unusable"),
    ],
)
def test_and_so_with_words(bea, rita, written, decide, outcome):
    object_to(written, "burn all the kites")
    decide(opened(written), rita)
    assert told(bea)[0] == outcome


def test_an_earlier_decision_is_no_answer_to_it(bea, rita, given):
    acts.accept(dispute_over(given.task, EARLIER), rita, "no", EARLIER)
    object_to(given)
    assert told(bea)[0] == "waiting"


def test_a_second_look_does_not_learn_the_first_decision_from_it(given):
    object_to(given)
    ReviewItem.objects.update(reason=Reason.SECOND_LOOK)
    assert evidence.of(opened(given), NOW).settled is None


def test_it_is_not_played_through_with_many_others(rita, given):
    object_to(given)
    assert bulk.take(rita, queue.EVERYTHING, NOW) == []


@pytest.mark.parametrize(("button", "settled"), [("yes", "yes"), ("no", "no")])
def test_the_reviewer_accepts_it_or_keeps_the_answer_by_one_button(client, rita, given, button, settled):
    object_to(given)
    client.force_login(rita)
    item = opened(given)
    page = client.get(page_of(item)).content.decode()
    section = page.split('id="objections"')[1].split("</section>")[0]
    assert f'name="answer" value="{button}"' in section and "volunteer" in section
    client.post(f"{page_of(item)}accept/", {"answer": [button]})
    assert Task.objects.get(pk=given.task_id).answer == settled


def test_the_button_counts_and_not_what_is_in_the_box(client, rita, written):
    object_to(written, "burn all the kites")
    client.force_login(rita)
    sent = {"answer": ["something else", "burn all the kites"]}  # the box, then the button
    client.post(f"{page_of(opened(written))}accept/", sent)
    assert Task.objects.get(pk=written.task_id).answer == "burn all the kites"


# --- the page and the API -------------------------------------------------------------------------


def test_the_form_works_without_a_script(client, bea, written):
    client.force_login(bea)
    page = client.get("/my-answers/differences/").content.decode()
    address = f"/my-answers/differences/{written.pk}/object/"
    assert f'action="{address}"' in page and ">burn all the kites</textarea>" in page
    sent = client.post(address, {"answer": "burn all the kits", "note": "a slip"})
    assert sent["Location"] == f"/my-answers/differences/#answer-{written.pk}"
    page = client.get("/my-answers/differences/").content.decode()
    assert "burn all the kits" in page and "A reviewer has not heard it yet" in page
    assert "I still think" not in page


def test_what_is_refused_stays_in_the_form(client, bea, written):
    client.force_login(bea)
    address = f"/my-answers/differences/{written.pk}/object/"
    again = client.post(address, {"answer": "burn the kites", "note": "call 030 1234567"})
    page = again.content.decode()
    assert again.status_code == 400 and "long number" in page
    assert ">burn the kites</textarea>" in page and ">call 030 1234567</textarea>" in page
    assert client.post(address, {"answer": ""}).status_code == 400
    assert not Objection.objects.exists()


def test_no_one_else_can_send_it(client, carl, given):
    client.force_login(carl)
    assert client.post(f"/my-answers/differences/{given.pk}/object/", {"answer": "yes"}).status_code == 404


def test_a_program_can_object(bea, carl, given, written):
    caller = APIClient()
    caller.force_authenticate(bea)

    def send(made, **sent):
        return caller.post(f"/api/v1/differences/{made.pk}/objection/", sent, format="json")

    assert send(given, answer="yes", note="hm").status_code == 201
    again = send(given, answer="yes")
    assert (again.status_code, again.json()["detail"]) == (
        409,
        "You already said what you think of this clip.",
    )
    assert send(written, transcript="burn all the lights").status_code == 409
    assert send(written, transcript="burn all the kits").status_code == 201
    sent = caller.get("/api/v1/differences/").json()["differences"]
    listed = {each["annotation"]: each["objection"] for each in sent}
    assert [listed[each.pk]["answer"] for each in (given, written)] == ["yes", "burn all the kits"]
    caller.force_authenticate(carl)
    assert send(given, answer="yes").status_code == 404


# --- erasure --------------------------------------------------------------------------------------


def test_the_words_are_sealed(written):
    object_to(written, "burn all the kites", "he says kites")
    row = Objection.objects.values().get()
    assert not row["plain_answer"] and not row["plain_note"]
    assert b"kites" not in bytes(row["sealed_answer"]) + bytes(row["sealed_note"])


def test_it_goes_with_the_clip(alice, written):
    object_to(written, "burn all the kites")
    withdrawal.forget_contributor(alice, NOW)
    scrub_all()
    assert not Objection.objects.exists() and not ReviewItem.objects.exists()


@mutant(
    "an objection is erased when its person leaves their answers behind",
    "tagger/privacy/kept_answers.py",
    kept_by="    objections = Objection.objects.filter(annotation__in=given).erase()\n",
    broken="    objections = 0\n",
)
@mutant(
    "no item tells that whoever left had objected",
    "tagger/models.py",
    kept_by="        items.filter(closed_at=None, decisions=None).delete()\n",
    broken="",
)
def test_it_goes_with_its_person_though_the_answer_stays(bea, given):
    object_to(given)
    withdrawal.forget_account(bea, keep_answers=True, now=NOW)
    scrub_all()
    assert not Objection.objects.exists() and not ReviewItem.objects.exists()
    assert Annotation.objects.filter(task=given.task_id).count() == 1
    assert Withdrawal.objects.get().counts["objections"] == 1


@mutant(
    "no item that was decided tells that whoever left had objected",
    "tagger/models.py",
    kept_by="        items.update(reason=ReviewItem.Reason.NO_AGREEMENT)\n",
    broken="",
)
@pytest.mark.parametrize("keep", [True, False])
def test_what_was_decided_stays_and_does_not_tell_that_they_objected(bea, rita, given, keep):
    object_to(given)
    acts.accept(opened(given), rita, "yes", NOW)
    withdrawal.forget_account(bea, keep_answers=keep, now=NOW)
    scrub_all()
    assert not Objection.objects.exists() and Decision.objects.get().answer == "yes"
    assert ReviewItem.objects.get().reason == Reason.NO_AGREEMENT


def test_another_persons_objection_stays_and_so_does_the_item(bea, carl, juniper, add_tasks, given):
    object_to(given)
    other = answer(carl, given.task, "noise", EARLIER)
    answer_more(carl, add_tasks(juniper, 10), NOW)
    object_to(other, "noise")
    withdrawal.forget_account(bea, keep_answers=True, now=NOW)
    scrub_all()
    assert Objection.objects.get().annotation == other and opened(given).reason == Reason.OBJECTION


def test_it_is_in_the_persons_own_download(bea, written):
    object_to(written, "burn all the kites", "he says kites")
    files = dict(personal_data._files(bea, NOW))
    assert b'"burn all the kites"' in b"".join(files["objections.jsonl"])
    assert b"he says kites" in b"".join(dict(personal_data._files(bea, NOW))["objections.jsonl"])


def test_who_is_no_volunteer_has_no_such_page(client, db, given):
    client.force_login(User.objects.create_user("kim", roles=[Role.CONTRIBUTOR]))
    assert client.get("/my-answers/differences/").status_code == 403
