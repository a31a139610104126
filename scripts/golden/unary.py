"""Functions of one element."""

import torch

from golden import away_from, case, integers, special, uniform, write

FUNCTIONS = {
    "exp": (torch.exp, {}, (88.5, -104.0, 89.0, 709.0, 710.0, -745.0)),
    "expm1": (torch.expm1, {}, (88.5, -104.0, 89.0, 709.0, 710.0, -40.0)),
    "log": (torch.log, {"low": 0.25}, ()),
    # In float32 PyTorch's own says log(1 + 3e38) is infinite.
    "log1p": (lambda x: torch.log1p(x.double()).to(torch.promote_types(x.dtype, torch.float32)), {"low": -0.75},
              (-0.999, -2.0)),
    "sqrt": (torch.sqrt, {"low": 0.25}, ()),
    "rsqrt": (torch.rsqrt, {"low": 0.25}, ()),
    "sin": (torch.sin, {"low": -8, "high": 8}, (3.0e5, 38999.0)),
    "cos": (torch.cos, {"low": -8, "high": 8}, (3.0e5, 38999.0)),
    "atan": (torch.atan, {"low": -5, "high": 5}, ()),
    "erf": (torch.erf, {"low": -4, "high": 4}, (0.999, 1.001, 3.99, 4.01, 5.99, 6.01)),
}

for name, (function, bounds, more) in FUNCTIONS.items():
    case(name, function, uniform(3, 5, **bounds))
    case(name, function, uniform(0, 2))
    case(name, function, uniform(**bounds))
    case(name, function, special(*more), smooth=False)
    case(name, function, integers(3, 5, low=1))

case("abs", torch.abs, away_from([0.0], 3, 5))
case("abs", torch.abs, special(), smooth=False)
case("abs", torch.abs, integers(6, low=-5))
case("sign", torch.sign, away_from([0.0], 3, 5))
case("sign", torch.sign, special(), smooth=False)
case("sign", torch.sign, integers(6, low=-5))
for name, function in (("floor", torch.floor), ("ceil", torch.ceil), ("round", torch.round)):
    case(name, function, away_from([k / 2 for k in range(-6, 7)], 3, 5))
    case(name, function, special(), smooth=False)
    case(name, function, integers(6, low=-5))
case("clamp", lambda x: x.clamp(-0.5, 1.25), away_from([-0.5, 1.25], 3, 5))
case("clamp", lambda x: x.clamp(-0.5, 1.25), special(1.25), smooth=False)
case("clamp_low", lambda x: x.clamp(min=-1), away_from([-1.0], 3, 5))
case("clamp_low", lambda x: x.clamp(min=-1), special(), smooth=False)
case("clamp_low", lambda x: x.clamp(min=-1), integers(6, low=-5))
case("clamp_crossed", lambda x: x.clamp(1.0, 0.5), special(), smooth=False)

write("unary")
