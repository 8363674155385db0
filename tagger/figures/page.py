"""What the page of a campaign's figures draws: plain numbers and labels for the tags of charts."""

from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from datasets.models import Label
from tagger import durations

from . import links, wording
from .reading import Figures

DAYS = 60  # the newest that are drawn; the file has all
Drawn = dict[str, Any]


def drawn(figures: Figures) -> Drawn:
    """Everything that the template takes, by figure."""
    return {
        "head": _head(figures),
        "days": _days(figures),
        "statuses": _statuses(figures),
        "answers": _answers(figures),
        "confidence": _shares(figures, "confidence", status="settled"),
        "confusion": _confusion(figures),
        "agreement": _agreement(figures),
        "votes": _votes(figures),
        "time_to_settle": _times(figures),
        "lengths": _lengths(figures),
        "speech": _shares(figures, "speech"),
        "sources": _sources(figures),
        "contributors": [
            (wording.clips_each(row), row["contributors"]) for row in figures.many("contributors")
        ],
        "largest": _largest(figures),
        "clips": _clips(figures),
    }


def _clips(figures: Figures) -> dict[str, str]:
    """What is behind the figures whose rows have no clips of their own."""
    campaign = figures.campaign
    return {
        "all": links.clips(campaign),
        "answered": links.clips(campaign, votes_from=1),
        "compared": links.clips(campaign, votes_from=2),
        "settled": links.clips(campaign, status="settled"),
    }


def _head(figures: Figures) -> Drawn:
    totals = figures.totals
    clips, saved, controls = totals["clips"], totals["saved"], totals["controls"]
    asked = saved["votes"] + saved["spared"]
    return {
        "settled_percent": _percent(totals["settled"], clips),
        "hours": durations.hours(totals["seconds_clips"]),
        "hours_settled": durations.hours(totals["seconds_settled"]),
        "hours_wanted": durations.hours(totals["wanted"]["seconds"]),
        "votes_wanted": round(totals["wanted"]["votes"]),
        "forecast": figures.one("forecast"),
        "spared_percent": _percent(saved["spared"], asked),
        "right_percent": _percent(controls["right"], controls["answered"]),
        "right_low": round(100 * controls["low"]),
        "right_high": round(100 * controls["high"]),
    }


def _percent(part: float, of: float) -> int:
    return round(100 * part / of) if of else 0


def _days(figures: Figures) -> Drawn:
    found = list(figures.days(DAYS))

    def series(**names: str) -> list[Drawn]:
        return [{"name": name, "values": [row[each] for row in found]} for each, name in names.items()]

    return {
        # In the letters of Django: 21 Oct
        "labels": [date_format(row["day"], _("j M")) for row in found],
        "answers": series(answers=_("Answers")),
        "volunteers": series(volunteers=_("Volunteers")),
        "decided": series(settled=_("Settled"), disputed=_("Disputed")),
    }


def _statuses(figures: Figures) -> Drawn:
    rows = figures.many("statuses")
    return {
        "rows": [(wording.status(row["status"]), row["clips"]) for row in rows],
        "links": [links.clips(figures.campaign, status=row["status"]) for row in rows],
    }


def _answers(figures: Figures) -> Drawn:
    rows = figures.many("answers")
    return {
        "rows": [(wording.answer(row["answer"]), row["clips"]) for row in rows],
        "links": [links.clips(figures.campaign, status="settled", answer=row["answer"]) for row in rows],
    }


def _shares(figures: Figures, name: str, **filters: str) -> Drawn:
    """A histogram of shares from 0 to 1. The explorer's filter has the figure's name."""
    rows = figures.many(name)
    between = ({f"{name}_from": row["start"], f"{name}_to": row["end"]} for row in rows)
    return {
        "edges": [row["start"] for row in rows] + [row["end"] for row in rows[-1:]],
        "counts": [row["clips"] for row in rows],
        "links": [links.clips(figures.campaign, **filters, **each) for each in between],
    }


def _confusion(figures: Figures) -> Drawn:
    """Each row in percent of its votes, with the clips that are settled so behind it."""
    votes = {(row["settled"], row["given"]): row["votes"] for row in figures.many("confusion")}
    rows, addresses = [], []
    for settled in Label.values:
        given = [votes.get((settled, each), 0) for each in Label.values]
        if total := sum(given):
            rows.append((wording.answer(settled), [round(100 * number / total) for number in given]))
            link = links.clips(figures.campaign, status="settled", answer=settled)
            addresses.append([link] * len(given))
    return {"columns": [wording.answer(each) for each in Label.values], "rows": rows, "links": addresses}


def _agreement(figures: Figures) -> Drawn:
    months = [row for row in figures.many("agreement") if row["month"]]

    def line(name: str, label: str) -> Drawn:
        ends = {each: [row[f"{name}_{each[:-1]}"] for row in months] for each in ("lows", "highs")}
        return {"name": label, "values": [row[name] for row in months], **ends}

    lines = [line("pairwise", _("Two people give the same answer"))]
    if not figures.campaign.asks_for_words:
        lines.append(line("alpha", _("Krippendorff's alpha")))
    return {"labels": [date_format(row["month"], _("M Y")) for row in months], "series": lines}


def _votes(figures: Figures) -> Drawn:
    rows = figures.many("votes")
    filters = ({"votes_from": row["votes"], "votes_to": row["votes"]} for row in rows)
    return {
        "rows": [(row["votes"], row["clips"]) for row in rows],
        "links": [links.clips(figures.campaign, status="settled", **each) for each in filters],
    }


def _times(figures: Figures) -> list[tuple[Any, int]]:
    rows = figures.many("time_to_settle")
    return [(wording.UNTIL_SETTLED[row["end"]], row["clips"]) for row in rows]


def _lengths(figures: Figures) -> Drawn:
    rows = figures.many("lengths")
    return {
        "rows": [(wording.seconds(row), row["clips"]) for row in rows],
        "links": [
            links.clips(figures.campaign, seconds_from=row["start"], seconds_to=row["end"]) for row in rows
        ],
    }


def _sources(figures: Figures) -> Drawn:
    rows = figures.many("sources")
    return {
        "rows": [(wording.source(row["source"]), row["clips"]) for row in rows],
        "links": [links.clips(figures.campaign, source=row["source"]) for row in rows],
    }


def _largest(figures: Figures) -> Drawn:
    rows = figures.many("largest_contributors")
    return {
        "rows": [(f"#{row['contributor']}", round(100 * row["share"], 1)) for row in rows],
        "links": [links.clips(figures.campaign, contributor=row["contributor"]) for row in rows],
    }
