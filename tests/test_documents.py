"""What the documents say of the code is so."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
_HOP = re.compile(r"\| (\d+) \| `([\w.]+)`.*\| (\S+) \|")
_LINK = re.compile(r"\]\(([^)#:]+)\)")
_LONGEST_WAYS = {"photo": 25, "checkpoint": 35, "label": 10}


def ways() -> dict[str, list[tuple[str, str]]]:
    """Return the hops of each way: function and file."""
    text = (ROOT / "docs/ways.md").read_text(encoding="utf-8").replace("\\", "")
    parts = re.split(r"^## A (\w+)", text, flags=re.MULTILINE)[1:]
    return {
        name: [(function, file) for _, function, file in _HOP.findall(hops)]
        for name, hops in zip(parts[::2], parts[1::2], strict=True)
    }


def names_in(path: Path) -> set[str]:
    """Return functions, classes, methods and fields of a file by their dotted names."""
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            found |= {
                f"{node.name}.{one.name}" for one in node.body if isinstance(one, ast.FunctionDef)
            }
            found |= {
                f"{node.name}.{one.target.id}"
                for one in node.body
                if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)
            }
    return found


@pytest.mark.parametrize("way", sorted(_LONGEST_WAYS))
def test_each_hop_of_a_way_is_there(way: str) -> None:
    hops = ways()[way]
    assert 5 < len(hops) <= _LONGEST_WAYS[way]
    missing = [(name, file) for name, file in hops if name not in names_in(ROOT / file)]
    assert missing == []


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md", "docs/ways.md"])
def test_links_lead_somewhere(document: str) -> None:
    path = ROOT / document
    links = _LINK.findall(path.read_text(encoding="utf-8"))
    assert [link for link in links if not (path.parent / link).exists()] == []


def test_files_that_contributors_are_sent_to_are_there() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:core|gui|tests|build_scripts|docs)/[\w./]+)`", text)
    assert len(named) > 15
    assert [name for name in named if "NAME" not in name and not (ROOT / name).exists()] == []


def test_each_decision_stands_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    pages = sorted((ROOT / "docs/decisions").glob("*.md"))
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    assert [page.name for page in pages if f"docs/decisions/{page.name}" not in readme] == []
