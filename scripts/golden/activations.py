"""Activations."""

import torch
import torch.nn.functional as F

from golden import away_from, case, integers, special, uniform, write

KINK_AT_ZERO = {
    "relu": torch.relu,
    "leaky_relu": lambda x: F.leaky_relu(x, 0.125),
    "elu": F.elu,
    "elu_half": lambda x: F.elu(x, 0.5),
    "softsign": F.softsign,
}
SMOOTH = {
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "arctan": torch.atan,
    "softplus": F.softplus,
    "silu": F.silu,
    "gelu": F.gelu,
    "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
}
for name, function in KINK_AT_ZERO.items():
    case(name, function, away_from([0.0], 3, 5))
    case(name, function, special(), smooth=False)
for name, function in SMOOTH.items():
    case(name, function, uniform(3, 5, low=-4, high=4))
    case(name, function, special(5.0, -5.0, 10.0, -10.0, 88.5, -88.5), smooth=False)
    case(name, function, uniform(2, 0))

case("sigmoid", torch.sigmoid, integers(6, low=-5))
case("prelu", F.prelu, away_from([0.0], 2, 3, 4), uniform(3))
case("prelu", F.prelu, away_from([0.0], 2, 3), uniform(1))
case("prelu", F.prelu, special(), uniform(1, low=0.1), smooth=False)
case("binary_step", lambda x: torch.heaviside(x, torch.ones((), dtype=x.dtype)), away_from([0.0], 3, 5), gradients=False)
case("binary_step", lambda x: torch.heaviside(x, torch.ones((), dtype=x.dtype)), special(), smooth=False, gradients=False)
case("identity", lambda x: x * 1, uniform(3, 5))

write("activations")
