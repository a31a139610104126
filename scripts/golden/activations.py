"""Activations."""

import torch

from golden import away_from, case, special, write

case("relu", torch.relu, away_from([0.0], 3, 5))
case("relu", torch.relu, special(), smooth=False)

write("activations")
