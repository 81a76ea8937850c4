"""DataFrames and Arrow tables from one Python to another and back: what comes home is equal, dtypes and index included."""

import pytest
from pair import Pair

PREPARE = """
import meta, datetime, decimal
import numpy as np, pandas as pd, polars as pl, pyarrow as pa
def both(df):
    return df
"""

FRAMES = {
    "numbers": "pd.DataFrame({'i': [1, -2, 3], 'f': [0.5, float('nan'), -0.0], 'b': [True, False, True]})",
    "widths": "pd.DataFrame({t: np.arange(3).astype(t) for t in ['int8', 'uint8', 'int16', 'uint16', 'int32', 'uint32', 'uint64', 'float16', 'float32', 'complex128']})",
    "big-endian": "pd.DataFrame({'x': np.arange(3, dtype='>i4').astype('i4')})",
    "strided": "pd.DataFrame(np.arange(12.0).reshape(4, 3), columns=list('abc'))",
    "texts": "pd.DataFrame({'s': ['a', None, '', 'ü', '\\U0001f600\\U0001f680', 'x' * 100]})",
    "object texts": "pd.DataFrame({'s': pd.Series(['a', None, '', '\\U0001f600'], dtype=object)})",
    "string dtype": "pd.DataFrame({'s': pd.array(['a', None, ''], dtype='string')})",
    "python strings": "pd.DataFrame({'s': pd.array(['a', None, ''], dtype=pd.StringDtype('python'))})",
    "nullable": "pd.DataFrame({'i': pd.array([1, None, 3], dtype='Int64'), 'u': pd.array([1, 2, 3], dtype='UInt8'), 'f': pd.array([1.5, None, 3], dtype='Float64'), 'b': pd.array([True, None, False], dtype='boolean')})",
    "datetimes": "pd.DataFrame({'a': pd.to_datetime(['2024-01-31', None, '1969-12-31 23:59:59.5'], format='ISO8601'), 'ns': pd.to_datetime(['2024-01-31', None, '1969-12-31']).astype('datetime64[ns]')})",
    "zones": "pd.DataFrame({'u': pd.to_datetime(['2024-03-31 01:30', None], utc=True), 'b': pd.to_datetime(['2024-03-31 01:30', None]).tz_localize('Europe/Berlin'), 'o': pd.to_datetime(['2024-01-01', None]).tz_localize('+05:30')})",
    "durations": "pd.DataFrame({'d': pd.to_timedelta(['1 day', None, '-3 ns'])})",
    "dates": "pd.DataFrame({'d': [datetime.date(2024, 2, 29), None, datetime.date(1, 1, 1)]})",
    "bytes": "pd.DataFrame({'b': [b'', b'\\0\\xff', None]})",
    "flags and gaps": "pd.DataFrame({'b': pd.Series([True, None, False], dtype=object), 'n': pd.Series([None, None, None], dtype=object)})",
    "categories": "pd.DataFrame({'c': pd.Categorical(['b', None, 'a', 'b']), 'o': pd.Categorical(['lo', 'hi', 'lo', 'hi'], categories=['lo', 'hi', 'never'], ordered=True), 'i': pd.Categorical([3, 1, 3, 1])})",
    "arrow": "pd.DataFrame({'i': pd.array([1, None], dtype='int64[pyarrow]'), 's': pd.array(['a', None], dtype=pd.ArrowDtype(pa.string())), 't': pd.array([datetime.datetime(2024, 1, 1), None], dtype=pd.ArrowDtype(pa.timestamp('us', 'UTC')))})",
    "named index": "pd.DataFrame({'x': [1, 2]}, index=pd.Index(['a', 'b'], name='key'))",
    "unnamed index": "pd.DataFrame({'x': [1, 2]}, index=[10, 20])",
    "other range": "pd.DataFrame({'x': [1, 2]}, index=pd.RangeIndex(5, 9, 2, name='r'))",
    "dates as index": "pd.DataFrame({'x': range(3)}, index=pd.date_range('2024-01-01', periods=3, freq='D', name='day'))",
    "many levels": "pd.DataFrame({'x': range(4)}, index=pd.MultiIndex.from_product([['a', 'b'], [1, 2]], names=['k', None]))",
    "named columns": "pd.DataFrame({'x': [1]}).rename_axis(columns='label')",
    "no rows": "pd.DataFrame({'i': np.array([], 'int64'), 's': pd.Series([], dtype='str')})",
    "no columns": "pd.DataFrame(index=range(3))",
    "slices": "pd.DataFrame({'s': ['a', 'bc', None, 'def', 'g'], 'x': range(5)}).iloc[1:4].reset_index(drop=True)",
    "long": "pd.DataFrame({'i': np.arange(10000), 'f': np.arange(10000) / 3, 's': ['t%d' % i for i in range(10000)], 'o': pd.Series([None if i % 3 else 'ü%d' % i for i in range(10000)], dtype=object)})",
}


HIDE = "import sys; sys.modules['pyarrow'] = None"


@pytest.fixture(scope="module")
def pair(request):
    pair = Pair()
    pair.run(PREPARE if request.param == "with pyarrow" else HIDE + PREPARE.replace(", pyarrow as pa", ""))
    yield pair
    pair.finish()


CASES = [("with pyarrow", name) for name in FRAMES] + [("without", name) for name in FRAMES if name != "arrow"]


@pytest.mark.parametrize("pair, name", CASES, indirect=["pair"])
def test_a_frame_of_pandas_comes_home_equal(pair, name):
    pair.one.run("a = " + FRAMES[name])
    record = pair.send("a", "b")
    assert record["_type"] == "Table" and record["kind"] == "pandas.DataFrame", record
    header, _ = pair.other.evaluate("assert type(b) is pd.DataFrame, type(b)\nc = b.copy()", None, b"", [])
    assert header["op"] == "ret", header
    pair.back("c", "d")
    pair.check("pd.testing.assert_frame_equal(a, d)")
    pair.back("b", "e")
    pair.check("pd.testing.assert_frame_equal(a, e)")


@pytest.mark.parametrize("pair", ["without"], indirect=True)
def test_polars_without_pyarrow_is_a_table_there(pair):
    pair.one.run("a = pl.DataFrame({'i': [1, None], 's': ['a', None], 't': [datetime.datetime(2024, 1, 1), None], 'e': pl.Series([None, None], dtype=pl.String)})")
    assert pair.send("a", "b")["kind"] == "polars.DataFrame"
    header, _ = pair.other.evaluate(
        "assert type(b) is meta.Table and list(b) == [{'i': 1, 's': 'a', 't': datetime.datetime(2024, 1, 1), 'e': None}, {'i': None, 's': None, 't': None, 'e': None}], list(b)", None, b"", [])
    assert header["op"] == "ret", header
