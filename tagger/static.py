"""Static files named by their hash."""

from collections.abc import Iterable, Iterator
from typing import Any

from whitenoise.compress import Compressor
from whitenoise.storage import CompressedManifestStaticFilesStorage

OURS = ("css/", "js/", "img/")


class HashedModules(CompressedManifestStaticFilesStorage):
    """Static files named by their hash, with the imports inside ES modules rewritten to match.

    Files of our own pages are also compressed. The admin's are not: they are many, and few people load them.
    """

    support_js_module_import_aggregation = True

    def compress_files(self, paths: Iterable[str]) -> Iterator[tuple[str, str]]:
        yield from super().compress_files([path for path in paths if path.startswith(OURS)])

    def create_compressor(self, **options: Any) -> Compressor:
        """Only gzip, which every browser takes: Brotli would delay each start by seconds."""
        return super().create_compressor(**options, use_brotli=False)
