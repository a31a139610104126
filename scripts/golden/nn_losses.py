"""Losses."""

import numpy as np
import torch
import torch.nn.functional as F

from golden import case, integers, uniform, write

for reduction in ("none", "mean", "sum"):
    case(f"mse_loss_{reduction}", lambda x, t, r=reduction: F.mse_loss(x, t, reduction=r), uniform(4, 3), uniform(4, 3))
    bce = lambda x, t, r=reduction: F.binary_cross_entropy_with_logits(x, t, reduction=r)
    case(f"bce_{reduction}", bce, uniform(4, 3, low=-6, high=6), uniform(4, 3, low=0, high=1))
    ce = lambda x, t, r=reduction: F.cross_entropy(x, t, reduction=r)
    for shape, target in (((4, 5), (4,)), ((5,), ()), ((2, 5, 3, 2), (2, 3, 2))):
        case(f"cross_entropy_{reduction}", ce, uniform(*shape), integers(*target, high=5))
    shares = uniform(4, 5, low=0.25)
    case(f"cross_entropy_{reduction}", ce, uniform(4, 5), np.round(shares / shares.sum(1, keepdims=True) * 256) / 256)
    case(f"cross_entropy_{reduction}", ce, uniform(2, 5, 3), uniform(2, 5, 3, low=0, high=0.25))
case("mse_loss_sum", lambda x, t: F.mse_loss(x, t, reduction="sum"), uniform(0, 3), uniform(0, 3))

# Far beyond where exp overflows.
extreme = np.array([[1000.0, -1000.0, 0.0], [-1e4, 1e4, 1e4]])
case("cross_entropy_none", lambda x, t: F.cross_entropy(x, t, reduction="none"), extreme, np.array([1, 1]),
     smooth=False)
case("bce_none", lambda x, t: F.binary_cross_entropy_with_logits(x, t, reduction="none"),
     np.array([1000.0, -1000.0, 0.0, 90.0, -90.0, 20.0]), np.array([0.0, 1.0, 1.0, 1.0, 0.0, 0.5]), smooth=False)

case("quadratic_cost", lambda a, y: ((y - a) ** 2).sum() / (2 * a.shape[0]), uniform(4, 3), uniform(4, 3))
case("half_sum_squares", lambda a, y: 0.5 * ((y - a) ** 2).sum(), uniform(4, 3), uniform(4, 3))

write("losses", folder="nn")
