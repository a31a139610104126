"""One step of an optimiser, taken by PyTorch's own."""

import numpy as np
import torch

from golden import case, uniform, write


def prepared(w, g):
    p = w.detach().clone().requires_grad_()
    p.grad = g.detach().clone()
    return p


def sgd(momentum, weight_decay, nesterov):
    def step(w, g, v, lr):
        p = prepared(w, g)
        optimizer = torch.optim.SGD([p], lr=float(lr), momentum=momentum, weight_decay=weight_decay, nesterov=nesterov)
        optimizer.state[p]["momentum_buffer"] = v.detach().clone()
        optimizer.step()
        return p.detach(), optimizer.state[p]["momentum_buffer"]

    return step


def plain_sgd(w, g, lr):
    p = prepared(w, g)
    torch.optim.SGD([p], lr=float(lr), weight_decay=0.125).step()
    return [p.detach()]


def adam(kind, weight_decay):
    def step(w, g, m, v, lr, count):
        p = prepared(w, g)
        optimizer = kind([p], lr=float(lr), betas=(0.75, 0.875), eps=1e-3, weight_decay=weight_decay)
        state = {"step": torch.tensor(float(count) - 1.0), "exp_avg": m.detach().clone(), "exp_avg_sq": v.detach().clone()}
        optimizer.state[p] = state
        optimizer.step()
        return p.detach(), state["exp_avg"], state["exp_avg_sq"]

    return step


rate = np.asarray(0.125)
for shape in ((3, 7), (0, 3), ()):
    case("sgd_step", sgd(0.75, 0.125, False), uniform(*shape), uniform(*shape), uniform(*shape), rate, gradients=False)
    case("sgd_step_nesterov", sgd(0.75, 0.125, True), uniform(*shape), uniform(*shape), uniform(*shape), rate,
         gradients=False)
    case("sgd_step_plain", plain_sgd, uniform(*shape), uniform(*shape), rate, gradients=False)
    for name, kind in (("adam_step", torch.optim.Adam), ("adamw_step", torch.optim.AdamW)):
        for count in (1.0, 7.0):
            case(name, adam(kind, 0.125), uniform(*shape), uniform(*shape), uniform(*shape),
                 uniform(*shape, low=0.25), rate, np.asarray(count), gradients=False)

write("update")
