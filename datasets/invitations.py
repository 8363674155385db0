"""Links that give whoever has them a right: to take part in a campaign, to review it, or to be in a team.

Of a link only the hash is stored, in the row of what it leads to. A new link ends the one before, and an end
is written to the opt-out journal, so that no backup brings an ended link back.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import models, transaction

from accounts import journal


@dataclass(frozen=True)
class Invitations:
    """The links to rows of one model, whose `column` has the hash of the one that works now."""

    model: type[models.Model]
    column: str

    def make(self, row: models.Model, now: datetime) -> str:
        """The text of a new link to this row."""
        text = secrets.token_urlsafe(24)
        with transaction.atomic():
            self.end(row, now)
            self._rows().filter(pk=row.pk).update(**{self.column: _sha256(text)})
        return text

    @transaction.atomic
    def end(self, row: models.Model, now: datetime) -> None:
        """No error if there is none, or if the row is gone."""
        locked = self._rows().select_for_update().filter(pk=row.pk)
        if ended := locked.values_list(self.column, flat=True).first():
            journal.append("invitation", now, sha256=ended)
            self.end_again(ended)

    def to(self, text: str) -> models.Q:
        """A condition: the row to which this link leads."""
        return models.Q(**{self.column: _sha256(text)})

    def works(self, sha256: str) -> bool:
        return self._rows().filter(**{self.column: sha256}).exists()

    def end_again(self, sha256: str) -> int:
        """End the link with this hash; returns 1, or 0 if it has ended."""
        return self._rows().filter(**{self.column: sha256}).update(**{self.column: None})

    def _rows(self) -> models.QuerySet[Any]:
        return self.model._default_manager.all()


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
