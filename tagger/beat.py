"""Celery beat's record of when each periodic task last ran, in a file that no power cut leaves unreadable.

Celery's own scheduler uses pickle and whichever dbm Python has. Once such a file is torn, beat may end at
each start, as only some of the errors are caught (celery/beat.py, PersistentScheduler._create_schedule).
"""

from datetime import datetime
from pathlib import Path
from typing import Any

from celery.beat import Scheduler

from tagger.local import durable


class DurableScheduler(Scheduler):
    """The tasks are those of the settings; the file has only their times. Without one, they begin now."""

    def __init__(self, *args: Any, schedule_filename: str, **kwargs: Any) -> None:
        self._file = Path(schedule_filename)
        super().__init__(*args, **kwargs)

    def setup_schedule(self) -> None:
        super().setup_schedule()
        last_runs = durable.read_record(self._file)
        for name, entry in self.schedule.items():
            now = entry.default_now()
            # A time that lies ahead is from before the clock was put right; the task would wait for it.
            entry.last_run_at = min(_time(last_runs.get(name)) or now, now)

    def sync(self) -> None:
        last_runs = {name: entry.last_run_at for name, entry in self.schedule.items()}
        durable.write_record(self._file, {name: time.isoformat() for name, time in last_runs.items() if time})

    def close(self) -> None:
        """Celery would also release the connection to the broker. But a signal may have interrupted
        its use, and the error of that would replace the end that the signal asks for."""
        self.sync()

    @property
    def info(self) -> str:
        return f"    . times of the last runs -> {self._file}"


def _time(text: object) -> datetime | None:
    """None if it is no time with a time zone."""
    try:
        time = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return time if time.tzinfo else None
