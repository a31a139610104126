"""Files that NumPy writes, in tests/golden/npy: what load_npy() and load_npz() have to read."""

import pathlib

import numpy as np
from numpy.lib import format as npy

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden" / "npy"
FOLDER.mkdir(exist_ok=True)


def write(name, array, version=(1, 0)):
    with open(FOLDER / f"{name}.npy", "wb") as file:
        npy.write_array(file, array, version=version)


# Every element type, in both byte orders; element i is i - 2, or i for bool and uint8.
for dtype in ["?", "u1", "<i4", ">i4", "<i8", ">i8", "<f4", ">f4", "<f8", ">f8"]:
    first = 0 if dtype in ("?", "u1") else -2
    values = np.arange(first, first + 6).reshape(2, 3)
    if dtype == "?":
        values = values % 2
    name = {"?": "bool", "u1": "uint8"}.get(dtype, dtype.replace("<", "little_").replace(">", "big_"))
    write(name, values.astype(dtype))
# The same values under every version of the format, in Fortran's order.
cube = np.arange(24, dtype="<f4").reshape(2, 3, 4)
for version in [(1, 0), (2, 0), (3, 0)]:
    write(f"fortran_v{version[0]}", np.asfortranarray(cube), version)
write("fortran_big", np.asfortranarray(cube.astype(">f8")), (1, 0))
write("scalar", np.array(2.5))
write("empty", np.zeros((0, 4), dtype="<i4"))
write("float16", np.zeros(2, dtype="<f2"))
write("complex", np.zeros(1, dtype="<c8"))
write("records", np.zeros(1, dtype=[("a", "<i4"), ("b", "<f4")]))
arrays = {"x": cube, "nested/żółw": np.array([1, 2, 3]), "mask": np.array([True, False])}
np.savez(FOLDER / "arrays.npz", **arrays)
np.savez_compressed(FOLDER / "packed.npz", **arrays)
np.savez(FOLDER / "none.npz")
