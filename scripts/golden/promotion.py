"""dtypes of mixed sums (PyTorch) and shapes of broadcasts (NumPy), for tests/core/promotion_test.cpp."""

import itertools
import json

import numpy as np
import torch

from golden import ROOT

DTYPES = [torch.bool, torch.uint8, torch.int32, torch.int64, torch.float32, torch.float64]


def name(dtype):
    return str(dtype).removeprefix("torch.")


OPERANDS = {}
for dtype in DTYPES:
    OPERANDS[f"tensor {name(dtype)}"] = torch.ones(2, dtype=dtype)
    OPERANDS[f"0-d {name(dtype)}"] = torch.ones((), dtype=dtype)
OPERANDS["number bool"] = True
OPERANDS["number int"] = 1
OPERANDS["number float"] = 1.0

sums = []
for (left, a), (right, b) in itertools.product(OPERANDS.items(), repeat=2):
    if isinstance(a, torch.Tensor) or isinstance(b, torch.Tensor):
        sums.append([left, right, name((a + b).dtype)])

pairs = []
promoted = [[name(a), name(b), name(torch.promote_types(a, b))] for a, b in itertools.product(DTYPES, repeat=2)]
random = np.random.Generator(np.random.Philox(key=1))
for _ in range(400):
    a, b = ([int(random.choice([0, 1, 1, 2, 3])) for _ in range(random.integers(0, 5))] for _ in range(2))
    try:
        pairs.append([a, b, list(np.broadcast_shapes(tuple(a), tuple(b)))])
    except ValueError:
        pairs.append([a, b, None])

path = ROOT / "tests" / "golden" / "promotion.json"
groups = {"sums": sums, "promote": promoted, "broadcast": pairs}
lines = [f'"{key}": [\n' + ",\n".join(json.dumps(row) for row in rows) + "]" for key, rows in groups.items()]
path.write_text("{" + ",\n".join(lines) + "}\n")
print(path.relative_to(ROOT), path.stat().st_size, "bytes")
