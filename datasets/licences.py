"""Licences of recordings, by their SPDX identifiers: their terms, and which go together. Pure."""

from collections.abc import Iterable

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


# Of clips that people gave on this site. The consent notice (accounts/notice_texts) names no licence: it says
# who gets a clip and for what, and that a public release may be used as the licence of that release allows.
BY_CONSENT = "LicenseRef-consent"

# In short, for people; what counts is the text at https://spdx.org/licenses/.
TERMS = {
    "CC0-1.0": "No rights reserved: use, change and share without conditions.",
    "PDDL-1.0": "Public domain, for databases: use, change and share without conditions.",
    "MIT": "Use, change and share; keep the copyright and permission notice.",
    "Apache-2.0": "Use, change and share; keep the notices and say what you changed.",
    "CDLA-Permissive-2.0": "Use, change and share; pass on the text of the licence with the data.",
    "ODC-By-1.0": "Use, change and share, for databases; say where it comes from.",
    "CC-BY-4.0": "Use, change and share; give credit and say what you changed.",
    "CC-BY-3.0": "Use, change and share; give credit and say what you changed.",
    "CC-BY-SA-4.0": "Use, change and share; give credit, and share what you change under the same terms.",
    "CC-BY-SA-3.0": "Use, change and share; give credit, and share what you change under the same terms.",
    "ODbL-1.0": "Use, change and share, for databases; give credit, and share changes under the same terms.",
    "CDLA-Sharing-1.0": "Use, change and share; what you add or change is shared under the same terms.",
    "CC-BY-NC-4.0": "Use, change and share, but not commercially; give credit.",
    "CC-BY-NC-3.0": "Use, change and share, but not commercially; give credit.",
    "CC-BY-NC-SA-4.0": "Use, change and share, but not commercially; give credit, and share alike.",
    "CC-BY-ND-4.0": "Use and share unchanged, also commercially; give credit.",
    "CC-BY-NC-ND-4.0": "Use and share unchanged, but not commercially; give credit.",
    BY_CONSENT: "Given here, to those and for the uses that its speaker agreed to in the consent notice.",
}

_BY_PLAIN = {name.casefold(): name for name in COMMON}

# What is under a licence may be part of a collection under these, and under what those may be part of. Of
# Creative Commons by its own chart, https://wiki.creativecommons.org/wiki/Wiki/cc_license_compatibility, of
# which version 4 takes version 3. No derivatives: only with what has no conditions. Apache's terms on patents
# and those of ODC and CDLA-Sharing on databases are in no other licence.
_GOES_INTO = {
    "MIT": ("Apache-2.0", "CC-BY-3.0"),
    "CDLA-Permissive-2.0": ("CC-BY-3.0",),
    "CC-BY-3.0": ("CC-BY-4.0", "CC-BY-SA-3.0", "CC-BY-NC-3.0"),
    "CC-BY-4.0": ("CC-BY-SA-4.0", "CC-BY-NC-4.0"),
    "CC-BY-SA-3.0": ("CC-BY-SA-4.0",),
    "CC-BY-NC-3.0": ("CC-BY-NC-4.0",),
    "CC-BY-NC-4.0": ("CC-BY-NC-SA-4.0",),
    "PDDL-1.0": tuple(name for name in COMMON if name != "CC0-1.0"),
    "CC0-1.0": COMMON,
}


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


def compatible(licences: Iterable[str]) -> str | None:
    """The one of these licences under which a collection of all of them may be offered as a whole.

    None if there is none, or if one of them is empty: then each recording has its own. A licence that is not
    known here, such as one that begins with LicenseRef-, goes with itself alone.

    >>> compatible(["CC0-1.0", "CC-BY-3.0", "CC-BY-SA-4.0"])
    'CC-BY-SA-4.0'
    >>> compatible(["CC-BY-SA-4.0", "CC-BY-NC-4.0"])  # None: each forbids what the other demands
    >>> compatible(["LicenseRef-ours", "LicenseRef-ours"])
    'LicenseRef-ours'
    """
    found = set(licences)
    if "" in found:
        return None
    return next((each for each in found if all(each in _under(other) for other in found)), None)


def _under(licence: str) -> set[str]:
    """The licences of collections of which something under this licence may be part."""
    found, left = {licence}, [licence]
    while left:
        new = set(_GOES_INTO.get(left.pop(), ())) - found
        found |= new
        left += new
    return found
