"""Releases over HTTP: who may download them, in which ranges, and what is recorded."""

import http.client
import io
import json
import tarfile
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import consent
from accounts.models import AuditEvent, Material, ProgramToken, Purpose, Role, User
from datasets.clips import vault
from datasets.releases import recalls
from datasets.releases.formats import FORMATS
from tests.conftest import NOW
from tests.support.asked import given_to
from tests.support.factors import give_factor
from tests.support.mutants import mutant
from tests.support.released import WITHOUT_SYNTHESIS, release, settle

LIST = "/api/v1/releases/"
ONE = "/api/v1/releases/spring/"
MANIFEST = "/api/v1/releases/spring/manifest.jsonl"
TAR = "/api/v1/releases/spring/precise.tar"


@pytest.fixture
def rosa(db):
    return give_factor(User.objects.create_user("rosa", roles=[Role.RESEARCHER]))


@pytest.fixture
def rosas(rosa):
    return Client(headers={"Authorization": f"Token {ProgramToken.objects.create(rosa)[1]}"})


@pytest.fixture
def wendy(db):
    person = User.objects.create_user("wendy")
    consent.give(person, "wake-word", Material.WAKE_WORD.purposes, NOW, reference="on paper")
    return person


@pytest.fixture
def spring(juniper, share, alice, wendy, rosa):
    """Rosa may download it; tests/releases/test_access.py says who may."""
    for contributor in (alice, wendy, alice):
        settle(share(juniper, contributor))
    return given_to(rosa, release("spring", juniper))


@pytest.fixture
def public(juniper, share, wendy):
    settle(share(juniper, wendy))
    return release("public", juniper, audience=Purpose.PUBLIC)


def body(answer):
    return answer.getvalue()


def exports():
    return list(
        AuditEvent.objects.filter(act=AuditEvent.Act.EXPORTED).values_list("about", "person__username")
    )


def test_a_researcher_sees_each_release(rosas, spring):
    [listed] = rosas.get(LIST).json()
    assert listed == rosas.get(ONE).json()
    assert listed == {
        "slug": "spring",
        "campaigns": ["juniper"],
        "licence": "CC0-1.0",
        "published_at": "2026-05-04T12:00:00Z",
        "audience": "researchers",
        "clips": 3,
        "hours": 0.0,
        "speakers": listed["speakers"],  # with noise
        "languages": ["en"],
        "grants": "steward",
        "terms": "2",
        "clearing": {"not_cleared": 0},
        "has_single_votes": False,
        "retracted_because": None,
        "request": "/api/v1/releases/spring/request/",
        "manifest": MANIFEST,
        "recalls": "/api/v1/recalls/spring.json",
        "formats": {name: f"/api/v1/releases/spring/{name}.tar" for name in listed["formats"]},
    }
    assert listed["formats"].keys() == FORMATS.keys()


def test_every_address_in_the_list_answers(rosas, spring):
    one = rosas.get(ONE).json()
    answers = {name: rosas.get(address).status_code for name, address in one["formats"].items()}
    assert answers.pop("ljspeech") == 409  # nobody agreed to speech synthesis
    assert set(answers.values()) == {200}
    assert rosas.get(one["manifest"]).status_code == rosas.get(one["recalls"]).status_code == 200


@pytest.mark.parametrize("address", [LIST, ONE])
def test_what_releases_there_are_is_everyones_to_read(rosas, spring, address):
    assert Client().get(address).json() == rosas.get(address).json()


@pytest.mark.parametrize("address", ["none/", "none/manifest.jsonl", "none/precise.tar", "spring/mp3.tar"])
def test_an_unknown_release_or_format_is_not_found(rosas, spring, address):
    assert rosas.get(LIST + address).status_code == 404


@pytest.mark.parametrize("address", ["", "manifest.jsonl", "precise.tar"])
def test_a_public_release_needs_no_account(public, address):
    assert Client().get(f"/api/v1/releases/public/{address}").status_code == 200


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
@pytest.mark.parametrize("address", [LIST, ONE, MANIFEST, TAR])
def test_a_release_cannot_be_changed_over_http(rosas, spring, method, address):
    assert getattr(rosas, method)(address).status_code == 405


def test_a_manifest_has_one_line_for_each_row(rosas, spring):
    answer = rosas.get(MANIFEST)
    rows = [json.loads(line) for line in body(answer).splitlines()]
    assert answer["Content-Type"] == "application/jsonl"
    assert [row["id"] for row in rows] == sorted(spring.rows.values_list("public_id", flat=True))
    assert [(row["answer"], row["kind"], row["wake_word"]) for row in rows] == [
        ("yes", "wake-word", "hey juniper")
    ] * 3
    assert body(rosas.head(MANIFEST)) == b""


def test_a_manifest_of_transcriptions_has_no_transcripts(rosas, rosa, sentences, share):
    settle(share(sentences), "turn on the lights")
    given_to(rosa, release("spring", sentences))
    sent = body(rosas.get(MANIFEST))
    [row] = [json.loads(line) for line in sent.splitlines()]
    assert (row["answer"], row["soft"], row["language"]) == (None, None, "en")
    assert b"lights" not in sent and b"turn on the lights" in body(rosas.get(LIST + "spring/deepspeech.tar"))


def test_a_withdrawn_clip_is_in_no_manifest_after_the_next_feed(rosas, spring, wendy):
    consent.withdraw(wendy, NOW)
    recalls.publish(NOW + timedelta(days=1))
    gone = spring.rows.get(task__clip__contributor=wendy).public_id
    assert gone.encode() not in body(rosas.get(MANIFEST))
    assert rosas.get(ONE).json()["clips"] == 2


@pytest.mark.parametrize("form", WITHOUT_SYNTHESIS)
def test_an_archive_holds_the_files_of_the_export(rosas, spring, tmp_path, form):
    answer = rosas.get(f"/api/v1/releases/spring/{form}.tar")
    whole = body(answer)
    assert answer.status_code == 200
    assert (answer["Content-Type"], answer["Accept-Ranges"]) == ("application/x-tar", "bytes")
    assert answer["Content-Length"] == str(len(whole))
    assert answer["Content-Disposition"] == f'attachment; filename="spring-{form}.tar"'
    call_command("export", "spring", format=form, to=tmp_path / "out", stdout=io.StringIO())
    with tarfile.open(fileobj=io.BytesIO(whole)) as tar:
        packed = {member.name: tar.extractfile(member).read() for member in tar}
    paths = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert packed == {str(path.relative_to(tmp_path / "out")): path.read_bytes() for path in paths}


def test_a_head_request_has_the_headers_of_the_archive_and_records_no_export(rosas, spring):
    head, whole = rosas.head(TAR), rosas.get(TAR)
    exported = exports()
    for name in ("Content-Length", "ETag", "Accept-Ranges", "Content-Type"):
        assert head[name] == whole[name]
    assert (body(head), exported) == (b"", [("release spring", whole.wsgi_request.user.username)])


@mutant(
    "every way of taking a release out is recorded: ranges",
    "datasets/releases/api.py",
    kept_by="            _record(request, release, form)\n",
    broken="            if first == 0:\n                _record(request, release, form)\n",
)
def test_a_download_that_leaves_out_the_first_byte_is_recorded_too(rosas, rosa, spring):
    body(rosas.get(TAR, headers={"Range": "bytes=1-"}))
    assert exports() == [("release spring", rosa.username)]


@mutant(
    "every way of taking a release out is recorded: manifests",
    "datasets/releases/api.py",
    kept_by='            _record(request, release, "manifest")\n',
    broken="            pass\n",
)
def test_a_manifest_is_recorded_once(rosas, rosa, spring):
    for _ in range(2):
        body(rosas.get(MANIFEST))
    body(rosas.head(MANIFEST))
    assert exports() == [("release spring", rosa.username)]
    assert AuditEvent.objects.latest("number").details == {"format": "manifest"}


@mutant(
    "strangers cannot fill the record with downloads",
    "accounts/audit.py",
    kept_by="    if not same.exists():\n        record(act, about, person, now, details)\n",
    broken="    record(act, about, person, now, details)\n",
)
def test_many_downloads_of_strangers_are_one_event(public):
    for first in range(20):
        body(Client().get("/api/v1/releases/public/precise.tar", headers={"Range": f"bytes={first}-99"}))
    assert exports() == [("release public", None)]


def test_a_download_in_ranges_joins_to_the_whole_and_is_recorded_once(rosas, rosa, spring):
    whole, joined = body(rosas.get(TAR)), b""
    AuditEvent.objects.all().delete()
    while len(joined) < len(whole):
        answer = rosas.get(TAR, headers={"Range": f"bytes={len(joined)}-{len(joined) + 30_000}"})
        part = body(answer)
        assert answer.status_code == 206
        assert answer["Content-Range"] == f"bytes {len(joined)}-{len(joined) + len(part) - 1}/{len(whole)}"
        assert answer["Content-Length"] == str(len(part))
        joined += part
    assert joined == whole
    assert exports() == [("release spring", rosa.username)]


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [("0-0", 0, 0), ("512-", 512, None), ("-1024", -1024, None), ("0-99999999999", 0, None), ("7-8", 7, 8)],
)
def test_a_range_returns_these_bytes(rosas, spring, asked, first, last):
    whole = body(rosas.get(TAR))
    part = rosas.get(TAR, headers={"Range": f"bytes={asked}"})
    assert body(part) == whole[first : None if last is None else last + 1]


@pytest.mark.parametrize("asked", ["99999999-", "-0", "100-99", "99999999-99999999"])
def test_a_range_outside_is_refused_with_the_length(rosas, spring, asked):
    answer = rosas.get(TAR, headers={"Range": f"bytes={asked}"})
    assert (answer.status_code, answer["Content-Range"]) == (
        416,
        f"bytes */{rosas.head(TAR)['Content-Length']}",
    )
    assert exports() == []


@pytest.mark.parametrize(
    "asked", ["bytes=-", "bytes=a-b", "lines=1-2", "bytes=0-1,5-6", f"bytes={'9' * 30}-"]
)
def test_an_unsupported_range_is_answered_with_the_whole(rosas, spring, asked):
    answer = rosas.get(TAR, headers={"Range": asked})
    assert (answer.status_code, len(body(answer))) == (200, int(rosas.head(TAR)["Content-Length"]))


def test_a_download_continues_if_the_archive_is_the_same(rosas, spring):
    whole = rosas.get(TAR)
    part = rosas.get(TAR, headers={"Range": "bytes=1000-", "If-Range": whole["ETag"]})
    assert (part.status_code, body(part), part["ETag"]) == (206, body(whole)[1000:], whole["ETag"])


@mutant(
    "a download continues only in the same archive",
    "datasets/releases/api.py",
    kept_by='    if request.headers.get("If-Range", archive.etag) != archive.etag:\n',
    broken="    if False:\n",
)
def test_after_the_next_feed_the_new_archive_is_sent_from_its_start(rosas, spring, wendy):
    old = rosas.get(TAR)
    before = body(old)
    consent.withdraw(wendy, NOW)
    recalls.publish(NOW + timedelta(days=1))
    new = rosas.get(TAR, headers={"Range": "bytes=1000-", "If-Range": old["ETag"]})
    assert (new.status_code, new["ETag"] == old["ETag"]) == (200, False)
    after = body(new)
    assert after == body(rosas.get(TAR)) != before
    gone = spring.rows.get(task__clip__contributor=wendy).public_id.encode()
    assert gone in before and gone not in after


@mutant(
    "of another archive than a program has begun nothing is sent, if it says so",
    "datasets/releases/api.py",
    kept_by="        if not _is_wanted(request, archive):\n",
    broken="        if False:\n",
)
def test_of_another_archive_nothing_is_sent_to_whoever_has_begun_one(rosas, spring, wendy):
    old = rosas.get(TAR)["ETag"]
    for same in (old, f'"another", {old}', "*"):
        assert rosas.get(TAR, headers={"Range": "bytes=1000-", "If-Match": same}).status_code == 206
    consent.withdraw(wendy, NOW)
    recalls.publish(NOW + timedelta(days=1))
    for headers in ({"If-Match": old}, {"Range": "bytes=1000-", "If-Match": old, "If-Range": old}):
        answer = rosas.get(TAR, headers=headers)
        assert answer.status_code == 412 and "recall feed changed" in answer.json()["detail"]


@pytest.mark.parametrize("named", ['"another"', "W/{etag}", "Mon, 04 May 2026 12:00:00 GMT"])
def test_only_the_same_etag_lets_a_download_continue(rosas, spring, named):
    etag = rosas.head(TAR)["ETag"]
    answer = rosas.get(TAR, headers={"Range": "bytes=1000-", "If-Range": named.format(etag=etag)})
    assert answer.status_code == 200


def test_a_release_that_a_format_cannot_take_is_refused_with_the_reason(rosas, rosa, sentences, share):
    settle(share(sentences), "turn on the lights")
    given_to(rosa, release("spring", sentences))
    answer = rosas.get(TAR)
    assert (answer.status_code, exports()) == (409, [])
    assert "precise can hold no clip of this release: 1 a transcription" in answer.json()["detail"]
    assert rosas.get(TAR).status_code == 409


def test_a_public_download_without_an_account_is_recorded_without_a_person(public):
    body(Client().get("/api/v1/releases/public/precise.tar"))
    assert exports() == [("release public", None)]


def test_an_archive_is_sent_for_any_accept_header(rosas, spring):
    assert rosas.get(TAR, headers={"Accept": "application/x-tar"}).status_code == 200


@pytest.mark.parametrize("address", [LIST, ONE, MANIFEST])
def test_many_clips_take_as_many_queries_as_few(rosas, rosa, juniper, share, spring, address):
    body(rosas.get(address))  # recorded; what follows within ten minutes is the same event
    with CaptureQueriesContext(connection) as few:
        body(rosas.get(address))
    spring.delete()
    for _ in range(6):
        settle(share(juniper))
    given_to(rosa, release("spring", juniper))
    with CaptureQueriesContext(connection) as many:
        body(rosas.get(address))
    assert len(many) == len(few) > 0


@pytest.mark.django_db(transaction=True)
def test_erasing_a_clip_while_its_archive_streams_ends_the_connection_and_sends_no_wrong_byte(
    gunicorn, rosas, rosa, spring
):
    """An erasure deletes the file before the row; here, the row is still there."""
    whole = body(rosas.get(TAR))
    # The last sound in the archive's order, so that much has been sent before it.
    with tarfile.open(fileobj=io.BytesIO(whole)) as packed:
        *_, last = (name for name in packed.getnames() if name.endswith(".wav"))
    vault.destroy(spring.rows.get(public_id=Path(last).stem).task.clip.stored_as)
    server = http.client.HTTPConnection("localhost", gunicorn, timeout=60)
    server.request("GET", TAR, headers={"Authorization": f"Token {ProgramToken.objects.create(rosa)[1]}"})
    answer = server.getresponse()
    assert (answer.status, answer.headers["Content-Length"]) == (200, str(len(whole)))
    with pytest.raises(http.client.IncompleteRead) as broken:
        answer.read()
    server.close()
    assert 0 < len(broken.value.partial) < len(whole) and whole.startswith(broken.value.partial)
