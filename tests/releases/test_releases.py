"""Settled tasks are frozen into a release, and a release is exported in training formats."""

import csv
import json
from datetime import timedelta
from io import BytesIO, StringIO
from pathlib import Path

import pytest
import soundfile
from django.core.management import CommandError, call_command

from accounts import consent
from accounts.models import Material, Purpose, User
from datasets import campaigns
from datasets.clips import vault
from datasets.models import Annotation, Campaign, Clip, Release, ReleaseRow, Task
from datasets.releases import freezing, frozen, recalls, splits
from datasets.releases.about import about
from tagger.lending import assignments
from tagger.settling import settlement
from tests.conftest import NOW
from tests.support.mutants import mutant
from tests.support.released import clear, refused

LATER = NOW + timedelta(days=200)


@pytest.fixture
def agree(share, volunteers, alice):
    """Shares a clip and has two volunteers agree on it."""

    def on(campaign, answer="yes", contributor=alice):
        return settled(share(campaign, contributor), volunteers[:2], answer)

    return on


def settled(task, people, *answers):
    for number, person in enumerate(people):
        answer = answers[number % len(answers)]
        Annotation.objects.create(task=task, annotator=person, answer=answer, created_at=NOW)
    Task.objects.filter(pk=task.pk).update(annotation_count=len(people))
    settlement.settle(task.pk, NOW)
    task.refresh_from_db()
    return task


@pytest.fixture
def another(db):
    """Makes one more contributor, with Alice's consents unless purposes are named."""

    def person(name, *purposes):
        made = User.objects.create_user(name)
        for material in ("wake-word", "utterance"):
            allowed = purposes or (Purpose.VOLUNTEERS, Purpose.RESEARCHERS)
            consent.give(made, material, allowed, NOW, reference="on paper")
        return made

    return person


@pytest.fixture
def one_release(juniper, agree):
    """A release of two clips, yes and no."""
    agree(juniper, "yes")
    agree(juniper, "no")
    return freeze("spring", juniper).release


def freeze(slug, *campaigns, **limits):
    return freezing.freeze(slug, campaigns, NOW, **limits)


def pinned(release):
    return set(release.rows.values_list("public_id", flat=True))


def run(command, *words, **options):
    output = StringIO()
    call_command(command, *words, **options, stdout=output)
    return output.getvalue()


def export(release, to, form="deepspeech"):
    return run("export", release.slug, format=form, to=to)


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def table(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def soft_labels(folder):
    return [json.loads(line) for line in (folder / "soft-labels.jsonl").read_text().splitlines()]


def samples(wav):
    sound, rate = soundfile.read(BytesIO(wav), dtype="int16")
    assert (rate, sound.ndim) == (16_000, 1)
    return sound.tobytes()


def test_a_release_pins_what_was_agreed(juniper, agree):
    task = agree(juniper, "similar")
    row = freeze("spring", juniper).release.rows.get()
    assert (row.task, row.answer, row.confidence) == (task, "similar", task.confidence)
    assert row.soft == task.soft | {"adjudicated": False}


def test_a_release_stays_as_it_is_when_an_answer_is_changed(juniper, agree, bea):
    task = agree(juniper, "yes")
    release = freeze("spring", juniper).release
    assignments.change(bea, task.annotations.get(annotator=bea).pk, "no", LATER)
    settlement.settle(task.pk, LATER)
    task.refresh_from_db()
    assert task.status == "open"
    assert [row.label for row in frozen.rows(release)] == ["yes"]


def test_a_release_stays_as_it_is_when_more_is_settled(juniper, agree, one_release):
    before = pinned(one_release)
    agree(juniper)
    assert pinned(one_release) == before


def test_unsettled_tasks_are_left_out_and_counted(juniper, agree, share, volunteers):
    agree(juniper)
    share(juniper)
    settled(share(juniper), volunteers, "yes", "no")
    done = freeze("spring", juniper)
    assert (done.rows, done.contributors, done.unsettled) == (1, 1, 2)


def test_the_ids_of_two_releases_have_nothing_in_common(juniper, agree):
    for _ in range(5):
        agree(juniper)
    one, other = freeze("spring", juniper).release, freeze("summer", juniper).release
    assert len(pinned(one)) == len(pinned(other)) == 5
    assert not pinned(one) & pinned(other)
    assert set(one.rows.values_list("speaker")) != set(other.rows.values_list("speaker"))


def test_a_speaker_is_one_speaker_within_a_release(juniper, sentences, agree, another):
    agree(juniper)
    agree(sentences, "hello")
    agree(juniper, contributor=another("wendy"))
    rows = freeze("spring", juniper, sentences).release.rows
    speakers = {(row.task.clip.contributor_id, row.speaker) for row in rows.all()}
    assert len(speakers) == len({speaker for _, speaker in speakers}) == 2


def test_tasks_below_the_confidence_are_left_out_and_counted(juniper, agree, share, volunteers):
    less = agree(juniper).confidence
    more = settled(share(juniper), volunteers[:5], "yes").confidence
    assert less < more
    assert freeze("all", juniper, min_confidence=less).rows == 2
    done = freeze("sure", juniper, min_confidence=more)
    assert (done.rows, done.unsure) == (1, 1)


def test_a_reviewers_decision_is_released_at_any_agreement(juniper, share, volunteers):
    task = settled(share(juniper), volunteers, "yes", "no")
    Task.objects.filter(pk=task.pk).update(status="settled", plain_answer="similar", adjudicated=True)
    row = freeze("sure", juniper, min_confidence=1.0).release.rows.get()
    assert (row.answer, row.soft["adjudicated"]) == ("similar", True)
    assert row.confidence == task.confidence < 1


def test_too_few_contributors_freeze_nothing(juniper, agree, another):
    agree(juniper)
    agree(juniper, contributor=another("wendy"))
    with refused(freezing.BadRelease, r"2 contributors .*, at least 3 are asked for"):
        freeze("spring", juniper, min_contributors=3)
    assert (Release.objects.count(), ReleaseRow.objects.count()) == (0, 0)
    assert freeze("spring", juniper, min_contributors=2).contributors == 2


def test_a_release_of_nothing_is_refused(juniper, share):
    share(juniper)
    with refused(freezing.BadRelease, "0 contributors"):
        freeze("spring", juniper)


def test_only_clips_with_consent_for_researchers_are_released(juniper, agree, another):
    agree(juniper)
    agree(juniper, contributor=another("wendy", Purpose.VOLUNTEERS))
    done = freeze("spring", juniper)
    assert (done.rows, done.contributors, done.without_consent) == (1, 1, 1)


@pytest.mark.parametrize("end", ["withdrawn", "hidden"])
def test_a_withdrawn_or_hidden_clip_is_not_released(juniper, agree, another, end):
    wendy = another("wendy")
    agree(juniper)
    task = agree(juniper, contributor=wendy)
    if end == "withdrawn":
        consent.withdraw(wendy, NOW)
    else:
        Clip.objects.filter(pk=task.clip_id).update(hidden_at=NOW)
    done = freeze("spring", juniper)
    assert (done.rows, done.without_consent) == (1, 1)


@pytest.mark.parametrize("end", ["withdrawn", "hidden"])
def test_a_clip_withdrawn_or_hidden_after_the_release_is_silent_in_an_export_until_the_feed_recalls_it(
    juniper, agree, another, tmp_path, end
):
    wendy = another("wendy")
    stays, goes = agree(juniper), agree(juniper, contributor=wendy)
    gone = samples(vault.get(goes.clip))
    release = freeze("spring", juniper).release
    export(release, tmp_path / "before", "precise")
    if end == "withdrawn":
        consent.withdraw(wendy, LATER)
    else:
        Clip.objects.filter(pk=goes.clip_id).update(hidden_at=LATER)
    said = export(release, tmp_path / "since", "precise")
    assert "1 clips of the release were withdrawn or reported since its last recall feed" in said
    recalls.publish(NOW + timedelta(days=1))
    said = export(release, tmp_path / "after", "precise")
    assert "since its last recall feed" not in said
    left = release.rows.get(task=goes)
    before, since, after = (contents(tmp_path / name) for name in ("before", "since", "after"))
    assert any(gone in data for data in before.values())
    assert not any(gone in data for data in since.values())
    assert [name for name in before if before[name] != since[name]] == [
        name for name in before if left.public_id in name
    ]
    assert not any(gone in data or left.public_id.encode() in data for data in after.values())
    assert [row["id"] for row in soft_labels(tmp_path / "after")] == [release.rows.get(task=stays).public_id]


def test_a_clip_that_is_withdrawn_during_an_export_is_silent_in_it(alice, one_release, tmp_path, monkeypatch):
    """After the table that names the clip was written, and before its sound is read."""
    look = frozen.sounds
    gone = [samples(vault.get(row.task.clip)) for row in one_release.rows.all()]

    def withdraw_first(release, ids, purpose):
        consent.withdraw(alice, LATER)
        return look(release, ids, purpose)

    monkeypatch.setattr(frozen, "sounds", withdraw_first)
    assert "2 clips of the release were withdrawn" in export(one_release, tmp_path / "out", "precise")
    written = contents(tmp_path / "out")
    assert not any(sound in data for sound in gone for data in written.values())
    silent = [samples(data) for name, data in written.items() if name.endswith(".wav")]
    assert [set(sound) for sound in silent] == [{0}, {0}]


def test_a_speaker_whose_first_clip_settles_during_the_freeze_waits_for_the_next_release(
    juniper, agree, another, monkeypatch
):
    wendy, assign = another("wendy"), splits.assign

    def settle_one_more(*args, **options):
        agree(juniper, contributor=wendy)
        return assign(*args, **options)

    agree(juniper)
    monkeypatch.setattr(splits, "assign", settle_one_more)
    assert freeze("spring", juniper).rows == 1
    monkeypatch.setattr(splits, "assign", assign)
    assert freeze("summer", juniper).rows == 2


@pytest.mark.parametrize(
    ("slug", "limits", "says"),
    [
        ("two words", {}, "cannot name a release"),
        ("../spring", {}, "cannot name a release"),
        ("", {}, "cannot name a release"),
        ("s" * 61, {}, "cannot name a release"),
        ("spring", {"min_confidence": 1.1}, "min-confidence is 1.1"),
        ("spring", {"min_confidence": float("nan")}, "min-confidence is nan"),
        ("spring", {"min_contributors": 0}, "min-contributors is 0"),
    ],
)
def test_an_impossible_release_is_refused(juniper, agree, slug, limits, says):
    agree(juniper)
    with refused(freezing.BadRelease, says):
        freeze(slug, juniper, **limits)
    assert Release.objects.count() == 0


def test_a_release_is_never_changed(juniper, one_release):
    with refused(freezing.BadRelease, "never changed"):
        freeze("spring", juniper)


def test_the_command_prints_what_was_taken_and_left_out(juniper, sentences, agree, share):
    agree(juniper)
    agree(sentences, "hello")
    share(sentences)
    assert run("release", "spring", "--campaign", "juniper", "sentences").splitlines() == [
        "Release spring: 2 clips of 1 contributors.",
        "Version 1.0.0, licence CC0-1.0.",
        "Left out: 1 not settled, 0 below the confidence, 0 without consent to be released or reported, "
        "0 not cleared by privacy reviewers.",
        "train has 100% of the seconds, not 80%: contributors are never divided.",
        "dev has 0% of the seconds, not 10%: contributors are never divided.",
        "test has 0% of the seconds, not 10%: contributors are never divided.",
    ]


def test_the_command_refuses_too_few_contributors_and_unknown_campaigns(juniper, agree):
    agree(juniper)
    with pytest.raises(CommandError, match="at least 2 are asked for"):
        run("release", "spring", "--campaign", "juniper", "--min-contributors", "2")
    with pytest.raises(CommandError, match="There is no campaign jupiter"):
        run("release", "spring", "--campaign", "juniper", "jupiter")
    assert Release.objects.count() == 0


def test_a_release_discloses_no_time_finer_than_a_quarter(one_release):
    assert about(one_release).quarter == "2026-Q2"


def test_a_deepspeech_export_is_readable_and_has_the_agreed_transcripts(sentences, agree, another, tmp_path):
    said = {"turn on the lights": another("ann"), "qué día es": another("ben"), "it's late": another("cat")}
    tasks = {text: agree(sentences, text, person) for text, person in said.items()}
    export(freeze("spring", sentences).release, tmp_path / "out")
    rows = [row for split in ("train", "dev", "test") for row in table(tmp_path / "out" / f"{split}.csv")]
    assert {row["transcript"] for row in rows} == tasks.keys()
    for row in rows:
        wav = (tmp_path / "out" / row["wav_filename"]).read_bytes()
        assert len(wav) == int(row["wav_filesize"])
        assert samples(wav) == samples(vault.get(tasks[row["transcript"]].clip))


def test_a_precise_export_is_readable_and_has_the_agreed_labels(juniper, agree, another, tmp_path):
    people = [another(name) for name in ("ann", "ben", "cat", "dan")]
    tasks = [agree(juniper, answer, person) for answer in ("yes", "no") for person in people]
    release = freeze("spring", juniper).release
    export(release, tmp_path / "out", "precise")
    written = {name: data for name, data in contents(tmp_path / "out").items() if name.endswith(".wav")}
    for task in tasks:
        row = release.rows.get(task=task)
        folder = "wake-word" if task.answer == "yes" else "not-wake-word"
        name = f"{'test/' if row.split == 'test' else ''}{folder}/{row.public_id}.wav"
        assert samples(written.pop(name)) == samples(vault.get(task.clip))
    assert written == {}


def test_no_speaker_is_in_two_splits(juniper, agree, another, tmp_path):
    people = [another(f"person {number}") for number in range(8)]
    for person in people * 2:
        agree(juniper, contributor=person)
    export(freeze("spring", juniper).release, tmp_path / "out", "precise")
    found = soft_labels(tmp_path / "out")
    assert len(found) == 16
    assert len({(row["speaker"], row["split"]) for row in found}) == 8
    assert {row["split"] for row in found} == {"train", "dev", "test"}


def test_a_second_export_has_the_same_bytes(one_release, tmp_path):
    export(one_release, tmp_path / "one", "precise")
    export(one_release, tmp_path / "two", "precise")
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_an_export_names_no_one(alice, one_release, tmp_path):
    export(one_release, tmp_path / "out", "precise")
    papers = b"".join(data for name, data in contents(tmp_path / "out").items() if not name.endswith(".wav"))
    assert one_release.rows.first().speaker.encode() in papers
    assert b"alice" not in papers and b"on paper" not in papers


def test_a_folder_that_is_not_empty_is_refused_and_not_changed(one_release, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    with pytest.raises(CommandError, match="not an empty folder"):
        export(one_release, out, "precise")
    assert contents(out) == {"mine.txt": b"mine"}
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".out")]


def test_the_export_command_prints_what_it_wrote_and_left_out(one_release, tmp_path):
    output = export(one_release, tmp_path / "out")
    assert output.startswith("spring: 1 clips (train 1, dev 0, test 0) in ")
    assert "left out: 1 no transcript: a wake-word clip not answered yes\n" in output
    assert "A split is empty" in output


def test_two_wake_words_have_a_folder_each(juniper, agree, tmp_path):
    kind = Campaign.Kind.WAKE_WORD
    other = campaigns.create(
        slug="computer", kind=kind, language="en", wake_word="computer", needs_track_record=False
    )
    agree(juniper)
    agree(other)
    release = freeze("spring", juniper, other).release
    export(release, tmp_path / "out", "precise")
    folders = {path.parts[0] for path in map(Path, contents(tmp_path / "out")) if path.suffix == ".wav"}
    assert folders == {"wake-word-en-computer", "wake-word-en-hey-juniper"}


def test_a_release_of_which_a_format_takes_nothing_is_refused_with_the_reasons(sentences, agree, tmp_path):
    agree(sentences, "turn on the lights")
    release = freeze("said", sentences).release
    with pytest.raises(CommandError, match="precise can hold no clip of this release: 1 a transcription"):
        export(release, tmp_path / "out", "precise")
    assert not (tmp_path / "out").exists()


def test_an_unknown_format_or_release_is_refused_with_a_list_of_the_known(one_release, tmp_path):
    with pytest.raises(CommandError, match=r"no format 'mp3'; there are .*deepspeech, .*precise"):
        export(one_release, tmp_path / "out", "mp3")
    with pytest.raises(CommandError, match=r"no release summer \(there are: spring\)"):
        run("export", "summer", format="precise", to=tmp_path / "out")


@mutant(
    "a public release has only clips with consent for public releases",
    "datasets/releases/freezing.py",
    kept_by="    agreed = sure.live_for(audience)\n",
    broken="    agreed = sure.live_for(Purpose.RESEARCHERS)\n",
)
def test_a_public_release_has_only_clips_with_consent_for_public_releases(juniper, agree, another):
    for name, purposes in (
        ("nell", Material.WAKE_WORD.purposes),
        ("olga", [Purpose.VOLUNTEERS, Purpose.RESEARCHERS]),
    ):
        agree(juniper, contributor=another(name, *purposes))
    clear(juniper)
    for_all = freeze("public", juniper, audience=Purpose.PUBLIC)
    for_researchers = freeze("named", juniper)
    assert (for_all.rows, for_all.without_consent) == (1, 1)
    assert for_researchers.rows == 2


@mutant(
    "clips are not sent in public releases once their consent for public releases ends",
    "datasets/releases/frozen.py",
    kept_by="    statement = _sounds_statement(Purpose(release.audience), purpose)\n",
    broken="    statement = _sounds_statement(Purpose.RESEARCHERS, purpose)\n",
)
def test_withdrawing_consent_for_public_releases_affects_only_public_ones(juniper, agree, another):
    nell = another("nell", *Material.WAKE_WORD.purposes)
    agree(juniper, contributor=nell)
    clear(juniper)
    public = freeze("public", juniper, audience=Purpose.PUBLIC).release
    named = freeze("named", juniper).release
    consent.withdraw(nell, LATER, purpose=Purpose.PUBLIC)
    sent = [frozen.sounds(each, list(pinned(each)))[0].may_be_sent for each in (public, named)]
    assert sent == [False, True]
    recalls.publish(LATER)
    assert (len(list(frozen.rows(public))), len(list(frozen.rows(named)))) == (0, 1)


def test_the_command_makes_a_public_release_only_with_its_option(juniper, agree, another):
    agree(juniper, contributor=another("nell", *Material.WAKE_WORD.purposes))
    clear(juniper)
    call_command("release", "named", campaign=["juniper"])
    call_command("release", "public", "--public", campaign=["juniper"])
    assert list(Release.objects.order_by("slug").values_list("slug", "audience")) == [
        ("named", "researchers"),
        ("public", "public"),
    ]
