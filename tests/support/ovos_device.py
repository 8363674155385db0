"""A device that uses ovos-backend-client: a program that reads commands line by line.

Each line of its input names a function below and its argument; each line of its output is the result in JSON.
It is a separate process because the client keeps one identity per process, in files under HOME.
"""

import json
import os
import sys
import threading
from pathlib import Path

from ovos_backend_client.api import DatasetApi, DeviceApi
from ovos_backend_client.identity import IdentityManager
from ovos_backend_client.pairing import PairingManager, is_paired

URL = sys.argv[1]
ANSWERS = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # the client logs to stdout, which is used for results here
paired = threading.Event()


class Recording:
    """What the client accepts as audio."""

    def __init__(self, path):
        self.get_wav_data = Path(path).read_bytes


def threads(_):
    return [thread.name for thread in threading.enumerate()]


def ask_for_code(_):
    """The client then polls by itself until the code is entered."""
    codes = []
    manager = PairingManager(
        api_url=URL, version="v1", code_callback=codes.append, success_callback=paired.set
    )
    manager.poll_frequency = 0.2
    manager.kickoff_pairing()
    return codes


def wait_until_paired(_):
    return paired.wait(60)


def identity(_):
    return vars(IdentityManager.load())


def check(_):
    return bool(is_paired(url=URL))


def describe(_):
    return DeviceApi(URL).get()


def new_version(version):
    return DeviceApi(URL).update_version(core_version=version).status_code


def expire_token(_):
    """Makes the client believe that its token expired."""
    IdentityManager.load().expires_at = 1
    IdentityManager.save()


def refresh(_):
    """Uses parts of the client, because its own method raises before it sends anything (version 1.0.1)."""
    backend = DeviceApi(URL).backend
    bearer = {"Authorization": f"Bearer {backend.identity.refresh}"}
    IdentityManager.save(backend.get(f"{URL}/v1/auth/token", headers=bearer).json())


def upload_wake_word(path):
    metadata = {"name": "hey_juniper", "engine": "ovos-ww-plugin-precise", "model": "m4"}
    return DatasetApi(URL).upload_wake_word(Recording(path), metadata).status_code


def upload_utterance(path):
    api = DatasetApi(URL)
    metadata = {"lang": "en-us", "transcription": "turn on the light", "engine": "ovos-stt"}
    address = f"{URL}/v1/device/{api.uuid}/utterance-file"
    return api.upload_stt_recording(Recording(path), metadata, address).status_code


for line in sys.stdin:
    name, _space, argument = line.strip().partition(" ")
    ANSWERS.write(json.dumps(globals()[name](argument)) + "\n")
    ANSWERS.flush()
