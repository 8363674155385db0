"""The name of a language, where a page would otherwise show its code."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from datasets.language_names import own_name

register = template.Library()


@register.filter
def language_name(code: str) -> SafeString:
    """
    >>> language_name("es")
    '<bdi lang="es">español</bdi>'
    """
    return format_html('<bdi lang="{}">{}</bdi>', code, own_name(code))
