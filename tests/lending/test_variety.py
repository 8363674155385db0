"""No run of one voice: the order in which clips are heard."""

from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from accounts import consent
from accounts.models import Purpose, User
from tagger.lending import assignments
from tagger.lending.variety import mixed
from tests.conftest import NOW


@given(st.lists(st.sampled_from("abcd"), max_size=10))
def test_the_same_clips_and_a_run_only_where_one_voice_has_more_than_half(voices):
    order = mixed(range(len(voices)), voices)
    assert sorted(order) == list(range(len(voices)))
    runs = sum(voices[one] == voices[other] for one, other in pairwise(order))
    most = max(Counter(voices).values(), default=0)
    assert runs == max(0, 2 * most - len(voices) - 1)


@given(st.lists(st.sampled_from("abcdefghij"), unique=True))
def test_different_voices_stay_in_their_order(voices):
    assert mixed(voices, voices) == voices


def test_nobody_hears_one_voice_twice_in_a_row(alice, bea, juniper, shelf):
    dina = User.objects.create_user("dina")
    consent.give(dina, juniper.material, [Purpose.VOLUNTEERS], NOW, reference="on paper")
    shelf(juniper, 5)
    shelf(juniper, 5, contributor=dina)
    lent = assignments.lend(bea, juniper, 10, NOW)
    # And a page that is opened again draws them so too.
    for clips in (lent, assignments.at_hand(bea, juniper, NOW)):
        voices = [each.task.clip.contributor_id for each in clips]
        assert len(voices) == 10
        assert all(one != other for one, other in pairwise(voices)), voices
