"""What was refused of an import, and why: for its owner, as long as the names are kept."""

from collections.abc import Iterator
from dataclasses import dataclass

from accounts.ciphers import KeyLost
from accounts.refusals import Refusal
from datasets.models import Import, ImportFile

from . import sealing, wording


@dataclass(frozen=True)
class RefusedFile:
    number: int
    name: str
    why: Refusal

    @property
    def reason(self) -> str:
        """In the active language."""
        return wording.in_words(self.why)


def refused(run: Import, after: int = 0, most: int | None = None) -> Iterator[RefusedFile]:
    """In the order in which they were sent. Raises ImportRefused if the key is gone."""
    key = sealing.key_of(run)
    files = run.files.filter(state=ImportFile.State.REFUSED, pk__gt=after).order_by("pk")
    for file in files[:most].iterator(chunk_size=500) if most is None else files[:most]:
        try:
            about = sealing.about_file(key, file)
        except KeyLost:  # it was just deleted
            continue
        code, parameters = about["refusal"]
        yield RefusedFile(file.pk, about["name"], Refusal(code, **parameters))
