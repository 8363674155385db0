"""Read what was counted of a campaign: a few rows, however many clips it has."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

from django.utils.dateparse import parse_date
from django.utils.timezone import localtime

from datasets.models import Campaign, Task
from tagger.models import AgreementFigure, CampaignDay, CampaignFigures

from . import rows

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Figures:
    """Those of one campaign, as the last count found them."""

    campaign: Campaign
    counted: CampaignFigures | None

    @property
    def as_of(self) -> datetime | None:
        return self.counted.measured_at if self.counted else None

    @cached_property
    def totals(self) -> dict[str, Any]:
        return self.counted.totals if self.counted and self.as_of else {}

    def one(self, name: str) -> dict[str, Any] | None:
        """The row of a figure in `rows.SINGLE`; None before the first count."""
        if not self.totals:
            return None
        if name == "summary":
            own = {each: self.totals.get(each) for each in rows.columns(name)}
            return own | {"seconds": self.totals["seconds_clips"]}
        found: dict[str, Any] = self.totals[name]
        if name == "forecast":
            days = {each: _date(found[each]) for each in ("day", "earliest", "latest")}
            return found | days
        return found

    def many(self, name: str) -> Rows:
        """The rows of a figure in `rows.MANY`; none before the first count."""
        if self.counted is None or not self.totals:
            return []
        made = {"days": self.days, "agreement": self.agreement, "statuses": self._statuses}
        made["largest_contributors"] = self._largest
        if name in made:
            return list(made[name]())
        found: Rows = self.counted.tables.get(name, [])
        return found

    def table(self, name: str) -> Rows:
        """The rows of any figure."""
        if name not in rows.SINGLE:
            return self.many(name)
        found = self.one(name)
        return [found] if found else []

    def as_dict(self) -> dict[str, Any]:
        about = {"campaign": self.campaign.slug, "as_of": self.as_of}
        single = {name: self.one(name) for name in rows.SINGLE}
        return about | single | {name: self.many(name) for name in rows.MANY}

    def days(self, newest: int | None = None) -> Iterator[dict[str, Any]]:
        """From the first day on which something happened to that of the count, or the newest of them."""
        found = {each.day: each for each in self._stored_days(newest)}
        if not found or self.as_of is None:
            return
        first, last = min(found), max([*found, localtime(self.as_of).date()])
        for number in range((last - first).days + 1):
            day = first + timedelta(days=number)
            row = found.get(day) or CampaignDay(day=day)
            yield {name: getattr(row, name) for name in rows.columns("days")}

    def _stored_days(self, newest: int | None) -> Any:
        stored = CampaignDay.objects.filter(campaign=self.campaign)
        if newest is None or self.as_of is None:
            return stored
        return stored.filter(day__gt=localtime(self.as_of).date() - timedelta(days=newest))

    def agreement(self) -> Iterator[dict[str, Any]]:
        """Month by month, then over all of them."""
        for row in AgreementFigure.objects.filter(campaign=self.campaign).order_by("month"):
            yield {name: getattr(row, name) for name in rows.columns("agreement")}

    def _statuses(self) -> Iterator[dict[str, Any]]:
        for status in (*Task.Status.values, "hidden"):
            yield {
                "status": status,
                "clips": self.totals[status],
                "seconds": self.totals[f"seconds_{status}"],
            }

    def _largest(self) -> Iterator[dict[str, Any]]:
        clips = self.totals["clips"]
        for row in self.campaign.largest_contributors.order_by("-clips", "contributor"):
            share = row.clips / clips if clips else 0.0
            yield {
                "contributor": row.contributor_id,
                "clips": row.clips,
                "seconds": row.seconds,
                "share": share,
            }


def of(campaign: Campaign) -> Figures:
    return Figures(campaign, CampaignFigures.objects.filter(campaign=campaign).first())


def _date(text: str | None) -> date | None:
    return parse_date(text) if text else None
