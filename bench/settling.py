"""Processor time to decide one task, compared with receiving one answer, in one run."""

import random
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bench import sites
from tagger.consensus import labels, transcripts
from tagger.consensus.verdict import Rule, Vote
from tests.support import sounds
from tests.support.site import Site
from tests.whole_site.test_journey import Person

NEEDS_DATA = False

PEOPLE, CLIPS, TASKS = 5, 120, 2000
CLASSES = ["yes", "similar", "no", "noise"]
WORDS = [
    "the",
    "a",
    "of",
    "and",
    "to",
    "in",
    "it",
    "was",
    "his",
    "that",
    "he",
    "with",
    "for",
    "as",
    "had",
    "you",
    "not",
]
RULE = Rule(least=2, most=7, confidence=0.9)

LINE = "{:44} {:>14} {:>14}"


def main(data: Path) -> None:
    answer = _receive_answers()
    deciding = {"decide a label from 5 votes": _labels(), "decide a transcript of 15 words from 5": _texts()}
    print(LINE.format("", "processor ms", "of an answer"))
    for name, cost in (answer | deciding).items():
        share = cost / answer["an answer: web and database"]
        print(LINE.format(name, f"{1000 * cost:.3f}", f"{100 * share:.1f} %"))


def _labels() -> float:
    """Seconds for each decision, with a crowd that was learned before."""
    chance = random.Random(1)
    tasks = [[Vote(who, chance.choice(CLASSES[: 1 + n % 4])) for who in range(PEOPLE)] for n in range(TASKS)]
    skill = tuple(tuple(0.85 if k == j else 0.05 for j in range(4)) for k in range(4))
    crowd = labels.LabelCrowd(tuple(CLASSES), (0.25,) * 4, skill, dict.fromkeys(range(PEOPLE), skill))
    return _each(lambda votes: labels.decide(votes, RULE, CLASSES, crowd), tasks)


def _texts() -> float:
    """The same for transcripts in which every person gets one word in ten wrong."""
    chance = random.Random(1)
    tasks = []
    for _ in range(TASKS // 4):
        truth = chance.choices(WORDS, k=15)
        texts = [[w if chance.random() < 0.9 else chance.choice(WORDS) for w in truth] for _ in range(PEOPLE)]
        tasks.append([Vote(who, " ".join(text)) for who, text in enumerate(texts)])
    crowd = transcripts.fit(tasks).crowd
    return _each(lambda votes: transcripts.decide(votes, RULE, crowd), tasks)


def _each(decide: Callable[[list[Vote]], object], tasks: list[list[Vote]]) -> float:
    decide(tasks[0])
    start = time.process_time()
    for votes in tasks:
        decide(votes)
    return (time.process_time() - start) / len(tasks)


def _receive_answers() -> dict[str, float]:
    """Processor seconds for each POST of an answer to a running site.

    The worker and beat are paused, so that the database works only for the web server.
    """
    with tempfile.TemporaryDirectory() as folder, sites.running(Path(folder, "home")) as site:
        people = [Person(site, f"bench-{n}") for n in range(PEOPLE)]
        _fill(site, Path(folder, "clips"))
        lent = [(person, assignment) for person in people for assignment in _borrow(person)]
        pids = site.children()
        with sites.paused([pids["worker"], pids["beat"]]):
            before = {name: sites.processor_seconds(pids[name]) for name in ("web", "postgres")}
            for number, (person, assignment) in enumerate(lent):
                person.answer(assignment, answer=CLASSES[number % 4])
            used = {name: (sites.processor_seconds(pids[name]) - before[name]) / len(lent) for name in before}
        for person in people:
            person.close()
    total = {"an answer: web and database": sum(used.values())}
    return total | {f"an answer: {name}": cost for name, cost in used.items()}


def _fill(site: Site, folder: Path) -> None:
    folder.mkdir()
    for n in range(CLIPS):
        (folder / f"{n}.wav").write_bytes(sounds.in_format("wav", sounds.babble(seed=n)))
    exactly = ["--min-annotations", PEOPLE, "--max-annotations", PEOPLE, "--no-track-record"]
    site.manage(
        "create_campaign", "bench", "--kind", "wake-word", "--language", "en", "--wake-word", "hey", *exactly
    )
    site.manage(
        *("import_clips", folder, "--campaign", "bench", "--contributor", "bench"),
        *("--consent-reference", "synthesised", "--licence", "CC0-1.0"),
    )


def _borrow(person: Person) -> Iterator[int]:
    while lent := person.api.post("campaigns/bench/assignments/", json={"count": 10}).json()["assignments"]:
        yield from (assignment["id"] for assignment in lent)
