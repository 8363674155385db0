"""A campaign's guidelines as HTML: Markdown, with no script and nothing that another site would serve."""

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

# CommonMark without HTML: what is typed in angle brackets is shown as it is. Images would call other sites.
# markdown-it-py itself refuses links such as javascript: and data:.
MARKDOWN = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable("table").disable("image")
HEADINGS = 2  # levels: below the page's own


def as_html(text: str) -> SafeString:
    """Safe to put on a page.

    >>> as_html("Only **exactly** this. <script>")
    '<p>Only <strong>exactly</strong> this. &lt;script&gt;</p>\\n'
    """
    tokens = MARKDOWN.parse(text)
    for token in tokens:
        if token.tag in LOWERED:
            token.tag = LOWERED[token.tag]
    # The renderer makes nothing else. That rests on all of its rules, and this on one list.
    cleaned = nh3.clean(
        MARKDOWN.renderer.render(tokens, MARKDOWN.options, {}),
        tags=TAGS,
        attributes={"a": {"href", "title"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer",
    )
    return mark_safe(cleaned)


_BLOCKS = {"p", "pre", "blockquote", "ul", "ol", "li", "hr", "h3", "h4", "h5", "h6"}
_TABLES = {"table", "thead", "tbody", "tr", "th", "td"}
TAGS = _BLOCKS | _TABLES | {"br", "strong", "em", "code", "a"}
LOWERED = {f"h{level}": f"h{min(level + HEADINGS, 6)}" for level in range(1, 7)}
