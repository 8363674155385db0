"""A receipt says what was given or withdrawn and names no one, and anyone can check it."""

import base64
import copy
import json
import stat
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command

from accounts import consent, keyring, keys, notices, receipts, signing
from accounts.models import DataKey, Material, Purpose, User
from tests.conftest import NOW
from tests.support.mutants import mutant

ROOT = Path(__file__).resolve().parents[2]
CHECK = "/receipts/"
LATER = NOW + timedelta(days=1)


@pytest.fixture
def wendy(db):
    """Shares wake-word clips, disguised, with volunteers and researchers, after reading the notice."""
    person = User.objects.create_user("wendy-the-whale")
    chosen = {Material.WAKE_WORD: [Purpose.VOLUNTEERS, Purpose.RESEARCHERS]}
    consent.answer(person, chosen, NOW, notices.current("es"), disguised=True)
    return person


@pytest.fixture
def given(wendy):
    [receipt] = receipts.for_contributor(wendy)
    return receipt.document()


@pytest.fixture
def file(given, tmp_path):
    path = tmp_path / "receipt.json"
    path.write_bytes(receipts.as_file(given))
    return path


def check(client, **submitted):
    return client.post(CHECK, submitted).content.decode()


def places(value, path=()):
    """The path to every leaf of a document."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = [each for key, below in inside for each in places(below, (*path, key))]
    return found or [path]


def at(document, path):
    for key in path:
        document = document[key]
    return document


def changes(document):
    """Copies of the document, each with one thing changed, removed or added."""
    for path in places(document):
        for change in ("change", "remove", "add"):
            changed = copy.deepcopy(document)
            holder = at(changed, path[:-1])
            if change == "change":
                holder[path[-1]] = f"{holder[path[-1]]} "
            elif change == "remove":
                del holder[path[-1]]
            elif isinstance(holder, dict):
                holder["more"] = "x"
            else:
                holder.append("x")
            yield f"{change} {path}", changed


def test_a_receipt_says_what_was_given_to_whom_and_under_which_notice(given):
    notice = notices.current("es")
    words = {"version": notice.version, "language": "es", "sha256": notice.sha256}
    assert [each["privacy_notice"] for each in given["pii_processing"]] == [words, words]
    assert [each["purpose"] for each in given["pii_processing"]] == ["volunteers", "researchers"]
    assert {each["pii_information"][0]["pii_type"] for each in given["pii_processing"]} == {"wake-word"}
    assert "disguised" in given["pii_processing"][0]["processing_method"]
    assert given["pii_processing"][1]["processing_method"] == "used as it was recorded"
    assert {each["retention_period"] for each in given["pii_processing"]} == {"until withdrawn"}
    expected = [{"event_type": "consent", "event_state": "given", "event_time": NOW.isoformat()}]
    assert given["events"] == expected


@pytest.mark.parametrize(
    "field",
    [
        "schema_version",
        "receipt_id",
        "issued_at",
        "pii_principal_id",
        "pii_processing",
        "party_identification",
    ],
)
def test_the_fields_of_the_specification_are_there(given, field):
    assert given[field]


@pytest.mark.parametrize(
    "field",
    [
        "privacy_notice",
        "purpose",
        "pii_information",
        "processing_method",
        "storage_locations",
        "retention_period",
        "recipients",
        "withdrawal_method",
    ],
)
def test_the_fields_of_each_purpose_are_there(given, field):
    assert all(each[field] for each in given["pii_processing"])


def test_it_names_the_operator_but_no_country(given, settings):
    [party] = given["party_identification"]
    assert party["party_url"] == settings.SITE_URL and party["party_contact"] == settings.CONTACT
    assert "jurisdiction" not in json.dumps(given)


def test_a_withdrawal_receipt_says_what_ended(wendy):
    consent.withdraw(wendy, LATER, material=Material.WAKE_WORD, purpose=Purpose.RESEARCHERS)
    ended, given = (receipt.document() for receipt in receipts.for_contributor(wendy))
    assert ended["events"][0] == {
        "event_type": "consent",
        "event_state": "withdrawn",
        "event_time": LATER.isoformat(),
    }
    assert [each["purpose"] for each in ended["pii_processing"]] == ["researchers"]
    assert ended["pii_processing"][0]["privacy_notice"] == given["pii_processing"][1]["privacy_notice"]
    signing.verify(ended)


def test_a_consent_that_was_given_twice_is_listed_once_when_withdrawn(wendy):
    """Turning the disguise off and on adds consents for the same material and purpose."""
    consent.disguise(wendy, False, LATER)
    consent.disguise(wendy, True, LATER + timedelta(hours=1))
    consent.withdraw(wendy, LATER + timedelta(hours=2))
    ended = receipts.for_contributor(wendy)[0].document()
    assert [each["purpose"] for each in ended["pii_processing"]] == ["volunteers", "researchers"]
    assert "disguised" in ended["pii_processing"][0]["processing_method"]


@mutant(
    "two receipts of one person cannot be linked",
    "accounts/receipts.py",
    kept_by='signing.pseudonym(f"subject {self._act}")',
    broken='signing.pseudonym(f"subject {self.contributor_id}")',
)
def test_a_receipt_names_no_one_and_two_of_one_person_cannot_be_linked(wendy):
    consent.withdraw(wendy, LATER)
    ended, given = (receipt.document() for receipt in receipts.for_contributor(wendy))
    assert ended["pii_principal_id"] != given["pii_principal_id"]
    assert ended["receipt_id"] != given["receipt_id"]
    for document in (ended, given):
        assert "wendy" not in json.dumps(document)
        assert wendy.username not in json.dumps(document)
        assert str(wendy.pk) not in [at(document, path) for path in places(document)]


def test_a_receipt_does_not_show_a_consent_reference(alice):
    [receipt] = receipts.for_contributor(alice)
    assert "on paper" not in json.dumps(receipt.document())


def test_it_has_the_same_bytes_each_time_without_being_stored(wendy, given):
    again = [receipt.document() for receipt in receipts.for_contributor(User.objects.get(pk=wendy.pk))]
    assert [receipts.as_file(each) for each in again] == [receipts.as_file(given)]


@mutant(
    "a changed receipt does not verify",
    "accounts/signing.py",
    kept_by='_private().public_key().verify(_signature(document["signature"]), canonical_json(unsigned))',
    broken='_signature(document["signature"]), canonical_json(unsigned)',
)
def test_every_single_change_is_noticed(given):
    signing.verify(given)
    tried = 0
    for what, changed in changes(given):
        tried += 1
        with pytest.raises(signing.BadSignature):
            signing.verify(changed)
            pytest.fail(f"not noticed: {what}")
    assert tried > 100


@pytest.mark.parametrize("value", [1, 1.0, True, None, "1", [], {}])
def test_a_value_of_another_type_is_another_value(value, own_home, db):
    signed = signing.sign({"number": 2})
    with pytest.raises(signing.BadSignature):
        signing.verify(signed | {"number": value})


def test_order_and_spacing_do_not_matter(given):
    reordered = dict(reversed(given.items()))
    signing.verify(receipts.read(json.dumps(reordered, indent=7).encode("utf-8-sig")))


def test_a_receipt_of_another_site_does_not_verify(given, settings, tmp_path):
    settings.MASTER_KEYS = tmp_path / "another site"
    keyring.make(keyring.SIGNING)
    with pytest.raises(signing.BadSignature, match="other-key"):
        signing.verify(given)
    forged = signing.sign({name: given[name] for name in given if name not in {"key", "signature"}})
    settings.MASTER_KEYS = tmp_path / "keys"
    with pytest.raises(signing.BadSignature, match="mismatch"):
        signing.verify(forged | {"key": signing.key_id()})


@pytest.mark.parametrize("signature", ["", "x", "AAAA", "ñ", None, 7, [], "A" * 88])
def test_a_malformed_signature_is_refused(given, signature):
    with pytest.raises(signing.BadSignature):
        signing.verify(given | {"signature": signature})


def test_one_signature_has_one_spelling(given):
    """The last letter before the padding has four bits that decoders ignore."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    signature = given["signature"]
    for letter in set(letters) - {signature[-3]}:
        with pytest.raises(signing.BadSignature):
            signing.verify(given | {"signature": f"{signature[:-3]}{letter}=="})


def test_the_public_key_is_enough_to_check_it(given, client):
    """Checked independently: with the published key and its description of the canonical form."""
    published = client.get("/receipts/key/").json()
    assert published["key"] == given["key"]
    signature = base64.b64decode(given.pop("signature"))
    plain = json.dumps(given, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    Ed25519PublicKey.from_public_bytes(base64.b64decode(published["public_key"])).verify(signature, plain)


def test_the_signing_key_is_readable_by_its_owner_only_and_made_once(own_home, db):
    first = signing.public_key()
    path = own_home / "keys" / "signing.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert signing.public_key() == first
    assert path.read_bytes() not in json.dumps(first).encode()


def test_the_signing_key_never_wraps_a_data_key(own_home, db):
    signing.public_key()
    keys.data_key(User.objects.create_user("xena"))
    assert {row.master for row in DataKey.objects.all()} == {"0001"}


def test_your_receipts_are_on_your_page_immediately_and_while_the_account_exists(wendy, client):
    client.force_login(wendy)
    consent.withdraw(wendy, LATER)
    for receipt in receipts.for_contributor(wendy):
        assert f'href="/profile/receipts/{receipt.id}/"' in client.get("/profile/consent/").content.decode()
        file = client.get(f"/profile/receipts/{receipt.id}/")
        assert file["Content-Disposition"].startswith('attachment; filename="receipt-2026-05-0')
        assert file["Cache-Control"] == "no-store"
        signing.verify(receipts.read(file.content))


def test_no_one_gets_the_receipts_of_others(wendy, bea, client):
    address = f"/profile/receipts/{receipts.for_contributor(wendy)[0].id}/"
    assert client.get(address).url.startswith("/accounts/login/")
    client.force_login(bea)
    assert client.get(address).status_code == 404


def test_the_command_accepts_a_receipt_or_says_why_not(file, given, capsys):
    call_command("verify_receipt", file)
    assert "signed by this site" in capsys.readouterr().out
    refused = {
        b"not json": "This is not JSON",
        b"[1]": "not an object with fields",
        b'{"a": 1, "a": 1}': "A field appears twice",
        b"{}": "is not signed",
        json.dumps(given | {"key": "0" * 16}).encode(): "a different key",
        json.dumps(given | {"issued_at": "1999"}).encode(): "a field was changed",
        json.dumps(given | {"signature": "!"}).encode(): "not base64",
        json.dumps(given | {"number": float("nan")}).encode(): "cannot be written as JSON",
        b'{"key": "' + given["key"].encode() + b'", "signature": "", "x": "\\ud800"}': "cannot be written",
        b"[" * 90_000: "This is not JSON",
        b" " * 100_001: "too large",
        b"\xff\xfe": "This is not JSON",
        b"1" * 5000: "This is not JSON",
    }
    for content, reason in refused.items():
        file.write_bytes(content)
        with pytest.raises(CommandError, match=reason):
            call_command("verify_receipt", file)
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("verify_receipt", file.parent)


@pytest.mark.django_db(transaction=True)
def test_the_commands_exit_code_tells_programs(file, site_environment):
    def code():
        command = [sys.executable, "manage.py", "verify_receipt", str(file)]
        return subprocess.run(command, cwd=ROOT, env=site_environment, capture_output=True).returncode

    assert code() == 0
    file.write_text(file.read_text().replace('"given"', '"withdrawn"'))
    assert code() == 1


def test_anyone_can_check_a_receipt_pasted_or_as_a_file(file, client):
    for page in (check(client, receipt=file.read_text()), check(client, file=file.open("rb"))):
        assert "This site signed it, and it has not been changed." in page
        assert "consent receipt: given" in page
    assert not client.cookies


@pytest.mark.parametrize(
    ("pasted", "answer"),
    [
        ("", "Paste a receipt or choose its file first."),
        ("hello", "This is not JSON"),
        ("null", "not an object with fields"),
        ('{"key": {}, "signature": []}', "a different key"),
        ("<script>alert(1)</script>", "This is not JSON"),
        ("[" * 90_000, "This is not JSON"),
    ],
)
def test_nonsense_gets_a_clear_answer(db, client, pasted, answer):
    page = check(client, receipt=pasted)
    assert "This receipt could not be verified." in page and answer in page
    assert "<script>alert" not in page


def test_a_changed_receipt_is_reported_as_changed(given, client):
    page = check(client, receipt=json.dumps(given | {"issued_at": "1999"}))
    assert "This receipt could not be verified." in page and "a field was changed" in page
    assert "1999" not in page


def test_a_file_that_is_too_large_is_refused_before_it_is_read(db, client, monkeypatch):
    monkeypatch.setattr(receipts, "read", lambda data: pytest.fail("it was read"))
    big = SimpleUploadedFile("big.json", b" " * 3_000_000)
    answer = client.post(CHECK, {"file": big})
    assert answer.status_code == 413 and "too large" in answer.content.decode()


def test_markup_in_a_signed_document_is_escaped(client, db):
    signed = signing.sign({"document": "<script>alert(1)</script>", "events": [{"event_state": "<b>"}]})
    page = check(client, receipt=json.dumps(signed))
    assert "it has not been changed" in page and "<script>alert" not in page and "<b>" not in page
