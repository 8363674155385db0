"""Licences of recordings, by their SPDX identifiers. Pure."""

# The licences under which speech is shared; https://spdx.org/licenses/ has all.
COMMON = (
    "CC0-1.0",
    "CC-BY-4.0",
    "CC-BY-SA-4.0",
    "CC-BY-NC-4.0",
    "CC-BY-NC-SA-4.0",
    "CC-BY-ND-4.0",
    "CC-BY-NC-ND-4.0",
    "CC-BY-3.0",
    "CC-BY-SA-3.0",
    "CC-BY-NC-3.0",
    "PDDL-1.0",
    "ODC-By-1.0",
    "ODbL-1.0",
    "CDLA-Permissive-2.0",
    "CDLA-Sharing-1.0",
    "Apache-2.0",
    "MIT",
)
LONGEST = 40
OWN = "LicenseRef-"  # how SPDX names a licence that is not on its list

_BY_PLAIN = {name.casefold(): name for name in COMMON}


def tidied(text: str) -> str:
    """The identifier as SPDX spells it; empty if this is none that is known here.

    >>> tidied(" cc-by-4.0"), tidied("LicenseRef-our-own"), tidied("free")
    ('CC-BY-4.0', 'LicenseRef-our-own', '')
    """
    text = text.strip()
    rest = text.removeprefix(OWN)
    is_own = rest != text and len(text) <= LONGEST
    if is_own and rest.isascii() and rest.replace("-", "").replace(".", "").isalnum():
        return text
    return _BY_PLAIN.get(text.casefold(), "")
