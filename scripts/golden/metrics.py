"""Figures about classes and numbers, computed from their definitions: tests/golden/train/metrics.json.

Nothing here follows splot/train: classes are counted from lists of right and predicted ones, and the ends of Wilson's
interval are found as the roots of the equation they are defined by, (p - share)^2 = z^2 p (1 - p) / n.
"""

import json
import statistics

import numpy as np

from golden import ROOT, integers, uniform

Z = statistics.NormalDist().inv_cdf(0.975)


def wilson(right, total):
    share = right / total
    a = 1 + Z**2 / total
    b = -(2 * share + Z**2 / total)
    return sorted(np.roots([a, b, share**2]).real.tolist())


def f1(precision, recall):
    return 0.0 if precision + recall == 0 else 2 * precision * recall / (precision + recall)


def ratio(part, whole):
    return part / whole if whole else 0.0


def classification(outputs, targets):
    classes = outputs.shape[1]
    predicted = outputs.argmax(axis=1)
    scores = []
    for c in range(classes):
        hits = int(np.sum((predicted == c) & (targets == c)))
        precision = ratio(hits, int(np.sum(predicted == c)))
        recall = ratio(hits, int(np.sum(targets == c)))
        scores.append([precision, recall, f1(precision, recall), int(np.sum(targets == c))])
    occurring = sorted(set(targets.tolist()) | set(predicted.tolist()))
    table = np.array(scores)
    weights = table[:, 3] / table[:, 3].sum()
    order = np.argsort(-outputs, axis=1, kind="stable")
    return {
        "outputs": outputs.tolist(),
        "targets": targets.tolist(),
        "matrix": [[int(np.sum((targets == t) & (predicted == p))) for p in range(classes)] for t in range(classes)],
        "accuracy": float(np.mean(predicted == targets)),
        "interval": wilson(int(np.sum(predicted == targets)), len(targets)),
        "scores": scores,
        "macro": table[occurring, :3].mean(axis=0).tolist(),
        "weighted": (weights[:, None] * table[:, :3]).sum(axis=0).tolist(),
        "top_k": [int(sum(t in row[:k] for t, row in zip(targets, order))) for k in range(1, classes + 1)],
    }


def regression(outputs, targets):
    error = outputs - targets
    spread = ((targets - targets.mean(axis=0)) ** 2).sum(axis=0)
    return {
        "outputs": outputs.tolist(),
        "targets": targets.tolist(),
        "mae": float(np.abs(error).mean()),
        "rmse": float(np.sqrt((error**2).mean())),
        "r2": float((1 - (error**2).sum(axis=0) / spread).mean()),
    }


def learned(n, classes):
    """Outputs that are right more often than not, and sometimes level."""
    targets = integers(n, high=classes)
    outputs = np.round(uniform(n, classes) * 4) / 4
    outputs[np.arange(n), targets] += 1.5
    return outputs, targets


rare_outputs, rare_targets = learned(12, 5)
rare_targets[rare_targets == 3] = 0  # a class that never occurs

cases = {
    "classification": [classification(*learned(40, 4)), classification(*learned(25, 10)),
                       classification(rare_outputs, rare_targets), classification(*learned(1, 2))],
    "intervals": [[r, n, *wilson(r, n)] for r, n in ((0, 1), (1, 1), (0, 10), (10, 10), (5, 10), (9542, 10000),
                                                      (99, 100), (1, 1000000))],
    "regression": [regression(uniform(9, 1), uniform(9, 1)), regression(uniform(20, 3) + 1e4, uniform(20, 3) + 1e4),
                   regression(uniform(2, 2), uniform(2, 2))],
}
path = ROOT / "tests" / "golden" / "train" / "metrics.json"
path.parent.mkdir(parents=True, exist_ok=True)
lines = [f' "{name}": [\n' + ",\n".join("  " + json.dumps(item) for item in items) + "]" for name, items in cases.items()]
path.write_text("{\n" + ",\n".join(lines) + "\n}\n")
print(path.relative_to(ROOT), path.stat().st_size, "bytes")
