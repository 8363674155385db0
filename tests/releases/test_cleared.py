"""No public release holds a clip that privacy reviewers did not clear, however and whenever it is made."""

import io
from contextlib import closing

import psycopg2
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from accounts import audit, consent
from accounts.models import Purpose
from datasets.models import Campaign, Clip, Release
from datasets.releases import freezing, frozen
from tagger.lending import reporting
from tagger.models import PrivacyCheck
from tests.conftest import NOW
from tests.support import databases
from tests.support.mutants import mutant
from tests.support.released import clear, settle


@pytest.fixture
def settled(alice, juniper, add_tasks):
    """Three clips that may be published."""
    consent.give(alice, juniper.material, [Purpose.PUBLIC], NOW, reference="on paper")
    return [settle(task) for task in add_tasks(juniper, 3)]


def released(slug="open"):
    return set(Release.objects.get(slug=slug).rows.values_list("task", flat=True))


def run(*arguments, **options):
    said = io.StringIO()
    call_command("release", *arguments, stdout=said, **options)
    return said.getvalue()


@mutant(
    "the command makes a public release of cleared clips alone",
    "datasets/models.py",
    kept_by="    is_cleared = Q(clip__cleared_at__isnull=False)\n",
    broken="    is_cleared = Q()\n",
)
@mutant(
    "a clip is not taken for cleared because its campaign asks for no clearing",
    "datasets/models.py",
    kept_by="    return is_cleared if audience == Purpose.PUBLIC else",
    broken="    return",
)
def test_the_command_leaves_out_what_is_not_cleared_and_says_how_much(juniper, settled):
    with pytest.raises(CommandError, match="3 settled clips wait for privacy reviewers"):
        run("open", "--public", campaign=["juniper"])
    Clip.objects.filter(pk=settled[0].clip_id).update(cleared_at=NOW)
    assert "2 not cleared by privacy reviewers" in run("open", "--public", campaign=["juniper"])
    assert released() == {settled[0].pk}
    assert Release.objects.get().clearing["not_cleared"] == 2
    assert "3 clips" in run("named", campaign=["juniper"])


@mutant(
    "a campaign's owner may ask for cleared clips in researchers' releases, too",
    "datasets/models.py",
    kept_by="is_cleared | Q(campaign__needs_clearing=False)",
    broken="Q()",
)
def test_a_campaign_may_ask_the_same_of_releases_for_researchers(juniper, sentences, settled, add_tasks):
    other = settle(add_tasks(sentences, 1)[0], "good morning")
    Campaign.objects.filter(pk=juniper.pk).update(needs_clearing=True)
    Clip.objects.filter(pk=settled[0].clip_id).update(cleared_at=NOW)
    made = freezing.freeze("named", [juniper, sentences], NOW)
    assert released("named") == {settled[0].pk, other.pk} and made.not_cleared == 2


@pytest.fixture
def meanwhile(monkeypatch):
    """Calls this once, as soon as the freeze has called that function of a module."""

    def after(module, name, act):
        called, acts = getattr(module, name), [act]

        def call_and_act(*arguments, **options):
            result = called(*arguments, **options)
            while acts:
                acts.pop()()
            return result

        monkeypatch.setattr(module, name, call_and_act)

    return after


@mutant(
    "a clip that is reported while a release is made does not stay in it",
    "datasets/releases/freezing.py",
    kept_by="    changed = _leave_out_changed(release)\n",
    broken="    changed = 0\n",
)
@mutant(
    "only clips that are cleared to the end stay in a release that is being made",
    "datasets/releases/freezing.py",
    kept_by="filter(is_cleared_for(audience), clip__in=locked)",
    broken="filter(clip__in=locked)",
)
@pytest.mark.parametrize("act", ["reported", "no longer cleared", "being changed"])
def test_what_changes_while_a_release_is_made_is_not_in_it(
    transactional_db, juniper, settled, bea, meanwhile, in_background, act
):
    """A freeze does not wait for whoever is about to report, silence or leave, so that none can deadlock."""
    clear(juniper)
    clip = settled[1].clip
    with closing(psycopg2.connect(databases.url(connection.settings_dict["NAME"]))) as elsewhere:
        acts = {
            "reported": lambda: in_background(
                lambda: reporting.store(bea, settled[1], "private", None, NOW)
            ).result(),
            "no longer cleared": lambda: in_background(lambda: PrivacyCheck.objects.void(clip, NOW)).result(),
            "being changed": lambda: elsewhere.cursor().execute(
                "SELECT FROM datasets_clip WHERE id = %s FOR NO KEY UPDATE", [clip.pk]
            ),
        }
        meanwhile(freezing, "_pin", acts[act])
        made = freezing.freeze("open", [juniper], NOW, audience=Purpose.PUBLIC)
    assert (made.rows, made.not_cleared) == (2, 1)
    assert released() == {settled[0].pk, settled[2].pk}


@mutant(
    "a report waits for a release that is about to be committed",
    "datasets/releases/freezing.py",
    kept_by="batch.select_for_update(no_key=True, skip_locked=True)",
    broken="batch",
)
def test_a_report_after_the_last_look_waits_until_the_release_is_made(
    transactional_db, juniper, settled, bea, meanwhile, in_background, lock_is_awaited
):
    clear(juniper)
    reports = []

    def report():
        reports.append(in_background(lambda: reporting.store(bea, settled[1], "private", None, NOW)))
        while not (lock_is_awaited() or reports[0].done()):
            pass
        assert not reports[0].done()

    meanwhile(audit, "record", report)
    made = freezing.freeze("open", [juniper], NOW, audience=Purpose.PUBLIC).release
    reports[0].result()
    # It was cleared when the release was made, and is withheld at once.
    assert settled[1].pk in released() and frozen.count_silent(made) == 1
