"""The benchmark suite's promises: fair turns, no time without agreement, nothing left unsaid."""

import itertools
import json
import os
import platform
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import __main__, peers, suite, table, worker
from benchmarks.contest import Contest, Disagreement, Growth, fitted, held, repeated
from benchmarks.machine import machine

ROOT = Path(__file__).parents[1]
ROW = {"who", "median", "low", "high", "ratio", "ratio_low", "ratio_high"}
TABLE = {
    "workload": "w", "case": "c", "unit": "us", "threads": 1, "absent": ["X: not here"], "note": "",
    "rows": [
        dict.fromkeys(ROW, 1.0) | {"who": "tinygrad_hw"},
        dict.fromkeys(ROW, 2.0) | {"who": "other"},
    ],
}


def contest(rounds=3, **contenders):
    return Contest("w", "c", "us", 1e6, contenders, rounds=rounds)


def taking(*seconds, result=1.0):
    """A contender that takes these seconds, one after the other, and always has this result."""
    times = iter(seconds)
    return lambda: (next(times), result)


def absent(library):
    """Make the library impossible to import, as if it were not installed."""

    def make():
        raise ModuleNotFoundError(f"No module named {library!r}", name=library)

    return make


# Contests


def test_turns_interleave():
    turns = []
    who = {name: lambda name=name: (turns.append(name) or 1.0, None) for name in "abc"}
    held(contest(2, **who))
    assert "".join(turns) == "abc" * 3


def test_the_first_round_does_not_count_and_ratios_are_of_the_same_round():
    found = held(contest(
        ours=taking(100.0, 1.0, 2.0, 4.0), theirs=taking(500.0, 2.0, 2.0, 2.0)
    ))
    assert found == {
        "workload": "w", "case": "c", "unit": "us", "absent": [], "note": "",
        "rows": [
            {"who": "ours", "median": 2e6, "low": 1e6, "high": 4e6,
             "ratio": 1.0, "ratio_low": 1.0, "ratio_high": 1.0},
            {"who": "theirs", "median": 2e6, "low": 2e6, "high": 2e6,
             "ratio": 1.0, "ratio_low": 0.5, "ratio_high": 2.0},
        ],
    }


@pytest.mark.parametrize(
    "result",
    [
        [np.ones(3), {"b": 2.001}],
        [np.ones(3), {"b": np.nan}],
        [np.ones(4), {"b": 2.0}],
        [np.ones(3), {"c": 2.0}],
        [np.ones(3)],
        None,
    ],
)
def test_who_disagrees_is_named_and_gets_no_table(result):
    ours = [np.ones(3), {"b": 2.0}]
    with pytest.raises(Disagreement, match=r"w, c: theirs does not agree with ours"):
        held(contest(ours=lambda: (1.0, ours), theirs=lambda: (1.0, result)))
    close = [np.ones(3) + 1e-6, {"b": 2.00001}]
    assert len(held(contest(ours=lambda: (1.0, ours), them=lambda: (1.0, close)))["rows"]) == 2


def test_a_disagreement_in_a_later_round_counts_and_so_does_our_own_nan():
    results = iter([1.0, 1.0, 2.0])
    with pytest.raises(Disagreement, match="theirs"):
        held(contest(ours=lambda: (1.0, 1.0), theirs=lambda: (1.0, next(results))))
    with pytest.raises(Disagreement, match="ours"):
        held(contest(ours=lambda: (1.0, np.nan), theirs=lambda: (1.0, np.nan)))


def test_peers_that_are_absent_are_named_with_what_to_install():
    found = held(contest(ours=taking(*[1.0] * 4), theirs=peers.lazily(absent("sklearn"))))
    assert [row["who"] for row in found["rows"]] == ["ours"]
    assert found["absent"] == [
        "theirs: scikit-learn is not installed (pip install -e '.[bench]')"
    ]
    with pytest.raises(ModuleNotFoundError, match="tinygrad_hw_2"):  # not a peer: a mistake
        held(contest(ours=taking(1.0), theirs=peers.lazily(absent("tinygrad_hw_2"))))


def test_compiling_is_left_out_for_a_reason(monkeypatch):
    torch = SimpleNamespace(
        compiler=SimpleNamespace(reset=lambda: None), compile=lambda f, dynamic: (f, dynamic)
    )
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setattr(peers.shutil, "which", lambda name: name == "clang++")
    assert peers.compiled(len, quick=False) == (len, False)
    with pytest.raises(peers.Absent, match="quick"):
        peers.compiled(len, quick=True)
    monkeypatch.setattr(peers.shutil, "which", lambda name: None)
    with pytest.raises(peers.Absent, match=r"C\+\+ compiler"):
        peers.compiled(len, quick=False)


def test_short_work_is_repeated():
    calls = []
    run = repeated(lambda: calls.append(time.sleep(1e-4)) or len(calls), seconds=0.01)
    for _ in range(2):
        before = len(calls)
        seconds, result = run()
        assert 1e-4 < seconds < 5e-3
        assert before + 3 <= len(calls) == result


def test_without_any_peer_a_workload_still_has_its_tables(monkeypatch):
    for name in [*peers.PEERS, "scipy"]:
        monkeypatch.setitem(sys.modules, name, None)
    (message,) = itertools.islice(suite.run("chains", quick=True, threads=1), 1)
    found = message["table"]
    assert [row["who"] for row in found["rows"]] == ["tinygrad_hw", "NumPy by hand"]
    assert [line.partition(":")[0] for line in found["absent"]] == [
        "PyTorch, eager", "autograd", "MyGrad"
    ]


# Growth


@pytest.mark.parametrize(("power", "within"), [(0.5, True), (1, True), (1.1, True), (1.3, False)])
def test_the_exponent_is_the_slope_where_it_is_steep(power, within):
    sizes = [2**k for k in range(10)]
    found = fitted(Growth("w", "batch", "us", sizes, [3 * n**power for n in sizes], expected=1))
    assert found["exponent"] == pytest.approx(power, abs=1e-3)
    assert found["within"] is within
    # a cost of every call does not hide that
    flat = fitted(Growth("w", "batch", "us", sizes, [3 * n**power + 5 for n in sizes], expected=1))
    assert flat["exponent"] == pytest.approx(power, abs=0.15)


# The suite and its command line


def test_each_workload_is_there_and_none_imports_a_peer():
    program = (
        "import sys\nfrom importlib import import_module\nfrom benchmarks.suite import WORKLOADS\n"
        "for name in WORKLOADS:\n"
        "    module = import_module(f'benchmarks.{name}')\n"
        "    assert hasattr(module, 'contests') != hasattr(module, 'curves'), name\n"
        f"assert not set(sys.modules) & {set(peers.PEERS)!r}"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)


def test_a_contest_that_fails_does_not_stop_the_next(monkeypatch):
    def broken():
        raise ZeroDivisionError("by zero")

    cases = [contest(ours=broken), contest(ours=taking(*[1.0] * 4))]
    monkeypatch.setattr(
        suite, "import_module", lambda _: SimpleNamespace(contests=lambda *_: iter(cases))
    )
    failed, good = suite.run("w", quick=True, threads=2)
    assert failed["failed"].startswith("w, c: ZeroDivisionError: by zero (test_benchmarks.py, line")
    assert good["table"]["threads"] == 2


def workers(monkeypatch, **programs):
    """Run these programs in the place of workloads."""
    monkeypatch.setattr(
        worker, "command", lambda name, *_: [sys.executable, "-c", programs[name]]
    )
    return ["--quick", "--only", *programs]


def sends(message):
    return f"print({json.dumps(message)!r}, flush=True)\n"


def test_a_workload_that_dies_is_reported_and_the_others_go_on(monkeypatch, capsys, tmp_path):
    growth = fitted(Growth("g", "batch", "us", [1, 2, 4], [1, 4, 16], expected=1))
    flags = workers(
        monkeypatch,
        softmax="import os, sys\nprint('Traceback: no memory', file=sys.stderr, flush=True)\n"
        "os._exit(3)",
        mlp=sends({"table": TABLE}) + sends({"failed": "mlp, batch 64: wrong"}),
        growth=sends({"growth": growth}),
    )
    assert __main__.main([*flags, "--json", str(tmp_path / "out.json")]) == 1
    out, err = capsys.readouterr()
    assert "FAILED: softmax, 1 thread, ended with status 3:\nTraceback: no memory" in err
    assert "FAILED: mlp, batch 64: wrong" in err
    assert "w, c: us, 1 thread" in out
    assert "absent: X: not here" in out
    assert "exponent 2.00, expected 1  WORSE" in out
    found = json.loads((tmp_path / "out.json").read_text())
    assert found["tables"] == [TABLE]
    assert found["growth"] == [growth]
    assert found["failed"] == [
        "softmax, 1 thread, ended with status 3:", "mlp, batch 64: wrong"
    ]
    assert list(tmp_path.iterdir()) == [tmp_path / "out.json"]


def test_threads_are_pinned_before_anything_is_imported():
    found = worker.environment(2)
    assert found["OMP_NUM_THREADS"] == found["OPENBLAS_NUM_THREADS"] == "2"
    assert found["NUMBA_NUM_THREADS"] == "2"
    assert "multi_thread_eigen=false" in worker.environment(1)["XLA_FLAGS"]


def test_what_wants_more_cores_is_named_and_left_out(monkeypatch, capsys):
    monkeypatch.setattr(worker, "cores", lambda: [0])
    flags = workers(monkeypatch, softmax=sends({"table": TABLE}))
    assert __main__.main(flags[1:]) == 0
    out, _ = capsys.readouterr()
    assert out.count("w, c: us, 1 thread") == 1
    assert "softmax, 2 threads: left out, for want of cores" in out


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
def test_ctrl_c_keeps_what_was_finished_and_ends_the_child(tmp_path):
    table_sent = sends({"table": TABLE | {"note": "of "}}).replace("of ", "of '+str(os.getpid())+'")
    program = (
        "import sys\nfrom benchmarks import __main__, worker\n"
        f"child = {'import os, time' + chr(10) + table_sent + 'time.sleep(60)'!r}\n"
        "worker.command = lambda *_: [sys.executable, '-c', child]\n"
        f"sys.exit(__main__.main(['--only', 'mlp', '--json', {str(tmp_path / 'out.json')!r}]))\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )
    for line in process.stdout:
        if line.startswith("w, c"):
            break
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err == "Interrupted: what was finished until then is kept.\n"
    (kept,) = json.loads((tmp_path / "out.json").read_text())["tables"]
    with pytest.raises(ProcessLookupError):
        os.kill(int(kept["note"].split()[1]), 0)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--only", "softmax", "sofmax"], "no workload is named 'sofmax': there are softmax, mlp,"),
        (["--json", "/no/such/folder/out.json"], "there is no folder /no/such/folder"),
    ],
)
def test_flags_that_cannot_be_are_refused_at_once(flags, message, capsys):
    with pytest.raises(SystemExit, match="2"):
        __main__.main(flags)
    assert message in capsys.readouterr().err


def test_the_list_names_all(capsys):
    assert __main__.main(["--list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [*suite.WORKLOADS]


def test_numbers_have_four_digits_and_no_exponent():
    values = [0.05, 0.5123, 5.1234, 51.234, 512.34, 5123.4, 51234.0]
    assert [table.number(value) for value in values] == [
        "0.0500", "0.5123", "5.123", "51.23", "512.3", "5,123", "51,234"
    ]


def test_the_machine_is_described_without_names_or_paths():
    found = machine()
    assert {"cpu", "cores", "os", "python", "blas", "versions"} == set(found)
    assert found["versions"]["numpy"] == np.__version__
    text = json.dumps(found) + table.described(found)
    assert platform.node() not in text
    assert str(Path.home()) + os.sep not in text


def test_the_picture(monkeypatch, tmp_path, capsys):
    plt = pytest.importorskip("matplotlib.pyplot")
    growth = fitted(Growth("g", "batch", "us", [1, 2, 4], [1, 4, 16], expected=1))
    flags = workers(monkeypatch, mlp=sends({"table": TABLE}), growth=sends({"growth": growth}))
    assert __main__.main([*flags, "--plot", str(tmp_path / "out.png")]) == 0
    picture = plt.imread(tmp_path / "out.png")
    assert min(picture.shape[:2]) > 300
    assert picture[..., :3].std() > 0.05
    monkeypatch.setattr(__main__, "find_spec", lambda _: None)
    with pytest.raises(SystemExit):
        __main__.main(["--plot", str(tmp_path / "out.png")])
    assert "pip install -e '.[plot]'" in capsys.readouterr().err


def test_the_kernels_from_end_to_end(tmp_path):
    out = tmp_path / "out.json"
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--quick", "--only", "kernels", "--json", str(out)],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""  # no progress bar: it is not a terminal
    found = json.loads(out.read_text())
    assert found.keys() == {"schema", "quick", "machine", "date", "tables", "growth", "failed"}
    assert (found["schema"], found["quick"], found["failed"]) == (1, True, [])
    assert len(found["tables"]) == 8
    for one in found["tables"]:
        assert one.keys() == TABLE.keys()
        assert one["threads"] == 1
        ours, *others = one["rows"]
        assert ours["who"].startswith("tinygrad_hw")
        assert ours["ratio"] == ours["ratio_low"] == ours["ratio_high"] == 1
        assert "NumPy by hand" in [row["who"] for row in others]
        for row in one["rows"]:
            assert row.keys() == ROW
            assert 0 < row["low"] <= row["median"] <= row["high"]
            assert 0 < row["ratio_low"] <= row["ratio"] <= row["ratio_high"]


def test_an_earlier_run_is_shown_again(tmp_path, capsys):
    faster = [dict.fromkeys(ROW, 0.4) | {"who": "tinygrad_hw"}]
    growth = fitted(Growth("step", "batch", "us", [1, 2, 4, 8], [1.0, 2.0, 4.0, 8.0], 1))
    found = {
        "schema": 1, "quick": True, "machine": machine(), "date": "2026-11-24",
        "tables": [TABLE, TABLE | {"threads": 2, "rows": faster}], "growth": [growth],
        "failed": ["w, d: it fell"],
    }  # fmt: skip
    path = tmp_path / "run.json"
    path.write_text(json.dumps(found))
    assert __main__.main(["--show", str(path)]) == 0
    shown = capsys.readouterr().out
    for part in (table.shown(TABLE), table.grown(growth), "FAILED: w, d: it fell"):
        assert part in shown
    assert shown.startswith("2026-11-24, ")
    assert ["w,", "c", "2", "threads", "2.50"] in [line.split() for line in shown.splitlines()]
    with pytest.raises(SystemExit):
        __main__.main(["--show", str(tmp_path / "none.json")])
    assert "none.json" in capsys.readouterr().err
    for text in ("", '{"tables": [', "[]", '{"tables": []}'):
        path.write_text(text)
        assert __main__.main(["--show", str(path)]) == 1
        assert "run.json is not what --json writes" in capsys.readouterr().err
