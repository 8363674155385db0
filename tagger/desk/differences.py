"""What a volunteer sees of the answers that differ from the settled ones, and of what came of objections."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from accounts.ciphers import KeyLost
from accounts.models import User
from datasets.models import Annotation, Campaign, Clip, Label, Task
from tagger.models import Assignment, Decision, Objection

from . import differing, objections, word_marks
from .objections import Outcome
from .word_marks import Run


@dataclass(frozen=True)
class Difference:
    """One answer, and what its task is settled as; `settled` is None if it is settled no more.

    `assignment` is the id that plays its clip, None if it is not known any more. `decided` is the answer
    that a reviewer accepted since.
    """

    given: Annotation
    own: str
    settled: str | None
    assignment: int | None
    objection: Objection | None
    objected: str
    outcome: Outcome | None
    decided: str

    @property
    def campaign(self) -> Campaign:
        return self.given.task.campaign

    @property
    def clip(self) -> Clip:
        return self.given.task.clip

    @property
    def may_object(self) -> bool:
        return self.objection is None and not self.clip.silenced

    @property
    def runs(self) -> tuple[list[Run], list[Run]]:
        """Both answers, for a page that marks the words that differ; an empty one says that no one speaks."""
        if not self.campaign.asks_for_words:
            return [Run(self._shown(self.own), False)], [Run(self._shown(self.settled or ""), False)]
        return word_marks.runs(self.own, self.settled or "", self.campaign.language)

    @property
    def objected_shown(self) -> str:
        return self._shown(self.objected)

    @property
    def decided_shown(self) -> str:
        return self._shown(self.decided)

    def _shown(self, answer: str) -> str:
        return answer if self.campaign.asks_for_words or not answer else str(Label(answer).label)


def page(annotator: User, after: Annotation | None = None) -> tuple[list[Difference], int | None]:
    """Newest first, and the answer after which it goes on; None at the end."""
    given, goes_on_after = differing.page(annotator, after)
    tasks = [each.task_id for each in given]
    decided = objections.decisions([each for each in given if differing.has_objection(each)])
    return list(_opened(given, _assignments(annotator, tasks), decided)), goes_on_after


def _opened(
    given: Iterable[Annotation], playable: dict[int, int], decided: dict[int, Decision]
) -> Iterator[Difference]:
    for each in given:
        try:
            yield _difference(each, playable.get(each.task_id), decided.get(each.task_id))
        except KeyLost:  # its speaker left while this ran
            continue


def _difference(given: Annotation, assignment: int | None, decision: Decision | None) -> Difference:
    objection: Objection | None = getattr(given, "objection", None)
    if objection:
        objection.annotation = given  # whose key opens it
    return Difference(
        given=given,
        own=given.answer,
        settled=given.task.answer if given.task.status == Task.Status.SETTLED else None,
        assignment=assignment,
        objection=objection,
        objected=objection.answer if objection else "",
        outcome=objections.outcome(objection, decision) if objection else None,
        decided=decision.answer if decision else "",
    )


def _assignments(annotator: User, tasks: Collection[int]) -> dict[int, int]:
    """{task: the assignment by which they answered it}"""
    done = annotator.assignments.filter(task__in=tasks, state=Assignment.State.DONE)
    return dict(done.exclude(role=Assignment.Role.REPEAT).values_list("task_id", "pk"))
