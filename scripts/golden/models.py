"""What PyTorch computes with the networks of splot/models, in tests/golden/models.json.

The weights are not stored: both sides make them from their names' order with `numbers` below, so that the file has names,
shapes and outputs only. Names are those of the state_dict of the modules here, which are called as in torchvision.
"""

import json
import math
import pathlib

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

FILE = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden" / "models.json"


def numbers(tensor, count):
    """`count` numbers in [-0.5, 0.5) for the tensor of this number; the same in tests/models/models_test.cpp."""
    mask = np.uint64(0xFFFFFFFF)
    h = (np.arange(count, dtype=np.uint64) * np.uint64(2654435761) + np.uint64(tensor * 374761393 + 1)) & mask
    h ^= h >> np.uint64(16)
    h = (h * np.uint64(2246822519)) & mask
    h ^= h >> np.uint64(13)
    h = (h * np.uint64(3266489917)) & mask
    h ^= h >> np.uint64(16)
    return h.astype(np.float64) / 2.0**32 - 0.5


def value(name, tensor, shape):
    plain = numbers(tensor, math.prod(shape)).reshape(shape)
    if name.endswith("running_var") or (name.endswith("weight") and len(shape) == 1):
        plain = 1.0 + plain
    elif name.endswith("weight"):
        plain = plain * math.sqrt(24.0 / math.prod(shape[1:]))
    return torch.from_numpy(plain.astype(np.float32))


class OurCNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(3, 18, 5), nn.Conv2d(18, 32, 3)
        self.fc1, self.fc2, self.fc3 = nn.Linear(1152, 120), nn.Linear(120, 84), nn.Linear(84, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x.flatten(1))))))


class LeNet5(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 6, 5, padding=2), nn.Conv2d(6, 16, 5)
        self.fc1, self.fc2, self.fc3 = nn.Linear(400, 120), nn.Linear(120, 84), nn.Linear(84, 10)

    def forward(self, x):
        x = F.avg_pool2d(torch.tanh(self.conv1(x)), 2)
        x = F.avg_pool2d(torch.tanh(self.conv2(x)), 2)
        return self.fc3(torch.tanh(self.fc2(torch.tanh(self.fc1(x.flatten(1))))))


def conv(inputs, outputs, kernel, stride=1):
    return nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)


class BasicBlock(nn.Module):
    def __init__(self, inputs, outputs, stride, skip):
        super().__init__()
        self.conv1, self.bn1 = conv(inputs, outputs, 3, stride), nn.BatchNorm2d(outputs)
        self.conv2, self.bn2 = conv(outputs, outputs, 3), nn.BatchNorm2d(outputs)
        self.stride, self.missing, self.skip = stride, outputs - inputs, skip

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.skip:
            around = x[:, :, ::self.stride, ::self.stride]
            half = self.missing // 2
            y = y + F.pad(around, (0, 0, 0, 0, half, self.missing - half))
        return F.relu(y)


class ResNet(nn.Module):
    def __init__(self, depth, skip=True):
        super().__init__()
        self.conv1, self.bn1 = conv(3, 16, 3), nn.BatchNorm2d(16)
        inputs = 16
        for stage, outputs in enumerate((16, 32, 64)):
            blocks = []
            for i in range((depth - 2) // 6):
                blocks.append(BasicBlock(inputs, outputs, 2 if stage and i == 0 else 1, skip))
                inputs = outputs
            setattr(self, f"layer{stage + 1}", nn.Sequential(*blocks))
        self.fc = nn.Linear(64, 10)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.fc(x.mean((2, 3)))


class DenseLayer(nn.Module):
    def __init__(self, inputs, growth):
        super().__init__()
        self.bn1, self.conv1 = nn.BatchNorm2d(inputs), conv(inputs, growth, 3)

    def forward(self, x):
        return torch.cat([x, self.conv1(F.relu(self.bn1(x)))], 1)


class Transition(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.bn1, self.conv1 = nn.BatchNorm2d(channels), conv(channels, channels, 1)

    def forward(self, x):
        return F.avg_pool2d(self.conv1(F.relu(self.bn1(x))), 2)


class DenseNet(nn.Module):
    def __init__(self, depth, growth):
        super().__init__()
        layers, channels = (depth - 4) // 3, 16
        self.conv1 = conv(3, channels, 3)
        for number in (1, 2, 3):
            setattr(self, f"block{number}", nn.Sequential(
                *[DenseLayer(channels + i * growth, growth) for i in range(layers)]))
            channels += layers * growth
            if number < 3:
                setattr(self, f"trans{number}", Transition(channels))
        self.bn1, self.fc = nn.BatchNorm2d(channels), nn.Linear(channels, 10)

    def forward(self, x):
        x = self.trans1(self.block1(self.conv1(x)))
        x = self.block3(self.trans2(self.block2(x)))
        return self.fc(F.relu(self.bn1(x)).mean((2, 3)))


def golden(net, shape):
    state = net.state_dict()
    for i, (name, tensor) in enumerate(state.items()):
        if tensor.is_floating_point():
            tensor.copy_(value(name, i, tuple(tensor.shape)))
    x = torch.from_numpy(numbers(1000, math.prod(shape)).reshape(shape).astype(np.float32))
    out = {"state": [[name, list(tensor.shape)] for name, tensor in state.items()], "input": list(shape),
           "parameters": sum(p.numel() for p in net.parameters())}
    with torch.no_grad():
        out["in_use"] = net.eval()(x).double().flatten().tolist()
        out["learning"] = net.train()(x).double().flatten().tolist()
    return out


torch.set_num_threads(1)
cases = {
    "our_cnn": golden(OurCNN(), (4, 3, 32, 32)),
    "lenet5": golden(LeNet5(), (4, 1, 28, 28)),
    "resnet20": golden(ResNet(20), (4, 3, 32, 32)),
    "resnet20_plain": golden(ResNet(20, skip=False), (4, 3, 32, 32)),
    "densenet22": golden(DenseNet(22, 8), (4, 3, 32, 32)),
}
# The deep ones by their size alone.
for depth in (32, 44, 56, 110):
    cases[f"resnet{depth}"] = {"parameters": sum(p.numel() for p in ResNet(depth).parameters())}
cases["densenet40"] = {"parameters": sum(p.numel() for p in DenseNet(40, 12).parameters())}
FILE.write_text(json.dumps(cases, separators=(",", ":")) + "\n")
