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
for shape in [(2, 3, 6, 8), (1, 1, 4, 4), (10, 1, 5, 7), (17, 2, 4, 4), (1, 2, 9, 40), (3, 4, 4)]:
    max_pool("max_pool2d", shape, 2)
max_pool("max_pool2d", (0, 3, 4, 4), 2)
max_pool("max_pool2d", (1, 1, 2, 4), 2, x=np.array([[[[1.0, 1.0, NAN, 3.0], [1.0, 1.0, 2.0, NAN]]]]))
max_pool("max_pool2d", (1, 1, 2, 4), 2,
         x=np.array([[[[-INFINITY, -INFINITY, INFINITY, 3.0], [-INFINITY, -INFINITY, 2.0, INFINITY]]]]))
# Windows that overlap, padded, with a last one that is partly outside.
for shape in [(2, 3, 5, 7), (1, 2, 6, 36), (5, 1, 2, 2)]:
    max_pool("max_pool2d_overlapping", shape, 3, stride=2, padding=1, ceil_mode=True)
# Larger than the image; wider than high.
max_pool("max_pool2d_large", (3, 2, 3, 2), (4, 3), stride=(1, 2), padding=(2, 1))
# More between the windows than they cover.
max_pool("max_pool2d_sparse", (2, 2, 7, 9), 2, stride=3, ceil_mode=True)
for shape in [(2, 2, 7, 8), (1, 1, 9, 37)]:
    max_pool("max_pool2d_dilated", shape, (2, 3), stride=1, padding=1, dilation=2)
# More elements than a byte can number.
max_pool("max_pool2d_many", (2, 1, 18, 19), 17, stride=1, padding=1)
# A window without an element.
max_pool("max_pool2d_empty_window", (1, 1, 1, 1), 2, stride=1, padding=1, dilation=2, x=np.array([[[[1.5]]]]))

case("max_pool1d", lambda x: F.max_pool1d(x, 3, stride=2, padding=1), distinct(2, 3, 8))
case("max_pool1d", lambda x: F.max_pool1d(x, 3, stride=2, padding=1), distinct(3, 7))

write("pooling")
