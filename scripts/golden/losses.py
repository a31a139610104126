"""Losses."""

import torch
import torch.nn.functional as F

import numpy as np

from golden import INFINITY, case, integers, uniform, write


def probabilities(*shape):
    x = np.abs(uniform(*shape)) + 1 / 16
    return x / x.sum(-1, keepdims=True)


for reduction in ("mean", "sum", "none"):
    name = "softmax_cross_entropy" + ("" if reduction == "mean" else "_" + reduction)

    def loss(x, t):
        classes_second = x if x.dim() == 1 else x.movedim(-1, 1)
        if t.is_floating_point() and t.dim() > 1:
            t = t.movedim(-1, 1)
        return F.cross_entropy(classes_second, t, reduction=reduction)

    case(name, loss, uniform(4, 5, low=-9.0, high=9.0), integers(4, high=5))
    case(name, loss, uniform(3, 37), integers(3, high=37))
    case(name, loss, uniform(2, 3, 4), integers(2, 3, high=4))
    case(name, loss, uniform(4, 5), probabilities(4, 5))
    case(name, loss, uniform(4, 5), np.abs(uniform(4, 5)))
    case(name, loss, uniform(2, 3) * 500, integers(2, high=3), smooth=False)
    case(name, loss, np.array([[0.0, -INFINITY, 1.0], [100.0, -100.0, 0.0]]), integers(2, high=1), smooth=False)
    case(name, loss, uniform(0, 3), integers(0, high=3), smooth=reduction != "mean")

case("sigmoid_cross_entropy", lambda x, t: F.binary_cross_entropy_with_logits(x, t, reduction="none"), uniform(4, 5),
     np.abs(uniform(4, 5)) / 2)
case("sigmoid_cross_entropy", lambda x, t: F.binary_cross_entropy_with_logits(x, t, reduction="none"),
     uniform(4, 5) * 100, integers(4, 5, high=2).astype(np.float64), smooth=False)

plain = lambda x, t: F.binary_cross_entropy(x, t, reduction="none")
case("probability_cross_entropy", plain, uniform(4, 5, low=1 / 16, high=15 / 16), uniform(4, 5, low=0.0, high=1.0))
# The bounds; PyTorch's 1e-12 is a float32 number in float64 too, and its derivative by t is not bounded.
bounded = lambda x, t: plain(x, t.detach())
case("probability_cross_entropy", bounded, np.array([0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1e-30, 1e-13]),
     np.array([0.0, 1.0, 0.5, 0.0, 1.0, 0.5, 1.0, 1.0]), dtypes=(torch.float32,), smooth=False)
case("probability_cross_entropy", plain, uniform(0, 3), uniform(0, 3))

write("losses")
