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
}


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


def describe(module, name=None):
    """A layer as the architecture in a model file has it."""
    out = {}
    if isinstance(module, nn.Sequential):
        out = {"type": "sequential", "children": [describe(child, key) for key, child in module.named_children()]}
    elif isinstance(module, nn.Linear):
        out = {"type": "linear", "arguments": {"in": module.in_features, "out": module.out_features,
                                               "bias": module.bias is not None, "dtype": str(module.weight.dtype)[6:]}}
    elif isinstance(module, nn.PReLU):
        out = {"type": "prelu", "arguments": {"channels": module.num_parameters, "dtype": str(module.weight.dtype)[6:]}}
    elif isinstance(module, nn.GELU):
        out = {"type": "gelu", "arguments": {"tanh": module.approximate == "tanh"}}
    elif isinstance(module, nn.Softplus) and (module.beta, module.threshold) != (1, 20):
        raise ValueError("Splot's softplus has beta 1")
    else:
        for kind, (layer, arguments) in LAYERS.items():
            if type(module) is layer:
                out = {"type": kind}
                if arguments:
                    out["arguments"] = {ours: getattr(module, theirs) for ours, theirs in arguments.items()}
    if not out:
        raise ValueError(f"Splot has no layer for {type(module).__name__}")
    return out if name is None else {**out, "name": name}


def make(layer):
    """The same in the other direction."""
    kind, arguments = layer["type"], layer.get("arguments", {})
    dtype = getattr(torch, arguments.get("dtype", "float32"))
    if kind == "sequential":
        out = nn.Sequential()
        for child in layer.get("children", []):
            out.add_module(child["name"], make(child))
        return out
    if kind == "linear":
        return nn.Linear(arguments["in"], arguments["out"], bias=arguments.get("bias", True), dtype=dtype)
    if kind == "prelu":
        return nn.PReLU(arguments.get("channels", 1), dtype=dtype)
    if kind == "gelu":
        return nn.GELU(approximate="tanh" if arguments.get("tanh", False) else "none")
    if kind not in LAYERS:
        raise ValueError(f"PyTorch has no layer for {kind}")
    layer_class, names = LAYERS[kind]
    return layer_class(**{names[key]: value for key, value in arguments.items()})


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


def demo(folder):
    import numpy as np

    torch.manual_seed(1)
    nets = {
        "classifier": (nn.Sequential(nn.Flatten(), nn.Linear(28 * 28, 32), nn.ReLU(), nn.Dropout(0.5), nn.Linear(32, 10),
                                     nn.LogSoftmax(dim=1)), [1, 28, 28]),
        "activations": (nn.Sequential(nn.Linear(7, 9), nn.Sigmoid(), nn.Linear(9, 8, bias=False), nn.Tanh(), nn.SiLU(),
                                      nn.ELU(0.7), nn.PReLU(8), nn.LeakyReLU(0.2), nn.Softplus(), nn.Softsign(),
                                      nn.GELU(), nn.GELU(approximate="tanh"), nn.Identity(), nn.Softmax(dim=-1)), [7]),
        "double": (nn.Sequential(nn.Linear(3, 5), nn.Sequential(nn.Tanh(), nn.Linear(5, 2))).double(), [3]),
    }
    for name, (net, sample) in nets.items():
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
