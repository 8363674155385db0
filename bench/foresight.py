"""What a rule would cost, foreseen from a campaign's votes so far, beside what then comes.

Each real crowd is played as a campaign: votes come one at a time, in random order, and a clip is no longer
asked about when the campaign's rule says so. From these votes alone each other rule is foreseen. Then it is
played with all votes of the crowd.
"""

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bench import learn_transcripts
from bench.labels import LabelledCrowd, load
from tagger.consensus import labels, transcripts
from tagger.consensus.foresight import (
    OF_LABELS,
    OF_WORDS,
    Decide,
    Estimate,
    Foreseen,
    History,
    NextLabel,
    NextTranscript,
    foresee,
    wrong_words,
)
from tagger.consensus.verdict import Outcome, Rule, Verdict, Vote

# The campaign's own rule, and those that its owner thinks of.
OWN = Rule(2, 5, 0.75)
RULES = (Rule(2, 5, 0.85), Rule(2, 5, 0.9), Rule(3, 5, 0.9), Rule(2, 3, 0.75))
MOST = 600  # tasks of one crowd, as on the owner's page
MOST_TRANSCRIBED = 60
KNOWN_SHARE = 0.2  # of the tasks, as controls and reviewers' decisions are
LINE = "{:14} {:14} {:>24} {:>24} {:>28}"


def main(data: Path) -> None:
    print(LINE.format("crowd", "rule", "votes a clip", "disputed %", "wrong %"))
    tally = [0, 0]
    for folder in sorted((data / "labels").iterdir()):
        if folder.is_dir():
            _labelled(load(folder), tally)
    for name in ("dev-clean", "dev-other"):
        _transcribed(name, learn_transcripts.read(data / "transcripts" / name), tally)
    print(f"\n{tally[0]} of {tally[1]} figures that came are within their 95 % intervals (marked *: outside)")


def _labelled(crowd: LabelledCrowd, tally: list[int]) -> None:
    classes = tuple(map(str, range(crowd.classes)))
    dice = random.Random(1)
    by_task: dict[int, list[Vote]] = {}
    for task, worker, answer in zip(crowd.tasks, crowd.workers, crowd.answers, strict=True):
        votes = by_task.setdefault(int(task), [])
        if all(vote.annotator != f"w{worker}" for vote in votes):  # a few voted twice
            votes.append(Vote(f"w{worker}", str(answer)))
    # Only tasks on which every rule can be played to its end.
    enough = [task for task, votes in sorted(by_task.items()) if len(votes) >= OWN.most]
    if len(enough) < 50:
        print(f"{crowd.name:14} too few tasks with {OWN.most} votes")
        return
    chosen = dice.sample(enough, min(MOST, len(enough)))
    for task in chosen:
        dice.shuffle(by_task[task])

    def decide_by(asked: Sequence[Sequence[Vote]]) -> tuple[Decide, labels.LabelCrowd]:
        people = sorted({vote.annotator for votes in asked for vote in votes}, key=str)
        place = {who: k for k, who in enumerate(people)}
        rows = [(t, place[v.annotator], int(v.answer)) for t, votes in enumerate(asked) for v in votes]
        fit = labels.fit(*map(np.array, zip(*rows, strict=True)), crowd.classes)
        learned = fit.crowd(classes, people)
        return lambda votes, rule: labels.decide(votes, rule, classes, learned), learned

    strangers = labels.strangers(classes)
    asked = [_play(by_task[t], OWN, lambda v, r: labels.decide(v, r, classes, strangers))[0] for t in chosen]
    decide, learned = decide_by(asked)
    truths = [str(crowd.gold[t]) if crowd.gold[t] >= 0 else None for t in chosen]
    _compare(
        crowd.name,
        [by_task[t] for t in chosen],
        asked,
        truths,
        decide,
        lambda histories, rule: NextLabel(learned, histories, decide, rule),
        (lambda answer, truth: float(answer != truth), OF_LABELS),
        tally,
    )


def _transcribed(name: str, crowd: learn_transcripts.TranscribedCrowd, tally: list[int]) -> None:
    dice = random.Random(1)
    enough = [k for k, votes in enumerate(crowd.tasks) if len(votes) >= OWN.most]
    chosen = dice.sample(enough, min(MOST_TRANSCRIBED, len(enough)))
    every = {k: dice.sample(list(crowd.tasks[k]), len(crowd.tasks[k])) for k in chosen}
    strangers = transcripts.TranscriptCrowd.strangers("en")

    def decide_stranger(votes: Sequence[Vote], rule: Rule) -> Verdict:
        return transcripts.decide(votes, rule, strangers)

    asked = [_play(every[k], OWN, decide_stranger)[0] for k in chosen]
    learned = transcripts.fit(asked, language="en").crowd

    def decide(votes: Sequence[Vote], rule: Rule) -> Verdict:
        return transcripts.decide(votes, rule, learned)

    _compare(
        name,
        [every[k] for k in chosen],
        asked,
        [crowd.truth[k] for k in chosen],
        decide,
        lambda histories, rule: NextTranscript(learned, histories, decide, rule),
        (wrong_words("en"), OF_WORDS),
        tally,
    )


def _play(votes: Sequence[Vote], rule: Rule, decide: Decide) -> tuple[list[Vote], Verdict]:
    for number in range(rule.least, rule.most + 1):
        found = decide(votes[:number], rule)
        if found.outcome is not Outcome.MORE:
            break
    return list(votes[:number]), found


def _compare(name, every, asked, truths, decide, drawing, wrong, tally) -> None:
    known = random.Random(2)
    histories = [
        History(tuple(votes), truth if known.random() < KNOWN_SHARE else None)
        for votes, truth in zip(asked, truths, strict=True)
    ]
    for rule in RULES:
        found = foresee(histories, rule, decide, drawing(histories, rule), *wrong)
        _print(name, rule, found, _came(every, truths, rule, decide, wrong[0]), tally)


def _came(every, truths, rule, decide, wrong) -> tuple[float, float, float]:
    """Votes a task, the share disputed, and the share of the settled that is wrong."""
    ends = [_play(votes, rule, decide) for votes in every]
    settled = [
        wrong(end.answer, truth)
        for (_votes, end), truth in zip(ends, truths, strict=True)
        if end.outcome is Outcome.SETTLED and truth is not None
    ]
    votes = sum(len(votes) for votes, _end in ends) / len(ends)
    disputed = sum(end.outcome is Outcome.DISPUTED for _votes, end in ends) / len(ends)
    return votes, disputed, sum(settled) / len(settled) if settled else float("nan")


def _print(
    name: str, rule: Rule, found: Foreseen, came: tuple[float, float, float], tally: list[int]
) -> None:
    cells = [
        _cell(found.votes, came[0], 1, tally),
        _cell(found.disputed, came[1], 100, tally),
        _cell(found.wrong, came[2], 100, tally) + (" k" if found.known else ""),
    ]
    print(LINE.format(name, f"{rule.least}–{rule.most} {rule.confidence}", *cells))


def _cell(found: Estimate | None, came: float, scale: int, tally: list[int]) -> str:
    if found is None or came != came:
        return "–"
    is_within = found.low <= came <= found.high
    tally[0] += is_within
    tally[1] += 1
    low, high = (f"{scale * each:.1f}" for each in (found.low, found.high))
    return f"{low}–{high}, came {scale * came:.1f}{'' if is_within else ' *'}"
