"""ovos-backend-client, the client of devices in the field, against the running site."""

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.support import sounds

DEVICE = Path(__file__).resolve().parents[1] / "support/ovos_device.py"
PASSWORD = "a long one for tests"

PREPARE = f"""
from accounts.models import Material, User
from datasets import campaigns
User.objects.create_user("odette", password={PASSWORD!r})
campaigns.create(slug="device-words", kind="wake-word", language="en", wake_word="Hey Juniper")
campaigns.create(slug="device-speech", kind="transcription", language="en")
"""
ODETTE = """
from django.utils import timezone
from accounts import consent
from accounts.models import Material, Purpose, User
odette, now = User.objects.get_by_natural_key("odette"), timezone.now()
"""
GIVE = f"""{ODETTE}
for material in Material:
    consent.give(odette, material, [Purpose.VOLUNTEERS], now, reference="on paper")
"""
WITHDRAW = f"{ODETTE}consent.withdraw(odette, now)"
WHAT_IS_HELD = """
from datasets.models import Clip
print(*Clip.objects.filter(source="device").order_by("pk").values_list("material", flat=True))
"""
A_DAY_LATER = """
from django.utils import timezone
from accounts.models import DeviceLogin
DeviceLogin.objects.update(access_until=timezone.now())
"""


class OvosDevice:
    """The program tests/support/ovos_device.py, with its own home."""

    def __init__(self, url, home):
        self.home = home
        folders = {"HOME": home, "TMPDIR": home}
        folders |= {f"XDG_{name}_HOME": home / name for name in ("CONFIG", "DATA", "CACHE", "STATE")}
        server = {"url": url, "version": "v1", "backend_type": "personal", "disabled": False}
        config = home / "CONFIG" / "mycroft" / "mycroft.conf"
        config.parent.mkdir(parents=True)
        config.write_text(json.dumps({"server": server}))
        self.program = subprocess.Popen(
            [sys.executable, DEVICE, url],
            cwd=home,
            env=os.environ | {name: str(folder) for name, folder in folders.items()},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __getattr__(self, act):
        def tell(argument=""):
            self.program.stdin.write(f"{act} {argument}\n")
            self.program.stdin.flush()
            line = self.program.stdout.readline()
            assert line, "the device stopped"
            return json.loads(line)

        return tell


@pytest.fixture(scope="module")
def owner(site):
    """Logged in, with consent for everything; two campaigns ask for what the device sends."""
    site.manage("shell", "-c", PREPARE + GIVE)
    with httpx.Client(base_url=site.url, follow_redirects=True) as person:
        post(person, "/accounts/login/", login="odette", password=PASSWORD)
        yield person


def post(person, page, come_from=None, **fields):
    person.get(come_from or page)
    fields["csrfmiddlewaretoken"] = person.cookies["csrftoken"]
    answer = person.post(page, data=fields)
    assert answer.status_code == 200, answer.text
    return answer


@pytest.fixture
def ovos(site, tmp_path):
    device = OvosDevice(site.url, tmp_path)
    yield device
    device.program.stdin.close()
    device.program.wait(timeout=30)


@pytest.fixture
def paired(owner, ovos):
    [code] = ovos.ask_for_code()
    post(owner, "/profile/devices/", code=code, name="a mark two")
    assert ovos.wait_until_paired()
    return ovos


@pytest.fixture
def recording(tmp_path):
    def one(seed):
        path = tmp_path / f"{seed}.wav"
        path.write_bytes(sounds.in_format("wav", sounds.babble(seed)))
        return path

    return one


def stored(site):
    return site.manage("shell", "-v", "0", "-c", WHAT_IS_HELD).stdout.split()


def test_the_client_starts_no_thread_by_itself(ovos):
    assert ovos.threads() == ["MainThread"]


def test_the_client_is_paired_once_its_code_is_entered(owner, ovos):
    [code] = ovos.ask_for_code()
    assert not ovos.check()
    post(owner, "/profile/devices/", code=code, name="a mark two")
    assert ovos.wait_until_paired() and ovos.check()
    description = ovos.describe()
    assert (description["name"], description["uuid"]) == ("a mark two", ovos.identity()["uuid"])
    assert ovos.new_version("1.2.3") == 200 and ovos.describe()["coreVersion"] == "1.2.3"


def test_the_client_uploads_wake_words_and_utterances(site, paired, recording):
    before = stored(site)
    assert paired.upload_wake_word(recording(101)) == 201
    assert paired.upload_utterance(recording(102)) == 201
    assert paired.upload_wake_word(recording(101)) == 200
    assert stored(site) == [*before, "wake-word", "utterance"]


def test_the_client_renews_its_tokens_after_they_expired(site, paired, recording):
    first = paired.identity()
    site.manage("shell", "-c", A_DAY_LATER)
    paired.expire_token()
    assert paired.upload_wake_word(recording(103)) == 401
    paired.refresh()
    second = paired.identity()
    assert second["uuid"] == first["uuid"] and second["access"] != first["access"]
    assert paired.check() and paired.upload_wake_word(recording(103)) == 201


def test_the_client_notices_that_it_was_revoked(owner, paired, recording):
    uuid = paired.identity()["uuid"]
    post(owner, f"/profile/devices/{uuid}/revoke/", come_from="/profile/")
    assert not paired.check() and paired.upload_wake_word(recording(104)) == 401


def test_nothing_that_the_client_sends_is_stored_after_its_owner_withdrew(site, paired, recording):
    before = stored(site)
    site.manage("shell", "-c", WITHDRAW)
    assert paired.upload_wake_word(recording(105)) == 403
    assert stored(site) == before
    site.manage("shell", "-c", GIVE)
    assert paired.upload_wake_word(recording(105)) == 201
