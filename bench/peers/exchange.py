#!/usr/bin/env python3
"""What PyTorch and Splot exchange before they are timed: the data, and one step to agree on.

    exchange.py data FOLDER              the inputs and labels of the dense workloads, as raw little-endian files
    exchange.py step WORKLOAD FILE       one training step of torch_peer.py, from its own weights, on its first batch

FILE is in the safetensors format: inputs, the weights and gradients before the update, the weights after it, the loss.
"""
import inspect
import json
import os
import re
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import torch_peer  # noqa: E402


def write_safetensors(path, tensors):
    header, blobs, at = {}, [], 0
    names = {"torch.float32": "F32", "torch.int64": "I64"}
    for name, t in tensors.items():
        blob = t.detach().contiguous().numpy().tobytes()
        header[name] = {"dtype": names[str(t.dtype)], "shape": list(t.shape), "data_offsets": [at, at + len(blob)]}
        blobs.append(blob)
        at += len(blob)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        for blob in blobs:
            f.write(blob)


def our_name(workload, name):
    """What a parameter of torch_peer.py is called in splot/models, whose names are those of torchvision."""
    if "ourcnn" in workload:
        return re.sub(r"^([cf])(\d)", lambda m: {"c": "conv", "f": "fc"}[m[1]] + m[2], name)
    if "resnet20" not in workload:
        return name
    name = re.sub(r"^blocks\.(\d)", lambda m: "layer%d.%d" % (int(m[1]) // 3 + 1, int(m[1]) % 3), name)
    name = re.sub(r"^([cb])\.", r"\g<1>1.", name)
    return re.sub(r"(^|\.)([cb])([12])\.", lambda m: m[1] + {"c": "conv", "b": "bn"}[m[2]] + m[3] + ".", name)


def write_data(folder):
    import torch
    x, y = torch_peer.mnist_like(torch)
    x.numpy().tofile(os.path.join(folder, "inputs.f32"))
    y.numpy().tofile(os.path.join(folder, "labels.i64"))


def write_step(workload, path):
    import torch
    torch.set_num_threads(1)
    work = torch_peer.build(torch, workload, "eager")
    # The script keeps model and data to itself; the step function's closure is the way to them.
    inner = inspect.getclosurevars(work.step).nonlocals
    model = inner["m"]
    if workload.startswith("infer_"):
        out = {"before." + our_name(workload, name): p for name, p in model.named_parameters()}
        out["x"] = inner["xs"][0]
        out["out"] = work.step(0)
        return write_safetensors(path, out)
    if "xs" in inner:
        out = {"x": inner["xs"][0], "target": inner["ys"][0]}
    else:
        out = {"x": inner["x"][:inner["b"]].clone(), "target": inner["target"][:inner["b"]].clone()}
    for name, p in model.named_parameters():
        out["before." + our_name(workload, name)] = p.clone()
    torch.manual_seed(7)
    if inner.get("corrupt"):
        out["mask"] = torch.empty_like(out["x"]).bernoulli_(0.7)
        torch.manual_seed(7)
    loss = work.step(0)
    for name, p in model.named_parameters():
        out["grad." + our_name(workload, name)] = p.grad.clone()
        out["after." + our_name(workload, name)] = p.clone()
    out["loss"] = loss.clone()
    write_safetensors(path, out)


def main():
    if len(sys.argv) == 3 and sys.argv[1] == "data":
        write_data(sys.argv[2])
    elif len(sys.argv) == 4 and sys.argv[1] == "step":
        write_step(sys.argv[2], sys.argv[3])
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
