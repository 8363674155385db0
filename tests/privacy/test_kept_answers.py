"""Answers that a person let stay are no one's: not even the whole database says which of them go together."""

import json
import signal
from datetime import UTC, datetime, timedelta
from importlib import import_module
from itertools import pairwise

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.urls import reverse

from accounts.models import User
from accounts.quarters import start
from datasets.models import Annotation, Task, Withdrawal
from tagger.learning import kept, refit
from tagger.lending import assignments
from tagger.models import CampaignReliability, Crowd, Decision, Reliability, Repeat, ReviewItem
from tagger.privacy import kept_answers, reconciler, tasks, withdrawal
from tagger.review import acts
from tagger.settling import kept_weights, settlement
from tagger.tasks import settle
from tests.conftest import NOW
from tests.privacy.test_my_clips import drawn
from tests.privacy.test_withdrawal import scrub_all
from tests.support.mutants import mutant
from tests.support.site import eventually

LABELS = ["yes", "similar", "no", "noise"]
QUARTER = start(NOW)
KEPT = Annotation.objects.filter(annotator=None)
LITTLE, AVERAGE, MUCH = Annotation.Weight


def give(task, person, answer, at=NOW):
    Annotation.objects.create(task=task, annotator=person, answer=answer, created_at=at)
    Task.objects.filter(pk=task.pk).update(annotation_count=F("annotation_count") + 1, dirty_since=at)


def leave(person, keep=True):
    """Leave, and let the worker do what follows."""
    token = withdrawal.forget_account(person, keep, NOW).token
    scrub_all()
    settle()
    return token


def refit_all():
    for campaign in refit.crowds():
        refit.refit(*campaign, NOW)
    settle()


@pytest.fixture
def answered(juniper, sentences, add_tasks, volunteers):
    """Forty clips labelled by three careful people, each with mistakes of their own, and one who always says
    yes, one clip a minute; and ten that the same people wrote down.
    """
    *careful, clicker = volunteers[:4]
    for number, task in enumerate(add_tasks(juniper, 40)):
        at = NOW + timedelta(minutes=number, microseconds=number)
        for place, person in enumerate(careful):
            give(task, person, LABELS[(number + (number % (20 - 4 * place) == place)) % 4], at)
        give(task, clicker, "yes", at)
    for number, task in enumerate(add_tasks(sentences, 10)):
        at = NOW + timedelta(hours=1, seconds=number)
        for place, person in enumerate(volunteers[:4]):
            give(task, person, f"turn on {'lamb' if number < place else 'lamp'} number {number}", at)
    refit_all()
    return Annotation.objects.all()


def naming(person):
    """The columns in which some row refers to this person."""
    found = set()
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            refers = (field.is_relation and field.related_model is User) or field.name == "person_id"
            if refers and model.objects.filter(**{field.attname: person.pk}).exists():
                found.add(f"{model.__name__}.{field.name}")
    return found


@mutant(
    "a kept answer has no annotator",
    "tagger/privacy/withdrawal.py",
    kept_by="            unname_answers(request, clock)\n",
    broken="            pass\n",
)
def test_no_row_but_the_record_of_the_erasure_names_a_person_who_left(answered, bea):
    assert naming(bea) == {
        "Annotation.annotator",
        "DataKey.person",
        "CampaignReliability.annotator",
        "Reliability.annotator",
    }
    leave(bea)
    assert naming(bea) == {"Withdrawal.person_id"}
    assert KEPT.count() == 50 == Withdrawal.objects.get().counts["answer_names"]


@mutant(
    "no time of a kept answer is finer than a quarter",
    "tagger/privacy/kept_answers.py",
    kept_by="date_trunc('quarter', old.created_at, 'UTC')",
    broken="old.created_at",
)
def test_no_time_of_a_kept_answer_is_finer_than_a_quarter(answered, bea):
    Annotation.objects.filter(annotator=bea).update(changed_at=NOW)
    leave(bea)
    assert set(KEPT.values_list("created_at", "changed_at")) == {(QUARTER, None)}


@mutant(
    "a task does not tell when a kept answer settled it",
    "tagger/privacy/kept_answers.py",
    kept_by='        settled_at=TruncQuarter("settled_at", tzinfo=UTC),\n',
    broken="",
)
def test_a_task_does_not_tell_when_a_kept_answer_settled_it(answered, bea):
    Task.objects.filter(status="settled").update(settled_at=NOW)
    leave(bea)
    assert set(Task.objects.filter(status="settled").values_list("settled_at", flat=True)) == {QUARTER}


@mutant(
    "a dispute does not tell when a kept answer opened it",
    "tagger/privacy/kept_answers.py",
    kept_by='.update(opened_at=TruncQuarter("opened_at", tzinfo=UTC))',
    broken=".count()",
)
def test_a_dispute_does_not_tell_when_a_kept_answer_opened_it(juniper, add_tasks, bea, carl):
    juniper.max_annotations = 2
    juniper.save()
    [task] = add_tasks(juniper, 1)
    give(task, bea, "yes")
    give(task, carl, "no")
    settlement.settle(task.pk, NOW + timedelta(minutes=1))
    leave(bea)
    assert ReviewItem.objects.get().opened_at == QUARTER


@mutant(
    "the numbers of kept answers do not follow the time",
    "tagger/privacy/kept_answers.py",
    kept_by="    return LOWEST + secrets.randbelow(-LOWEST)\n",
    broken='    return LOWEST + (globals().update(n=globals().get("n", 0) + 1) or globals()["n"])\n',
)
def test_neither_numbers_nor_places_in_the_table_follow_the_time(answered, bea, monkeypatch):
    in_order = list(answered.filter(annotator=bea).order_by("pk").values_list("task", flat=True))
    leave(bea)
    by_number = list(KEPT.order_by("pk").values_list("task", flat=True))
    with connection.cursor() as cursor:
        cursor.execute("SELECT task_id FROM datasets_annotation WHERE annotator_id IS NULL ORDER BY ctid")
        by_place = [row[0] for row in cursor.fetchall()]
    for order in (by_number, by_place):
        assert sorted(order) == sorted(in_order)
        # 50 shuffled rows go up 25 times, give or take 2.
        assert 8 < sum(one < other for one, other in pairwise(order)) < 41


@mutant(
    "answers of people who left earlier are written again with those of the next",
    "tagger/privacy/kept_answers.py",
    kept_by="    company = _some_kept(COMPANY * len(tasks))\n",
    broken="    company = {}\n",
)
def test_no_transaction_wrote_only_one_persons_answers(answered, bea, carl):
    """Any reader of the database sees by `xmin` which rows were written together."""
    leave(bea)
    first = set(KEPT.values_list("pk", flat=True))
    leave(carl)
    assert KEPT.count() == 100 and not first & set(KEPT.values_list("pk", flat=True))
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(DISTINCT xmin::text) FROM datasets_annotation WHERE id < 0")
        assert cursor.fetchone() == (1,)


def certificates_text():
    read = Task.objects.select_related("campaign", "clip__contributor__data_key")
    return json.dumps([task.certificate for task in read])


def fingerprints(person):
    """What certificates hold of this person: their matrix, and their shares of right words."""
    rows = person.campaign_reliabilities.values_list("skill", flat=True)
    return [json.dumps(skill["skill"] if isinstance(skill, dict) else skill) for skill in rows]


@mutant(
    "no certificate holds the matrix of a person who left",
    "tagger/privacy/kept_answers.py",
    kept_by='        dirty_since=Coalesce("dirty_since", now),\n',
    broken="",
)
def test_no_certificate_holds_what_was_learned_of_a_person_who_left(answered, bea):
    known = fingerprints(bea)
    assert len(known) == 2 and all(each in certificates_text() for each in known)
    leave(bea)
    text = certificates_text()
    assert not any(each in text for each in known)
    assert '"votes"' in text


@mutant(
    "not even a task that cannot be settled keeps a person's matrix in its certificate",
    "tagger/privacy/kept_answers.py",
    kept_by='        plain_certificate={},\n        sealed_certificate=b"",\n',
    broken="",
)
def test_the_matrix_is_gone_before_the_task_is_settled_again(answered, bea):
    known = fingerprints(bea)
    withdrawal.forget_account(bea, True, NOW)
    scrub_all()
    assert not any(each in certificates_text() for each in known)


def test_every_label_is_still_what_it_was_and_can_be_recomputed(answered, bea, carl, capsys):
    before = dict(Task.objects.filter(status="settled").values_list("pk", "plain_answer"))
    assert len(before) > 45
    leave(bea)
    leave(carl)
    after = dict(Task.objects.filter(status="settled").values_list("pk", "plain_answer"))
    assert {pk: after[pk] for pk in before.keys() & after.keys()} == {pk: before[pk] for pk in after}
    assert len(after) > 45
    call_command("recompute")
    assert "50 labels recomputed" in capsys.readouterr().out


@mutant(
    "two people who left are still two voters",
    "datasets/models.py",
    kept_by="        return self.pk if self.annotator_id is None else self.annotator_id\n",
    broken="        return self.annotator_id or 0\n",
)
def test_answers_of_two_people_who_left_are_two_votes(juniper, add_tasks, bea, carl):
    [task] = add_tasks(juniper, 1)
    for person in (bea, carl):
        give(task, person, "yes")
    settle()
    for person in (bea, carl):
        leave(person)
    task.refresh_from_db()
    assert (task.status, task.answer, task.annotation_count) == ("settled", "yes", 2)
    assert task.dirty_since is None and task.certificate["votes"]["count"] == 2
    assert task.soft["votes"]["yes"] == 2


@mutant(
    "what a person's answers weigh is kept in three steps",
    "tagger/privacy/kept_answers.py",
    kept_by="weights.get((kind, language), AVERAGE)",
    broken="AVERAGE",
)
def test_answers_weigh_about_what_they_did(answered, volunteers):
    best, clicker = volunteers[0], volunteers[3]
    labels = KEPT.filter(task__campaign__kind="wake-word").values_list("kept_weight", flat=True)
    scores = [person.reliabilities.get(crowd__kind="wake-word").score for person in (clicker, best)]
    assert scores[0] < 0.5 < 0.85 < scores[1]
    leave(best)
    assert list(labels) == [MUCH] * 40
    leave(clicker)
    assert sorted(labels.all()) == [LITTLE] * 40 + [MUCH] * 40


@mutant(
    "a kept answer that weighs little sways no label",
    "tagger/settling/crowds.py",
    kept_by="if skill is not None}",
    broken="if False}",
)
def test_a_kept_answer_that_weighs_little_sways_no_label(juniper, add_tasks, bea, carl):
    confidences = []
    for weight in (LITTLE, AVERAGE, MUCH):
        [task] = add_tasks(juniper, 1)
        give(task, carl, "yes")
        Annotation.objects.create(
            pk=-task.pk, task=task, kept_weight=weight, answer="yes", created_at=QUARTER
        )
        Task.objects.filter(pk=task.pk).update(annotation_count=2)
        settlement.settle(task.pk, NOW)
        confidences.append(Task.objects.get(pk=task.pk).confidence)
    assert confidences[0] < confidences[1] < confidences[2]


def test_whoever_copied_others_leaves_answers_that_weigh_little():
    skill = {"skill": [0.95, 0.02, 0.01], "copies": []}
    assert kept_weights.of_person("transcription", 0.95, skill) == MUCH
    assert kept_weights.of_person("transcription", 0.95, skill | {"copies": ["ab12"]}) == LITTLE
    assert kept_weights.of_person("transcription", 0.8, skill) == AVERAGE
    assert kept_weights.of_person("wake-word", 0.4, [[1.0]]) == LITTLE


# --- refits -------------------------------------------------------------------------------------


@mutant(
    "a refit learns nothing of a person who left",
    "tagger/learning/labellers.py",
    kept_by="    people = [who for who in names if not kept.is_pool(who)]\n",
    broken="    people = names\n",
)
def test_the_next_refit_does_not_learn_a_person_who_left(answered, bea):
    leave(bea)
    refit_all()
    assert not bea.reliabilities.exists()
    assert Reliability.objects.filter(crowd__kind="wake-word").count() == 3


@mutant(
    "figures that a refit stored while their person left are deleted",
    "tagger/learning/refit.py",
    kept_by="    _forget_people_who_left(kind, language)\n",
    broken="",
)
def test_a_refit_that_began_before_someone_left_stores_nothing_of_them(answered, bea, monkeypatch):
    Reliability.objects.all().delete()
    CampaignReliability.objects.all().delete()
    store = refit._store

    def store_late(*values):
        withdrawal.forget_account(bea, True, NOW)
        scrub_all()
        store(*values)

    monkeypatch.setattr(refit, "_store", store_late)
    refit.refit("wake-word", "en", NOW)
    assert not bea.reliabilities.exists() and Reliability.objects.count() == 3
    assert not bea.campaign_reliabilities.exists() and CampaignReliability.objects.count() == 3


@mutant(
    "an erasure deletes the figures that a refit stores meanwhile",
    "tagger/privacy/withdrawal.py",
    kept_by='        gone["reliabilities"] = person.reliabilities.all().delete()[0]\n',
    broken="",
)
@mutant(
    "an erasure deletes the figures of campaigns that a refit stores meanwhile",
    "tagger/privacy/withdrawal.py",
    kept_by='        gone["reliabilities"] += person.campaign_reliabilities.all().delete()[0]\n',
    broken="",
)
@mutant(
    "an erasure waits for a refit that stores figures of its person",
    "tagger/learning/refit.py",
    kept_by="    connection.check_constraints()\n",
    broken="",
)
@pytest.mark.django_db(transaction=True)
def test_an_erasure_waits_for_a_refit_that_stores_figures_of_its_person(
    answered, bea, in_background, lock_is_awaited, monkeypatch
):
    Reliability.objects.all().delete()
    CampaignReliability.objects.all().delete()
    withdrawal.forget_account(bea, True, NOW)
    mark, scrubs = refit._mark_dirty, []

    def mark_late(*values):
        scrubs.append(in_background(scrub_all))
        assert eventually(lambda: scrubs[0].done() or lock_is_awaited())
        mark(*values)

    monkeypatch.setattr(refit, "_mark_dirty", mark_late)
    refit.refit("wake-word", "en", NOW)
    scrubs[0].result(timeout=30)
    assert not bea.reliabilities.exists() and Reliability.objects.count() == 3
    assert not bea.campaign_reliabilities.exists() and CampaignReliability.objects.count() == 3


def test_kept_answers_still_teach_who_is_right(answered, volunteers):
    *careful, clicker = volunteers[:4]
    for person in careful[:2]:
        leave(person)
    refit_all()
    scores = dict(Reliability.objects.filter(crowd__kind="wake-word").values_list("annotator", "score"))
    assert scores[clicker.pk] < 0.6 < 0.8 < scores[careful[2].pk]


@mutant(
    "a refit judges kept answers as settling does",
    "tagger/learning/labellers.py",
    kept_by="        matrices[place] = pooled if skill is None else skill\n",
    broken="        pass\n",
)
def test_a_second_refit_of_kept_answers_marks_nothing(answered, volunteers):
    for person in (volunteers[0], volunteers[3]):
        leave(person)
    refit_all()
    for campaign in refit.crowds():
        refit.refit(*campaign, NOW)
    assert not Task.objects.exclude(stale_since=None).exists()


def test_the_database_and_python_count_the_same_pools(answered, volunteers):
    for person in volunteers[:4]:
        leave(person)
    for task in Task.objects.all()[:5]:
        given = list(task.annotations.order_by("id"))
        pools = kept.with_pools(task.annotations.all()).order_by("id").values_list("pool", flat=True)
        assert list(pools) == kept.voters(given)
        assert len({*pools}) == 4 and all(map(kept.is_pool, pools))
        assert [kept.weight(pool) for pool in pools] == [each.kept_weight for each in given]


def test_a_crowd_all_of_whose_people_left_is_not_learned_again(answered, volunteers):
    for person in volunteers[:4]:
        leave(person)
    before = list(Crowd.objects.order_by("pk").values())
    assert [refit.refit(*crowd, NOW) for crowd in refit.crowds()] == [0, 0]
    assert list(Crowd.objects.order_by("pk").values()) == before and not Reliability.objects.exists()


# --- what else named them ------------------------------------------------------------------------


def test_second_answers_to_repeats_go(answered, bea):
    Repeat.objects.create(annotation=bea.annotations.first(), plain_answer="no", created_at=NOW)
    leave(bea)
    assert not Repeat.objects.exists()
    assert Withdrawal.objects.get().counts["repeats"] == 1


@mutant(
    "a dispute does not name a reviewer who left",
    "tagger/privacy/withdrawal.py",
    kept_by='            "decisions": kept_answers.unname_decisions(person),\n',
    broken="",
)
def test_what_a_reviewer_decided_stays_without_them(juniper, add_tasks, bea, carl, rita):
    juniper.max_annotations = 2
    juniper.save()
    [task] = add_tasks(juniper, 1)
    give(task, bea, "yes")
    give(task, carl, "no")
    settle()
    acts.accept(ReviewItem.objects.get(), rita, "no", NOW)
    leave(rita, keep=False)
    task.refresh_from_db()
    assert (task.answer, Decision.objects.get().reviewer) == ("no", None)
    assert naming(rita) == {"Withdrawal.person_id"}
    assert Withdrawal.objects.get().counts["decisions"] == 1


@mutant(
    "the votes behind a reviewer's decision are recounted",
    "tagger/settling/settlement.py",
    kept_by="    if task.adjudicated or task.status == Task.Status.UNUSABLE:\n",
    broken="    if False:\n",
)
@pytest.mark.parametrize("keep", [True, False])
def test_a_decided_label_stays_and_is_recomputed_from_the_votes_that_are_left(
    juniper, add_tasks, volunteers, rita, keep, capsys
):
    juniper.max_annotations = 3
    juniper.save()
    [task] = add_tasks(juniper, 1)
    for person, answer in zip(volunteers, ("yes", "no", "similar"), strict=False):
        give(task, person, answer)
    settle()
    acts.accept(ReviewItem.objects.get(), rita, "noise", NOW)
    leave(volunteers[0], keep)
    task.refresh_from_db()
    assert (task.status, task.answer, task.adjudicated) == ("settled", "noise", True)
    assert task.soft["votes"]["yes"] == keep
    call_command("recompute")
    assert "1 labels recomputed" in capsys.readouterr().out


# --- failure, and sites of before -----------------------------------------------------------------

STEPS = ["kept_answers.unname", "kept_answers._rewrite", "kept_answers._blur", "_count", "_scrub_person"]

# Runs in another process, which kills itself before or after the step: no handler and no rollback can run.
SCRUB_UNTIL = """
import os, signal, sys
import django; django.setup()
from django.utils import timezone
from tagger.privacy import kept_answers, withdrawal
from datasets.models import Withdrawal
step, when, number = sys.argv[1:]
kept_answers.BATCH_SIZE = 7
owner = kept_answers if "." in step else withdrawal
name = step.split(".")[-1]
real, calls = getattr(owner, name), []
def killed(*args):
    calls.append(args)
    if len(calls) < int(number):
        return real(*args)
    if when == "after":
        real(*args)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(owner, name, killed)
withdrawal.scrub(Withdrawal.objects.get(), timezone.now)
"""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_at_any_step_every_answer_is_still_there_once_and_no_ones(in_site, answered, bea, step, when):
    withdrawal.forget_account(bea, True, NOW)
    number = "1" if step == "_scrub_person" else "3"
    done = in_site(SCRUB_UNTIL, step, when, number)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert withdrawal.unfinished() and Annotation.objects.count() == 200
    scrub_all()
    settle()
    assert naming(bea) == {"Withdrawal.person_id"}
    request = Withdrawal.objects.get()
    assert (KEPT.count(), request.counts["answer_names"]) == (50, 50) and request.answers_unnamed_at
    assert not Task.objects.exclude(annotation_count=4).exists()
    call_command("recompute")


@mutant(
    "answers kept before this release are made no one's too",
    "tagger/privacy/tasks.py",
    kept_by="            withdrawal.unname_answers(request, timezone.now)\n",
    broken="            pass\n",
)
def test_answers_that_people_kept_before_this_release_are_made_no_ones(answered, bea, monkeypatch):
    with monkeypatch.context() as before:
        before.setattr(withdrawal, "unname_answers", lambda *_: None)
        token = leave(bea)
    refit_all()  # it used to learn them again
    assert kept_answers.owed() == [Withdrawal.objects.get().pk]
    assert reconciler.reconcile(NOW).orphans["answers_naming_the_gone"] == 50
    assert tasks.unname_kept_answers() == 1
    settle()
    assert naming(bea) == {"Withdrawal.person_id"} and KEPT.count() == 50
    assert kept_answers.owed() == [] and tasks.unname_kept_answers() == 0
    assert withdrawal.receipt(token)["erased"]["answer_names"] == 50
    assert reconciler.reconcile(NOW).orphans["answers_naming_the_gone"] == 0


def test_the_migration_removes_the_numbers_of_people_from_rows_of_others(answered, bea, rita):
    crowd = Crowd.objects.get(kind="transcription")
    Reliability.objects.filter(crowd=crowd).update(skill={"skill": [0.9, 0.05, 0.01], "copies": [bea.pk]})
    module = import_module("tagger.migrations.0009_no_one_is_named_by_another")
    with connection.cursor() as cursor:
        cursor.execute(module.COPIES)
    skills = Reliability.objects.filter(crowd=crowd).values_list("skill", flat=True)
    assert [skill["copies"] for skill in skills] == [[]] * 4
    assert Reliability.objects.filter(crowd__kind="wake-word").count() == 4


def test_the_migration_recounts_what_reviewers_decided(answered):
    decided, other = Task.objects.all()[:2]
    Task.objects.filter(pk=decided.pk).update(adjudicated=True, plain_certificate={"engine": 1})
    with connection.cursor() as cursor:
        cursor.execute(import_module("tagger.migrations.0010_recount_decided_tasks").RECOUNT)
    assert list(Task.objects.exclude(dirty_since=None)) == [decided]
    settle()
    assert "votes" in Task.objects.get(pk=decided.pk).plain_certificate and other.plain_certificate


def test_an_answer_of_a_person_cannot_look_like_a_kept_one(juniper, add_tasks, bea):
    """Nor can a kept one come under a number that says when it was given."""
    [task] = add_tasks(juniper, 1)
    for wrong in ({"kept_weight": 2}, {"annotator": bea, "kept_weight": 2}, {}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Annotation.objects.create(task=task, answer="yes", created_at=NOW, **wrong)


def test_the_page_says_what_stays(client, bea):
    client.force_login(bea)
    page = drawn(client.get(reverse("leave")))
    assert "no name or number, no time finer than a quarter" in page


def test_the_receipt_page_says_how_many_answers_stay(client, answered, bea):
    token = leave(bea)
    page = drawn(client.get(reverse("erasure_receipt", args=[token])))
    assert "Answers that stay, and no longer say whose they were" in page


def test_a_quarter_begins_in_utc():
    assert datetime(2026, 4, 1, tzinfo=UTC) == QUARTER


def test_a_lent_clip_can_still_be_answered_by_others(juniper, add_tasks, bea, carl):
    [task] = add_tasks(juniper, 1)
    [hers], [his] = (assignments.lend(person, juniper, 1, NOW) for person in (bea, carl))
    assignments.hand_in(bea, hers.pk, "yes", NOW)
    leave(bea)
    assignments.hand_in(carl, his.pk, "yes", NOW)
    settle()
    task.refresh_from_db()
    assert (task.status, task.annotation_count, task.annotations.count()) == ("settled", 2, 2)
