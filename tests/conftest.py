"""The cast: Alice shares clips, Bea and six more volunteer, Rita reviews, Sam signed up and did nothing."""

import gc
import os
import secrets
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from importlib import import_module
from itertools import count
from random import Random
from threading import Barrier
from urllib.parse import urlsplit

import hypothesis
import pytest
from django.db import connection, connections
from django.test.client import Client, closing_iterator_wrapper
from django.utils import translation

from accounts import keys, limits, operators
from accounts.ciphers import KEY
from accounts.models import Role, User
from datasets import campaigns
from datasets.clips import fingerprints, intake, vault
from datasets.models import Campaign, Clip, Task
from tagger.lending import controls
from tagger.welcome import pledge
from tests.support import cast, factors, quick_hasher, sounds
from tests.support.servers import ROOT

SUPPORT = ("databases", "forks", "commands", "site", "web", "browser", "moments")
pytest_plugins = [f"tests.support.{name}" for name in SUPPORT]

# How long an example takes depends on what else the machine does; no test asserts a time.
hypothesis.settings.register_profile("tagger", deadline=None)
hypothesis.settings.register_profile("quick", deadline=None, max_examples=10)

collect_ignore = ["support/ovos_device.py"]  # a separate program


def pytest_addoption(parser):
    thorough = "tests that only repeat themselves at their full size: every order, everyone's whole evening"
    parser.addoption("--thorough", action="store_true", help=thorough)


def pytest_configure(config):
    factors.install()
    hypothesis.settings.load_profile("quick" if config.getoption("--quick") else "tagger")
    config.addinivalue_line("markers", "thorough: takes seconds by its nature; `make check` leaves it out")
    config.addinivalue_line("markers", "in_full: only with --thorough, as other cases meet the same lines")


def pytest_collection_modifyitems(config, items):
    if not config.getoption("--thorough"):
        config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("in_full")])
        items[:] = [item for item in items if not item.get_closest_marker("in_full")]


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session):
    """Of the processes that share a run, each begins to import at another file and so finds compiled what
    the others began with. None looks for garbage meanwhile."""
    gc.disable()
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if processes > 1 and session.config.args_source is pytest.Config.ArgsSource.TESTPATHS:
        files = sorted(ROOT.glob("tests/*/test_*.py"))
        begin = len(files) * int(os.environ["PYTEST_XDIST_WORKER"].removeprefix("gw")) // processes
        for file in files[begin:] + files[:begin]:
            with suppress(Exception):  # which the collection reports
                import_module(".".join(file.relative_to(ROOT).with_suffix("").parts))


def pytest_collection_finish():
    """Thousands of tests, which stay to the end, need not be looked through for garbage after each few."""
    gc.enable()
    gc.collect()
    gc.freeze()


NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def is_thorough(request):
    """Whether a test that only repeats itself shall do so at its full size."""
    return request.config.getoption("--thorough")


@pytest.fixture(autouse=True)
def english():
    """A page that an earlier test read in Spanish leaves Spanish active for the whole thread."""
    with translation.override("en"):
        yield


@pytest.fixture(autouse=True)
def own_home(settings, tmp_path):
    """Every test has its own vault and master keys."""
    settings.MASTER_KEYS = tmp_path / "keys"
    vault = settings.STORAGES["vault"] | {"OPTIONS": {"location": tmp_path / "vault"}}
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    uploads = settings.STORAGES["uploads"] | {"OPTIONS": {"location": tmp_path / "uploads"}}
    settings.STORAGES = settings.STORAGES | {"vault": vault, "uploads": uploads, "staticfiles": plain}
    return tmp_path


@pytest.fixture(autouse=True)
def quick_passwords(settings):
    """A hash of the site's takes a quarter of a second."""
    settings.PASSWORD_HASHERS = quick_hasher.HASHERS


@pytest.fixture(autouse=True)
def no_second_looks(settings):
    """They come by chance."""
    settings.SECOND_LOOKS_SHARE = 0


@pytest.fixture(autouse=True)
def small_groups(settings):
    """Most releases of tests have fewer people than one with several languages or sources must have."""
    settings.RELEASE_LEAST_GROUP = {"researchers": 1, "public": 1}


@pytest.fixture(autouse=True)
def downloads_end(monkeypatch):
    """Ends each download that the test did not read to its end, as a server does, and closes its files."""
    with ExitStack() as downloads:
        answer = Client.request

        def request(client, **call):
            response = answer(client, **call)
            if response.streaming:
                downloads.callback(list, closing_iterator_wrapper((), response.close))
            return response

        monkeypatch.setattr(Client, "request", request)
        yield


@pytest.fixture(autouse=True)
def nothing_counted(monkeypatch):
    """The limits begin anew with every test: counters of earlier ones stay in Redis under other hashes."""
    monkeypatch.setattr(limits, "SALT", f"limits of a test {secrets.token_hex(8)}")
    monkeypatch.setattr(limits, "IN_PROCESS", limits.InProcess())


@pytest.fixture(autouse=True)
def nobody_runs_it(monkeypatch):
    """No page asks who runs the site, so that the statements of each can be counted."""
    monkeypatch.setattr(operators._Kept, "operator", None)
    monkeypatch.setattr(operators._Kept, "until", float("inf"))


@pytest.fixture
def now():
    return NOW


@pytest.fixture
def alice(db):
    """A contributor: volunteers may hear her clips, and researchers may have them."""
    vault.establish()  # as at the start of every process
    [person] = cast.create("alice")
    cast.agree(person, NOW, reference="on paper")
    return person


@pytest.fixture
def volunteers(db):
    names = ("bea", "carl", "dora", "eli", "fay", "gus", "hana")
    return cast.create(*names, pledge=pledge.VERSION)


@pytest.fixture
def bea(volunteers):
    return volunteers[0]


@pytest.fixture
def carl(volunteers):
    return volunteers[1]


@pytest.fixture
def rita(db):
    roles = [Role.ANNOTATOR, Role.REVIEWER]
    return factors.give_factor(User.objects.create_user("rita", roles=roles, pledge=pledge.VERSION))


@pytest.fixture
def admin_user(admin_user):
    """The one of pytest-django, with a second factor."""
    return factors.give_factor(admin_user)


@pytest.fixture
def sam(db):
    return User.objects.create_user("sam", roles=[])


@pytest.fixture
def juniper(db):
    """A wake-word campaign with the defaults: 2 to 7 votes, settled at a confidence of 0.75.

    New volunteers settle it alone; tests/settling/test_track_records.py is about campaigns that they cannot.
    """
    wake_word = {"kind": Campaign.Kind.WAKE_WORD, "wake_word": "hey juniper"}
    return campaigns.create(slug="juniper", language="en", needs_track_record=False, **wake_word)


@pytest.fixture
def sentences(db):
    kind = Campaign.Kind.TRANSCRIPTION
    return campaigns.create(slug="sentences", kind=kind, language="en", needs_track_record=False)


@pytest.fixture
def share(alice):
    """Shares one more clip, different from all earlier ones, and returns its task."""
    different = count(1)

    def one_more(campaign: Campaign, contributor: User = alice) -> Task:
        samples = sounds.tone(0.5, hertz=1000 + 10 * next(different))
        sound = intake.read(sounds.in_format("wav", samples))
        origin = intake.Origin(contributor, Clip.Source.BROWSER, campaign.language)
        assert intake.add(sound, campaign, origin, NOW)
        return Task.objects.get(
            campaign=campaign, clip__samples_hash__in=fingerprints.hashes([sound.fingerprint])
        )

    return one_more


@pytest.fixture
def add_tasks(alice):
    """Adds many tasks to a campaign quickly: only rows, without audio."""
    different = count(1)

    def many(campaign: Campaign, number: int, contributor: User = alice) -> list[Task]:
        basis = contributor.consents.filter(material=campaign.material)[0]
        clips = [row_of_a_clip(f"no sound {next(different)}", basis, campaign) for _ in range(number)]
        wanted = campaign.min_annotations
        tasks = [
            Task(clip=clip, campaign=campaign, wanted=wanted) for clip in Clip.objects.bulk_create(clips)
        ]
        return Task.objects.bulk_create(tasks)

    return many


def row_of_a_clip(name, basis, campaign):
    clip = Clip(
        contributor=basis.contributor,
        consent=basis,
        material=campaign.material,
        language=campaign.language,
        source=Clip.Source.IMPORT,
        licence="CC0-1.0",
        seconds=1.0,
        speech_share=1.0,
        samples_hash=name,
        stored_as=name,
        created_at=NOW,
    )
    clip.wrap(secrets.token_bytes(KEY), keys.data_key(basis.contributor))
    return clip


@pytest.fixture
def run_together():
    """Runs calls in threads that start together, each on its own connection.

    Returns what each call returned, or the exception that it raised. Needs django_db(transaction=True).
    """

    def run(*calls, threads=None):
        number = threads or len(calls)
        ready = Barrier(number, timeout=30)

        def get_ready():
            connection.ensure_connection()
            ready.wait()

        with ThreadPoolExecutor(number, initializer=get_ready) as pool:
            done = [pool.submit(on_own_connection, call) for call in calls]
        return [call.exception() or call.result() for call in done]

    return run


@pytest.fixture
def in_background(transactional_db):
    """Starts a call in a thread, on its own connection, and returns its future."""
    with ThreadPoolExecutor() as pool:
        yield lambda call: pool.submit(on_own_connection, call)


def on_own_connection(call):
    try:
        return call()
    finally:
        connections.close_all()


@pytest.fixture
def site_environment(own_home, transactional_db):
    """The environment for another process that works on this test's database, vault and keys."""
    database = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}")
    return os.environ | {"DATABASE_URL": database.geturl(), "TAGGER_HOME": str(own_home)}


@pytest.fixture
def lock_is_awaited():
    """Whether a connection to this database is waiting for a lock."""

    def ask():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_clear_snapshot()")  # it is cached within a transaction
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            return cursor.fetchone()[0] > 0

    return ask


class Dice(Random):
    """`random()` returns what a test set; whole numbers stay random."""

    getrandbits = Random.getrandbits

    def __init__(self, shows):
        super().__init__(1)
        self.shows = shows

    def random(self):
        return self.shows


@pytest.fixture(autouse=True)
def dice(monkeypatch):
    """No controls or repeats are mixed in unless the test asks for them: `dice(0)` always mixes them in."""

    def show(number):
        monkeypatch.setattr(controls, "dice", Dice(number))

    show(1)
    return show
