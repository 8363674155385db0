import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagger.consensus import labels
from tagger.consensus.label_crowd import LabelCrowd
from tagger.consensus.verdict import Outcome, Rule, Vote
from tests.support.mutants import mutant

CLASSES = ["yes", "similar", "no", "noise"]
RULE = Rule(least=2, most=5, confidence=0.75)
EXPERT, CLICKER = "expert", "clicker"
CROWD = LabelCrowd(
    classes=tuple(CLASSES),
    prior=(0.25,) * 4,
    pooled=LabelCrowd.strangers(CLASSES).pooled,
    skills={
        EXPERT: tuple(tuple(0.97 if k == a else 0.01 for a in range(4)) for k in range(4)),
        CLICKER: ((0.97, 0.01, 0.01, 0.01),) * 4,
    },
)


def votes(*answers):
    return [Vote(number, answer) for number, answer in enumerate(answers)]


def decide(*answers, rule=RULE):
    return labels.decide(votes(*answers), rule, CLASSES)


answers = st.lists(st.sampled_from(CLASSES), max_size=12)
rules = st.builds(
    lambda least, more, confidence: Rule(least, least + more, confidence),
    st.integers(1, 6),
    st.integers(0, 6),
    st.floats(0, 1, exclude_min=True),
)


def test_two_equal_votes_settle():
    assert decide("yes", "yes").outcome is Outcome.SETTLED
    assert decide("yes", "yes").answer == "yes"


def test_two_strangers_do_not_make_certainty():
    assert 0.75 <= decide("yes", "yes").confidence < 0.97


def test_one_vote_is_not_enough():
    verdict = decide("yes")
    assert (verdict.outcome, verdict.answer) == (Outcome.MORE, "yes")
    assert verdict.confidence < 0.75


def test_two_against_one_are_not_enough():
    assert decide("yes", "yes", "no").outcome is Outcome.MORE


def test_four_of_five_settle():
    verdict = decide("yes", "yes", "no", "yes", "yes")
    assert (verdict.outcome, verdict.answer) == (Outcome.SETTLED, "yes")


def test_at_the_most_votes_disagreement_is_a_dispute():
    verdict = decide("yes", "yes", "yes", "no", "no")
    assert (verdict.outcome, verdict.answer) == (Outcome.DISPUTED, "yes")


def test_nothing_leads_without_votes():
    verdict = decide()
    assert (verdict.outcome, verdict.answer, verdict.confidence) == (Outcome.MORE, None, 0.0)


def test_the_evidence_covers_every_class():
    soft = decide("yes", "no", "yes", "yes").soft
    assert soft["votes"] == {"yes": 3, "similar": 0, "no": 1, "noise": 0}
    assert soft["shares"] == {"yes": 0.75, "similar": 0.0, "no": 0.25, "noise": 0.0}
    assert list(soft["probabilities"]) == CLASSES
    assert sum(soft["probabilities"].values()) == pytest.approx(1, abs=1e-5)


def test_a_repeated_annotator_is_named():
    with pytest.raises(ValueError, match="'ann' voted twice"):
        labels.decide([Vote("ann", "yes"), Vote("ann", "yes")], RULE, CLASSES)


def test_an_answer_outside_the_classes_is_named():
    with pytest.raises(ValueError, match="'maybe' by annotator 'ann'"):
        labels.decide([Vote("ann", "maybe")], RULE, CLASSES)


@pytest.mark.parametrize(
    ("least", "most", "confidence", "reason"),
    [(0, 5, 0.5, "least"), (3, 2, 0.5, "most"), (1, 2, 0, "confidence"), (1, 2, 1.1, "confidence")],
)
def test_an_impossible_rule_is_refused(least, most, confidence, reason):
    with pytest.raises(ValueError, match=reason):
        Rule(least, most, confidence)


def test_an_expert_outweighs_a_stranger():
    verdict = labels.decide([Vote(EXPERT, "no"), Vote("new", "yes")], RULE, CLASSES, CROWD)
    assert verdict.answer == "no"


def test_an_experts_vote_gives_more_confidence_than_a_strangers():
    expert = labels.decide([Vote(EXPERT, "no")], RULE, CLASSES, CROWD)
    assert expert.confidence > decide("no").confidence


def test_an_annotator_who_always_gives_one_answer_counts_less_than_a_stranger():
    with_clicker = labels.decide([Vote("new", "yes"), Vote(CLICKER, "yes")], RULE, CLASSES, CROWD)
    assert with_clicker.confidence < decide("yes", "yes").confidence
    assert with_clicker.outcome is Outcome.MORE


def test_a_crowd_in_a_certificate_gives_the_same_verdict_and_names_no_one():
    cast = [Vote(EXPERT, "no"), Vote("new", "yes"), Vote(CLICKER, "yes")]
    people = [vote.annotator for vote in cast]
    stored = json.dumps(CROWD.as_json(people))
    restored = LabelCrowd.from_json(json.loads(stored), people)
    assert json.dumps(restored.as_json(people)) == stored
    assert labels.decide(cast, RULE, CLASSES, restored) == labels.decide(cast, RULE, CLASSES, CROWD)
    assert not any(str(person) in stored for person in people)


def test_a_strangers_place_in_a_certificate_is_empty():
    assert CROWD.as_json(["new", EXPERT])["skills"][0] is None


def test_reliability_is_the_expected_share_of_right_answers():
    assert CROWD.reliability(EXPERT) == pytest.approx(0.97)
    assert CROWD.reliability(CLICKER) == pytest.approx(0.25)


def test_one_contrary_vote_lowers_the_confidence():
    cast = votes("yes", "yes", "yes")
    contrary = labels.what_if(cast, RULE, CLASSES)
    assert contrary.confidence < labels.decide(cast, RULE, CLASSES).confidence
    assert contrary.soft["votes"]["yes"] == 3


def test_decisions_agree_with_the_fit_on_average():
    random = np.random.default_rng(0)
    truth = random.integers(0, 4, 60)
    tasks = np.repeat(np.arange(60), 5)
    workers = np.concatenate([random.choice(12, 5, replace=False) for _ in range(60)])
    given = np.where(random.random(300) < 0.8, truth[tasks], random.integers(0, 4, 300))
    fit = labels.fit(tasks, workers, given, 4)
    crowd = fit.crowd(CLASSES, list(range(12)))
    decided = [
        labels.decide(
            [
                Vote(int(w), CLASSES[a])
                for w, a in zip(workers[tasks == task], given[tasks == task], strict=True)
            ],
            RULE,
            CLASSES,
            crowd,
        ).soft["probabilities"]
        for task in range(60)
    ]
    apart = np.abs(np.array([list(one.values()) for one in decided]) - fit.posterior)
    assert apart.mean() < 0.03


@given(answers, rules, st.randoms())
def test_the_order_of_votes_never_changes_a_verdict(given_answers, rule, random):
    cast = votes(*given_answers)
    shuffled = random.sample(cast, len(cast))
    assert labels.decide(cast, rule, CLASSES) == labels.decide(shuffled, rule, CLASSES)


@given(st.sampled_from(CLASSES), st.integers(1, 12))
def test_one_more_unanimous_vote_raises_the_confidence(answer, number):
    fewer, more = decide(*[answer] * number), decide(*[answer] * (number + 1))
    assert fewer.answer == more.answer == answer
    assert more.confidence > fewer.confidence


diagonals = st.floats(0.4, 0.99)


@given(st.lists(st.tuples(diagonals, st.sampled_from(CLASSES)), min_size=1, max_size=9), diagonals)
def test_an_agreeing_vote_never_lowers_the_leader_if_matrices_favour_the_truth(cast, added):
    """Provable for a uniform prior: see `dawid_skene.posterior`."""

    def skill(right):
        return tuple(tuple(right if k == a else (1 - right) / 3 for a in range(4)) for k in range(4))

    people = [Vote(number, answer) for number, (_, answer) in enumerate(cast)]
    skills = {number: skill(right) for number, (right, _) in enumerate([*cast, (added, "")])}
    crowd = LabelCrowd(tuple(CLASSES), (0.25,) * 4, CROWD.pooled, skills)
    before = labels.decide(people, RULE, CLASSES, crowd)
    if before.answer is not None:
        after = labels.decide([*people, Vote(len(cast), before.answer)], RULE, CLASSES, crowd)
        assert after.answer == before.answer
        assert after.confidence >= before.confidence - 1e-6


@mutant(
    "a tie is never a verdict",
    "tagger/consensus/labels.py",
    kept_by="    tied = len(leaders) != 1\n",
    broken="    tied = not leaders\n",
)
@given(st.integers(1, 6), rules)
def test_a_tie_never_settles_and_nothing_leads_it(each, rule):
    verdict = decide(*["yes", "no"] * each, rule=rule)
    assert verdict.outcome is not Outcome.SETTLED
    assert verdict.answer is None


@given(answers, rules)
def test_one_more_vote_is_asked_for_exactly_below_the_most(given_answers, rule):
    verdict = decide(*given_answers, rule=rule)
    if verdict.outcome is Outcome.SETTLED:
        assert len(given_answers) >= rule.least
        assert verdict.confidence >= rule.confidence
    else:
        assert (verdict.outcome is Outcome.MORE) == (len(given_answers) < rule.most)
