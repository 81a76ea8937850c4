"""Tables are tested with this interpreter's pandas, polars and pyarrow."""

import pathlib
import sys

import pytest

TESTS = pathlib.Path(__file__).resolve().parents[1]
for folder in (TESTS, TESTS / "kernels"):
    sys.path.insert(0, str(folder))


@pytest.fixture(scope="module", autouse=True)
def this_python():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("META_PYTHON", sys.executable)
        yield
