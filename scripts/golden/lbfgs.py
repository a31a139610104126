"""Trajectories of PyTorch's L-BFGS with strong-Wolfe line search, and of averaged weights; tests/golden/lbfgs.json."""

import json

import torch
from torch.optim.swa_utils import AveragedModel

from golden import ROOT, uniform

STEPS = 6
x = torch.tensor(uniform(12, 3))
y = torch.tensor(uniform(12, 2, low=-0.75, high=0.75))
start = [uniform(4, 3), uniform(4), uniform(2, 4), uniform(2)]


def rosenbrock(p):
    return (1 - p[0]) ** 2 + 100 * (p[1] - p[0] ** 2) ** 2


def network(*p):
    return ((torch.tanh(x @ p[0].T + p[1]) @ p[2].T + p[3] - y) ** 2).mean()


PROBLEMS = {
    "rosenbrock": (rosenbrock, [torch.tensor([-1.5, 2.0])], dict(max_iter=4)),
    "rosenbrock_short": (rosenbrock, [torch.tensor([-1.5, 2.0])], dict(max_iter=7, history_size=2, lr=0.5)),
    "network": (network, start, dict(max_iter=5)),
    "network_default": (network, start, dict()),
}


def trajectory(loss, first, options):
    parameters = [torch.tensor(p, dtype=torch.float64).requires_grad_() for p in first]
    optimizer = torch.optim.LBFGS(parameters, line_search_fn="strong_wolfe", **options)
    calls = 0

    def closure():
        nonlocal calls
        calls += 1
        optimizer.zero_grad()
        value = loss(*parameters)
        value.backward()
        return value

    out = []
    for _ in range(STEPS):
        value = optimizer.step(closure)
        out.append({"loss": value.item(), "calls": calls,
                    "parameters": [p.detach().reshape(-1).tolist() for p in parameters]})
    return out


def averages(avg_fn):
    model = torch.nn.Linear(1, 1, bias=False).double()
    averaged = AveragedModel(model, avg_fn=avg_fn)
    out = []
    for value in values:
        model.weight.data.fill_(value)
        averaged.update_parameters(model)
        out.append(averaged.module.weight.item())
    return out


values = uniform(10).tolist()
out = {
    "x": x.reshape(-1).tolist(), "y": y.reshape(-1).tolist(), "start": [p.reshape(-1).tolist() for p in start],
    **{name: trajectory(*problem) for name, problem in PROBLEMS.items()},
    "values": values, "equal": averages(None),
    "exponential": averages(lambda average, weight, n: 0.75 * average + 0.25 * weight),
}
path = ROOT / "tests" / "golden" / "lbfgs.json"
path.write_text("{\n" + ",\n".join(f' "{key}": {json.dumps(value)}' for key, value in out.items()) + "\n}\n")
print(path.relative_to(ROOT), path.stat().st_size, "bytes")
