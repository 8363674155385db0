"""A settled task that falls below its campaign's confidence goes on, and does not swing."""

from hypothesis import example, given
from hypothesis import strategies as st

from tagger.consensus.verdict import Outcome, Rule, Verdict
from tagger.settling import certificates, engine

RULE = Rule(least=2, most=5, confidence=0.75)


def settled_at(confidences, rule=RULE):
    """Whether the same votes settle their task after each of several refits, which move their confidence."""
    settled_as, fell, found = None, False, []
    for confidence in confidences:
        verdict = Verdict(rule.outcome(3, confidence, False), "yes", confidence, {"probabilities": {}})
        weighed = engine.Weighed(verdict, None, {})
        made, certificate = made_of(weighed, rule, settled_as, fell)
        fell = "again_from" in certificate
        settled_as = "yes" if made.outcome is Outcome.SETTLED else None
        found.append(settled_as is not None)
    return found


def made_of(weighed, rule, settled_as, fell):
    weigh, engine.weigh = engine.weigh, lambda *_: weighed
    try:
        return certificates.make("wake-word", [], rule, None, settled_as=settled_as, fell=fell)
    finally:
        engine.weigh = weigh


near = st.floats(0.7, 0.7699, exclude_max=True)
anywhere = st.floats(0, 1)


@given(st.lists(near))
@example([0.751, 0.749] * 10)
def test_a_confidence_that_stays_below_the_gap_settles_at_most_once(confidences):
    settled = settled_at(confidences)
    assert sum(now and not before for before, now in zip([False, *settled], settled, strict=False)) <= 1


@given(st.lists(anywhere))
def test_what_is_settled_has_the_confidence_that_its_campaign_asks_for(confidences):
    for confidence, settled in zip(confidences, settled_at(confidences), strict=True):
        assert settled or confidence < RULE.again_from
        assert not settled or confidence >= RULE.confidence


@given(st.lists(anywhere), anywhere)
def test_the_same_confidence_again_changes_nothing(confidences, last):
    *_, once, again = settled_at([*confidences, last, last])
    assert once == again


@given(st.floats(0.01, 1))
def test_from_the_gap_on_there_is_always_a_confidence_that_settles(confidence):
    rule = Rule(confidence=confidence)
    assert rule.confidence <= rule.again_from <= 1
