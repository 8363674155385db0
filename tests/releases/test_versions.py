"""Versions of a release: splits that stay, what changed, and the archive of what came."""

import io
import tarfile
from datetime import timedelta
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts import consent
from accounts.models import Purpose, User
from accounts.refusals import Refusal
from datasets.models import Clip, LineSplit, Release, ReleaseRow, Task, Withdrawal
from datasets.releases import formats, freezing, recalls, versions
from datasets.releases.archive import Archive
from tagger.privacy import withdrawal
from tests.conftest import NOW
from tests.support.mutants import mutant
from tests.support.released import refused, release, settle


@pytest.fixture
def people(db):
    made = []
    for number in range(8):
        person = User.objects.create_user(f"speaker-{number}")
        consent.give(
            person, "wake-word", [Purpose.VOLUNTEERS, Purpose.RESEARCHERS], NOW, reference="on paper"
        )
        made.append(person)
    return made


def files(one, form="precise"):
    with Archive(Release.objects.get(pk=one.pk), formats.find(form)) as archive:
        packed = b"".join(archive.stream())
        assert len(packed) == archive.size
    with tarfile.open(fileobj=io.BytesIO(packed)) as unpacked:
        return {member.name: unpacked.extractfile(member).read() for member in unpacked}


def splits_of(one):
    return dict(one.rows.values_list("task__clip__contributor", "split").distinct())


@mutant(
    "a contributor stays in the split that they were drawn for",
    "datasets/releases/lines.py",
    kept_by='    known = dict(line.splits.values_list("contributor", "split"))\n',
    broken="    known: dict[int, str] = {}\n",
)
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32))
@pytest.mark.django_db(transaction=False)
def test_in_ten_versions_no_contributor_ever_changes_split(juniper, share, people, seed):
    random, previous, seen = Random(seed), None, {}
    start = Release.objects.count()
    for number in range(10):
        for _ in range(random.randint(1, 3)):
            settle(share(juniper, random.choice(people)), random.choice(["yes", "no"]))
        Task.objects.filter(pk__in=random.sample(list(Task.objects.values_list("pk", flat=True)), 1)).update(
            status="open"
        )
        if not Task.objects.filter(status="settled").exists():
            continue
        one = release(f"v{start + number}-{seed}", juniper, after=previous)
        for person, split in splits_of(one).items():
            assert seen.setdefault(person, split) == split
        recalls.publish(NOW + timedelta(days=number + 1))
        previous = one
    assert len(seen) > 1


def test_another_line_is_drawn_anew(juniper, share, people):
    for person in people:
        settle(share(juniper, person))
    lines = [splits_of(release(f"line-{number}", juniper)) for number in range(6)]
    assert any(one != lines[0] for one in lines[1:])


def test_with_three_contributors_no_split_is_empty_and_the_shares_are_reported(juniper, share, people):
    for person in people[:3]:
        settle(share(juniper, person))
    one = release("v1", juniper)
    assert set(splits_of(one).values()) == {"train", "dev", "test"}
    assert [split for split, _share, _target in freezing.figures.missed_targets(one.figures)] == [
        "train",
        "dev",
        "test",
    ]


def test_contributors_of_a_reserved_campaign_are_only_tested_with(juniper, sentences, share, people):
    for person in people:
        consent.give(
            person, "utterance", [Purpose.VOLUNTEERS, Purpose.RESEARCHERS], NOW, reference="on paper"
        )
        settle(share(juniper, person))
    for person in people[:2]:
        settle(share(sentences, person), "turn on the lights")
    one = release("v1", juniper, sentences, test_only=[sentences])
    assert {splits_of(one)[person.pk] for person in people[:2]} == {"test"}
    assert set(one.rows.filter(task__campaign=sentences).values_list("split", flat=True)) == {"test"}


def test_clips_of_a_reserved_campaign_by_people_who_train_are_left_out(juniper, sentences, share, people):
    for person in people:
        consent.give(
            person, "utterance", [Purpose.VOLUNTEERS, Purpose.RESEARCHERS], NOW, reference="on paper"
        )
        settle(share(juniper, person))
    first = release("v1", juniper)
    for person in people:
        settle(share(sentences, person), "turn on the lights")
    made = freezing.freeze("v2", [juniper, sentences], NOW, after=first, test_only=[sentences])
    tested = [person for person, split in splits_of(first).items() if split == "test"]
    assert made.release.rows.filter(task__campaign=sentences).count() == len(tested)
    assert made.not_reserved == len(people) - len(tested) > 0
    assert made.rows == made.release.rows.count()


def test_sentences_apart_leaves_out_what_another_split_has(sentences, share, people):
    for number, person in enumerate(people):
        consent.give(
            person, "utterance", [Purpose.VOLUNTEERS, Purpose.RESEARCHERS], NOW, reference="on paper"
        )
        settle(share(sentences, person), "turn on the lights")
        settle(share(sentences, person), f"sentence number {'abcdefgh'[number]}")
    made = freezing.freeze("v1", [sentences], NOW, sentences_apart=True)
    said = {}
    for row in freezing.frozen.rows(made.release):
        said.setdefault(row.text, set()).add(row.split)
    assert all(len(splits) == 1 for splits in said.values()) and said["turn on the lights"] == {"test"}
    together = freezing.freeze("other", [sentences], NOW)
    assert made.shared_sentences == together.rows - made.rows > 0


def test_versions_are_numbered(juniper, share, people):
    settle(share(juniper, people[0]))
    one = release("v1", juniper)
    two = release("v2", juniper, after=one)
    three = release("v3", juniper, after=two, version="2.0.0", notes="all of June")
    assert [each.version for each in (one, two, three)] == ["1.0.0", "1.1.0", "2.0.0"]
    assert three.line == one.line and three.previous == two and three.notes == "all of June"


@pytest.mark.parametrize(
    ("wished", "says"),
    [
        ("1.0", "is no version"),
        ("v1.0.0", "is no version"),
        ("1.0.0", "does not follow 1.0.0, that of v1"),
        ("0.9.9", "does not follow"),
    ],
)
def test_a_bad_version_is_refused_and_nothing_is_made(juniper, share, people, wished, says):
    settle(share(juniper, people[0]))
    one = release("v1", juniper)
    with refused(versions.BadVersion, says):
        release("v2", juniper, after=one, version=wished)
    assert Release.objects.count() == 1


def test_only_one_release_follows_another(juniper, share, people):
    settle(share(juniper, people[0]))
    one = release("v1", juniper)
    release("v2", juniper, after=one)
    with refused(versions.BadVersion, "v1 is followed by v2 already"):
        release("v3", juniper, after=one)


def test_what_changed_is_counted_with_the_reason(juniper, share, people):
    stays, votes, decided, counted, goes, withdrawn = (
        settle(share(juniper, person), "yes") for person in people[:6]
    )
    one = release("v1", juniper)
    Task.objects.filter(pk=votes.pk).update(annotation_count=5, plain_answer="no")
    Task.objects.filter(pk=decided.pk).update(adjudicated=True, plain_answer="no")
    Task.objects.filter(pk=counted.pk).update(plain_answer="noise")
    Task.objects.filter(pk=goes.pk).update(status="open")
    consent.withdraw(people[5], NOW)
    recalls.publish(NOW + timedelta(days=1))
    settle(share(juniper, people[6]))
    two = release("v2", juniper, after=one)
    assert two.changes == {
        "previous": "v1",
        "added": 1,
        "changed": {"recount": 1, "reviewer": 1, "votes": 1},
        "recalled": 1,
        "left_out": 1,
    }
    before = one.rows.get(task=stays)
    assert two.rows.get(task=stays).previous_id == before.public_id != two.rows.get(task=stays).public_id
    assert set(two.rows.filter(task=withdrawn)) == set()


@pytest.mark.parametrize("form", ["precise", "deepspeech"])
def test_a_copy_of_the_version_before_and_the_delta_are_the_whole(juniper, share, people, form):
    for person in people[:4]:
        settle(share(juniper, person), "yes")
    one = release("v1", juniper)
    changed = one.rows.first().task
    Task.objects.filter(pk=changed.pk).update(plain_answer="no")
    for person in people[3:6]:
        settle(share(juniper, person), "yes")
    two = release("v2", juniper, after=one)
    whole, delta, before = files(two, form), files(two, f"{form}-delta"), files(one, form)
    added = {row.public_id for row in two.rows.filter(previous_id="")}
    sounds = {name for name in delta if name.endswith(".wav")}
    assert {name.split("/")[-1][:-4] for name in sounds} <= added and sounds
    assert all(whole[name] == content for name, content in delta.items())
    earlier = {
        line.split(",")[1]: line.split(",")[0] for line in whole["previous-ids.csv"].decode().split()[1:]
    }
    by_id = {name.split("/")[-1][:-4]: content for name, content in before.items()}
    for name in whole.keys() - delta.keys():
        assert whole[name] == by_id[earlier[name.split("/")[-1][:-4]]]


@pytest.mark.parametrize("form", ["precise-delta", "deepspeech-delta"])
def test_a_first_version_has_no_delta(juniper, share, people, form):
    settle(share(juniper, people[0]))
    with refused(Refusal, "v1 is a first version"):
        files(release("v1", juniper), form)


@mutant(
    "the split of somebody who left is forgotten",
    "tagger/privacy/withdrawal.py",
    kept_by='            gone["line_splits"] = drawn.delete()[0]\n',
    broken="",
)
def test_the_split_of_somebody_who_left_is_forgotten(juniper, share, people):
    settle(share(juniper, people[0]))
    release("v1", juniper)
    withdrawal.forget_contributor(people[0], NOW)
    for pk in withdrawal.unfinished():
        withdrawal.scrub(Withdrawal.objects.get(pk=pk), lambda: NOW)
    assert not LineSplit.objects.exists() and not ReleaseRow.objects.exists()


def test_nothing_that_an_owner_changes_changes_a_release(juniper, share, people, settings):
    settle(share(juniper, people[0]))
    one = release("v1", juniper)
    before = files(one), files(one, "deepspeech")
    juniper.title, juniper.guidelines, juniper.language = "another", "others", "es"
    juniper.wake_word, juniper.slug, juniper.release_licence = "computer", "renamed", "CC-BY-4.0"
    juniper.save()
    settings.RELEASE_LEAST_GROUP = {"researchers": 7, "public": 70}
    settings.SITE_URL, settings.CONTACT = "https://elsewhere.example", "somebody else"
    one.plans.all().delete()
    Clip.objects.update(
        snr=3.0, clipping=0.5, speech_share=0.1, licence="MIT", source="import", language="de"
    )
    assert (files(one), files(one, "deepspeech")) == before
