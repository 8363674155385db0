"""Example clips: chosen while deciding, heard with their answer, and never asked about again."""

from datetime import timedelta

import pytest
from django.urls import reverse

from accounts import notices
from accounts.models import AuditEvent, ConsentNotice, Role
from datasets.models import Annotation, Campaign, Clip, Example, Task, Withdrawal
from tagger.desk import examples
from tagger.lending import assignments, controls, repeats
from tagger.lending.refusals import AnswerRefusal
from tagger.models import Control, Report, ReviewItem
from tagger.privacy import withdrawal
from tagger.review import acts, queue
from tagger.settling import settlement
from tests.conftest import NOW
from tests.support.differing import keep_for_repeats
from tests.support.factors import give_factor
from tests.support.mutants import mutant
from tests.support.refused import refused
from tests.support.reviewing import act_on, page_of

LATER = NOW + timedelta(days=2)


@pytest.fixture
def disagree(volunteers):
    """Two volunteers disagree on a task and no more are asked. Returns the dispute over it."""

    def about(task, one, other):
        for person, answer in zip(volunteers, (one, other), strict=False):
            Annotation.objects.create(task=task, annotator=person, answer=answer, created_at=NOW)
        Campaign.objects.filter(pk=task.campaign_id).update(max_annotations=2)
        Task.objects.filter(pk=task.pk).update(annotation_count=2, dirty_since=NOW)
        settlement.settle(task.pk, NOW)
        return ReviewItem.objects.get(task=task)

    return about


@pytest.fixture
def decide(client, rita, disagree):
    """Rita decides a disputed task on the page, with these form fields. Returns the response."""

    def about(task, votes, **fields):
        dispute = disagree(task, *votes)
        client.force_login(rita)
        return client.post(act_on(dispute, "accept"), fields)

    return about


@pytest.fixture
def juniper_task(juniper, share, alice):
    return share(juniper, alice)


@pytest.fixture
def spoken_task(sentences, add_tasks):
    return add_tasks(sentences, 1)[0]


@pytest.fixture
def example(juniper_task, decide):
    decide(juniper_task, ("yes", "no"), answer="similar", is_example="on", note="Jupiter, not juniper")
    return Example.objects.get()


def page(client, person, campaign):
    client.force_login(person)
    return client.get(reverse("tag", args=[campaign.slug])).content.decode()


def hear(client, person, example):
    client.force_login(person)
    return client.get(reverse("example_audio", args=[example.pk]))


def test_a_reviewer_chooses_an_example_and_volunteers_hear_it_with_its_answer(
    client, volunteers, juniper, example
):
    drawn = page(client, volunteers[0], juniper)
    assert "Jupiter, not juniper" in drawn and reverse("example_audio", args=[example.pk]) in drawn
    heard = hear(client, volunteers[0], example)
    assert (heard.status_code, heard["Content-Type"], heard["Cache-Control"]) == (
        200,
        "audio/wav",
        "no-store",
    )
    assert heard.getvalue()[:4] == b"RIFF"


def test_deciding_alone_makes_no_example(juniper_task, decide):
    assert decide(juniper_task, ("yes", "no"), answer="no", note="not used").status_code == 302
    assert Task.objects.get(pk=juniper_task.pk).answer == "no"
    assert not Example.objects.exists()


def test_a_note_that_is_too_long_decides_nothing(juniper_task, decide):
    answer = decide(juniper_task, ("yes", "no"), answer="no", is_example="on", note="x" * 201)
    assert answer.status_code == 400
    assert "at most 200 characters" in answer.content.decode()
    assert not Example.objects.exists() and ReviewItem.objects.open().exists()


def test_the_note_on_a_transcript_is_encrypted(client, volunteers, spoken_task, sentences, decide):
    decide(
        spoken_task,
        ("light the lamp", "fight the camp"),
        answer="light the lamp",
        is_example="on",
        note="lamp, as in light",
    )
    stored = Example.objects.get()
    assert stored.plain_note == "" and b"lamp" not in bytes(stored.sealed_note)
    drawn = page(client, volunteers[0], sentences)
    assert "light the lamp" in drawn and "lamp, as in light" in drawn


def test_the_note_on_a_label_is_encrypted_too(example):
    assert example.plain_note == "" and b"Jupiter" not in bytes(example.sealed_note)
    assert example.note == "Jupiter, not juniper"


def test_an_answer_to_an_example_cannot_be_changed(volunteers, example):
    given = example.task.annotations.get(annotator=volunteers[0])
    with refused(AnswerRefusal.SHOWN_AS_EXAMPLE, "shown with its answer"):
        assignments.change(volunteers[0], given.pk, "similar", NOW)
    assert Annotation.objects.get(pk=given.pk).answer == "yes"


def test_a_newcomer_hears_none_before_the_pledge_and_the_audit_log_records_reviewers(
    client, rita, sam, example
):
    sam.roles = [Role.ANNOTATOR]
    sam.save()
    assert hear(client, sam, example).status_code == 403
    assert hear(client, rita, example).status_code == 200
    looked = AuditEvent.objects.filter(about=f"clip {example.task.clip_id}", act=AuditEvent.Act.HEARD)
    assert looked.exists()


def test_the_page_works_when_a_speakers_key_was_just_destroyed(client, alice, volunteers, juniper, example):
    alice.data_key.delete()
    assert "Jupiter" not in page(client, volunteers[0], juniper)


@mutant(
    "a clip that is shown with its answer is never a control",
    "tagger/lending/controls.py",
    kept_by="        AND NOT EXISTS "
    "(SELECT FROM {Example._meta.db_table} shown WHERE shown.task_id = task.id)\n",
    broken="",
)
def test_an_example_is_never_a_control_or_repeat_even_after_it_was_taken_out(
    rita, volunteers, juniper, example, dice
):
    Campaign.objects.filter(pk=juniper.pk).update(max_annotations=9)
    juniper.refresh_from_db()
    keep_for_repeats(example.task)
    for shown in (True, False):
        if not shown:
            examples.take_out(example)
        assert controls.rotate(juniper, LATER) == 0
        assert repeats.pick(volunteers[0], juniper, 1, LATER) == []
    # Not even if it was a control before.
    Control.objects.create(task=example.task, campaign=juniper, answer="similar", since=NOW)
    assert controls.pick(rita, juniper, 1) == []


def test_without_being_an_example_the_same_task_is_both(rita, volunteers, juniper, example, dice):
    """The counterpart of the test above: nothing but being an example keeps the task out."""
    Campaign.objects.filter(pk=juniper.pk).update(max_annotations=9)
    juniper.refresh_from_db()
    keep_for_repeats(example.task)
    Example.objects.all().delete()
    assert controls.rotate(juniper, LATER) == 1
    assert [task.pk for task in controls.pick(rita, juniper, 1)] == [example.pk]
    assert [task.pk for task in repeats.pick(volunteers[0], juniper, 1, LATER)] == [example.pk]


@pytest.mark.parametrize("role", [None, Role.CONTRIBUTOR, Role.RESEARCHER])
def test_people_who_do_not_tag_hear_no_example(client, sam, example, role):
    give_factor(sam).roles = [role] if role else []
    sam.save()
    assert hear(client, sam, example).status_code == 403


def test_a_stranger_is_asked_to_log_in(client, example):
    client.logout()
    assert client.get(reverse("example_audio", args=[example.pk])).status_code == 302


def test_a_hidden_clip_is_not_an_example_until_it_is_shown_again(client, volunteers, juniper, example):
    Clip.objects.update(hidden_at=NOW)
    assert "Jupiter" not in page(client, volunteers[0], juniper)
    assert hear(client, volunteers[0], example).status_code == 404
    Clip.objects.update(hidden_at=None)
    assert hear(client, volunteers[0], example).status_code == 200


@mutant(
    "a withdrawn clip is not an example from the next request on",
    "tagger/desk/examples.py",
    kept_by="is_shown=True, task__in=live, ",
    broken="is_shown=True, ",
)
@pytest.mark.django_db(transaction=True)
def test_a_withdrawn_clip_is_not_an_example_from_the_next_request_on(
    client, alice, volunteers, juniper, example
):
    asked = withdrawal.forget_contributor(alice, LATER)
    assert "Jupiter" not in page(client, volunteers[0], juniper)
    assert hear(client, volunteers[0], example).status_code == 404
    withdrawal.scrub(Withdrawal.objects.get(pk=asked.withdrawal), lambda: LATER)
    assert not Example.objects.exists()


@pytest.fixture
def agreed_to(alice):
    """Alice's consents rest on this version of the notice."""

    def version(number):
        words = {"text": "…", "sha256": "…", "published_at": NOW}
        read, _made = ConsentNotice.objects.get_or_create(version=number, language="en", defaults=words)
        alice.consents.update(notice=read)

    return version


@mutant(
    "a clip is an example only if its speaker agreed to a notice that mentions examples",
    "tagger/desk/examples.py",
    kept_by="per_row=True, since=notices.FIRST_WITH_EXAMPLES)",
    broken="per_row=True)",
)
def test_a_clip_is_no_example_if_its_speakers_notice_does_not_mention_examples(
    client, volunteers, juniper, example, agreed_to
):
    agreed_to(notices.FIRST_WITH_EXAMPLES - 1)
    assert "Jupiter" not in page(client, volunteers[0], juniper)
    assert hear(client, volunteers[0], example).status_code == 404
    agreed_to(notices.FIRST_WITH_EXAMPLES)
    assert "Jupiter" in page(client, volunteers[0], juniper)


def test_a_reviewer_is_told_that_a_clip_cannot_be_an_example(
    client, rita, juniper_task, decide, disagree, agreed_to
):
    agreed_to(notices.FIRST_WITH_EXAMPLES - 1)
    dispute = disagree(juniper_task, "yes", "no")
    client.force_login(rita)
    asked = client.get(page_of(dispute)).content.decode()
    assert "It cannot be used as an example" in asked and "is_example" not in asked
    client.post(act_on(dispute, "accept"), {"answer": "no", "is_example": "on"})
    assert not Example.objects.exists() and ReviewItem.objects.open().exists()
    client.post(act_on(dispute, "accept"), {"answer": "no"})
    assert Task.objects.get(pk=juniper_task.pk).answer == "no"


@pytest.mark.parametrize("version", range(1, notices.current_version() + 1))
@pytest.mark.parametrize(("language", "word"), [("en", "example"), ("es", "ejemplo")])
def test_notices_mention_examples_from_that_version_on(version, language, word):
    text = (notices.FOLDER / f"{version}.{language}.md").read_text()
    assert (word in text.lower()) == (version >= notices.FIRST_WITH_EXAMPLES)


def report(client, person, example, reason):
    client.force_login(person)
    return client.post(reverse("report_example", args=[example.pk]), {"reason": reason}, follow=True)


@mutant(
    "a reported example is hidden from everyone immediately",
    "tagger/lending/assignments.py",
    kept_by="        reporting.store(annotator, task, reason, None, now)\n",
    broken="        pass\n",
)
def test_a_report_hides_an_example_from_everyone_and_reviewers_see_the_reason(
    client, rita, volunteers, juniper, example
):
    answer = report(client, volunteers[2], example, "private")
    assert "Reviewers are told about this clip" in answer.content.decode()
    assert hear(client, volunteers[0], example).status_code == 404
    [waiting] = queue.open_to(rita)
    assert (waiting.clip_id, waiting.kind, waiting.reason) == (example.task.clip_id, "report", "private")
    # A volunteer who answered the clip and reports it twice loses no answer.
    acts.dismiss(waiting, rita, NOW)
    for reason in ("audio", "offensive"):
        report(client, volunteers[0], example, reason)
        Clip.objects.update(hidden_at=None)
    assert example.task.annotations.filter(annotator=volunteers[0]).exists()
    assert Report.objects.get(reporter=volunteers[0]).reason == "offensive"


def test_a_report_of_an_example_needs_a_reason(client, volunteers, example):
    assert "Choose what is wrong" in report(client, volunteers[0], example, "boring").content.decode()
    assert hear(client, volunteers[0], example).status_code == 200


def test_a_second_reporter_reads_that_it_is_no_longer_shown(client, volunteers, example):
    for person, words in zip(volunteers, ("Reviewers are told", "no longer shown"), strict=False):
        assert words in report(client, person, example, "private").content.decode()


def test_people_who_do_not_tag_cannot_report_examples(client, sam, example):
    give_factor(sam).roles = [Role.RESEARCHER]
    sam.save()
    assert report(client, sam, example, "private").status_code == 403
    assert Clip.objects.get(pk=example.task.clip_id).hidden_at is None


def test_a_reviewer_takes_an_example_out(client, rita, volunteers, juniper, example):
    client.force_login(rita)
    assert "Jupiter, not juniper" in client.get(reverse("review_examples")).content.decode()
    client.post(reverse("take_out_example", args=[example.pk]))
    assert "Jupiter, not juniper" not in client.get(reverse("review_examples")).content.decode()
    assert "Jupiter" not in page(client, volunteers[0], juniper)
    assert hear(client, volunteers[0], example).status_code == 404


def test_a_volunteer_cannot_take_an_example_out(client, volunteers, example):
    client.force_login(volunteers[0])
    assert client.post(reverse("take_out_example", args=[example.pk])).status_code == 403
    assert Example.objects.get().is_shown


def test_the_speaker_sees_that_the_clip_is_an_example(client, alice, example):
    client.force_login(alice)
    assert "an example next to the guidelines" in client.get(reverse("my_clips")).content.decode()


def test_one_query_finds_all_examples_of_a_page(
    client, volunteers, juniper, add_tasks, example, django_assert_max_num_queries
):
    def queries():
        with django_assert_max_num_queries(60) as counted:
            page(client, volunteers[0], juniper)
        return sum("datasets_example" in query["sql"] for query in counted.captured_queries)

    for task in add_tasks(juniper, 3):
        Task.objects.filter(pk=task.pk).update(status="settled", plain_answer="yes", settled_at=NOW)
        examples.choose(task, "")
    assert queries() == 1


def test_a_campaign_shows_a_limited_number_of_examples(juniper, add_tasks):
    for task in add_tasks(juniper, examples.MOST_SHOWN + 1):
        Task.objects.filter(pk=task.pk).update(status="settled", plain_answer="yes", settled_at=NOW)
        examples.choose(task, "")
    assert len(examples.for_campaign(juniper)) == examples.MOST_SHOWN
