"""What may be a password, and what a change of it ends."""

import re

import pytest
from allauth.account.forms import ResetPasswordKeyForm
from allauth.core.context import request_context
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.test import Client

from accounts import journal
from accounts.models import PersonalSession, ProgramToken, User
from accounts.sessions import SessionStore
from tests.support.mutants import mutant
from tests.support.people import PASSWORD, many_log_ins

NEW = "another long phrase"
CHANGE = "/accounts/password/change/"


@pytest.fixture(autouse=True)
def often(settings, tmp_path):
    many_log_ins(settings, tmp_path)


@pytest.fixture
def wanda(db):
    return User.objects.create_user("Wandering-Wanda", password=PASSWORD)


@pytest.fixture
def here(wanda):
    return logged_in(wanda)


def logged_in(person):
    client = Client()
    client.force_login(person)
    return client


def changed_to(client, password):
    fields = {"oldpassword": PASSWORD, "password1": password, "password2": password}
    return client.post(CHANGE, fields, follow=True)


def codes(password, person=None):
    with pytest.raises(ValidationError) as refused:
        validate_password(password, person)
    return {error.code for error in refused.value.error_list}


VARIATIONS = [
    "Wandering-Wanda",
    "wandering-wanda",
    "adnaW-gnirednaW",
    "WANDERING-WANDA1",
    "wandering-wanda2026!",
    "12wandering-wanda34",
    "wandering-wanda wandering-wanda",
    "Ｗandering-Wanda",
]


@mutant(
    "the pseudonym is no password, whoever has an account",
    "accounts/passwords.py",
    kept_by="        return user.pseudonym if user.pk else user.username",
    broken="        return user.username",
)
@pytest.mark.parametrize("password", VARIATIONS)
def test_the_pseudonym_is_no_password_when_it_is_changed(here, wanda, password):
    assert "too close to your pseudonym" in changed_to(here, password).content.decode()
    assert User.objects.get(pk=wanda.pk).check_password(PASSWORD)


@mutant(
    "the pseudonym is no password, whoever signs up",
    "accounts/passwords.py",
    kept_by="        return user.pseudonym if user.pk else user.username",
    broken="        return user.pseudonym",
)
@pytest.mark.parametrize("password", VARIATIONS)
def test_the_pseudonym_is_no_password_at_sign_up(db, client, password):
    page = client.post("/accounts/signup/", {"username": "Wandering-Wanda", "password1": password})
    assert "too close to your pseudonym" in page.content.decode() and not User.objects.exists()


def test_a_password_that_only_contains_the_pseudonym_is_fine():
    validate_password("a beach walk with Bea", User(username="bea"))
    validate_password("beachcombing-sandpit", User(username="bea"))


@mutant(
    "a password that many people use is refused",
    "accounts/passwords.py",
    kept_by="if is_known or _guesses(password) < FEWEST_GUESSES:",
    broken="if is_known:",
)
@pytest.mark.parametrize(
    "password",
    ["letmein2024", "P4ssw0rd!", "qwertyuiop[]", "secretpassword", "aaaaaaaaaaaa", "12.12.1990", "abcdefgh1"],
)
def test_what_is_easy_to_guess_is_refused_with_words_that_help(db, client, password):
    assert "password_easy_to_guess" in codes(password)
    page = client.post("/accounts/signup/", {"username": "wanda", "password1": password}).content.decode()
    assert "This is easy to guess" in page and not User.objects.exists()


@mutant(
    "a password that was in a breach is refused",
    "accounts/passwords.py",
    kept_by=" or _is_breached(password)",
    broken="",
)
@pytest.mark.parametrize("password", ["0198429213", "0rhl36dnxm", "!Batman60!"])
def test_a_password_from_a_breach_is_refused_however_hard_to_guess(password):
    assert "password_easy_to_guess" in codes(password)


@pytest.mark.parametrize(
    "password",
    [
        PASSWORD,
        "83019274650183",
        "ausgelatschte schuhe",
        "Ünïcödé 🦆 ok",
        "  spaces at both ends  ",
        "x7#qL2vw",
        "a sentence that is long. " * 20,
        "汉字 漢字 假名 仮名",
    ],
)
def test_any_characters_and_any_length_will_do(db, client, password):
    client.post("/accounts/signup/", {"username": "wanda", "password1": password})
    client.logout()
    for typed, answer in ((password, 302), (password + ".", 200), (password[:-1], 200)):
        assert client.post("/accounts/login/", {"login": "wanda", "password": typed}).status_code == answer
        client.logout()


def test_fewer_than_eight_characters_are_too_few():
    assert "password_too_short" in codes("x7#qL2v")


def test_the_form_says_what_is_asked_for_and_takes_what_is_pasted(db, client):
    page = client.get("/accounts/signup/").content.decode()
    assert "at least 8 characters" in page and "easy to guess" in page and "pseudonym, nor" in page
    [field] = re.findall(r'<input type="password"[^>]*>', page)
    assert "maxlength" not in field and 'autocomplete="new-password"' in field and "onpaste" not in field


# --- what a change ends -------------------------------------------------------------------------


@mutant(
    "a changed password revokes all tokens",
    "accounts/passwords.py",
    kept_by="    tokens.revoke(ProgramToken.objects.filter(user=person), timezone.now())\n",
    broken="",
)
@mutant(
    "a changed password ends all other sessions",
    "accounts/passwords.py",
    kept_by="    sessions.end_all(person, but=session)\n",
    broken="",
)
def test_a_change_ends_tokens_and_other_sessions_and_says_so(here, wanda, bea):
    there, beas = logged_in(wanda), ProgramToken.objects.create(bea)[0]
    token, text = ProgramToken.objects.create(wanda)
    page = changed_to(here, NEW)
    assert page.status_code == 200 and "Your tokens are revoked" in page.content.decode()
    assert PersonalSession.objects.filter(person=wanda).count() == 1
    assert there.get("/profile/").status_code == 302 and here.get("/profile/").status_code == 200
    assert ProgramToken.objects.get() == beas
    assert Client(headers={"authorization": f"Token {text}"}).get("/api/v1/campaigns/").status_code == 401
    assert token.digest in [entry["digest"] for entry in journal.entries() if entry["kind"] == "token"]


def test_a_refused_change_ends_nothing(here, wanda):
    there = logged_in(wanda)
    ProgramToken.objects.create(wanda)
    changed_to(here, "Wandering-Wanda")
    assert ProgramToken.objects.exists() and there.get("/profile/").status_code == 200


@pytest.fixture
def reset(wanda, rf):
    """Fill in the form that a reset's e-mail leads to; this site sends none. Returns its errors."""

    def fill_in(password):
        request = rf.get("/")
        request.session, request.user = SessionStore(), AnonymousUser()
        with request_context(request):
            form = ResetPasswordKeyForm({"password1": password, "password2": password}, user=wanda)
            return form.errors or form.save()

    return fill_in


def test_a_reset_ends_them_too_and_refuses_the_pseudonym(wanda, here, reset):
    ProgramToken.objects.create(wanda)
    assert "too close to your pseudonym" in str(reset("wandering-wanda1"))
    assert ProgramToken.objects.exists() and here.get("/profile/").status_code == 200
    assert reset(NEW) is None
    assert not ProgramToken.objects.exists() and not PersonalSession.objects.filter(person=wanda).exists()
    assert here.get("/profile/").status_code == 302
