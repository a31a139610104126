"""The matrix product."""

import torch

from golden import case, uniform, write

case("matmul", torch.matmul, uniform(3, 4), uniform(4, 5))
case("matmul", torch.matmul, uniform(2, 1, 3, 4), uniform(3, 4, 2))
case("matmul", torch.matmul, uniform(4), uniform(4, 3))
case("matmul", torch.matmul, uniform(3, 4), uniform(4))
case("matmul", torch.matmul, uniform(4), uniform(4))
case("matmul", torch.matmul, uniform(3, 0), uniform(0, 2))
case("matmul", torch.matmul, uniform(0, 3), uniform(3, 2))
case("matmul", torch.matmul, uniform(5, 9), uniform(9, 7))

write("matmul")
