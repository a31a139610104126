"""Golden values for the tests of ops: what PyTorch computes, written to tests/golden/ops/<group>.json.

Each group of ops is a Python file beside this one; scripts/golden/make runs them all, or those named. They are run by
maintainers with PyTorch 1.13 or newer; the files they write are committed. A case is one or more calls of

    case("softplus", F.softplus, uniform(3, 5))                  # float32 and float64, with gradients
    case("softplus", F.softplus, special(), smooth=False)        # kinks, NaN, infinities: no difference quotients
    case("prelu", F.prelu, uniform(2, 3, 4), uniform(3))         # several inputs
    case("one_hot", F.one_hot, integers(4, high=3))              # int64 as it is

and one CHECK_OP in C++ with the same name. Inputs are numpy arrays; floating ones are converted to each of `dtypes`.
The same file always gives the same numbers: random inputs depend on their place in the file alone.
"""

import json
import math
import pathlib

import numpy as np
import torch

ROOT = pathlib.Path(__file__).resolve().parents[2]
FLOATS = (torch.float32, torch.float64)
INFINITY = float("inf")
NAN = float("nan")

_cases = {}
_drawn = 0


def _random():
    global _drawn
    _drawn += 1
    return np.random.Generator(np.random.Philox(key=_drawn))


def uniform(*shape, low=-2.0, high=2.0):
    """Multiples of 1/256, so that float32 holds them exactly and they are short to write."""
    return np.asarray(np.round(_random().uniform(low, high, shape) * 256) / 256)


def away_from(kinks, *shape, low=-2.0, high=2.0, distance=1 / 16):
    """The same, but no element near one of the kinks, where difference quotients mean nothing."""
    values = uniform(*shape, low=low, high=high)
    for kink in kinks:
        offset = values - kink
        values = np.where(np.abs(offset) < distance, values + np.where(offset < 0, -distance, distance), values)
    return values


def integers(*shape, low=0, high=10, dtype=np.int64):
    return _random().integers(low, high, shape, dtype=dtype)


def booleans(*shape):
    return _random().integers(0, 2, shape) == 1


def special(*more):
    """What goes wrong first: zeros, infinities, NaN, the ends of the range, and any more."""
    return np.array([0.0, -0.0, 1.0, -1.0, INFINITY, -INFINITY, NAN, 0.5, -0.5, 1e-10, -1e-10, 20.0, -20.0, 100.0,
                     -100.0, 1e4, -1e4, 3e38, -3e38, 1e-40, -1e-40, 1.5, 2.5, -1.5, *more])


def _tensors(inputs, dtype):
    out = []
    for x in inputs:
        tensor = torch.from_numpy(np.asarray(x).copy())
        out.append(tensor.to(dtype) if tensor.is_floating_point() else tensor)
    return out


def _element(value):
    if isinstance(value, float):
        if math.isnan(value):
            return "nan"
        if math.isinf(value):
            return "inf" if value > 0 else "-inf"
    return value


def _json(tensor):
    if tensor is None:
        return None
    tensor = tensor.detach()
    return {
        "dtype": str(tensor.dtype).removeprefix("torch."),
        "shape": list(tensor.shape),
        "values": [_element(v) for v in tensor.reshape(-1).tolist()],
    }


def case(name, function, *inputs, dtypes=FLOATS, smooth=True, gradients=True):
    """Adds samples to a case: one for each dtype, or one when no input is floating."""
    if not any(np.asarray(x).dtype.kind == "f" for x in inputs):
        dtypes = (None,)
    for dtype in dtypes:
        tensors = _tensors(inputs, dtype)
        for x in tensors:
            if gradients and x.is_floating_point():
                x.requires_grad_()
        outputs = function(*tensors)
        outputs = [outputs] if isinstance(outputs, torch.Tensor) else list(outputs)
        sample = {"inputs": [_json(x) for x in tensors], "outputs": [_json(y) for y in outputs], "smooth": smooth}
        if len(outputs) == 1 and outputs[0].requires_grad:
            y = outputs[0]
            dy = torch.from_numpy(np.asarray(uniform(*y.shape) + 0.125)).to(y.dtype)
            wanted = [x for x in tensors if x.requires_grad]
            found = iter(torch.autograd.grad(y, wanted, dy, allow_unused=True))
            sample["cotangents"] = [_json(dy)]
            sample["gradients"] = [_json(next(found)) if x.requires_grad else None for x in tensors]
        _cases.setdefault(name, []).append(sample)


def write(group, folder="ops"):
    """Writes all cases so far to tests/golden/<folder>/<group>.json, one tensor on a line."""
    path = ROOT / "tests" / "golden" / folder / f"{group}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = []
    for name, samples in _cases.items():
        texts = []
        for sample in samples:
            fields = []
            for key, value in sample.items():
                if isinstance(value, list):
                    items = ",\n".join("      " + json.dumps(item) for item in value)
                    fields.append(f'    "{key}": [\n{items}]')
                else:
                    fields.append(f'    "{key}": {json.dumps(value)}')
            texts.append("   {\n" + ",\n".join(fields) + "}")
        lines.append(f' "{name}": [\n' + ",\n".join(texts) + "]")
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    _cases.clear()
    print(path.relative_to(ROOT), path.stat().st_size, "bytes")
