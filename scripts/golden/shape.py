"""Shape, making and converting."""

import torch

from golden import case, integers, uniform, write

case("reshape", lambda x: x.reshape(4, -1), uniform(2, 3, 4))
case("permute", lambda x: x.permute(2, 0, 1), uniform(2, 3, 4))
case("permute", lambda x: x.permute(2, 0, 1), integers(2, 3, 4))
case("permute", lambda x: x.permute(2, 0, 1), uniform(2, 0, 4))
case("expand", lambda x: x.expand(2, 3, 4), uniform(3, 1))
case("cast", lambda x: x.double(), uniform(3, 4))
case("cast", lambda x: x.double(), integers(3, 4))
case("cast_to_int32", lambda x: x.int(), uniform(3, 4, low=-9, high=9), gradients=False)
case("full", lambda x: torch.full_like(x, 2.5), uniform(3, 4), gradients=False)

write("shape")
