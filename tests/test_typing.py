"""Types: what a checker tells a user of this package, and that it tells about every name."""

from __future__ import annotations
import __future__

import ast
import inspect
import json
import runpy
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import pytest

import tinygrad_hw as th
from tinygrad_hw import Tensor, nn

HERE = Path(__file__).parent
SCRIPTS = [HERE / "typed_script.py", HERE / "typed_expressions.py"]
HIDDEN = (types.ModuleType, __future__._Feature)


def public(owner: Any) -> list[str]:
    """The names it offers; where it has no list of them and is no package, those it defines."""
    own = inspect.ismodule(owner) and not hasattr(owner, "__path__")

    def shown(name: str) -> bool:
        value = getattr(owner, name)
        room = getattr(value, "__module__", None)
        borrowed = room != owner.__name__ if own else room in ("typing", "collections.abc")
        return name[0] != "_" and not borrowed and not isinstance(value, HIDDEN)

    return list(filter(shown, getattr(owner, "__all__", dir(owner))))


@pytest.fixture
def names(tmp_path: Path) -> Path:
    """A script that says every public name of the package, of tensors, and of nn's rooms."""
    lines = ["import tinygrad_hw as th", "x = th.zeros(1)"]
    for path, owner in (
        ("th", th),
        ("x", Tensor),
        ("th.nn", nn),
        ("th.nn.functional", nn.functional),
        ("th.nn.init", nn.init),
        ("th.optim", th.optim),
        ("th.optim.lr_scheduler", th.optim.lr_scheduler),
        ("th.utils.data", th.utils.data),
        ("th.autograd", th.autograd),
        ("th.func", th.func),
        ("th.linalg", th.linalg),
    ):
        lines += [f"{path}.{name}" for name in public(owner)]
    script = tmp_path / "names.py"
    script.write_text("\n".join(lines) + "\n")
    return script


def test_mypy(names: Path) -> None:
    pytest.importorskip("mypy")
    (names.parent / "mypy.ini").write_text("[mypy]\n")  # the package's own is of no user's
    command = [sys.executable, "-m", "mypy", "--strict"]
    command += ["--config-file", str(names.parent / "mypy.ini")]
    command += ["--follow-imports", "silent", "--no-error-summary", *map(str, SCRIPTS), str(names)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=HERE.parent)
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


def test_pyright(names: Path) -> None:
    pytest.importorskip("pyright", reason="pip install pyright")
    for script in SCRIPTS:
        (names.parent / script.name).write_text(script.read_text())
    options = {"extraPaths": [str(HERE.parent)], "reportUnusedExpression": False}
    (names.parent / "pyrightconfig.json").write_text(json.dumps(options))
    command = [sys.executable, "-m", "pyright", "--outputjson", "-p", str(names.parent)]
    command += ["--pythonpath", sys.executable]
    done = subprocess.run(command, capture_output=True, text=True, cwd=names.parent)
    report = json.loads(done.stdout)
    found = [
        f"{Path(d['file']).name}:{d['range']['start']['line'] + 1}: {d['message']}"
        for d in report["generalDiagnostics"]
    ]
    assert found == []
    assert report["summary"]["filesAnalyzed"] == len(SCRIPTS) + 1


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_the_typed_scripts_run(script: Path, monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "argv", [str(script), "--epochs", "1", "--out", str(tmp_path)])
    runpy.run_path(str(script), run_name="__main__")


def functions(owner: Any) -> dict[str, Any]:
    """The functions and getters of a class or module, by name, without what wraps them."""
    found = {}
    for name in public(owner):
        look = inspect.getattr_static if inspect.isclass(owner) else getattr
        value = look(owner, name)
        value = getattr(value, "__func__", value)
        value = value.fget if isinstance(value, property) else value
        value = inspect.unwrap(value) if callable(value) else value
        if inspect.isfunction(value) and value.__module__.startswith(th.__name__):
            found[name] = value
    return found


@pytest.mark.parametrize(
    "owner",
    [Tensor, th, nn.functional, nn.init, th.linalg, th.func, th.utils.data, nn.Module],
    ids=lambda owner: owner.__name__,
)
def test_every_public_function_is_annotated(owner: Any) -> None:
    checked = functions(owner)
    assert len(checked) > 2
    for name, function in checked.items():
        signature = inspect.signature(function)
        assert signature.return_annotation is not inspect.Signature.empty, name
        for parameter in list(signature.parameters.values())[inspect.isclass(owner) :]:
            assert parameter.annotation is not inspect.Parameter.empty, (name, parameter.name)


def test_the_typed_scripts_are_free_of_escapes() -> None:
    for script in SCRIPTS:
        text = script.read_text()
        assert "# type:" not in text
        called = [n.func for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Call)]
        assert not any(isinstance(f, ast.Name) and f.id == "cast" for f in called)


def test_the_package_says_that_it_is_typed() -> None:
    assert (Path(th.__file__).parent / "py.typed").exists()
