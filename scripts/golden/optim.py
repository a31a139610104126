"""Trajectories of PyTorch's optimisers under given gradients, written to tests/golden/optim.json."""

import json

import torch

from golden import ROOT, uniform

STEPS = 25
SHOWN = (1, 2, 3, 5, 10, 11, 25)  # after these steps the parameters are written down
SHAPES = ((2, 3), (3,))

start = [uniform(*shape) for shape in SHAPES]
gradients = [[uniform(*shape) for shape in SHAPES] for _ in range(STEPS)]

VARIANTS = {
    "sgd": (torch.optim.SGD, dict(lr=0.1)),
    "sgd_decay": (torch.optim.SGD, dict(lr=0.1, weight_decay=0.01)),
    "sgd_momentum": (torch.optim.SGD, dict(lr=0.1, momentum=0.9)),
    "sgd_momentum_decay": (torch.optim.SGD, dict(lr=0.1, momentum=0.9, weight_decay=0.01)),
    "sgd_nesterov": (torch.optim.SGD, dict(lr=0.1, momentum=0.9, nesterov=True)),
    "sgd_nesterov_decay": (torch.optim.SGD, dict(lr=0.1, momentum=0.9, weight_decay=0.01, nesterov=True)),
    "adam": (torch.optim.Adam, dict(lr=0.01)),
    "adam_options": (torch.optim.Adam, dict(lr=0.05, betas=(0.8, 0.99), eps=1e-6)),
    "adam_decay": (torch.optim.Adam, dict(lr=0.01, weight_decay=0.1)),
    "sgd_maximize": (torch.optim.SGD, dict(lr=0.01, momentum=0.9, weight_decay=0.01, maximize=True)),
    "rmsprop": (torch.optim.RMSprop, dict(lr=0.01)),
    "rmsprop_decay": (torch.optim.RMSprop, dict(lr=0.01, alpha=0.9, eps=1e-6, weight_decay=0.1)),
    "rmsprop_momentum": (torch.optim.RMSprop, dict(lr=0.01, momentum=0.9)),
    "rmsprop_centered": (torch.optim.RMSprop, dict(lr=0.01, centered=True)),
    "rmsprop_all": (torch.optim.RMSprop, dict(lr=0.01, alpha=0.9, weight_decay=0.1, momentum=0.5, centered=True)),
    "adagrad": (torch.optim.Adagrad, dict(lr=0.1)),
    "adagrad_options": (torch.optim.Adagrad, dict(lr=0.1, lr_decay=0.01, weight_decay=0.1, eps=1e-6,
                                                  initial_accumulator_value=0.1)),
    "sgd_clip_norm": (torch.optim.SGD, dict(lr=0.1), lambda p: torch.nn.utils.clip_grad_norm_(p, 1.25)),
    "sgd_clip_value": (torch.optim.SGD, dict(lr=0.1), lambda p: torch.nn.utils.clip_grad_value_(p, 0.75)),
    "adamw": (torch.optim.AdamW, dict(lr=0.01)),
    "adamw_decay": (torch.optim.AdamW, dict(lr=0.01, betas=(0.9, 0.99), weight_decay=0.1)),
}


def trajectory(dtype, kind, options, clip=None):
    parameters = [torch.tensor(x, dtype=dtype, requires_grad=True) for x in start]
    optimizer = kind(parameters, **options)
    shown = {}
    for step in range(1, STEPS + 1):
        for parameter, gradient in zip(parameters, gradients[step - 1]):
            parameter.grad = torch.tensor(gradient, dtype=dtype)
        if step == 11:  # a schedule may change the rate at any time
            for group in optimizer.param_groups:
                group["lr"] *= 0.5
        if clip is not None:
            clip(parameters)
        optimizer.step()
        if step in SHOWN:
            shown[str(step)] = [parameter.detach().reshape(-1).tolist() for parameter in parameters]
    return shown


out = {
    "shapes": [list(shape) for shape in SHAPES],
    "start": [x.reshape(-1).tolist() for x in start],
    "gradients": [[x.reshape(-1).tolist() for x in step] for step in gradients],
    "halve_lr_before_step": 11,
    "trajectories": {
        f"{name}/{str(dtype).removeprefix('torch.')}": trajectory(dtype, *variant)
        for name, variant in VARIANTS.items()
        for dtype in (torch.float32, torch.float64)
    },
}
path = ROOT / "tests" / "golden" / "optim.json"
lines = ",\n".join(f' "{key}": {json.dumps(value)}' for key, value in out.items() if key != "trajectories")
runs = ",\n".join(f'  "{key}": {json.dumps(value)}' for key, value in out["trajectories"].items())
path.write_text("{\n" + lines + ',\n "trajectories": {\n' + runs + "\n }\n}\n")
print(path.relative_to(ROOT), path.stat().st_size, "bytes")
