"""Programs bring clips as the page does: make, name, send, start, look, undo; to one's own campaign only."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import ProgramToken, Scope, User
from datasets.imports import tasks
from datasets.models import Clip, Import, ImportFile
from tagger.imports import api
from tests.support.mutants import mutant

from .conftest import COLLECTION, REFERENCE, named, run_to_the_end, sound

SAID = {"collection": COLLECTION, "consent_reference": REFERENCE, "licence": "CC-BY-4.0"}


@pytest.fixture
def address(juniper):
    return f"/api/v1/campaigns/{juniper.slug}/imports/"


@pytest.fixture
def call(client, owner):
    client.force_login(owner)

    def called(path, body=None, method="post"):
        sent = (
            {"data": json.dumps(body or {}), "content_type": "application/json"} if method == "post" else {}
        )
        return getattr(client, method)(path, **sent)

    return called


@pytest.fixture
def send(client, call):
    """Names these files and sends each in pieces of so many bytes, all of them in one call."""

    def sent(address, files, piece=10**9):
        files_said = [vars(each) for each in named(files)]
        rows = call(f"{address}files/", {"files": files_said}).json()["files"]
        said, bodies = [], []
        for row, body in zip(rows, files.values(), strict=True):
            for offset in range(row["received"], row["size"] if row["state"] == "waiting" else 0, piece):
                said.append({"file": row["id"], "offset": offset})
                bodies.append(SimpleUploadedFile("part", body[offset : offset + piece]))
        return client.post(f"{address}parts/", {"parts": json.dumps(said), "bytes": bodies})

    return sent


def test_a_collection_comes_in_by_calls(call, send, address, monkeypatch):
    monkeypatch.setattr(tasks.proceed, "delay_on_commit", lambda: None)
    made = call(address, SAID)
    assert made.status_code == 201 and made.json()["state"] == "gathering"
    here = f"{address}{made.json()['id']}/"
    table = b"path,speaker\na.wav,ann\nb.wav,bob\n"
    received = send(here, {"a.wav": sound(1), "b.wav": sound(2), "t.csv": table, "c.pdf": b"x"}, piece=5_000)
    assert received.status_code == 200 and len(received.json()["received"]) == 3
    shown = call(f"{here}preview/", method="get").json()
    assert shown["reading"] == "columns:t.csv" and [each["field"] for each in shown["columns"]] == [
        "path",
        "speaker",
    ]
    assert call(f"{here}start/", {"columns": ["path", "speaker"]}).json()["state"] == "running"
    run_to_the_end(Import.objects.get())
    told = call(here, method="get").json()
    assert told["state"] == "done" and told["counts"] == {"waiting": 0, "added": 2, "held": 0, "refused": 1}
    [refused] = call(f"{here}refused/", method="get").json()["refused"]
    assert (refused["name"], refused["code"]) == ("c.pdf", "sent-unknown-kind")
    assert [each["id"] for each in call(address, method="get").json()] == [told["id"]]
    assert call(f"{here}undo/").json()["state"] == "undoing"
    assert call(f"{here}undo/").status_code == 409


@mutant(
    "nobody brings clips to a campaign that is another's",
    "tagger/campaigns/calls.py",
    kept_by="        return owned_or_404(self.request.user, slug)",
    broken="        return Campaign.objects.get(slug=slug)",
)
def test_a_campaign_that_is_not_ones_own_is_not_there(call, address, juniper, bring, admin_user, client):
    run = bring({"a.wav": sound(1)})
    juniper.owner = User.objects.create_user("another")
    juniper.save()
    paths = ("", *(f"{run.pk}/{act}" for act in ("", "preview/", "refused/")))
    assert {call(f"{address}{path}", method="get").status_code for path in paths} == {404}
    acts = ("", *(f"{run.pk}/{act}/" for act in ("files", "start", "cancel", "undo")))
    assert {call(f"{address}{path}", SAID).status_code for path in acts} == {404}
    assert client.post(f"{address}{run.pk}/parts/", {"parts": "[]"}).status_code == 404
    run.refresh_from_db()
    assert run.state == "gathering" and Import.objects.count() == 1


def test_an_import_of_another_campaign_is_not_there(call, bring, sentences, owner):
    run = bring({"a.wav": sound(1)})
    sentences.owner = owner
    sentences.save()
    assert call(f"/api/v1/campaigns/sentences/imports/{run.pk}/", method="get").status_code == 404


def test_who_owns_nothing_may_not_call(client, bea, address):
    client.force_login(bea)
    assert client.post(address, json.dumps(SAID), content_type="application/json").status_code == 403


@pytest.mark.parametrize(("scope", "status"), [(Scope.MANAGE, 201), (Scope.TAG, 403)])
def test_a_token_needs_the_scope(client, owner, address, scope, status):
    _, key = ProgramToken.objects.create(owner, scopes=[scope])
    made = client.post(
        address, json.dumps(SAID), content_type="application/json", headers={"Authorization": f"Token {key}"}
    )
    assert made.status_code == status


@pytest.mark.parametrize("missing", ["collection", "consent_reference"])
def test_what_must_be_said_is_asked_for(call, address, missing):
    assert call(address, SAID | {missing: " "}).status_code == 400
    assert call(address, {name: value for name, value in SAID.items() if name != missing}).status_code == 400
    assert not Import.objects.exists()


def test_an_import_without_a_licence_does_not_start(call, send, address):
    here = f"{address}{call(address, SAID | {'licence': ''}).json()['id']}/"
    send(here, {"a.wav": sound(1)})
    refused = call(f"{here}start/")
    assert (refused.status_code, refused.json()["detail"]) == (
        400,
        "Choose a licence, or the column that names it.",
    )


def test_sending_again_goes_on_where_it_stopped(call, send, address, client):
    here = f"{address}{call(address, SAID).json()['id']}/"
    body = sound(1)
    [row] = call(f"{here}files/", {"files": [vars(each) for each in named({"a.wav": body})]}).json()["files"]
    part = json.dumps([{"file": row["id"], "offset": 0}])
    for _ in range(2):
        got = client.post(f"{here}parts/", {"parts": part, "bytes": SimpleUploadedFile("p", body[:900])})
        assert got.json()["received"] == {str(row["id"]): 900}
    send(here, {"a.wav": body})
    assert ImportFile.objects.get().received == len(body)


def test_larger_calls_and_nonsense_are_refused(call, address, client, monkeypatch):
    here = f"{address}{call(address, SAID).json()['id']}/"
    for parts in ("", "[", '{"file": 1}', '[{"file": 1}]', '[{"file": 1, "offset": 0}]', "[]"):
        assert client.post(f"{here}parts/", {"parts": parts}).status_code == 400
    assert call(f"{here}parts/", {}).status_code == 415
    monkeypatch.setattr(api, "MAX_PARTS_BYTES", 1_000)
    body = SimpleUploadedFile("p", bytes(2_000))
    large = client.post(f"{here}parts/", {"parts": '[{"file": 1, "offset": 0}]', "bytes": body})
    assert large.status_code == 413
    assert call(f"{here}files/", {"files": []}).status_code == 400
    assert call(f"{here}refused/?after=x", method="get").status_code == 400


@pytest.mark.thorough
def test_ten_thousand_files_in_calls_of_the_same_cost(call, send, address, monkeypatch):
    """Each call costs the same number of statements, however many files are here already."""
    here = f"{address}{call(address, SAID).json()['id']}/"
    costs = []
    for start in range(0, 10_000, 100):
        files = {f"{number}.wav": number.to_bytes(4, "big") * 5 for number in range(start, start + 100)}
        with CaptureQueriesContext(connection) as captured:
            assert send(here, files).status_code == 200
        costs.append(len(captured))
    assert max(costs) <= costs[0] + 2 and ImportFile.objects.filter(received=20).count() == 10_000
    with CaptureQueriesContext(connection) as captured:
        call(here, method="get")
    assert len(captured) < 15 and not Clip.objects.exists()
