"""What Django knows of a language: its names, and the direction of its script."""

from typing import Any

from django.utils.translation import get_language_info


def about(code: str) -> dict[str, Any]:
    """Empty if Django does not know the language."""
    try:
        return get_language_info(code.lower())
    except KeyError:
        return {}


def own_name(code: str) -> str:
    """The language's own name; its code where Django does not know it."""
    return str(about(code).get("name_local", code))
