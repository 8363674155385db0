import json
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagger.consensus import transcripts
from tagger.consensus.transcripts import edit_distance, network
from tagger.consensus.verdict import Outcome, Rule, Vote

RULE = Rule(least=2, most=5, confidence=0.75)


def votes(*texts):
    return [Vote(number, text) for number, text in enumerate(texts)]


def decide(*texts, rule=RULE):
    return transcripts.decide(votes(*texts), rule)


phrases = st.lists(st.sampled_from("abcde"), max_size=6).map(" ".join)
crowds = st.lists(phrases, max_size=6)
loose = Rule(least=1, most=4, confidence=0.01)


def test_case_and_punctuation_are_no_disagreement():
    verdict = decide("Hello, world!", "hello world")
    assert (verdict.outcome, verdict.answer, verdict.confidence) == (Outcome.SETTLED, "hello world", 1.0)


def test_a_majority_decides_each_word_apart():
    assert decide("the cat sat down", "a cat sat down", "the cat sad down").answer == "the cat sat down"


def test_a_word_that_most_left_out_is_left_out():
    verdict = decide("play some music", "play music", "play music")
    assert verdict.answer == "play music"
    assert verdict.soft["words"][1] == {"word": "", "agreement": 2 / 3, "votes": {"": 2, "some": 1}}


def test_a_word_that_most_heard_is_put_in():
    assert decide("play music", "play some music", "play some music").answer == "play some music"


def test_the_agreement_is_the_mean_over_the_words():
    verdict = decide("one two", "one two", "one too")
    assert verdict.confidence == 5 / 6
    assert verdict.outcome is Outcome.SETTLED


def test_a_tied_word_keeps_a_text_from_settling_yet_leaves_a_draft():
    verdict = decide("one two three four five six", "one two three four five sicks")
    assert verdict.confidence > RULE.confidence
    assert (verdict.outcome, verdict.answer) == (Outcome.MORE, "one two three four five sicks")


def test_at_the_most_votes_disagreement_is_a_dispute():
    assert decide("a", "b", "c", "d", "e").outcome is Outcome.DISPUTED


def test_the_centre_lies_where_most_transcripts_are():
    assert decide("b", "c", "c", "c b").answer == "c"


def test_silence_is_an_answer():
    verdict = decide("", " … ")
    assert (verdict.outcome, verdict.answer, verdict.confidence) == (Outcome.SETTLED, "", 1.0)
    assert verdict.soft == {"words": []}


def test_most_heard_nothing():
    verdict = decide("", "", "", "", "hello")
    assert (verdict.outcome, verdict.answer, verdict.confidence) == (Outcome.SETTLED, "", 0.8)


def test_one_transcript_is_its_own_draft():
    verdict = decide("Hello")
    assert (verdict.outcome, verdict.answer, verdict.confidence) == (Outcome.MORE, "hello", 1.0)


def test_nothing_leads_without_votes():
    verdict = decide()
    assert (verdict.outcome, verdict.answer, verdict.confidence) == (Outcome.MORE, None, 0.0)


def test_no_space_comes_between_characters_of_a_script_without_spaces():
    assert decide("你好世界", "你好,世界", "你好视界").answer == "你好世界"


def test_an_unclear_part_is_a_word_of_its_own():
    assert decide("turn [unclear] off", "turn it off", "turn [Unclear] off").answer == "turn [unclear] off"


def test_the_evidence_is_json_and_names_nobody():
    cast = [Vote("ann-7", "hello there"), Vote("bob-8", "hello where"), Vote("cy-9", "hello there")]
    evidence = json.dumps(transcripts.decide(cast, RULE).soft)
    assert not any(vote.annotator in evidence for vote in cast)


def test_a_repeated_annotator_is_named():
    with pytest.raises(ValueError, match="'ann' voted twice"):
        transcripts.decide([Vote("ann", "one"), Vote("ann", "two")], RULE)


def test_three_different_orders_of_words_come_to_the_same_in_any_order_of_votes():
    texts = ["a b c d", "b c d e", "c d e a", "a c d e"]
    assert len({json.dumps(decide(*order).soft) for order in permutations(texts)}) == 1


@given(crowds, st.randoms())
def test_the_order_of_votes_never_changes_a_verdict(texts, random):
    cast = votes(*texts)
    shuffled = random.sample(cast, len(cast))
    one, other = transcripts.decide(cast, RULE), transcripts.decide(shuffled, RULE)
    assert (one, json.dumps(one.soft)) == (other, json.dumps(other.soft))


@given(phrases, st.integers(0, 5))
def test_unanimous_transcripts_settle_from_the_least_on(text, extra):
    verdict = decide(*[text] * (RULE.least + extra))
    assert (verdict.outcome, verdict.answer, verdict.confidence) == (Outcome.SETTLED, text, 1.0)


@given(phrases, phrases, st.integers(1, 3))
def test_two_equal_camps_never_settle(one, other, each):
    if one != other:
        assert decide(*[one, other] * each, rule=loose).outcome is not Outcome.SETTLED


@given(st.lists(phrases, min_size=1, max_size=6))
def test_every_slot_counts_every_vote_once(texts):
    slots = network([tuple(text.split()) for text in texts])
    assert all(slot.total() == len(texts) for slot in slots)


@given(st.lists(phrases, min_size=1, max_size=6))
def test_the_network_loses_and_adds_no_word(texts):
    slots = network([tuple(text.split()) for text in texts])
    counted = sorted(word for slot in slots for word in slot.elements() if word)
    assert counted == sorted(word for text in texts for word in text.split())


@settings(max_examples=50)
@given(phrases, phrases, phrases)
def test_the_edit_distance_is_a_distance(one, two, three):
    one, two, three = (tuple(text.split()) for text in (one, two, three))
    assert (edit_distance(one, two) == 0) == (one == two)
    assert edit_distance(one, two) == edit_distance(two, one)
    assert edit_distance(one, three) <= edit_distance(one, two) + edit_distance(two, three)


@pytest.mark.parametrize(
    ("one", "other", "distance"),
    [("", "a b", 2), ("a b c", "a x c", 1), ("a b c d", "b c d e", 2), ("a a", "a", 1), ("a b a", "a b", 1)],
)
def test_the_edit_distance_counts_words(one, other, distance):
    assert edit_distance(tuple(one.split()), tuple(other.split())) == distance
