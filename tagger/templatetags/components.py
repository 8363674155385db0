"""Parts of larger pages that need more than an include. Pages load static/css/components.css."""

from typing import Any

from django import template
from django.core.paginator import Page

register = template.Library()


@register.inclusion_tag("components/paging.html", takes_context=True)
def paging(context: template.Context, page: Page) -> dict[str, Any]:
    """Links to the pages of a list; the rest of the address, such as its filters, stays."""
    numbers = page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1)
    return {"page": page, "pages": list(numbers), "request": context["request"]}
