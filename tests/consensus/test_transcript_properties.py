import json
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets import normalise
from tagger.consensus import frequencies, judge, study
from tagger.consensus.reliability import STRANGER
from tagger.consensus.transcript_crowd import TranscriptCrowd
from tagger.consensus.transcripts import decide, explain, fit, what_if
from tagger.consensus.verdict import Outcome, Rule, Vote

RULE = Rule(least=2, most=5, confidence=0.75)


@pytest.fixture(autouse=True, scope="module")
def files_read_once():
    """The first decision reads files, which would exceed hypothesis's deadline."""
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


def as_text(found):
    return json.dumps([found.texts, found.confidences, sorted(found.reliability.items())])


def parameters(crowd, task):
    """What a decision on the task, and that after one more vote, use of the crowd."""
    recording = crowd.recording()
    what_if(task, RULE, recording)
    return recording.as_json([vote.annotator for vote in task])


@given(tasks, st.randoms())
def test_the_order_of_rows_never_changes_a_fit(crowd, random):
    order = random.sample(range(len(crowd)), len(crowd))
    one, other = fit(crowd), fit([random.sample(crowd[at], len(crowd[at])) for at in order])
    assert [one.texts[at] for at in order] == other.texts
    assert [one.confidences[at] for at in order] == other.confidences
    assert one.reliability == other.reliability


@given(tasks)
def test_renaming_annotators_only_renames_their_reliability(crowd):
    names = {number: f"worker {-number}" for number in range(6)}
    one = fit(crowd)
    other = fit([[Vote(names[vote.annotator], vote.answer) for vote in task] for task in crowd])
    assert (one.texts, one.confidences) == (other.texts, other.confidences)
    assert {names[who]: share for who, share in one.reliability.items()} == other.reliability


@given(tasks)
def test_a_row_given_twice_counts_once(crowd):
    assert as_text(fit(crowd)) == as_text(fit([task + task for task in crowd]))


@given(st.lists(anything, min_size=1, max_size=4))
def test_any_text_is_decided(texts):
    verdict = decide(votes(*texts), RULE)
    assert verdict.answer == normalise.text(verdict.answer, "")
    assert 0 <= verdict.confidence <= 1


@given(anything, st.integers(2, 6))
def test_a_unanimous_text_comes_back_in_normal_form(text, people):
    verdict = decide(votes(*[text] * people), RULE)
    assert (verdict.answer, verdict.outcome) == (normalise.text(text, ""), Outcome.SETTLED)


@given(phrases, st.integers(1, 5))
def test_one_more_agreeing_vote_never_lowers_a_unanimous_text(text, people):
    fewer, more = (decide(votes(*[text] * number), RULE) for number in (people, people + 1))
    assert more.confidence >= fewer.confidence


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=5))
def test_one_more_vote_for_the_leading_word_keeps_it_leading(texts):
    leading = decide(votes(*texts), RULE).answer
    assert decide(votes(*texts, leading), RULE).answer == leading


@given(tasks, st.integers(0, 5))
def test_stored_parameters_reproduce_a_decision(crowd, number):
    task = crowd[number % len(crowd)]
    learned = fit(crowd).crowd
    order = [vote.annotator for vote in task]
    data = json.dumps(parameters(learned, task))
    restored = TranscriptCrowd.from_json(json.loads(data), order)
    assert decide(task, RULE, restored) == decide(task, RULE, learned)
    assert json.dumps(parameters(restored, task)) == data


@given(tasks, st.integers(0, 5))
def test_stored_parameters_reproduce_the_verdict_after_one_more_vote(crowd, number):
    task = crowd[number % len(crowd)]
    learned = fit(crowd, language="en").crowd
    order = [vote.annotator for vote in task]
    restored = TranscriptCrowd.from_json(json.loads(json.dumps(parameters(learned, task))), order)
    assert what_if(task, RULE, restored) == what_if(task, RULE, learned)


@given(tasks, st.integers(0, 5))
def test_an_explanation_is_the_decision_the_contrary_vote_and_their_parameters(crowd, number):
    task = crowd[number % len(crowd)]
    learned = fit(crowd, language="en").crowd
    apart = (
        decide(task, RULE, learned),
        what_if(task, RULE, learned).verdict,
        parameters(learned, task),
    )
    assert explain(task, RULE, learned) == apart


def test_without_votes_there_is_no_contrary_vote():
    verdict, against, _ = explain([], RULE, TranscriptCrowd.strangers("en"))
    assert (verdict.answer, against) == (None, None)


def test_a_crowd_in_several_chunks_is_decided_as_in_one(monkeypatch):
    crowd = [votes(f"turn on light {n}", f"turn the light {n}", f"turn on lite {n % 7}") for n in range(60)]
    whole = fit(crowd)
    monkeypatch.setattr(study, "CHUNK", 7)
    assert fit(crowd) == whole


def test_a_decision_does_not_change_with_the_word_list_of_its_language(monkeypatch):
    cast = votes("turn the light on", "turn the lite on", "turn a lyte on")
    crowd = TranscriptCrowd.strangers("en")
    data, verdict = parameters(crowd, cast), decide(cast, RULE, crowd)
    monkeypatch.setattr(frequencies, "of_language", lambda language: lambda word: 5.0)
    restored = TranscriptCrowd.from_json(data, [0, 1, 2])
    assert (decide(cast, RULE, restored), parameters(restored, cast)) == (verdict, data)


def test_a_word_of_the_language_beats_a_typo_with_as_many_votes():
    assert decide(votes("a lihgt", "a light"), RULE, TranscriptCrowd.strangers("en")).answer == "a light"


def test_stored_parameters_name_no_one():
    crowd = [[Vote("ann-7", "hello there"), Vote("bob-8", "hello where")]]
    data = json.dumps(parameters(fit(crowd).crowd, crowd[0]))
    assert "ann-7" not in data and "bob-8" not in data


def test_stored_parameters_hold_no_word_of_another_task():
    crowd = [votes("hello there", "hello where"), votes("secret words", "secret word")]
    assert "secret" not in json.dumps(parameters(fit(crowd).crowd, crowd[0]))


def test_careful_annotators_outweigh_careless_ones():
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


def test_a_newcomer_gets_the_reliability_of_the_pool():
    found = fit([votes("one two", "one two")])
    assert found.crowd.reliability("nobody knows") == found.crowd.pool.right


def test_known_texts_teach_who_is_right():
    crowd = [[Vote("ann", f"word{number} alpha"), Vote("bob", f"word{number} beta")] for number in range(8)]
    found = fit(crowd, known={number: f"word{number} beta" for number in range(7)})
    assert found.reliability["bob"] > found.reliability["ann"]
    assert (found.texts[0], found.confidences[0], found.texts[7]) == ("word0 beta", 1.0, "word7 beta")


def test_joined_and_split_words_share_a_slot():
    soft = decide(votes("an airtight box", "an air tight box", "an airtight box"), RULE).soft["words"]
    assert [word["word"] for word in soft] == ["an", "airtight", "box"]
    assert soft[1]["votes"] == {"airtight": 2, "air tight": 1}


def test_numerals_are_spelled_out_where_the_english_crowd_does():
    texts = ["it was the first of the two and he had twenty", "it was the first of the two and he had 20"]
    assert fit([votes(*texts, texts[0])]).texts == [texts[0]]
    assert fit([votes(texts[0], *texts, texts[0]), votes("20 of the")]).texts[1] == "twenty of the"


def test_a_crowd_that_types_digits_keeps_them():
    texts = ["it was the first of the two and he had 20", "it was the first of the two and he had twenty"]
    assert fit([votes(*texts, texts[0])]).texts == [texts[0]]


@pytest.mark.parametrize("text", ["20 minuten bitte", "el 3 de mayo", "明日3時", "Mr Dupont a dit six"])
def test_no_other_language_is_spelled_out(text):
    assert fit([votes(text, text)], language="xx").texts == [normalise.text(text, "xx")]


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


def test_a_contrary_stranger_lowers_the_confidence():
    cast = votes("turn the light on", "turn the light on", "turn the night on")
    then = what_if(cast, RULE)
    assert then.confidence > 0
    assert then.verdict.confidence < decide(cast, RULE).confidence


def test_a_crowd_of_strangers_is_the_default_crowd():
    assert asdict(TranscriptCrowd.strangers()) == asdict(TranscriptCrowd())
    assert TranscriptCrowd.strangers().pool == STRANGER
