"""How API calls read a body: `strict_json`, with its refusals as 400."""

from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

from . import strict_json
from .refusals import in_words
from .wording import WORDS


class StrictJsonParser(JSONParser):
    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        try:
            return strict_json.read(stream.read())
        except strict_json.BadJson as refusal:
            raise ParseError(f"JSON parse error: {in_words(refusal, WORDS)}") from refusal
