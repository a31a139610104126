"""Arithmetic."""

import torch

from golden import away_from, booleans, case, integers, special, uniform, write

case("add", torch.add, uniform(3, 5), uniform(3, 5))
case("add", torch.add, uniform(2, 1, 4), uniform(3, 1))
case("add", torch.add, integers(3, 2, low=-9), integers(2))
case("add", torch.add, booleans(6), booleans(6))
case("sub", torch.sub, uniform(3, 5), uniform(5))
case("sub", torch.sub, integers(3, 2, low=-9), integers(2))
case("mul", torch.mul, uniform(3, 5), uniform(1, 5))
case("mul", torch.mul, integers(3, 2, low=-9), integers(2))
case("div", torch.div, uniform(3, 5), away_from([0.0], 3, 1, distance=0.25))
case("div", torch.div, special(), special()[::-1].copy(), smooth=False, gradients=False)
case("div", torch.div, integers(3, 2, low=-9), integers(2, low=1))
case("neg", torch.neg, uniform(3, 5))
case("neg", torch.neg, integers(3, 5, low=-5))

write("arithmetic")
