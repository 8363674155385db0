"""A new site leads its admin: which steps there are, when each is done, and who sees them."""

import re
import time

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import operators, reauthentication
from accounts.models import AuditEvent, Role, User
from datasets import campaigns, taking_part
from datasets.models import Campaign
from tagger.operators import steps, unset
from tests.conftest import NOW
from tests.operators.test_operators import SAID
from tests.support import factors
from tests.support.factors import give_factor
from tests.support.mutants import mutant

pytestmark = pytest.mark.django_db
DONE, OPEN, NOT_NEEDED = steps.State.DONE, steps.State.OPEN, steps.State.NOT_NEEDED


@pytest.fixture
def admin_client(admin_client):
    """Just logged in, as by the log-in page."""
    session = admin_client.session
    session[reauthentication.LOGGED_IN_AT] = time.time()
    session.save()
    return admin_client


def states(admin):
    return {step.name: step.state for step in steps.of_site(admin)}


def state(admin, name):
    return states(admin)[name]


# --- the steps ----------------------------------------------------------------------------------


def test_on_an_empty_site_all_are_open(admin_user):
    assert set(states(admin_user).values()) == {OPEN}
    assert steps.next_one(admin_user).name == "operator"


def test_who_runs_it_is_done_once_it_is_said(admin_user):
    operators.describe(SAID, admin_user, NOW)
    assert state(admin_user, "operator") == DONE
    assert steps.next_one(admin_user).name == "roles"


def test_roles_are_done_once_a_reviewer_has_a_second_factor(admin_user, bea):
    bea.roles = [*bea.roles, Role.REVIEWER]
    bea.save()
    assert state(admin_user, "roles") == OPEN
    give_factor(bea)
    assert state(admin_user, "roles") == DONE
    bea.is_active = False
    bea.save()
    assert state(admin_user, "roles") == OPEN


def test_a_campaign_counts_once_it_is_open(admin_user):
    made = campaigns.make(
        {"slug": "j", "kind": "wake-word", "language": "en", "wake_word": "j"}, admin_user, NOW
    )
    assert state(admin_user, "campaign") == OPEN
    campaigns.move_to(made, Campaign.Stage.OPEN, admin_user, NOW)
    assert state(admin_user, "campaign") == DONE


def test_clips_are_there_with_the_first(admin_user, juniper, share):
    assert state(admin_user, "clips") == OPEN
    share(juniper)
    assert state(admin_user, "clips") == DONE


def test_an_invitation_is_needed_only_where_not_everyone_may_come(admin_user, juniper):
    assert state(admin_user, "invite") == NOT_NEEDED
    Campaign.objects.update(takes_part=Campaign.TakingPart.INVITED)
    assert state(admin_user, "invite") == OPEN
    taking_part.INVITATIONS.make(juniper, NOW)
    assert state(admin_user, "invite") == DONE


def test_the_steps_cost_one_statement(admin_user, django_assert_num_queries):
    with django_assert_num_queries(1):
        steps.of_site(admin_user)


def test_people_with_power_are_found_by_an_index(db):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    assert "people_with_power" in User.objects.with_power().explain()


# --- who sees them ------------------------------------------------------------------------------


@mutant(
    "only admins see the first steps and what is not set up",
    "tagger/operators/views.py",
    kept_by="@require_GET\n@admin_required\ndef first_steps",
    broken="@require_GET\ndef first_steps",
)
def test_only_admins_see_the_page(client, admin_user, rita, bea):
    assert client.get("/first-steps/").status_code == 302
    for person in (rita, bea):
        client.force_login(person)
        assert client.get("/first-steps/").status_code == 403
    client.force_login(admin_user)
    assert client.get("/first-steps/").status_code == 200


@pytest.mark.parametrize(
    ("address", "fields"),
    [
        ("/first-steps/who-runs-this/", SAID),
        ("/first-steps/roles/", {"pseudonym": "rita", "roles": ["admin"]}),
    ],
)
def test_nobody_else_changes_anything(address, fields, client, rita):
    client.force_login(rita)
    assert client.post(address, fields).status_code == 403
    assert operators.stored() is None and not User.objects.get(pk=rita.pk).is_superuser


@mutant(
    "staff who may not do everything are not told what is not set up",
    "templates/admin/index.html",
    kept_by="{% if user.is_superuser %}",
    broken="{% if user.is_staff %}",
)
def test_the_admins_home_says_what_is_not_set_up_to_admins_alone(client, admin_user, bea):
    client.force_login(admin_user)
    assert "There is no mail server" in client.get("/admin/").content.decode()
    bea.is_staff = True
    bea.save()
    client.force_login(give_factor(bea))
    assert "There is no mail server" not in client.get("/admin/").content.decode()


def test_a_new_sites_front_page_is_kind_to_strangers_and_leads_its_admin(client, admin_user):
    page = client.get("/").content.decode()
    assert "This site is being set up" in page and "/first-steps/" not in page
    client.force_login(admin_user)
    for address in ("/", "/tag/"):
        page = client.get(address).content.decode()
        assert "Say who runs this site" in page and 'href="/first-steps/#operator"' in page


def test_later_an_empty_front_page_says_what_it_always_said(client, juniper):
    Campaign.objects.update(stage=Campaign.Stage.CLOSED)
    assert "No campaign is open at the moment" in client.get("/").content.decode()


def test_the_menu_leads_there_until_all_is_done(client, admin_user, juniper, share):
    client.force_login(admin_user)
    assert 'href="/first-steps/"' in client.get("/profile/").content.decode()
    operators.describe(SAID, admin_user, NOW)
    admin_user.roles = [*admin_user.roles, Role.REVIEWER]
    admin_user.save()
    share(juniper)
    assert 'href="/first-steps/"' not in client.get("/profile/").content.decode()
    page = client.get("/first-steps/").content.decode()
    assert "Everything is done." in page and 'aria-current="step"' not in page


# --- the forms ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"contact": ""},
        {"contact": "write to us"},
        {"contact": "javascript:alert(1)"},
        {"contact": "http://juniper.example"},
        {"privacy_url": "javascript:alert(1)", "privacy_text": ""},
        {"privacy_url": "https://j.example/p"},  # besides the text
    ],
)
def test_what_cannot_be_is_refused_beside_its_field(wrong, admin_client):
    answer = admin_client.post("/first-steps/who-runs-this/", SAID | wrong)
    assert answer.status_code == 400 and 'class="errorlist"' in answer.content.decode()
    assert operators.stored() is None


@mutant(
    "a role that was given by the first steps is in the record",
    "accounts/appointing.py",
    kept_by='        audit.record(audit.Act.SET_ROLES, f"person {person.pk}", by, now, details)\n',
    broken="        pass\n",
)
def test_roles_are_given_by_pseudonym_and_recorded(admin_client, bea):
    sent = {"pseudonym": "Bea", "roles": ["reviewer", "owner", "admin"]}
    answer = admin_client.post("/first-steps/roles/", sent, follow=True).content.decode()
    assert "once they have a second factor" in answer and "no second factor yet" in answer
    bea = User.objects.get(pk=bea.pk)
    assert bea.roles == ["contributor", "annotator", "reviewer", "owner"]
    assert bea.is_staff and bea.is_superuser and not bea.has_role(Role.REVIEWER)
    details = AuditEvent.objects.get(act=AuditEvent.Act.SET_ROLES).details
    assert details["roles_added"] == ["owner", "reviewer"]
    assert details["changed"] == {"is_staff": [False, True], "is_superuser": [False, True]}
    assert "already" in admin_client.post("/first-steps/roles/", sent, follow=True).content.decode()
    assert AuditEvent.objects.filter(act=AuditEvent.Act.SET_ROLES).count() == 1


@pytest.mark.parametrize(
    "wrong",
    [{"pseudonym": "nobody"}, {"pseudonym": ""}, {"roles": []}, {"roles": ["emperor"]}, {"pseudonym": "\0"}],
)
def test_a_role_for_nobody_or_none_for_somebody_is_refused(wrong, admin_client, bea):
    answer = admin_client.post("/first-steps/roles/", {"pseudonym": "bea", "roles": ["reviewer"]} | wrong)
    assert answer.status_code == 400 and 'class="errorlist"' in answer.content.decode()
    assert not AuditEvent.objects.filter(act=AuditEvent.Act.SET_ROLES).exists()


@mutant(
    "someone at an open session is asked who they are before they give a role",
    "tagger/operators/views.py",
    kept_by='@reauthentication.required("POST", page="first_steps")\n',
    broken="",
)
def test_before_a_role_is_given_it_is_asked_who_is_there(client, admin_user, bea):
    client.force_login(admin_user)
    long_ago = {"at": time.time() - 86_400, "reauthenticated": True}
    factors.record(client, admin_user, admin_user.authenticator_set.get(), **long_ago)
    answer = client.post("/first-steps/roles/", {"pseudonym": "bea", "roles": ["admin"]})
    assert "reauthenticate" in answer["Location"]
    assert not User.objects.get(pk=bea.pk).is_superuser


def test_looking_at_who_has_which_role_is_recorded(admin_client, rita):
    page = admin_client.get("/first-steps/").content.decode()
    assert re.search(r"<bdi>rita</bdi>", page)
    event = AuditEvent.objects.get(act=AuditEvent.Act.LOOKED)
    assert (event.about, event.details) == ("first steps", {"people": [rita.pk]})


def test_the_page_costs_the_same_with_many_people(admin_client):
    admin_client.get("/first-steps/")
    with CaptureQueriesContext(connection) as few:
        admin_client.get("/first-steps/")
    for number in range(30):
        User.objects.create_user(f"reviewer{number}", roles=[Role.REVIEWER])
    admin_client.get("/first-steps/")
    with CaptureQueriesContext(connection) as many:
        admin_client.get("/first-steps/")
    assert len(many) <= len(few) + 2  # that she looked is asked of the record


# --- the first admin ----------------------------------------------------------------------------


def test_the_first_admin_is_made_by_a_command_which_is_recorded_and_says_what_comes_next(
    db, monkeypatch, capsys
):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "a long pass phrase")
    call_command("createsuperuser", username="olivia", interactive=False)
    olivia = get_user_model().objects.get_by_natural_key("olivia")
    event = AuditEvent.objects.get(act=AuditEvent.Act.SET_ROLES)
    assert (event.about, event.person) == (f"person {olivia.pk}", None)
    assert event.details == {"changed": {"is_staff": [False, True], "is_superuser": [False, True]}}
    assert "/first-steps/ leads on" in capsys.readouterr().out
    assert olivia.check_password("a long pass phrase") and olivia.lacks_factor


def test_the_lists_of_missing_things_and_their_numbers_agree():
    assert len(set(unset.NUMBERS.values())) == len(unset.NUMBERS)
