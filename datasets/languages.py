"""Language codes such as en or pt-BR (BCP 47), as campaigns and clips carry them. Pure."""

import re
from functools import lru_cache

CODE = r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*\Z"
LONGEST = 35  # characters; RFC 5646, section 4.4.1


@lru_cache(maxsize=256)
def is_code(text: str) -> bool:
    """
    >>> is_code("pt-BR"), is_code("English")
    (True, False)
    >>> is_code("pt-BR\\n")
    False
    """
    return len(text) <= LONGEST and re.search(CODE, text) is not None


def tidied(text: str) -> str:
    """The code that is meant by another spelling of it; what is no code stays as it is.

    >>> tidied("en_US"), tidied("ZH-hant-tw"), tidied("English"), tidied("pt-BR")
    ('en-US', 'zh-Hant-TW', 'English', 'pt-BR')
    """
    if is_code(text):
        return text
    language, *others = text.strip().replace("_", "-").split("-")
    parts = {2: str.upper, 4: str.title}
    code = "-".join([language.lower(), *(parts.get(len(each), str.lower)(each) for each in others)])
    return code if is_code(code) else text


def primary(code: str) -> str:
    """The language without its country or script.

    >>> primary("pt-BR")
    'pt'
    """
    return code.split("-")[0].lower()
