"""People of a running site who did not sign up through its pages, which takes more than a second each."""

import json

from playwright.sync_api import expect

PASSWORD = "a long pass phrase"


def many_log_ins(settings, folder):
    """For tests that log in often: limits that no other test has used up."""
    memory = "django.core.cache.backends.locmem.LocMemCache"
    settings.CACHES = {"default": {"BACKEND": memory, "LOCATION": str(folder)}}


CREATE = """
import json
from time import time
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.test import Client
from accounts.models import User
from tagger.welcome import pledge

person = User.objects.create_user({name!r}, pledge=pledge.VERSION if {has_pledged} else "")
# One round instead of a million; logging in by the password makes it a million.
person.password = PBKDF2PasswordHasher().encode({password!r}, "salt", iterations=1)
person.save()
client = Client(HTTP_HOST="localhost")
client.get("/accounts/login/")  # for the token against forged requests
client.force_login(person)
session = client.session
session["logged_in_at"] = time()  # as if by the log-in page
session.save()
print(json.dumps({{name: cookie.value for name, cookie in client.cookies.items()}}))
"""


def log_in(site, page, name, has_pledged=True):
    """Create a person with PASSWORD, log the browser in as them, and open the list of campaigns."""
    code = CREATE.format(name=name, password=PASSWORD, has_pledged=has_pledged)
    cookies = json.loads(site.manage("shell", "-v", "0", "-c", code).stdout)
    page.context.add_cookies(
        [{"name": name, "value": value, "url": site.url} for name, value in cookies.items()]
    )
    page.goto("/tag/")
    expect(page.get_by_role("heading", name="Choose what to listen to")).to_be_visible()
    return page
