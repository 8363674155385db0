"""The finest time that is kept or told of what could lead to a person."""

from datetime import UTC, datetime


def name(at: datetime) -> str:
    """
    >>> name(datetime(2026, 5, 31, tzinfo=UTC))
    '2026-Q2'
    """
    return f"{at.year}-Q{(at.month + 2) // 3}"


def start(at: datetime) -> datetime:
    """The first moment of its quarter.

    >>> start(datetime(2026, 5, 31, tzinfo=UTC)).date().isoformat()
    '2026-04-01'
    """
    return datetime(at.year, 3 * ((at.month - 1) // 3) + 1, 1, tzinfo=UTC)
