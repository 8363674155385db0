"""Between two recall feeds nothing that a release publishes says when someone left, but no sound or word of
theirs is sent."""

import io
import json
import tarfile
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.test import Client

from accounts import consent
from accounts.keys import KeyLost
from accounts.models import Material, Purpose, User
from datasets.clips import vault
from datasets.models import Recall, Task, Withdrawal
from datasets.releases import blank, formats, frozen, recalls, spans
from tagger.lending import assignments
from tagger.privacy import withdrawal
from tests.conftest import NOW
from tests.support.mutants import mutant
from tests.support.released import release, settle

DAY = timedelta(days=1)
# Each of Wendy's sentences has a letter or a mark of its own, or is too long or unclear for a format.
SAID = [
    "turn left",
    "qué día",
    "ünter dem [unclear] baum",
    "ξένος",
    "many words in a short clip " * 3,
    "日本語",
]
HEARD = ["yes", "no", "yes", "noise"]
# One of each make: clips beside tables, in folders, ordered by speaker, and packed.
MADE_DIFFERENTLY = {"deepspeech", "precise", "kaldi", "parquet", "webdataset", "lhotse-shar"}
FORMS = [
    name if name in MADE_DIFFERENTLY else pytest.param(name, marks=pytest.mark.in_full)
    for name in formats.FORMATS
]
PACKED = {"parquet", "parquet-labels", "webdataset", "lhotse-shar", "text"}  # without sounds of their own
ADDRESSES = ["", "manifest.jsonl", *(f"{name}.tar" for name in formats.FORMATS)]


@pytest.fixture
def people(alice):
    """Alice, and Wendy, who shares with everyone."""
    found = [alice, User.objects.create_user("wendy")]
    for person in found:
        for material in Material:
            consent.give(person, material, material.purposes, NOW, reference="on paper")
    return found


@pytest.fixture
def wendy(people):
    return people[1]


@pytest.fixture(params=["labels", "transcripts"])
def opened(request, juniper, sentences, share, people):
    """A release for everyone, of labels or of transcripts, with clips of both."""
    campaign, answers = (juniper, HEARD) if request.param == "labels" else (sentences, SAID)
    for person in people:
        for answer in answers:
            settle(share(campaign, person), answer)
    return release("open", campaign, audience=Purpose.PUBLIC)


def withdraw_public_releases(wendy, bea):
    consent.withdraw(wendy, NOW, purpose=Purpose.PUBLIC)


def leave(wendy, bea):
    withdrawal.forget_account(wendy, keep_answers=True, now=NOW)


def leave_and_be_erased(wendy, bea):
    leave(wendy, bea)
    scrub_all()
    assert not Task.objects.filter(clip__contributor=wendy).exists()


def scrub_all():
    for pk in withdrawal.unfinished():
        withdrawal.scrub(Withdrawal.objects.get(pk=pk), lambda: NOW)


def delete_one_clip(wendy, bea):
    withdrawal.forget_clips(wendy, [wendy.clips.first().pk], NOW)
    scrub_all()


def be_reported(wendy, bea):
    for task in Task.objects.filter(clip__contributor=wendy):
        assignments.report_example(bea, task, "private", NOW)


ACTS = [withdraw_public_releases, leave, leave_and_be_erased, delete_one_clip, be_reported]


def everything_published(one):
    """What a stranger sees without downloading an archive: {address: (status, headers, body)}."""
    stranger, seen = Client(), {}
    one.plans.all().delete()  # a key rotation makes what was planned before unreadable
    for address in ADDRESSES:
        ask = stranger.head if address.endswith(".tar") else stranger.get
        answer = ask(f"/api/v1/releases/{one.slug}/{address}")
        seen[address] = answer.status_code, dict(answer.headers), answer.getvalue()
    seen["feed"] = stranger.get(f"/api/v1/recalls/{one.slug}.json").content
    return seen


def downloaded(one, form):
    """The archive as a stranger gets it; None if the format cannot hold the release."""
    answer = Client().get(f"/api/v1/releases/{one.slug}/{form}.tar")
    return answer.getvalue() if answer.status_code == 200 else None


@mutant(
    "an erased clip stays in a release's lists until the next feed",
    "datasets/releases/frozen.py",
    kept_by="row.id: row for row in self._erased(",
    broken="row.id: row for row in [] and self._erased(",
)
@mutant(
    "a withdrawn clip stays in a release's lists until the next feed",
    "datasets/releases/spans.py",
    kept_by="    return rows.annotate(is_live=Exists(live))",
    broken="    return rows.filter(Exists(live)).annotate(is_live=Exists(live))",
)
@mutant(
    "blanks take as many bytes as the words did, so an archive's size does not say when someone left",
    "datasets/releases/blank.py",
    kept_by='    return kept + "".join(',
    broken='    return kept and "".join(',
)
@mutant(
    "an archive's ETag does not say when someone left",
    "datasets/releases/formats/layout.py",
    kept_by='        self._tag.update(f"{key}\\0{size}\\0{rows[0].id}\\n".encode())',
    broken="        self._tag.update(str(rows).encode())",
)
@pytest.mark.parametrize("act", ACTS)
def test_a_withdrawal_changes_nothing_that_is_published_before_the_next_feed(opened, wendy, bea, act):
    before = everything_published(opened)
    act(wendy, bea)
    assert everything_published(opened) == before
    recalls.publish(NOW + DAY)
    after = everything_published(opened)
    for address in ADDRESSES:
        if before[address][0] == 200:
            assert after[address] != before[address], address
    gone = set(json.loads(after["feed"])["recalled"])
    listed = {json.loads(line)["id"] for line in after["manifest.jsonl"][2].splitlines()}
    assert gone and not gone & listed


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("act", ACTS)
def test_until_the_next_feed_an_archive_differs_only_in_sounds_that_are_silent_and_words_that_are_blank(
    opened, wendy, bea, act, form
):
    sounds = {vault.get(clip)[44:] for clip in wendy.clips.all()}
    ids = {row.public_id for row in opened.rows.filter(task__clip__contributor=wendy)}
    before = downloaded(opened, form)
    if before is None:
        pytest.skip("it cannot hold this release")
    kept = {vault.get(clip)[44:] for clip in act_and_find_the_rest(act, wendy, bea)}
    after = downloaded(opened, form)
    assert len(after) == len(before)
    assert not any(sound in after for sound in sounds - kept)
    was, now = unpacked(before), unpacked(after)
    assert was.keys() == now.keys()
    for name in was:
        if name.endswith(".wav") and was[name] != now[name]:
            assert not any(now[name][44:-38]) and now[name][:44] == was[name][:44]
            assert any(each in name for each in ids)
        elif was[name] != now[name]:
            assert name not in ("README.md", "LICENSE.txt", "checksums.sha256") or without_texts(
                was[name]
            ) == (without_texts(now[name]))


def act_and_find_the_rest(act, wendy, bea):
    act(wendy, bea)
    return [task.clip for task in Task.objects.live_for(Purpose.PUBLIC).filter(clip__contributor=wendy)]


def unpacked(packed):
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}


def without_texts(checksums):
    """The checksums of the sounds."""
    return [line for line in checksums.splitlines() if line.endswith(b".wav")]


@mutant(
    "the words of a withdrawn clip are in no later archive",
    "datasets/releases/frozen.py",
    kept_by="    return (answer, soft) if row.is_live else (blank.text(answer), blank.evidence(soft))",
    broken="    return answer, soft",
)
@pytest.mark.parametrize("act", [withdraw_public_releases, leave, leave_and_be_erased, be_reported])
def test_no_word_of_a_withdrawn_transcript_is_in_anything_that_is_sent(
    sentences, share, people, wendy, bea, act
):
    for person, words in zip(people, ("what alice said", "my xylophone"), strict=True):
        settle(share(sentences, person), words)
    one = release("open", sentences, audience=Purpose.PUBLIC)
    assert b"xylophone" in downloaded(one, "deepspeech")
    act(wendy, bea)
    sent = downloaded(one, "deepspeech"), Client().get("/api/v1/releases/open/manifest.jsonl").getvalue()
    for data in sent:
        assert b"xylophone" not in data
    assert b"what alice said" in sent[0]


@mutant(
    "what is kept of an erased clip until the next feed has no words in it",
    "datasets/releases/frozen.py",
    kept_by="    withheld = [_StoredRow(*row)._replace(is_live=False) for row in stored]",
    broken="    withheld = [_StoredRow(*row)._replace(is_live=True) for row in stored]",
)
@mutant(
    "nothing but its id is kept of an erased clip after the next feed",
    "datasets/releases/recalls.py",
    kept_by="    release.recalls.filter(line__isnull=False).update(line=None)\n",
    broken="",
)
def test_until_the_next_feed_only_what_was_listed_is_kept_of_an_erased_clip_and_then_its_id(
    sentences, share, people, wendy
):
    settle(share(sentences, wendy), "my xylophone")
    release("open", sentences, audience=Purpose.PUBLIC)
    leave_and_be_erased(wendy, None)
    [line] = Recall.objects.values_list("line", flat=True)
    assert (line["text"], set(line["soft"])) == (" " * len("my xylophone"), {"blank"})
    recalls.publish(NOW + DAY)
    assert Recall.objects.get().line is None


@pytest.mark.parametrize("form", FORMS)
def test_the_checksums_of_the_sounds_do_not_change_before_the_next_feed(opened, wendy, bea, form):
    if (before := downloaded(opened, form)) is None:
        pytest.skip("it cannot hold this release")
    leave_and_be_erased(wendy, bea)
    was, now = (unpacked(each)["checksums.sha256"] for each in (before, downloaded(opened, form)))
    assert without_texts(now) == without_texts(was)
    assert without_texts(was) or form == "precise" or form in PACKED  # the one has no transcripts


@pytest.mark.parametrize("form", FORMS)
def test_an_interrupted_download_continues_after_a_withdrawal_without_the_withdrawn_sounds(
    opened, wendy, bea, form
):
    """At every 4,001st byte: what was sent before and what is sent since make an archive that can be read."""
    stranger, address = Client(), f"/api/v1/releases/open/{form}.tar"
    whole = stranger.get(address)
    if whole.status_code != 200:
        pytest.skip("it cannot hold this release")
    before, etag = whole.getvalue(), whole["ETag"]
    sounds = [vault.get(clip)[44:] for clip in wendy.clips.all()]
    leave_and_be_erased(wendy, bea)
    for first in range(1, len(before), 40_001):
        rest = stranger.get(address, headers={"Range": f"bytes={first}-", "If-Range": etag})
        assert (rest.status_code, rest["ETag"]) == (206, etag)
        joined = before[:first] + (sent := rest.getvalue())
        assert len(joined) == len(before)
        assert unpacked(joined).keys() == unpacked(before).keys()
        assert not any(sound in sent for sound in sounds)


def test_a_list_that_is_read_while_a_row_is_erased_has_the_row_once(opened, wendy, monkeypatch):
    """The erasure comes between the rows and the erased rows, and before both."""
    expected = [row.id for row in frozen.rows(opened)]
    look, left = spans.erased, []

    def erase_first(*span):
        if not left:
            left.append(leave_and_be_erased(wendy, None))
        return look(*span)

    monkeypatch.setattr(spans, "BATCH_SIZE", 2)
    monkeypatch.setattr(spans, "erased", erase_first)
    assert [row.id for row in frozen.rows(opened)] == expected
    assert [row.id for row in frozen.rows(opened)] == expected


def test_a_clip_whose_key_is_gone_before_its_row_does_not_keep_the_release_from_being_read(
    opened, wendy, bea
):
    leave(wendy, bea)
    wendy.data_key.delete()
    assert len(list(frozen.rows(opened))) == opened.rows.count()
    assert all(downloaded(opened, form) for form in formats.FORMATS if downloaded(opened, form) is not None)


def test_a_lost_key_of_someone_who_stays_is_an_error(sentences, share, people, wendy):
    settle(share(sentences, wendy), "turn left")
    one = release("open", sentences, audience=Purpose.PUBLIC)
    wendy.data_key.delete()
    with pytest.raises(KeyLost):
        list(frozen.rows(one))


@pytest.mark.parametrize("words", [*SAID, "", "[unclear]", "a [unclear] b [unclear]", "𝄞 music"])
def test_a_blank_is_as_long_as_the_words_and_as_clear(words):
    made = blank.text(words)
    assert (len(made), len(made.encode())) == (len(words), len(words.encode()))
    assert ("[unclear]" in made) == ("[unclear]" in words)
    assert not set(made.replace("[unclear]", "", 1)) - set(" \u00a0\u2003\U000e0020")


def test_an_export_of_a_release_with_withdrawn_clips_equals_its_archive(opened, wendy, bea, tmp_path):
    leave_and_be_erased(wendy, bea)
    for form in formats.FORMATS:
        if (packed := downloaded(opened, form)) is not None:
            call_command("export", "open", format=form, to=tmp_path / form, stdout=io.StringIO())
            paths = [path for path in (tmp_path / form).rglob("*") if path.is_file()]
            assert {str(path.relative_to(tmp_path / form)): path.read_bytes() for path in paths} == unpacked(
                packed
            )
