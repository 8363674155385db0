import json
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets import normalise
from tagger.consensus import frequencies, judge, transcripts
from tagger.consensus.transcripts import TranscriptCrowd, decide, explain, fit, what_if
from tagger.consensus.verdict import Outcome, Rule, Vote

RULE = Rule(least=2, most=5, confidence=0.75)


@pytest.fixture(autouse=True, scope="module")
def what_is_read_once():
    """Files that the first decision would read while hypothesis holds a watch."""
    judge.shipped()
    frequencies.of_language("en")


phrases = st.lists(
    st.sampled_from(["the", "cat", "cut", "sat", "air", "tight", "airtight", "20"]), max_size=6
).map(" ".join)
anything = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
people = st.integers(0, 5)
tasks = st.lists(
    st.dictionaries(people, phrases, min_size=1, max_size=5).map(
        lambda given: [Vote(annotator, text) for annotator, text in given.items()]
    ),
    min_size=1,
    max_size=6,
)


def votes(*texts):
    return [Vote(number, text) for number, text in enumerate(texts)]


def written(found):
    return json.dumps([found.texts, found.confidences, sorted(found.reliability.items())])


@given(tasks, st.randoms())
def test_the_order_of_rows_never_changes_a_fit(crowd, random):
    order = random.sample(range(len(crowd)), len(crowd))
    one, other = fit(crowd), fit([random.sample(crowd[at], len(crowd[at])) for at in order])
    assert [one.texts[at] for at in order] == other.texts
    assert [one.confidences[at] for at in order] == other.confidences
    assert one.reliability == other.reliability


@given(tasks)
def test_renaming_the_annotators_renames_their_reliability_and_no_more(crowd):
    names = {number: f"worker {-number}" for number in range(6)}
    one = fit(crowd)
    other = fit([[Vote(names[vote.annotator], vote.answer) for vote in task] for task in crowd])
    assert (one.texts, one.confidences) == (other.texts, other.confidences)
    assert {names[who]: share for who, share in one.reliability.items()} == other.reliability


@given(tasks)
def test_a_row_given_twice_counts_once(crowd):
    assert written(fit(crowd)) == written(fit([task + task for task in crowd]))


@given(st.lists(anything, min_size=1, max_size=4))
def test_nothing_typed_crashes(texts):
    verdict = decide(votes(*texts), RULE)
    assert verdict.answer == normalise.text(verdict.answer)
    assert 0 <= verdict.confidence <= 1


@given(anything, st.integers(2, 6))
def test_what_all_agree_on_comes_back_in_normal_form(text, people):
    verdict = decide(votes(*[text] * people), RULE)
    assert (verdict.answer, verdict.outcome) == (normalise.text(text), Outcome.SETTLED)


@given(phrases, st.integers(1, 5))
def test_one_more_who_agrees_makes_an_agreed_text_no_less_sure(text, people):
    fewer, more = (decide(votes(*[text] * number), RULE) for number in (people, people + 1))
    assert more.confidence >= fewer.confidence


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=5))
def test_one_more_vote_for_the_leading_word_keeps_it_leading(texts):
    leading = decide(votes(*texts), RULE).answer
    assert decide(votes(*texts, leading), RULE).answer == leading


@given(tasks, st.integers(0, 5))
def test_what_a_decision_used_decides_the_same_again(crowd, number):
    task = crowd[number % len(crowd)]
    learned = fit(crowd).crowd
    order = [vote.annotator for vote in task]
    data = json.dumps(learned.as_json(order, task))
    again = TranscriptCrowd.from_json(json.loads(data), order)
    assert decide(task, RULE, again) == decide(task, RULE, learned)
    assert json.dumps(again.as_json(order, task)) == data


@given(tasks, st.integers(0, 5))
def test_what_a_decision_used_answers_one_more_vote_the_same_again(crowd, number):
    task = crowd[number % len(crowd)]
    learned = fit(crowd, language="en").crowd
    order = [vote.annotator for vote in task]
    again = TranscriptCrowd.from_json(json.loads(json.dumps(learned.as_json(order, task))), order)
    assert what_if(task, RULE, again) == what_if(task, RULE, learned)


@given(tasks, st.integers(0, 5))
def test_an_explanation_is_the_decision_the_contrary_vote_and_what_both_used(crowd, number):
    task = crowd[number % len(crowd)]
    learned = fit(crowd, language="en").crowd
    apart = (
        decide(task, RULE, learned),
        what_if(task, RULE, learned).verdict,
        learned.as_json([vote.annotator for vote in task], task),
    )
    assert explain(task, RULE, learned) == apart


def test_without_votes_no_more_vote_is_explained():
    verdict, against, _ = explain([], RULE, TranscriptCrowd.strangers("en"))
    assert (verdict.answer, against) == (None, None)


def test_a_crowd_in_several_chunks_is_decided_as_in_one(monkeypatch):
    crowd = [votes(f"turn on light {n}", f"turn the light {n}", f"turn on lite {n % 7}") for n in range(60)]
    whole = fit(crowd)
    monkeypatch.setattr(transcripts, "CHUNK", 7)
    assert fit(crowd) == whole


def test_a_decision_stands_when_the_list_of_a_language_is_another(monkeypatch):
    cast = votes("turn the light on", "turn the lite on", "turn a lyte on")
    crowd = TranscriptCrowd.strangers("en")
    data, verdict = crowd.as_json([0, 1, 2], cast), decide(cast, RULE, crowd)
    monkeypatch.setattr(frequencies, "of_language", lambda language: lambda word: 5.0)
    again = TranscriptCrowd.from_json(data, [0, 1, 2])
    assert (decide(cast, RULE, again), again.as_json([0, 1, 2], cast)) == (verdict, data)


def test_a_word_of_the_language_beats_a_slip_that_as_many_typed():
    assert decide(votes("a lihgt", "a light"), RULE, TranscriptCrowd.strangers("en")).answer == "a light"


def test_what_a_decision_used_names_nobody():
    crowd = [[Vote("ann-7", "hello there"), Vote("bob-8", "hello where")]]
    data = json.dumps(fit(crowd).crowd.as_json(["ann-7", "bob-8"], crowd[0]))
    assert "ann-7" not in data and "bob-8" not in data


def test_what_a_decision_used_holds_no_word_of_another_task():
    crowd = [votes("hello there", "hello where"), votes("secret words", "secret word")]
    assert "secret" not in json.dumps(fit(crowd).crowd.as_json([0, 1], crowd[0]))


def test_the_careful_count_for_more_than_the_careless():
    spoken = [
        "the cat sat on the mat today",
        "where did you put the small red box",
        "we walked home in the rain",
    ]
    crowd = [
        [
            Vote("careful", text),
            Vote("kind", text),
            Vote("careless", f"uh {text[4:]} no"),
            Vote("hasty", text[:9]),
        ]
        for text in spoken * 5
    ]
    found = fit(crowd)
    assert found.reliability["careful"] > found.reliability["careless"]
    contested = [Vote("careful", "turn the light on"), Vote("careless", "turn the night on")]
    assert decide(contested, RULE, found.crowd).answer == "turn the light on"


def test_copiers_count_as_one_voice():
    right, wrong = (
        ["the cat sat on the mat", "a dog ran to the sea"],
        ["the bat spat on the mat", "a log ran to the tea"],
    )
    crowd = [
        [Vote("ann", good), Vote("bob", good), Vote("cy", good), Vote("copy", bad), Vote("copycat", bad)]
        for good, bad in zip(right, wrong, strict=True)
    ]
    learned = fit(crowd).crowd
    assert learned.copiers == {frozenset({"copy", "copycat"})}
    cast = [Vote("ann", "one time"), Vote("copy", "two time"), Vote("copycat", "two time")]
    assert decide(cast, RULE, learned).answer == "one time"


def test_somebody_new_is_taken_for_one_of_the_crowd():
    found = fit([votes("one two", "one two")])
    assert found.crowd.reliability("nobody knows") == found.crowd.pool.right


def test_what_is_known_teaches_who_is_right():
    crowd = [[Vote("ann", f"word{number} alpha"), Vote("bob", f"word{number} beta")] for number in range(8)]
    told = fit(crowd, known={number: f"word{number} beta" for number in range(7)})
    assert told.reliability["bob"] > told.reliability["ann"]
    assert (told.texts[0], told.confidences[0], told.texts[7]) == ("word0 beta", 1.0, "word7 beta")


def test_joined_and_split_words_meet_in_one_slot():
    soft = decide(votes("an airtight box", "an air tight box", "an airtight box"), RULE).soft["words"]
    assert [word["word"] for word in soft] == ["an", "airtight", "box"]
    assert soft[1]["votes"] == {"airtight": 2, "air tight": 1}


def test_numerals_are_spelled_out_where_the_english_crowd_does():
    texts = ["it was the first of the two and he had twenty", "it was the first of the two and he had 20"]
    assert fit([votes(*texts, texts[0])]).texts == [texts[0]]
    assert fit([votes(texts[0], *texts, texts[0]), votes("20 of the")]).texts[1] == "twenty of the"


def test_numerals_of_a_crowd_that_types_digits_stay():
    texts = ["it was the first of the two and he had 20", "it was the first of the two and he had twenty"]
    assert fit([votes(*texts, texts[0])]).texts == [texts[0]]


@pytest.mark.parametrize("text", ["20 minuten bitte", "el 3 de mayo", "明日3時", "Mr Dupont a dit six"])
def test_no_other_language_is_spelled_out(text):
    assert fit([votes(text, text)], language="xx").texts == [normalise.text(text)]


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("你好世界", "你好视界"),
        ("สวัสดีครับ", "สวัสดีคับ"),
        ("καλημέρα κόσμε", "καλημέρα κόσμος"),
        ("привет мир", "привет мор"),
    ],
)
def test_a_majority_of_any_script_decides(right, wrong):
    assert decide(votes(right, wrong, right), RULE).answer == right


def test_texts_of_ten_thousand_words_are_decided():
    long = " ".join(f"w{number % 700}" for number in range(10_000))
    unlike = " ".join(f"v{number % 900}" for number in range(9_000))
    assert decide(votes(long, unlike, long), RULE).answer == long


def test_texts_of_ten_thousand_split_words_are_decided():
    assert (
        decide(votes("air tight " * 5_000, "airtight " * 5_000, "airtight " * 5_000), RULE).answer[:8]
        == "airtight"
    )


def test_a_contrary_stranger_makes_a_text_less_sure():
    cast = votes("turn the light on", "turn the light on", "turn the night on")
    then = what_if(cast, RULE)
    assert then.confidence > 0
    assert then.verdict.confidence < decide(cast, RULE).confidence


def test_a_stranger_weighs_what_the_pool_does():
    assert asdict(TranscriptCrowd.strangers()) == asdict(TranscriptCrowd())
    assert TranscriptCrowd.strangers().pool == transcripts.STRANGER
