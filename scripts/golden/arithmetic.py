"""Arithmetic."""

import torch

from golden import NAN, away_from, booleans, case, integers, special, uniform, write

reversed_special = special()[::-1].copy()

case("add", torch.add, uniform(3, 5), uniform(3, 5))
case("add", torch.add, uniform(2, 1, 4), uniform(3, 1))
case("add", torch.add, uniform(0, 3), uniform(3))
case("add", torch.add, integers(3, 2, low=-9), integers(2))
case("add", torch.add, booleans(6), booleans(6))
case("add", torch.add, special(), reversed_special, smooth=False)
case("sub", torch.sub, uniform(3, 5), uniform(5))
case("sub", torch.sub, uniform(5), uniform(2, 1, 1))
case("sub", torch.sub, integers(3, 2, low=-9), integers(2))
case("mul", torch.mul, uniform(3, 5), uniform(1, 5))
case("mul", torch.mul, uniform(3, 1), uniform(1, 5))
case("mul", torch.mul, integers(3, 2, low=-9), integers(2))
case("mul", torch.mul, special(), reversed_special, smooth=False)
case("div", torch.div, uniform(3, 5), away_from([0.0], 3, 1, distance=0.25))
case("div", torch.div, special(), reversed_special, smooth=False, gradients=False)
case("div", torch.div, integers(3, 2, low=-9), integers(2, low=1))
case("neg", torch.neg, uniform(3, 5))
case("neg", torch.neg, integers(3, 5, low=-5))
case("neg", torch.neg, special(), smooth=False)

case("pow", torch.pow, uniform(3, 5, low=0.25), uniform(5, low=-3, high=3))
case("pow", torch.pow, uniform(2, 1, low=0.5), uniform(1, 3))
case("pow", torch.pow, special(), reversed_special, smooth=False, gradients=False)
case("pow", torch.pow, uniform(4) * 0, [0.0, 1.0, 2.0, 3.0], smooth=False)
case("pow", torch.pow, [0.0, 0.0, 0.0, 1.0, -2.0], [-1.0, 0.5, 1.5, 0.0, 2.0], smooth=False)
case("pow", torch.pow, integers(3, 4, low=-5, high=6), integers(4, high=5))
case("pow_number", lambda x: x**2.5, uniform(3, 5, low=0.25))
case("pow_number", lambda x: x**2.5, special(), smooth=False)
case("pow_two", lambda x: x**2.0, uniform(3, 5))
case("pow_two", lambda x: x**2.0, special(), smooth=False, gradients=False)
case("pow_three", lambda x: x**3, uniform(3, 5))
case("pow_half", lambda x: x**0.5, uniform(3, 5, low=0.25))
case("pow_of_number", lambda x: 2.0**x, uniform(3, 5))

for name, function in (("maximum", torch.maximum), ("minimum", torch.minimum)):
    a = uniform(3, 5)
    case(name, function, a, a + away_from([0.0], 3, 5))
    case(name, function, uniform(3, 1), uniform(5) + 5)
    case(name, function, special(), reversed_special, smooth=False)
    case(name, function, [1.0, 1.0, 2.0, NAN, 0.0], [1.0, 2.0, 1.0, 1.0, -0.0], smooth=False)
    case(name, function, integers(6), integers(6))
    case(name, function, booleans(6), booleans(6))

case("square", torch.square, uniform(3, 5))
case("reciprocal", torch.reciprocal, uniform(3, 5, low=0.25))
case("reciprocal", torch.reciprocal, special(), smooth=False, gradients=False)

write("arithmetic")
