"""A search among recipes that goes on where it was stopped, by successive halving."""

import json

from tqdm import tqdm

from tinygrad_hw.files import write_whole


class Trials:
    """Results by name, in a file as soon as there is one: no trial is run twice."""

    def __init__(self, path, settings, total, quiet):
        self.path, self.settings, self.results = path, settings, {}
        if path.exists():
            try:
                saved = json.loads(path.read_bytes())
                before, self.results = saved["settings"], dict(saved["results"])
                for found in self.results.values():
                    _ = found["accuracy"], found["loss"], found["seconds"]
            except (ValueError, KeyError, TypeError) as error:
                raise ValueError(f"{path} is no record of trials ({error!r}): remove it") from error
            if before != settings:
                raise ValueError(
                    f"{path} is of a search with {before}, and this one has {settings}: give "
                    "another --out, or remove the file"
                )
        self.bar = tqdm(total=total, unit=" trials", disable=quiet)

    def result(self, name, trial, *args):
        """The result of that name; if there is none yet, what trial(*args) returns."""
        if name not in self.results:
            self.results[name] = trial(*args)
            state = {"settings": self.settings, "results": self.results}
            write_whole(self.path, json.dumps(state, indent=1).encode())
        self.bar.update()
        return self.results[name]


def lengths(longest):
    """The epochs of each round's trials."""
    return [max(1, longest // 9), max(1, longest // 3), longest]


def sizes(starters):
    """The recipes of each round."""
    return [starters, max(1, starters // 3), max(1, starters // 9)]


def successive_halving(recipes, longest, trial):
    """The results of each round, best first: trial(name, recipe, epochs) of every recipe, then of
    the best third of them anew and three times as long, and once more."""
    field, rounds = list(enumerate(recipes)), []
    for epochs, size in zip(lengths(longest), sizes(len(recipes)), strict=True):
        field = field[:size]
        found = {i: trial(f"recipe {i}, {epochs} epochs", r, epochs) for i, r in field}
        field.sort(key=lambda recipe: -found[recipe[0]]["accuracy"])
        rounds.append([found[i] for i, _ in field])
    return rounds


def table(rounds, tests, homework):
    """The best of each round, and the winner on the test set."""
    print(f"\n{'epochs':>6} {'recipes':>8} {'learning rate':>14} {'batch':>6} {'L2':>7} "
          f"{'schedule':9} {'accuracy':>9} {'loss':>7}   (held-out images)")
    for ranked in rounds:
        for i, t in enumerate(ranked):
            of_homework = all(t[k] == v for k, v in homework.items())
            if i < 3 or of_homework:
                count = len(ranked) if i == 0 else ""
                note = "the homework's recipe" if of_homework else ""
                if ranked is rounds[-1] and i == 0:
                    note = f"{note} <- chosen"
                print(f"{t['epochs']:6} {count:>8} {t['lr']:14} {t['batch_size']:6} "
                      f"{t['weight_decay']:7g} {t['schedule']:9} {t['accuracy']:9.4f} "
                      f"{t['loss']:7.4f} {note}".rstrip())
    print("\nThe chosen recipe, trained on the whole training set\n")
    print("   seed  test accuracy  test loss")
    for t in tests:
        print(f"{t['seed']:7} {t['accuracy']:14.4f} {t['loss']:10.4f}")
    print()
