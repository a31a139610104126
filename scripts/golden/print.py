"""How NumPy prints arrays: written to tests/golden/print.json, for the tests of print()."""

import json
import math
import pathlib

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
random = np.random.Generator(np.random.Philox(key=1))
cases = []


def element(value):
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    return value


def case(values, dtypes, shape=None):
    """The array itself, converted to each dtype."""
    for dtype in dtypes.split():
        with np.errstate(over="ignore"):
            x = np.array(values).astype(dtype)
        x = x if shape is None else x.reshape(shape)
        cases.append({"dtype": dtype, "shape": list(x.shape), "values": [element(v) for v in x.reshape(-1).tolist()],
                      "text": str(x)})


def long_case(start, step, count, dtypes, shape):
    """Element i is start + step i: long arrays need not be written out."""
    for dtype in dtypes.split():
        x = (start + step * np.arange(count, dtype=np.float64)).astype(dtype).reshape(shape)
        cases.append({"dtype": dtype, "shape": list(shape), "start": start, "step": step, "text": str(x)})


FLOATS = "float32 float64"
INTEGERS = "uint8 int32 int64"
inf, nan = math.inf, math.nan

for values in ([0.0], [-0.0], [1.0], [0.1], [-2.5], [1 / 3], [1e8], [99999999.0], [12345678.0], [123456789.0], [1e-4],
               [9.9e-5], [1e-5], [1e-4, 1.0], [1e-3, 1.0], [1e-3, 1.5], [1.0, 1000.0], [1.0, 1000.5], [1e10, 1.0],
               [1e-10, 1.0], [0.0, 1e-10], [0.0, 1e10], [1e100, 1.0], [1e-300, 1e300], [3.4e38, -1.2e-38],
               [nan], [inf], [-inf], [nan, inf, -inf], [nan, 1.0], [inf, 1.0], [-inf, 1.0], [-inf, 1.25], [nan, 1e10],
               [-inf, 1e-10], [1.0, 2.0, 3.0], [1.0, 2.5, 3.0], [1.0, -2.5, 3.25], [0.5, 10.25, -100.125],
               [0.123456785, 0.123456775], [0.12345678949], [1.999999999], [0.999999999], [-0.0, 0.0], [16777216.0],
               [16777217.0], [33554432.0], [99999992.0], [1234567.875], [5e-324, 1.0], [0.00012345678912],
               [2.0 ** -20, 2.0 ** -10], [1e15, 1e16], [0.1 + 0.2], [100.0, 0.1], [1000.0, 1.0], [1e8, 1e5],
               [9.999999995, 1.0], [9.9999999949, 1.0], [0.0, 0.0, 0.0], [1e-8, 2e-8], [1.5e-7, 3.0], []):
    case(values, FLOATS)
for value in (0.0, -0.0, 1.0, -1.5, 0.1, 1 / 3, 1e-4, 9.9e-5, 1e15, 1e16, 1.5e16, 1e22, 1e-10, 123456.789, inf, -inf, nan,
              5e-324, 1.7976931348623157e308, 3.4e38, 16777216.0, 2.0 ** 60):
    case(value, FLOATS)
for scale in (1e-6, 1e-3, 1.0, 100.0, 1e5, 1e9):
    for shape in ((5,), (3, 4), (2, 3, 2), (17,), (2, 23), (1, 1, 3), (2, 1, 2, 2)):
        case(random.standard_normal(shape) * scale, FLOATS)
for shape in ((4,), (40,), (3, 30)):
    case(np.round(random.uniform(-4, 4, shape) * 4) / 4, FLOATS)
case([True, False], "bool")
case(random.integers(0, 2, (3, 4)) == 1, "bool")
case(random.integers(0, 2, (2, 40)) == 1, "bool")
case(True, "bool")
case(False, "bool")
for value in (0, 7, 255):
    case(value, INTEGERS)
case(-9, "int32 int64")
case([-9223372036854775808, 9223372036854775807], "int64")
case([-2147483648, 2147483647], "int32")
for shape in ((5,), (2, 3), (50,), (3, 40), (2, 2, 2)):
    case(random.integers(0, 256, shape), INTEGERS)
    case(random.integers(-1000, 10, shape), "int32 int64")
for shape in ((0,), (0, 3), (3, 0), (2, 0, 2)):
    case(np.zeros(shape), FLOATS + " bool " + INTEGERS)

for shape in ((1000,), (10, 100)):
    long_case(0.0, 1.0, 1000, "float32 int64", shape)
for shape in ((1001,), (7, 143), (1001, 1), (1, 1001), (143, 7), (11, 13, 7), (7, 11, 13), (1, 1001, 1)):
    long_case(0.0, 1.0, 1001, FLOATS + " int32", shape)
    long_case(-5.0, 0.0625, 1001, FLOATS, shape)
long_case(1.0, 1e6, 5000, FLOATS, (50, 100))
long_case(0.0, 0.001, 2000, FLOATS, (2, 10, 100))
long_case(0.0, 1.0, 6 * 6 * 6 * 6, "int64", (6, 6, 6, 6))
long_case(0.0, 1.0, 7 ** 4, "int64 float32", (7, 7, 7, 7))

path = ROOT / "tests" / "golden" / "print.json"
path.write_text("[\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]\n")
print(path.relative_to(ROOT), path.stat().st_size, "bytes,", len(cases), "cases")
