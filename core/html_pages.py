"""Pages that stand alone: no script, nothing from elsewhere, light or dark as the reader wants."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 65rem; margin: 2rem auto; padding: 0 1rem;
       color: #1d2430; background: #fff }
h1 { font-size: 1.5rem } h2 { font-size: 1.15rem; margin-top: 2rem }
table { border-collapse: collapse } th, td { padding: .2rem .6rem; text-align: left }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums }
tr { border-bottom: 1px solid #8884 } .muted { color: #69707d }
.scroll { overflow-x: auto }
@media (prefers-color-scheme: dark) { body { color: #e3e6ea; background: #15181d }
  .muted { color: #9aa3b0 } }
"""


def page(title: str, parts: Iterable[str], style: str = "") -> str:
    """Return a page.

    Args:
        title: as text.
        parts: of its body, as HTML.
        style: of its own, beside that of all pages, as CSS.
    """
    return (
        f'<!doctype html><html><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}{style}</style></head>'
        f"<body>{''.join(parts)}</body></html>\n"
    )
