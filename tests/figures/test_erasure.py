"""Figures name no one who withdrew: neither stored ones, nor those of a count that began before."""

import pytest

from datasets.models import Clip, Withdrawal
from tagger.figures import counting
from tagger.models import LargestContributor
from tagger.privacy import withdrawal
from tests.conftest import NOW
from tests.support.mutants import mutant

pytestmark = pytest.mark.django_db


def count(campaign):
    assert counting.count(campaign, lambda: NOW)


def scrub():
    for pk in withdrawal.unfinished():
        withdrawal.scrub(Withdrawal.objects.get(pk=pk), lambda: NOW)


@pytest.fixture
def clips(juniper, share):
    return [share(juniper).clip, share(juniper).clip]


@mutant(
    "the figures of a campaign do not name whoever erased a clip",
    "tagger/privacy/withdrawal.py",
    kept_by="    LargestContributor.objects.filter(contributor=person).delete()",
    broken="    LargestContributor.objects.none().delete()",
)
@pytest.mark.parametrize("what", ["account", "everything", "one clip"])
def test_an_erasure_takes_the_contributor_out_of_the_figures(what, alice, juniper, clips):
    count(juniper)
    assert LargestContributor.objects.get().contributor == alice
    acts = {
        "account": lambda: withdrawal.forget_account(alice, True, NOW),
        "everything": lambda: withdrawal.forget_contributor(alice, NOW),
        "one clip": lambda: withdrawal.forget_clips(alice, [clips[0].pk], NOW),
    }
    acts[what]()
    scrub()
    assert not LargestContributor.objects.exists()


@mutant(
    "a count that began before an erasure does not bring its person back",
    "tagger/figures/counting.py",
    kept_by="        if person in locked and person not in going",
    broken="        if person in locked",
)
def test_a_count_that_began_earlier_does_not_bring_them_back(alice, juniper, clips, monkeypatch):
    store_days = counting._store_days

    def meanwhile(*given):
        withdrawal.forget_contributor(alice, NOW)
        scrub()
        store_days(*given)

    monkeypatch.setattr(counting, "_store_days", meanwhile)
    count(juniper)
    assert not Clip.objects.exists() and not LargestContributor.objects.exists()
