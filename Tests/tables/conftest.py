"""Tables are tested with this interpreter's pandas, polars and pyarrow."""

import os
import pathlib
import sys

TESTS = pathlib.Path(__file__).resolve().parents[1]
for folder in (TESTS, TESTS / "kernels"):
    sys.path.insert(0, str(folder))
os.environ["META_PYTHON"] = sys.executable
