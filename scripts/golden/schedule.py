"""What PyTorch's schedulers multiply a learning rate of 1 by, written to tests/golden/schedule.json."""

import json
import warnings

import torch
from torch.optim import lr_scheduler as s

from golden import ROOT

warnings.simplefilter("ignore")  # steps of a scheduler without steps of the optimiser
STEPS = 60


def sequence(optimizer):
    parts = [s.LinearLR(optimizer, 0.1, 1.0, 10), s.StepLR(optimizer, 4, 0.5), s.ExponentialLR(optimizer, 0.9)]
    return s.SequentialLR(optimizer, parts, [10, 30])


SCHEDULES = {
    "step": lambda o: s.StepLR(o, 7, 0.3),
    "exponential": lambda o: s.ExponentialLR(o, 0.95),
    "cosine": lambda o: s.CosineAnnealingLR(o, STEPS, 0.1),
    "linear": lambda o: s.LinearLR(o, 0.25, 0.75, 13),
    "triangular": lambda o: s.CyclicLR(o, 0.1, 1.0, 8, cycle_momentum=False),
    "triangular_uneven": lambda o: s.CyclicLR(o, 0.1, 1.0, 4, 10, cycle_momentum=False),
    "triangular2": lambda o: s.CyclicLR(o, 0.1, 1.0, 8, mode="triangular2", cycle_momentum=False),
    "exp_range": lambda o: s.CyclicLR(o, 0.1, 1.0, 8, mode="exp_range", gamma=0.97, cycle_momentum=False),
    "one_cycle": lambda o: s.OneCycleLR(o, 1.0, STEPS, cycle_momentum=False),
    "one_cycle_linear": lambda o: s.OneCycleLR(o, 1.0, STEPS, pct_start=0.25, anneal_strategy="linear", div_factor=10,
                                                final_div_factor=100, cycle_momentum=False),
    "sequence": sequence,
}


def factors(make):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = make(optimizer)
    out = []
    for _ in range(STEPS):
        out.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if len(out) < STEPS:
            scheduler.step()
    return out


path = ROOT / "tests" / "golden" / "schedule.json"
lines = ",\n".join(f' "{name}": {json.dumps(factors(make))}' for name, make in SCHEDULES.items())
path.write_text("{\n" + lines + "\n}\n")
print(path.relative_to(ROOT), path.stat().st_size, "bytes")
