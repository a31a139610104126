"""Parts of tensors, and tensors put together."""

import torch
import torch.nn.functional as F

from golden import booleans, case, integers, uniform, write


def set_part(x, v):
    y = x.clone()
    y[1:3, ::2] = v
    return y


case("flatten", lambda x: x.flatten(1, 2), uniform(2, 3, 2, 2))
case("flatten_0d", lambda x: x.flatten(), uniform())
case("squeeze", lambda x: x.squeeze(), uniform(1, 3, 1, 2))
case("squeeze_axis", lambda x: x.squeeze(2), uniform(1, 3, 1, 2))
case("unsqueeze", lambda x: x.unsqueeze(-1), uniform(2, 3))
case("unsqueeze", lambda x: x.unsqueeze(-1), uniform())
case("transpose", lambda x: x.transpose(0, -1), uniform(2, 3, 4))
case("matrix_transpose", lambda x: x.mT, uniform(2, 3, 4))
case("flip", lambda x: x.flip(0, 2), uniform(2, 3, 4))
case("flip", lambda x: x.flip(0, 2), uniform(2, 0, 3))
case("flip", lambda x: x.flip(0, 2), integers(2, 1, 3))
case("slice", lambda x: x[1:-1, 1::3], uniform(4, 6))
case("slice", lambda x: x[1:-1, 1::3], uniform(4, 6, 2))
case("slice", lambda x: x[1:-1, 1::3], booleans(3, 5))
case("slice", lambda x: x[1:-1, 1::3], uniform(1, 0))
case("slice_clamped", lambda x: x[-100:2, 5:2], uniform(3, 7))
case("select", lambda x: x.select(1, -2), uniform(2, 3, 4))
case("set", set_part, uniform(4, 5), uniform(2, 3))
case("set", set_part, uniform(4, 5, 2), uniform(3, 1))
case("set", set_part, integers(4, 5), integers())
case("split", lambda x: x.split(2, 1), uniform(2, 5))
case("split", lambda x: x.split(2, 1), uniform(2, 0))
case("split_sizes", lambda x: x.split([1, 0, 3], 0), uniform(4, 2))
case("concat", lambda a, b, c: torch.cat([a, b, c], 1), uniform(2, 3), uniform(2, 1), uniform(2, 0))
case("concat", lambda a, b, c: torch.cat([a, b, c], 1), uniform(2, 1, 2), uniform(2, 2, 2), integers(2, 1, 2))
case("concat", lambda a, b, c: torch.cat([a, b, c], 1), integers(1, 2), integers(1, 2, dtype="int32"), booleans(1, 1))
case("stack", lambda a, b: torch.stack([a, b], -1), uniform(2, 3), uniform(2, 3))
case("stack", lambda a, b: torch.stack([a, b], -1), uniform(), uniform())
case("stack_first", lambda a, b: torch.stack([a, b]), uniform(3), uniform(3))
case("pad", lambda x: F.pad(x, (2, -1, 0, 3), value=1.5), uniform(2, 3))
case("pad", lambda x: F.pad(x, (2, -1, 0, 3), value=1.5), uniform(2, 2, 4))
case("pad", lambda x: F.pad(x, (2, -1, 0, 3), value=1.5), integers(2, 3))
case("pad", lambda x: F.pad(x, (2, -1, 0, 3), value=1.5), uniform(0, 3), gradients=False)
case("tril", lambda x: x.tril(), uniform(3, 4))
case("tril", lambda x: x.tril(), uniform(2, 4, 3))
case("tril", lambda x: x.tril(), booleans(3, 3))
case("tril", lambda x: x.tril(), uniform(0, 3))
case("tril_above", lambda x: x.tril(1), uniform(3, 4))
case("triu", lambda x: x.triu(), uniform(3, 4))
case("triu", lambda x: x.triu(), uniform(2, 4, 3))
case("triu_below", lambda x: x.triu(-2), uniform(4, 4))
case("diag", lambda x: x.diag(), uniform(3))
case("diag", lambda x: x.diag(), uniform(0))
case("diag", lambda x: x.diag(), uniform(3, 5))
case("diag", lambda x: x.diag(), uniform(5, 3))
case("diag_above", lambda x: x.diag(2), uniform(3))
case("diag_above", lambda x: x.diag(2), uniform(3, 4))
case("diag_below", lambda x: x.diag(-1), uniform(2))
case("diag_below", lambda x: x.diag(-1), uniform(4, 2))

write("slices")
