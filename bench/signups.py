"""People sign up, one after the other, until this process's input ends; for `bench.rotating`.

Writes when each began and ended, on the clock that all processes of a machine share. No one gets a password:
its hash takes a second of processor time, and would hide how long the database makes people wait.
"""

import secrets
import select
import sys
import time

from accounts.models import User

PAUSE = 0.02


def run() -> None:
    while not select.select([sys.stdin], [], [], PAUSE)[0]:
        began = time.monotonic()
        User.objects.create_user(f"newcomer {secrets.token_hex(8)}", password=None)
        print(began, time.monotonic(), flush=True)
