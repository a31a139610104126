"""Functions of one element."""

import torch

from golden import case, integers, special, uniform, write

case("exp", torch.exp, uniform(3, 5))
case("exp", torch.exp, special(88.5, -104.0, 89.0), smooth=False)
case("exp", torch.exp, integers(3, 5, low=-5))
case("log", torch.log, uniform(3, 5, low=0.25))
case("log", torch.log, special(), smooth=False)

write("unary")
