"""Reductions."""

import torch

from golden import INFINITY, NAN, booleans, case, integers, uniform, write

import numpy as np


def distinct(*shape):
    """Every element another number, at least 1/16 apart: difference quotients of max and min stay on one branch."""
    n = int(np.prod(shape))
    order = np.argsort(uniform(n), kind="stable")
    return ((np.arange(n) - n / 2) / 16)[order].reshape(shape)


def with_nan(*shape):
    x = uniform(*shape)
    x.reshape(-1)[3] = NAN
    return x


case("sum", lambda x: x.sum((0, -1)), uniform(2, 3, 4))
case("sum", lambda x: x.sum((0, -1)), integers(2, 3, 4))
case("sum", lambda x: x.sum((0, -1)), booleans(2, 3, 4))
case("sum", lambda x: x.sum((0, -1)), uniform(2, 3, 0))
case("sum", lambda x: x.sum((0, -1)), uniform(5, 2, 3, 4))
case("sum_columns", lambda x: x.sum(0, keepdim=True), uniform(7, 19))
case("sum_all", torch.sum, uniform(3, 5))
case("sum_all", torch.sum, uniform())
case("sum_all", torch.sum, uniform(0))

case("mean", lambda x: x.mean((0, -1)), uniform(2, 3, 4))
case("mean", lambda x: x.mean((0, -1)), uniform(2, 3, 0), smooth=False)
case("mean_all", torch.mean, uniform(3, 5))
case("mean_all", torch.mean, uniform())

case("var", lambda x: x.var((0, -1)), uniform(2, 3, 4))
case("var", lambda x: x.var((0, -1)), uniform(5, 2, 3, 4) + 100.0)
case("var_population", lambda x: x.var(0, unbiased=False, keepdim=True), uniform(7, 19))

for name, function in (("max", torch.amax), ("min", torch.amin)):
    case(name, lambda x: function(x, (0, -1)), distinct(2, 3, 4))
    case(name, lambda x: function(x, (0, -1)), integers(2, 3, 4).astype(np.float64), smooth=False)
    case(name, lambda x: function(x, (0, -1)), np.full((2, 3, 4), INFINITY), smooth=False)
    case(name, lambda x: function(x, (0, -1)), with_nan(2, 3, 4), smooth=False)
    case(name, lambda x: function(x, (0, -1)), integers(2, 3, 4, low=-9))
    case(name, lambda x: function(x, (0, -1)), uniform(2, 0, 4))
    case(name + "_columns", lambda x: function(x, 0, keepdim=True), distinct(9, 5))
    case(name + "_all", lambda x: function(x, tuple(range(x.dim()))), distinct(3, 5))
    case(name + "_all", lambda x: function(x, ()), uniform())

case("prod", lambda x: x.flatten(1).prod(1), uniform(2, 3, 4))
case("prod", lambda x: x.flatten(1).prod(1), np.where(np.arange(24) == 5, 0.0, uniform(24)).reshape(2, 3, 4))
case("prod", lambda x: x.flatten(1).prod(1), np.where(np.arange(24) % 7 == 5, 0.0, uniform(24)).reshape(2, 3, 4))
case("prod", lambda x: x.flatten(1).prod(1), integers(2, 2, 3, low=-9))
case("prod", lambda x: x.flatten(1).prod(1), uniform(2, 3, 0))
case("prod_columns", lambda x: x.prod(0, keepdim=True), uniform(5, 3))
case("prod_all", torch.prod, uniform(7))
case("prod_all", torch.prod, uniform())

case("logsumexp", lambda x: torch.logsumexp(x, (0, -1)), uniform(2, 3, 4))
case("logsumexp", lambda x: torch.logsumexp(x, (0, -1)), uniform(2, 3, 4, low=-900.0, high=900.0), smooth=False)
case("logsumexp", lambda x: torch.logsumexp(x, (0, -1)), np.array([[-INFINITY, -INFINITY], [0.0, 1.0], [0.0, INFINITY],
     [NAN, 1.0], [-INFINITY, 2.0]]).reshape(1, 5, 2), smooth=False, gradients=False)
case("logsumexp_columns", lambda x: torch.logsumexp(x, 0, keepdim=True), uniform(9, 5))

case("cumsum", lambda x: x.cumsum(1), uniform(2, 3, 4))
case("cumsum", lambda x: x.cumsum(1), integers(2, 3, 4, low=-9))
case("cumsum", lambda x: x.cumsum(1), booleans(2, 3, 4))
case("cumsum", lambda x: x.cumsum(1), uniform(2, 0, 4))
case("cumsum_last", lambda x: x.cumsum(-1), uniform(3, 40))
case("cumsum_last", lambda x: x.cumsum(-1), uniform())

for name, function in (("argmax", torch.argmax), ("argmin", torch.argmin)):
    case(name, lambda x: function(x, 1), uniform(4, 9), gradients=False)
    case(name, lambda x: function(x, 1), integers(4, 9, high=3).astype(np.float64), gradients=False)
    case(name, lambda x: function(x, 1), integers(2, 9, 3, high=3), gradients=False)
    case(name, lambda x: function(x, 1), with_nan(3, 5), gradients=False)
    case(name, lambda x: function(x, 1), np.array([[INFINITY, NAN, NAN], [-INFINITY, INFINITY, 0.0]]), gradients=False)
    case(name, lambda x: function(x, 1), uniform(0, 4), gradients=False)
    case(name + "_first", lambda x: function(x, 0, keepdim=True), uniform(9, 5), gradients=False)
    case(name + "_all", lambda x: function(x), uniform(3, 5), gradients=False)
    case(name + "_all", lambda x: function(x), uniform(), gradients=False)

for name, function in (("all", torch.all), ("any", torch.any)):
    case(name, lambda x: function(x, 1), booleans(6, 3))
    case(name, lambda x: function(x, 1), integers(6, 3, high=2))
    case(name, lambda x: function(x, 1), np.array([[0.0, NAN], [0.0, -0.0], [1.0, 2.0]]), gradients=False)
    case(name, lambda x: function(x, 1), booleans(2, 0))

for name, function in (("softmax", torch.softmax), ("log_softmax", torch.log_softmax)):
    case(name, lambda x: function(x, -1), uniform(3, 5))
    case(name, lambda x: function(x, -1), uniform(2, 37, low=-9.0, high=9.0))
    case(name, lambda x: function(x, -1), uniform(3, 2, 3) + 1000.0, smooth=False)
    case(name, lambda x: function(x, -1), np.array([[0.0, -INFINITY, 1.0], [100.0, -100.0, 0.0]]), smooth=False,
         gradients=False)
    case(name, lambda x: function(x, -1), np.array([[0.0, NAN, 1.0], [-INFINITY] * 3, [0.0, INFINITY, 1.0]]),
         smooth=False, gradients=False)
    case(name, lambda x: function(x, -1), uniform(0, 3))
    case(name, lambda x: function(x, -1), uniform(3, 0))
    case(name, lambda x: function(x, -1), uniform())
    case(name + "_middle", lambda x: function(x, 1), uniform(2, 3, 4))

write("reductions")
