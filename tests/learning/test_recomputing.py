"""What a refit learns reaches every task that it changes, settled ones too."""

from io import StringIO
from itertools import cycle

import pytest
from django.core.management import call_command
from django.db.models import F

from datasets.models import Annotation, ReleaseRow, Task
from tagger import tasks
from tagger.campaigns import release_orders
from tagger.learning import owed, recomputing, refit, transcribers
from tagger.models import Crowd, ReleaseOrder, ReviewItem
from tagger.settling import certificates, engine, person_weights, settlement, version
from tests.conftest import NOW
from tests.support.mutants import mutant
from tests.support.released import settle as settled_for_release

pytestmark = pytest.mark.django_db
SAID = ["turn on the lights in the kitchen", "play some music please", "what time is it now"]


def learn(campaign):
    """A refit, and what it changed is settled again."""
    refit.refit(campaign.kind, campaign.language, NOW)
    tasks.settle()


def fresh(task):
    return Task.objects.select_related("campaign", "clip__contributor__data_key").get(pk=task.pk)


def confidences(campaign):
    return dict(Task.objects.filter(campaign=campaign).values_list("pk", "confidence"))


def add_answers(given, now=NOW):
    """`given`: {task: {person: answer}}, of one campaign. All are settled together."""
    rows = [
        Annotation(task=task, annotator=person, answer=answer, created_at=now)
        for task, answers in given.items()
        for person, answer in answers.items()
    ]
    Annotation.objects.bulk_create(rows)
    for task, answers in given.items():
        more = F("annotation_count") + len(answers)
        Task.objects.filter(pk=task.pk).update(annotation_count=more, dirty_since=now)
    settlement.settle_these([task.pk for task in given], now)


@pytest.fixture
def history(juniper, add_tasks, volunteers):
    """Twenty clips answered by four people who are right and one who always says yes."""
    *careful, clicker = volunteers[:5]
    labels = dict(zip(add_tasks(juniper, 20), cycle(["yes", "similar", "no", "noise"])))
    add_answers({task: dict.fromkeys(careful, label) | {clicker: "yes"} for task, label in labels.items()})
    return careful, clicker


@pytest.fixture
def heard(sentences, add_tasks, volunteers):
    """Six sentences that three people heard rightly, and a fourth did not."""
    *careful, other = volunteers[:4]
    texts = dict(zip(add_tasks(sentences, 6), SAID * 2, strict=True))
    add_answers({task: dict.fromkeys(careful, text) | {other: "la la la"} for task, text in texts.items()})
    return list(texts)


@pytest.fixture(params=[("juniper", "history"), ("sentences", "heard")], ids=["juniper", "sentences"])
def answered(request):
    """A campaign of each kind, with its answers."""
    campaign, _answers = map(request.getfixturevalue, request.param)
    return campaign


@pytest.fixture
def doubtful(juniper, history, add_tasks, volunteers):
    """Two people said yes, and it was settled; one of them always says yes, which no refit saw so far."""
    _careful, clicker = history
    [task] = add_tasks(juniper, 1)
    add_answers({task: {clicker: "yes", volunteers[5]: "yes"}})
    assert fresh(task).status == "settled"
    return fresh(task)


@mutant(
    "a settled task has the confidence of what is known today",
    "tagger/learning/changes.py",
    kept_by="    return (abs(now - before) > ROUNDING + 1e-9) | (",
    broken="    return (",
)
def test_the_confidence_of_a_settled_task_is_todays(answered):
    learn(answered)
    Task.objects.update(confidence=F("confidence") - 0.02)  # as an earlier refit had it
    stale = confidences(answered)
    learn(answered)
    found = confidences(answered)
    for task in Task.objects.all():
        settlement.settle(task.pk, NOW)
    assert found == confidences(answered) and all(found[pk] > stale[pk] for pk in found)
    assert not any(certificates.mismatch(fresh(task)) for task in Task.objects.all())


def test_a_second_refit_of_the_same_answers_marks_nothing(answered, volunteers):
    left = Annotation.objects.filter(annotator=volunteers[2])
    left.update(id=-F("id"), annotator=None, kept_weight=3)
    learn(answered)
    learn(answered)  # the first one may have changed which controls are trusted
    refit.refit(answered.kind, answered.language, NOW)
    assert not Task.objects.exclude(stale_since=None).exists()


def test_what_a_rounding_changes_is_not_settled_again(juniper, history):
    learn(juniper)
    Task.objects.update(confidence=F("confidence") + 0.004)
    refit.refit("wake-word", "en", NOW)
    assert not Task.objects.exclude(stale_since=None).exists()


def test_a_settled_task_that_falls_goes_on(juniper, doubtful):
    learn(juniper)
    task = fresh(doubtful)
    assert (task.status, task.answer, task.wanted) == ("open", None, 3) and task.confidence < 0.75


def test_at_the_most_answers_it_goes_to_review(juniper, doubtful):
    juniper.max_annotations = 2
    juniper.save()
    learn(juniper)
    assert fresh(doubtful).status == "disputed"
    assert ReviewItem.objects.get().reason == ReviewItem.Reason.CONFIDENCE_FELL


def test_a_reviewers_decision_is_final_and_its_confidence_is_todays(juniper, doubtful):
    before = doubtful.confidence
    Task.objects.filter(pk=doubtful.pk).update(adjudicated=True)
    learn(juniper)
    task = fresh(doubtful)
    assert (task.status, task.answer, task.adjudicated) == ("settled", "yes", True)
    assert task.confidence != before


@pytest.fixture
def at_the_goal(juniper, doubtful, monkeypatch):
    """Settles a task once more, with a confidence that is this far from its campaign's."""
    weigh = engine.weigh

    def settle(off):
        def moved(votes, rule, crowd):
            found, against, parameters = weigh(votes, rule, crowd)
            moved_there = type(found)(
                rule.outcome(len(votes), rule.confidence + off, False),
                "yes",
                rule.confidence + off,
                found.soft,
            )
            return engine.Weighed(moved_there, against, parameters)

        with monkeypatch.context() as patch:
            patch.setattr(engine, "weigh", moved)
            settlement.settle(doubtful.pk, NOW)
        return fresh(doubtful).status

    return settle


@mutant(
    "a task at the threshold does not settle and open again by turns",
    "tagger/settling/certificates.py",
    kept_by="    if fell:\n",
    broken="    if False:\n",
)
def test_a_task_at_the_threshold_does_not_swing(at_the_goal):
    moves = (0.001, -0.001, 0.001, -0.001, 0.015, -0.015, 0.019, 0.001)
    assert [at_the_goal(off) for off in moves] == ["settled", *["open"] * 7]


def test_it_settles_again_by_a_clear_rise_or_one_more_answer(at_the_goal, doubtful, volunteers):
    assert [at_the_goal(off) for off in (-0.001, 0.021, 0.001)] == ["open", "settled", "settled"]
    assert [at_the_goal(off) for off in (-0.001, 0.001)] == ["open", "open"]
    add_answers({doubtful: {volunteers[6]: "yes"}})
    Task.objects.filter(pk=doubtful.pk).update(status="open", fell_with=2)
    assert at_the_goal(0.001) == "settled"


def test_settling_a_task_that_fell_twice_changes_nothing(at_the_goal, juniper, doubtful):
    at_the_goal(-0.001)
    row = Task.objects.filter(pk=doubtful.pk).values
    before = row().get()
    at_the_goal(-0.001)
    assert row().get() == before and before["fell_with"] == 2


def test_what_fell_is_recomputed_to_the_same_bytes(juniper, doubtful):
    learn(juniper)
    assert fresh(doubtful).certificate["again_from"] == 0.77 and certificates.mismatch(fresh(doubtful)) == ""


@mutant(
    "answers are settled before what a refit changed",
    "tagger/tasks.py",
    kept_by="number := _settle_some(failed) or recomputing.some(timezone.now())",
    broken="number := recomputing.some(timezone.now())",
)
def test_answers_that_come_meanwhile_are_settled_first(juniper, history, add_tasks, monkeypatch):
    learn(juniper)
    recomputing.mark(Task.objects.values_list("pk", flat=True), NOW)
    [late] = add_tasks(juniper, 1)
    settle, order = settlement._settle, []

    def noted(found, now):
        if found:
            order.append([task.pk for task in found])
        if len(order) == 1:
            Task.objects.filter(pk=late.pk).update(dirty_since=NOW)
        settle(found, now)

    monkeypatch.setattr(settlement, "_settle", noted)
    monkeypatch.setattr(recomputing, "BATCH_SIZE", 10)
    assert tasks.settle() == 21
    assert [late.pk in batch for batch in order] == [False, True, False]
    assert [len(batch) for batch in order] == [10, 1, 10]


def test_a_task_that_cannot_be_settled_again_is_in_nobodys_way(juniper, history, monkeypatch):
    learn(juniper)
    several = list(Task.objects.all())
    recomputing.mark([task.pk for task in several], NOW)
    make, broken = certificates.make, several[0].annotations.order_by("pk")[0].pk

    def fail(kind, given, *rest):
        if any(each.pk == broken for each in given):
            raise RuntimeError("this one breaks")
        return make(kind, given, *rest)

    monkeypatch.setattr(certificates, "make", fail)
    tasks.settle()
    assert not Task.objects.exclude(stale_since=None).exists()


def test_answers_that_an_owner_weighs_are_settled_again_with_the_others(juniper, history):
    careful, clicker = history
    person_weights.decide(juniper, clicker, 0.0, "", careful[0], NOW)
    learn(juniper)
    refit.refit("wake-word", "en", NOW)
    assert not Task.objects.exclude(stale_since=None).exists()
    person_weights.decide(juniper, clicker, 1.0, "", careful[0], NOW)
    person_weights.recount(NOW)
    tasks.settle()
    one = Task.objects.order_by("pk")[:1]
    Task.objects.filter(pk__in=one).update(confidence=0.5)
    refit.refit("wake-word", "en", NOW)
    assert Task.objects.exclude(stale_since=None).count() == 1


def test_older_transcripts_than_a_refit_reads_are_settled_again_if_a_sample_changes(
    sentences, heard, monkeypatch
):
    learn(sentences)
    monkeypatch.setattr(transcribers, "MAX_TASKS", 2)
    learn(sentences)  # another crowd is learned from two tasks
    refit.refit("transcription", "en", NOW)
    assert Crowd.objects.get().recount_below is None  # the sample is what it was
    tasks.settle()
    Task.objects.update(confidence=0.5)
    refit.refit("transcription", "en", NOW)
    assert Crowd.objects.get().recount_below == heard[-2].pk
    tasks.settle()
    assert not Task.objects.filter(confidence=0.5).exists() and Crowd.objects.get().recount_below is None


@mutant(
    "a release goes by today's confidence",
    "tagger/management/commands/release.py",
    kept_by="        recounted = _bring_up_to_date(campaigns)\n",
    broken="        recounted = 0\n",
)
@pytest.mark.parametrize("whole", [False, True])
def test_a_release_settles_first_what_is_owed(juniper, history, whole):
    learn(juniper)
    today = confidences(juniper)
    Task.objects.update(confidence=0.5)
    if whole:
        recomputing.recount_all("wake-word", "en")
    else:
        refit.refit("wake-word", "en", NOW)
    said = StringIO()
    call_command("release", "sure", campaign=["juniper"], min_confidence=0.9, stdout=said)
    assert "20 clips were settled again first" in said.getvalue()
    pinned = dict(ReleaseRow.objects.values_list("task", "confidence"))
    assert pinned == {task: sure for task, sure in today.items() if sure >= 0.9} and len(pinned) > 15
    if not whole:
        assert not owed.of([juniper]).exists()


def test_a_release_that_an_owner_asked_for_waits_for_what_is_owed(juniper, share, bea):
    task = settled_for_release(share(juniper))
    bounds = {"slug": "spring", "min_confidence": 0.5, "min_contributors": 1, "audience": "researchers"}
    release_orders.ask(juniper, bounds, bea, NOW)
    recomputing.mark([task.pk], NOW)
    assert release_orders.make_all(lambda: NOW) == 0 and ReleaseOrder.objects.exists()
    Task.objects.update(stale_since=None)
    assert not owed.of([juniper]).exists() and release_orders.make_all(lambda: NOW) == 1


@pytest.fixture
def upgraded(juniper, history, sentences, heard, monkeypatch):
    """All labels were made by the version before this one."""
    learn(juniper)
    learn(sentences)
    monkeypatch.setattr(version, "VERSION", version.VERSION + 1)


def test_nothing_claims_that_a_label_of_an_earlier_engine_is_wrong(upgraded, capsys):
    call_command("recompute")
    said = capsys.readouterr().out
    assert "0 labels recomputed" in said and "26 were made by an earlier version" in said


def test_votes_that_were_changed_since_are_noticed_all_the_same(upgraded):
    task = fresh(Task.objects.filter(campaign__kind="wake-word")[0])
    task.annotations.filter(pk=task.annotations.first().pk).update(plain_answer="noise")
    assert certificates.mismatch(task) == "its votes are not the ones that it was made from"


@mutant(
    "after an upgrade every label is made again",
    "tagger/learning/refit.py",
    kept_by="    if before is None or before < version.VERSION:\n",
    broken="    if before is None:\n",
)
def test_after_an_upgrade_every_label_is_made_again(upgraded, juniper, sentences, capsys):
    learn(juniper)
    learn(sentences)
    assert {fresh(task).certificate["engine"] for task in Task.objects.all()} == {version.VERSION}
    call_command("recompute")
    assert "26 labels recomputed, all byte for byte as stored" in capsys.readouterr().out
    refit.refit("wake-word", "en", NOW)
    assert set(Crowd.objects.values_list("engine", "recount_below")) == {(version.VERSION, None)}
