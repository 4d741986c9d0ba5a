"""The pictures that the examples draw. Needs the extra `plot` (matplotlib)."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

try:
    import matplotlib
except ImportError:
    matplotlib = None
else:
    matplotlib.use("Agg")
    matplotlib.rcParams["agg.path.chunksize"] = 1000  # long curves are sooner drawn in parts
    import matplotlib.pyplot as plt


def available(wanted=True):
    """Whether pictures can be drawn; says what to install where they cannot."""
    if wanted and matplotlib is None:
        print(
            "No pictures: matplotlib is missing. Install it with pip install 'tinygrad-hw[plot]', "
            "or pass --no-plots.",
            file=sys.stderr,
        )
    return wanted and matplotlib is not None


def framed(width, height, left, right, bottom, top):
    """A figure and its one axes of width x height inches, within margins. They are told, for where
    matplotlib has to find them out it draws everything twice."""
    across, down = left + width + right, bottom + height + top
    figure = plt.figure(figsize=(across, down))
    return figure, figure.add_axes((left / across, bottom / down, width / across, height / down))


def mosaic(ax, rows, gap, **options):
    """Rows of pictures, (n, m, height, width), as one image; an axes for each takes ten times as
    long to draw. The gaps between them are blank."""
    gaps = ((0, 0), (0, 0), (0, gap), (0, gap))
    padded = np.pad(rows.astype(float), gaps, constant_values=np.nan)
    n, m, height, width = padded.shape
    sheet = padded.swapaxes(1, 2).reshape(n * height, m * width)[:-gap, :-gap]
    ax.spines[:].set_visible(False)
    ax.set(xticks=[], yticks=[])
    return ax.imshow(sheet, interpolation="nearest", **options)


def saved(figure, path):
    figure.savefig(Path(path), dpi=120)
    plt.close(figure)


def images(path, pictures, labels, classes, title):
    """One row for each class, so that the classes can be told apart at a glance."""
    rows = np.zeros((len(classes), 10, 28, 28))
    for c, row in enumerate(rows):
        first = pictures[labels == c][:10]
        row[: len(first)] = first
    figure, ax = framed(7.9, 7.9, left=1.1, right=0.2, bottom=0.2, top=0.5)  # 3 dots to a pixel
    mosaic(ax, rows, gap=4, cmap="gray_r")
    ax.set_yticks(32 * np.arange(len(classes)) + 13.5, classes)
    ax.tick_params(length=0)
    ax.set_title(title, pad=12)
    saved(figure, path)


def losses(path, batch_losses, train, test, title):
    """The loss of every batch (faint) and their running mean; the mean over each epoch's batches,
    at its middle; and the test set's loss at its end."""
    figure, ax = framed(6.2, 3.5, left=0.6, right=0.15, bottom=0.5, top=0.35)
    per_epoch = len(batch_losses) / max(len(train), 1)
    x = np.arange(1, len(batch_losses) + 1) / per_epoch
    ax.plot(x, batch_losses, lw=0.4, alpha=0.35, color="tab:blue", label="each batch")
    width = max(1, round(per_epoch / 10))
    smooth = np.convolve(batch_losses, np.ones(width) / width, mode="valid")
    ax.plot(x[width - 1 :], smooth, color="tab:blue", label=f"mean of {width} batches")
    epochs = np.arange(1, len(train) + 1)
    ax.plot(epochs - 0.5, train, "o-", color="tab:green", label="training set, mean of the epoch")
    ax.plot(epochs, test, "s-", color="tab:red", label="test set, after the epoch")
    high = np.percentile(batch_losses, 99.5) if len(batch_losses) else 1
    ax.set(xlabel="epoch", ylabel="cross-entropy (nats)", title=title, ylim=(0, 1.1 * high))
    ax.legend(loc="upper right")
    ax.grid(alpha=0.3)
    saved(figure, path)


def templates(path, weights, classes, title):
    """What each class looks for: dark pixels speak for it, light ones against."""
    span, rows = np.abs(weights).max(), weights.reshape(2, 5, 28, 28)
    figure, ax = framed(8, 3.4, left=0.15, right=1.15, bottom=0.15, top=0.6)  # 6 dots to a pixel
    shown = mosaic(ax, rows, gap=5, cmap="RdBu", vmin=-span, vmax=span)
    for i, name in enumerate(classes):
        ax.text(33 * (i % 5) + 13.5, 33 * (i // 5) - 1, name, ha="center", va="bottom")
    bar = ax.inset_axes((1.02, 0.1, 0.02, 0.8))
    figure.colorbar(shown, cax=bar, label="weight")
    figure.suptitle(title)
    saved(figure, path)


def confusion(path, labels, predicted, classes, title):
    """How often each class was taken for each other one."""
    n = len(classes)
    counts = np.bincount(n * labels + predicted, minlength=n * n).reshape(n, n)
    figure, ax = framed(5.4, 5.4, left=1.15, right=0.15, bottom=1.05, top=0.35)
    ax.imshow(counts, cmap="Blues")
    for (i, j), count in np.ndenumerate(counts):
        dark = count > counts.max() / 2
        ax.text(j, i, count, ha="center", va="center", color="white" if dark else "black", size=8)
    ax.set_xticks(range(n), classes, rotation=45, ha="right")
    ax.set_yticks(range(n), classes)
    ax.set(xlabel="predicted", ylabel="true", title=title)
    saved(figure, path)


def path_plot(
    path, hessian, w_star, starts, newton, descents, newton_left, descents_left, names, title
):
    """Newton's single steps, and the longest of gradient descent's paths, on the contours of a
    quadratic f; beside them, what is left of every start's distance to the optimum."""
    figure, (ax, right) = plt.subplots(
        1, 2, figsize=(13, 5.6), width_ratios=(1.5, 1), layout="constrained"
    )
    longest = np.argmax(np.linalg.norm(starts - w_star, axis=1))
    way = descents[longest]
    shown = np.vstack([starts, newton, way])
    middle, half = (shown.max(0) + shown.min(0)) / 2, 0.57 * np.ptp(shown, axis=0)
    half = np.maximum(half, 0.6 * half.max())
    u, v = np.meshgrid(*np.linspace(middle - half, middle + half, 300).T)
    away = np.stack([u, v], -1) - w_star
    above = 0.5 * np.einsum("...i,ij,...j", away, hessian, away)
    levels = above.max() * np.linspace(0, 1, 13) ** 2.5  # closer where f is flat
    ax.contourf(u, v, above, levels, colors=plt.colormaps["Blues"](np.linspace(0, 0.5, 12)))
    ax.contour(u, v, above, levels, colors="steelblue", linewidths=0.5)
    orange, red = "darkorange", "crimson"
    ax.plot(*way.T, ".-", color=orange, lw=1, ms=4, label=f"gradient descent: {len(way) - 1} steps")
    ax.plot([], [], color=red, lw=2, label="Newton's method: one step")
    for start, end in zip(starts, newton, strict=True):
        arrow = {"arrowstyle": "-|>", "color": red, "lw": 2, "shrinkB": 6, "mutation_scale": 16}
        ax.annotate("", end, start, arrowprops=arrow, zorder=3)
    ax.plot(*starts.T, "o", color="black", ms=7, zorder=4, label="starts $w^{(0)}$")
    ax.plot(*w_star, "*", color="gold", mec="black", ms=20, zorder=5, label="optimum $w^*$")
    ax.set(xlabel=names[0], ylabel=names[1], aspect="equal", title="Contours of f, and the paths")
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.1), ncols=4, frameon=False)
    for i, (fast, slow) in enumerate(zip(newton_left, descents_left, strict=True)):
        label = None if i else ("gradient descent", "Newton's method")
        right.plot(slow, color=orange, lw=1, label=label and label[0])
        end = max(fast, 1e-17)  # an exact zero has no place on a logarithmic axis
        right.plot([0, 1], [1, end], "o-", color=red, lw=2, ms=5, label=label and label[1])
    right.set(yscale="log", xlabel="step", title="What is left of the distance to $w^*$")
    right.grid(alpha=0.3)
    right.legend()
    figure.suptitle(title)
    saved(figure, path)


def tuning_plot(path, rounds, homework, tests, source, name):
    """Every trial's accuracy on the held-out images, and the winner's on the test set."""
    figure, (ax, right) = plt.subplots(
        1, 2, figsize=(13, 5.6), width_ratios=(1.9, 1), layout="constrained"
    )
    schedules = list(dict.fromkeys(t["schedule"] for t in rounds[0]))
    best = rounds[-1][0]
    floor = best["accuracy"] - 0.05
    colors = dict(zip(schedules, plt.colormaps["Dark2"].colors, strict=False))
    for number, trials in enumerate(rounds):
        ax.scatter(
            [t["lr"] for t in trials], [max(floor, t["accuracy"]) for t in trials], 18 * 3**number,
            color=[colors[t["schedule"]] for t in trials], alpha=0.45 + 0.2 * number,
            edgecolor="white", zorder=number + 2, clip_on=False,
        )  # fmt: skip
        ax.scatter(
            [], [], 18 * 3**number, color="gray",
            label=f"{len(trials)} recipes, {trials[0]['epochs']} epochs",
        )  # fmt: skip
    for schedule in schedules:
        ax.scatter([], [], 60, color=colors[schedule], label=f"schedule: {schedule}")
    for t in rounds[0]:
        if all(t[k] == v for k, v in homework.items()):
            ax.plot(t["lr"], t["accuracy"], "kx", ms=11, zorder=9, label="the homework's recipe")
    chosen = (
        f"chosen: {best['schedule']}, {best['lr']:g},\n"
        f"batch {best['batch_size']}, L2 {best['weight_decay']:g}"
    )
    ax.plot(best["lr"], best["accuracy"], "*", color="gold", mec="k", ms=20, zorder=9, label=chosen)
    ax.set(
        xscale="log", xlabel="learning rate", ylim=(floor, best["accuracy"] + 0.004),
        ylabel="accuracy (lower ones lie on the edge)",
        title="Trials, on images held out of the training set",
    )  # fmt: skip
    ax.grid(alpha=0.3)
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False, labelspacing=0.8)
    right.plot(range(len(tests)), tests, "o", color=colors[best["schedule"]], label="one seed each")
    right.axhline(np.mean(tests), color="black", lw=1, label=f"their mean, {np.mean(tests):.4f}")
    right.axhline(source, color="crimson", ls="--", label=f"the homework's, {source:.4f}")
    right.set(xlabel="run", xticks=range(len(tests)), title="Chosen recipe, on the test set")
    right.margins(x=0.15, y=0.5)
    right.grid(alpha=0.3)
    right.legend()
    figure.suptitle(f"{name}: tuning softmax regression")
    saved(figure, path)
