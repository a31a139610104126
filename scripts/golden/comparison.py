"""Comparison and choice."""

import torch

from golden import booleans, case, integers, special, uniform, write

case("greater", torch.gt, uniform(3, 5), uniform(5))
case("greater", torch.gt, special(), special()[::-1].copy(), smooth=False)
case("greater", torch.gt, integers(3, 2, low=-9), integers(2))
case("greater", torch.gt, booleans(6), booleans(6))

write("comparison")
