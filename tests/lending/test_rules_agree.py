"""Some statements repeat a rule by hand, for speed. Each is compared with the rule over every state.

The states are the product of all that either side could look at. Both sides must say the same of every row.
"""

from datetime import timedelta
from itertools import count, product
from types import SimpleNamespace

import pytest
from django.conf import settings
from django.db import connection

from accounts import consent
from accounts.models import Consent, Purpose, User
from datasets.models import Clip, Example, Label, Task, Withdrawal
from tagger.lending import assignments, candidates, controls, leases, quotas, statements
from tagger.lending.refusals import AnswerRefused
from tagger.models import Assignment, Control
from tests.conftest import NOW
from tests.support.mutants import mutant

pytestmark = pytest.mark.django_db
State, Role, Status = Assignment.State, Assignment.Role, Task.Status
LATER, FAR_OFF = NOW + settings.LEASE, NOW + timedelta(days=36_500)

CLIPS = {
    "alice's": {},
    "out of its cooling-off": {"held_until": NOW - timedelta(days=365)},
    "in its cooling-off": {"held_until": FAR_OFF},
    "hidden": {"hidden_at": NOW},
    "being erased": {"withdrawal_id": 1},
    "without consent": {},
}

# Of tasks; an example is a settled task.
STATUSES = [*Status, "example", "former example"]


def every(**values):
    """Every combination of these values, as objects with an attribute for each name."""
    return [
        SimpleNamespace(**dict(zip(values, several, strict=True))) for several in product(*values.values())
    ]


@pytest.fixture
def make_tasks(alice, bea, carl):
    """Makes a task for each row, in a few statements, and sets `row.task`.

    `row.places` holds the task's annotation_count, lent_count and wanted.
    """
    wendy = User.objects.create_user("wendy")
    speakers = {"without consent": wendy, "bea's own": bea, "carl's": carl}
    for person in speakers.values():
        for material in ("wake-word", "utterance"):
            consent.give(person, material, [Purpose.VOLUNTEERS], NOW, reference="on paper")
    basis = {(given.contributor_id, given.material): given for given in Consent.objects.all()}
    consent.withdraw(wendy, NOW)
    Withdrawal.objects.create(pk=1, person_id=alice.pk, scope="clips", requested_at=NOW)

    numbers = count()

    def make(rows):
        clips = [
            Clip(
                contributor=(speaker := speakers.get(row.clip, alice)),
                consent=basis[speaker.pk, row.campaign.material],
                material=row.campaign.material,
                language="en",
                source=Clip.Source.IMPORT,
                seconds=1.0,
                speech_share=1.0,
                samples_hash=(name := f"no sound {next(numbers)}"),
                stored_as=name,
                wrapped_key=b"none",
                created_at=NOW,
                **CLIPS.get(row.clip, {}),
            )
            for row in rows
        ]
        tasks = [
            Task(
                clip=clip,
                campaign=row.campaign,
                status=Status.SETTLED if "example" in row.status else row.status,
                plain_answer="yes",
                annotation_count=row.places[0],
                lent_count=row.places[1],
                wanted=row.places[2],
                dirty_since=getattr(row, "dirty_since", None),
            )
            for row, clip in zip(rows, Clip.objects.bulk_create(clips), strict=True)
        ]
        for row, task in zip(rows, Task.objects.bulk_create(tasks), strict=True):
            row.task = task
        Example.objects.bulk_create(
            Example(task=row.task, is_shown=row.status == "example")
            for row in rows
            if "example" in row.status
        )
        return rows

    return make


def lend(annotator, rows):
    """An assignment for each row, in its state."""
    lent = [
        Assignment(
            task=row.task,
            annotator=annotator,
            role=row.role,
            state=row.state,
            lent_at=NOW,
            expires_at=row.expires_at,
        )
        for row in rows
    ]
    for row, assignment in zip(rows, Assignment.objects.bulk_create(lent), strict=True):
        row.assignment = assignment


def difference(rows, one, other):
    """The rows that are in one of the two sets of tasks alone."""
    return [row for row in rows if (row.task.pk in one) != (row.task.pk in other)]


@mutant(
    "the statement that stores a label takes only what the steps would take",
    "tagger/lending/statements.py",
    kept_by="assignment.role <> %s",
    broken="assignment.role || '' <> 'not' || %s",
)
@pytest.mark.thorough
def test_the_statement_that_stores_a_label_agrees_with_the_steps(
    bea, carl, juniper, sentences, make_tasks, monkeypatch
):
    rows = make_tasks(
        every(
            campaign=[juniper, sentences],
            clip=CLIPS,
            status=STATUSES[:-1],
            places=[(1, 1, 2), (6, 1, 7)],  # with room for a late answer, and without
            state=State,
            role=Role,
            expires_at=[NOW, LATER],
        )
    )
    lend(bea, rows)
    live = set(Clip.objects.live_for(Purpose.VOLUNTEERS).values_list("pk", flat=True))
    by_pk = {row.assignment.pk: row.assignment for row in rows}
    stored = object()
    monkeypatch.setattr(assignments, "lock", lambda annotator, pk: by_pk[pk])
    monkeypatch.setattr(assignments, "_is_live", lambda clip: clip.pk in live)
    monkeypatch.setattr(assignments, "_store", lambda *args: stored)
    monkeypatch.setattr(assignments, "_stored_answer", lambda *args: None)
    monkeypatch.setattr(assignments, "_answer_repeat", lambda *args: (None, True))

    def is_stored_by_steps(assignment):
        try:
            return assignments._hand_in.__wrapped__(bea, assignment.pk, "yes", NOW)[0] is stored
        except AnswerRefused:
            return False

    # Late answers and transcripts are left to the steps.
    expected = {
        row.task.pk
        for row in rows
        if row.state == State.LENT and row.campaign == juniper and is_stored_by_steps(row.assignment)
    }
    assert len(expected) == 2 * 5 * 2 * 2 * 2  # audible, and lent in any role but that of a repeat
    assert stored_together(carl, list(by_pk), monkeypatch) == set()
    assert difference(rows, stored_together(bea, list(by_pk), monkeypatch), expected) == []


def stored_together(annotator, pks, monkeypatch):
    """The tasks of the assignments for which the statement stores a label, in one query for all of them."""
    asked = []
    with monkeypatch.context() as patch:
        patch.setattr(statements.prepared, "one", lambda *args: asked.append(args))
        statements.store_label(annotator, pks[0], "yes", NOW)
    [(_name, statement, (_pk, *values))] = asked
    assert statement.count("assignment.id = %s") == 1
    with connection.cursor() as cursor:
        cursor.execute(statement.replace("assignment.id = %s", "assignment.id = ANY(%s)"), [pks, *values])
        return {task_id for _pk, task_id, _annotator in cursor.fetchall()}


@pytest.mark.parametrize("answer", [*Label.values, "", "maybe", "Yes", "yes ", "yes\0"])
def test_the_statement_takes_the_answers_that_the_steps_take(bea, juniper, make_tasks, answer):
    [row] = make_tasks(every(campaign=[juniper], clip=["alice's"], status=["open"], places=[(0, 1, 2)]))
    row.state, row.role, row.expires_at = State.LENT, Role.VOTE, LATER
    lend(bea, [row])
    try:
        expected = assignments.checked(answer, juniper)
    except AnswerRefused:
        expected = None
    stored = statements.store_label(bea, row.assignment.pk, answer, NOW)
    assert (stored and stored.answer) == expected


def test_the_statement_writes_what_the_steps_write(bea, juniper, make_tasks):
    def written_by(store):
        rows = make_tasks(
            every(
                campaign=[juniper],
                clip=["alice's"],
                status=Status,
                places=[(0, 1, 2), (1, 2, 3)],
                dirty_since=[None, NOW - timedelta(days=1)],
                state=[State.LENT],
                role=[Role.VOTE, Role.CONTROL],
                expires_at=[NOW, LATER],
            )
        )
        lend(bea, rows)
        for row in rows:
            store(bea, row.assignment.pk, "similar", LATER)
        return [[columns(written) for written in rows_of(row.task)] for row in rows]

    assert written_by(statements.store_label) == written_by(assignments._hand_in)


def rows_of(task):
    return Task.objects.get(pk=task.pk), task.annotations.get(), task.assignments.get()


def columns(row):
    """Without those that differ between any two rows."""
    names = {field.attname for field in row._meta.concrete_fields} - {"id", "task_id", "clip_id", "spread"}
    return {name: getattr(row, name) for name in names}


@mutant(
    "no control is lent while it waits to be settled again",
    "tagger/lending/controls.py",
    kept_by=" AND task.dirty_since IS NULL\n",
    broken="\n",
)
@pytest.mark.thorough
def test_the_statement_that_picks_controls_agrees_with_what_is_usable(bea, carl, juniper, make_tasks):
    rows = make_tasks(
        every(
            campaign=[juniper],
            clip=[*CLIPS, "bea's own"],
            status=STATUSES,
            places=[(6, 0, 7), (6, 1, 7), (7, 0, 7)],
            dirty_since=[None, NOW],
            control=["none", "in use", "retired"],
            met=["never", "by carl", State.LENT, State.EXPIRED],
        )
    )
    Control.objects.bulk_create(
        [
            Control(task=row.task, campaign=juniper, since=NOW, retired_at=NOW if retired else None)
            for row in rows
            if (retired := row.control == "retired") or row.control == "in use"
        ]
    )
    meet(rows, bea, carl)
    usable = set(controls._usable(juniper).values_list("pk", flat=True))
    expected = {
        row.task.pk
        for row in rows
        if row.task.pk in usable
        and row.control == "in use"
        and row.met in {"never", "by carl"}
        and row.clip != "bea's own"
    }
    assert len(expected) == 2 * 2  # audible, never met
    found = {task.pk for task in controls.pick(bea, juniper, len(rows))}
    assert difference(rows, found, expected) == []


@mutant(
    "no task is lent to more people than it has places",
    "tagger/lending/candidates.py",
    kept_by="        AND task.annotation_count < task.wanted - task.lent_count\n",
    broken="",
)
@pytest.mark.thorough
def test_the_statement_that_finds_candidates_agrees_with_what_may_be_lent(bea, carl, juniper, make_tasks):
    with_room = [(0, 0, 2), (0, 1, 2), (2, 0, 3), (6, 0, 7)]
    without = [(0, 2, 2), (1, 1, 2), (2, 0, 2), (6, 1, 7), (7, 0, 7)]
    rows = make_tasks(
        every(
            campaign=[juniper],
            clip=[*CLIPS, "bea's own", "carl's"],  # carl's clips are over the cap
            status=Status,
            places=with_room + without,
            met=["never", "by carl", *State],
        )
    )
    meet(rows, bea, carl)
    live = set(Task.objects.live_for(Purpose.VOLUNTEERS).values_list("pk", flat=True))
    expected = {
        row.task.pk
        for row in rows
        if row.task.pk in live
        and row.status == Status.OPEN
        and row.places in with_room
        and row.met in {"never", "by carl", State.EXPIRED}
        and row.clip not in {"bea's own", "carl's"}
    }
    assert len(expected) == 2 * 4 * 3  # audible, with room, never lent to Bea or expired
    found = {task.pk for task in candidates.find(bea, juniper, [carl.pk], len(rows))}
    assert difference(rows, found, expected) == []


def meet(rows, bea, carl):
    """Who had the task before: no one, Carl alone, or Bea, with an assignment in the state `met`."""
    for row in rows:
        row.role, row.expires_at = Role.VOTE, LATER
        row.state = State.DONE if row.met == "by carl" else row.met
    lend(carl, [row for row in rows if row.met == "by carl"])
    lend(bea, [row for row in rows if row.met in State.values])


def test_what_counts_as_lent_is_the_same_everywhere(bea, juniper, make_tasks):
    """In the list, in the count, on the page, for the player and for reclaiming."""
    rows = make_tasks(
        every(
            campaign=[juniper],
            clip=CLIPS,
            status=[Status.OPEN],
            places=[(0, 1, 2)],
            state=State,
            role=Role,
            expires_at=[NOW - settings.LEASE, NOW, LATER],
        )
    )
    lend(bea, rows)

    def is_playable(row):
        try:
            assignments.must_be_playable(row.assignment, NOW)
        except AnswerRefused:
            return False
        return True

    lent = {row.task.pk for row in rows if row.state == State.LENT}
    leased = set(assignments.leases(bea, NOW).values_list("task", flat=True))
    assert quotas.lendable(bea, NOW).leases == len(leased) == 6 * 3
    shown = {each.task_id for each in assignments.playable_leases(bea, juniper, NOW)}
    playable = {row.task.pk for row in rows if row.state == State.LENT and is_playable(row)}
    assert difference(rows, shown, playable) == []
    assert leases.reclaim(NOW) == len(lent - leased)
    kept = set(Assignment.objects.filter(state=State.LENT).values_list("task", flat=True))
    assert difference(rows, kept, leased) == []
