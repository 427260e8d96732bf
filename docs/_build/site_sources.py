"""What the site is made from beside its pages: the sources of the API pages, and the published report."""

import re
import shutil
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "build" / "api" / "tonedeaf"
DOCUMENTED = ("losses", "benchmarks", "bassnet", "results")
OUTSIDE = re.compile(r"\[([^\]]+)\]\((\.\./[^)#\s]+)[^)]*\)")
"""A link from a page to a file of the checkout that is not part of the site."""


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Called by MkDocs first. The checkout is the package: only a copy of its sources can be read without the rest."""
    shutil.rmtree(SOURCES, ignore_errors=True)
    sources = [ROOT / "__init__.py", *(path for name in DOCUMENTED for path in sorted((ROOT / name).glob("*.py")))]
    for path in sources:
        copy = SOURCES / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    return config


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Called by MkDocs with the files of the site."""
    report = ROOT / "results" / "published" / "report.html"
    files.append(File.generated(config, "report.html", abs_src_path=str(report)))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Called by MkDocs with the text of a page: a link to another part of the checkout becomes the file's name."""
    del config, files
    folder = Path(page.file.abs_src_path or ROOT / "docs" / page.file.src_path).parent

    def named(link: re.Match[str]) -> str:
        target = (folder / link[2]).resolve()
        outside = target.exists() and not target.is_relative_to(ROOT / "docs")
        return f"{link[1]} (`{target.relative_to(ROOT).as_posix()}`)" if outside else link[0]

    return OUTSIDE.sub(named, markdown)
