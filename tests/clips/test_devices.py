import hashlib
import json
import tempfile
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts import consent, devices, limits
from accounts.models import Device, DeviceLogin, Material, Pairing, Purpose, User
from datasets import campaigns
from datasets.models import Campaign, Clip, Release, Task
from datasets.releases import freezing
from tagger.lending import assignments
from tests.conftest import NOW
from tests.support import sounds
from tests.support.mutants import mutant

STATE = "6f3c2b1e-0d4a-4c53-9d1e-2f9f3a8f7c11"
SELF = {
    "platform": "mycroft_mark_2",
    "coreVersion": "20.8.1",
    "enclosureVersion": "1.4",
    "platform_build": "7",
}
WAKE_WORD = {"wake_word": "hey juniper", "engine": "precise", "timestamp": "1767225600123", "model": "m4"}
SOUND = sounds.in_format("wav", sounds.babble(1))


def pair(owner, name="kitchen"):
    """A paired device's tokens."""
    offer = devices.offer(STATE, timezone.now())
    devices.claim(owner, offer.code, name, timezone.now())
    return devices.activate(STATE, offer.token, {}, timezone.now())


@pytest.fixture
def login(alice):
    return pair(alice)


@pytest.fixture
def device(login):
    return Device.objects.get()


def bearer(token, **more):
    return {"Authorization": f"Bearer {token}"} | more


def multipart(audio=SOUND, metadata=WAKE_WORD, boundary=b"0123456789abcdef"):
    """The body that requests makes of `files=`, byte for byte."""
    parts = {"audio": audio, "metadata": json.dumps(metadata).encode()}
    heads = {n: f'Content-Disposition: form-data; name="{n}"; filename="{n}"'.encode() for n in parts}
    each = [b"--" + boundary + b"\r\n" + heads[n] + b"\r\n\r\n" + parts[n] + b"\r\n" for n in parts]
    return b"".join([*each, b"--" + boundary + b"--\r\n"])


@pytest.fixture
def send(client, login):
    """Uploads like the clients in the field, whose Content-Type is always JSON."""

    def one(kind="wake-word", token=login.access, uuid=login.device, body=None, **parts):
        return client.post(
            f"/v1/device/{uuid}/{kind}-file",
            body if body is not None else multipart(**parts),
            content_type="application/json",
            headers=bearer(token),
        )

    return one


@pytest.fixture
def traces(settings, tmp_path, monkeypatch):
    """Everything that a refused call could leave behind: rows, files, keys in Redis, temporary files."""
    spool = tmp_path / "spool"
    spool.mkdir()
    settings.FILE_UPLOAD_TEMP_DIR = str(spool)
    monkeypatch.setattr(tempfile, "tempdir", str(spool))
    folders = [spool, settings.STORAGES["vault"]["OPTIONS"]["location"]]
    cache.clear()  # a key of an earlier test could expire between two looks
    return lambda: (every_row(), [sorted(folder.rglob("*")) for folder in folders], every_key())


def every_row():
    with connection.cursor() as cursor:
        found = {}
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT t::text FROM {table} t ORDER BY 1")
            found[table] = cursor.fetchall()
    return found


def every_key():
    redis = cache._cache.get_client()
    return {key: redis.dump(key) for key in redis.keys("*")}


# Pairing


def test_a_device_is_paired_by_the_code_that_it_shows(client, alice):
    got = client.get(f"/v1/device/code?state={STATE}").json()
    assert (got["state"], got["expiration"], len(got["code"])) == (STATE, 86400, 6)
    assert set(got["code"]) <= set("ACEFHJKLMNPRTUVWXY3479")

    client.force_login(alice)
    page = client.post("/profile/devices/", {"code": got["code"], "name": "kitchen"}, follow=True)
    assert "kitchen" in page.content.decode() and "Waiting for the device" in page.content.decode()

    answer = activate(client, got)
    tokens = answer.json()
    assert answer.status_code == 200 and tokens["expiration"] == settings.DEVICE_ACCESS.total_seconds()
    own = client.get(f"/v1/device/{tokens['uuid']}", headers=bearer(tokens["accessToken"])).json()
    assert (own["name"], own["platform"], own["coreVersion"]) == ("kitchen", "mycroft_mark_2", "20.8.1")


def activate(client, got, **other):
    sent = {"state": got["state"], "token": got["token"]} | SELF | other
    return client.post("/v1/device/activate", json.dumps(sent), content_type="application/json")


def test_both_generations_of_names_for_versions_are_read(client, alice):
    got = client.get(f"/v1/device/code?state={STATE}").json()
    devices.claim(alice, got["code"], "", timezone.now())
    activate(client, got, coreVersion=None, core_version="0.0.9", platform="<script>")
    assert Device.objects.get().about["core_version"] == "0.0.9"
    assert "platform" not in Device.objects.get().about


@pytest.mark.parametrize(
    ("wrong", "status"),
    [({"state": STATE[:-1]}, 404), ({"token": "x"}, 404), ({"token": None}, 404), ({"state": "\ud800"}, 400)],
)
def test_state_and_secret_must_both_match(client, alice, wrong, status):
    got = client.get(f"/v1/device/code?state={STATE}").json()
    devices.claim(alice, got["code"], "", timezone.now())
    assert activate(client, got, **wrong).status_code == status
    assert activate(client, got).status_code == 200


def test_tokens_are_given_once_and_only_after_the_code_was_entered(client, alice, traces):
    got = client.get(f"/v1/device/code?state={STATE}").json()
    before = traces()
    refused = activate(client, got)
    assert refused.status_code == 404 and traces() == before
    devices.claim(alice, got["code"], "", timezone.now())
    assert activate(client, got).status_code == 200
    assert activate(client, got).status_code == 404
    assert DeviceLogin.objects.count() == 1


def test_only_uploads_are_refused_in_json_because_clients_save_other_json_as_their_identity(client, db):
    calls = [
        client.post("/v1/device/activate", "{}", content_type="application/json"),
        client.get("/v1/auth/token", headers=bearer("x")),
        client.get(f"/v1/device/{uuid4()}", headers=bearer("x")),
        client.get("/v1/device/code"),
    ]
    assert [answer.status_code for answer in calls] == [404, 401, 401, 400]
    assert {answer["Content-Type"] for answer in calls} == {"text/plain"}


def test_a_code_works_once_with_any_spacing_and_case(alice, bea):
    offer = devices.offer(STATE, NOW)
    assert devices.claim(alice, f" {offer.code[:3].lower()}-{offer.code[3:]} ", "", NOW).owner == alice
    with pytest.raises(devices.WrongCode):
        devices.claim(bea, offer.code, "", NOW)


def test_code_and_secret_expire_after_half_an_hour_without_their_device(alice):
    late = NOW + devices.CODE_LIFETIME
    offer = devices.offer(STATE, NOW)
    with pytest.raises(devices.WrongCode):
        devices.claim(alice, offer.code, "", late)
    devices.claim(alice, offer.code, "", NOW)
    with pytest.raises(devices.NotClaimed):
        devices.activate(STATE, offer.token, {}, late)


def test_expired_pairings_are_deleted_with_the_next_code(alice):
    devices.claim(alice, devices.offer(STATE, NOW).code, "", NOW)
    devices.offer(STATE, NOW)
    devices.offer(STATE, NOW + devices.CODE_LIFETIME)
    assert (Pairing.objects.count(), Device.objects.count()) == (1, 0)


def test_the_number_of_waiting_devices_is_limited_so_that_no_code_is_easily_guessed(client, db, monkeypatch):
    monkeypatch.setattr(devices, "MAX_WAITING", 1)
    assert client.get(f"/v1/device/code?state={STATE}").status_code == 200
    assert client.get(f"/v1/device/code?state={STATE}").status_code == 503


def ask_for_code(client, address="198.51.100.7"):
    return client.get(f"/v1/device/code?state={STATE}", REMOTE_ADDR=address)


@mutant(
    "one address cannot take all pairing codes",
    "datasets/clips/device_api.py",
    kept_by="    limits.count(now, (limits.PAIRING_CODES, client_addresses.client(request)))\n",
    broken="",
)
@pytest.mark.parametrize("addresses", ["198.51.100.7", "2001:db8:0:5::%x"])
def test_one_address_gets_sixty_codes_an_hour_and_no_more(client, db, clock, traces, addresses):
    own = [addresses % number if "%" in addresses else addresses for number in range(61)]
    assert {ask_for_code(client, each).status_code for each in own[:60]} == {200}
    before = traces()
    refused = ask_for_code(client, own[60])
    assert (refused.status_code, refused["Retry-After"]) == (429, "3599")
    assert refused["Content-Type"] == "text/plain"  # as all refusals: JSON would be taken for a code
    assert refused.content.decode() == "Too many devices ask for codes from here; try again in 60 minutes."
    assert traces() == before
    assert ask_for_code(client, "203.0.113.5").status_code == 200
    clock.pass_by(hours=1)
    assert ask_for_code(client, own[60]).status_code == 200


@mutant(
    "a code is valid for as long as its device shows it and asks",
    "datasets/clips/device_api.py",
    kept_by="        devices.keep_waiting(state, token, client_addresses.client(request), now)\n",
    broken="",
)
def test_a_code_stays_valid_while_its_device_asks_and_expires_half_an_hour_later(client, alice, clock):
    got = ask_for_code(client).json()
    for _ in range(60):
        clock.pass_by(minutes=10)
        assert activate(client, got).status_code == 404
    devices.claim(alice, got["code"], "", clock.now)
    assert activate(client, got).status_code == 200

    silent = ask_for_code(client).json()
    clock.pass_by(minutes=29)
    activate(client, silent, token="not its own")
    clock.pass_by(minutes=1)
    activate(client, silent)
    with pytest.raises(devices.WrongCode):
        devices.claim(alice, silent["code"], "", clock.now)


def test_asking_writes_once_in_ten_minutes(client, db, clock, traces):
    got = ask_for_code(client).json()
    clock.pass_by(minutes=9, seconds=59)
    before = traces()
    assert activate(client, got).status_code == 404 and traces() == before
    clock.pass_by(seconds=1)
    assert activate(client, got).status_code == 404 and traces() != before


@mutant(
    "one address cannot keep more than its share of pairing codes",
    "accounts/devices.py",
    kept_by="            limits.count(now, (limits.WAITING_DEVICES, address))\n",
    broken="",
)
def test_how_many_codes_one_address_keeps_valid_is_limited(client, db, clock, monkeypatch):
    few = limits.Limit("few", 2, limits.HOUR, limits.LimitRefusal.DEVICES)
    monkeypatch.setattr(limits, "WAITING_DEVICES", few)
    waiting = [ask_for_code(client).json() for _ in range(5)]
    clock.pass_by(minutes=20)
    for got in waiting:
        assert activate(client, got).status_code == 404
    assert Pairing.objects.filter(expires_at__gt=clock.now + timedelta(minutes=20)).count() == 2


@mutant(
    "codes that no device waits for give way to new devices",
    "accounts/devices.py",
    kept_by="        _make_room(now)",
    broken="        raise Busy(DeviceRefusal.TOO_MANY_WAITING)",
)
def test_a_full_queue_makes_room_by_the_code_whose_device_is_silent_for_the_longest(
    client, alice, clock, monkeypatch
):
    monkeypatch.setattr(devices, "MAX_WAITING", 3)
    oldest = ask_for_code(client).json()
    clock.pass_by(minutes=1)
    second, waiting = ask_for_code(client).json(), ask_for_code(client).json()
    clock.pass_by(minutes=15)
    activate(client, waiting)
    assert ask_for_code(client).status_code == 200
    with pytest.raises(devices.WrongCode):
        devices.claim(alice, oldest["code"], "", clock.now)
    for got in (second, waiting):
        devices.claim(alice, got["code"], "", clock.now)


@mutant(
    "the code that someone is typing never gives way to another",
    "accounts/devices.py",
    kept_by="device=None, expires_at__lte=now + CODE_LIFETIME - ABANDONED_AFTER)",
    broken="device=None)",
)
def test_no_code_gives_way_whose_device_asks(client, alice, clock, monkeypatch):
    monkeypatch.setattr(devices, "MAX_WAITING", 2)
    waiting = [ask_for_code(client).json() for _ in range(2)]
    for _ in range(6):
        clock.pass_by(minutes=5)
        for got in waiting:
            activate(client, got)
        assert ask_for_code(client, "203.0.113.5").status_code == 503
    for got in waiting:
        devices.claim(alice, got["code"], "", clock.now)


def test_a_code_that_was_entered_never_gives_way(client, alice, clock, monkeypatch):
    monkeypatch.setattr(devices, "MAX_WAITING", 1)
    got = ask_for_code(client).json()
    clock.pass_by(minutes=29)
    devices.claim(alice, got["code"], "", clock.now)
    clock.pass_by(minutes=29)
    assert ask_for_code(client).status_code == 503
    assert activate(client, got).status_code == 200


@mutant(
    "pairing codes cannot be guessed",
    "accounts/devices.py",
    kept_by="    counted = limits.count(now, (limits.WRONG_CODES, str(owner.pk)))",
    broken="    counted = limits.count(now)",
)
def test_only_ten_wrong_codes_an_hour_are_accepted(client, alice, bea, clock):
    client.force_login(alice)
    offer = devices.offer(STATE, timezone.now())
    answers = [client.post("/profile/devices/", {"code": "AAAAAA"}) for _ in range(11)]
    assert ["Too many wrong codes" in each.content.decode() for each in answers] == [False] * 10 + [True]
    assert [each.status_code for each in answers] == [400] * 10 + [429]
    assert "Too many" in client.post("/profile/devices/", {"code": offer.code}).content.decode()
    assert devices.claim(bea, offer.code, "", timezone.now())  # another account can still enter codes


def test_right_codes_do_not_count_as_tries(alice):
    for _ in range(12):
        devices.claim(alice, devices.offer(STATE, NOW).code, "", NOW)


def test_only_contributors_can_enter_a_code(client, sam):
    client.force_login(sam)
    assert client.post("/profile/devices/", {"code": "AAAAAA"}).status_code == 403


# Tokens


@mutant(
    "no token of a device is stored",
    "accounts/devices.py",
    kept_by="        access_sha256=_sha256(login.access),\n",
    broken="        access_sha256=login.access,\n",
)
def test_no_token_code_or_device_name_is_stored_in_plain(alice):
    offer = devices.offer(STATE, timezone.now())
    waiting = repr(every_row())
    assert not [each for each in (offer.code, offer.token, STATE) if each in waiting]
    devices.claim(alice, offer.code, "the den of Alice", timezone.now())
    given = devices.activate(STATE, offer.token, SELF, timezone.now())
    stored = repr(every_row())
    secrets = (
        given.access,
        given.refresh,
        offer.token,
        "den of Alice",
        b"den of Alice".hex(),
        "mycroft_mark_2",
    )
    assert not [each for each in secrets if each in stored]
    assert hashlib.sha256(given.access.encode()).hexdigest() in stored


def test_tokens_are_256_random_bits(login):
    assert len({login.access, login.refresh}) == 2
    assert min(len(login.access), len(login.refresh)) >= 43  # of base64


def test_renewing_gives_new_tokens_and_invalidates_the_old(client, login):
    answer = client.get("/v1/auth/token", headers=bearer(login.refresh, Device=str(login.device)))
    new = answer.json()
    assert new["uuid"] == str(login.device) and new["accessToken"] != login.access
    old = client.get(f"/v1/device/{login.device}", headers=bearer(login.access))
    now = client.get(f"/v1/device/{login.device}", headers=bearer(new["accessToken"]))
    assert (old.status_code, now.status_code) == (401, 200)


@mutant(
    "a refresh token that is used twice revokes its device",
    "accounts/devices.py",
    kept_by="        if not login.is_replaced or (",
    broken="        if True or (",
)
def test_a_refresh_token_used_twice_revokes_the_device_as_theft(client, alice, login):
    new = devices.renew(login.refresh, login.device, timezone.now())
    assert client.get("/v1/auth/token", headers=bearer(login.refresh)).status_code == 401
    assert client.get(f"/v1/device/{login.device}", headers=bearer(new.access)).status_code == 401
    assert client.get("/v1/auth/token", headers=bearer(new.refresh)).status_code == 401
    client.force_login(alice)
    assert "used twice" in client.get("/profile/").content.decode()


def test_a_client_may_renew_with_its_access_token_only_together_with_its_uuid(login):
    with pytest.raises(devices.InvalidToken):
        devices.renew(login.access, None, timezone.now())
    with pytest.raises(devices.InvalidToken):
        devices.renew(login.access, uuid4(), timezone.now())
    late = timezone.now() + settings.DEVICE_ACCESS
    new = devices.renew(login.access, login.device, late)
    assert devices.by_access(new.access, login.device, late)


def test_programs_that_share_a_token_may_renew_it_together_but_no_one_later(login):
    now = timezone.now()
    devices.renew(login.access, login.device, now)
    devices.renew(login.access, login.device, now + timedelta(seconds=1))
    with pytest.raises(devices.InvalidToken):
        devices.renew(login.access, login.device, now + timedelta(minutes=11))
    assert Device.objects.get().is_suspect


def test_two_renewals_at_the_same_time_count_as_two_uses(transactional_db, run_together):
    login = pair(User.objects.create_user("wendy"))
    calls = [lambda: devices.renew(login.refresh, login.device, timezone.now())] * 2
    assert sorted(type(got).__name__ for got in run_together(*calls)) == ["InvalidToken", "Login"]


def test_two_activations_at_the_same_time_give_tokens_once(transactional_db, run_together):
    offer = devices.offer(STATE, NOW)
    devices.claim(User.objects.create_user("wendy"), offer.code, "", NOW)
    calls = [lambda: devices.activate(STATE, offer.token, {}, NOW)] * 2
    assert sorted(type(got).__name__ for got in run_together(*calls)) == ["Login", "NotClaimed"]


def test_an_access_token_expires_after_its_lifetime_and_a_refresh_token_after_a_year(login):
    day, year = timezone.now() + settings.DEVICE_ACCESS, timezone.now() + devices.REFRESH_LIFETIME
    with pytest.raises(devices.InvalidToken):
        devices.by_access(login.access, login.device, day)
    with pytest.raises(devices.InvalidToken):
        devices.renew(login.refresh, login.device, year)
    assert devices.renew(login.refresh, login.device, day)


def test_a_uuid_alone_or_another_devices_token_gives_no_access(client, alice, login):
    other = pair(alice)
    for token in ("", str(login.device), other.access, login.refresh):
        assert client.get(f"/v1/device/{login.device}", headers=bearer(token)).status_code == 401
    alone = client.get(f"/v1/device/{login.device}", headers={"Device": str(login.device)})
    assert alone.status_code == 401


def test_a_devices_token_gives_no_access_to_the_volunteers_api(client, login):
    for scheme in ("Bearer", "Token"):
        answer = client.get("/api/v1/campaigns/", headers={"Authorization": f"{scheme} {login.access}"})
        assert answer.status_code == 401


def test_a_device_of_an_inactive_account_has_no_access(alice, login):
    User.objects.filter(pk=alice.pk).update(is_active=False)
    with pytest.raises(devices.InvalidToken):
        devices.by_access(login.access, login.device, timezone.now())
    with pytest.raises(devices.InvalidToken):
        devices.renew(login.refresh, login.device, timezone.now())


def test_a_device_updates_its_versions(client, login):
    url, sent = f"/v1/device/{login.device}", json.dumps({"coreVersion": "21.2", "platform": "pi4"})
    patched = client.patch(url, sent, content_type="application/json", headers=bearer(login.access))
    assert patched.json()["coreVersion"] == "21.2"
    assert client.patch(url, sent, content_type="application/json").status_code == 401
    assert Device.objects.get().about["name"] == "kitchen"


@pytest.mark.parametrize("sent", [b"", b"[1]", b"\xff", b"[" * 9_000, b'{"a":' * 1_500])
def test_a_body_that_is_not_a_json_object_is_refused(client, login, sent):
    answer = client.patch(
        f"/v1/device/{login.device}", sent, content_type="application/json", headers=bearer(login.access)
    )
    assert answer.status_code == 400


# The profile page


def test_the_profile_lists_devices_with_a_day_and_a_quarter_at_most(client, alice, device):
    today = timezone.now()
    devices.count_upload(device, today.date())
    client.force_login(alice)
    page = client.get("/profile/").content.decode()
    assert "kitchen" in page and f"{today.year}-Q{(today.month + 2) // 3}" in page
    kept = {type(field).__name__ for field in Device._meta.fields}
    assert "DateTimeField" not in kept and "GenericIPAddressField" not in kept


@mutant(
    "a revoked device cannot upload",
    "accounts/devices.py",
    kept_by=".filter(device__uuid=device, device__revoked_on=None)",
    broken=".filter(device__uuid=device)",
)
def test_revoking_on_the_profile_page_ends_the_devices_access(client, alice, login, send, juniper, traces):
    client.force_login(alice)
    client.post(f"/profile/devices/{login.device}/revoke/")
    client.logout()
    before = traces()
    assert send().status_code == 401
    assert client.get("/v1/auth/token", headers=bearer(login.refresh)).status_code == 401
    assert traces() == before


def test_a_device_that_is_revoked_before_it_activates_gets_no_tokens(alice):
    offer = devices.offer(STATE, NOW)
    devices.revoke(devices.claim(alice, offer.code, "", NOW), NOW.date())
    with pytest.raises(devices.NotClaimed):
        devices.activate(STATE, offer.token, {}, NOW)


def test_a_removed_device_leaves_no_row_and_its_clips_stay(client, alice, login, send, juniper):
    assert send().status_code == 201
    client.force_login(alice)
    client.post(f"/profile/devices/{login.device}/remove/")
    assert (Device.objects.count(), DeviceLogin.objects.count(), Clip.objects.count()) == (0, 0, 1)


def test_no_one_revokes_or_removes_another_persons_device(client, bea, login):
    client.force_login(bea)
    for act in ("revoke", "remove"):
        assert client.post(f"/profile/devices/{login.device}/{act}/").status_code == 404
    assert Device.objects.get().revoked_on is None


# Uploads


def test_a_wake_word_goes_to_the_campaigns_that_ask_for_it(alice, send, juniper):
    german = campaigns.create(slug="wacholder", kind="wake-word", language="de", wake_word="Hey Juniper!")
    campaigns.create(slug="other", kind="wake-word", language="en", wake_word="hey computer")
    assert send(metadata=WAKE_WORD | {"wake_word": "Hey_Juniper"}).status_code == 201
    clip = Clip.objects.get()
    assert (clip.contributor, clip.source, clip.material) == (alice, "device", "wake-word")
    assert {task.campaign for task in clip.tasks.all()} == {juniper, german}


def test_an_utterance_goes_to_the_campaign_in_its_language(send, sentences):
    campaigns.create(slug="saetze", kind="transcription", language="de")
    assert send("utterance", metadata={"language": "en_US"}).status_code == 201
    assert (Clip.objects.get().language, Task.objects.get().campaign) == ("en-US", sentences)


def test_without_a_language_the_devices_own_or_the_only_one_of_all_campaigns_counts(send, device, sentences):
    assert send("utterance", metadata={}).status_code == 201
    campaigns.create(slug="saetze", kind="transcription", language="de")
    other = sounds.in_format("wav", sounds.babble(2))
    assert send("utterance", metadata={}, audio=other).status_code == 422
    devices.update(device, {"language": "de"})
    assert send("utterance", metadata={}, audio=other).status_code == 201
    assert Clip.objects.latest("pk").language == "de"


def test_of_a_devices_metadata_only_the_language_is_stored(send, sentences, traces):
    words = "remind me to call the doctor"
    metadata = {
        "language": "en",
        "transcription": words,
        "engine": "zebra-engine",
        "timestamp": "1767225600123",
    }
    assert send("utterance", metadata=metadata).status_code == 201
    rows, _files, redis = traces()
    for kept in (repr(rows), repr(redis)):
        assert not [each for each in (words, "zebra", "1767225600") if each in kept]
    assert Task.objects.get().reference in {"", None}


def test_the_same_upload_again_is_a_success_and_stored_once(send, juniper, traces):
    assert send().status_code == 201
    before = traces()
    assert send().status_code == 200 and traces() == before


def test_a_client_with_correct_headers_works_too(client, login, juniper):
    answer = client.post(
        f"/v1/device/{login.device}/wake-word-file",
        multipart(),
        content_type="multipart/form-data; boundary=0123456789abcdef",
        headers=bearer(login.access),
    )
    assert answer.status_code == 201


def refused(send, traces, status, *args, **sent):
    before = traces()
    answer = send(*args, **sent)
    assert (answer.status_code, traces()) == (status, before), answer.content
    assert answer["Content-Type"] == "application/json"
    return answer


def test_an_upload_without_consent_leaves_nothing(alice, send, juniper, traces):
    consent.withdraw(alice, NOW)
    assert "No live consent" in refused(send, traces, 403).json()["detail"]


def test_consent_for_wake_words_does_not_cover_utterances(send, sentences, juniper, traces, db):
    wendy = User.objects.create_user("wendy")
    consent.give(wendy, Material.WAKE_WORD, Material.WAKE_WORD.purposes, NOW, reference="on paper")
    hers = pair(wendy)
    refused(send, traces, 403, "utterance", token=hers.access, uuid=hers.device, metadata={"language": "en"})
    assert send(token=hers.access, uuid=hers.device).status_code == 201


@mutant(
    "consent is checked before a byte of a device's upload is read",
    "datasets/clips/uploads.py",
    kept_by="    if not consent.allows(device.owner, material, Purpose.VOLUNTEERS):",
    broken="    if False:",
)
def test_consent_is_checked_before_a_byte_of_the_upload_is_read(alice, send, juniper, traces):
    consent.withdraw(alice, NOW)
    refused(send, traces, 403, body=b"x" * (3 * 2**20))


def test_a_consent_that_ends_while_the_sound_is_read_prevents_storing(
    alice, send, juniper, traces, monkeypatch
):
    monkeypatch.setattr("datasets.clips.uploads.check", lambda *args: None)
    consent.withdraw(alice, NOW)
    refused(send, traces, 403)


def test_another_persons_token_cannot_upload(alice, send, juniper, traces):
    refused(send, traces, 401, token=pair(alice).access)
    refused(send, traces, 401, token="")


def test_another_wake_word_or_language_leaves_nothing(send, juniper, sentences, traces):
    refused(send, traces, 422, metadata={"wake_word": "hey computer"})
    refused(send, traces, 422, metadata={"wake_word": ["hey juniper"]})
    refused(send, traces, 422, "utterance", metadata={"language": "fr"})
    refused(send, traces, 422, "utterance", metadata={"language": "english, please"})


def test_a_closed_campaign_asks_for_nothing(send, juniper, traces):
    Campaign.objects.update(stage="closed")
    refused(send, traces, 422)


def test_an_upload_that_is_too_large_leaves_nothing(send, juniper, traces):
    refused(send, traces, 413, audio=SOUND + b"\0" * (2 * 2**20))
    refused(send, traces, 413, metadata=WAKE_WORD | {"model": "m" * 20_000})


@pytest.mark.parametrize("audio", [b"", b"RIFF", b"no sound", sounds.in_format("wav", sounds.tone(40))])
def test_an_upload_that_is_not_audio_leaves_nothing(send, juniper, traces, audio):
    refused(send, traces, 422, audio=audio)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        multipart()[:40],
        multipart()[:400],
        multipart().replace(b'"audio"', b'"video"'),
        multipart().replace(b'{"wake', b'["wake'),
        multipart(metadata="hey juniper"),
        b"--" + b"x" * 200 + b"\r\n",
    ],
)
def test_a_malformed_body_leaves_nothing(send, juniper, traces, body):
    refused(send, traces, 400, body=body)


def test_another_persons_recording_leaves_nothing(alice, bea, send, juniper, traces):
    consent.give(bea, Material.WAKE_WORD, Material.WAKE_WORD.purposes, NOW, reference="on paper")
    assert send().status_code == 201
    other = pair(bea)
    refused(send, traces, 409, token=other.access, uuid=other.device)


def test_a_device_has_a_daily_limit_of_clips(settings, send, device, juniper, traces):
    settings.DEVICE_UPLOADS_A_DAY = 1
    assert send().status_code == 201
    answer = refused(send, traces, 429, audio=sounds.in_format("wav", sounds.babble(2)))
    assert 0 < int(answer["Retry-After"]) <= 86_400
    Device.objects.update(uploads_on=timezone.now().date() - timedelta(days=1))
    assert send(audio=sounds.in_format("wav", sounds.babble(2))).status_code == 201


def test_a_large_upload_never_touches_a_disk(send, juniper, settings, traces, monkeypatch):
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 10
    opened = []
    monkeypatch.setattr(tempfile, "NamedTemporaryFile", lambda *args, **kwargs: opened.append(args))
    assert send(audio=sounds.in_format("wav", sounds.babble(1, seconds=20))).status_code == 201
    assert opened == []


def test_cookies_are_ignored_so_that_no_page_can_forge_a_call(login, juniper):
    strict = Client(enforce_csrf_checks=True)
    url = f"/v1/device/{login.device}/wake-word-file"
    answer = strict.post(url, multipart(), content_type="application/json", headers=bearer(login.access))
    assert answer.status_code == 201 and not answer.cookies


# Cooling-off


@mutant(
    "a clip in its cooling-off is lent to no one",
    "datasets/models.py",
    kept_by='return not_held(f"{clip}held_until") & Q(',
    broken="return Q(",
)
def test_a_clip_of_a_device_is_lent_to_no_one_until_its_cooling_off_is_over(bea, send, juniper):
    assert send().status_code == 201
    clip = Clip.objects.get()
    assert timedelta(hours=71) < clip.held_until - timezone.now() <= timedelta(hours=72)
    assert assignments.lend(bea, juniper, 1, NOW) == []
    assert not Clip.objects.live_for(Purpose.VOLUNTEERS) and not Task.objects.live_for(Purpose.VOLUNTEERS)
    Clip.objects.update(held_until=timezone.now() - timedelta(seconds=1))
    assert len(assignments.lend(bea, juniper, 1, NOW)) == 1


def test_a_clip_in_its_cooling_off_is_in_no_release(send, juniper, share):
    send()
    for task in (share(juniper), Task.objects.get(clip__source="device")):
        task.status, task.answer, task.confidence = "settled", "yes", 1.0
        task.save()
    freezing.freeze("first", [juniper], NOW)
    assert [row.task.clip.source for row in Release.objects.get().rows.all()] == ["browser"]


@pytest.mark.parametrize("hours", [0, 168])
def test_the_contributor_chooses_how_long_the_cooling_off_is(alice, send, juniper, hours):
    alice.cooling_off = hours
    alice.save()
    send()
    wanted = timezone.now() + timedelta(hours=hours)
    assert abs(Clip.objects.get().held_until - wanted) < timedelta(minutes=1)


def test_answers_hold_the_uuid_of_the_device_and_no_number_of_the_person(client, login):
    own = client.get(f"/v1/device/{login.device}", headers=bearer(login.access)).json()
    assert own["user"] == {"uuid": own["uuid"]} and UUID(own["uuid"]) == login.device
