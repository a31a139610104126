"""Normalisation."""

import torch
import torch.nn.functional as F

import numpy as np

from golden import case, uniform, write


def batch_norm(x, w, b):
    return F.batch_norm(x, None, None, w, b, training=True)


def given(x, w, b, mean, var):
    return F.batch_norm(x, mean, var, w, b, training=False)


for shape in [(4, 3), (2, 3, 5), (3, 2, 4, 5), (1, 1, 3, 3), (17, 2, 2, 3), (2, 2, 2, 2, 2), (0, 3, 2, 2)]:
    c = shape[1]
    case("batch_norm", batch_norm, uniform(*shape), uniform(c), uniform(c))
    # Statistics are no inputs of F.batch_norm's derivative in use.
    case("batch_norm_given", lambda x, w, b, m, v: given(x, w, b, m.detach(), v.detach()), uniform(*shape),
         uniform(c), uniform(c), uniform(c), np.abs(uniform(c)) + 0.25)
# One value repeated: the deviation is eps alone.
case("batch_norm", batch_norm, np.full((3, 2, 2, 2), 0.75), uniform(2), uniform(2), smooth=False)

for shape, last in [((4, 6), 1), ((2, 3, 5), 1), ((2, 3, 4), 2), ((3,), 1), ((0, 3), 1)]:
    sizes = shape[len(shape) - last:]
    case("layer_norm", lambda x, w, b: F.layer_norm(x, sizes, w, b), uniform(*shape), uniform(*sizes),
         uniform(*sizes))
# PyTorch's float32 is off by four digits here.
case("layer_norm", lambda x, w, b: F.layer_norm(x, (1,), w, b), uniform(2, 1), uniform(1), uniform(1),
     dtypes=(torch.float64,))

for shape in [(2, 4, 3, 3), (1, 2, 2, 5), (3, 6, 4), (2, 4), (0, 2, 3, 3)]:
    case("group_norm", lambda x, w, b: F.group_norm(x, 2, w, b), uniform(*shape), uniform(shape[1]),
         uniform(shape[1]))

write("norms")
