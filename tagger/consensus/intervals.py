"""How sure a share is that was counted over few cases."""

import math
from dataclasses import dataclass

Z = 1.959964  # of the normal distribution, for 95 %


def wilson(found: float, number: int) -> tuple[float, float]:
    """The 95 % score interval of the share `found` of `number`, from 0 to 1; all of it for no cases.

    E. B. Wilson, Probable inference, the law of succession, and statistical inference (1927),
    doi:10.1080/01621459.1927.10502953. Unlike the usual interval it is right for few cases and for none.

    >>> wilson(0, 0), [round(bound, 3) for bound in wilson(0, 20)]
    ((0.0, 1.0), [0.0, 0.161])
    """
    if not number:
        return 0.0, 1.0
    share, weight = found / number, Z * Z / number
    middle = (share + weight / 2) / (1 + weight)
    reach = Z * math.sqrt(share * (1 - share) / number + weight / (4 * number)) / (1 + weight)
    # At its ends it is the share itself, but for the rounding of floats.
    return max(min(middle - reach, share), 0.0), min(max(middle + reach, share), 1.0)


@dataclass(frozen=True)
class Estimate:
    """With its 95 % interval."""

    value: float
    low: float
    high: float


def share_of(mean: float, number: int) -> Estimate:
    """A mean of values from 0 to 1, with Wilson's interval: none of few does not mean none of many."""
    low, high = wilson(mean * number, number)
    return Estimate(mean, low, high)
