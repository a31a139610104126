"""Comparison, logic and choice."""

import torch

from golden import NAN, booleans, case, integers, special, uniform, write

COMPARISONS = {
    "greater": torch.gt,
    "greater_equal": torch.ge,
    "less": torch.lt,
    "less_equal": torch.le,
    "equal": torch.eq,
    "not_equal": torch.ne,
}
for name, function in COMPARISONS.items():
    case(name, function, uniform(3, 5), uniform(5))
    case(name, function, special(), special()[::-1].copy(), smooth=False)
    case(name, function, [1.0, 0.0, NAN], [1.0, -0.0, NAN], smooth=False)
    case(name, function, integers(3, 2, low=-9), integers(2))
    case(name, function, booleans(6), booleans(6))

for name, function in (("logical_and", torch.logical_and), ("logical_or", torch.logical_or)):
    case(name, function, booleans(3, 4), booleans(4))
    case(name, function, special(), special()[::-1].copy(), smooth=False)
    case(name, function, integers(6, high=2), integers(6, high=2))
case("logical_not", torch.logical_not, booleans(6))
case("logical_not", torch.logical_not, special(), smooth=False)

for name, function in (("isnan", torch.isnan), ("isfinite", torch.isfinite)):
    case(name, function, special(), smooth=False)
    case(name, function, uniform(3, 5))
    case(name, function, integers(6))

case("where", torch.where, booleans(3, 5), uniform(3, 5), uniform(3, 5))
case("where", torch.where, booleans(3, 1), uniform(2, 1, 1), uniform(5))
case("where", torch.where, booleans(2, 0), uniform(2, 0), uniform(1))
case("where", torch.where, booleans(24), special(), special()[::-1].copy(), smooth=False)
case("where", torch.where, booleans(6), integers(6), integers(6))
case("where", torch.where, booleans(6), booleans(6), booleans(6))

write("comparison")
