"""Convolutions along one and two axes, and the transposed ones."""

import torch
import torch.nn.functional as F

from golden import case, uniform, write


def conv2d(**options):
    return lambda x, w, b=None: F.conv2d(x, w, b, **options)


def same(x, w, b=None):
    return F.conv2d(x, w, b, padding="same")


def one_sided(x, w, b):
    return F.conv2d(F.pad(x, (0, 3, 2, 1)), w, b)


def transposed(**options):
    return lambda x, w, b=None: F.conv_transpose2d(x, w, b, **options)


def small(*shape):
    return uniform(*shape, low=-1.0, high=1.0)


# Usual ones, one image, one channel, 1 x 1, as many images as a vector has lanes and a few more, none at all.
case("conv2d", conv2d(), small(2, 3, 6, 5), small(4, 3, 3, 2), small(4))
case("conv2d", conv2d(), small(1, 1, 4, 4), small(1, 1, 2, 2), small(1))
case("conv2d", conv2d(), small(3, 2, 3, 4), small(5, 2, 1, 1), small(5))
case("conv2d", conv2d(), small(17, 1, 2, 3), small(2, 1, 2, 2), small(2))
case("conv2d", conv2d(), small(2, 2, 3, 3), small(2, 2, 3, 3))
case("conv2d", conv2d(), small(0, 2, 3, 3), small(2, 2, 2, 2), small(2))
case("conv2d", conv2d(), small(2, 4, 5), small(3, 2, 2, 2), small(3))
# A window larger than the image without its padding.
case("conv2d_padding", conv2d(padding=2), small(2, 2, 2, 3), small(3, 2, 4, 5), small(3))
# A stride larger than the window.
case("conv2d_stride", conv2d(stride=(2, 3)), small(2, 2, 7, 8), small(3, 2, 1, 2), small(3))
case("conv2d_all", conv2d(stride=2, padding=(1, 3), dilation=(2, 3), groups=2), small(2, 4, 7, 6), small(6, 2, 3, 2), small(6))
case("conv2d_depthwise", conv2d(groups=3, padding=1), small(2, 3, 4, 4), small(6, 1, 3, 3), small(6))
case("conv2d_same", same, small(2, 2, 4, 5), small(3, 2, 3, 4), small(3))
case("conv2d_one_sided", one_sided, small(2, 2, 4, 3), small(3, 2, 2, 4), small(3))
case("conv1d", lambda x, w, b: F.conv1d(x, w, b, stride=2, padding=1, dilation=2), small(2, 3, 9), small(4, 3, 3), small(4))
case("conv1d", lambda x, w, b: F.conv1d(x, w, b, stride=2, padding=1, dilation=2), small(3, 7), small(4, 3, 2), small(4))
case("conv_transpose2d", transposed(), small(2, 3, 3, 2), small(3, 4, 2, 3), small(4))
case("conv_transpose2d", transposed(), small(1, 2, 2, 3), small(2, 3, 3, 1))
case("conv_transpose2d_all", transposed(stride=(2, 3), padding=1, output_padding=(1, 0), dilation=(3, 2), groups=2),
     small(2, 4, 3, 2), small(4, 2, 2, 3), small(4))


def input_grad(dy, w):
    return torch.nn.grad.conv2d_input((2, 4, 6, 5), w, dy, stride=2, padding=1, groups=2)


def weight_grad(x, dy):
    return torch.nn.grad.conv2d_weight(x, (6, 2, 3, 2), dy, stride=2, padding=1, groups=2)


case("conv2d_input_grad", input_grad, small(2, 6, 3, 3), small(6, 2, 3, 2))
case("conv2d_weight_grad", weight_grad, small(2, 4, 6, 5), small(2, 6, 3, 3), gradients=False)


def fused(scaled, rectified):
    def run(x, w, b, scale=None):
        y = F.conv2d(x, w, stride=(1, 2), padding=1)
        y = y * scale[:, None, None] + b[:, None, None] if scaled else y + b[:, None, None]
        return F.relu(y) if rectified else y
    return run


def off_the_kink(scaled, *shapes):
    """Inputs for which no sum is so near to 0 that a difference quotient would cross the kink of relu."""
    while True:
        inputs = [small(*shape) for shape in shapes]
        if fused(scaled, False)(*[torch.from_numpy(x) for x in inputs]).abs().min() > 1 / 64:
            return inputs


case("conv2d_fused", fused(True, True), *off_the_kink(True, (2, 2, 3, 4), (2, 2, 3, 2), (2,), (2,)))
case("conv2d_fused", fused(True, True), *off_the_kink(True, (1, 1, 2, 3), (7, 1, 2, 2), (7,), (7,)))
case("conv2d_fused_bias_relu", fused(False, True), *off_the_kink(False, (2, 2, 3, 4), (3, 2, 3, 2), (3,)))
case("conv2d_fused_scale", fused(True, False), small(2, 3, 3, 4), small(2, 3, 2, 2), small(2), small(2))

# The same awkward ones for the other directions: no image, one channel, a stride larger than the window, groups without bias.
case("conv_transpose2d", transposed(), small(0, 2, 3, 3), small(2, 3, 2, 2), small(3))
case("conv_transpose2d", transposed(), small(1, 1, 3, 3), small(1, 1, 2, 2), small(1))
case("conv_transpose2d_stride", transposed(stride=(3, 4)), small(2, 2, 2, 3), small(2, 3, 2, 1), small(3))
case("conv1d", lambda x, w, b: F.conv1d(x, w, b, stride=2, padding=1, dilation=2), small(0, 3, 9), small(4, 3, 3), small(4))
case("conv1d", lambda x, w, b: F.conv1d(x, w, b, stride=2, padding=1, dilation=2), small(1, 1, 6), small(1, 1, 2), small(1))
case("conv1d_groups", lambda x, w: F.conv1d(x, w, padding=3, groups=2), small(2, 4, 2), small(6, 2, 5))
case("conv1d_stride", lambda x, w, b: F.conv1d(x, w, b, stride=4), small(2, 2, 11), small(3, 2, 2), small(3))

write("conv")
