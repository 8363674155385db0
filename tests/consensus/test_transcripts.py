import json
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagger.consensus import transcripts
from tagger.consensus.network import edit_distance, weave
from tagger.consensus.verdict import Outcome, Rule, Vote

RULE = Rule(least=2, most=5, confidence=0.75)


def votes(*texts):
    return [Vote(number, text) for number, text in enumerate(texts)]


def decide(*texts, rule=RULE):
    return transcripts.decide(votes(*texts), rule)


phrases = st.lists(st.sampled_from("abcde"), max_size=6).map(" ".join)
crowds = st.lists(phrases, max_size=6)
loose = Rule(least=1, most=4, confidence=0.01)


def test_case_and_punctuation_do_not_count_as_disagreement():
    verdict = decide("Hello, world!", "hello world")
    assert (verdict.outcome, verdict.answer) == (Outcome.SETTLED, "hello world")
    assert [word["agreement"] for word in verdict.soft["words"]] == [1.0, 1.0]


def test_a_majority_decides_each_word_separately():
    assert decide("the cat sat down", "a cat sat down", "the cat sad down").answer == "the cat sat down"


def test_a_word_that_most_left_out_is_left_out():
    verdict = decide("play some music", "play music", "play music")
    assert verdict.answer == "play music"
    some = verdict.soft["words"][1]
    assert (some["word"], some["agreement"], some["votes"]) == ("", 2 / 3, {"": 2, "some": 1})


def test_a_word_that_most_heard_is_kept():
    assert decide("play music", "play some music", "play some music").answer == "play some music"


def test_the_confidence_is_lower_where_people_differ():
    sure, unsure = decide("one two", "one two", "one two"), decide("one two", "one two", "one too")
    assert 0.5 < unsure.confidence < sure.confidence <= 1


def test_every_word_has_its_own_probability():
    one, two = decide("one two", "one two", "one too").soft["words"]
    assert one["probability"] > two["probability"] > 0.5


def test_a_tied_word_keeps_a_text_from_settling_but_leaves_a_draft():
    verdict = decide("one two three four five six", "one two three four five sicks", rule=loose)
    assert verdict.confidence > loose.confidence
    assert verdict.outcome is Outcome.MORE
    assert verdict.answer in ("one two three four five six", "one two three four five sicks")


def test_at_the_most_votes_disagreement_is_a_dispute():
    assert decide("a", "b", "c", "d", "e").outcome is Outcome.DISPUTED


def test_the_central_transcript_is_the_one_nearest_to_the_others():
    assert decide("b", "c", "c", "c b").answer == "c"


def test_silence_is_an_answer():
    verdict = decide("", " … ")
    assert (verdict.outcome, verdict.answer) == (Outcome.SETTLED, "")
    assert verdict.soft == {"words": []}


def test_silence_wins_when_most_heard_nothing():
    verdict = decide("", "", "", "", "hello")
    assert (verdict.outcome, verdict.answer) == (Outcome.SETTLED, "")


def test_a_single_transcript_is_the_draft():
    verdict = decide("Hello")
    assert (verdict.outcome, verdict.answer) == (Outcome.MORE, "hello")
    assert verdict.confidence < 1


def test_nothing_leads_without_votes():
    verdict = decide()
    assert (verdict.outcome, verdict.answer, verdict.confidence) == (Outcome.MORE, None, 0.0)


def test_no_space_comes_between_characters_of_a_script_without_spaces():
    assert decide("你好世界", "你好,世界", "你好视界").answer == "你好世界"


def test_an_unclear_part_is_a_separate_word():
    assert decide("turn [unclear] off", "turn it off", "turn [Unclear] off").answer == "turn [unclear] off"


def test_the_evidence_is_json_and_names_no_one():
    cast = [Vote("ann-7", "hello there"), Vote("bob-8", "hello where"), Vote("cy-9", "hello there")]
    evidence = json.dumps(transcripts.decide(cast, RULE).soft)
    assert not any(vote.annotator in evidence for vote in cast)


def test_the_same_text_twice_from_one_annotator_counts_once():
    twice = [Vote("ann", "one"), Vote("ann", "One!"), Vote("bob", "two")]
    assert transcripts.decide(twice, RULE).soft["words"][0]["votes"] == {"one": 1, "two": 1}


def test_of_two_texts_from_one_annotator_the_one_nearest_to_the_others_counts():
    verdict = transcripts.decide([Vote("ann", "a b x"), Vote("ann", "a b c"), Vote("bob", "a b c")], RULE)
    assert (verdict.answer, verdict.soft["repeated"]) == ("a b c", 1)


def test_conflicting_word_orders_give_one_result_in_any_order_of_votes():
    texts = ["a b c d", "b c d e", "c d e a", "a c d e"]
    assert len({json.dumps(decide(*order).soft) for order in permutations(texts)}) == 1


@given(crowds, st.randoms())
def test_the_order_of_votes_never_changes_a_verdict(texts, random):
    cast = votes(*texts)
    shuffled = random.sample(cast, len(cast))
    one, other = transcripts.decide(cast, RULE), transcripts.decide(shuffled, RULE)
    assert (one, json.dumps(one.soft)) == (other, json.dumps(other.soft))


@given(phrases, st.integers(0, 5))
def test_unanimous_transcripts_settle_at_the_least_votes(text, extra):
    verdict = decide(*[text] * (RULE.least + extra))
    assert (verdict.outcome, verdict.answer) == (Outcome.SETTLED, text)


@given(phrases, phrases, st.integers(1, 3))
def test_two_equal_camps_never_settle(one, other, each):
    if one != other:
        assert decide(*[one, other] * each, rule=loose).outcome is not Outcome.SETTLED


@given(st.lists(phrases.map(str.split).map(tuple), min_size=1, max_size=6, unique=True))
def test_the_network_loses_adds_and_moves_no_word(texts):
    woven = weave(texts, [1] * len(texts))
    assert [tuple(filter(None, row)) for row in woven] == texts
    assert len({len(row) for row in woven}) == 1


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
