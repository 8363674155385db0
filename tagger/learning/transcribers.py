"""Learn from the database how well each annotator of a crowd transcribes."""

import secrets
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Mapping
from itertools import groupby
from typing import Any

from datasets import normalise
from datasets.models import Annotation, Task
from tagger.consensus import transcripts
from tagger.consensus.lexicon import Lexicon, pair
from tagger.consensus.transcript_levels import CampaignCounts, SkillLevel, known_share, share_skills
from tagger.consensus.verdict import Rule, Vote
from tagger.lending import controls
from tagger.settling import engine

from . import changes, kept
from .learned import Learned, OfCampaign, all_answers, scores

# Only the newest tasks are learned from: each transcript takes kilobytes of memory.
MAX_TASKS = 100_000
BATCH_SIZE = 2_000
# The lexicon is stored in plain text, so it only has words that at least this many contributors said.
MIN_SPEAKERS = 5
# How far the truth of a campaign is known is measured on its newest tasks.
MOST_COMPARED = 10_000


def learn(kind: str, language: str) -> Learned:
    """From the newest `MAX_TASKS` tasks that were answered. In each campaign people are learned apart."""
    tasks, votes = _read(kind, language)
    fit = transcripts.fit(_apart(tasks, votes), known=_known(tasks, kind, language), language=language)
    common = _common(fit, [task.clip.contributor_id for task in tasks])
    here, ahead = share_skills(_counts(fit, tasks, votes)) if tasks else ([], None)
    shared = {
        "language": fit.crowd.language,
        "normal_form": fit.crowd.normal_form,
        "spelled_out": fit.crowd.spelled_out,
        "copiers": [],  # stored with the skills of both
        "pool": list(ahead.pool if ahead else fit.crowd.pool),
        "words": dict(common.words),
        "pairs": dict(common.pairs),
    }
    copies = _copies(fit.crowd)
    answers = _answers(tasks, votes)
    campaigns = {
        campaign: _of_campaign(level, copies, answers[campaign])
        for campaign, level in zip(answers, here, strict=True)
    }
    skills = _stored(ahead, copies) if ahead else {}
    whole = all_answers(campaigns)
    crowd = engine.crowd(kind, shared | {"skills": []}, [])
    fixed = _kept(kind, votes)
    settled = {
        # Whoever answered one of these tasks has a skill in its campaign.
        campaign: engine.with_skills(engine.in_campaign(crowd, own.shared), {**own.skills, **fixed})
        for campaign, own in campaigns.items()
    }
    changed = _changed(tasks, votes, settled, changes.weighed_by_owners(kind, language))
    newest = tasks[-1].pk if tasks else 0
    return Learned(shared, skills, scores(campaigns, whole), whole, campaigns, changed, newest)


def _apart(tasks: list[Task], votes: list[list[Vote]]) -> list[list[Vote]]:
    """The same votes by annotators who are others in each campaign."""
    return [
        [Vote(_name(task.campaign_id, int(vote.annotator)), vote.answer) for vote in several]
        for task, several in zip(tasks, votes, strict=True)
    ]


def _name(campaign: int, who: int) -> str:
    return f"{campaign}/{who}"


def _who(name: Hashable) -> int:
    return int(str(name).partition("/")[2])


def _answers(tasks: list[Task], votes: list[list[Vote]]) -> dict[int, Counter[int]]:
    """How many answers everyone gave in each campaign, which come in order."""
    found: dict[int, Counter[int]] = {campaign: Counter() for campaign in sorted(_of(tasks))}
    for task, several in zip(tasks, votes, strict=True):
        found[task.campaign_id].update(int(vote.annotator) for vote in several)
    return found


def _of(tasks: list[Task]) -> set[int]:
    return {task.campaign_id for task in tasks}


def _counts(
    fit: transcripts.TranscriptFit, tasks: list[Task], votes: list[list[Vote]]
) -> list[CampaignCounts]:
    """The counts of each campaign; pools of kept answers are of one campaign each."""
    found = []
    for campaign, answers in _answers(tasks, votes).items():
        counts = {who: fit.counts[_name(campaign, who)] for who in answers}
        pools = frozenset(filter(kept.is_pool, answers))
        found.append(CampaignCounts(counts, known_share(_words(campaign, fit, tasks, votes)), pools))
    return found


def _words(
    campaign: int, fit: transcripts.TranscriptFit, tasks: list[Task], votes: list[list[Vote]]
) -> list[list[list[str]]]:
    """The transcripts of the campaign's newest tasks."""
    own = [several for task, several in zip(tasks, votes, strict=True) if task.campaign_id == campaign]
    spelling = fit.crowd.spelling
    return [[normalise.words(vote.answer, spelling) for vote in several] for several in own[:MOST_COMPARED]]


def _of_campaign(level: SkillLevel, copies: Mapping[int, list[str]], answers: Counter[int]) -> OfCampaign:
    skills = _stored(level, copies)
    return OfCampaign(
        {"pool": list(level.pool)},
        skills,
        {who: level.skills[who].right for who in skills},
        {who: answers[who] for who in skills},
    )


def _stored(level: SkillLevel, copies: Mapping[int, list[str]]) -> dict[int, Any]:
    people = [who for who in level.skills if not kept.is_pool(who)]
    return {who: {"skill": list(level.skills[who]), "copies": copies.get(who, [])} for who in people}


def _read(kind: str, language: str) -> tuple[list[Task], list[list[Vote]]]:
    answered = Task.objects.filter(
        campaign__kind=kind, campaign__language=language, annotation_count__gt=0
    ).order_by("-pk")
    newest = list(answered.values_list("pk", flat=True)[:MAX_TASKS])
    tasks, votes = [], []
    for start in range(0, len(newest), BATCH_SIZE):
        for task, several in _transcribed(newest[start : start + BATCH_SIZE]):
            tasks.append(task)
            votes.append(several)
    return tasks, votes


def _transcribed(task_ids: list[int]) -> Iterator[tuple[Task, list[Vote]]]:
    rows = Annotation.objects.filter(task__in=task_ids).order_by("-task_id", "pk")
    opened = rows.select_related("task__campaign", "task__clip__contributor__data_key")
    for _task_id, given in groupby(opened.iterator(chunk_size=BATCH_SIZE), key=lambda each: each.task_id):
        several = list(given)
        task = several[0].task
        for each in several:
            each.task = task  # so that one clip's key is opened once
        voters = kept.voters(several)
        yield task, [Vote(who, each.answer) for who, each in zip(voters, several, strict=True)]


def _known(tasks: list[Task], kind: str, language: str) -> dict[int, str]:
    """The text of each task that is known, by its index: trusted controls, and reviewers' decisions."""
    trusted = {control.task_id: control for control in controls.trusted(kind, language)}
    known = {}
    for index, task in enumerate(tasks):
        if task.adjudicated:
            known[index] = task.answer or ""
        elif control := trusted.get(task.pk):
            control.task = task
            known[index] = control.answer
    return known


def _copies(crowd: transcripts.TranscriptCrowd) -> dict[int, list[str]]:
    """A random word for each pair of copiers, under both of them: no one is stored with another's number."""
    found: dict[int, list[str]] = defaultdict(list)
    for two in {frozenset(map(_who, names)) for names in crowd.copiers}:
        word = secrets.token_hex(8)
        for who in two:
            found[who].append(word)
    return found


def _common(fit: transcripts.TranscriptFit, speakers: list[int]) -> Lexicon:
    """The crowd's lexicon without words that few contributors said, as those could identify them."""
    said_by: dict[str, set[int]] = defaultdict(set)
    for text, speaker in zip(fit.texts, speakers, strict=True):
        said = normalise.words(text, fit.crowd.spelling)
        for each in (*said, *map(pair, ["", *said], [*said, ""])):
            if len(said_by[each]) < MIN_SPEAKERS:
                said_by[each].add(speaker)

    def of_many(counts: Counter[str]) -> Counter[str]:
        return Counter({each: n for each, n in counts.items() if len(said_by[each]) >= MIN_SPEAKERS})

    return Lexicon(of_many(fit.crowd.lexicon.words), of_many(fit.crowd.lexicon.pairs))


def _kept(kind: str, votes: list[list[Vote]]) -> dict[int, Any]:
    """The skills behind kept answers, by pool, as settling has them."""
    voters = {int(vote.annotator) for several in votes for vote in several}
    skills = {who: engine.kept_skill(kind, kept.weight(who)) for who in voters if kept.is_pool(who)}
    return {pool: skill for pool, skill in skills.items() if skill is not None}


def _changed(
    tasks: list[Task],
    votes: list[list[Vote]],
    crowds: Mapping[int, engine.EngineCrowd],
    weighed: set[int],
) -> Iterator[int]:
    """The tasks whose verdict or confidence changes, each decided as settling will decide it.

    The confidences of the fit would be cheaper and are others: for a task's own words it has a lexicon
    without them. Tasks with answers that owners weigh differently follow if others change.
    """
    are_any = False
    for task, several in zip(tasks, votes, strict=True):
        if task.pk in weighed or not _is_comparable(task):
            continue
        if _is_changed(task, several, crowds[task.campaign_id]):
            are_any = True
            yield task.pk
    if are_any:
        yield from sorted(weighed)


def _is_comparable(task: Task) -> bool:
    """As `changes.comparable`."""
    is_owed = task.dirty_since or task.stale_since
    return task.confidence is not None and not is_owed and task.status != Task.Status.UNUSABLE


def _is_changed(task: Task, votes: list[Vote], crowd: engine.EngineCrowd) -> bool:
    assert isinstance(crowd, transcripts.TranscriptCrowd) and task.confidence is not None
    found = transcripts.decide(votes, Rule(), crowd)
    goal = changes.goal(task.campaign.confidence, task.annotation_count, task.fell_with)
    if changes.matters(task.confidence, found.confidence, goal):
        return True
    return task.status == Task.Status.SETTLED and not task.adjudicated and found.answer != task.answer
