"""Quarters of a year: the finest time stored or shown wherever a time could identify a person."""

from datetime import UTC, datetime


def name(at: datetime) -> str:
    """The quarter's name.

    >>> name(datetime(2026, 5, 31, tzinfo=UTC))
    '2026-Q2'
    """
    return f"{at.year}-Q{(at.month + 2) // 3}"


def start(at: datetime) -> datetime:
    """The first moment of the quarter.

    >>> start(datetime(2026, 5, 31, tzinfo=UTC)).date().isoformat()
    '2026-04-01'
    """
    return datetime(at.year, 3 * ((at.month - 1) // 3) + 1, 1, tzinfo=UTC)
