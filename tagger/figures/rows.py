"""What each figure's rows hold: for the API's description, its answers, and the heads of CSV files."""

from functools import cache
from typing import Any

from rest_framework import serializers

from datasets.models import Clip, Task

Row = serializers.Serializer[Any]


class SummaryRow(Row):
    clips = serializers.IntegerField(help_text="that may be heard, without those in their cooling-off")
    seconds = serializers.FloatField(help_text="of all these clips together")
    answers = serializers.IntegerField()
    kept_answers = serializers.IntegerField(help_text="of these, by people who left; they are on no day")
    second_answers = serializers.IntegerField(help_text="to a clip that was answered before; never votes")
    volunteers = serializers.IntegerField(help_text="who gave the other answers")
    contributors = serializers.IntegerField()
    settled_by_reviewers = serializers.IntegerField()


class StatusRow(Row):
    status = serializers.ChoiceField([*Task.Status.values, "hidden"])
    clips = serializers.IntegerField()
    seconds = serializers.FloatField()


class DayRow(Row):
    day = serializers.DateField()
    answers = serializers.IntegerField()
    volunteers = serializers.IntegerField(help_text="different people who answered")
    settled = serializers.IntegerField()
    disputed = serializers.IntegerField()


class AnswerRow(Row):
    answer = serializers.CharField()
    clips = serializers.IntegerField(help_text="settled so")
    seconds = serializers.FloatField()


class ClassRow(Row):
    start = serializers.FloatField(help_text="from here on")
    end = serializers.FloatField(allow_null=True, help_text="up to here; null: without end")
    clips = serializers.IntegerField()


class ConfusionRow(Row):
    settled = serializers.CharField(help_text="the answer that clips are settled with")
    given = serializers.CharField(help_text="the answer that people gave")
    votes = serializers.IntegerField()


class AgreementRow(Row):
    month = serializers.DateField(allow_null=True, help_text="its first day; null: over all months")
    tasks = serializers.IntegerField()
    alpha = serializers.FloatField(allow_null=True)
    alpha_low = serializers.FloatField(allow_null=True)
    alpha_high = serializers.FloatField(allow_null=True)
    pairwise = serializers.FloatField(allow_null=True)
    pairwise_low = serializers.FloatField(allow_null=True)
    pairwise_high = serializers.FloatField(allow_null=True)


class VotesRow(Row):
    votes = serializers.IntegerField()
    clips = serializers.IntegerField(help_text="that so many votes settled, without a reviewer")


class SavedRow(Row):
    clips = serializers.IntegerField(help_text="settled by votes alone")
    votes = serializers.IntegerField(help_text="that these clips had")
    spared = serializers.IntegerField(help_text="that they would have had with the most for each")
    a_clip = serializers.FloatField(allow_null=True, help_text="votes, on average")


class ControlsRow(Row):
    answered = serializers.IntegerField()
    right = serializers.IntegerField()
    low = serializers.FloatField(help_text="of the 95 % interval of the share that is right")
    high = serializers.FloatField()


class WantedRow(Row):
    clips = serializers.IntegerField(help_text="that wait for answers")
    votes = serializers.FloatField(help_text="that these are likely to need")
    seconds = serializers.FloatField(help_text="of listening")


class ForecastRow(Row):
    a_day = serializers.FloatField(allow_null=True, help_text="answers, over up to 14 whole days")
    a_day_low = serializers.FloatField(allow_null=True, help_text="of the 95 % interval")
    a_day_high = serializers.FloatField(allow_null=True)
    day = serializers.DateField(allow_null=True, help_text="on which it is done; null: not foreseeable")
    earliest = serializers.DateField(allow_null=True)
    latest = serializers.DateField(allow_null=True)


class SourceRow(Row):
    source = serializers.ChoiceField(Clip.Source.values)  # type: ignore[assignment]
    clips = serializers.IntegerField()
    seconds = serializers.FloatField()


class ContributorsRow(Row):
    start = serializers.IntegerField(help_text="from so many clips each on")
    end = serializers.IntegerField(allow_null=True, help_text="up to so many, these included")
    contributors = serializers.IntegerField()
    clips = serializers.IntegerField(help_text="of all these contributors together")


class LargestRow(Row):
    contributor = serializers.IntegerField(help_text="the person's number")
    clips = serializers.IntegerField()
    seconds = serializers.FloatField()
    share = serializers.FloatField(help_text="of the campaign's clips, 0 to 1")


# The figures of which there is one row, and those of which there are many.
SINGLE: dict[str, type[Row]] = {
    "summary": SummaryRow,
    "saved": SavedRow,
    "controls": ControlsRow,
    "wanted": WantedRow,
    "forecast": ForecastRow,
}
MANY: dict[str, type[Row]] = {
    "statuses": StatusRow,
    "days": DayRow,
    "answers": AnswerRow,
    "confidence": ClassRow,
    "confusion": ConfusionRow,
    "agreement": AgreementRow,
    "votes": VotesRow,
    "time_to_settle": ClassRow,
    "lengths": ClassRow,
    "speech": ClassRow,
    "sources": SourceRow,
    "contributors": ContributorsRow,
    "largest_contributors": LargestRow,
}
ALL = SINGLE | MANY


@cache
def columns(name: str) -> list[str]:
    """Of the figure of this name. Raises KeyError if there is none."""
    return list(ALL[name]().fields)


class _Figures(Row):
    campaign = serializers.SlugField()
    as_of = serializers.DateTimeField(allow_null=True, help_text="null: not counted yet")


# One field for each figure; of a campaign that was not counted yet, null and empty lists.
FiguresSerializer = type(
    "FiguresSerializer",
    (_Figures,),
    {name: row(allow_null=True) for name, row in SINGLE.items()}
    | {name: row(many=True) for name, row in MANY.items()},
)
