"""E-mails about releases: what became of a request, and what was recalled, by a real mail server."""

import re
import subprocess
import sys
from datetime import timedelta

import pytest
from django.utils import timezone, translation

from accounts import consent
from accounts.models import Purpose, User
from datasets.access import asking, deciding, letters, recall_notices, sending
from datasets.models import AccessRequest, Letter, RecallNotice
from datasets.releases import recalls, retraction
from tagger.privacy import personal_data, restore, withdrawal
from tests.conftest import NOW
from tests.support.asked import ask, browser, program
from tests.support.mail_server import mail_server
from tests.support.mutants import mutant
from tests.support.released import release, settle
from tests.support.site import ROOT, eventually

DAY = timedelta(days=1)
MINE, BOX = "/releases/mine/", "/releases/mine/recalls/"
TAR = "/api/v1/releases/spring/precise.tar"
TICKED = "Write to me when clips of a release that I downloaded are recalled"


@pytest.fixture
def mail(settings):
    """The site sends e-mail by this server."""
    with mail_server() as server:
        settings.SENDS_MAIL = True
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", server.port, False
        yield server


@pytest.fixture
def rosa(rosa):
    rosa.seal_address("rosa@example.org")
    return rosa


def send(after=timedelta(0)):
    return sending.send_owed(lambda: NOW + after)


def downloaded(rosa, spring, olga):
    """Rosa was granted the release, has read the e-mail about it, and downloaded it."""
    deciding.grant(ask(rosa, spring).pk, olga, NOW)
    assert program(rosa).get(TAR).status_code == 200
    Letter.objects.all().delete()


def recall(person, days=1):
    """This speaker withdraws, and the next feed says so."""
    consent.withdraw(person, NOW)
    recalls.publish(NOW + timedelta(days=days))


def text_of(message):
    return message.get_content().replace("\r\n", "\n")


@pytest.mark.parametrize(
    ("decide", "subject", "says"),
    [
        (lambda pk, olga: deciding.grant(pk, olga, NOW), "You may download the release spring", "/spring/"),
        (
            lambda pk, olga: deciding.refuse(pk, "What is it for?", olga, NOW),
            "Your request for the release spring was refused",
            "What is it for?",
        ),
    ],
)
def test_whoever_asked_is_written_to_when_it_was_decided(mail, rosa, spring, olga, decide, subject, says):
    decide(ask(rosa, spring).pk, olga)
    assert send() == 1
    [(address, message)] = mail.got
    assert (address, message["Subject"]) == ("rosa@example.org", subject)
    assert says in text_of(message)
    assert message.get_content_type() == "text/plain" and message["Auto-Submitted"] == "auto-generated"
    assert send(DAY) == 0 and len(mail.got) == 1


def test_whose_access_ends_is_written_to_with_the_reason(mail, rosa, spring, olga):
    downloaded(rosa, spring, olga)
    deciding.end(AccessRequest.objects.get().pk, "You published clips.", olga, NOW)
    assert send() == 1
    [(_, message)] = mail.got
    assert "You published clips." in text_of(message) and "delete your copies" in text_of(message)


def test_whoever_withdraws_from_the_terms_gets_it_in_writing(mail, rosa, spring, olga):
    asking.withdraw(ask(rosa, spring), NOW)
    assert not Letter.objects.exists()  # it only waited: nothing was decided
    downloaded(rosa, spring, olga)
    asking.withdraw(AccessRequest.objects.get(), NOW)
    asking.withdraw(AccessRequest.objects.get(), NOW)
    assert send() == 1 and "You withdrew" in mail.got[0][1]["Subject"]


def test_what_is_granted_at_once_is_not_written(mail, rosa, spring, olga):
    """The page, or the answer to the program, says it."""
    deciding.set_grants(spring, spring.Grants.AUTOMATIC, olga, NOW)
    spring.refresh_from_db()
    assert ask(rosa, spring).state == AccessRequest.State.GRANTED and not Letter.objects.exists()


@pytest.mark.parametrize(
    ("language", "subject"),
    [
        ("de", "Du darfst den Datensatz spring herunterladen"),
        ("es", "Puedes descargar la publicación spring"),
        ("fr", "Vous pouvez télécharger le jeu de données spring"),
        ("ar", "يمكنك تنزيل الإصدار spring"),
    ],
)
def test_it_is_in_the_language_in_which_they_asked(mail, rosa, spring, olga, language, subject):
    with translation.override(language):
        asked = ask(rosa, spring)
    deciding.grant(asked.pk, olga, NOW)
    assert send() == 1
    [(_, message)] = mail.got
    assert subject in message["Subject"] and "You" not in message["Subject"] + text_of(message)


@mutant(
    "who was not told that the answer comes by e-mail gets none",
    "datasets/access/letters.py",
    kept_by="    if settings.SENDS_MAIL and asked.language:\n",
    broken="    if settings.SENDS_MAIL:\n",
)
def test_an_older_request_is_not_answered_by_mail(mail, rosa, spring, olga):
    asked = ask(rosa, spring)
    AccessRequest.objects.update(language="")
    deciding.grant(asked.pk, olga, NOW)
    assert not Letter.objects.exists()


def test_a_site_without_mail_owes_nothing_and_says_so(settings, rosa, spring, olga, alice):
    assert settings.SENDS_MAIL is False
    recall_notices.want(rosa, "en")
    downloaded(rosa, spring, olga)
    recall(alice)
    assert not Letter.objects.exists() and send() == 0
    page = browser(rosa).get(MINE).content.decode()
    assert "This site sends no e-mail" in page
    recall_notices.end(rosa, NOW)
    assert TICKED not in browser(rosa).get(MINE).content.decode()


def test_without_an_address_the_page_offers_one_and_nothing_is_sent(mail, rosa, spring, olga):
    rosa.seal_address("")
    deciding.grant(ask(rosa, spring).pk, olga, NOW)
    assert send() == 0 and not Letter.objects.exists()
    page = browser(User.objects.get(pk=rosa.pk)).get(MINE).content.decode()
    assert 'href="/profile/email/"' in page and TICKED not in page


# Recalls


@mutant(
    "no box for e-mails about recalls is ticked in advance",
    "templates/datasets/access/mine.html",
    kept_by="{% if is_told_of_recalls %} checked{% endif %}",
    broken=" checked",
)
def test_the_box_is_empty_until_it_is_ticked_and_again_when_it_is_not(mail, rosa, spring):
    here = browser(rosa)
    box = re.compile(r'<input type="checkbox" name="wanted"[^>]*>')
    for sent, is_ticked in (({}, False), ({"wanted": "on"}, True), ({"wanted": "on"}, True), ({}, False)):
        here.post(BOX, sent)
        [found] = box.findall(here.get(MINE).content.decode())
        assert (" checked" in found, RecallNotice.objects.exists()) == (is_ticked, is_ticked)
    assert here.get(BOX)["Location"] == MINE


def test_a_recall_is_written_with_counts_the_duty_and_the_commands(mail, rosa, spring, olga, alice, settings):
    downloaded(rosa, spring, olga)
    browser(rosa).post(BOX, {"wanted": "on"})
    recall(alice)
    assert send(DAY) == 1
    [(address, message)] = mail.got
    text = text_of(message)
    assert (address, message["Subject"]) == ("rosa@example.org", "Clips of the release spring were recalled")
    site = settings.SITE_URL
    for said in (
        "1 clip of the release spring, which you downloaded, was recalled on May 5, 2026.",
        "within 30 days",
        f"    python fetch_release.py spring --site {site} --to FOLDER --recalls\n",
        "    python clean_copy.py FOLDER\n",
        f"{site}/releases/mine/",
    ):
        assert said in text, said


@mutant(
    "an e-mail about recalls has no id of a person or a clip",
    "datasets/access/letter_texts.py",
    kept_by='        "clips": letter.recalled,\n',
    broken='        "clips": letter.release.recalls.get().public_id,\n',
)
def test_no_e_mail_leads_to_a_speaker_or_a_clip(mail, rosa, spring, olga, alice):
    row = spring.rows.get()
    downloaded(rosa, spring, olga)
    recall_notices.want(rosa, "en")
    recall(alice)
    deciding.end(AccessRequest.objects.get().pk, "It ends.", olga, NOW)
    assert send(DAY) == 2
    for _, message in mail.got:
        whole = message.as_string()
        for word in (row.public_id, row.speaker, "alice", "olga", "rosa,", "Rosa Example", "<img", "html"):
            assert word not in whole, word
        said = set(re.findall(r"\d+", re.sub(r"https?://\S+", "", text_of(message))))
        assert said <= {"1", "30", "4", "5", "2026"}, said


@mutant(
    "whoever did not tick the box is not written to about recalls",
    "datasets/access/letters.py",
    kept_by="    wanted = RecallNotice.objects.filter(",
    broken="    rosa = User.objects.exclude(sealed_email=b'').first()\n"
    "    RecallNotice.objects.get_or_create(person=rosa, defaults={'language': 'en'})\n"
    "    wanted = RecallNotice.objects.filter(",
)
def test_whoever_did_not_tick_the_box_is_sent_nothing(mail, rosa, spring, olga, alice):
    downloaded(rosa, spring, olga)
    recall(alice)
    assert not Letter.objects.exists() and send(DAY) == 0 and mail.got == []


@mutant(
    "what is owed about recalls goes with the tick",
    "datasets/access/recall_notices.py",
    kept_by="    letters.forget(person, Letter.Kind.RECALLED)\n",
    broken="",
)
def test_an_unticked_box_takes_back_what_is_owed(mail, rosa, spring, olga, alice):
    downloaded(rosa, spring, olga)
    recall_notices.want(rosa, "en")
    recall(alice)
    assert Letter.objects.count() == 1
    browser(rosa).post(BOX)
    assert not Letter.objects.exists() and send(DAY) == 0 and mail.got == []


@mutant(
    "a letter about recalls is sent only as long as the box is ticked",
    "datasets/access/sending.py",
    kept_by='        return "" if recall_notices.is_wanted(letter.person) else None\n',
    broken='        return ""\n',
)
def test_the_box_is_looked_at_once_more_before_it_is_sent(mail, rosa, spring, olga, alice):
    downloaded(rosa, spring, olga)
    recall_notices.want(rosa, "en")
    recall(alice)
    RecallNotice.objects.all().delete()
    assert send(DAY) == 0 and mail.got == [] and not Letter.objects.exists()


@mutant(
    "who downloaded nothing is not written to about recalls",
    "datasets/access/letters.py",
    kept_by='RecallNotice.objects.filter(Exists(downloads.filter(person=OuterRef("person"))))',
    broken="RecallNotice.objects.all()",
)
def test_only_whoever_downloaded_this_release_is_written_to(mail, rosa, bea, spring, olga, alice, juniper):
    downloaded(rosa, spring, olga)
    for person in (rosa, bea):
        recall_notices.want(person, "en")
    bea.seal_address("bea@example.org")
    release("other", juniper)
    recall(alice)
    [owed] = Letter.objects.all()
    assert (owed.person, owed.release) == (rosa, spring)


def test_a_public_release_that_somebody_downloaded_while_logged_in_counts_too(
    mail, rosa, juniper, share, alice
):
    consent.give(alice, "wake-word", (Purpose.VOLUNTEERS, Purpose.PUBLIC), NOW, reference="on paper")
    settle(share(juniper))
    release("open", juniper, audience=Purpose.PUBLIC)
    recall_notices.want(rosa, "en")
    assert program(rosa).get("/api/v1/releases/open/precise.tar").status_code == 200
    recall(alice)
    assert send(DAY) == 1 and "release open" in mail.got[0][1]["Subject"]


@mutant(
    "at most one e-mail about recalls a day and release",
    "datasets/releases/recalls.py",
    kept_by="    if _published_on(release) >= today:\n",
    broken="    if False:\n",
)
def test_a_day_has_one_e_mail_with_all_recalls_of_it(mail, rosa, spring, olga, alice, juniper, share):
    settle(share(juniper))
    summer = release("summer", juniper)
    deciding.grant(ask(rosa, summer).pk, olga, NOW)
    assert program(rosa).get("/api/v1/releases/summer/precise.tar").status_code == 200
    recall_notices.want(rosa, "en")
    retraction.retract(summer, "It was a mistake.", olga, NOW)
    recalls.publish(NOW + DAY)
    summer.recalls.update(published_on=None)
    recalls.publish(NOW + DAY + timedelta(hours=1))
    [owed] = Letter.objects.filter(kind="recalled", release=summer)
    assert owed.recalled == 2


# Erasure, and what leaves with a person


@mutant(
    "an erased account is owed no e-mail",
    "datasets/access/asking.py",
    kept_by="    letters.forget(person)  # last: until here",
    broken="    #",
)
def test_an_erased_account_is_owed_nothing(mail, rosa, spring, olga, alice):
    downloaded(rosa, spring, olga)
    recall_notices.want(rosa, "en")
    recall(alice)
    deciding.end(AccessRequest.objects.get().pk, "It ends.", olga, NOW)
    assert Letter.objects.count() == 2
    withdrawal.forget_account(rosa, False, NOW)
    for pk in withdrawal.unfinished():
        withdrawal.scrub(withdrawal.Withdrawal.objects.get(pk=pk), lambda: NOW)
    assert not Letter.objects.exists() and not RecallNotice.objects.exists()
    assert send(DAY) == 0 and mail.got == []


@mutant(
    "nothing is sent to an account that is being erased",
    "datasets/access/sending.py",
    kept_by="not person.may_log_in or not person.address",
    broken="not person.address",
)
def test_nothing_is_sent_from_the_moment_in_which_somebody_leaves(mail, rosa, spring, olga):
    deciding.grant(ask(rosa, spring).pk, olga, NOW)
    withdrawal.forget_account(rosa, False, NOW)
    assert send() == 0 and mail.got == [] and not Letter.objects.exists()


@mutant(
    "a restore ticks no box again",
    "tagger/privacy/restore.py",
    kept_by="            done.rights_ended_again += recall_notices.end_again(entry)\n",
    broken="            pass\n",
)
@pytest.mark.django_db(transaction=True)
def test_a_restored_backup_brings_back_no_tick(mail, rosa, spring, olga, alice):
    downloaded(rosa, spring, olga)
    recall_notices.want(rosa, "en")
    recall(alice)
    backup = [list(model.objects.values()) for model in (RecallNotice, Letter)]
    recall_notices.end(rosa, NOW)
    for model, rows in zip((RecallNotice, Letter), backup, strict=True):
        model.objects.bulk_create(model(**row) for row in rows)
    done = restore.Restored()
    restore._replay(NOW, done)
    assert done.rights_ended_again == 1 and not RecallNotice.objects.exists() and not Letter.objects.exists()
    assert withdrawal.settle_journal(NOW + DAY) == 0


def test_a_persons_data_say_what_was_written_to_them(mail, rosa, spring, olga):
    recall_notices.want(rosa, "de")
    deciding.grant(ask(rosa, spring).pk, olga, NOW)
    send()
    profile = personal_data._profile(rosa)
    assert profile["told_of_recalls_in"] == "de"
    [letter] = profile["letters"]
    assert (letter["release__slug"], letter["kind"], letter["sent_at"]) == ("spring", "granted", NOW)


# Owed until it is sent


def test_a_letter_is_owed_only_of_what_was_decided(mail, rosa, spring, olga):
    """What a later decision overtook is told by that decision's letter alone."""
    asked = ask(rosa, spring)
    deciding.grant(asked.pk, olga, NOW)
    deciding.end(asked.pk, "It ends.", olga, NOW)
    assert Letter.objects.count() == 2 and send() == 1
    assert [message["Subject"] for _, message in mail.got] == ["Your access to the release spring was ended"]
    assert Letter.objects.count() == 1


def test_what_fails_is_tried_again_for_three_days_and_then_shown(mail, rosa, spring, olga):
    mail.answers["DATA"] = ["451 later"] * 20
    deciding.grant(ask(rosa, spring).pk, olga, NOW)
    at = timedelta(0)
    for wait in (*sending.DELAYS, None):
        assert send(at) == 0
        owed = Letter.objects.get()
        if wait is None:
            break
        assert owed.next_try_at == NOW + at + wait
        assert send(at + wait - timedelta(seconds=1)) == 0
        at += wait
    assert (owed.next_try_at, owed.sent_at, len(mail.got), len(set(mail.names))) == (None, None, 10, 1)
    assert "could not be delivered to you" in browser(rosa).get(MINE).content.decode()
    assert sending.forget_old(NOW + timedelta(days=29)) == 0
    assert sending.forget_old(NOW + timedelta(days=32)) == 1


@pytest.mark.parametrize(
    ("command", "answer", "is_owed"),
    [
        ("RCPT", "550 no such user", False),
        ("RCPT", "450 later", True),
        ("DATA", "554 refused", False),
        ("MAIL", "530 log in first", True),
        ("EHLO", "421 busy", True),
    ],
)
def test_what_the_server_will_never_take_is_not_sent_again(
    mail, rosa, spring, olga, command, answer, is_owed
):
    mail.answers[command] = [answer]
    if command == "EHLO":
        mail.answers["HELO"] = [answer]
    deciding.grant(ask(rosa, spring).pk, olga, NOW)
    assert send() == 0
    owed = Letter.objects.get()
    assert owed.sent_at is None and bool(owed.next_try_at) == is_owed
    assert send(DAY) == is_owed


def test_a_server_that_is_gone_is_asked_once_for_all_letters(mail, rosa, bea, spring, olga, settings):
    settings.EMAIL_PORT = 1
    bea.seal_address("bea@example.org")
    recall_notices.want(bea, "en")
    deciding.grant(ask(rosa, spring).pk, olga, NOW)
    letters._owe(Letter(person=bea, release=spring, kind="recalled", language="en", day=NOW, next_try_at=NOW))
    assert send() == 0
    assert sorted(Letter.objects.values_list("attempts", flat=True)) == [0, 1]


SEND = """
import django
django.setup()
from django.conf import settings
from django.utils import timezone
settings.SENDS_MAIL, settings.EMAIL_HOST, settings.EMAIL_PORT = True, "127.0.0.1", {port}
settings.EMAIL_BACKEND, settings.EMAIL_USE_TLS = "django.core.mail.backends.smtp.EmailBackend", False
from datasets.access import sending
sending.send_owed(timezone.now)
"""


@pytest.mark.django_db(transaction=True)
@mutant(
    "a letter is owed until the mail server has accepted it",
    "datasets/access/sending.py",
    kept_by="letter.attempts + 1, now + TAKEN_FOR\n",
    broken="letter.attempts + 1, None\n",
)
def test_a_worker_that_is_killed_in_the_middle_leaves_it_to_the_next(
    mail, rosa, spring, olga, site_environment
):
    deciding.grant(ask(rosa, spring).pk, olga, timezone.now())
    mail.may_answer.clear()
    environment = site_environment | {"DJANGO_SETTINGS_MODULE": "tagger.settings"}
    code = SEND.format(port=mail.port)
    worker = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=environment)
    try:
        mail.arrived.get(timeout=60)
    finally:
        worker.kill()
        worker.wait()
    assert Letter.objects.get().sent_at is None
    mail.may_answer.set()
    later = timezone.now()
    assert sending.send_owed(lambda: later) == 0  # as the killed one might still be at it
    # Its lock is free once PostgreSQL has noticed that it is gone.
    assert eventually(lambda: sending.send_owed(lambda: later + sending.TAKEN_FOR) == 1)
    assert len(mail.got) == 2 and len(set(mail.names)) == 1
    assert Letter.objects.get().sent_at and sending.send_owed(lambda: later + DAY) == 0


@pytest.mark.django_db(transaction=True)
def test_two_workers_send_it_once(mail, rosa, spring, olga, in_background):
    deciding.grant(ask(rosa, spring).pk, olga, NOW)
    mail.may_answer.clear()
    first = in_background(send)
    mail.arrived.get(timeout=30)
    assert in_background(send).result(30) == 0
    mail.may_answer.set()
    assert first.result(30) == 1 and len(mail.got) == 1


def test_a_letter_is_owed_in_the_transaction_of_the_decision(mail, rosa, spring, olga, monkeypatch):
    asked = ask(rosa, spring)

    def fail(*_said, **_named):
        raise RuntimeError

    monkeypatch.setattr(asking, "record", fail)
    with pytest.raises(RuntimeError):
        deciding.grant(asked.pk, olga, NOW)
    assert not Letter.objects.exists()
