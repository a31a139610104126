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


def increment(nesterov):
    # The form of lectures, which PyTorch lacks.
    def step(w, g, v, lr):
        g = g + 0.125 * w + 0.0625 * torch.sign(w)
        v = 0.75 * v - lr * g
        return w + (0.75 * v - lr * g if nesterov else v), v

    return step


def rmsprop(momentum, centered):
    def step(w, g, *rest):
        *state, lr = rest
        names = ["square_avg"] + ["grad_avg"] * centered + ["momentum_buffer"] * (momentum != 0)
        p = prepared(w, g)
        optimizer = torch.optim.RMSprop([p], lr=float(lr), alpha=0.75, eps=1e-3, weight_decay=0.125, momentum=momentum,
                                        centered=centered)
        optimizer.state[p] = {"step": 3} | {name: x.detach().clone() for name, x in zip(names, state)}
        optimizer.step()
        return [p.detach()] + [optimizer.state[p][name] for name in names]

    return step


def adagrad(w, g, s, lr, count):
    p = prepared(w, g)
    optimizer = torch.optim.Adagrad([p], lr=float(lr), lr_decay=0.25, eps=1e-3, weight_decay=0.125)
    optimizer.state[p] = {"step": torch.tensor(float(count) - 1.0), "sum": s.detach().clone()}
    optimizer.step()
    return p.detach(), optimizer.state[p]["sum"]


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
    for nesterov in (False, True):
        case("sgd_step_increment" + "_nesterov" * nesterov, increment(nesterov), uniform(*shape), uniform(*shape),
             uniform(*shape), rate, gradients=False)
    # The mean square 1 or more, the mean below 1: a variance that is not negative.
    square, mean, velocity = uniform(*shape, low=1.0), uniform(*shape, low=-0.75, high=0.75), uniform(*shape)
    for name, momentum, state in (("rmsprop_step", 0.0, [square]), ("rmsprop_step_centered", 0.0, [square, mean]),
                                  ("rmsprop_step_momentum", 0.5, [square, velocity]),
                                  ("rmsprop_step_all", 0.5, [square, mean, velocity])):
        case(name, rmsprop(momentum, mean is state[-1] or len(state) == 3), uniform(*shape), uniform(*shape), *state,
             rate, gradients=False)
    for count in (1.0, 7.0):
        case("adagrad_step", adagrad, uniform(*shape), uniform(*shape), uniform(*shape, low=0.25), rate,
             np.asarray(count), gradients=False)

# The gradient as a product.
for m, n, k in ((3, 7, 4), (0, 3, 2), (2, 3, 0)):
    case("matmul_sgd_step", lambda a, b, w, lr: plain_sgd(w, a @ b, lr), uniform(m, k), uniform(k, n), uniform(m, n),
         rate, gradients=False)

write("update")
