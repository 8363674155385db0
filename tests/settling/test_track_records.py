"""New people alone settle nothing: someone with a track record must be among those who answered.

Mona has one; Sol and Sal came a moment ago, and may be one person with two accounts.
"""

from datetime import timedelta
from itertools import cycle

import pytest
from django.core.management import call_command
from django.db.models import F
from django.test import Client
from django.urls import reverse

from accounts.models import User
from datasets import campaigns
from datasets.models import Annotation, Campaign, Task
from tagger.learning import refit
from tagger.lending import assignments, controls
from tagger.models import Assignment, Control, ReviewItem, TrackRecord
from tagger.privacy import withdrawal
from tagger.review import acts
from tagger.settling import certificates, settlement, track_records
from tagger.tasks import settle
from tagger.welcome import pledge
from tests.conftest import NOW
from tests.desk.test_api import program_of
from tests.privacy.test_withdrawal import scrub_all
from tests.support import takeout
from tests.support.mutants import mutant

pytestmark = pytest.mark.django_db
LABELS = cycle(["yes", "no", "similar", "noise"])


@pytest.fixture
def juniper(juniper):
    juniper.needs_track_record = True
    juniper.save()
    return juniper


@pytest.fixture
def sentences(sentences):
    sentences.needs_track_record = True
    sentences.save()
    return sentences


@pytest.fixture
def people(db):
    def some(*names, **more):
        return [
            User.objects.create_user(name, pledge=pledge.VERSION, date_joined=NOW, **more) for name in names
        ]

    return some


@pytest.fixture
def sol(people):
    return people("sol")[0]


@pytest.fixture
def sal(people):
    return people("sal")[0]


@pytest.fixture
def mona(people):
    [person] = people("mona")
    for kind in Campaign.Kind:
        track_records.grant(kind, "en", [person.pk])
    TrackRecord.objects.update(is_new=False)
    return person


@pytest.fixture(params=["juniper", "sentences"])
def task(request, add_tasks):
    return add_tasks(request.getfixturevalue(request.param), 1)[0]


def answer_of(task):
    return "yes" if task.campaign.slug == "juniper" else "turn on the lamp"


def give(task, *several, answer="", settled=True):
    for person in several:
        text = answer or answer_of(task)
        Annotation.objects.create(task=task, annotator=person, answer=text, created_at=NOW)
        Task.objects.filter(pk=task.pk).update(annotation_count=F("annotation_count") + 1, dirty_since=NOW)
        if settled:
            settlement.settle(task.pk, NOW)
    return fresh(task)


def fresh(task):
    return Task.objects.select_related("campaign", "clip__contributor__data_key").get(pk=task.pk)


def has_record(person):
    return TrackRecord.objects.filter(annotator=person).exists()


@mutant(
    "new people alone settle nothing",
    "tagger/settling/certificates.py",
    kept_by="    if record is TrackRecord.MISSING:\n",
    broken="    if False:\n",
)
def test_two_new_people_settle_nothing_together(task, sol, sal):
    task = give(task, sol, sal)
    assert (task.status, task.answer, task.awaits_record, task.wanted) == ("open", None, True, 3)


@mutant(
    "someone with a track record settles a task together with new people",
    "tagger/settling/settlement.py",
    kept_by="each.annotator_id in with_record for each",
    broken="False for each",
)
def test_with_someone_who_has_a_track_record_it_is_settled(task, sol, sal, mona):
    task = give(task, sol, sal, mona)
    assert (task.status, task.answer, task.awaits_record) == ("settled", answer_of(task), False)


def test_whoever_has_one_comes_first_or_last(task, sol, mona):
    assert give(task, mona, sol).status == "settled"


def test_two_who_differ_await_no_track_record(task, sol, sal):
    assert not give(give(task, sol), sal, answer="no").awaits_record


def test_a_track_record_counts_in_its_own_crowd_only(task, sol, people):
    [eva] = people("eva")
    other = {Campaign.Kind.WAKE_WORD: "transcription", Campaign.Kind.TRANSCRIPTION: "wake-word"}
    track_records.grant(other[task.campaign.kind], "en", [eva.pk])
    track_records.grant(task.campaign.kind, "de", [eva.pk])
    assert give(task, sol, eva).status == "open"


def test_a_reviewer_has_one(task, sol, rita):
    assert give(task, sol, rita).status == "settled"


def test_at_max_annotations_it_is_a_dispute_that_a_reviewer_decides(task, people, rita):
    task = give(task, *people(*"abcdefg"))
    assert (task.status, task.annotation_count) == ("disputed", 7)
    acts.accept(ReviewItem.objects.get(), rita, answer_of(task), NOW)
    settlement.settle(task.pk, NOW)
    task = fresh(task)
    assert (task.status, task.adjudicated, task.awaits_record) == ("settled", True, False)


@mutant(
    "tasks that only lacked a track record settle by themselves once it is there",
    "tagger/tasks.py",
    kept_by="    track_records.recount(timezone.now())\n",
    broken="",
)
def test_once_one_of_them_has_a_track_record_it_settles_by_itself(task, sol, sal):
    give(task, sol, sal)
    track_records.grant(task.campaign.kind, "en", [sal.pk])
    settle()
    assert fresh(task).status == "settled"
    assert not TrackRecord.objects.filter(is_new=True).exists()


def test_a_dispute_that_only_lacked_it_is_closed_by_it(task, people):
    several = people(*"abcdefg")
    give(task, *several)
    track_records.grant(task.campaign.kind, "en", [several[3].pk])
    settle()
    assert (fresh(task).status, ReviewItem.objects.open().count()) == ("settled", 0)


def test_a_recount_that_was_killed_is_done_again(juniper, add_tasks, sol, sal, monkeypatch):
    tasks = add_tasks(juniper, 5)
    for task in tasks:
        give(task, sol, sal)
    monkeypatch.setattr(track_records, "BATCH_SIZE", 2)
    mark, done = track_records._mark_dirty, []

    def killed_after_one(*given):
        if done:
            raise KeyboardInterrupt
        done.append(mark(*given))
        return done[0]

    track_records.grant(juniper.kind, "en", [sol.pk])
    monkeypatch.setattr(track_records, "_mark_dirty", killed_after_one)
    with pytest.raises(KeyboardInterrupt):
        settle()
    monkeypatch.setattr(track_records, "_mark_dirty", mark)
    settle()
    assert Task.objects.filter(status="settled").count() == 5


def test_only_tasks_that_lacked_it_are_counted_again(juniper, sentences, add_tasks, sol, sal):
    waiting, other, alone = add_tasks(juniper, 1)[0], add_tasks(sentences, 1)[0], add_tasks(juniper, 1)[0]
    give(waiting, sol, sal), give(other, sol, sal), give(alone, sol)
    track_records.grant(juniper.kind, "en", [sol.pk])
    assert track_records.recount(NOW) == 1
    assert fresh(waiting).dirty_since and not fresh(other).dirty_since and not fresh(alone).dirty_since


# How a track record is gained.


@pytest.fixture
def control(task, mona, people):
    """A trusted control, settled by people of whom one has a track record."""
    give(task, mona, *people("nia", "ned", "noa"))
    Task.objects.update(confidence=0.95)
    task = fresh(task)
    return Control.objects.create(task=task, campaign=task.campaign, answer=task.answer, since=NOW)


def meets(control, person, answer, role=Assignment.Role.CONTROL):
    task = control.task
    Assignment.objects.create(
        task=task, annotator=person, role=role, state="done", lent_at=NOW, expires_at=NOW
    )
    give(task, person, answer=answer, settled=False)
    settlement.settle(task.pk, NOW)


def test_a_right_answer_to_a_control_gives_one(control, sol):
    meets(control, sol, answer_of(control.task))
    assert has_record(sol)


@mutant(
    "a wrong answer to a control gives no track record",
    "tagger/settling/track_records.py",
    kept_by=" if is_right(given)}",
    broken="}",
)
def test_a_wrong_answer_to_a_control_gives_none(control, sol):
    meets(control, sol, "no")
    Task.objects.update(confidence=0.95, status="settled")  # it is trusted all the same
    track_records.grant_for_controls(control.campaign.kind, "en")
    assert not has_record(sol)


@mutant(
    "an answer from before a task was a control gives no track record",
    "tagger/settling/track_records.py",
    kept_by="        task__assignments__role=Assignment.Role.CONTROL,\n",
    broken="",
)
def test_an_answer_from_before_it_was_a_control_gives_none(control, sol):
    meets(control, sol, answer_of(control.task), Assignment.Role.VOTE)
    assert not has_record(sol)


def test_a_control_that_is_not_trusted_yet_gives_none_until_it_is(control, sol, sal):
    Task.objects.update(confidence=0.8)
    Assignment.objects.create(
        task=control.task, annotator=sol, role="control", state="done", lent_at=NOW, expires_at=NOW
    )
    Annotation.objects.create(
        task=control.task, annotator=sol, answer=answer_of(control.task), created_at=NOW
    )
    track_records.grant_for_controls(control.campaign.kind, "en")
    assert not has_record(sol)
    Task.objects.update(confidence=0.95)
    track_records.grant_for_controls(control.campaign.kind, "en")
    assert has_record(sol)


def answers(person, campaign, number, add_tasks, by=()):
    for task in add_tasks(campaign, number):
        label = next(LABELS)
        for each in (person, *by):
            give(task, each, answer=label, settled=False)


@mutant(
    "many answers give a track record only to an account that is a day old",
    "tagger/learning/earned.py",
    kept_by="is_active=True, date_joined__lte=now - settings.TRACK_RECORD_AGE)",
    broken="is_active=True)",
)
def test_fifty_answers_and_a_day_give_one(juniper, add_tasks, sol, sal):
    answers(sol, juniper, 50, add_tasks, by=[sal])
    Annotation.objects.filter(annotator=sal).earliest("pk").delete()
    refit.refit(juniper.kind, "en", NOW + timedelta(hours=23, minutes=59))
    assert not TrackRecord.objects.exists()
    refit.refit(juniper.kind, "en", NOW + timedelta(hours=24))
    assert has_record(sol) and not has_record(sal)
    settle()  # sal's answers too, because sol is known
    assert Task.objects.filter(status="settled").count() == 49


def test_answers_that_weigh_little_give_none(juniper, add_tasks, sol, people):
    careful = people("ann", "bob", "cid")
    for task in add_tasks(juniper, 60):
        label = next(LABELS)
        give(task, *careful, answer=label, settled=False)
        give(task, sol, answer="no" if label == "yes" else "yes", settled=False)
    refit.refit(juniper.kind, "en", NOW + timedelta(days=2))
    assert all(map(has_record, careful)) and not has_record(sol)


def test_the_first_volunteers_of_a_new_site_settle_what_they_answered_a_day_later(juniper, add_tasks, people):
    """No control, no reviewer; and no clip was answered by more people than are needed."""
    several = people("ann", "bob", "cid")
    add_tasks(juniper, 75)
    for _ in range(50):
        for person in several:
            for lent in assignments.lend(person, juniper, 1, NOW):
                assignments.hand_in(person, lent.pk, "yes", NOW)
        settle()
    assert set(Task.objects.values_list("annotation_count", "awaits_record")) == {(2, True)}
    refit.refit(juniper.kind, "en", NOW + timedelta(days=1))
    settle()
    assert Task.objects.filter(status="settled").count() == 75


# Who is lent what.


@mutant(
    "new people get tasks that await a track record last",
    "tagger/lending/candidates.py",
    kept_by="if track_records.may_help(annotator, campaign) else",
    broken="if True else",
)
def test_new_people_get_tasks_that_await_a_track_record_last(juniper, add_tasks, sol, sal, people, mona):
    for task in add_tasks(juniper, 3):
        give(task, sol, sal)
    add_tasks(juniper, 3)
    [eva] = people("eva")
    waiting = set(Task.objects.filter(awaits_record=True).values_list("pk", flat=True))

    def first_three(person):
        lent = [each for _ in range(3) for each in assignments.lend(person, juniper, 1, NOW)]
        return {each.task_id for each in lent}

    assert first_three(mona) == waiting
    Assignment.objects.all().delete()
    Task.objects.update(lent_count=0)
    assert not first_three(eva) & waiting
    assert first_three(eva) == waiting


# What is settled stays settled; what is kept stays what it was.


def leave(person, keep):
    withdrawal.forget_account(person, keep, NOW)
    scrub_all()
    settle()


@mutant(
    "what is settled stays settled when the person with the track record is erased",
    "tagger/settling/settlement.py",
    kept_by="settled_as = task.answer if task.status == Task.Status.SETTLED else None",
    broken="settled_as = None",
)
def test_what_is_settled_stays_settled_without_the_person_who_had_it(task, sol, sal, mona):
    give(task, sol, sal, mona)
    leave(mona, keep=False)
    task = fresh(task)
    assert (task.status, task.answer, task.annotation_count) == ("settled", answer_of(task), 2)
    assert certificates.mismatch(task) == ""
    assert task.certificate["track_record"] == "settled before"
    assert not has_record(mona)


@mutant(
    "a kept answer counts as that of someone with a track record if its person had one",
    "tagger/privacy/kept_answers.py",
    kept_by="        of_crowd.filter(pk__in=tasks).update(kept_record=True)\n",
    broken="        pass\n",
)
def test_a_kept_answer_counts_as_what_it_was(task, sol, sal, mona):
    give(task, mona)
    leave(mona, keep=True)
    assert give(task, sol, sal).status == "settled"
    assert not has_record(mona)


def test_a_kept_answer_of_someone_new_vouches_for_nothing(task, sol, sal, people):
    give(task, sol)
    leave(sol, keep=True)
    assert give(task, sal, *people("eva")).status == "open"


def test_what_an_older_site_settled_is_not_opened_again(task, sol, sal):
    Campaign.objects.update(needs_track_record=False)
    give(task, sol, sal)
    Campaign.objects.update(needs_track_record=True)
    Task.objects.update(dirty_since=NOW)
    refit.refit(task.campaign.kind, "en", NOW)
    settle()
    assert fresh(task).status == "settled"


def test_another_answer_than_the_settled_one_needs_a_track_record_again(juniper, add_tasks, sol, sal, people):
    juniper.needs_track_record = False
    juniper.save()
    [task] = add_tasks(juniper, 1)
    give(task, sol, sal)
    Campaign.objects.update(needs_track_record=True)
    Annotation.objects.update(plain_answer="no")
    settlement.settle(task.pk, NOW)
    assert (fresh(task).status, fresh(task).awaits_record) == ("open", True)


def test_a_campaign_that_needs_none_any_more_settles_what_waited(task, sol, sal):
    give(task, sol, sal)
    Campaign.objects.update(needs_track_record=False)
    refit.refit(task.campaign.kind, "en", NOW)
    settle()
    assert fresh(task).status == "settled"


@pytest.mark.parametrize("known", [False, True])
def test_its_certificate_says_what_was_known_and_is_recomputed_to_the_same_bytes(task, sol, sal, mona, known):
    task = give(task, sol, mona if known else sal)
    assert task.certificate["track_record"] == ("found" if known else "missing")
    track_records.grant(task.campaign.kind, "en", [sol.pk])
    refit.refit(task.campaign.kind, "en", NOW)
    assert certificates.mismatch(task) == ""


def test_tasks_that_wait_are_not_settled_again_every_hour(task, sol, sal):
    give(task, sol, sal)
    refit.refit(task.campaign.kind, "en", NOW)
    refit.refit(task.campaign.kind, "en", NOW)
    assert fresh(task).dirty_since is None


def test_no_one_who_is_gone_gets_one(juniper, sol, mona):
    leave(sol, keep=True)
    track_records.grant(juniper.kind, "en", [sol.pk])
    assert not has_record(sol)


def test_a_persons_download_says_where_they_have_one(mona):
    had = takeout.file_of(mona, "track-records.json")
    assert {"kind": "wake-word", "language": "en"} in had and len(had) == 2


def test_it_is_on_unless_a_campaign_says_otherwise(db):
    call_command("create_campaign", "by-default", kind="wake-word", language="en", wake_word="hey")
    call_command(
        "create_campaign", "without", kind="wake-word", language="en", wake_word="hey", no_track_record=True
    )
    needs = dict(Campaign.objects.values_list("slug", "needs_track_record"))
    assert needs == {"by-default": True, "without": False}
    assert campaigns.create(slug="c", kind="transcription", language="en").needs_track_record


# From the outside, as two accounts made by a script would.


def through_the_api(person, slug, answer):
    program = program_of(person)
    lent = program.post(f"/api/v1/campaigns/{slug}/assignments/", {"count": 10}, format="json").json()
    for each in lent["assignments"]:
        body = {"transcript": answer} if slug == "sentences" else {"answer": answer}
        done = program.post(f"/api/v1/assignments/{each['id']}/annotation/", body, format="json")
        assert done.status_code == 201


def through_the_page(person, slug, answer):
    browser = Client()
    browser.force_login(person)
    while True:
        browser.get(reverse("tag", args=[slug]))
        lent = person.assignments.filter(state="lent").first()
        if lent is None:
            return
        browser.post(reverse("hand_in", args=[lent.pk]), {"answer": answer})


@pytest.mark.parametrize("through", [through_the_api, through_the_page])
@pytest.mark.parametrize("slug", ["juniper", "sentences"])
def test_two_made_up_accounts_carry_no_text_into_a_release(request, slug, through, share, sol, sal, mona):
    campaign = request.getfixturevalue(slug)
    tasks = [share(campaign) for _ in range(2)]
    answer = "yes" if slug == "juniper" else "what was never said"
    for person in (sol, sal):
        through(person, slug, answer)
        settle()
    assert set(Task.objects.values_list("status", "annotation_count")) == {("open", 2)}
    through(mona, slug, answer)
    settle()
    assert {fresh(task).status for task in tasks} == {"settled"}


def test_controls_that_are_mixed_in_let_a_newcomer_settle_at_once(juniper, add_tasks, mona, people, dice):
    """As on a site that has run for a while: one right answer to a control is enough."""
    for task, label in zip(add_tasks(juniper, 4), LABELS, strict=False):
        give(task, mona, *people(*(f"{task.pk} {n}" for n in range(4))), answer=label)
    Task.objects.update(confidence=0.95)
    assert controls.rotate(juniper, NOW) == 4
    [new] = add_tasks(juniper, 1)
    [eva, ivo] = people("eva", "ivo")
    dice(0)
    truth = dict(Control.objects.values_list("task", "plain_answer"))
    for person in (eva, ivo):
        for lent in assignments.lend(person, juniper, 10, NOW):
            assignments.hand_in(person, lent.pk, truth.get(lent.task.pk, "yes"), NOW)
    settle()
    settle()
    assert fresh(new).status == "settled"
