"""The two passes of the model over slots: from evidence to the text of each task and its confidence."""

from typing import NamedTuple

import numpy as np

from datasets.normalise import join

from . import reliability
from .inputs import FixedInputs, model_inputs
from .judge import Model
from .reliability import Belief
from .slots import Booleans, Floats, Integers, Slots, on_grid, sum_at


class Judged(NamedTuple):
    """The result for some tasks: `leads`, each slot's leading candidate; `texts` and `confidences` by task.

    `skills` (voices + 1, 3) are those that were used; the last row is the pool's.
    """

    slots: Slots
    belief: Belief
    leads: Integers
    texts: list[str]
    confidences: Floats
    skills: Floats


def first_pass(fixed: FixedInputs, skills: Floats, model: Model) -> Belief:
    """The model's belief, starting from that of the noisy channel. Known words stay known."""
    evidence = fixed.evidence
    channel = reliability.believe(evidence, skills)
    belief = model.judge(evidence.slots, *model_inputs(fixed, channel), which_pass=0)
    is_known = evidence.known >= 0
    return Belief(
        np.where(is_known[evidence.slots.slot], channel.candidates, belief.candidates),
        np.where(is_known, channel.none, belief.none),
    )


def second_pass(fixed: FixedInputs, first: Belief, skills: Floats, model: Model) -> Judged:
    """The texts, starting from the belief of the first pass. Probabilities are rounded to six decimals."""
    slots = fixed.evidence.slots
    belief = model.judge(slots, *model_inputs(fixed, first), which_pass=1)
    candidates, silent = belief.candidates, _unanimous_silence(slots)
    if silent.any():
        candidates = np.where(silent, 1 - _all_wrong(slots, skills)[slots.slot], candidates)
    belief = Belief(candidates.round(6), belief.none)
    leads = slots.leaders(belief.candidates)
    tasks = len(slots.voices) - 1
    # A word that one person alone wrote is not agreed on.
    wrong, is_agreed = on_grid(1 - belief.candidates[leads]), (slots.width == 1) & (slots.voice_count > 1)
    agreed, contested = (sum_at(wrong * where, slots.task, tasks) for where in (is_agreed, ~is_agreed))
    lengths = sum_at(~slots.empty[leads], slots.task, tasks)
    texts = [join(text) for text in slots.texts(leads)]
    found = model.confidence(agreed, contested, lengths, skills[-1, 0])
    confidences = np.where(np.diff(slots.voices) > 0, found, 0.0)
    return Judged(slots, belief, leads, texts, confidences, skills)


def _unanimous_silence(slots: Slots) -> Booleans:
    """Whether a candidate is the agreement of all voices that no word was spoken.

    The model has learned nothing of such slots, as no known text has a word there.
    """
    return slots.empty & (slots.width == 1)[slots.slot]


def _all_wrong(slots: Slots, skills: Floats) -> Floats:
    """The chance that all voices of a slot are wrong, if they err independently: (slots,)."""
    wrong = np.log(np.clip(1 - skills[slots.annotator, 0], 0.001, 1)) * slots.weight
    return np.exp(sum_at(on_grid(wrong)[slots.cell_voice], slots.cell_slot, slots.count))
