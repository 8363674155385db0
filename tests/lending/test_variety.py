"""The order in which clips are heard: no voice twice in a row."""

from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from accounts import consent
from accounts.models import Purpose, User
from tagger.lending import assignments
from tagger.lending.variety import alternate
from tests.conftest import NOW


@given(st.lists(st.sampled_from("abcd"), max_size=10))
def test_the_order_keeps_all_clips_and_repeats_a_voice_only_if_it_has_more_than_half(voices):
    order = alternate(range(len(voices)), voices)
    assert sorted(order) == list(range(len(voices)))
    runs = sum(voices[one] == voices[other] for one, other in pairwise(order))
    most = max(Counter(voices).values(), default=0)
    assert runs == max(0, 2 * most - len(voices) - 1)


@given(st.lists(st.sampled_from("abcdefghij"), unique=True))
def test_clips_of_different_voices_keep_their_order(voices):
    assert alternate(voices, voices) == voices


def test_no_one_hears_a_voice_twice_in_a_row(alice, bea, juniper, add_tasks):
    dina = User.objects.create_user("dina")
    consent.give(dina, juniper.material, [Purpose.VOLUNTEERS], NOW, reference="on paper")
    add_tasks(juniper, 5)
    add_tasks(juniper, 5, contributor=dina)
    lent = assignments.lend(bea, juniper, 10, NOW)
    # The same when the page is opened again.
    for clips in (lent, assignments.playable_leases(bea, juniper, NOW)):
        voices = [each.task.clip.contributor_id for each in clips]
        assert len(voices) == 10
        assert all(one != other for one, other in pairwise(voices)), voices
