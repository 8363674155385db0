"""A clock for tests of limits, which count in windows that begin by the clock."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone


class Clock:
    """Stands still, a second after the full hour, until a test moves it."""

    def __init__(self):
        self.now = timezone.now().replace(minute=0, second=1, microsecond=0)

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **parts):
        self.now += timedelta(**parts)


@pytest.fixture
def clock(monkeypatch):
    standing = Clock()
    monkeypatch.setattr(timezone, "now", standing)
    return standing
