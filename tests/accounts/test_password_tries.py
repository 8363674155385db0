"""Guessing passwords is bounded, and whoever guesses locks nobody out. A class behind one address gets in."""

import re
from ipaddress import ip_network

import pytest
from django.contrib.auth.hashers import make_password
from django.test import Client

from accounts import known_browsers, limits
from accounts.models import User
from tests.support.mutants import mutant

PASSWORD = "a long pass phrase"
HERE, ELSEWHERE = "198.51.100.7", "203.0.113.5"


pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def wendy(db):
    return User.objects.create_user("Wendy", password=PASSWORD)


def browser(address=HERE):
    return Client(REMOTE_ADDR=address)


def log_in(client, name="wendy", password="wrong"):
    return client.post("/accounts/login/", {"login": name, "password": password})


def gets_in(client, name="wendy"):
    return log_in(client, name, PASSWORD).status_code == 302


@mutant(
    "a stranger who guesses a password is stopped",
    "accounts/password_tries.py",
    kept_by="        (limits.ACCOUNT_AT_ADDRESS, limits.subject(account, address)),\n",
    broken="",
)
def test_a_stranger_is_stopped_after_ten_wrong_passwords(wendy, clock):
    answers = [log_in(browser()) for _ in range(11)]
    assert [each.status_code for each in answers] == [200] * 10 + [429]
    assert answers[-1]["Retry-After"] == "899"
    page = answers[-1].content.decode()
    assert "Too many wrong passwords. Try again in 15 minutes." in page and 'value="wendy"' in page
    assert not gets_in(browser())
    clock.pass_by(minutes=15)
    assert gets_in(browser())


@mutant(
    "a stranger's wrong passwords do not lock the owner out",
    "accounts/password_tries.py",
    kept_by="(limits.ACCOUNT_AT_ADDRESS, limits.subject(account, address))",
    broken="(limits.ACCOUNT_AT_ADDRESS, account)",
)
def test_the_owner_gets_in_from_elsewhere(wendy):
    for _ in range(20):
        log_in(browser(HERE))
    assert gets_in(browser(ELSEWHERE))


@mutant(
    "where the owner logged in before, no one's wrong passwords lock the owner out",
    "accounts/password_tries.py",
    kept_by="    if browser := known_browsers.number(request, pseudonym):",
    broken="    if browser := '':",
)
def test_the_owner_gets_in_at_the_same_address_with_a_browser_that_was_used_before(wendy):
    own = browser(HERE)
    assert gets_in(own)
    own.post("/accounts/logout/")
    for _ in range(20):
        log_in(browser(HERE))
    assert not gets_in(browser(HERE))
    assert gets_in(own)


def test_a_known_browser_has_a_limit_of_its_own(wendy):
    own = browser(HERE)
    assert gets_in(own)
    own.post("/accounts/logout/")
    assert [log_in(own).status_code for _ in range(11)] == [200] * 10 + [429]
    assert gets_in(browser(HERE))


def test_no_one_can_make_a_browser_known_to_anothers_account(wendy):
    User.objects.create_user("mallory", password=PASSWORD)
    own = browser(HERE)
    assert gets_in(own, "mallory")
    own.post("/accounts/logout/")
    known = own.cookies[known_browsers.cookie()].value
    forged = ("x.y", ".", known[:-1] + ("0" if known[-1] != "0" else "1"), "\u00e9.\u00e9", known)
    for each in forged:
        own.cookies[known_browsers.cookie()] = each
        assert known_browsers.number(log_in(own).wsgi_request, "wendy") == ""


def test_the_cookie_names_no_one_and_is_for_this_host_alone(wendy, settings):
    own = browser()
    assert gets_in(own)
    cookie = own.cookies[known_browsers.cookie()]
    assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == ("/", True, "Lax")
    assert bool(cookie["secure"]) == settings.SESSION_COOKIE_SECURE and re.fullmatch(
        r"[\w-]{22}\.[0-9a-f]{64}", cookie.value
    )
    first = cookie.value
    own.post("/accounts/logout/")
    gets_in(own)
    assert own.cookies[known_browsers.cookie()].value not in ("", first)


def test_leaving_deletes_the_cookie(wendy):
    own = browser()
    gets_in(own)
    answer = own.post("/leave/", {"answers": "remove"})
    assert answer.cookies[known_browsers.cookie()]["max-age"] == 0


@mutant(
    "a password is not guessed from many addresses",
    "accounts/password_tries.py",
    kept_by="        (limits.ACCOUNT, account),\n",
    broken="",
)
def test_many_strangers_together_are_stopped_and_the_owner_gets_in_with_a_known_browser(wendy):
    own = browser(ELSEWHERE)
    gets_in(own)
    own.post("/accounts/logout/")
    tried = [log_in(browser(f"198.51.100.{number}")).status_code for number in range(101)]
    assert tried == [200] * 100 + [429]
    assert not gets_in(browser("192.0.2.1"))
    assert gets_in(own)


@mutant(
    "one address does not guess the passwords of many accounts",
    "accounts/password_tries.py",
    kept_by="        (limits.ADDRESS, address),\n",
    broken="",
)
def test_one_address_cannot_try_one_password_at_every_account(db):
    tried = [log_in(browser(), f"person {number}").status_code for number in range(151)]
    assert tried == [200] * 150 + [429]


def test_an_ipv6_network_is_one_address(wendy):
    tried = [log_in(browser(f"2001:db8:0:5::{number:x}")).status_code for number in range(11)]
    assert tried == [200] * 10 + [429]


def test_spellings_of_a_name_are_one_account(wendy):
    names = ["wendy", "Wendy", "WENDY", "\uff37endy"] * 3
    assert [log_in(browser(), name).status_code for name in names][9:] == [200, 429, 429]


def test_an_account_that_does_not_exist_is_limited_alike(db):
    answers = [log_in(browser(), "nobody") for _ in range(11)]
    assert [each.status_code for each in answers] == [200] * 10 + [429]


@mutant(
    "a class of thirty behind one address logs in, with mistakes",
    "accounts/limits.py",
    kept_by='"wrong passwords from one address", 150,',
    broken='"wrong passwords from one address", 10,',
)
def test_thirty_people_behind_one_address_mistype_three_times_and_log_in(db):
    password = make_password(PASSWORD)
    people = [f"pupil{number}" for number in range(30)]
    for name in people:
        User.objects.filter(pk=User.objects.create_user(name).pk).update(password=password)
    for _ in range(3):
        assert {log_in(browser(), name).status_code for name in people} == {200}
    assert all(gets_in(browser(), name) for name in people)


def test_right_passwords_do_not_count_as_wrong(wendy):
    assert all(gets_in(browser()) for _ in range(12))
    assert [log_in(browser()).status_code for _ in range(11)] == [200] * 10 + [429]


def sign_up(client, name, password=PASSWORD):
    return client.post("/accounts/signup/", {"username": name, "password1": password})


@mutant(
    "a class of thirty behind one address signs up",
    "accounts/limits.py",
    kept_by='"new accounts from one address", 100,',
    broken='"new accounts from one address", 20,',
)
def test_thirty_people_behind_one_address_sign_up_with_mistakes(db):
    for number in range(30):
        assert sign_up(browser(), f"pupil{number}", "short").status_code == 200
        assert sign_up(browser(), f"pupil{number}").status_code == 302
    assert User.objects.count() == 30


@mutant(
    "one address makes no thousand accounts",
    "accounts/forms.py",
    kept_by="            counted((limits.SIGN_UPS, address))\n",
    broken="            pass\n",
)
def test_one_address_cannot_make_accounts_without_end_and_what_was_typed_is_kept(db, monkeypatch):
    few = limits.Limit("few", 2, limits.HOUR, limits.LimitRefusal.SIGN_UPS)
    monkeypatch.setattr(limits, "SIGN_UPS", few)
    assert [sign_up(browser(), name).status_code for name in ("ann", "bob")] == [302, 302]
    refused = sign_up(browser(), "Carol-of-the-hills")
    page = refused.content.decode()
    assert (refused.status_code, refused["Retry-After"]) == (429, "3599")
    assert 'value="Carol-of-the-hills"' in page and 'role="alert"' in page
    assert "Too many people are signing up from your network. Try again in 60 minutes." in page
    assert User.objects.count() == 2
    assert sign_up(browser(ELSEWHERE), "Carol-of-the-hills").status_code == 302


@mutant(
    "no one learns by trying which names are taken",
    "accounts/forms.py",
    kept_by="            self.errors.clear()",
    broken="            pass",
)
def test_a_limited_sign_up_does_not_say_whether_the_name_is_taken(wendy, monkeypatch):
    few = limits.Limit("few", 1, limits.HOUR, limits.LimitRefusal.SIGN_UPS)
    monkeypatch.setattr(limits, "SIGN_UP_FORMS", few)
    assert "already exists" in sign_up(browser(), "Wendy").content.decode()
    refused = sign_up(browser(), "Wendy")
    assert refused.status_code == 429 and "already exists" not in refused.content.decode()


def test_over_a_unix_socket_people_log_in(wendy):
    """Django's client gives the peer of a unix socket as Gunicorn does."""
    assert gets_in(browser(""))


@mutant(
    "behind a trusted web server, everyone has limits of their own",
    "accounts/password_tries.py",
    kept_by="account, address = names.looked_up(pseudonym), client_addresses.client(request)\n    if",
    broken='account, address = names.looked_up(pseudonym), request.META["REMOTE_ADDR"]\n    if',
)
def test_people_behind_one_trusted_web_server_are_limited_apart(wendy, settings):
    settings.TRUSTED_PROXIES = [ip_network("10.1.0.9")]
    one, other = (Client(REMOTE_ADDR="10.1.0.9", HTTP_X_FORWARDED_FOR=each) for each in (HERE, ELSEWHERE))
    assert [log_in(one).status_code for _ in range(11)][-1] == 429
    assert gets_in(other)


def test_the_log_in_of_the_admin_has_the_same_limits(wendy):
    User.objects.filter(pk=wendy.pk).update(is_staff=True, is_superuser=True)
    client = browser()
    for _ in range(11):
        answer = client.post(
            "/admin/login/?next=/admin/", {"username": "wendy", "password": "x"}, follow=True
        )
    assert answer.redirect_chain[-1][0].startswith("/accounts/login/")
    for _ in range(10):
        log_in(client)
    assert log_in(client, password=PASSWORD).status_code == 429


@mutant(
    "the old password is not guessed in a session that was left open",
    "accounts/forms.py",
    kept_by="            tried = password_tries.count_confirmation(self.user, timezone.now())",
    broken="            tried = limits.count(timezone.now())",
)
def test_whoever_is_logged_in_has_ten_tries_to_type_the_password_again(wendy):
    client = browser()
    client.force_login(wendy)
    sent = {"oldpassword": "wrong", "password1": "another pass phrase", "password2": "another pass phrase"}
    tried = [client.post("/accounts/password/change/", sent).status_code for _ in range(11)]
    assert tried == [200] * 10 + [429]
    right = client.post("/accounts/password/change/", sent | {"oldpassword": PASSWORD})
    assert right.status_code == 429 and wendy.check_password(PASSWORD)


def test_a_new_password_ends_the_wait_of_whoever_forgot_the_old_one(wendy, rf):
    for _ in range(11):
        log_in(browser())
    client = browser()
    client.force_login(wendy)
    new = "another pass phrase"
    sent = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    assert client.post("/accounts/password/change/", sent).status_code == 302
    assert log_in(browser(), password=new).status_code == 302


def test_without_redis_people_log_in_and_strangers_are_stopped(wendy, settings):
    settings.REDIS_URL = "unix:///nowhere/valkey.sock"
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": settings.REDIS_URL}}
    limits._in_redis.cache_clear()
    assert [log_in(browser()).status_code for _ in range(11)] == [200] * 10 + [429]
    assert gets_in(browser(ELSEWHERE))
    limits._in_redis.cache_clear()
