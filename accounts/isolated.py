"""What pages need where two directions meet: filters and a tag that every template knows."""

from collections.abc import Iterable

from django import forms, template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language

register = template.Library()
MARKS = {"ar": {",": "،", ";": "؛"}}


def _mark(mark: str) -> str:
    return MARKS.get(get_language() or "", {}).get(mark, mark) + " "


@register.filter
def isolated(words: object) -> SafeString:
    """A name, code or number in its own direction, whatever the page's is.

    >>> isolated("<hey>")
    '<bdi>&lt;hey&gt;</bdi>'
    """
    return format_html("<bdi>{}</bdi>", words)


@register.filter
def listed(words: Iterable[object], mark: str = ",") -> SafeString:
    """Several such words, with the language's own comma or semicolon between them.

    >>> listed(["a", "b"])
    '<bdi>a</bdi>, <bdi>b</bdi>'
    """
    return format_html_join(_mark(mark), "<bdi>{}</bdi>", ((each,) for each in words))


@register.filter
def typed_either_way(field: forms.BoundField) -> SafeString:
    """A form's field; what is typed into it runs in its own direction."""
    text = (
        isinstance(field.field.widget, forms.TextInput | forms.Textarea) and field.widget_type != "password"
    )
    return field.as_widget(attrs={"dir": "auto"} if text else None)


@register.simple_tag
def comma() -> str:
    return _mark(",")
