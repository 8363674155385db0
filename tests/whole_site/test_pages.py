"""Every page, for people who may and may not open it, and with invalid input."""

import re
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import ProgramToken, User
from datasets.models import Annotation, Campaign, Task
from tagger.lending import assignments
from tagger.models import Assignment
from tagger.welcome import pledge
from tests.support.factors import give_factor
from tests.support.reviewing import act_on, dispute_over, item_of, page_of

ROOT = Path(__file__).resolve().parents[2]

# A stranger is not logged in, Sam has no role, Bea volunteers, Rita reviews, Root runs the site.
CAST = ("stranger", "sam", "bea", "rita", "root")
PAGES = {
    "/": (200, 200, 200, 200, 200),
    "/accounts/login/": (200, 302, 302, 302, 302),
    "/accounts/signup/": (200, 302, 302, 302, 302),
    "/accounts/logout/": (302, 200, 200, 200, 200),
    "/accounts/password/set/": (302, 200, 200, 200, 200),
    "/profile/": (302, 200, 200, 200, 200),
    "/profile/sessions/": (302, 200, 200, 200, 200),
    "/profile/email/": (302, 404, 404, 404, 404),
    "/accounts/reauthenticate/": (302, 403, 403, 302, 302),  # of the cast, two have a factor to confirm with
    "/accounts/2fa/": (302, 200, 200, 200, 200),
    "/accounts/2fa/authenticate/": (302, 302, 302, 302, 302),
    "/tag/": (302, 403, 200, 200, 200),
    "/tag/juniper/agreement/": (302, 403, 200, 200, 200),
    "/campaigns/juniper/": (302, 403, 403, 403, 200),
    "/my-answers/": (302, 403, 200, 200, 200),
    "/my-answers/today/": (302, 403, 200, 200, 200),
    "/my-answers/certificate/": (302, 403, 200, 200, 200),
    "/my-answers/differences/": (302, 403, 200, 200, 200),
    "/teams/": (302, 403, 200, 200, 200),
    "/teams/join/ended/": (302, 403, 404, 404, 404),
    "/volunteers/": (302, 403, 200, 200, 200),
    "/review/volunteers/": (302, 403, 403, 200, 200),
    "/first-minute/": (302, 403, 200, 200, 200),
    "/first-minute/practice/": (302, 403, 200, 200, 200),
    "/first-minute/ready/": (302, 403, 200, 200, 200),
    "/tag/mixed/": (302, 403, 200, 200, 200),
    "/tag/next/": (302, 403, 302, 302, 302),
    "/tag/juniper/": (302, 403, 200, 200, 200),
    "/tag/sentences/": (302, 403, 200, 200, 200),
    "/tag/no-such-campaign/": (302, 403, 404, 404, 404),
    "/review/": (302, 403, 403, 200, 200),
    "/review/bulk/": (302, 403, 403, 200, 200),
    "/review/examples/": (302, 403, 403, 200, 200),
    "/review/checks/": (302, 403, 403, 403, 200),
    "/review/items/{dispute}/": (302, 403, 403, 200, 200),
    "/review/items/{dispute}/audio/": (302, 403, 403, 200, 200),
    "/review/items/{reported}/audio/": (302, 403, 403, 200, 200),
    "/review/items/999999/": (302, 403, 403, 404, 404),
    "/review/items/999999/audio/": (302, 403, 403, 404, 404),
    "/releases/": (200, 200, 200, 200, 200),
    "/releases/mine/": (302, 200, 200, 200, 200),
    "/releases/requests/": (302, 403, 403, 403, 200),
    "/releases/no-such-release/": (404, 404, 404, 404, 404),
    "/audit/": (302, 403, 403, 403, 200),
    "/first-steps/": (302, 403, 403, 403, 200),
    "/who-runs-this/": (200, 200, 200, 200, 200),
    "/audit/record.jsonl": (302, 403, 403, 403, 302),  # asks first who it is
    "/styleguide/": (404, 404, 404, 404, 200),
    "/nothing-here/": (404, 404, 404, 404, 404),
}


@pytest.fixture(autouse=True)
def plain_static(settings, tmp_path):
    """Static files are addressed as they are in the tree; these tests collect none."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": plain}
    settings.STATIC_ROOT = tmp_path


@pytest.fixture
def cast(bea, rita, sam):
    root = give_factor(User.objects.create_superuser("root", pledge=pledge.VERSION))
    return {"stranger": None, "sam": sam, "bea": bea, "rita": rita, "root": root}


@pytest.fixture
def here(client, cast):
    """The test client, logged in as one of the cast."""

    def logged_in(name):
        client.logout()
        if cast[name]:
            client.force_login(cast[name])
        return client

    return logged_in


@pytest.fixture
def lent(juniper, share, bea):
    """A clip lent to Bea, by the real clock, as pages use it."""
    return lend(juniper, share, bea)


def lend(campaign, share, person):
    share(campaign)
    [assignment] = assignments.lend(person, campaign, 1, timezone.now())
    return assignment


@pytest.fixture
def disputed(juniper, share, now, volunteers):
    """Two yes, two no, and a reference from the importer, which no one may see."""
    task = share(juniper)
    for person, answer in zip(volunteers[1:5], ("yes", "yes", "no", "no"), strict=True):
        Annotation.objects.create(task=task, annotator=person, answer=answer, created_at=now)
    Task.objects.filter(pk=task.pk).update(
        status="disputed", annotation_count=4, plain_reference="the secret truth"
    )
    return dispute_over(task, now)


@pytest.fixture
def reported(juniper, share, carl):
    assignment = lend(juniper, share, carl)
    assignments.report(carl, assignment.pk, "offensive", timezone.now())
    return assignment.task.clip


@pytest.mark.parametrize("who", CAST)
def test_every_page_answers_each_of_the_cast_as_it_should(who, here, lent, sentences, disputed, reported):
    ids = {"dispute": disputed.pk, "reported": item_of(reported).pk}
    visitor = here(who)
    given = {page: visitor.get(page.format(**ids)).status_code for page in PAGES}
    assert given == {page: expected[CAST.index(who)] for page, expected in PAGES.items()}


@pytest.mark.parametrize(
    "page",
    [
        *("/", "/accounts/signup/", "/tag/", "/tag/juniper/", "/profile/", "/review/", "/x/"),
        *("/first-minute/", "/first-minute/practice/", "/first-minute/ready/"),
    ],
)
def test_every_page_is_complete_and_loads_nothing_from_other_hosts(page, here, lent, reported):
    drawn = here("rita").get(page, follow=True).content.decode()
    assert re.search(r'<html lang="en"', drawn) and "<title>" in drawn and 'id="main"' in drawn
    assert len(re.findall(r"<h1[ >]", drawn)) == 1
    assert re.findall(r"""(?:src|href|action)="(?:https?:)?//[^"]*""", drawn) == []
    assert re.findall(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=", drawn) == []
    assert not re.search(r"\{%|\{\{|None", drawn)


def tokens():
    """The colours: light, then dark as it overrides them."""
    sheets = [(ROOT / f"static/css/{name}.css").read_text() for name in ("tokens", "dark")]
    colours = [dict(re.findall(r"--([\w-]+): (#\w{6});", sheet)) for sheet in sheets]
    assert len(colours[1]) >= 20
    return [colours[0], colours[0] | colours[1]]


def contrast(one, other):
    """WCAG 2.2: 1 to 21.

    >>> contrast("#000000", "#ffffff")
    21.0
    """
    dark, light = sorted(luminance(colour) for colour in (one, other))
    return round((light + 0.05) / (dark + 0.05), 2)


def luminance(colour):
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("colours", tokens(), ids=["light", "dark"])
def test_text_and_borders_have_enough_contrast(colours):
    grounds = ("paper", "surface", "sunken")
    words = [
        (word, ground) for word in ("ink", "ink-soft", "accent", "voice-strong", "bad") for ground in grounds
    ]
    words += [("ink", f"{kind}-tint") for kind in ("accent", "voice", "good", "warn", "bad")]
    words += [("bad", "bad-tint"), ("on-accent", "accent"), ("on-accent", "accent-strong")]
    edges = [(edge, ground) for edge in ("line-strong", "focus", "voice") for ground in ("paper", "surface")]
    seen = {pair: contrast(*(colours[name] for name in pair)) for pair in words + edges}
    assert {pair: seen[pair] for pair in words if seen[pair] < 4.5} == {}
    assert {pair: seen[pair] for pair in edges if seen[pair] < 3} == {}


def test_the_menu_contains_only_what_the_person_may_open(here):
    def menu(who):
        return set(
            re.findall(
                r'href="(/[^"]*)"', re.search(r"<nav.*?</nav>", here(who).get("/").content.decode(), re.S)[0]
            )
        )

    assert menu("stranger") == {"/accounts/login/", "/accounts/signup/"}
    assert menu("sam") == {"/profile/"}
    assert menu("bea") == {"/tag/", "/record/", "/my-clips/", "/profile/"}
    assert menu("rita") == {"/tag/", "/review/", "/profile/"}
    everything = {"/tag/", "/record/", "/my-clips/", "/review/", "/review/checks/", "/releases/", "/profile/"}
    assert menu("root") == everything | {"/campaigns/", "/first-steps/", "/admin/", "/audit/"}


def test_the_admin_greets_by_name_and_offers_no_addresses_or_tokens(here):
    at = here("root")
    page = at.get("/admin/").content.decode()
    assert "<strong>root</strong>" in page
    lists = set(re.findall(r'href="(/admin/\w+/\w+/)"', page))
    assert lists == {"/admin/accounts/user/", "/admin/accounts/consent/", "/admin/datasets/campaign/"}
    assert at.get("/admin/account/emailaddress/add/").status_code == 404


def test_a_forbidden_page_names_the_role_it_is_for(here):
    assert "people with the role reviewer" in here("bea").get("/review/").content.decode()


def test_answering_by_form_leads_to_the_next_clip(here, lent, bea):
    answer = here("bea").post(reverse("hand_in", args=[lent.pk]), {"answer": "similar"}, follow=True)
    assert answer.redirect_chain == [("/tag/juniper/", 302)]
    assert "You're all caught up here" in answer.content.decode()
    assert bea.annotations.get().answer == "similar"


def test_skipping_by_form_stores_no_answer(here, lent, bea):
    assert here("bea").post(reverse("skip", args=[lent.pk])).status_code == 302
    lent.refresh_from_db()
    assert (lent.state, bea.annotations.count()) == (Assignment.State.SKIPPED, 0)


@pytest.mark.parametrize(
    "nonsense", [{}, {"answer": ""}, {"answer": "perhaps"}, {"answer": "\0"}, {"answer": "x" * 9999}]
)
def test_an_invalid_label_is_refused_on_the_page_and_not_stored(nonsense, here, lent, bea):
    answer = here("bea").post(reverse("hand_in", args=[lent.pk]), nonsense)
    assert answer.status_code == 400
    assert 'class="errorlist"' in answer.content.decode()
    assert bea.annotations.count() == 0


@pytest.mark.parametrize("nonsense", [{}, {"answer": "  \n"}, {"answer": "a\0b"}, {"answer": "x" * 2001}])
def test_an_invalid_transcript_is_refused_next_to_its_field(nonsense, here, sentences, share, bea):
    lent = lend(sentences, share, bea)
    answer = here("bea").post(reverse("hand_in", args=[lent.pk]), nonsense)
    drawn = answer.content.decode()
    assert answer.status_code == 400
    assert 'id="id_answer_error"' in drawn and 'aria-invalid="true"' in drawn
    assert bea.annotations.count() == 0


def test_refused_text_stays_in_the_field_and_is_escaped(here, sentences, share, bea):
    lent = lend(sentences, share, bea)
    typed = "<script>alert(1)</script>" + "x" * 2000
    drawn = here("bea").post(reverse("hand_in", args=[lent.pk]), {"answer": typed}).content.decode()
    assert "&lt;script&gt;alert(1)" in drawn and "<script>alert" not in drawn


def test_no_one_speaks_is_an_answer(here, sentences, share, bea):
    lent = lend(sentences, share, bea)
    here("bea").post(reverse("hand_in", args=[lent.pk]), {"answer": "a slip", "no_speech": "1"})
    assert bea.annotations.get().answer == ""


@pytest.mark.parametrize("act", ["hand_in", "skip"])
def test_an_assignment_of_another_person_is_not_found(act, here, lent):
    assert here("rita").post(reverse(act, args=[lent.pk]), {"answer": "yes"}).status_code == 404


@pytest.mark.parametrize(
    ("address", "page"),
    [
        ("/assignments/{lent}/answer/", "/tag/juniper/"),
        ("/assignments/{lent}/skip/", "/tag/juniper/"),
        ("/assignments/999999/skip/", "/tag/"),
        ("/review/items/1/dismiss/", "/review/"),
        ("/profile/tokens/", "/profile/"),
        ("/profile/sessions/end-others/", "/profile/sessions/"),
        ("/my-clips/keep/", "/my-clips/"),
        ("/admin/logout/", "/accounts/logout/"),
    ],
)
def test_changes_are_never_made_by_get_which_leads_to_the_page_with_the_form(address, page, here, lent):
    answer = here("bea").get(address.format(lent=lent.pk))
    assert (answer.status_code, answer["Location"]) == (302, page)
    lent.refresh_from_db()
    assert lent.state == Assignment.State.LENT


def test_what_a_page_does_not_take_is_refused_on_a_page(here):
    answer = here("bea").post("/my-answers/")
    assert answer.status_code == 405 and "GET" in answer["Allow"]
    assert "This page does not accept what was sent" in answer.content.decode()
    assert here("bea").get("/v1/device/activate").content == b""  # programs are spared it


def test_a_form_without_its_csrf_token_is_refused_with_an_explanation(bea, lent):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(bea)
    answer = strict.post(reverse("hand_in", args=[lent.pk]), {"answer": "yes"})
    assert answer.status_code == 403
    assert "Please send that again" in answer.content.decode()


def test_the_reviewer_sees_the_votes_but_neither_names_nor_the_reference(here, disputed, volunteers):
    drawn = here("rita").get(page_of(disputed)).content.decode()
    assert drawn.count("<strong>Yes</strong>") == drawn.count("<strong>No</strong>") == 2
    assert "secret" not in drawn
    assert not any(person.username in drawn for person in volunteers[1:5])


def test_a_reviewer_decides_a_dispute_and_an_invalid_answer_decides_nothing(here, disputed):
    address = act_on(disputed, "accept")
    assert here("rita").post(address, {"answer": "perhaps"}).status_code == 400
    answer = here("rita").post(address, {"answer": "no"}, follow=True)
    assert "Decided. Thank you." in answer.content.decode()
    assert Task.objects.get(pk=disputed.task_id).answer == "no"
    assert here("rita").post(address, {"answer": "no"}).status_code == 409


def test_a_reported_clip_is_listed_with_its_reason_and_can_be_shown_again(here, reported):
    item = item_of(reported)
    assert "offensive" in here("rita").get("/review/").content.decode()
    assert "<strong>offensive</strong>" in here("rita").get(page_of(item)).content.decode()
    here("rita").post(act_on(item, "dismiss"))
    reported.refresh_from_db()
    assert reported.hidden_at is None


def test_a_token_is_shown_once_and_revoked(here, bea):
    shown = here("bea").post("/profile/tokens/")
    token = re.search(r'id="token" dir="ltr"><code>(\w+)<', shown.content.decode())[1]
    assert shown["Cache-Control"] == "no-store"
    again = here("bea").get("/profile/").content.decode()
    assert token not in again and ProgramToken.objects.get().prefix in again
    here("bea").post(reverse("revoke_token", args=[ProgramToken.objects.get().digest]))
    assert ProgramToken.objects.count() == 0


def test_another_persons_token_cannot_be_revoked(here, bea):
    stored, _ = ProgramToken.objects.create(bea)
    assert here("rita").post(reverse("revoke_token", args=[stored.digest])).status_code == 404
    assert ProgramToken.objects.count() == 1


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"username": "a", "password1": "b"},
        {"username": "import:x y", "password1": "password"},
        {"username": "\0", "password1": "\0"},
    ],
)
def test_invalid_input_at_signing_up_creates_no_account(fields, here, cast):
    before = User.objects.count()
    answer = here("stranger").post("/accounts/signup/", fields)
    assert answer.status_code == 200
    assert 'class="errorlist"' in answer.content.decode()
    assert User.objects.count() == before


def test_a_failed_log_in_does_not_say_whether_the_name_exists(here):
    for name in ("bea", "no-such-name"):
        answer = here("stranger").post("/accounts/login/", {"login": name, "password": "wrong"})
        assert 'role="alert"' in answer.content.decode()


def test_the_page_for_server_errors_needs_nothing_that_may_have_failed(here, settings):
    """The list of static files is missing, so no other page can be drawn."""
    visitor = here("stranger")
    visitor.raise_request_exception = False
    settings.STORAGES = settings.STORAGES | {"staticfiles": {"BACKEND": "tagger.static.HashedModules"}}
    answer = visitor.get("/")
    assert answer.status_code == 500
    assert "Something went wrong on our side" in answer.content.decode()


def test_a_site_without_mail_offers_nothing_that_needs_mail(client, settings):
    assert not settings.SENDS_MAIL
    assert "password/reset" not in client.get("/accounts/login/").content.decode()
    for page in ("email/", "password/reset/", "password/reset/done/", "confirm-email/"):
        assert client.get(f"/accounts/{page}").status_code == 404


@pytest.mark.parametrize(
    ("language", "name", "direction"),
    [
        ("en", "English", "ltr"),
        ("pt-BR", "Português Brasileiro", "ltr"),
        ("ar-EG", "العربيّة", "rtl"),
        ("zh-CN", "简体中文", "ltr"),
        ("tlh", "tlh", "auto"),
    ],
)
def test_a_campaign_knows_its_languages_name_and_direction(language, name, direction):
    campaign = Campaign(language=language)
    assert (campaign.language_name, campaign.direction) == (name, direction)
