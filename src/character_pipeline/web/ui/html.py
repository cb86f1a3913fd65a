"""HTML of texts that came from outside: the one place where they are escaped, and the small parts of every page."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from character_pipeline.web.ui.terms import explain

TEMPLATE_SIGNS = re.compile(r"[{}$`\\]")
"""Mean something to the templates that pages are filled in with."""
UNSEEN = "\N{REPLACEMENT CHARACTER}"


def esc(text: object) -> str:
    """A text as HTML, also inside of attributes: nothing in it is markup or a template, nothing turns the writing."""
    seen = "".join(sign if sign.isprintable() or sign in "\n\t" else UNSEEN for sign in str(text))
    return TEMPLATE_SIGNS.sub(lambda sign: f"&#{ord(sign[0])};", html.escape(seen))


def chip(word: str, kind: str = "", title: str = "") -> str:
    """A short word in a coloured frame, explained to whoever points at it."""
    about = title or explain(word)
    classes = f"cp-chip cp-{esc(kind)}" if kind else "cp-chip"
    return f'<span class="{classes}"{_title(about)}>{esc(word.replace("_", " "))}</span>'


def term(word: str, shown: str = "") -> str:
    """A word that is explained to whoever points at it."""
    about = explain(word)
    return f'<abbr tabindex="0"{_title(about)}>{esc(shown or word)}</abbr>' if about else esc(shown or word)


def _title(about: str) -> str:
    return f' title="{esc(about)}"' if about else ""


def bar(share: float, title: str = "") -> str:
    """A share from 0 to 1, as a bar with its number."""
    percent = round(100 * min(max(share, 0.0), 1.0))
    level = "high" if share >= 0.8 else "middle" if share >= 0.5 else "low"
    return (
        f'<span class="cp-bar cp-{level}"{_title(title or explain("confidence"))}>'
        f'<i style="width:{percent}%"></i><b>{share:.2f}</b></span>'
    )


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table of cells that are HTML already."""
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    top = "".join(f'<th scope="col">{name}</th>' for name in head)
    return f'<div class="cp-scroll"><table class="cp-table"><thead><tr>{top}</tr></thead>{body}</table></div>'


def figures(pairs: Iterable[tuple[str, Any]]) -> str:
    """Numbers with their names, as a row of cards."""
    cards = (
        f"<div><b>{esc(value)}</b><span>{term(name, name.replace('_', ' '))}</span></div>" for name, value in pairs
    )
    return f'<div class="cp-figures">{"".join(cards)}</div>'


def note(text: str, kind: str = "") -> str:
    """A remark, in words of our own or of others."""
    return f'<p class="cp-note cp-{kind}" role="status">{esc(text)}</p>'


def picture_url(item_id: str, side: int) -> str:
    """Where the picture of an item is, made small."""
    return f"pictures?{urlencode({'item': item_id, 'side': side})}"


def picture(item_id: str, side: int, text: str = "") -> str:
    """The picture of an item, made small, or what stands in its place."""
    address = esc(picture_url(item_id, side))
    return f'<img src="{address}" alt="{esc(text or item_id)}" loading="lazy" decoding="async">'
