"""What campaigns of one crowd take from one another, and what they do not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagger.consensus import label_levels, labels, levels, transcript_levels
from tagger.consensus.label_levels import CampaignFit
from tagger.consensus.levels import Records, share
from tagger.consensus.reliability import POOL_WEIGHT, STRANGER
from tagger.consensus.transcript_levels import CampaignCounts, share_skills
from tagger.consensus.verdict import Outcome, Rule, Vote
from tests.support.mutants import mutant

WORTH, EVEN = 4.0, np.full((2, 2), 0.5)
GOOD, BAD = [[19, 1], [1, 19]], [[10, 10], [10, 10]]
RULE = Rule(2, 7, 0.75)
CLASSES = ("0", "1", "2", "3")


def records(*rows):
    """(owner, campaign, counts) each."""
    owners, campaigns, counts = zip(*rows, strict=True)
    counts = np.array(counts, float)
    base = np.broadcast_to(EVEN, counts.shape)
    return Records(np.array(owners), np.array(campaigns), counts, base, WORTH)


def expected(counts):
    return (np.array(counts) + WORTH * EVEN) / (np.sum(counts, axis=1, keepdims=True) + WORTH)


cells = st.lists(st.lists(st.floats(0, 500), min_size=2, max_size=2), min_size=2, max_size=2)
rows = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2), cells), min_size=1, max_size=12)
shares = st.lists(st.floats(0, 1), min_size=3, max_size=3).map(np.array)


@given(rows, shares)
def test_all_that_is_expected_is_a_distribution(given_rows, known):
    found = share(records(*given_rows), known, EVEN)
    for each in (found.here, found.ahead):
        assert each.sum(axis=2) == pytest.approx(np.ones(each.shape[:2])) and (each > 0).all()


@given(rows, shares, st.randoms())
def test_the_order_of_records_changes_nothing(given_rows, known, random):
    order = list(range(len(given_rows)))
    random.shuffle(order)
    mixed = share(records(*(given_rows[at] for at in order)), known, EVEN)
    assert mixed.here == pytest.approx(share(records(*given_rows), known, EVEN).here[order])


@given(rows)
def test_without_knowledge_elsewhere_nothing_is_taken(given_rows):
    found = share(records(*given_rows), np.zeros(3), EVEN)
    assert found.here == pytest.approx(np.array([expected(counts) for _, _, counts in given_rows]))


def test_a_record_that_holds_says_what_to_expect_where_little_is_known():
    found = share(records((0, 0, GOOD), (0, 1, [[1, 0], [0, 0]]), (1, 1, [[1, 0], [0, 0]])), np.ones(2), EVEN)
    assert found.here[1, 1, 1] > 0.8 > 0.7 > found.here[2, 1, 1] == pytest.approx(0.5)
    assert found.ahead[0, 0, 0] > 0.8


def test_of_a_record_that_many_answers_contradict_nothing_is_left():
    found = share(records((0, 0, BAD), (0, 1, [[190, 10], [10, 190]])), np.ones(2), EVEN)
    assert found.here[1] == pytest.approx(expected([[190, 10], [10, 190]]), abs=1e-3)


def test_how_often_records_hold_is_learned_from_all():
    def crowd(elsewhere):
        return records(*((who, 0, GOOD) for who in range(9)), *((who, 1, elsewhere) for who in range(9)))

    assert share(crowd(GOOD), np.ones(2), EVEN).holds > 0.9 > 0.5 > share(crowd(BAD), np.ones(2), EVEN).holds


@pytest.mark.parametrize(
    ("alike", "others", "known"), [(0.5, 1, 0.5), (0.5, 3, 0.75), (-0.2, 7, 0), (None, 0, 0)]
)
def test_more_answers_that_agree_make_the_truth_known(alike, others, known):
    assert levels.knowledge(alike, others) == known


# --- labels -----------------------------------------------------------------------------------------


class Campaign:
    """Clips answered by five of these people each, who are right in their `skill` of cases."""

    def __init__(self, seed, people, clips, skill=None):
        dice = np.random.default_rng(seed)
        self.truth = dice.integers(0, 4, clips)
        self.tasks = np.repeat(np.arange(clips), 5)
        self.who = np.concatenate([dice.choice(people, 5, replace=False) for _ in range(clips)])
        anything = dice.integers(0, 4, self.tasks.size)
        right = dice.random(self.tasks.size) < (0.0 if skill is None else np.array(skill)[self.who])
        self.answers = np.where(right, self.truth[self.tasks], anything)

    def fit(self):
        people, workers = np.unique(self.who, return_inverse=True)
        fit = labels.fit(self.tasks, workers, self.answers, 4)
        return CampaignFit(people, fit, label_levels.known_share(self.tasks, self.answers, 4))

    def verdicts(self, crowd):
        votes = [[] for _ in self.truth]
        for task, who, answer in zip(self.tasks, self.who.tolist(), self.answers, strict=True):
            votes[task].append(Vote(who, str(answer)))
        return [labels.decide(each, RULE, CLASSES, crowd) for each in votes]


def crowds(*campaigns, people=20):
    """The crowd that holds in each campaign, and in a new one."""
    fits = [each.fit() for each in campaigns]
    found = label_levels.share_labels(fits, people)
    return [
        *(fit.crowd(CLASSES, each.voters.tolist()) for fit, each in zip(found.campaigns, fits, strict=True)),
        found.crowd(CLASSES, range(people)),
    ]


SKILL = np.linspace(0.55, 0.97, 20)


def test_a_campaign_alone_is_as_without_levels():
    alone = Campaign(1, 20, 200, SKILL)
    found, fit = crowds(alone)[0], alone.fit().fit
    assert list(found.skills) == list(range(20)) and found.prior == pytest.approx(fit.prior, abs=2e-6)
    assert np.array(list(found.skills.values())) == pytest.approx(fit.matrices, abs=2e-6)


@mutant(
    "random answers in one campaign change no label of another",
    "tagger/consensus/levels.py",
    kept_by="    heard = _limited(counts, MOST_FROM_ONE * records.worth) * says[:, None, None]\n",
    broken="    heard = _limited(counts, MOST_FROM_ONE * records.worth)\n",
)
@pytest.mark.parametrize("seed", range(3))
def test_random_answers_in_one_campaign_change_no_label_of_another(seed):
    """4,000 of them, by the same people."""
    calm, flooded = Campaign(seed, 20, 600, SKILL), Campaign(100 + seed, 20, 800)
    before, after = (calm.verdicts(crowds(calm, *more)[0]) for more in ((), (flooded,)))
    settled = [(was, now) for was, now in zip(before, after, strict=True) if was.outcome is Outcome.SETTLED]
    assert len(settled) > 500
    assert [was.answer for was, _ in settled] == [now.answer for _, now in settled]
    assert all(now.outcome is Outcome.SETTLED for _, now in settled)


def test_a_good_record_helps_a_new_campaign():
    *_, ahead = crowds(Campaign(1, 20, 300, SKILL))
    assert ahead.reliability(19) - ahead.reliability(0) > 0.1
    new = Campaign(2, 20, 60, SKILL)

    def surprise(crowd):
        found = [each.soft["probabilities"] for each in new.verdicts(crowd)]
        return -np.mean([np.log(each[str(true)]) for each, true in zip(found, new.truth, strict=True)])

    assert surprise(crowds(Campaign(1, 20, 300, SKILL), new)[1]) < surprise(crowds(new)[0])


def test_someone_who_is_not_known_elsewhere_takes_nothing():
    one, other = Campaign(1, 20, 100, SKILL).fit(), Campaign(2, 20, 20, SKILL).fit()
    unknown = CampaignFit(np.full(20, -1), other.fit, other.known)
    found = label_levels.share_labels([one, unknown], 20).campaigns[1]
    pooled, counts = found.pooled, other.fit.counts
    alone = (counts + WORTH * pooled) / (counts.sum(2, keepdims=True) + WORTH)
    assert found.matrices == pytest.approx(alone)


# --- transcripts ------------------------------------------------------------------------------------


def counts(spoken, right, left_out=0.05, put_in=0.02):
    return spoken, spoken * right, spoken * left_out, spoken * put_in


def test_skills_are_shared_in_the_same_way():
    good, new = {1: counts(400, 0.93), 2: counts(400, 0.6)}, {1: counts(10, 0.9), 3: counts(10, 0.9)}
    (first, second), ahead = share_skills([CampaignCounts(good, 0.9), CampaignCounts(new, 0.9)])
    assert first.skills[1].right == pytest.approx(0.93, abs=0.02)
    assert second.skills[1].right > second.skills[3].right
    assert ahead.skills[1].right - ahead.skills[2].right > 0.1
    assert set(second.skills) == {1, 3} and set(ahead.skills) == {1, 2, 3}


def test_transcripts_of_a_flooded_campaign_say_nothing_of_a_person():
    calm, garbage = (
        {1: counts(400, 0.93), 2: counts(400, 0.9)},
        {1: counts(2_000, 0.1), 4: counts(2_000, 0.1)},
    )
    found = [
        share_skills([CampaignCounts(calm, 0.9), *more])[0][0]
        for more in ([], [CampaignCounts(garbage, 0.0)])
    ]
    assert found[0] == found[1]


def test_those_whose_names_left_are_others_in_each_campaign():
    """Pools of kept answers have the same number in each campaign."""
    kept = frozenset({-1})
    given_here = CampaignCounts({-1: counts(10, 0.9)}, 0.9, kept)
    levels_here, ahead = share_skills([CampaignCounts({-1: counts(900, 0.2)}, 0.9, kept), given_here])
    assert levels_here[1].skills[-1].right > 0.6 and not ahead.skills


def test_a_campaign_of_transcripts_alone_is_shrunk_to_its_pool():
    [found], _ahead = share_skills([CampaignCounts({1: counts(100, 0.9)}, 0.9)])
    pool = (90 + POOL_WEIGHT * STRANGER.right) / (100 + POOL_WEIGHT)
    assert found.pool.right == pytest.approx(pool, abs=0.002)
    assert found.skills[1].right == pytest.approx((90 + POOL_WEIGHT * pool) / (100 + POOL_WEIGHT), abs=0.002)


def test_transcripts_that_agree_make_the_truth_known():
    same = [[["play", "the", "song"]] * 3] * 20
    other = [[["play", "the", "song"], ["one", "two"], ["what", "now"]]] * 20
    assert transcript_levels.known_share(same) == 1 and transcript_levels.known_share(other) == 0
