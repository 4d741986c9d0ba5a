"""Newton's method minimizes the mean squared error in one step, from any start (equations 1 to 3).

Each start takes one step by automatic differentiation and one by the formula derived by hand.
Gradient descent goes the same ways beside them, with the best constant learning rate it can have.
"""

import sys
from pathlib import Path

import figures
import numpy as np
from command_line import Parser, not_negative, refusing, run, whole

import tinygrad_hw as th
from tinygrad_hw import closed_form, optim
from tinygrad_hw.nn import functional as F


def parse(argv):
    parser = Parser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--starts", type=whole, default=6, help="random points to start from")
    add("--samples", type=whole, default=100, help="rows of X; fewer than features: no single w*")
    add("--features", type=whole, default=2, help="entries of w; 1 draws no picture")
    add("--steps", type=whole, default=100, help="of gradient descent")
    add("--damping", type=not_negative, default=0.0, help="added to the Hessian's diagonal")
    add("--seed", type=int, default=0, help="of the data and the starts")
    add("--out", type=Path, default=Path("runs/newton_one_step"), help="folder for the picture")
    add("--no-plots", action="store_true", help="draw no picture")
    add("--quiet", action="store_true", help="print the last line only")
    return parser.parse_args(argv)


def problem(rng, samples, features):
    """Linear data with noise, stretched in one direction so that f has a narrow valley."""
    stretch = np.diag(np.geomspace(1, 0.25, features))
    turn, _ = np.linalg.qr(rng.normal(size=(features, features)))
    X = rng.normal(size=(samples, features)) @ stretch @ turn
    y = X @ rng.normal(size=features) + 0.1 * rng.normal(size=samples)
    return X, y


def f_mse(X, y, w):
    """The homework's loss: half the mean squared error."""
    return F.mse_loss(th.tensor(X) @ w, th.tensor(y)) / 2


def newton(X, y, start, damping):
    """One step by automatic differentiation: the gradient, the Hessian, and the solution."""
    w = th.tensor(start, requires_grad=True)
    optim.Newton([w], damping=damping).step(lambda: f_mse(X, y, w))
    return w.detach().numpy()


def newton_by_hand(X, y, start, damping):
    """Equation (2), and its damped form."""
    if not damping:
        return closed_form.newton_step(X, y, start)
    H = closed_form.mse_hessian(X) + damping * np.eye(len(start))
    return start - np.linalg.solve(H, closed_form.mse_grad(X, y, start))


def descent(X, y, start, lr, steps):
    """The path of gradient descent, its start first."""
    w = th.tensor(start, requires_grad=True)
    sgd = optim.SGD([w], lr)
    path = [start]
    for _ in range(steps):
        sgd.zero_grad()
        f_mse(X, y, w).backward()
        sgd.step()
        path.append(w.detach().numpy().copy())
    return np.array(path)


def table(before, auto, hand, slow):
    steps = slow.shape[1] - 1
    print(f"{'distance':>16} | {'after one Newton step':^23} | {'after gradient descent':^23}")
    print(f"{'start':5} {'to w*':>10} | {'autodiff':>11} {'by hand':>11} | {'1 step':>11} "
          f"{f'{steps} steps':>11}")
    for i, (b, a, h, way) in enumerate(zip(before, auto, hand, slow, strict=True), 1):
        print(f"{i:5} {b:10.2f} | {a:11.1e} {h:11.1e} | {way[1]:11.2g} {way[-1]:11.2g}")
    print()


@refusing(OSError)
def main(argv=None):
    args = parse(argv)
    with refusing(OSError, ValueError):
        rng = np.random.default_rng(args.seed)
        args.out.mkdir(parents=True, exist_ok=True)
    X, y = problem(rng, args.samples, args.features)
    w_star = np.linalg.pinv(X) @ y  # equation (3), or the shortest of many optima
    far = rng.uniform(1, 4, (args.starts, 1))
    starts = w_star + far * rng.normal(size=(args.starts, args.features))
    try:
        by_autodiff = np.array([newton(X, y, w, args.damping) for w in starts])
        by_hand = np.array([newton_by_hand(X, y, w, args.damping) for w in starts])
    except np.linalg.LinAlgError as error:
        print(f"newton_one_step.py: {error} Here that is --damping 1e-3.", file=sys.stderr)
        return 2
    H = closed_form.mse_hessian(X)
    curvatures, directions = np.linalg.eigh(H)
    curved = curvatures[curvatures > 1e-12 * curvatures[-1]]
    lr = 2 / (curved[0] + curved[-1])
    descents = np.array([descent(X, y, w, lr, args.steps) for w in starts])

    seen = np.linalg.pinv(X) @ X  # what f sees of w: everything, if X has full rank
    before, auto, hand, slow = (
        np.linalg.norm((w - w_star) @ seen, axis=-1)
        for w in (starts, by_autodiff, by_hand, descents)
    )
    if not args.quiet:
        print(f"f(w) = (1/2n) |Xw - y|^2, n = {args.samples}, d = {args.features}; the curvature "
              f"of f is {curved[0]:.2g} to {curved[-1]:.2g}.\n")
        table(before, auto, hand, slow)
    auto, hand, slow = auto / before, hand / before, slow / before[:, None]
    print(f"Of the distance to w*, one Newton step leaves at most {auto.max():.1e} (by hand "
          f"{hand.max():.1e}), {args.steps} steps of gradient descent {slow[:, -1].max():.1e}.")
    if figures.available(not args.no_plots and args.features > 1):
        # Of more than two dimensions, the plane of the flattest and the steepest direction.
        plane = np.eye(2) if args.features == 2 else directions[:, [0, -1]]
        names = ("$w_1$", "$w_2$") if args.features == 2 else ("flattest way", "steepest way")
        flat = (a @ plane for a in (w_star, starts, by_autodiff, descents))
        title = f"damped by {args.damping:g}" if args.damping else "is at the optimum in one step"
        picture = args.out / "path.png"
        figures.path_plot(
            picture, plane.T @ H @ plane, *flat, auto, slow, names, f"Newton's method {title}"
        )
        print(f"See {picture}")
    return 0


if __name__ == "__main__":
    run(main)
