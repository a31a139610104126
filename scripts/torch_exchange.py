#!/usr/bin/env python3
"""Networks between PyTorch and Splot, weights by name in both directions; needs Debian's python3-torch.

  scripts/torch_exchange.py to-splot NET.pt MODEL.safetensors --sample 1,28,28
      a torch.nn.Sequential saved whole with torch.save(net, "NET.pt") becomes a model that `splot predict` and
      load_model() take
  scripts/torch_exchange.py to-torch MODEL.safetensors NET.pt
      the other way: torch.load("NET.pt") is a torch.nn.Sequential
  scripts/torch_exchange.py run MODEL.safetensors X.npy Y.npy
      Y is what PyTorch computes from X with the network of a Splot model
  scripts/torch_exchange.py demo FOLDER
      three networks with their inputs, and outputs that PyTorch computed, as NAME.safetensors, NAME_x.npy, NAME_y.npy

As a module: save(path, net.state_dict()) writes the weights alone, net.load_state_dict(load(path)[0]) reads them.
"""
import argparse
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import safetensors  # noqa: E402  # the script beside this one: Debian has no package of that name
import torch  # noqa: E402
from torch import nn  # noqa: E402

DTYPES = {"BOOL": torch.bool, "U8": torch.uint8, "I32": torch.int32, "I64": torch.int64, "BF16": torch.bfloat16,
          "F32": torch.float32, "F64": torch.float64}
NAMES = {dtype: name for name, dtype in DTYPES.items()}

WINDOWS = {"kernel": "kernel_size", "stride": "stride", "padding": "padding", "ceil_mode": "ceil_mode"}

# Splot's layer types: PyTorch's class, and how the arguments of the one are called by the other.
LAYERS = {
    "flatten": (nn.Flatten, {"first": "start_dim", "last": "end_dim"}),
    "dropout": (nn.Dropout, {"p": "p"}),
    "identity": (nn.Identity, {}),
    "sigmoid": (nn.Sigmoid, {}),
    "tanh": (nn.Tanh, {}),
    "relu": (nn.ReLU, {}),
    "softplus": (nn.Softplus, {}),
    "silu": (nn.SiLU, {}),
    "softsign": (nn.Softsign, {}),
    "leaky_relu": (nn.LeakyReLU, {"slope": "negative_slope"}),
    "elu": (nn.ELU, {"alpha": "alpha"}),
    "softmax": (nn.Softmax, {"axis": "dim"}),
    "log_softmax": (nn.LogSoftmax, {"axis": "dim"}),
    "max_pool1d": (nn.MaxPool1d, WINDOWS | {"dilation": "dilation"}),
    "max_pool2d": (nn.MaxPool2d, WINDOWS | {"dilation": "dilation"}),
    "avg_pool1d": (nn.AvgPool1d, WINDOWS | {"count_include_pad": "count_include_pad"}),
    "avg_pool2d": (nn.AvgPool2d, WINDOWS | {"count_include_pad": "count_include_pad", "divisor": "divisor_override"}),
    "adaptive_avg_pool1d": (nn.AdaptiveAvgPool1d, {"size": "output_size"}),
    "adaptive_max_pool1d": (nn.AdaptiveMaxPool1d, {"size": "output_size"}),
    "adaptive_avg_pool2d": (nn.AdaptiveAvgPool2d, {"size": "output_size"}),
    "adaptive_max_pool2d": (nn.AdaptiveMaxPool2d, {"size": "output_size"}),
}

# The same for layers with tensors, which have a dtype.
BATCH_NORM = {"channels": "num_features", "eps": "eps", "momentum": "momentum", "affine": "affine",
              "track_running_stats": "track_running_stats"}
CONVOLUTION = {"in": "in_channels", "out": "out_channels", "kernel": "kernel_size", "stride": "stride",
               "padding": "padding", "dilation": "dilation", "groups": "groups"}
TENSOR_LAYERS = {
    "batch_norm1d": (nn.BatchNorm1d, BATCH_NORM),
    "batch_norm2d": (nn.BatchNorm2d, BATCH_NORM),
    "layer_norm": (nn.LayerNorm, {"sizes": "normalized_shape", "eps": "eps", "affine": "elementwise_affine"}),
    "group_norm": (nn.GroupNorm, {"groups": "num_groups", "channels": "num_channels", "eps": "eps", "affine": "affine"}),
    "conv1d": (nn.Conv1d, CONVOLUTION),
    "conv2d": (nn.Conv2d, CONVOLUTION),
    "conv_transpose2d": (nn.ConvTranspose2d, CONVOLUTION | {"output_padding": "output_padding"}),
}


class Add(nn.Module):
    def forward(self, *inputs):
        return sum(inputs[1:], inputs[0])


class Concat(nn.Module):
    def __init__(self, axis=1):
        super().__init__()
        self.axis = axis

    def forward(self, *inputs):
        return torch.cat(inputs, self.axis)


class PadShortcut(nn.Module):
    def __init__(self, stride=1, channels=0):
        super().__init__()
        self.stride, self.channels = stride, channels

    def forward(self, x):
        before = self.channels // 2
        around = (0, 0, 0, 0, before, self.channels - before)
        return nn.functional.pad(x[:, :, ::self.stride, ::self.stride], around)


class Graph(nn.Module):
    """Splot's LayerGraph: add_module() in order, `inputs` by name; without an entry a module takes the one before."""

    def __init__(self):
        super().__init__()
        self.inputs = {}

    def forward(self, x):
        values, last = {"input": x}, "input"
        for name, module in self.named_children():
            values[name] = module(*[values[key] for key in self.inputs.get(name, [last])])
            last = name
        return values[last]


JOINS = {"add": (Add, ()), "concat": (Concat, ("axis",)), "pad_shortcut": (PadShortcut, ("stride", "channels"))}


# Splot's modes of padding; PyTorch has a class for each.
PADS = {"constant": nn.ConstantPad2d, "reflect": nn.ReflectionPad2d, "edge": nn.ReplicationPad2d}


def to_bytes(tensor):
    flat = tensor.detach().cpu().contiguous().reshape(-1)
    if flat.dtype == torch.bfloat16:  # NumPy has no such type; the bits are all that is wanted
        flat = flat.view(torch.int16)
    return flat.numpy().tobytes()


def from_bytes(dtype, shape, data):
    if not data:
        return torch.empty(shape, dtype=DTYPES[dtype])
    return torch.frombuffer(bytearray(data), dtype=DTYPES[dtype]).reshape(shape)


def save(path, tensors, metadata=None):
    """Writes tensors by name, such as a state_dict()."""
    for name, tensor in tensors.items():
        if tensor.dtype not in NAMES:
            raise ValueError(f"{name} is {tensor.dtype}; Splot has {', '.join(NAMES)}")
    # The largest elements first, so that all are aligned.
    order = sorted(tensors, key=lambda name: (-tensors[name].element_size(), name))
    stored = {name: (NAMES[tensors[name].dtype], list(tensors[name].shape), to_bytes(tensors[name])) for name in order}
    safetensors.write(path, stored, metadata or {})


def load(path):
    """The tensors by name, and the metadata."""
    stored, metadata = safetensors.read(path)
    return {name: from_bytes(*entry) for name, entry in stored.items()}, metadata


def one_or_all(value):
    """A list of one number, which stands for all axes in Splot, as the number itself."""
    if not isinstance(value, (list, tuple)):
        return value
    return value[0] if len(value) == 1 else list(value)


def describe_tensors(kind, names, module):
    arguments = {ours: one_or_all(getattr(module, theirs)) for ours, theirs in names.items()}
    tensors = [tensor for tensor in module.state_dict().values() if tensor.is_floating_point()]
    arguments["dtype"] = str(tensors[0].dtype if tensors else torch.float32)[6:]
    if kind.startswith("conv"):
        if module.padding_mode != "zeros":
            raise ValueError(f"Splot pads with zeros, not with {module.padding_mode}")
        arguments["bias"] = module.bias is not None
        if arguments["padding"] in ("same", "valid"):
            arguments |= {"same": arguments["padding"] == "same", "padding": 0}
    elif kind == "layer_norm":
        arguments["sizes"] = list(module.normalized_shape)
    elif kind.startswith("batch_norm") and module.momentum is None:
        raise ValueError("Splot's batch norm needs a momentum")
    return {"type": kind, "arguments": arguments}


def make_tensors(kind, arguments, dtype):
    layer_class, names = TENSOR_LAYERS[kind]
    given = {theirs: one_or_all(arguments[ours]) for ours, theirs in names.items() if ours in arguments}
    if kind.startswith("conv"):
        given["bias"] = arguments.get("bias", True)
        if arguments.get("same", False):
            given["padding"] = "same"
    return layer_class(**given, dtype=dtype)


def both(value):
    return [value, value] if isinstance(value, (int, float)) else list(value)


def describe_pad(mode, module):
    left, right, top, bottom = module.padding
    value = float(module.value) if isinstance(module, nn.ConstantPad2d) else 0.0
    return {"type": "pad2d", "arguments": {"padding": [top, bottom, left, right], "mode": mode, "value": value}}


def make_pad(arguments):
    sides = arguments["padding"]
    rows, columns = (sides[:2], sides[2:]) if len(sides) == 4 else ([sides[0]] * 2, [sides[-1]] * 2)
    mode = arguments.get("mode", "constant")
    value = [arguments.get("value", 0.0)] if mode == "constant" else []
    return PADS[mode]((*columns, *rows), *value)


def describe_upsample(module):
    modes = {"nearest": False, "bilinear": bool(module.align_corners)}
    if module.mode not in modes:
        raise ValueError(f"Splot interpolates nearest and bilinear, not {module.mode}")
    arguments = {"mode": module.mode, "align_corners": modes[module.mode]}
    if module.size is not None:
        return {"type": "resize", "arguments": {"size": both(module.size), **arguments}}
    scale = both(module.scale_factor)
    if any(factor != int(factor) for factor in scale):
        raise ValueError(f"Splot's upsample has whole factors, not {module.scale_factor}; its resize takes a size")
    return {"type": "upsample", "arguments": {"scale": [int(factor) for factor in scale], **arguments}}


def make_upsample(kind, arguments):
    mode = arguments.get("mode", "bilinear")
    given = {"align_corners": arguments.get("align_corners", False)} if mode == "bilinear" else {}
    if kind == "resize":
        return nn.Upsample(size=tuple(both(one_or_all(arguments["size"]))), mode=mode, **given)
    scale = tuple(float(factor) for factor in both(one_or_all(arguments["scale"])))
    return nn.Upsample(scale_factor=scale, mode=mode, **given)


def describe(module, name=None):
    """A layer as the architecture in a model file has it."""
    out = {}
    if isinstance(module, nn.Sequential):
        out = {"type": "sequential", "children": [describe(child, key) for key, child in module.named_children()]}
    elif isinstance(module, Graph):
        children = [describe(child, key) for key, child in module.named_children()]
        for child in children:
            if child["name"] in module.inputs:
                child["inputs"] = module.inputs[child["name"]]
        out = {"type": "graph", "children": children}
    elif isinstance(module, nn.Linear):
        out = {"type": "linear", "arguments": {"in": module.in_features, "out": module.out_features,
                                               "bias": module.bias is not None, "dtype": str(module.weight.dtype)[6:]}}
    elif isinstance(module, nn.PReLU):
        out = {"type": "prelu", "arguments": {"channels": module.num_parameters, "dtype": str(module.weight.dtype)[6:]}}
    elif isinstance(module, nn.GELU):
        out = {"type": "gelu", "arguments": {"tanh": module.approximate == "tanh"}}
    elif isinstance(module, nn.Upsample):
        out = describe_upsample(module)
    elif isinstance(module, tuple(PADS.values())):  # nn.ZeroPad2d is a constant one
        out = describe_pad(next(mode for mode, pad in PADS.items() if isinstance(module, pad)), module)
    elif isinstance(module, nn.Softplus) and (module.beta, module.threshold) != (1, 20):
        raise ValueError("Splot's softplus has beta 1")
    else:
        for kind, (layer, arguments) in LAYERS.items():
            if type(module) is layer:
                out = {"type": kind}
                if arguments:
                    out["arguments"] = {ours: one_or_all(getattr(module, theirs)) for ours, theirs in arguments.items()}
        for kind, (layer, names) in JOINS.items():
            if type(module) is layer:
                out = {"type": kind, "arguments": {name: getattr(module, name) for name in names}}
        for kind, (layer, names) in TENSOR_LAYERS.items():
            if type(module) is layer:
                out = describe_tensors(kind, names, module)
        if "divisor" in out.get("arguments", {}):
            out["arguments"]["divisor"] = module.divisor_override or 0
    if not out:
        raise ValueError(f"Splot has no layer for {type(module).__name__}")
    return out if name is None else {**out, "name": name}


def make(layer):
    """The same in the other direction."""
    kind, arguments = layer["type"], layer.get("arguments", {})
    dtype = getattr(torch, arguments.get("dtype", "float32"))
    if kind in ("sequential", "graph"):
        out = nn.Sequential() if kind == "sequential" else Graph()
        for child in layer.get("children", []):
            out.add_module(child["name"], make(child))
            if "inputs" in child:
                out.inputs[child["name"]] = child["inputs"]
        return out
    if kind in JOINS:
        return JOINS[kind][0](**arguments)
    if kind == "linear":
        return nn.Linear(arguments["in"], arguments["out"], bias=arguments.get("bias", True), dtype=dtype)
    if kind == "prelu":
        return nn.PReLU(arguments.get("channels", 1), dtype=dtype)
    if kind == "gelu":
        return nn.GELU(approximate="tanh" if arguments.get("tanh", False) else "none")
    if kind in TENSOR_LAYERS:
        return make_tensors(kind, arguments, dtype)
    if kind == "global_avg_pool":
        return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(1))
    if kind == "global_max_pool":
        return nn.Sequential(nn.AdaptiveMaxPool2d(1), nn.Flatten(1))
    if kind == "pad2d":
        return make_pad(arguments)
    if kind in ("resize", "upsample"):
        return make_upsample(kind, arguments)
    if kind not in LAYERS:
        raise ValueError(f"PyTorch has no layer for {kind}")
    layer_class, names = LAYERS[kind]
    given = {names[key]: one_or_all(value) for key, value in arguments.items()}
    if given.get("divisor_override") == 0:
        given["divisor_override"] = None
    return layer_class(**given)


def save_model(path, net, sample):
    """A model file of Splot's: architecture and weights. Inputs reach the network as they are."""
    info = {"version": 1, "sample": sample, "preprocessing": {"divisor": 1.0, "mean": 0.0, "deviation": 1.0},
            "classes": [], "loss": "", "data": "", "recipe": ""}
    architecture = {"version": 1, "model": describe(net)}
    save(path, net.state_dict(), {"architecture": json.dumps(architecture), "splot": json.dumps(info)})


def load_model(path):
    """The network of a model file, ready to compute; what the file says of preprocessing is left to the caller."""
    tensors, metadata = load(path)
    if "architecture" not in metadata:
        raise ValueError(f"{path} holds tensors, but no architecture of Splot's")
    net = make(json.loads(metadata["architecture"])["model"])
    net.load_state_dict(tensors)  # every name must be there, and no other
    return net.eval()


def graph_demo():
    """A residual block and a dense one."""
    net, block = nn.Sequential(), Graph()
    for name, module in {"conv": nn.Conv2d(3, 6, 3, 2, 1), "bn": nn.BatchNorm2d(6), "shortcut": PadShortcut(2, 3),
                         "sum": Add(), "relu": nn.ReLU(), "more": nn.Conv2d(6, 2, 1), "both": Concat()}.items():
        block.add_module(name, module)
    block.inputs = {"shortcut": ["input"], "sum": ["bn", "shortcut"], "both": ["relu", "more"]}
    net.add_module("block", block)
    net.add_module("flatten", nn.Flatten())
    net.add_module("fc", nn.Linear(8 * 4 * 4, 5))
    return net


def demo(folder):
    import numpy as np

    torch.manual_seed(1)
    nets = {
        "classifier": (nn.Sequential(nn.Flatten(), nn.Linear(28 * 28, 32), nn.ReLU(), nn.Dropout(0.5), nn.Linear(32, 10),
                                     nn.LogSoftmax(dim=1)), [1, 28, 28]),
        "activations": (nn.Sequential(nn.Linear(7, 9), nn.Sigmoid(), nn.Linear(9, 8, bias=False), nn.Tanh(), nn.SiLU(),
                                      nn.ELU(0.7), nn.PReLU(8), nn.LeakyReLU(0.2), nn.Softplus(), nn.Softsign(),
                                      nn.GELU(), nn.GELU(approximate="tanh"), nn.Identity(), nn.Softmax(dim=-1)), [7]),
        "images": (nn.Sequential(nn.Conv2d(3, 4, 3, padding="same"), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(3, 2, 1),
                                 nn.Conv2d(4, 8, (1, 3), stride=(1, 2), groups=2, bias=False), nn.GroupNorm(2, 8),
                                 nn.AvgPool2d(2, ceil_mode=True, count_include_pad=False), nn.AdaptiveAvgPool2d((2, 1)),
                                 nn.Flatten(), nn.BatchNorm1d(16, affine=False), nn.LayerNorm(16)), [3, 9, 11]),
        "sizes": (nn.Sequential(nn.ZeroPad2d((1, 0, 2, 3)), nn.Conv2d(2, 3, 3), nn.Upsample(scale_factor=2),
                                nn.ReflectionPad2d(2), nn.Conv2d(3, 3, 3, stride=2),
                                nn.Upsample(size=(7, 9), mode="bilinear"), nn.ReplicationPad2d((0, 1, 2, 3)),
                                nn.Upsample(scale_factor=(2, 3), mode="bilinear", align_corners=True),
                                nn.ConstantPad2d(1, 0.5)), [2, 6, 5]),
        "lines": (nn.Sequential(nn.Conv1d(2, 4, 3), nn.AdaptiveAvgPool1d(5), nn.Conv1d(4, 3, 2), nn.AdaptiveMaxPool1d(2)),
                  [2, 11]),
        "graph": (graph_demo(), [3, 8, 8]),
        "double": (nn.Sequential(nn.Linear(3, 5), nn.Sequential(nn.Tanh(), nn.Linear(5, 2))).double(), [3]),
    }
    for name, (net, sample) in nets.items():
        with torch.no_grad():  # running statistics that are not those a network begins with
            net.train()(torch.randn([16, *sample], dtype=next(net.parameters()).dtype))
        net.eval()
        x = torch.randn([4, *sample], dtype=next(net.parameters()).dtype)
        save_model(f"{folder}/{name}.safetensors", net, sample)
        np.save(f"{folder}/{name}_x.npy", x.numpy())
        np.save(f"{folder}/{name}_y.npy", net(x).detach().numpy())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, files in {"to-splot": ["net", "model"], "to-torch": ["model", "net"], "run": ["model", "x", "y"],
                        "demo": ["folder"]}.items():
        command = commands.add_parser(name)
        for file in files:
            command.add_argument(file)
        if name == "to-splot":
            command.add_argument("--sample", required=True, help="the shape of one input: 1,28,28")
    arguments = parser.parse_args()
    if arguments.command == "to-splot":
        save_model(arguments.model, torch.load(arguments.net), [int(n) for n in arguments.sample.split(",")])
    elif arguments.command == "to-torch":
        torch.save(load_model(arguments.model), arguments.net)
    elif arguments.command == "run":
        import numpy as np

        with torch.no_grad():
            np.save(arguments.y, load_model(arguments.model)(torch.from_numpy(np.load(arguments.x))).numpy())
    else:
        demo(arguments.folder)


if __name__ == "__main__":
    main()
