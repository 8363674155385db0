"""The second factor: power counts only with one, its secrets are sealed, and it ends with its owner."""

import json
from io import StringIO
from urllib.parse import unquote

import pytest
from allauth.mfa.models import Authenticator
from django.core import checks
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver
from django.utils import timezone

from accounts import devices, journal, keys
from accounts.factors import authenticators
from accounts.models import AuditEvent, PersonalSession, ProgramToken, Role, Scope, User
from datasets.models import Withdrawal
from tagger.privacy import personal_data, withdrawal
from tagger.welcome import pledge
from tests.clips.test_imports import database_in_plain
from tests.conftest import NOW
from tests.support import factors
from tests.support.every_page import filled, one_of_each, routes
from tests.support.factors import SECRET, code, give_factor
from tests.support.mutants import mutant
from tests.support.people import PASSWORD, many_log_ins
from tests.support.scan import Scanner

INDEX = "/accounts/2fa/"
POWERS = {
    "reviewer": {"roles": [Role.ANNOTATOR, Role.REVIEWER]},
    "researcher": {"roles": [Role.RESEARCHER]},
    "staff": {"roles": [], "is_staff": True},
    "superuser": {"roles": [], "is_staff": True, "is_superuser": True},
}
# What nobody is kept from, beside the pages for setting up a factor.
RIGHTS = (
    *(
        "/releases/mine/",
        "/profile/consent/",
        "/profile/consent/withdraw/",
        "/profile/receipts/",
        "/my-clips/",
        "/my-data/",
        "/leave/",
    ),
    *(
        "/receipts/",
        "/ledger/",
        "/language/",
        "/accounts/logout/",
        "/admin/logout/",
        "/accounts/password/change/",
    ),
)


@pytest.fixture(autouse=True)
def often(settings, tmp_path):
    many_log_ins(settings, tmp_path)


@pytest.fixture
def powerful(db):
    """Makes someone with power, a password, and no factor."""
    return lambda power: User.objects.create_user(
        power, password=PASSWORD, pledge=pledge.VERSION, **POWERS[power]
    )


@pytest.fixture
def ruth(powerful):
    """A reviewer without a factor."""
    return powerful("reviewer")


def logged_in(person):
    client = Client()
    client.force_login(person)
    return client


def by_password(name, password=PASSWORD):
    """A browser in which someone typed this password; where it was led to."""
    client = Client()
    return client, client.post("/accounts/login/", {"login": name, "password": password})


def set_up(client, password=PASSWORD):
    """Set up an app through the pages, as they ask for the password again; returns its secret."""
    client.post("/accounts/reauthenticate/", {"password": password})
    secret = client.get("/accounts/2fa/totp/activate/").context["form"].secret
    answered = client.post("/accounts/2fa/totp/activate/", {"code": code(secret)})
    assert answered["Location"] == "/accounts/2fa/recovery-codes/"
    return secret


def is_led_to_set_up(answer):
    return (answer.status_code, answer.get("Location")) == (302, INDEX)


# --- power counts only with a factor ----------------------------------------------------------------------


@mutant(
    "without a second factor a powerful role opens one page",
    "accounts/factors/guard.py",
    kept_by="        if request.user.is_authenticated and request.user.lacks_factor:\n",
    broken="        if False:\n",
)
@pytest.mark.parametrize("power", POWERS)
def test_without_a_factor_every_address_is_the_one_page_a_right_or_a_call(db, power):
    """A role matrix: each address of the site, asked by someone with power and no factor."""
    things = one_of_each()
    person = User.objects.create_user(power, pledge=pledge.VERSION, **POWERS[power])
    client = logged_in(person)
    addresses = {filled(route, things) for route in routes(get_resolver())}
    shown = set()
    for address in sorted(addresses - {"/accounts/logout/", "/admin/logout/"}):
        answer = client.get(address)
        if answer.status_code == 200 and answer["Content-Type"].startswith("text/html"):
            shown.add(address)
    # What a browser keeps for a time without a network is the same for everyone.
    rest = {address for address in shown if not address.startswith((INDEX, *RIGHTS, "/offline/"))}
    assert rest == {"/accounts/reauthenticate/"} & rest
    for address in ("/", "/profile/", "/review/", "/releases/", "/admin/", "/admin/accounts/user/", "/tag/"):
        assert is_led_to_set_up(client.get(address)), address
    assert is_led_to_set_up(client.post("/profile/tokens/")) and not ProgramToken.objects.filter(user=person)


@pytest.mark.parametrize("power", POWERS)
def test_with_a_factor_the_role_opens_its_pages(powerful, power):
    opens = {
        "reviewer": ["/review/"],
        "researcher": ["/releases/"],
        "staff": ["/admin/"],
        "superuser": ["/admin/", "/review/"],
    }
    client = logged_in(give_factor(powerful(power)))
    for address in opens[power]:
        assert client.get(address).status_code == 200


def test_the_one_page_says_why_and_names_every_way_out(ruth):
    drawn = logged_in(ruth).get(INDEX).content.decode()
    assert "you can use only this page and those listed below" in drawn
    for address in ("totp/activate/", "webauthn/add/"):
        assert f'href="{INDEX}{address}"' in drawn
    for address in ("/profile/consent/", "/my-clips/", "/my-data/", "/leave/"):
        assert f'href="{address}"' in drawn
    assert 'action="/accounts/logout/"' in drawn and "/review/" not in drawn


@mutant(
    "no one is kept from leaving for want of a second factor",
    "tagger/privacy/views_leaving.py",
    kept_by="@open_without_factor\n@never_cache\n",
    broken="@never_cache\n",
)
def test_leaving_taking_ones_data_and_withdrawing_need_no_factor(ruth, alice):
    alice.roles = [*alice.roles, Role.RESEARCHER]
    alice.save()
    client = logged_in(alice)
    assert client.post("/profile/consent/withdraw/")["Location"] != INDEX
    assert not alice.consents.live().exists()
    assert client.get("/my-data/").status_code == 200
    client = logged_in(ruth)
    asked = client.post("/leave/", {"answers": "remove"})["Location"]
    client.post(asked, {"password": PASSWORD})
    assert client.post("/leave/", {"answers": "remove"})["Location"].startswith("/receipts/erasure/")
    assert not User.objects.get(pk=ruth.pk).is_active


@mutant(
    "a call that needs a powerful role is refused without a second factor",
    "accounts/models.py",
    kept_by="        return self.was_given(role) and not self.lacks_factor_for(role)\n",
    broken="        return self.was_given(role)\n",
)
@pytest.mark.parametrize("by_token", [True, False], ids=["token", "session"])
def test_a_call_without_a_factor_is_403_and_says_where_to_set_it_up(powerful, by_token):
    person = powerful("reviewer")
    token = ProgramToken.objects.create(person, [Scope.REVIEW])[1]
    headers = {"Authorization": f"Token {token}"} if by_token else {}
    client = Client(headers=headers) if by_token else logged_in(person)
    answer = client.get("/api/v1/reviews/")
    assert (answer.status_code, answer.json()["code"]) == (403, "second-factor-missing")
    assert answer.json()["set_up"] == f"http://testserver{INDEX}"
    give_factor(person)
    assert (client if by_token else logged_in(person)).get("/api/v1/reviews/").status_code == 200


def test_what_a_role_without_power_may_call_needs_no_factor(ruth, juniper):
    token = ProgramToken.objects.create(ruth)[1]
    client = Client(headers={"Authorization": f"Token {token}"})
    lent = client.post("/api/v1/campaigns/juniper/assignments/", {"count": 1}, "application/json")
    assert lent.status_code == 201
    root = User.objects.create_superuser("root", roles=[])
    token = ProgramToken.objects.create(root, [Scope.TAG])[1]
    client = Client(headers={"Authorization": f"Token {token}"})
    lent = client.post("/api/v1/campaigns/juniper/assignments/", {"count": 1}, "application/json")
    assert lent.json()["code"] == "second-factor-missing"  # their right is a superuser's


def test_volunteers_and_contributors_need_none_and_pay_no_query(bea, juniper, django_assert_num_queries):
    client = logged_in(bea)
    with CaptureQueriesContext(connection) as asked:
        assert client.get("/tag/juniper/").status_code == 200
    assert len(asked) > 2 and not any("mfa_" in query["sql"] for query in asked)
    with django_assert_num_queries(0):
        assert bea.has_role(Role.ANNOTATOR) and not bea.has_role(Role.REVIEWER) and not bea.lacks_factor


def test_recovery_codes_alone_are_no_factor(ruth):
    Authenticator.objects.create(user=ruth, type="recovery_codes", data={"seed": "00", "used_mask": 0})
    assert is_led_to_set_up(logged_in(ruth).get("/review/"))


@pytest.mark.parametrize(
    ("wanted", "leads"),
    [
        ("/releases/", "/releases/"),
        ("https://elsewhere.example/", "/"),
        ("//elsewhere.example/", "/"),
        ("", "/"),
    ],
)
def test_setting_up_a_factor_leads_back_to_the_page_that_asked_for_it(wanted, leads, ruth):
    client = logged_in(ruth)
    client.get("/accounts/2fa/", {"next": wanted})
    give_factor(ruth)
    factors.confirm(client, ruth)
    Authenticator.objects.create(user=ruth, type="recovery_codes", data={"seed": "00", "used_mask": 0})
    page = client.get("/accounts/2fa/recovery-codes/").content.decode()
    assert f'<a class="button" href="{leads}">Continue</a>' in page


# --- a stolen password is not enough ----------------------------------------------------------------------


def test_the_right_password_leads_to_the_second_factor_and_no_further(ruth):
    give_factor(ruth)
    client, answer = by_password("reviewer")
    assert answer["Location"] == "/accounts/2fa/authenticate/"
    assert client.get("/review/")["Location"].startswith("/accounts/login/")
    assert client.get("/profile/")["Location"].startswith("/accounts/login/")
    wrong = client.post("/accounts/2fa/authenticate/", {"code": "000000"})
    assert "Incorrect code" in wrong.content.decode()
    assert client.post("/accounts/2fa/authenticate/", {"code": code()}).status_code == 302
    assert client.get("/review/").status_code == 200


@mutant(
    "a session from before the second factor does not count",
    "accounts/models.py",
    kept_by="        return self.has_factor and proven\n",
    broken="        return self.has_factor\n",
)
def test_a_session_from_before_the_factor_shows_one_page_until_it_is_confirmed(ruth):
    client = Client()
    factors.log_in_by_password_alone(client, ruth)
    give_factor(ruth)
    assert is_led_to_set_up(client.get("/review/"))
    drawn = client.get(INDEX).content.decode()
    assert "Confirm that it is you" in drawn and "totp" not in drawn
    confirmed = client.post(
        "/accounts/2fa/reauthenticate/?next=/review/", {"code": code(), "next": "/review/"}
    )
    assert confirmed["Location"] == "/review/"
    assert client.get("/review/").status_code == 200


@mutant(
    "a password alone neither shows nor changes anyone's factors",
    "accounts/factors/views.py",
    kept_by="            raise ReauthenticationRequired\n",
    broken="            pass\n",
)
@pytest.mark.parametrize(
    "page",
    [
        "totp/deactivate/",
        "webauthn/add/",
        "recovery-codes/",
        "recovery-codes/generate/",
        "recovery-codes/download/",
    ],
)
def test_a_session_without_the_factor_cannot_get_at_it_by_the_password(bea, page):
    bea.set_password(PASSWORD)
    bea.save()
    client = Client()
    factors.log_in_by_password_alone(client, bea)
    give_factor(bea)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    asked = client.get(f"{INDEX}{page}")
    assert unquote(asked["Location"]) == f"/accounts/2fa/reauthenticate/?next={INDEX}{page}"


@mutant(
    "a session opened with a factor that was removed does not count",
    "accounts/models.py",
    kept_by="not self.session_factors.isdisjoint(self._factors)",
    broken="bool(self.session_factors)",
)
def test_a_session_opened_with_a_factor_that_is_gone_does_not_count(ruth):
    give_factor(ruth)
    client = logged_in(ruth)
    assert client.get("/review/").status_code == 200
    ruth.authenticator_set.all().delete()
    give_factor(ruth)
    assert is_led_to_set_up(client.get("/review/"))


@mutant(
    "the first factor ends what was opened by the password alone",
    "accounts/factors/authenticators.py",
    kept_by="    return _end_other_log_ins(request, person) if factors.count() == 1 else 0\n",
    broken="    return 0\n",
)
def test_the_first_factor_ends_other_sessions_and_tokens_and_a_second_one_does_not(ruth):
    thief = logged_in(ruth)
    client, _ = by_password("reviewer")
    token = ProgramToken.objects.create(ruth)[0]
    set_up(client)
    assert PersonalSession.objects.filter(person=ruth).count() == 1
    assert thief.get("/profile/")["Location"].startswith("/accounts/login/")
    assert not ProgramToken.objects.exists()
    assert [entry["digest"] for entry in journal.entries() if entry["kind"] == "token"] == [token.digest]
    assert client.get("/review/").status_code == 200
    ProgramToken.objects.create(ruth)
    Authenticator.objects.create(user=ruth, type="webauthn", data={"name": "blue", "credential": {}})
    request = client.get("/review/").wsgi_request
    assert authenticators.added(request, ruth) == 0 and ProgramToken.objects.exists()


@mutant(
    "a code of the app counts once",
    "accounts/factors/authenticators.py",
    kept_by="    if not cache.add(used, 1, SECONDS_A_CODE_COUNTS):\n",
    broken="    if False:\n",
)
def test_a_code_counts_once_also_half_a_minute_later(ruth):
    give_factor(ruth)
    seen = code(steps=1)
    for outcome in (302, 200):
        client, _ = by_password("reviewer")
        assert client.post("/accounts/2fa/authenticate/", {"code": seen}).status_code == outcome
        cache.delete(f"allauth.mfa.totp.used?user={ruth.pk}&code={seen}")  # allauth forgets it by then


def test_codes_are_limited(ruth):
    give_factor(ruth)
    client, _ = by_password("reviewer")
    for _ in range(11):
        drawn = client.post("/accounts/2fa/authenticate/", {"code": "000000"}).content.decode()
    assert "Too many failed login attempts" in drawn
    drawn = client.post("/accounts/2fa/authenticate/", {"code": code()}).content.decode()
    assert "Too many failed login attempts" in drawn


# --- recovery ---------------------------------------------------------------------------------------------


def test_a_recovery_code_takes_the_place_of_a_lost_factor_once(ruth):
    client, _ = by_password("reviewer")
    set_up(client)
    codes = client.get("/accounts/2fa/recovery-codes/").context["unused_codes"]
    assert client.get("/accounts/2fa/recovery-codes/download/").content.decode().split() == codes
    for outcome in (302, 200):
        again, _ = by_password("reviewer")
        assert again.post("/accounts/2fa/authenticate/", {"code": codes[0]}).status_code == outcome
    last, _ = by_password("reviewer")
    last.post("/accounts/2fa/authenticate/", {"code": codes[1]})
    assert last.get("/review/").status_code == 200
    last.post("/accounts/2fa/reauthenticate/", {"code": codes[2]})
    last.post("/accounts/2fa/recovery-codes/generate/")
    fresh = last.get("/accounts/2fa/recovery-codes/").context["unused_codes"]
    assert not {*codes} & {*fresh} and last.get("/review/").status_code == 200
    used = [entry["used"] for entry in journal.entries() if entry["kind"] == "recovery-code"]
    assert used == [0b1, 0b11, 0b111]


@mutant(
    "a reset of someone's factors is in the audit record",
    "accounts/factors/authenticators.py",
    kept_by='    audit.record(audit.Act.RESET_FACTORS, f"person {person.pk}", None, now)\n',
    broken="",
)
def test_the_operator_resets_lost_factors_and_the_record_says_so(db):
    call_command("createsuperuser", username="first", interactive=False)
    first = User.objects.get_by_natural_key("first")
    first.set_password(PASSWORD)
    first.save()
    client, answer = by_password("first")
    assert is_led_to_set_up(client.get("/admin/"))
    set_up(client)
    assert client.get("/admin/").status_code == 200
    output = StringIO()
    call_command("reset_factors", "First", stdout=output)
    assert "Removed second factors: 1" in output.getvalue()
    assert not Authenticator.objects.exists() and not PersonalSession.objects.exists()
    event = AuditEvent.objects.get(act="reset-factors")
    assert (event.about, event.person) == (f"person {first.pk}", None)
    client, answer = by_password("first")
    assert answer["Location"] == "/tag/" and is_led_to_set_up(client.get("/tag/"))
    with pytest.raises(CommandError, match="They have no second factor"):
        call_command("reset_factors", "first")
    with pytest.raises(CommandError, match="No one here has this pseudonym"):
        call_command("reset_factors", "nobody")


def test_who_removes_their_last_factor_is_led_to_set_one_up(ruth):
    client, _ = by_password("reviewer")
    set_up(client)
    gone = set(ruth.authenticator_set.values_list("pk", flat=True))
    assert client.post("/accounts/2fa/totp/deactivate/")["Location"] == INDEX
    assert is_led_to_set_up(client.get("/review/"))
    assert {entry["factor"] for entry in journal.entries() if entry["kind"] == "factor"} == gone


# --- what is stored ---------------------------------------------------------------------------------------


@mutant(
    "the data of a factor is stored sealed",
    "accounts/factors/sealed.py",
    kept_by="        return seal(model_instance, model_instance.user.data_key.open(), plain)\n",
    broken="        return plain\n",
)
@mutant(
    "a secret that is being set up is stored sealed",
    "accounts/factors/forms.py",
    kept_by="        context.request.session[SECRET_SESSION_KEY] = _sealed(self.user, self.secret)\n",
    broken="        context.request.session[SECRET_SESSION_KEY] = self.secret\n",
)
def test_no_secret_of_a_factor_and_no_name_is_in_the_database(db):
    person = User.objects.create_user("Zerafina-71", password=PASSWORD, roles=[Role.REVIEWER])
    client, _ = by_password("Zerafina-71")
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    being_set_up = client.get("/accounts/2fa/totp/activate/").context["form"].secret
    stored = "\n".join(database_in_plain())
    scanner = Scanner({"secret": being_set_up, "name": "Zerafina-71"})
    assert scanner.names(stored.encode()) == set()
    secret = set_up(client)
    codes = client.get("/accounts/2fa/recovery-codes/").context["unused_codes"]
    Authenticator.objects.create(
        user=person, type="webauthn", data={"name": "the emerald fob", "credential": {}}
    )
    seed = person.authenticator_set.get(type="recovery_codes").data["seed"]
    canaries = {
        "secret": secret,
        "name": "Zerafina-71",
        "key": "the emerald fob",
        "seed": seed,
        "code": codes[0],
    }
    stored = "\n".join(database_in_plain())
    assert "sealed" in stored and Scanner(canaries).names(stored.encode()) == set()
    assert person.authenticator_set.get(type="totp").data == {"secret": secret}


def test_the_app_shows_its_owner_the_pseudonym_and_the_site(ruth):
    client, _ = by_password("reviewer")
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    page = client.get("/accounts/2fa/totp/activate/")
    assert page.context["totp_url"].startswith("otpauth://totp/reviewer?secret=")
    drawn = page.content.decode()
    assert page.context["form"].secret in drawn and 'src="data:image/svg+xml;base64,' in drawn
    assert "no-store" in page["Cache-Control"]


@mutant(
    "factors open after their owner's data key was replaced",
    "tagger/privacy/withdrawal.py",
    kept_by="        authenticators.reseal(person, old, new)\n",
    broken="",
)
def test_factors_open_after_some_clips_were_erased(alice, juniper, share):
    give_factor(alice)
    share(juniper)
    withdrawal.forget_clips(alice, list(alice.clips.values_list("pk", flat=True)), NOW)
    before = keys.existing_key(alice)
    for request in Withdrawal.objects.all():
        withdrawal.scrub(request, timezone.now)
    assert keys.existing_key(User.objects.get(pk=alice.pk)) != before
    assert Authenticator.objects.get().data == {"secret": SECRET}


@mutant(
    "a person's factors are erased with them",
    "tagger/privacy/withdrawal.py",
    kept_by='            "factors": authenticators.forget(person),\n',
    broken="",
)
def test_leaving_erases_the_factors(rita, client):
    client.force_login(rita)
    withdrawal.forget_account(rita, False, NOW)
    for request in Withdrawal.objects.all():
        withdrawal.scrub(request, timezone.now)
    assert not Authenticator.objects.exists() and not PersonalSession.objects.exists()
    assert Withdrawal.objects.get().counts["factors"] == 1


def test_the_download_has_the_kinds_of_factors_and_since_when_and_no_secret(rita):
    [profile] = [
        json.loads(b"".join(pieces))
        for name, pieces in personal_data._files(rita, NOW)
        if name == "profile.json"
    ]
    assert [each["kind"] for each in profile["second_factors"]] == ["totp"]
    assert profile["second_factors"][0]["since"] == f"{timezone.now():%Y-%m-%d}"
    assert SECRET not in json.dumps(profile)


# --- accounts of the demo ---------------------------------------------------------------------------------


@pytest.fixture
def demo(db):
    return User.objects.create_superuser("admin", password=PASSWORD, roles=list(Role), is_demo=True)


def test_a_demo_account_needs_no_factor_while_debug_is_on(demo, settings):
    settings.DEBUG = True
    client, answer = by_password("admin")
    assert answer["Location"] == "/tag/"
    for address in ("/admin/", "/review/", "/releases/"):
        assert client.get(address).status_code == 200


@mutant(
    "a person without a factor is not taken for a demo account",
    "accounts/models.py",
    kept_by="        return self.is_demo and settings.DEBUG\n",
    broken="        return settings.DEBUG\n",
)
def test_debug_exempts_no_one_else(ruth, settings):
    settings.DEBUG = True
    assert is_led_to_set_up(logged_in(ruth).get("/review/"))


@mutant(
    "without DEBUG no session of a demo account works",
    "accounts/backends.py",
    kept_by="        return bool(user.may_log_in)\n",
    broken="        return bool(user.is_active)\n",
)
@mutant(
    "without DEBUG no token of a demo account works",
    "accounts/tokens.py",
    kept_by="        if not person.may_log_in:\n",
    broken="        if not person.is_active:\n",
)
def test_without_debug_a_demo_account_comes_in_by_no_door(demo, settings):
    settings.DEBUG = True
    opened, _ = by_password("admin")
    token = Client(headers={"Authorization": f"Token {ProgramToken.objects.create(demo)[1]}"})
    assert (opened.get("/profile/").status_code, token.get("/api/v1/campaigns/").status_code) == (200, 200)
    settings.DEBUG = False
    assert opened.get("/profile/")["Location"].startswith("/accounts/login/")
    assert opened.get("/admin/", follow=True).redirect_chain[-1][0].startswith("/accounts/login/")
    assert token.get("/api/v1/campaigns/").status_code == 401
    client, answer = by_password("admin")
    assert answer["Location"] == "/accounts/inactive/" and "_auth_user_id" not in client.session
    give_factor(demo)
    assert by_password("admin")[1]["Location"] == "/accounts/inactive/"
    assert not demo.has_role(Role.ANNOTATOR)


@mutant(
    "without DEBUG no device of a demo account renews its tokens",
    "accounts/devices.py",
    kept_by="    if login is None or not login.device.owner.may_log_in:\n",
    broken="    if login is None:\n",
)
def test_without_debug_no_device_of_a_demo_account_works(demo, settings):
    now, state = timezone.now(), "a state that is long enough"
    settings.DEBUG = True
    offers = [devices.offer(state, now) for _ in range(2)]
    kitchen, _attic = (devices.claim(demo, offer.code, "a device", now) for offer in offers)
    login = devices.activate(state, offers[0].token, {}, now)
    assert devices.by_access(login.access, kitchen.uuid, now) == kitchen
    settings.DEBUG = False
    for refused, call in (
        (devices.InvalidToken, lambda: devices.by_access(login.access, kitchen.uuid, now)),
        (devices.InvalidToken, lambda: devices.renew(login.refresh, None, now)),
        (devices.NotClaimed, lambda: devices.activate(state, offers[1].token, {}, now)),
    ):
        with pytest.raises(refused):
            call()
    settings.DEBUG = True
    assert devices.renew(login.refresh, None, now).device == kitchen.uuid


def test_check_deploy_names_the_demo_accounts_that_are_left(demo, settings):
    def warned():
        return [
            each.msg
            for each in checks.run_checks(include_deployment_checks=True)
            if each.id == "accounts.W002"
        ]

    assert warned() == ["1 demo accounts are in the database: admin."]
    demo.forget()
    assert warned() == []
