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

write("losses")
