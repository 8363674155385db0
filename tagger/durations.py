"""How long something took, as all pages and the certificate say it: cut, so no one is credited with more."""


def whole_minutes(seconds: float) -> int:
    """
    >>> whole_minutes(59.9), whole_minutes(119)
    (0, 1)
    """
    return int(seconds / 60)


def hours(seconds: float) -> float:
    """In tenths.

    >>> hours(3600), hours(2 * 3600 - 1)
    (1.0, 1.9)
    """
    return whole_minutes(seconds) // 6 / 10
