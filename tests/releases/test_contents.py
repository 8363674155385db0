"""What is told of a release: the same as its rows say, also between two feeds, and no small groups."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from datasets.clips import vault
from datasets.models import Clip, Release, Withdrawal
from datasets.releases import contents, frozen, recalls
from tagger.privacy import withdrawal
from tests.conftest import NOW
from tests.support import cast
from tests.support.mutants import mutant
from tests.support.released import release, settle

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def least_groups(settings):
    settings.RELEASE_LEAST_GROUP = {"researchers": 3, "public": 10}


@pytest.fixture
def speakers(db):
    vault.establish()
    people = cast.create("ann", "ben", "cleo", "dan")
    for person in people:
        cast.agree(person, NOW, reference="on paper")
    return people


@pytest.fixture
def spring(juniper, share, speakers):
    """Two clips of each speaker: one yes and one no."""
    for person in speakers:
        for answer in ("yes", "no"):
            settle(share(juniper, person), answer)
    return release("spring", juniper)


def again(found):
    """The release as the database has it now."""
    return Release.objects.get(pk=found.pk)


def counted(found):
    """What `contents.of` should say, from the rows themselves."""
    rows = list(frozen.rows(found, with_words=False))
    return {
        "clips": len(rows),
        "seconds": round(sum(row.seconds for row in rows), 3),
        "splits": {split: sum(row.split == split for row in rows) for split in {row.split for row in rows}},
        "answers": {
            label: sum(row.label == label for row in rows) for label in {row.label for row in rows} - {None}
        },
    }


def told(found):
    said = contents.of(found)
    assert sum(said.lengths.counts) == sum(said.confidences.counts) == said.whole.clips
    assert len(said.lengths.edges) == len(said.lengths.counts) + 1
    return {
        "clips": said.whole.clips,
        "seconds": said.whole.seconds,
        "splits": {group.name: group.clips for group in said.splits},
        "answers": dict(said.answers),
    }


def test_the_figures_are_those_of_the_rows(spring):
    assert told(spring) == counted(spring)
    said = contents.of(spring)
    assert (said.wake_words, [each.name for each in said.subsets]) == (["hey juniper"], ["en · hey juniper"])
    assert said.agreement == 1.0 and said.doubt == pytest.approx(0.1)
    assert said.confidences.edges[0] == 0.9 and said.confidences.counts == [8, 0]


def test_transcripts_have_no_answers_and_no_agreement(sentences, share, speakers):
    for person in speakers:
        settle(share(sentences, person), "turn left")
    found = release("spring", sentences)
    said = contents.of(found)
    assert (said.answers, said.agreement, said.wake_words) == ([], None, [])
    assert told(found) == counted(found)


@pytest.fixture
def ann_leaves(spring, speakers):
    """The first speaker leaves, and is erased."""

    def act():
        withdrawal.forget_account(speakers[0], keep_answers=False, now=NOW)
        for pk in withdrawal.unfinished():
            withdrawal.scrub(Withdrawal.objects.get(pk=pk), lambda: NOW)
        assert spring.rows.count() == 6

    return act


@mutant(
    "figures that are counted after somebody left are those of the feed",
    "datasets/releases/contents.py",
    kept_by="    found = counted.union(lines, all=True)\n",
    broken="    found = counted\n",
)
@pytest.mark.parametrize("is_counted", [True, False])
def test_between_two_feeds_no_figure_changes(is_counted, spring, ann_leaves):
    before = contents.of(spring)
    ann_leaves()
    if not is_counted:  # a release that was made by an older version of this site
        Release.objects.update(contents={})
    assert contents.of(again(spring)) == before


@mutant(
    "the figures of a release follow a recall with the next feed",
    "datasets/releases/recalls.py",
    kept_by="        contents.keep(release)\n",
    broken="        pass\n",
)
def test_the_next_feed_changes_the_figures(spring, ann_leaves):
    ann_leaves()
    recalls.publish(NOW + DAY)
    assert contents.of(again(spring)).whole.clips == 6 and told(again(spring)) == counted(spring)


def test_a_clip_that_comes_back_counts_again(spring):
    Clip.objects.update(hidden_at=NOW)
    recalls.publish(NOW + DAY)
    assert contents.of(again(spring)).whole == contents.Group("all", 0, 0.0, None, is_small=True)
    Clip.objects.update(hidden_at=None)
    recalls.publish(NOW + 2 * DAY)
    assert told(again(spring)) == counted(spring) and again(spring).contents["clips"] == 8


def test_figures_of_an_older_feed_are_not_kept(spring):
    before = again(spring)
    Release.objects.update(contents={}, changed_on=NOW.date() + DAY)
    contents.keep(before)
    assert again(spring).contents == {}


@mutant(
    "no number of speakers is told below the least",
    "datasets/releases/contents.py",
    kept_by="    return (None if is_small else speakers), is_small\n",
    broken="    return speakers, is_small\n",
)
def test_of_speakers_only_the_published_counts_are_told_and_no_small_ones(spring):
    spring.figures["people"] |= {"speakers": 7, "splits": {"train": 5, "dev": 2}, "subsets": [6]}
    said = contents.of(spring)
    assert (said.whole.speakers, [group.speakers for group in said.subsets]) == (7, [6])
    told = {group.name: (group.speakers, group.is_small) for group in said.splits}
    assert {name: told[name] for name in told if name != "test"} == {
        name: each for name, each in {"train": (5, False), "dev": (None, True)}.items() if name in told
    }
    assert told.get("test", (None, False)) == (None, False)
    del spring.figures["people"]["speakers"]  # the budget was spent
    assert (contents.of(spring).whole.speakers, contents.of(spring).whole.is_small) == (None, False)


def test_a_release_of_which_nothing_is_left_has_figures(spring):
    spring.rows.all().delete()
    contents.keep(spring)
    said = contents.of(spring)
    assert said.whole == contents.Group("all", 0, 0.0, None, is_small=True)
    assert (said.answers, said.agreement, said.doubt) == ([], None, 0.0)


def test_reading_figures_asks_the_database_nothing_and_counting_them_once(spring):
    found = again(spring)
    with CaptureQueriesContext(connection) as asked:
        contents.of(found)
    assert not asked.captured_queries
    with CaptureQueriesContext(connection) as asked:
        contents.keep(found)
    assert len(asked) == 2  # one counts, one keeps


def test_long_clips_make_wide_bins(spring):
    Clip.objects.update(seconds=29.9)
    contents.keep(spring)
    said = contents.of(spring).lengths
    assert said.edges[1] == 2 and said.edges[-1] == 30 and said.counts[-1] == 8
