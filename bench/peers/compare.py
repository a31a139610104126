#!/usr/bin/env python3
"""Splot beside PyTorch: the workloads of torch_peer.py, in turn, on this machine.

    compare.py --program build/bench/bin/splot_peer [--workload all] [--threads 1,2] [--rounds 3] [--eager] [--json]

For each workload and number of threads: one step of both from the same weights on the same batch is compared; then
PyTorch (its best variant) and Splot are timed in turn, `rounds` times. Splot's training steps are plans, or with
--eager made call by call; `mode` says which, `peer_variant` which of PyTorch's was best. The ratio is PyTorch's time
over Splot's, the median over the rounds. The machine's limit is measured before each workload and is the highest of
all: a shared machine does not always give all it has. Progress goes to stderr, the table (or, with --json, one array)
to stdout. Workloads that Splot does not have yet appear as gaps.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import torch_peer  # noqa: E402


def say(text):
    print(text, file=sys.stderr, flush=True)


def run_json(command):
    done = subprocess.run(command, stdout=subprocess.PIPE)
    if done.returncode:
        raise RuntimeError("exit status %d: %s" % (done.returncode, " ".join(command)))
    return json.loads(done.stdout)


def time_torch(workload, threads, args):
    rows = run_json([sys.executable, os.path.join(HERE, "torch_peer.py"), "--workload", workload, "--threads",
                     str(threads), "--repeats", str(args.repeats), "--min-time", str(args.min_time), "--variant",
                     "best", "--json"])
    errors = [r for r in rows if "error" in r]
    if errors:
        raise RuntimeError("PyTorch: %s" % errors[0]["error"])
    return [r for r in rows if r.get("best")][0]


def time_splot(workload, threads, folder, args):
    return run_json([args.program, "time", workload, "--threads", str(threads), "--data", folder, "--repeats",
                     str(args.repeats), "--min-time", str(args.min_time), "--mode", mode_of(args)])


def mode_of(args):
    return "eager" if args.eager else "compiled"


def measure_limit(threads, args):
    return run_json([args.program, "limit", "--threads", str(threads)])["gflops"]


def measure(workload, threads, folder, args):
    step = os.path.join(folder, workload + ".safetensors")
    if not os.path.exists(step):
        subprocess.run([sys.executable, os.path.join(HERE, "exchange.py"), "step", workload, step], check=True)
    check = run_json([args.program, "check", workload, "--threads", str(threads), "--step", step,
                      "--mode", mode_of(args)])
    rounds = []
    for k in range(args.rounds):
        peer = time_torch(workload, threads, args)
        ours = time_splot(workload, threads, folder, args)
        rounds.append((peer, ours))
        say("%-12s %d threads, round %d: PyTorch %.1f us (%s), Splot %.1f us (%s), ratio %.2f" % (
            workload, threads, k + 1, peer["step_us_median"], peer["variant"], ours["step_us_median"], ours["mode"],
            peer["step_us_median"] / ours["step_us_median"]))
    ours_us = statistics.median(o["step_us_median"] for _, o in rounds)
    gflops = rounds[0][0]["mflop_per_step"] * 1e6 / (ours_us * 1e-6) / 1e9
    return {
        "workload": workload, "threads": threads, "mode": rounds[0][1]["mode"],
        "peer_us": round(statistics.median(p["step_us_median"] for p, _ in rounds), 2),
        "peer_variant": rounds[0][0]["variant"],
        "splot_us": round(ours_us, 2),
        "ratio": round(statistics.median(p["step_us_median"] / o["step_us_median"] for p, o in rounds), 3),
        "min_us": round(min(o["step_us_min"] for _, o in rounds), 2),
        "max_us": round(max(o["step_us_max"] for _, o in rounds), 2),
        "gflops": round(gflops, 2),
        "percent_of_limit": None,  # when the limit is known
        "max_rel_diff": check["max_rel_diff"],
        "peak_mib_beyond_data": rounds[0][1]["peak_mib_beyond_data"],
    }


def gap(workload, threads):
    return dict.fromkeys(["workload", "threads", "mode", "peer_us", "splot_us", "ratio", "min_us", "max_us", "gflops",
                          "percent_of_limit", "max_rel_diff"], None) | {"workload": workload, "threads": threads}


def show(rows):
    print("%-16s %2s %9s %9s %-9s %7s %9s %9s %8s %6s %9s %8s" % (
        "workload", "th", "PyTorch", "Splot us", "mode", "ratio", "min us", "max us", "GFLOP/s", "limit", "max diff",
        "MiB"))
    for r in rows:
        if r["splot_us"] is None:
            print("%-16s %2d %9s" % (r["workload"], r["threads"], "not built yet"))
            continue
        print("%-16s %2d %9.1f %9.1f %-9s %7.2f %9.1f %9.1f %8.1f %5.0f%% %9.1e %8.1f" % (
            r["workload"], r["threads"], r["peer_us"], r["splot_us"], r["mode"], r["ratio"], r["min_us"], r["max_us"],
            r["gflops"], r["percent_of_limit"], r["max_rel_diff"], r["peak_mib_beyond_data"]))


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--program", required=True, help="the built splot_peer")
    ap.add_argument("--workload", default="all", help="name, comma-separated names, or 'all'")
    ap.add_argument("--threads", default="1,2")
    ap.add_argument("--rounds", type=int, default=3)
    ap.add_argument("--repeats", type=int, default=5)
    ap.add_argument("--min-time", type=float, default=0.3)
    ap.add_argument("--eager", action="store_true", help="training steps of Splot call by call, not as plans")
    ap.add_argument("--json", action="store_true")
    args = ap.parse_args()
    names = torch_peer.WORKLOADS if args.workload == "all" else args.workload.split(",")
    unknown = [n for n in names if n not in torch_peer.WORKLOADS]
    if unknown:
        ap.error("unknown workload %s; there are %s" % (unknown[0], ", ".join(torch_peer.WORKLOADS)))
    built = run_json([args.program, "list"])
    rows = []
    with tempfile.TemporaryDirectory(prefix="splot-peers-") as folder:
        if any(n in built for n in names):
            say("making the data")
            subprocess.run([sys.executable, os.path.join(HERE, "exchange.py"), "data", folder], check=True)
        for threads in [int(t) for t in args.threads.split(",")]:
            limits, measured = [], []
            for name in names:
                if name not in built:
                    rows.append(gap(name, threads))
                    continue
                limits.append(measure_limit(threads, args))
                measured.append(measure(name, threads, folder, args))
                rows.append(measured[-1])
            for row in measured:
                row["percent_of_limit"] = round(100 * row["gflops"] / max(limits), 1)
            if limits:
                say("the machine's limit with %d threads: %.0f GFLOP/s, the highest of %d" % (
                    threads, max(limits), len(limits)))
    if args.json:
        print(json.dumps(rows, indent=1))
    else:
        show(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
