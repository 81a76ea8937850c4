"""docs/values.md says what happens."""

import os
import subprocess
import sys

from session import ROOT


def test_the_page_is_current():
    run = subprocess.run([ROOT / "scripts" / "values-page", "--print"], capture_output=True, text=True, timeout=120,
                         env=os.environ | {"META_PYTHON": sys.executable})  # which has what the rows of arrays need
    assert run.returncode == 0, run.stderr
    page = (ROOT / "docs" / "values.md").read_text(encoding="utf-8")
    assert run.stdout == page, "run scripts/values-page"
    assert "changed" not in page
