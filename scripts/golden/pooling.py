"""Pooling."""

import torch
import torch.nn.functional as F

import numpy as np

from golden import INFINITY, NAN, case, uniform, write


def distinct(*shape):
    """Different numbers in random places: difference quotients do not change which one is the largest."""
    n = int(np.prod(shape))
    order = np.argsort(uniform(n) + np.arange(n) * 1e-9)
    return ((order - n / 2) / 16).reshape(shape)


def max_pool(name, shape, *args, x=None, **options):
    case(name, lambda x: F.max_pool2d(x, *args, **options), distinct(*shape) if x is None else x, smooth=x is None)


# One case for each set of options; tests/ops/pooling_test.cpp has the same.
for shape in [(2, 3, 4, 6), (1, 1, 4, 4), (10, 1, 3, 5), (17, 1, 4, 2), (1, 1, 5, 40), (3, 4, 4)]:
    max_pool("max_pool2d", shape, 2)
max_pool("max_pool2d", (0, 3, 4, 4), 2)
max_pool("max_pool2d", (1, 1, 2, 4), 2, x=np.array([[[[1.0, 1.0, NAN, 3.0], [1.0, 1.0, 2.0, NAN]]]]))
max_pool("max_pool2d", (1, 1, 2, 4), 2,
         x=np.array([[[[-INFINITY, -INFINITY, INFINITY, 3.0], [-INFINITY, -INFINITY, 2.0, INFINITY]]]]))
# Windows that overlap, padded, with a last one that is partly outside.
for shape in [(2, 2, 5, 7), (1, 1, 4, 36), (5, 1, 2, 2)]:
    max_pool("max_pool2d_overlapping", shape, 3, stride=2, padding=1, ceil_mode=True)
# Larger than the image; wider than high.
max_pool("max_pool2d_large", (3, 2, 3, 2), (4, 3), stride=(1, 2), padding=(2, 1))
# More between the windows than they cover.
max_pool("max_pool2d_sparse", (2, 1, 7, 9), 2, stride=3, ceil_mode=True)
for shape in [(2, 1, 7, 8), (1, 1, 5, 37)]:
    max_pool("max_pool2d_dilated", shape, (2, 3), stride=1, padding=1, dilation=2)
# More elements than a byte can number.
max_pool("max_pool2d_many", (1, 1, 17, 18), 17, stride=1, padding=1)
# A window without an element.
max_pool("max_pool2d_empty_window", (1, 1, 1, 1), 2, stride=1, padding=1, dilation=2, x=np.array([[[[1.5]]]]))

case("max_pool1d", lambda x: F.max_pool1d(x, 3, stride=2, padding=1), distinct(2, 3, 8))
case("max_pool1d", lambda x: F.max_pool1d(x, 3, stride=2, padding=1), distinct(3, 7))


def pool(name, function, *shapes):
    for shape in shapes:
        case(name, function, uniform(*shape))


pool("avg_pool2d", lambda x: F.avg_pool2d(x, 2), (2, 3, 4, 6), (1, 1, 4, 4), (10, 1, 3, 5), (3, 4, 4), (0, 3, 4, 4))
pool("avg_pool2d_padded", lambda x: F.avg_pool2d(x, 3, stride=2, padding=1, ceil_mode=True), (2, 2, 5, 7), (5, 1, 2, 2))
pool("avg_pool2d_inside", lambda x: F.avg_pool2d(x, 3, stride=2, padding=1, ceil_mode=True, count_include_pad=False),
     (2, 2, 5, 7), (1, 1, 6, 8))
pool("avg_pool2d_divided", lambda x: F.avg_pool2d(x, (4, 3), stride=(1, 2), padding=(2, 1), divisor_override=5),
     (3, 2, 3, 2))
pool("avg_pool2d_sparse", lambda x: F.avg_pool2d(x, 2, stride=3, ceil_mode=True), (2, 1, 7, 9))
pool("avg_pool1d", lambda x: F.avg_pool1d(x, 3, stride=2, padding=1), (2, 3, 8), (3, 7))

pool("adaptive_avg_pool2d", lambda x: F.adaptive_avg_pool2d(x, (3, 2)), (2, 2, 6, 8), (1, 1, 5, 7), (17, 1, 4, 4),
     (2, 2, 2, 1), (3, 7, 5), (0, 3, 4, 4))
pool("adaptive_avg_pool2d_one", lambda x: F.adaptive_avg_pool2d(x, 1), (2, 3, 5, 7))
pool("adaptive_avg_pool1d", lambda x: F.adaptive_avg_pool1d(x, 3), (2, 3, 8))
for shape in [(2, 1, 6, 8), (1, 1, 5, 7), (2, 2, 2, 1)]:
    case("adaptive_max_pool2d", lambda x: F.adaptive_max_pool2d(x, (3, 2)), distinct(*shape))
case("adaptive_max_pool1d", lambda x: F.adaptive_max_pool1d(x, 3), distinct(2, 3, 8))
case("adaptive_max_pool2d", lambda x: F.adaptive_max_pool2d(x, (3, 2)), distinct(0, 1, 4, 5))

write("pooling")
