"""docs/neural.md names every network whose weights a package brings, with the licence and the package of the table."""

from pathlib import Path

from tonedeaf.losses.weights import FromPackage, weights_table

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "neural.md"


def test_every_package_and_licence_is_named():
    rows = [line for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    for row in weights_table().values():
        if isinstance(row.origin, FromPackage):
            package = row.origin.install.split()[-1]
            assert any(f"`{row.name}`" in line and f"| {row.licence} | {package} |" in line for line in rows), row.name
