"""Notes beside a report: screened, sealed, for reviewers alone; and the mark that several people speak."""

import json
import zipfile
from io import BytesIO

import pytest
from django.db import connection

from datasets.models import Annotation, Task
from tagger.lending import assignments, notes
from tagger.lending.refusals import AnswerRefusal, AnswerRefused
from tagger.models import Report
from tagger.privacy import personal_data, withdrawal
from tagger.settling import settlement
from tests.conftest import NOW
from tests.support.mutants import mutant
from tests.support.reviewing import item_of, page_of

pytestmark = pytest.mark.django_db
NOTE = "a radio plays, and she says her street"


@pytest.fixture
def lent(bea, juniper, share):
    share(juniper)
    [assignment] = assignments.lend(bea, juniper, 1, NOW)
    return assignment


REFUSED = {
    AnswerRefusal.NOTE_HAS_EMAIL: ["ada@example.org", "ask @ada_l", "ada＠example.org"],
    AnswerRefusal.NOTE_HAS_LINK: [
        "see https://x.example",
        "WWW.example",
        "on example.com/a",
        "it is example.de.",
    ],
    AnswerRefusal.NOTE_HAS_NUMBER: ["call 0171 234 567", "+49 (30) 12-34-56", "٠١٢٣٤٥٦٧"],
    AnswerRefusal.NOTE_TOO_LONG: ["a" * 141],
}


@mutant(
    "a note with a telephone number, an e-mail or a web address is refused",
    "tagger/lending/notes.py",
    kept_by="        if has_contact(refusal, note):\n",
    broken="        if False:\n",
)
@pytest.mark.parametrize(("code", "note"), [(code, note) for code, all_ in REFUSED.items() for note in all_])
def test_a_note_with_contacts_is_refused_and_says_what_is_in_it(client, bea, lent, code, note):
    client.force_login(bea)
    url = f"/api/v1/assignments/{lent.pk}/report/"
    answered = client.post(url, {"reason": "private", "note": note}, content_type="application/json")
    assert answered.status_code == 400
    with pytest.raises(AnswerRefused) as refused:
        assignments.report(bea, lent.pk, "private", NOW, note=note)
    assert refused.value.code == code
    assert not Report.objects.exists()


@pytest.mark.parametrize("note", ["", "1999, at 10:30 p.m.", "noise.It hums", "e.g. a radio", "a" * 140])
def test_other_notes_are_taken(note):
    assert notes.checked(note) == note


@mutant(
    "a note is not stored in plain text",
    "tagger/models.py",
    kept_by='note = words("note", task_of=lambda report: report, always=True)',
    broken='note = words("note", task_of=lambda report: report)',
)
def test_a_note_is_sealed_and_read_by_reviewers_alone(client, bea, rita, lent):
    client.force_login(bea)
    sent = {"reason": "private", "note": f"  {NOTE} "}
    answered = client.post(f"/api/v1/assignments/{lent.pk}/report/", sent, content_type="application/json")
    assert answered.status_code == 204
    with connection.cursor() as cursor:
        cursor.execute("SELECT r::text FROM tagger_report r")
        assert "radio" not in cursor.fetchone()[0]
    client.force_login(rita)
    assert NOTE in client.get(page_of(item_of(lent.task.clip))).content.decode()
    assert NOTE in file_of(bea, "reports.jsonl")
    withdrawal.forget_clips(lent.task.clip.contributor, [lent.task.clip_id], NOW)
    assert NOTE not in file_of(bea, "reports.jsonl")


def test_without_javascript_a_clip_is_reported_and_a_refused_note_stays_in_the_form(client, bea, lent):
    client.force_login(bea)
    url = f"/assignments/{lent.pk}/report/"
    page = client.post(url, {"reason": "audio", "note": "call 0171 2345678"})
    assert page.status_code == 400 and not Report.objects.exists()
    assert "call 0171 2345678</textarea>" in page.content.decode()
    assert "such as a telephone number" in page.content.decode()
    page = client.post(url, {"reason": "audio", "note": NOTE}, follow=True)
    assert "Thank you. Reviewers are told about this clip" in page.content.decode()
    assert Report.objects.get().note == NOTE


@mutant(
    "that several people speak changes no verdict",
    "tagger/lending/assignments.py",
    kept_by='            annotation.save(update_fields=["several_speakers"])\n',
    broken=(
        '            annotation.save(update_fields=["several_speakers"])\n'
        "            Task.objects.filter(pk=annotation.task_id).update(**_dirty(now))\n"
    ),
)
def test_that_several_people_speak_is_a_mark_beside_the_answer(client, bea, carl, rita, lent):
    client.force_login(bea)
    url = f"/api/v1/assignments/{lent.pk}/annotation/"
    sent = {"answer": "yes", "several_speakers": True}
    assert (
        client.post(url, {"answer": "yes", "several_speakers": "yes"}, "application/json").status_code == 400
    )
    first = client.post(url, sent, "application/json")
    assert first.status_code == 201
    assert client.post(url, {"answer": "yes"}, "application/json").status_code == 200
    annotation = Annotation.objects.get()
    assert annotation.several_speakers
    settlement.settle(lent.task_id, NOW)
    settled = Task.objects.get()
    unmarked = {"answer": "yes", "several_speakers": False}
    client.patch(f"/api/v1/annotations/{annotation.pk}/", unmarked, "application/json")
    annotation.refresh_from_db()
    assert (annotation.several_speakers, annotation.changed_at) == (False, None)
    now_ = Task.objects.get()
    assert (now_.dirty_since, now_.soft, now_.confidence) == (None, settled.soft, settled.confidence)
    assert '"several_speakers": false' in file_of(bea, "annotations.jsonl")


def test_reviewers_of_a_dispute_see_how_many_heard_several_people(client, volunteers, rita, juniper, share):
    task = share(juniper)
    type(juniper).objects.update(max_annotations=2)
    for person, answer, several in zip(volunteers, ("yes", "no"), (True, False), strict=False):
        Annotation.objects.create(
            task=task, annotator=person, answer=answer, several_speakers=several, created_at=NOW
        )
    Task.objects.update(annotation_count=2)
    settlement.settle(task.pk, NOW)
    client.force_login(rita)
    page = client.get(page_of(item_of(task.clip))).content.decode()
    assert page.count("several people speak") == 1


def file_of(person, name):
    with zipfile.ZipFile(BytesIO(b"".join(personal_data.archive(person, NOW)))) as packed:
        lines = packed.read(name).decode()
    return "\n".join(json.dumps(json.loads(line), ensure_ascii=False) for line in lines.splitlines())
