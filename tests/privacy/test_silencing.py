"""Private seconds are silenced for good: in the vault, in transcripts, in releases, in what is imported."""

import io
import math
import os
import signal
import tarfile
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from django.apps import apps
from django.db import transaction
from django.test import Client
from django.utils import timezone

from accounts import audit, consent, journal
from accounts.ciphers import KeyLost
from accounts.models import AuditEvent, DataKey, Material, Purpose
from datasets import words
from datasets.clips import audio, intake, vault
from datasets.models import Annotation, Clip, Example, Reading, Recall, ReleaseRow, Task, Withdrawal
from datasets.releases import formats, freezing, frozen, recalls
from datasets.releases.formats.rows import Row
from tagger.lending import assignments
from tagger.lending.refusals import AnswerRefusal
from tagger.models import Assignment, Control, Decision, Objection, Repeat, Report
from tagger.privacy import (
    clip_words,
    key_copy,
    my_clips,
    personal_data,
    private_words,
    reconciler,
    silencing,
    withdrawal,
)
from tagger.privacy.silencing import SilencingRefusal
from tagger.review import acts as review_acts
from tagger.review import wording
from tagger.settling import certificates, settlement
from tests.conftest import NOW
from tests.support import sounds
from tests.support.mutants import mutant
from tests.support.refused import refused
from tests.support.released import clear
from tests.support.reviewing import dispute_over
from tests.support.rotation import rotate
from tests.support.site import eventually
from tests.support.stored import files

DAY = timedelta(days=1)
SAID = "my name is john smith and i like it here a lot"
PART = (0.5, 0.8)  # of two seconds: john smith
LEFT = "my [private] i like it here a lot"


def scrub_all():
    for pk in withdrawal.unfinished():
        withdrawal.scrub(Withdrawal.objects.get(pk=pk), lambda: NOW)


@pytest.fixture
def file():
    return sounds.in_format("wav", sounds.tone(2.0))


@pytest.fixture
def spoken(alice, sentences, file):
    """The task of a clip of Alice's: two seconds, in which she says her name."""
    consent.give(alice, "utterance", Material.UTTERANCE.purposes, NOW, reference="on paper")
    origin = intake.Origin(alice, Clip.Source.BROWSER, "en")
    intake.add(intake.read(file), sentences, origin, NOW, truth=SAID)
    return Task.objects.get(campaign=sentences)


def answer(task, *people, text=SAID):
    for person in people:
        [lent] = assignments.lend(person, task.campaign, 1, NOW)
        assignments.hand_in(person, lent.pk, text, NOW)
    settlement.settle(task.pk, NOW)


def samples_of(clip):
    return audio.read(vault.get(Clip.objects.get(pk=clip.pk)))


def silence(task, reviewer, *parts):
    return silencing.silence(Clip.objects.get(pk=task.clip_id), parts or [PART], reviewer, NOW)


@mutant(
    "the seconds that were marked are silent",
    "tagger/privacy/silencing.py",
    kept_by="        vault.put(current.stored_as, current.key, audio.wav(silent))\n",
    broken="        vault.put(current.stored_as, current.key, audio.wav(samples))\n",
)
def test_the_marked_seconds_are_zero_and_all_others_as_they_were(spoken, rita):
    before = samples_of(spoken.clip)
    clip = silence(spoken, rita, (1.0, 1.25), (0.5, 0.8), (0.7, 0.9))
    after = samples_of(clip)
    expected = before.copy()
    expected[8_000:14_400] = expected[16_000:20_000] = 0
    assert np.array_equal(after, expected) and not np.array_equal(after, before)
    assert Clip.objects.get(pk=clip.pk).silenced == [[0.5, 0.9], [1.0, 1.25]]
    silence(spoken, rita, (0.9, 1.0))
    assert Clip.objects.get(pk=clip.pk).silenced == [[0.5, 1.25]]
    assert not samples_of(clip)[8_000:20_000].any()


@mutant(
    "the sound from before seconds were silenced is destroyed",
    "tagger/privacy/silencing.py",
    kept_by="        _erase(current.contributor, old, Withdrawal.Cause.SILENCED, now)\n",
    broken="",
)
@mutant(
    "no key of the present opens a sound from before seconds were silenced",
    "tagger/privacy/silencing.py",
    kept_by="    clip.wrap(secrets.token_bytes(KEY), data_key)\n",
    broken="    clip.wrap(clip.key, data_key)\n",
)
def test_the_old_sound_is_destroyed_and_no_key_opens_a_copy_of_it(alice, spoken, rita, own_home):
    old = spoken.clip.stored_as
    kept = (own_home / "vault" / old).read_bytes()
    clip = silence(spoken, rita)
    assert set(Clip.objects.values_list("stored_as", flat=True)) == {old, clip.stored_as}
    scrub_all()
    assert [each.name for each in files(own_home)] == [clip.stored_as.rpartition("/")[2]]
    [left] = Clip.objects.all()
    assert (left.pk, left.withdrawal, left.contributor) == (spoken.clip_id, None, alice)
    (own_home / "vault" / old).write_bytes(kept)
    with pytest.raises(KeyLost):
        vault.read(old, left.key)
    assert Withdrawal.objects.get().finished_at and DataKey.objects.get(person=alice).generation == 2


@mutant(
    "released copies of a clip with silenced seconds are recalled",
    "tagger/privacy/silencing.py",
    kept_by="        recalls.recall(released)\n",
    broken="",
)
def test_released_copies_are_recalled_and_silent_in_the_archive(spoken, bea, carl, rita):
    answer(spoken, bea, carl)
    clear(spoken.campaign)
    release = freezing.freeze("first", [spoken.campaign], NOW, audience=Purpose.PUBLIC).release
    [public_id] = release.rows.values_list("public_id", flat=True)
    before = archive("first")
    assert SAID.encode() in before["train.csv"] + before["dev.csv"] + before["test.csv"]
    silence(spoken, rita)
    for scrub in (lambda: None, scrub_all):
        scrub()
        after = archive("first")
        assert sizes(after) == sizes(before)
        assert not any(audio.read(after[f"clips/{public_id}.wav"]))
        assert not any(b"john" in file for file in after.values())
    recalls.publish(NOW + DAY)
    assert recalls.feed(release)["recalled"] == [public_id]
    assert Recall.objects.get().is_final and not ReleaseRow.objects.exists()
    settlement.settle(spoken.pk, NOW)
    assert freezing.freeze("second", [spoken.campaign], NOW).rows == 1


def sizes(archive):
    """Without the alphabet, which loses the letters of words that are withheld."""
    return {name: len(file) for name, file in archive.items() if name != "alphabet.txt"}


def archive(slug):
    answer = Client().get(f"/api/v1/releases/{slug}/deepspeech.tar")
    with tarfile.open(fileobj=io.BytesIO(b"".join(answer.streaming_content))) as packed:
        return {each.name: packed.extractfile(each).read() for each in packed if each.isfile()}


@pytest.fixture
def used(spoken, bea, carl, rita):
    """The task with words in every table that can have some."""
    answer(spoken, bea, carl)
    task = Task.objects.get(pk=spoken.pk)
    given = Annotation.objects.filter(task=task).first()
    task.draft = f"{SAID} a machine"
    task.save()
    Repeat.objects.create(annotation=given, answer=SAID, created_at=NOW)
    Objection.objects.create(annotation=given, answer=SAID, note="he says john smith", created_at=NOW)
    Control.objects.create(task=task, campaign=task.campaign, answer=SAID, since=NOW)
    item = dispute_over(task, NOW)
    clip, campaign = {"clip": task.clip}, {"campaign": task.campaign}
    decision = Decision(item=item, **clip, **campaign, act="accept", decided_at=NOW)
    decision.answer, decision.note, decision.before = SAID, "he says john smith", {"answer": SAID}
    decision.save()
    Example.objects.create(task=task, note="he says john smith")
    report = Report(clip=task.clip, campaign=task.campaign, reporter=bea, reason="private", at=NOW)
    report.note = "it says john smith"
    report.save()
    Reading.objects.create(task=task, mark="a sentence")
    return task


def of_clip(task):
    """Every row with words of the task's clip, freshly read."""
    paths = {
        Task: "pk",
        Repeat: "annotation__task",
        Objection: "annotation__task",
        Report: "clip__tasks",
        Decision: "clip__tasks",
    }
    for kept in clip_words.KEPT:
        yield from kept.model.objects.filter(**{paths.get(kept.model, "task"): task.pk})


def said(task):
    """All words of the task's clip, by table and name."""
    return {
        (type(row), each.name): getattr(row, each.name)
        for row in of_clip(task)
        for each in words.of_model(type(row))
    }


@mutant(
    "what was said in silenced seconds is in no transcript",
    "tagger/privacy/clip_words.py",
    kept_by="        setattr(row, name, changed(text))\n",
    broken="        setattr(row, name, text)\n",
)
@mutant(
    "no note, draft or evidence keeps what was said in silenced seconds",
    "tagger/privacy/silencing.py",
    kept_by="    clip_words.remove_others(clip, transcribed)\n",
    broken="",
)
@mutant(
    "words from before seconds were silenced open with no key of the present",
    "tagger/privacy/silencing.py",
    kept_by="    del clip.key  # the old one, which the object remembers\n",
    broken="",
)
def test_all_words_stay_readable_and_none_says_what_was_said_there(used, rita):
    before = {(type(row), row.pk): dict(vars(row)) for row in of_clip(used)}
    assert "john" in str(said(used)) and len(said(used)) == 15
    silence(used, rita)
    found = said(used)
    assert "john" not in str(found) and "smith" not in str(found)
    texts = {(kept.model, name) for kept in clip_words.KEPT for name in kept.texts}
    assert {found[key] for key in texts} == {LEFT}
    assert not any(value for key, value in found.items() if key not in texts)
    for row in of_clip(used):
        for each in words.of_model(type(row)):
            sealed = bytes(getattr(row, f"sealed_{each.name}"))
            assert not sealed or sealed != bytes(before[type(row), row.pk][f"sealed_{each.name}"])
    assert Control.objects.get().retired_at == NOW and not Reading.objects.exists()
    scrub_all()
    assert said(used) == found
    settlement.settle(used.pk, NOW)
    task = Task.objects.get(pk=used.pk)
    assert (task.status, task.answer) == ("settled", LEFT)
    assert certificates.mismatch(task) == "" and "john" not in str(said(used))


@mutant(
    "words are placed by where a voice is heard, too",
    "tagger/privacy/silencing.py",
    kept_by="    for spoken in (anywhere, anywhere & voiced):",
    broken="    for spoken in (anywhere,):",
)
def test_words_are_taken_out_by_both_estimates_of_where_they_were_said():
    """Two silent seconds, then two of speech: by the clock its middle was said, by the voice its start."""
    text = "a b c d e f g h i j k l m n o p q r s t"
    late = np.concatenate([np.zeros(32_000, np.int16), sounds.tone(2.0)])
    assert text_without(text, late, (2.0, 2.1)) == "[private] f g [private] n o p q r s t"
    # What is silent already takes up no time: with the second half silent, all was said in the first.
    assert text_without(text, sounds.tone(4.0), (1.5, 2.0), before=[[2.0, 4.0]]) == (
        "a b c d e f g h i j k [private]"
    )


def text_without(text, samples, part, before=()):
    return private_words.taken_out(text, silencing._shares(samples, [part], before))


def test_a_decision_stays_when_seconds_are_silenced(spoken, bea, carl, rita):
    answer(spoken, bea, carl)
    Task.objects.filter(pk=spoken.pk).update(adjudicated=True)
    silence(spoken, rita)
    settlement.settle(spoken.pk, NOW)
    task = Task.objects.get(pk=spoken.pk)
    assert (task.answer, task.status, task.adjudicated) == (
        LEFT,
        "settled",
        True,
    )
    assert certificates.mismatch(task) == ""


def test_no_table_with_words_is_forgotten():
    """Whoever adds a property with words says in clip_words what becomes of it."""
    known = {(kept.model, name) for kept in clip_words.KEPT for name in (*kept.texts, *kept.removed)}
    there = {(model, each.name): each for model in apps.get_models() for each in words.of_model(model)}
    assert known == {key for key in there if key[0] not in clip_words.RECALLED}
    always = {model for (model, _), each in there.items() if each.always}
    assert always == set(clip_words.ALWAYS_SEALED)


@mutant(
    "a later import does not bring back what was silenced",
    "tagger/privacy/silencing.py",
    kept_by="    fingerprint, kept = fingerprints.of(clip), (",
    broken="    fingerprint, kept = secrets.token_hex(32), (",
)
def test_importing_the_same_file_again_adds_nothing(alice, spoken, rita, file):
    silence(spoken, rita)
    origin = intake.Origin(alice, Clip.Source.BROWSER, "en")
    for scrub in (lambda: None, scrub_all):
        scrub()
        rotate()
        assert not intake.add(intake.read(file), spoken.campaign, origin, NOW)
    assert Clip.objects.count() == Task.objects.count() == 1


def test_labels_stay_and_their_clip_is_silenced(juniper, share, bea, carl, rita):
    task = share(juniper)
    answer(task, bea, carl, text="yes")
    before = Task.objects.values("plain_answer", "plain_soft", "plain_certificate", "status").get()
    silence(task, rita, (0.1, 0.2))
    assert Task.objects.values("plain_answer", "plain_soft", "plain_certificate", "status").get() == before
    assert not samples_of(task.clip)[1_600:3_200].any()


@mutant(
    "nobody who heard seconds that were silenced since writes them down again",
    "tagger/privacy/silencing.py",
    kept_by="        _end_leases(tasks)\n",
    broken="",
)
@mutant(
    "no answer from before seconds were silenced is changed back",
    "tagger/lending/assignments.py",
    kept_by="filter(pk=clip.pk, silenced=[])",
    broken="filter(pk=clip.pk)",
)
def test_who_heard_it_before_hands_in_and_changes_nothing_more(spoken, bea, carl, rita):
    [done] = assignments.lend(bea, spoken.campaign, 1, NOW)
    given, _ = assignments.hand_in(bea, done.pk, SAID, NOW)
    [lent] = assignments.lend(carl, spoken.campaign, 1, NOW)
    silence(spoken, rita)
    with pytest.raises(Assignment.DoesNotExist):
        assignments.hand_in(carl, lent.pk, SAID, NOW)
    with refused(AnswerRefusal.CLIP_GONE):
        assignments.change(bea, given.pk, SAID, NOW)
    task = Task.objects.get(pk=spoken.pk)
    assert (task.lent_count, task.annotation_count) == (0, 1)
    [again] = assignments.lend(carl, spoken.campaign, 1, NOW)
    assignments.hand_in(carl, again.pk, "my name and i like it here a lot", NOW)


REFUSED = {
    SilencingRefusal.NOTHING_MARKED: [],
    SilencingRefusal.OUTSIDE_THE_CLIP: [(0.5, 2.2)],
    SilencingRefusal.NOTHING_LEFT: [(0, 1), (1, 2.05)],
}
OUTSIDE = [(-0.1, 1), (1, 1), (1, 0.5), (2.0, 2.05), (math.nan, 1), (0, math.nan), (0, math.inf)]


@pytest.mark.parametrize(
    ("code", "parts"),
    [*REFUSED.items(), *((SilencingRefusal.OUTSIDE_THE_CLIP, [each]) for each in OUTSIDE)],
)
def test_what_cannot_be_silenced_is_refused_and_changes_nothing(spoken, rita, own_home, code, parts):
    before = Clip.objects.values().get()
    with pytest.raises(silencing.SilencingRefused) as refusal:
        silencing.silence(spoken.clip, parts, rita, NOW)
    assert refusal.value.code == code and str(wording.WORDS[code])
    assert Clip.objects.values().get() == before and len(files(own_home)) == 1
    assert not Withdrawal.objects.exists()


def test_a_clip_that_is_being_erased_is_not_silenced_or_destroyed(alice, spoken, rita):
    withdrawal.forget_clips(alice, [spoken.clip_id], NOW)
    for act in (lambda: silence(spoken, rita), lambda: silencing.destroy(spoken.clip, rita, NOW)):
        with pytest.raises(silencing.SilencingRefused) as refusal:
            act()
        assert refusal.value.code == SilencingRefusal.BEING_ERASED
    scrub_all()
    with pytest.raises(silencing.SilencingRefused):
        silencing.silence(spoken.clip, [PART], rita, NOW)


@mutant(
    "a destroyed clip is erased, and recalled where it was released",
    "tagger/privacy/silencing.py",
    kept_by="    _erase(clip.contributor, current, Withdrawal.Cause.DESTROYED, now)\n",
    broken="",
)
def test_a_destroyed_clip_is_erased_and_recalled(alice, spoken, bea, carl, rita, own_home):
    answer(spoken, bea, carl)
    freezing.freeze("first", [spoken.campaign], NOW)
    silencing.destroy(spoken.clip, rita, NOW)
    assert not Clip.objects.live_for(Purpose.VOLUNTEERS).exists()
    scrub_all()
    assert (Clip.objects.count(), Task.objects.count(), files(own_home)) == (0, 0, [])
    assert Recall.objects.count() == 1 and Withdrawal.objects.get().cause == "destroyed"
    event = AuditEvent.objects.get(act=audit.Act.DESTROYED)
    assert (event.about, event.person, event.details) == (f"clip {spoken.clip_id}", rita, {"seconds": 2.0})


def test_silencing_is_recorded_and_its_speaker_sees_one_clip_that_says_so(alice, spoken, rita):
    silence(spoken, rita)
    event = AuditEvent.objects.get(act=audit.Act.SILENCED)
    assert (event.about, event.person, event.details) == (f"clip {spoken.clip_id}", rita, {"seconds": 0.3})
    for scrub in (lambda: None, scrub_all):
        scrub()
        assert [each.pk for each in my_clips.shared(alice)] == [spoken.clip_id]
        [own] = [personal_data._clip(each) for each in personal_data._own_clips(alice)]
        assert own["silenced"] == [[0.5, 0.8]]
    [told] = [each for each in personal_data._audit_events(alice) if each["act"] == "silenced"]
    assert told["by"] == "a reviewer" and "details" not in told
    assert Withdrawal.objects.get().counts["clips"] == 1 and Withdrawal.objects.get().cause == "silenced"


def test_the_reconciler_finds_nothing_before_and_after_the_old_sound_is_gone(spoken, rita, own_home):
    now = timezone.now()
    key_copy.complete()
    silencing.silence(spoken.clip, [PART], rita, now)
    for scrub in (lambda: None, scrub_all):
        scrub()
        then = (now - timedelta(hours=2)).timestamp()
        for path in files(own_home):
            os.utime(path, (then, then))
        orphans = reconciler.reconcile(now).orphans
        # Nothing rotates the master key here.
        assert not any(count for kind, count in orphans.items() if kind != "overdue_in_backups")


@pytest.mark.parametrize("is_older", [False, True], ids=["", "a journal without causes"])
def test_a_backup_from_before_knows_only_the_old_sound_and_loses_it(spoken, rita, own_home, is_older):
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        silence(spoken, rita)
        _ = 1 / 0  # the database is as it was before, and the journal is not
    [entry] = [each for each in journal.entries() if each["kind"] == "withdrawal"]
    assert entry["cause"] == "silenced" and entry["clips"] == [spoken.clip.stored_as]
    if is_older:
        del entry["cause"]
    assert withdrawal.ask_again(entry) == 1
    assert not Clip.objects.live_for(Purpose.VOLUNTEERS).exists()
    scrub_all()
    assert not Clip.objects.exists() and not vault._storage().exists(entry["clips"][0])


# Runs in another process, which kills itself before or after the step: no handler and no rollback can run.
SILENCE_UNTIL = """
import os, signal, sys
import django; django.setup()
from importlib import import_module
from django.utils import timezone
from accounts.models import User
from datasets.models import Clip
from tagger.privacy import silencing
step, when = sys.argv[1:]
owner, _, name = step.rpartition(".")
owner = import_module(owner) if owner.count(".") else getattr(silencing, owner) if owner else silencing
real = getattr(owner, name)
def killed(*args, **named):
    if when == "after":
        real(*args, **named)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(owner, name, killed)
silencing.silence(Clip.objects.get(), [(0.5, 0.8)], User.objects.get_by_natural_key("rita"), timezone.now())
"""
STEPS = ["_end_leases", "_replace", "vault.put", "withdrawal.forget_clips", "audit.record"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("step", [*STEPS, "request_settlement"])
def test_it_can_be_killed_at_every_step(in_site, used, rita, own_home, step):
    old, before = used.clip.stored_as, said(used)
    freezing.freeze("first", [used.campaign], NOW)
    done = in_site(SILENCE_UNTIL, step, "after" if step != "request_settlement" else "before")
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert vault._storage().exists(old)
    clip = Clip.objects.get(tasks=used)
    if step == "request_settlement":  # it was committed
        assert not samples_of(clip)[8_000:12_800].any() and "john" not in str(said(used))
        assert withdrawal.unfinished() and Clip.objects.exclude(pk=clip.pk).get().stored_as == old
        scrub_all()
        assert len(files(own_home)) == 1 and not vault._storage().exists(old)
        return
    assert (clip.stored_as, said(used)) == (old, before) and samples_of(clip)[8_000:12_800].any()
    assert ReleaseRow.objects.exists() and not Withdrawal.objects.exists()
    withdrawal.settle_journal(timezone.now() + 2 * withdrawal.SETTLED_AFTER)
    assert not journal.entries() and withdrawal.unknown_to_database() == 0
    silence(used, rita)
    scrub_all()
    assert not vault._storage().exists(old) and Clip.objects.count() == 1


@mutant(
    "a sound with silenced seconds that no clip got is removed",
    "tagger/privacy/silencing.py",
    kept_by="    with vault.destroyed_unless_stored(names), transaction.atomic():",
    broken="    with transaction.atomic():",
)
def test_a_failure_leaves_the_clip_and_no_second_file(spoken, rita, own_home, monkeypatch):
    def broken(*arguments, **named):
        raise OSError("the disk does not answer")

    monkeypatch.setattr(withdrawal, "forget_clips", broken)
    with pytest.raises(OSError):
        silence(spoken, rita)
    assert len(files(own_home)) == 1 and samples_of(spoken.clip)[8_000:12_800].any()


@mutant(
    "no release in the making has words under a key that silencing replaces",
    "tagger/privacy/silencing.py",
    kept_by="        if freezing.is_freezing():",
    broken="        if False:",
)
@pytest.mark.django_db(transaction=True)
def test_a_release_and_silencing_never_overlap(spoken, bea, carl, rita, in_background, lock_is_awaited):
    answer(spoken, bea, carl)
    with transaction.atomic():
        freezing.freeze("first", [spoken.campaign], NOW)
        first = in_background(lambda: silence(spoken, rita))
        assert eventually(lambda: first.done() or lock_is_awaited())
        assert first.done()
        with pytest.raises(silencing.SilencingRefused) as refusal:
            first.result()
        assert refusal.value.code == SilencingRefusal.RELEASE_BEING_MADE
    with transaction.atomic():
        silence(spoken, rita)
        second = in_background(lambda: freezing.freeze("second", [spoken.campaign], NOW))
        assert eventually(lambda: second.done() or lock_is_awaited())
        assert not second.done()
        settlement.settle(spoken.pk, NOW)
    assert second.result().rows == 1
    release = second.result().release
    assert "[private]" in next(iter(frozen.rows(release))).text


@mutant(
    "words that waited while seconds were silenced are not sealed under the old key",
    "datasets/models.py",
    kept_by='        locked = self.select_for_update(of=("self", "clip"), no_key=True)',
    broken='        locked = self.select_for_update(of=("self",), no_key=True)',
)
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("act", ["hand in", "decide", "withdraw"])
def test_what_waits_while_seconds_are_silenced_never_uses_the_old_key(
    alice, spoken, bea, carl, rita, in_background, lock_is_awaited, act
):
    answer(spoken, bea)
    [lent] = assignments.lend(carl, spoken.campaign, 1, NOW)
    dispute = dispute_over(spoken, NOW)
    acts = {
        "hand in": lambda: assignments.hand_in(carl, lent.pk, SAID, NOW),
        "decide": lambda: review_acts.accept(dispute, rita, "what a reviewer wrote", NOW),
        "withdraw": lambda: withdrawal.forget_contributor(alice, NOW),
    }
    with transaction.atomic():
        silence(spoken, rita)
        waiting = in_background(acts[act])
        assert eventually(lambda: waiting.done() or lock_is_awaited())
        assert not waiting.done()
    if act == "hand in":
        with pytest.raises(Assignment.DoesNotExist):
            waiting.result()
    else:
        waiting.result()
    assert "john" not in str(said(spoken))
    scrub_all()
    assert Clip.objects.count() == (0 if act == "withdraw" else 1)
    if act == "decide":
        assert Task.objects.get().answer == "what a reviewer wrote"


def test_private_is_one_word_that_releases_keep_and_formats_for_recognition_leave_out():
    row = Row(
        *("ab", "speaker", "train", "transcription", "", None, "my name [private] here"),
        *(2.0, 64_044, 0.9, {}, "en"),
    )
    reasons = {
        name: form.why_left_out(replace(row, for_synthesis=True)) for name, form in formats.FORMATS.items()
    }
    assert {name for name, reason in reasons.items() if reason == "partly silenced"} == {
        *("deepspeech", "kaldi", "lhotse-shar", "nemo", "common-voice", "ljspeech"),
    }
    # Whoever adds one decides about the marker.
    assert {name for name, reason in reasons.items() if reason is None} == {
        *("hf-audiofolder", "parquet", "parquet-labels", "webdataset", "text"),
    }
