"""What an owner does with chosen clips, and with all that a filter finds."""

import pytest
from django.urls import reverse

from accounts import notices
from accounts.models import Consent, ConsentNotice
from datasets import campaigns
from datasets.models import Clip, Example, Task
from tagger.explorer import jobs, selection, tasks
from tagger.models import ClipJob, Decision, ReviewItem, SavedView
from tagger.review import undo
from tests.conftest import NOW
from tests.support.mutants import mutant

pytestmark = pytest.mark.django_db


@pytest.fixture
def do(as_olga, hers):
    """Posts an act on these tasks, and returns the response."""

    def post(act, chosen=(), **sent):
        clips = [task.clip_id for task in chosen]
        return as_olga.post(
            reverse("campaign_clips_act", args=[hers.slug]), {"act": act, "clip": clips, **sent}, follow=True
        )

    return post


def fresh(task):
    return Task.objects.get(pk=task.pk)


def test_chosen_clips_come_first(do, hers, add_tasks, olga):
    first, second, third = add_tasks(hers, 3)
    text = do("priority", [first, third], priority="-1").content.decode()
    assert [fresh(task).priority for task in (first, second, third)] == [-1, 0, -1]
    assert "Done with 2 clips." in text
    [event] = olga.audit_events.filter(act="acted-on-clips")
    assert event.details == {"act": "priority", "priority": -1, "clips": 2, "refused": 0}


def test_a_chosen_clip_is_called_unusable_and_a_reviewer_can_undo_that(do, hers, add_tasks, answer, olga):
    task = answer(add_tasks(hers, 1)[0], "yes", "yes")
    do("unusable", [task], reason="cut-off")
    assert (fresh(task).status, fresh(task).answer) == ("unusable", None)
    decision = Decision.objects.get()
    assert (decision.act, decision.reason, decision.reviewer) == ("unusable", "cut-off", olga)
    assert olga.audit_events.filter(act="called-unusable", about=f"clip {task.clip_id}").exists()
    undo.undo(decision, olga, NOW)
    assert (fresh(task).status, fresh(task).answer) == ("settled", "yes")


@mutant(
    "an owner's act leaves the clip's tasks in other campaigns alone",
    "tagger/explorer/acts.py",
    kept_by="    acts.finish(decision, item, [own])\n",
    broken="    acts.finish(decision, item, [own])\n    clip.tasks.update(status=own.status)\n",
)
def test_the_same_clip_in_another_campaign_stays(do, hers, add_tasks, answer):
    task = add_tasks(hers, 1)[0]
    other = campaigns.create(slug="other", kind="wake-word", wake_word="hey", language="en", owner=None)
    elsewhere = Task.objects.create(clip=task.clip, campaign=other, wanted=2)
    ReviewItem.objects.open_disputes([elsewhere], "no-agreement", NOW)
    do("unusable", [task], reason="sound")
    assert (fresh(task).status, fresh(elsewhere).status) == ("unusable", "open")
    assert ReviewItem.objects.open().filter(task=elsewhere).exists()


@mutant(
    "what a reviewer has to hear first is not decided by an owner",
    "tagger/explorer/acts.py",
    kept_by="        raise ClipRefused(ClipRefusal.REVIEWER_FIRST)\n",
    broken="        pass\n",
)
@pytest.mark.parametrize("act", ["unusable", "ask-more", "to-review"])
def test_a_reported_clip_waits_for_a_reviewer(do, hers, add_tasks, volunteers, act):
    task = add_tasks(hers, 1)[0]
    item = ReviewItem.objects.create(
        kind="report", reason="private", clip=task.clip, campaign=hers, language="en", opened_at=NOW
    )
    text = do(act, [task], reason="sound", number="1").content.decode()
    assert "Left as they are: 1. A reviewer has to hear it first" in text
    assert fresh(task).status == "open" and ReviewItem.objects.open().get() == item


def test_reviewers_are_asked_to_look(do, hers, add_tasks, answer, olga):
    task = answer(add_tasks(hers, 1)[0], "yes", "yes")
    do("to-review", [task])
    item = ReviewItem.objects.get()
    assert (item.kind, item.reason, item.task, item.closed_at) == ("dispute", "owner-asks", task, None)
    assert fresh(task).status == "settled"
    assert olga.audit_events.filter(act="asked-review", about=f"clip {task.clip_id}").exists()
    answer(task)  # settled again, with one answer less or more: the item stays
    assert ReviewItem.objects.open().get() == item


def test_more_answers_are_asked_for(do, hers, add_tasks, answer):
    task = answer(add_tasks(hers, 1)[0], "yes", "yes")
    do("ask-more", [task], number="3")
    assert (fresh(task).status, fresh(task).wanted) == ("open", 5)


def test_a_settled_clip_becomes_an_example(do, hers, share, answer):
    task, still_open = answer(share(hers), "yes", "yes"), share(hers)
    text = do("example", [task, still_open]).content.decode()
    assert Example.objects.get().task == task and fresh(task).adjudicated
    assert "Only a settled clip can be an example." in text
    assert "It is an example already." in do("example", [task]).content.decode()


def test_a_clip_whose_speaker_was_not_asked_about_examples_becomes_none(do, hers, share, answer):
    task = answer(share(hers), "yes", "yes")
    Consent.objects.update(notice=notices.current("en"))
    ConsentNotice.objects.update(version=0)
    assert "does not mention examples" in do("example", [task]).content.decode()
    assert not Example.objects.exists()


def test_nothing_chosen_is_said(do, hers, add_tasks):
    add_tasks(hers, 1)
    answered = do("priority")
    assert answered.status_code == 400 and "Choose the clips first." in answered.content.decode()
    assert do("explode", add_tasks(hers, 1)).status_code == 400


def test_clips_of_another_campaign_are_not_touched(do, hers, texts, add_tasks):
    [other] = add_tasks(texts, 1)
    do("priority", [other], priority="-1")
    assert fresh(other).priority == 0


@pytest.fixture
def no_worker(monkeypatch):
    monkeypatch.setattr(tasks.work, "delay", lambda pk: None)


def test_all_of_a_filter_needs_a_second_word_and_is_done_by_a_worker(
    do, hers, add_tasks, monkeypatch, olga, no_worker
):
    monkeypatch.setattr(jobs, "BATCH_SIZE", 3)
    monkeypatch.setattr(selection, "WINDOW", 8)
    wanted, others = add_tasks(hers, 20), add_tasks(hers, 2)
    Clip.objects.filter(tasks__in=others).update(seconds=9)
    asked = do("priority", every="1", priority="1", query="seconds_to=5")
    assert (
        "The filter finds 0 clips among the newest, and perhaps more." in asked.content.decode()
        and not ClipJob.objects.exists()
    )
    do("priority", every="1", sure="1", priority="1", query="seconds_to=5")
    job = ClipJob.objects.get()
    assert job.finished_at is None and not Task.objects.filter(priority=1).exists()
    assert jobs.work(job.pk, NOW) is False
    assert set(Task.objects.filter(priority=1)) == set(wanted)
    job.refresh_from_db()
    assert (job.done, job.finished_at, job.refused) == (20, NOW, {})
    assert olga.audit_events.get(act="acted-on-clips").details["clips"] == 20


@mutant(
    "an act on many clips that is killed does nothing twice",
    "tagger/explorer/jobs.py",
    kept_by="            _move(job, pk, refused, done=1 if task else 0)\n",
    broken="            pass\n",
)
def test_it_goes_on_where_it_was_killed(hers, add_tasks, olga, monkeypatch):
    tasks_ = add_tasks(hers, 6)
    job = jobs.ask(hers, olga, "ask-more", {"number": 1}, NOW)
    monkeypatch.setattr(jobs, "BUDGET", -1)
    assert jobs.work(job.pk, NOW) is True and not Decision.objects.exists()
    moved, killed = jobs.acts.do, []

    def do_two(*given):
        if len(killed) == 2:
            raise MemoryError
        killed.append(given)
        moved(*given)

    monkeypatch.setattr(jobs, "BUDGET", 60)
    monkeypatch.setattr(jobs.acts, "do", do_two)
    with pytest.raises(MemoryError):
        jobs.work(job.pk, NOW)
    assert jobs.stalled(NOW) == [] and jobs.stalled(NOW + 2 * jobs.STALLED) == [job.pk]
    monkeypatch.setattr(jobs.acts, "do", moved)
    jobs.work(job.pk, NOW)
    job.refresh_from_db()
    assert (job.done, Decision.objects.count()) == (6, 6)
    assert {task.pk for task in tasks_} == {decision.item.task_id for decision in Decision.objects.all()}


def test_two_workers_do_nothing_twice(hers, add_tasks, olga):
    add_tasks(hers, 3)
    job = jobs.ask(hers, olga, "ask-more", {"number": 1}, NOW)
    stale = ClipJob.objects.select_related("campaign", "person").get(pk=job.pk)
    jobs.work(job.pk, NOW)
    assert jobs.go_on(stale, NOW) is False
    assert Decision.objects.count() == 3


@mutant(
    "whoever no longer runs a campaign does nothing more in it",
    "tagger/explorer/jobs.py",
    kept_by="    if selected and (job.person.is_superuser or job.campaign.owner_id == job.person_id):\n",
    broken="    if selected:\n",
)
def test_whoever_no_longer_runs_the_campaign_does_nothing_more(hers, add_tasks, olga):
    add_tasks(hers, 3)
    job = jobs.ask(hers, olga, "priority", {"priority": 1}, NOW)
    hers.owner = None
    hers.save()
    jobs.work(job.pk, NOW)
    job.refresh_from_db()
    assert job.finished_at and not Task.objects.filter(priority=1).exists()


def test_how_far_it_is_stands_on_the_page(as_olga, hers, add_tasks, olga):
    add_tasks(hers, 1)
    jobs.ask(hers, olga, "priority", {"priority": 1}, NOW)
    text = as_olga.get(reverse("campaign_clips", args=[hers.slug])).content.decode()
    assert "Change the priority" in text and "running" in text and "How far is it?" in text


# --- saved views ----------------------------------------------------------------------------------


def test_a_filter_is_kept_under_a_name_for_its_owner_alone(as_olga, hers, add_tasks, olga, otto):
    address = reverse("campaign_view_save", args=[hers.slug])
    as_olga.post(address, {"name": "doubtful", "query": "confidence_to=0.8&below=3&x=1"})
    view = SavedView.objects.get()
    assert (view.person, view.name, view.query) == (olga, "doubtful", "confidence_to=0.8")
    SavedView.objects.create(campaign=hers, person=otto, name="his", query="status=open")
    text = as_olga.get(reverse("campaign_clips", args=[hers.slug])).content.decode()
    assert "doubtful" in text and "his" not in [each.name for each in SavedView.objects.filter(person=olga)]
    assert ">his<" not in text
    his = SavedView.objects.get(person=otto)
    for pk in (view.pk, his.pk):
        as_olga.post(reverse("campaign_view_forget", args=[hers.slug, pk]))
    assert list(SavedView.objects.all()) == [his]


@pytest.mark.parametrize(
    "sent", [{"name": "", "query": "status=open"}, {"name": "x"}, {"name": "x", "query": "status=odd"}]
)
def test_a_view_without_name_or_filter_is_not_kept(as_olga, hers, sent):
    as_olga.post(reverse("campaign_view_save", args=[hers.slug]), sent)
    assert not SavedView.objects.exists()
