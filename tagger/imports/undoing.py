"""Undoes an import whole: every clip that it added is withdrawn, as if its person had asked for that.

Clips that were here before it stay.
"""

from datetime import datetime

from accounts import audit
from accounts.models import User
from datasets.imports import ending
from datasets.models import Import

from . import tasks


def undo(run: Import, by: User | None, now: datetime) -> None:
    """Nothing more of it is added from now on; its clips go within minutes. Raises ImportRefused."""
    ending.begin_undoing(run, now)
    audit.record(audit.Act.UNDID_IMPORT, f"import {run.pk}", by, now, {"campaign": run.campaign.slug})
    tasks.undo.delay_on_commit()  # type: ignore[attr-defined]
