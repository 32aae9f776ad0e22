"""The site of the docs: searched, light and dark, and without anything of another host.

    python benchmarks/website.py      # docs/ -> site/

Zensical (https://zensical.org) builds a copy of ``docs/``, in which links to other files of the
repository lead to where that is kept. It fails where a link or an anchor leads nowhere.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
INDEX = "README.md"
_UP = re.compile(r"(?<=\]\()(?P<path>(?:\.\./)+[^)\s#]*)")
_CODE = re.compile(r"`[^`]*`")
STYLE = """
.md-typeset table:not([class]) :is(th, td) { min-width: 0; padding: .6em .8em; }
.md-typeset table:not([class]) code { word-break: normal; overflow-wrap: break-word; }
.md-typeset thead:not(:has(th:not(:empty))) { display: none; }
"""
"""Tables on a phone: names in one piece, less space, and no head without words."""


def project() -> dict[str, Any]:
    """The table ``project`` of pyproject.toml."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        return dict(tomllib.load(file)["project"])


def copied(page: Path, repository: str) -> str:
    """A page of ``docs/`` as Zensical has to be given it to show what a code host shows.

    Args:
        repository: the address to which links that leave ``docs/`` lead.
    """

    def whole(link: re.Match[str]) -> str:
        path = (page.parent / link["path"]).resolve()
        if path.is_relative_to(DOCS):
            return link[0]
        return f"{repository}/blob/main/{path.relative_to(ROOT).as_posix()}"

    lines = page.read_text(encoding="utf-8").splitlines(keepends=True)
    # Python-Markdown takes a bar in code as it stands, in a table too.
    lines = [
        _CODE.sub(lambda code: code[0].replace(r"\|", "|"), line) if line.startswith("|") else line
        for line in lines
    ]
    return _UP.sub(whole, "".join(lines))


def navigation() -> list[dict[str, Any]]:
    """The groups and pages of the docs' index; below a page, those of the folder of its name."""
    first, *groups = re.split(r"^## ", (DOCS / INDEX).read_text(encoding="utf-8"), flags=re.M)
    nav: list[dict[str, Any]] = [{first.splitlines()[0].removeprefix("# "): INDEX}]
    for group in groups:
        pages: list[dict[str, Any]] = []
        for title, name in re.findall(r"^- \[(.*?)\]\((\S+?)\.md\)", group, re.M):
            below = sorted(path.relative_to(DOCS).as_posix() for path in DOCS.glob(f"{name}/*.md"))
            page = f"{name}.md"
            pages.append({title.replace("`", ""): [page, *below] if below else page})
        nav.append({group.splitlines()[0]: pages})
    return nav


def settings(address: str, repository: str) -> dict[str, Any]:
    """What Zensical reads, with the addresses of the site and of the repository."""
    palettes = [
        ("(prefers-color-scheme)", {}, "sun-moon", "light mode"),
        ("(prefers-color-scheme: light)", {"scheme": "default"}, "sun", "dark mode"),
        ("(prefers-color-scheme: dark)", {"scheme": "slate"}, "moon", "the system's mode"),
    ]
    return {
        "site_name": "harness",
        "site_url": address,
        "site_description": project()["description"],
        "nav": navigation(),
        "use_directory_urls": False,  # so that pages open from a disk
        "extra_css": ["site.css"],
        # `repo_url` would make each visitor's browser ask the repository's host for its stars.
        "extra": {"social": [{"icon": "simple/git", "link": repository, "name": "Repository"}]},
        "theme": {
            "font": False,  # the system's, instead of one from another host
            "features": [
                "content.code.copy", "navigation.footer", "navigation.sections", "navigation.top",
                "search.highlight", "toc.follow",
            ],
            "palette": [
                {"media": media, **scheme,
                 "toggle": {"icon": f"lucide/{icon}", "name": f"Switch to {other}"}}
                for media, scheme, icon, other in palettes
            ],
        },
        "markdown_extensions": [
            "sane_lists", "tables", "pymdownx.highlight", "pymdownx.superfences",
            # The anchors that sites of repositories give to headings.
            {"toc": {"permalink": True,
                     "slugify": {"object": "pymdownx.slugs.slugify", "kwds": {"case": "lower"}}}},
        ],
    }  # fmt: skip


def build(target: Path) -> None:
    """Write the site to a folder, in place of what is there.

    Raises:
        subprocess.CalledProcessError: Zensical found something wrong, and said what.
    """
    urls = project()["urls"]
    repository = urls["Repository"]
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch)
        shutil.copytree(DOCS, copy / "docs")
        for page in DOCS.rglob("*.md"):
            text = copied(page, repository)
            (copy / page.relative_to(ROOT)).write_text(text, encoding="utf-8")
        (copy / "docs" / "site.css").write_text(STYLE, encoding="utf-8")
        config = copy / "mkdocs.yml"  # JSON is YAML
        config.write_text(json.dumps(settings(urls["Documentation"], repository)), encoding="utf-8")
        command = [sys.executable, "-m", "zensical", "build", "--strict", "-f", str(config)]
        subprocess.run(command, check=True)
        shutil.rmtree(target, ignore_errors=True)
        shutil.move(copy / "site", target)


if __name__ == "__main__":
    try:
        build(ROOT / "site")
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
