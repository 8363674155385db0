"""What is foreseen for a rule is what the rule then does, to crowds whose truth is known."""

from collections import Counter
from dataclasses import replace
from random import Random

import pytest

from tagger.consensus import labels, transcripts
from tagger.consensus.dawid_skene import one_coin
from tagger.consensus.foresight import OF_WORDS, History, NextLabel, NextTranscript, foresee
from tagger.consensus.intervals import wilson
from tagger.consensus.label_crowd import rounded
from tagger.consensus.transcript_crowd import TranscriptCrowd
from tagger.consensus.verdict import Outcome, Rule, Vote

CLASSES = ("yes", "similar", "no", "noise")
# Whose votes are right nine times in ten, and otherwise by chance, as the last refit learned.
CROWD = replace(labels.strangers(CLASSES), pooled=rounded(one_coin(len(CLASSES), 0.9 + 0.1 / 4)))
ASKED, WANTED = Rule(2, 5, 0.75), Rule(3, 7, 0.95)


def decide(votes, rule):
    return labels.decide(votes, rule, CLASSES, CROWD)


def looked_at(histories, rule, seed=0):
    draw = NextLabel(CROWD, histories, decide, rule)
    return foresee(histories, rule, decide, draw, lambda answer, truth: answer != truth, seed=seed)


def crowd(number, right=0.9, seed=1):
    """Tasks with their truth and ten votes each; a voter is right with this probability."""
    dice = Random(seed)
    for _ in range(number):
        truth = dice.choice(CLASSES)
        votes = [Vote(who, truth if dice.random() < right else dice.choice(CLASSES)) for who in range(10)]
        yield truth, votes


def played(votes, rule):
    """How many of its votes the rule asks for, and with what verdict it ends."""
    for number in range(rule.least, rule.most + 1):
        found = decide(votes[:number], rule)
        if found.outcome is not Outcome.MORE:
            return number, found
    raise AssertionError("the rule never ends")


def test_with_all_votes_there_it_is_what_the_rule_does():
    tasks = list(crowd(200))
    ends = [played(votes, WANTED) for _truth, votes in tasks]
    found = looked_at([History(tuple(votes), truth) for truth, votes in tasks], WANTED)
    settled = [
        (end, truth)
        for (_n, end), (truth, _v) in zip(ends, tasks, strict=True)
        if end.outcome is Outcome.SETTLED
    ]
    assert found.votes.value == pytest.approx(sum(number for number, _end in ends) / 200)
    assert found.disputed.value == pytest.approx(1 - len(settled) / 200)
    # The engine's confidence says as much as ten known answers.
    doubt = sum(1 - end.confidence for end, _truth in settled) / len(settled)
    bad = sum(end.answer != truth for end, truth in settled)
    assert found.wrong.value == pytest.approx((10 * doubt + bad) / (10 + len(settled)))
    # Nothing was drawn, so no doubt is added about what real crowds do.
    assert (found.disputed.low, found.disputed.high) == pytest.approx(wilson(200 - len(settled), 200))
    assert (found.tasks, found.known) == (200, len(settled))


@pytest.mark.parametrize("seed", range(5))
def test_what_a_stricter_rule_costs_is_foreseen_from_votes_that_ended_early(seed):
    """The campaign asked by one rule; what another costs is compared with the votes that really come."""
    tasks = list(crowd(400, seed=seed))
    histories = [History(tuple(votes[: played(votes, ASKED)[0]])) for _truth, votes in tasks]
    found = looked_at(histories, WANTED)
    ends = [played(votes, WANTED) for _truth, votes in tasks]
    came = sum(number for number, _end in ends) / len(ends)
    disputed = sum(end.outcome is Outcome.DISPUTED for _number, end in ends) / len(ends)
    assert found.votes.low - 0.1 <= came <= found.votes.high + 0.1
    assert found.disputed.low <= disputed <= found.disputed.high


def test_the_same_votes_lead_to_the_same_figures():
    histories = [History(tuple(votes[:2])) for _truth, votes in crowd(30)]
    assert looked_at(histories, WANTED) == looked_at(histories, WANTED)


def test_without_known_answers_it_is_the_engines_own_doubt():
    histories = [History((Vote(1, "yes"), Vote(2, "yes"), Vote(3, "yes")))] * 40
    found = looked_at(histories, Rule(2, 5, 0.6))
    assert found.known == 0
    assert found.wrong.value == pytest.approx(1 - decide(histories[0].votes[:2], ASKED).confidence)


def test_votes_on_a_task_whose_answer_is_known_are_drawn_for_that_answer():
    votes = [Vote(1, "yes"), Vote(2, "yes")]
    draw = NextLabel(CROWD, [History(tuple(votes))], decide, WANTED)
    dice, found = Random(4), decide(votes, WANTED)
    drawn = Counter(draw(dice, found, votes, "noise").answer for _ in range(1_000))
    assert 890 <= drawn["noise"] <= 960  # right in 92.5 %


@pytest.mark.parametrize(("known", "low", "high"), [(False, 0.0, 0.4), (True, 0.15, 0.4)])
def test_an_engine_that_is_too_sure_is_corrected_by_what_is_known(known, low, high):
    """Its people are right in 93 of 100 cases, it thinks; these are right in 60."""
    tasks = list(crowd(200, right=0.47, seed=3))
    histories = [History(tuple(votes), truth if known else None) for truth, votes in tasks]
    found = looked_at(histories, ASKED)
    ends = [(played(votes, ASKED)[1], truth) for truth, votes in tasks]
    wrong = [end.answer != truth for end, truth in ends if end.outcome is Outcome.SETTLED]
    came = sum(wrong) / len(wrong)
    assert found.wrong.low <= came <= found.wrong.high
    assert low <= found.wrong.value <= high


def test_nothing_to_replay_is_an_error():
    with pytest.raises(ValueError, match="no task has votes"):
        looked_at([], WANTED)


def test_transcripts_are_foreseen_word_by_word():
    strangers = TranscriptCrowd.strangers("en")
    agreed = History((Vote(1, "turn the light on"), Vote(2, "turn the light on")), "turn the light on")
    alone = History((Vote(1, "turn the light on"),))

    def weigh(votes, rule):
        return transcripts.decide(votes, rule, strangers)

    def found(histories, rule):
        return foresee(
            histories,
            rule,
            weigh,
            NextTranscript(strangers, histories, weigh, rule),
            lambda answer, truth: float(answer != truth),
            OF_WORDS,
        )

    sure = found([agreed] * 30, Rule(2, 5, 0.75))
    assert (sure.votes.value, sure.disputed.value, sure.known) == (2, 0, 30)
    doubt = 1 - weigh(agreed.votes, ASKED).confidence
    assert sure.wrong.value == pytest.approx(40 * doubt / (40 + 30))
    assert found([agreed], ASKED).wrong.high > sure.wrong.high
    some = found([alone] * 30, Rule(2, 5, 0.75))
    assert 2 <= some.votes.value <= 5 and some.votes.low < some.votes.high
