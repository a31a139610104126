"""Losses."""

import numpy as np
import torch
import torch.nn.functional as F

from golden import away_from, case, integers, uniform, write

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

# Numbers. Differences stay away from 0 and from where the square turns into a line.
for reduction in ("none", "mean", "sum"):
    target = uniform(4, 3)
    apart = target + away_from((0.0, 0.5, -0.5), 4, 3)
    case(f"mae_loss_{reduction}", lambda x, t, r=reduction: F.l1_loss(x, t, reduction=r), apart, target)
    case(f"huber_loss_{reduction}", lambda x, t, r=reduction: F.huber_loss(x, t, reduction=r, delta=0.5), apart, target)
    case(f"smooth_l1_loss_{reduction}", lambda x, t, r=reduction: F.smooth_l1_loss(x, t, reduction=r, beta=0.5), apart,
         target)
    equal = np.array([1.0, 0.5, -0.5, 0.0])
    case(f"mae_loss_{reduction}", lambda x, t, r=reduction: F.l1_loss(x, t, reduction=r), equal, equal, smooth=False)
    case(f"huber_loss_{reduction}", lambda x, t, r=reduction: F.huber_loss(x, t, reduction=r, delta=0.5), equal,
         np.array([0.5, 1.0, -0.5, 2.0]), smooth=False)
case("rmse_loss", lambda x, t: torch.sqrt(F.mse_loss(x, t)), uniform(4, 3), uniform(4, 3))

# Classes. The weights are the third input, so that all three stand in one place.
def class_shares(*shape, axis=1):
    x = np.abs(uniform(*shape)) + 1 / 16
    return np.round(x / x.sum(axis, keepdims=True) * 256) / 256


for reduction in ("none", "mean", "sum"):
    smoothed = lambda x, t, r=reduction: F.cross_entropy(x, t, reduction=r, label_smoothing=0.25)
    weighted = lambda x, t, w, r=reduction: F.cross_entropy(x, t, reduction=r, weight=w.detach())
    both = lambda x, t, w, r=reduction: F.cross_entropy(x, t, reduction=r, weight=w.detach(), label_smoothing=0.25)
    nll = lambda x, t, r=reduction: F.nll_loss(x, t, reduction=r)
    weighted_nll = lambda x, t, w, r=reduction: F.nll_loss(x, t, reduction=r, weight=w.detach())
    weights = uniform(5, low=0.25)
    for shape, labels in (((4, 5), (4,)), ((2, 5, 3), (2, 3))):
        for target in (integers(*labels, high=5), class_shares(*shape)):
            case(f"cross_entropy_smoothed_{reduction}", smoothed, uniform(*shape), target)
            case(f"cross_entropy_weighted_{reduction}", weighted, uniform(*shape), target, weights)
            case(f"cross_entropy_both_{reduction}", both, uniform(*shape), target, weights)
        case(f"nll_loss_{reduction}", nll, uniform(*shape), integers(*labels, high=5))
        case(f"nll_loss_weighted_{reduction}", weighted_nll, uniform(*shape), integers(*labels, high=5), weights)
    case(f"binary_cross_entropy_{reduction}", lambda x, t, r=reduction: F.binary_cross_entropy(x, t, reduction=r),
         uniform(4, 3, low=1 / 16, high=15 / 16), uniform(4, 3, low=0.0, high=1.0))

    # Keras's formula (Chollet et al., keras.backend.categorical_crossentropy), and what it takes from a sigmoid's logits.
    def reduced(each, r=reduction):
        return {"none": lambda v: v, "mean": torch.mean, "sum": torch.sum}[r](each)

    def keras(x, t):
        t = F.one_hot(t, x.shape[1]).to(x.dtype) if not t.is_floating_point() else t
        shares = (x / x.sum(1, keepdim=True)).clamp(1e-7, 1 - 1e-7)
        return reduced(-(t * torch.log(shares)).sum(1))

    def from_sigmoid(x, t):
        return F.cross_entropy(torch.logit(x), t, reduction=reduction)

    for target in (integers(4, high=5), class_shares(4, 5)):
        inside = uniform(4, 5, low=1 / 16, high=15 / 16)
        case(f"categorical_cross_entropy_{reduction}", keras, inside, target)
        case(f"categorical_cross_entropy_from_sigmoid_{reduction}", from_sigmoid, inside, target)
clipped = lambda x, t: -(F.one_hot(t, 3) * torch.log((x / x.sum(1, keepdim=True)).clamp(1e-7, 1 - 1e-7))).sum(1)
case("categorical_cross_entropy_none", clipped,
     np.array([[0.0, 1.0, 0.0], [1e-12, 0.5, 0.5], [1.0, 1.0, 1.0]]), np.array([0, 0, 2]), smooth=False)

write("losses", folder="nn")
