"""The version of the consensus engine; apart from it, as web processes load this without the engine."""

# Raised by one whenever the same votes and parameters may come to another verdict. What an earlier version
# settled is then settled again, in batches (tagger.learning.recomputing).
VERSION = 1
