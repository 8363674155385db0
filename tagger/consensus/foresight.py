"""What a rule would cost: the votes that a campaign has so far are given to the rule one at a time.

Where a task's votes end before the rule is done with it, more are drawn: from what is known of the task, and
of those who vote in the campaign.

An interval covers three kinds of chance: which clips and votes come, how far real crowds are from what is
drawn for them, and how far the engine's confidence is from the share that is right. The last two are spreads
between the crowds of `make bench ARGS=foresight`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np
from rapidfuzz.distance import Levenshtein

from datasets import normalise

from .ballots import Floats
from .intervals import Estimate, Z, share_of
from .label_crowd import LabelCrowd
from .transcript_crowd import TranscriptCrowd
from .verdict import Outcome, Rule, Verdict, Vote

# How often the votes that are missing are drawn, for a task where some are.
FUTURES = 3
BOOTSTRAPS = 400
# Between crowds: of the log-odds with which a task is disputed whose votes were drawn, and of the number of
# these votes, relative to it.
DISPUTED_SPREAD, VOTES_SPREAD = 0.3, 0.08


@dataclass(frozen=True)
class Doubt:
    """How much the engine's confidence says about the share that is wrong: as much as `worth` known answers.

    `parts`: of how many an answer consists, each of which may be wrong.
    """

    worth: float
    parts: int


OF_LABELS, OF_WORDS = Doubt(10, 1), Doubt(40, 10)
# So many have to be known before the share is said to rest on them.
KNOWN_ENOUGH = 30

Decide = Callable[[Sequence[Vote], Rule], Verdict]
# Given the verdict on a task's votes so far, these votes, and the task's answer where that is known.
Draw = Callable[[Random, Verdict, Sequence[Vote], str | None], Vote]


@dataclass(frozen=True)
class History:
    """One task: its votes in the order in which they came, and its answer where that is known."""

    votes: tuple[Vote, ...]
    truth: str | None = None


@dataclass(frozen=True)
class Foreseen:
    """What the rule would lead to, for a task of this kind.

    `votes`: the mean number for a task; `disputed`: the share of tasks that a reviewer gets; `wrong`: the
    share of the settled ones that is wrong (for transcripts: of words), None if none would be settled.
    `tasks`: on how many it rests; `known`: on how many known answers `wrong` rests, 0 if more on the engine's
    confidence. The intervals are of what comes for as many tasks.
    """

    tasks: int
    votes: Estimate
    disputed: Estimate
    wrong: Estimate | None
    known: int


@dataclass(frozen=True)
class _End:
    """How one task may end. `doubt`: 1 - confidence; `wrong`: against the known answer, if there is one."""

    votes: int
    is_disputed: bool
    doubt: float
    wrong: float | None


def foresee(
    histories: Sequence[History],
    rule: Rule,
    decide: Decide,
    draw: Draw,
    wrong: Callable[[str, str], float],
    doubt: Doubt = OF_LABELS,
    seed: int = 0,
) -> Foreseen:
    """Raises ValueError without histories. The same ones and the same `seed` lead to the same figures.

    `decide`: the verdict on some votes; `draw`: the next vote, such as `NextLabel` draws it; `wrong`: how
    far, from 0 to 1, an answer is from the true one.
    """
    if not histories:
        raise ValueError("nothing to replay: no task has votes")
    random = Random(seed)
    ends = [_ends(history, rule, decide, draw, wrong, random) for history in histories]
    dice = np.random.default_rng(seed)
    is_drawn = np.array([len(each) > 1 for each in ends])
    votes = np.array([_mean([end.votes for end in each]) for each in ends])
    disputed = np.array([_mean([end.is_disputed for end in each]) for each in ends])
    extra = (votes - [len(history.votes) for history in histories])[is_drawn].sum() / len(ends)
    settled = [end for each in ends for end in each[:1] if not end.is_disputed]
    wrong_share, known = _wrong(settled, doubt, dice)
    return Foreseen(
        tasks=len(ends),
        votes=_widened(_resampled(votes, dice), -Z * VOTES_SPREAD * extra, Z * VOTES_SPREAD * extra),
        disputed=_widened(_share(disputed), *_between_crowds(disputed[is_drawn], len(ends))),
        wrong=wrong_share,
        known=known,
    )


def _ends(
    history: History,
    rule: Rule,
    decide: Decide,
    draw: Draw,
    wrong: Callable[[str, str], float],
    random: Random,
) -> list[_End]:
    """One, if its votes are enough for the rule; otherwise one for each future that was drawn."""
    votes, found = list(history.votes[: rule.least]), None
    while len(votes) >= rule.least:
        found = decide(votes, rule)
        if found.outcome is not Outcome.MORE:
            return [_end(votes, found, history.truth, wrong)]
        if len(votes) == len(history.votes):
            break
        votes.append(history.votes[len(votes)])
    return [_future(votes, history.truth, rule, decide, draw, wrong, random) for _ in range(FUTURES)]


def _future(
    votes: list[Vote],
    truth: str | None,
    rule: Rule,
    decide: Decide,
    draw: Draw,
    wrong: Callable[[str, str], float],
    random: Random,
) -> _End:
    votes = list(votes)
    while True:
        found = decide(votes, rule)
        if found.outcome is not Outcome.MORE and len(votes) >= rule.least:
            return _end(votes, found, truth, wrong)
        votes.append(draw(random, found, votes, truth))


def _end(votes: list[Vote], found: Verdict, truth: str | None, wrong: Callable[[str, str], float]) -> _End:
    judged = None if truth is None or found.answer is None else wrong(found.answer, truth)
    return _End(len(votes), found.outcome is Outcome.DISPUTED, 1 - found.confidence, judged)


def _wrong(settled: list[_End], doubt: Doubt, dice: np.random.Generator) -> tuple[Estimate | None, int]:
    """The share that is wrong, and on how many known answers it rests.

    The engine's confidence is a prior, which known answers correct; the interval is the beta-binomial one.
    """
    if not settled:
        return None, 0
    known = [end.wrong for end in settled if end.wrong is not None]
    expected = _mean([end.doubt for end in settled])
    bad = doubt.worth * expected + sum(known)
    good = doubt.worth * (1 - expected) + len(known) - sum(known)
    shares = dice.beta(max(bad, 1e-9), max(good, 1e-9), size=10 * BOOTSTRAPS)
    parts = len(settled) * doubt.parts
    came = dice.binomial(parts, shares) / parts
    low, high = np.percentile(came, [2.5, 97.5])
    share = bad / (bad + good)
    is_known = len(known) >= KNOWN_ENOUGH
    return Estimate(share, min(float(low), share), max(float(high), share)), len(known) if is_known else 0


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _share(values: Floats) -> Estimate:
    return share_of(float(values.mean()), len(values))


def _resampled(values: Floats, dice: np.random.Generator) -> Estimate:
    """The mean of the values with its bootstrap interval."""
    chosen = dice.integers(len(values), size=(BOOTSTRAPS, len(values)))
    low, high = np.percentile(values[chosen].mean(1), [2.5, 97.5])
    return Estimate(float(values.mean()), float(low), float(high))


def _between_crowds(disputed: Floats, number: int) -> tuple[float, float]:
    """By how much the share of all tasks may be lower and higher, of which these are the drawn ones."""
    if not len(disputed):
        return 0.0, 0.0
    share = float(np.clip(disputed.mean(), 0.5 / len(disputed), 1 - 0.5 / len(disputed)))
    odds, reach = np.log(share / (1 - share)), Z * DISPUTED_SPREAD
    low, high = (1 / (1 + np.exp(-(odds + shift))) for shift in (-reach, reach))
    return float(low - share) * len(disputed) / number, float(high - share) * len(disputed) / number


def _widened(found: Estimate, lower: float, higher: float) -> Estimate:
    """With this doubt besides that of its interval, of which it is independent."""
    low = found.value - np.hypot(found.value - found.low, lower)
    high = found.value + np.hypot(found.high - found.value, higher)
    return Estimate(found.value, float(low), float(high))


def wrong_words(language: str) -> Callable[[str, str], float]:
    """For transcripts, as `foresee` takes it: how many of the true words an answer has wrong, 0 to 1."""

    def wrong(answer: str, truth: str) -> float:
        said, true = normalise.words(answer, language), normalise.words(truth, language)
        return min(Levenshtein.distance(said, true) / max(len(true), 1), 1.0)

    return wrong


class NextLabel:
    """Draws the next volunteer of a task, from those who voted in the campaign, and their vote.

    Where it is not known, the task's true class is drawn from its verdict, tempered so that the votes that
    really came next are as likely as can be: the engine may be too sure or too careful for this campaign.
    """

    def __init__(self, crowd: LabelCrowd, histories: Sequence[History], decide: Decide, rule: Rule) -> None:
        self._crowd = crowd
        self._voters = _voters(histories)
        came = [
            (_logs(decide(before, rule)), self._matrix(after.annotator)[:, crowd.classes.index(after.answer)])
            for before, after in _nexts(histories)
        ]
        self.temper = _best(came)

    def __call__(self, random: Random, found: Verdict, voted: Sequence[Vote], truth: str | None) -> Vote:
        voter = _another(random, self._voters, voted)
        classes = self._crowd.classes
        drawn = random.choices(classes, _tempered(_logs(found), self.temper).tolist())[0]
        true = classes.index(truth if truth in classes else drawn)
        return Vote(voter, random.choices(classes, self._matrix(voter)[true])[0])

    def _matrix(self, voter: str | int) -> Floats:
        return np.array(self._crowd.skills.get(voter, self._crowd.pooled))


def _logs(found: Verdict) -> Floats:
    return np.log(np.maximum(list(found.soft["probabilities"].values()), 1e-9))


def _tempered(logs: Floats, temper: float) -> Floats:
    """Probabilities (…, classes) out of their logarithms."""
    raised = np.exp(temper * (logs - logs.max(-1, keepdims=True)))
    return raised / raised.sum(-1, keepdims=True)


def _best(came: Sequence[tuple[Floats, Floats]]) -> float:
    """The temper under which the next votes that came are likeliest; near 1 if there are few.

    Each of them: the logarithms of the classes' probabilities before it, and the chance of it by class.
    """
    if not came:
        return 1.0
    logs, chances = (np.array(part) for part in zip(*came, strict=True))

    def badness(temper: float) -> float:
        likely = (_tempered(logs, temper) * chances).sum(1)
        return -float(np.log(likely).sum()) + (np.log(temper) / PRIOR_SPREAD) ** 2 / 2

    return min(TEMPERS, key=badness)


class NextTranscript:
    """Draws the next volunteer of a task, from those who voted in the campaign, and their text.

    In each place a word is drawn from the verdict, and the volunteer writes it as often as they write right
    words. What they miss is left out, or another candidate, or a word that no one else wrote. The verdict's
    probabilities are tempered so that as many words are the leading ones as in the texts that really came
    next.
    """

    def __init__(
        self, crowd: TranscriptCrowd, histories: Sequence[History], decide: Decide, rule: Rule
    ) -> None:
        self._crowd = crowd
        self._voters = _voters(histories)
        same = 0
        leading: list[tuple[float, float]] = []
        for before, after in _nexts(histories):
            slots = [slot for slot in decide(before, rule).soft["words"] if slot["word"]]
            words = set(normalise.words(after.answer, crowd.spelling))
            same += sum(slot["word"] in words for slot in slots)
            leading += [(slot["probability"], crowd.reliability(after.annotator)) for slot in slots]
        self.temper = _meeting(leading, same)

    def __call__(self, random: Random, found: Verdict, voted: Sequence[Vote], truth: str | None) -> Vote:
        voter = _another(random, self._voters, voted)
        right = self._crowd.reliability(voter)
        if truth is None:
            written = [self._word(random, slot, right) for slot in found.soft["words"]]
        else:
            true = normalise.words(truth, self._crowd.spelling)
            written = [word if random.random() < right else random.choice(["", UNLIKE]) for word in true]
        return Vote(voter, " ".join(filter(None, written)))

    def _word(self, random: Random, slot: dict[str, Any], right: float) -> str:
        others = [word for word in slot["votes"] if word != slot["word"]] or [""]
        is_leading = random.random() < _sharpened(slot["probability"], self.temper)
        true = slot["word"] if is_leading else random.choice(others)
        return true if random.random() < right else random.choice([*others, UNLIKE])


UNLIKE = "qzx"  # no word of any language


def _sharpened(probability: Any, temper: float) -> Any:
    """Of one probability, or of an array of them."""
    leads, others = probability**temper, (1 - probability) ** temper
    return leads / (leads + others)


def _meeting(leading: Sequence[tuple[float, float]], same: int) -> float:
    """The temper under which as many of these words are expected again as came."""
    if not leading:
        return 1.0
    probabilities, rights = np.array(leading).T

    def missed_by(temper: float) -> float:
        return abs(float((rights * _sharpened(probabilities, temper)).sum()) - same)

    return min(TEMPERS, key=missed_by)


TEMPERS = tuple(float(2**power) for power in np.arange(-1.5, 2.51, 0.125))
PRIOR_SPREAD = 1.0  # of the temper's logarithm


def _voters(histories: Sequence[History]) -> list[str | int]:
    """Whoever voted, as often as they did."""
    return [vote.annotator for history in histories for vote in history.votes]


def _another(random: Random, voters: Sequence[str | int], voted: Sequence[Vote]) -> str | int:
    """Someone who has not voted on the task; a stranger if the dice find no one."""
    there = {vote.annotator for vote in voted}
    for _ in range(20):
        if (voter := random.choice(voters)) not in there:
            return voter
    return f"\0{len(voted)}"  # no annotator has such a name


def _nexts(histories: Sequence[History]) -> Iterator[tuple[Sequence[Vote], Vote]]:
    """Each vote but a task's first, with those before it."""
    for history in histories:
        for place in range(1, len(history.votes)):
            yield history.votes[:place], history.votes[place]
