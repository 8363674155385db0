"""Language codes such as en or pt-BR (BCP 47), as campaigns and clips carry them. Pure."""

import re
from functools import lru_cache

CODE = r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$"
LONGEST = 35  # characters; RFC 5646, section 4.4.1


@lru_cache(maxsize=256)
def is_code(text: str) -> bool:
    """
    >>> is_code("pt-BR"), is_code("English")
    (True, False)
    """
    return len(text) <= LONGEST and re.search(CODE, text) is not None


def primary(code: str) -> str:
    """The language without its country or script.

    >>> primary("pt-BR")
    'pt'
    """
    return code.split("-")[0].lower()
