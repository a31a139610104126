"""Tensors made from numbers."""

import torch

from golden import case, uniform, write

case("arange", lambda: torch.arange(1, 8, 2))
case("arange_down", lambda: torch.arange(5, 0, -1.5))
case("arange_empty", lambda: torch.arange(0))
case("arange_fraction", lambda: torch.arange(0, 1, 0.1, dtype=torch.float64))
case("linspace", lambda: torch.linspace(-1, 2, 7, dtype=torch.float64))
case("linspace_one", lambda: torch.linspace(3, 5, 1))
case("linspace_none", lambda: torch.linspace(3, 5, 0))
case("eye", lambda: torch.eye(3))
case("eye_wide", lambda: torch.eye(2, 4, dtype=torch.int64))
case("eye_tall", lambda: torch.eye(4, 2, dtype=torch.float64))
case("zeros_like", torch.zeros_like, uniform(2, 3), gradients=False)
case("ones_like", torch.ones_like, uniform(2, 0), gradients=False)
case("full_like", lambda x: torch.full_like(x, -3), uniform(), gradients=False)

write("sequences")
