import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagger.consensus import labels
from tagger.consensus.verdict import Outcome, Rule, Vote

CLASSES = ["yes", "similar", "no", "noise"]
RULE = Rule(least=2, most=5, confidence=0.75)


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


def test_one_vote_is_not_enough():
    verdict = decide("yes")
    assert (verdict.outcome, verdict.answer, verdict.confidence) == (Outcome.MORE, "yes", 1.0)


def test_three_of_four_fail():
    assert decide("yes", "yes", "yes", "no").outcome is Outcome.MORE


def test_four_of_five_pass():
    verdict = decide("yes", "yes", "no", "yes", "yes")
    assert (verdict.outcome, verdict.answer, verdict.confidence) == (Outcome.SETTLED, "yes", 0.8)


def test_a_share_equal_to_the_confidence_fails():
    rule = Rule(least=2, most=9, confidence=0.8)
    assert decide("yes", "yes", "no", "yes", "yes", rule=rule).outcome is Outcome.MORE


def test_at_the_most_votes_disagreement_is_a_dispute():
    verdict = decide("yes", "yes", "yes", "no", "no")
    assert (verdict.outcome, verdict.answer) == (Outcome.DISPUTED, "yes")


def test_nothing_leads_without_votes():
    verdict = decide()
    assert (verdict.outcome, verdict.answer, verdict.confidence) == (Outcome.MORE, None, 0.0)


def test_the_evidence_covers_every_class():
    assert decide("yes", "no", "yes", "yes").soft == {
        "votes": {"yes": 3, "similar": 0, "no": 1, "noise": 0},
        "shares": {"yes": 0.75, "similar": 0.0, "no": 0.25, "noise": 0.0},
    }


def test_a_repeated_annotator_is_named():
    with pytest.raises(ValueError, match="'ann' voted twice"):
        labels.decide([Vote("ann", "yes"), Vote("ann", "yes")], RULE, CLASSES)


def test_an_answer_outside_the_classes_is_named():
    with pytest.raises(ValueError, match="'maybe' by annotator 'ann'"):
        labels.decide([Vote("ann", "maybe")], RULE, CLASSES)


@pytest.mark.parametrize(
    ("least", "most", "confidence", "says"),
    [(0, 5, 0.5, "least"), (3, 2, 0.5, "most"), (1, 2, 0, "confidence"), (1, 2, 1.1, "confidence")],
)
def test_a_rule_that_cannot_be_is_refused(least, most, confidence, says):
    with pytest.raises(ValueError, match=says):
        Rule(least, most, confidence)


@given(answers, rules, st.randoms())
def test_the_order_of_votes_never_changes_a_verdict(given_answers, rule, random):
    cast = votes(*given_answers)
    shuffled = random.sample(cast, len(cast))
    assert labels.decide(cast, rule, CLASSES) == labels.decide(shuffled, rule, CLASSES)


@given(st.sampled_from(CLASSES), rules, st.integers(0, 5))
def test_unanimous_votes_settle_from_the_least_on(answer, rule, extra):
    verdict = decide(*[answer] * (rule.least + extra), rule=rule)
    assert (verdict.outcome, verdict.answer, verdict.confidence) == (Outcome.SETTLED, answer, 1.0)


@given(st.integers(1, 6), rules)
def test_a_tie_never_settles_and_nothing_leads_it(each, rule):
    verdict = decide(*["yes", "no"] * each, rule=rule)
    assert verdict.outcome is not Outcome.SETTLED
    assert verdict.answer is None


@given(answers, rules)
def test_more_is_asked_exactly_while_more_may_come(given_answers, rule):
    verdict = decide(*given_answers, rule=rule)
    if verdict.outcome is Outcome.SETTLED:
        assert len(given_answers) >= rule.least
    else:
        assert (verdict.outcome is Outcome.MORE) == (len(given_answers) < rule.most)
