"""Simulated attacks on a crowd of labellers: error and votes a task, beside majority and Dawid-Skene.

Twenty honest people, right in 60 to 97 % of cases, label 600 clips of one campaign, five votes a clip, in
four classes. Attackers answer as well, each attack in a crowd of its own. Errors are of these clips alone.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from bench.labels import METHODS, Floats, LabelledCrowd, accuracy
from tagger.consensus import labels
from tagger.consensus.label_levels import CampaignFit, known_share, share_labels
from tagger.consensus.verdict import Outcome, Rule, Vote

NEEDS_DATA = False

CLIPS, HONEST, EACH, CLASSES, SEEDS = 600, 20, 5, 4, 3
ATTACKERS, OF_EACH = 8, 250  # accounts, and the clips that one of them answers
FLOOD = 4_000  # random votes in another campaign of the same crowd, by its own people and by ours
RULE = Rule(2, 7, 0.75)
PEERS = ("majority (crowd-kit)", "Dawid-Skene (crowd-kit)")
LINE = "{:34} {:>10} {:>10} {:>12} {:>12} {:>12}"


@dataclass
class Crowd:
    """`votes`: by clip, worker to answer; clips from `CLIPS` on are of another campaign. `truth` of ours."""

    dice: np.random.Generator
    truth: npt.NDArray[np.integer]
    skill: Floats
    votes: dict[int, dict[int, int]] = field(default_factory=dict)

    def honest(self, worker: int, clip: int) -> int:
        if self.dice.random() < self.skill[worker]:
            return int(self.truth[clip])
        return int((self.truth[clip] + self.dice.integers(1, CLASSES)) % CLASSES)

    def anything(self) -> int:
        return int(self.dice.integers(CLASSES))


def main(data: Path) -> None:
    print(LINE.format("", "majority", "D.-Skene", "engine", "settled", "votes"))
    print(LINE.format("", "wrong %", "wrong %", "wrong %", "wrong %", "a clip"))
    for name, attack in ATTACKS.items():
        rows = [_measured(_crowd(seed, attack)) for seed in range(SEEDS)]
        print(LINE.format(name, *(f"{figure:.2f}" for figure in np.mean(rows, axis=0))), flush=True)
    print()
    _flooded()


def _crowd(seed: int, attack: Callable[[Crowd], None]) -> Crowd:
    dice = np.random.default_rng(seed)
    truth = dice.choice(CLASSES, CLIPS, p=(0.55, 0.1, 0.25, 0.1))
    crowd = Crowd(dice, truth, np.linspace(0.6, 0.97, HONEST))
    for clip in range(CLIPS):
        people = dice.permutation(HONEST)[:EACH].tolist()
        crowd.votes[clip] = {who: crowd.honest(who, clip) for who in people}
    attack(crowd)
    return crowd


def _by_attackers(answer: Callable[[Crowd, int, int], int]) -> Callable[[Crowd], None]:
    def attack(crowd: Crowd) -> None:
        for who in range(HONEST, HONEST + ATTACKERS):
            for clip in crowd.dice.permutation(CLIPS)[:OF_EACH].tolist():
                crowd.votes[clip][who] = answer(crowd, who, clip)

    return attack


def _half_honest(crowd: Crowd, who: int, clip: int) -> int:
    return int(crowd.truth[clip]) if crowd.dice.random() < 0.5 else crowd.anything()


def _copiers(crowd: Crowd) -> None:
    """All attackers give the answers of one of them, who is right in 40 % of cases."""
    said = {c: int(crowd.truth[c]) if crowd.dice.random() < 0.4 else crowd.anything() for c in range(CLIPS)}
    _by_attackers(lambda _crowd, _who, clip: said[clip])(crowd)


def _fresh_and_agreed(crowd: Crowd) -> None:
    """Forty new accounts with ten answers each; four of them agree on a wrong answer to each of 100 clips."""
    for number, clip in enumerate(crowd.dice.permutation(CLIPS)[:100].tolist()):
        wrong = int((crowd.truth[clip] + 1) % CLASSES)
        for k in range(4):
            crowd.votes[clip][HONEST + (4 * number + k) % 40] = wrong


def _flood(crowd: Crowd) -> None:
    """`FLOOD` random votes on clips of another campaign, by attackers and by half of our people."""
    flooding = [*range(0, HONEST, 2), *range(HONEST, HONEST + ATTACKERS)]
    for number in range(FLOOD):
        clip = CLIPS + number // 8
        who = flooding[number % len(flooding)]
        crowd.votes.setdefault(clip, {})[who] = crowd.anything()


ATTACKS: dict[str, Callable[[Crowd], None]] = {
    "no attack": lambda crowd: None,
    "eight random voters": _by_attackers(lambda crowd, who, clip: crowd.anything()),
    "eight who always give one answer": _by_attackers(lambda crowd, who, clip: 0),
    "eight who copy one another": _copiers,
    "eight who are half honest": _by_attackers(_half_honest),
    "forty fresh accounts that agree": _fresh_and_agreed,
    "4,000 random votes next door": _flood,
}


def _in_rows(crowd: Crowd) -> LabelledCrowd:
    """With the truth of our clips alone."""
    rows = [(clip, who, said) for clip, given in crowd.votes.items() for who, said in given.items()]
    tasks, workers, answers = map(np.array, zip(*rows, strict=True))
    gold = np.full(tasks.max() + 1, -1)
    gold[:CLIPS] = crowd.truth
    return LabelledCrowd("", tasks, workers, answers, CLASSES, gold)


class Learned(NamedTuple):
    """What a refit learns: the probabilities of our clips, who is how reliable with them, and in a campaign
    that begins."""

    posterior: Floats
    crowd: labels.LabelCrowd
    ahead: labels.LabelCrowd


def _learn(rows: LabelledCrowd) -> Learned:
    """Each campaign by itself, and what they take from one another."""
    campaigns = [_fit(rows, here) for here in (rows.tasks < CLIPS, rows.tasks >= CLIPS) if here.any()]
    levels = share_labels(campaigns, int(rows.workers.max()) + 1)
    names = tuple(map(str, range(CLASSES)))
    own = levels.campaigns[0]
    return Learned(
        own.posterior,
        own.crowd(names, campaigns[0].voters.tolist()),
        levels.crowd(names, range(len(levels.matrices))),
    )


def _fit(rows: LabelledCrowd, here: npt.NDArray[np.bool_]) -> CampaignFit:
    tasks, answers = rows.tasks[here], rows.answers[here]
    tasks = tasks - tasks.min()
    voters, workers = np.unique(rows.workers[here], return_inverse=True)
    fit = labels.fit(tasks, workers, answers, rows.classes)
    return CampaignFit(voters, fit, known_share(tasks, answers, rows.classes))


def _measured(crowd: Crowd) -> tuple[float, ...]:
    rows = _in_rows(crowd)
    learned = _learn(rows)
    gold = rows.gold[:CLIPS]
    found = [*(METHODS[name](rows)[:CLIPS] for name in PEERS), learned.posterior]
    ends = [_play(crowd, clip, learned.crowd) for clip in range(CLIPS)]
    settled = [(clip, answer) for clip, (_votes, answer) in enumerate(ends) if answer is not None]
    wrong = np.mean([int(answer) != crowd.truth[clip] for clip, answer in settled])
    return (
        *(100 - accuracy(posterior, gold) for posterior in found),
        100 * float(wrong),
        float(np.mean([votes for votes, _answer in ends])),
    )


def _play(crowd: Crowd, clip: int, learned: labels.LabelCrowd) -> tuple[int, str | None]:
    """The votes that the rule asks for, in random order, and the answer that they settle, if they do."""
    votes = [Vote(who, str(said)) for who, said in crowd.votes[clip].items()]
    crowd.dice.shuffle(votes)  # type: ignore[arg-type]
    for number in range(RULE.least, min(RULE.most, len(votes)) + 1):
        found = labels.decide(votes[:number], RULE, learned.classes, learned)
        if found.outcome is not Outcome.MORE:
            break
    return number, found.answer if found.outcome is Outcome.SETTLED else None


def _flooded() -> None:
    """What a flood next door changes of labels that are settled, and of what is known of one good person."""
    changed, settled, here, ahead = 0, 0, [], []
    for seed in range(SEEDS):
        calm, flooded = _crowd(seed, lambda crowd: None), _crowd(seed, _flood)
        learned = [_learn(_in_rows(each)) for each in (calm, flooded)]
        best = HONEST - 2  # the best of those who are drawn into the flood
        here.append([each.crowd.reliability(best) for each in learned])
        ahead.append([each.ahead.reliability(best) for each in learned])
        for clip in range(CLIPS):
            votes = [Vote(who, str(said)) for who, said in calm.votes[clip].items()]
            then, now = (labels.decide(votes, RULE, each.crowd.classes, each.crowd) for each in learned)
            if then.outcome is Outcome.SETTLED:
                settled += 1
                changed += (now.outcome, now.answer) != (then.outcome, then.answer)
    print(f"{FLOOD:,} random votes next door: {changed} of {settled} settled labels change.")
    print("Someone who is right in 95 % is taken to be right, without and with them,")
    for name, each in (("in our campaign", here), ("in a campaign that begins", ahead)):
        print(f"  {name}: in " + " and ".join(f"{share:.0f} %" for share in 100 * np.mean(each, axis=0)))
