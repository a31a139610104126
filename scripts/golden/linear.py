"""The affine map of a dense layer."""

import torch.nn.functional as F

from golden import case, uniform, write

case("linear", F.linear, uniform(3, 4), uniform(5, 4), uniform(5))
case("linear", F.linear, uniform(2, 3, 4), uniform(5, 4), uniform(5))
case("linear", F.linear, uniform(4), uniform(5, 4), uniform(5))
case("linear", F.linear, uniform(0, 4), uniform(5, 4), uniform(5))
case("linear", F.linear, uniform(3, 0), uniform(5, 0), uniform(5))
case("linear", F.linear, uniform(3, 4), uniform(5, 4))

write("linear")
