"""Which clips repeat a sentence that is in another split. Pure."""

from collections.abc import Iterator

PRECEDENCE = ("test", "dev", "train")


class Sentences:
    """The sentences of a release and the splits that they are in.

    A sentence of several splits belongs to test if it is there, else to dev: what is measured with loses
    nothing, and what is trained on has most clips to spare.

    >>> found = Sentences()
    >>> for text, split, key in (("go", "train", "a"), ("go", "test", "b"), ("stop", "train", "c")):
    ...     found.add(text, split, key)
    >>> list(found.elsewhere(10))
    [['a']]
    """

    def __init__(self) -> None:
        self._owner: dict[int, int] = {}
        self._clips: list[tuple[int, int, str]] = []

    def add(self, text: str, split: str, key: str) -> None:
        """A clip, by a key of the caller's; one without words repeats nothing."""
        if text:
            sentence, rank = hash(text), PRECEDENCE.index(split)
            self._owner[sentence] = min(self._owner.get(sentence, rank), rank)
            self._clips.append((sentence, rank, key))

    def elsewhere(self, size: int) -> Iterator[list[str]]:
        """The keys of clips whose sentence belongs to another split, at most `size` at a time."""
        batch: list[str] = []
        for sentence, rank, key in self._clips:
            if rank != self._owner[sentence]:
                batch.append(key)
            if len(batch) == size:
                yield batch
                batch = []
        if batch:
            yield batch
