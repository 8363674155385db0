"""Reviewers silence private seconds, or destroy the clip: asked twice on the page, and for good."""

import pytest
from django.test import Client

from accounts import consent
from accounts.models import AuditEvent, Material, ProgramToken, Scope
from datasets.clips import audio, intake, vault
from datasets.models import Clip, Task, Withdrawal
from tagger.lending import assignments
from tagger.models import Decision, Report, ReviewItem
from tagger.review import acts, private_sound, undo
from tagger.review.refusals import ReviewRefusal
from tests.conftest import NOW
from tests.releases.test_between_feeds import scrub_all
from tests.support import sounds
from tests.support.mutants import mutant
from tests.support.reviewing import act_on, dispute_over, page_of, review_refused

SAID = "my name is john smith and i like it here a lot"
LEFT = "my [private] like it here a lot"


@pytest.fixture
def reported(spoken, volunteers):
    """The item of a clip that a volunteer reported, with the part in which a name is said."""
    assignments.report_example(volunteers[2], spoken.task, "private", NOW)
    Report.objects.update(part_from=0.5, part_to=0.9)
    return item_of_kind(spoken.clip, "report")


@pytest.fixture
def spoken(alice, sentences, disagree):
    """A dispute over two seconds, in which Alice says her name."""
    consent.give(alice, "utterance", Material.UTTERANCE.purposes, NOW, reference="on paper")
    origin = intake.Origin(alice, Clip.Source.BROWSER, "en")
    intake.add(intake.read(sounds.in_format("wav", sounds.tone(2.0))), sentences, origin, NOW)
    return disagree(Task.objects.get(campaign=sentences), SAID, "nothing of the kind was said by anyone")


def item_of_kind(clip, kind):
    return ReviewItem.objects.open().get(clip=clip, kind=kind)


def is_silent(clip, start, end):
    samples = audio.read(vault.get(Clip.objects.get(pk=clip.pk)))
    return not samples[int(start * audio.RATE) : int(end * audio.RATE)].any()


@mutant(
    "nothing is silenced or destroyed before the reviewer was asked twice",
    "tagger/review/views_item.py",
    kept_by='if act in undo.FOR_GOOD and "sure" not in request.POST:',
    broken="if False:",
)
def test_the_page_asks_first_and_shows_what_will_be_left(client, rita, reported):
    client.force_login(rita)
    assert 'value="0.50-0.90"' in client.get(page_of(reported)).content.decode()
    before = vault.get(reported.clip)
    asked = client.post(act_on(reported, "silence"), {"parts": "0.5-0.9"}).content.decode()
    assert LEFT in asked and "Silence 0.5-0.9 s for good?" in asked
    asked = client.post(act_on(reported, "destroy"), {}).content.decode()
    assert "Destroy this clip for good?" in asked
    assert vault.get(Clip.objects.get()) == before and not Withdrawal.objects.exists()
    assert not Decision.objects.exists()


@mutant(
    "a reviewer's silence reaches the sound",
    "tagger/review/private_sound.py",
    kept_by="    silencing.silence(clip, parts, reviewer, now)\n",
    broken="",
)
def test_marked_seconds_of_a_reported_clip_are_silenced_and_it_is_heard_again(client, rita, reported):
    assert Clip.objects.get().hidden_at and not is_silent(reported.clip, 0.5, 0.9)
    client.force_login(rita)
    client.post(act_on(reported, "silence"), {"parts": "0.5-0.9", "sure": "1"})
    assert is_silent(reported.clip, 0.5, 0.9) and not is_silent(reported.clip, 0, 0.5)
    scrub_all()
    [clip] = Clip.objects.all()
    assert clip.hidden_at is None and Report.objects.get().upheld_at and not Report.objects.get().dismissed_at
    assert {each.answer for each in clip.tasks.get().annotations.all()} >= {LEFT}
    # The dispute over it waits on.
    assert [item.kind for item in ReviewItem.objects.open()] == ["dispute"]
    decision = Decision.objects.get()
    assert (decision.act, decision.reviewer, decision.note) == ("silence", rita, "")
    assert list(AuditEvent.objects.filter(person=rita).values_list("act", flat=True)) == ["silenced"]


def test_a_dispute_stays_with_its_reviewer_after_seconds_were_silenced(client, rita, spoken):
    client.force_login(rita)
    answer = client.post(act_on(spoken, "silence"), {"parts": "0.5-0.9", "sure": "1"})
    assert answer.url.startswith(page_of(spoken))
    page = client.get(answer.url).content.decode()
    assert LEFT in page and "john" not in page
    acts.accept(ReviewItem.objects.open().get(), rita, "and i like it here a lot", NOW)


@mutant(
    "what a reviewer destroys is erased",
    "tagger/review/private_sound.py",
    kept_by="    silencing.destroy(clip, reviewer, now)\n",
    broken="",
)
def test_a_clip_is_destroyed(client, rita, reported):
    client.force_login(rita)
    answer = client.post(act_on(reported, "destroy"), {"sure": "1"})
    assert answer.url.startswith("/review/next/")
    assert not client.get(answer.url, follow=True).redirect_chain
    scrub_all()
    assert not Clip.objects.exists() and not Decision.objects.exists() and not ReviewItem.objects.exists()
    assert Withdrawal.objects.get().cause == Withdrawal.Cause.DESTROYED


def silence_a_second(item, reviewer, now):
    return private_sound.silence(item, reviewer, [(0, 1)], now)


@pytest.mark.parametrize("act", [private_sound.destroy, silence_a_second])
def test_neither_can_be_undone(rita, reported, act):
    decision = act(reported, rita, NOW)
    assert undo.last_of(rita) == []
    with review_refused(ReviewRefusal.FOR_GOOD):
        undo.undo(decision, rita, NOW)


def test_an_act_from_before_the_silence_cannot_bring_words_back(rita, spoken):
    asked = acts.ask_more(spoken, rita, 2, NOW)
    private_sound.silence(dispute_over(spoken.task, NOW), rita, [(0.5, 0.9)], NOW)
    with review_refused(ReviewRefusal.CHANGED_SINCE):
        undo.undo(asked, rita, NOW)
    assert "john" not in str(Decision.objects.get(pk=asked.pk).before)


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ("", "Mark the seconds to silence first."),
        ("0.5", "Write each part in seconds, such as 1.2-2.5"),
        ("0.5-<b>", "Write each part in seconds, such as 1.2-2.5"),
        ("1-0.5", "must be within the clip"),
        ("0-99", "must be within the clip, which lasts"),
        ("0-1e9", "Write each part in seconds"),
        ("٠-١", "Write each part in seconds"),
        ("0-2", "Nothing would be left to hear."),
    ],
)
@pytest.mark.parametrize("sure", [{}, {"sure": "1"}])
def test_parts_that_make_no_sense_are_refused_and_kept_in_the_box(client, rita, reported, parts, said, sure):
    client.force_login(rita)
    answer = client.post(act_on(reported, "silence"), {"parts": parts, **sure})
    page = answer.content.decode()
    assert answer.status_code == 409 and said in page
    assert not parts or f'value="{parts.replace("<", "&lt;").replace(">", "&gt;")}"' in page
    assert Clip.objects.get().silenced == [] and item_of_kind(reported.clip, "report") == reported


def test_programs_see_what_will_be_left_and_silence(rita, reported):
    token = ProgramToken.objects.create(rita, [Scope.REVIEW])[1]
    ask = Client(headers={"authorization": f"Token {token}"})

    def post(end, **body):
        answer = ask.post(f"/api/v1/reviews/{reported.pk}/{end}/", body, content_type="application/json")
        return answer.status_code, answer.json()

    status, left = post("texts-left", parts=[[0.5, 0.9]])
    assert status == 200 and {"before": SAID, "after": LEFT} in left["texts"]
    for bad in ([], [[0.5]], [[0.9, 0.5]], [["a", 1]], [[0, 99]], [[0, 2]], "0-1", None, [[0, 1e308]]):
        for end in ("texts-left", "silence"):
            assert post(end, parts=bad)[0] == 400
    assert not is_silent(reported.clip, 0.5, 0.9)
    status, answered = post("silence", parts=[[0.5, 0.9]])
    assert (status, answered["decision"]) == (200, Decision.objects.get().pk)
    assert is_silent(reported.clip, 0.5, 0.9)
    assert post("silence", parts=[[0, 0.1]])[0] == 409
