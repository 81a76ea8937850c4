"""docs/values.md says what happens."""

import subprocess

from session import ROOT


def test_the_page_is_current():
    run = subprocess.run([ROOT / "scripts" / "values-page", "--print"], capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    page = (ROOT / "docs" / "values.md").read_text(encoding="utf-8")
    # The rows of NumPy are there when it is.
    if "numpy" not in run.stdout:
        page = "".join(line for line in page.splitlines(True) if "numpy" not in line)
    assert run.stdout == page, "run scripts/values-page"
    assert "changed" not in page
