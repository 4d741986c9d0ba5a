"""The sentences: each diagnosis in words that a student understands, with the likely cause."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from tinygrad_hw.check.fits import Formula

Shape = tuple[int, ...]
Letters = Collection[str]  # dimensions that a mean may go over: not hyperparameters


@dataclass(frozen=True)
class Diagnosis:
    """A kind, how much, and a sentence or two. `blames` is the claim unless the oracles differ."""

    kind: str
    factor: str | None
    message: str
    blames: str = "claim"

    def also(self, sentence: str) -> Diagnosis:
        """The same with a second mistake named beside it."""
        return replace(self, message=f"{self.message} {sentence}")


# --------------------------------------------------------------------------- scales and signs


def scale(title: str, found: Formula, letters: Letters, narrow: str | None) -> Diagnosis:
    if found == Formula(-1.0):
        said = Diagnosis("sign", "-1", f"{title} has the wrong sign: it is -1 times the true one.")
    else:
        message = f"{title} is {times(found, title)}{cause(found, letters)}."
        said = Diagnosis("scale", found.text(), message)
    if narrow:
        return said.also(f"It is computed in {narrow} besides, where float64 came in.")
    return said


def times(found: Formula, title: str = "the") -> str:
    """How often the true gradient (or Jacobian, or Hessian)."""
    true = "the true one" if title.startswith("the") else "the true gradient"
    if found == Formula(2.0):
        return f"twice {true}"
    if found == Formula(0.5):
        return f"half {true}"
    share = found.constant == 1 and found.powers and all(p < 0 for _, p in found.powers)
    return f"{found.text()} {'of' if share else 'times'} {true}"


def cause(found: Formula, letters: Letters) -> str:
    """What such a factor usually comes from, and whether the sign is wrong besides."""
    sign = ", and its sign is wrong" if found.constant < 0 else ""
    if not found.powers:
        halves = {
            2.0: ", as when the 1/2 in front of a square is forgotten",
            0.5: ", as when the 2 from differentiating a square is forgotten",
        }
        return halves.get(abs(found.constant), "") + sign
    if abs(found.constant) != 1 or any("-" in name for name, _ in found.powers):
        return sign
    if len(found.powers) == 1:
        ((name, power),) = found.powers
        whose = f"the mean's 1/{name}" if name in letters else f"a division by {name}"
        causes = {
            1.0: f": {whose} is missing",
            -1.0: f": it is divided by {name} once too often",
            0.5: f": a division by sqrt({name}) is missing",
            -0.5: f": it is divided by sqrt({name}) once too often",
        }
        return causes.get(power, f": {name} counts once too often") + sign
    above = [name for name, power in found.powers if power == 1]
    below = [name for name, power in found.powers if power == -1]
    if len(above) == len(below) == 1 and len(found.powers) == 2:
        return f": it is divided by {below[0]} where the loss divides by {above[0]}{sign}"
    return sign


def scale_and_term(
    title: str, a: Formula, b: Formula, text: str, letters: Letters
) -> Diagnosis:
    kind = "sign" if a == Formula(-1.0) else "scale"
    return Diagnosis(
        kind,
        a.text(),
        f"{title} has two mistakes: it is {times(a, title)}{cause(a, letters)}; and the term "
        f"{coefficient(b, text)} is added to that.",
    )


# ------------------------------------------------------------------------- axes and shapes


def transpose(
    title: str, order: Sequence[int], found: Formula, letters: Letters
) -> Diagnosis:
    if len(order) == 2:
        said = Diagnosis(
            "transpose",
            None,
            f"{title} is the transpose of the true one: swap the two factors of the product, or "
            "transpose it.",
        )
    else:
        said = Diagnosis(
            "transpose",
            str(tuple(order)),
            f"{title} has the axes {tuple(order)} of the true one: in a Jacobian the axes of the "
            "loss's value come first, and then the input's.",
        )
    if found == Formula(1.0):
        return said
    besides = f"Besides, it is {times(found, title)}{cause(found, letters)}."
    return replace(said, factor=found.text()).also(besides)


def wrong_axis(title: str, text: str, found: Formula) -> Diagnosis:
    """`text` is "no sum over n", "sum over c instead of n", "sum over d" or "n and c swapped"."""
    letter = text.split()[-1]
    if text.startswith("no sum"):
        return Diagnosis(
            "shape",
            text,
            f"{title} is not summed: it holds a term for each {letter} by itself. Sum over "
            f"{letter}, the axis along which the input is broadcast.",
        )
    if text.endswith("swapped"):
        said = f"is what it would be with {text}: a sum, a mean or a maximum takes the other axis"
    elif "instead of" in text:
        said = f"is a {text}: the axis of the sum or of the mean is the wrong one"
    else:
        said = f"is summed over {letter} as well, an axis which should stay"
    size = "" if found == Formula(1.0) else f" Its size is {found.text()} times such a sum's."
    return Diagnosis("wrong-axis", text, f"{title} {said}.{size}")


def shape(title: str, claimed: Shape, true: Shape, hint: str) -> Diagnosis:
    said = f"{title} has shape {claimed} where {true} is due. {hint}".rstrip()
    return Diagnosis("shape", None, said)


def shape_somewhere(title: str, claimed: Shape, true: Shape, region: str | None) -> Diagnosis:
    here = where(region) if region else "for some inputs"
    return Diagnosis(
        "shape",
        region,
        f"{title} has the wrong shape {here}: {claimed}, and {true} is due. squeeze() does this "
        "when it drops an axis of size 1.",
    )


def diagonal_only(title: str, of: str) -> Diagnosis:
    said = "uses only the diagonal of the Jacobian" if of == "vjp" else "has only its diagonal"
    return Diagnosis(
        "diagonal-only",
        None,
        f"{title} {said}: each output depends on the other inputs too, and those terms are taken "
        "to be zero.",
    )


# ------------------------------------------------------------------------------------ terms


def coefficient(found: Formula, text: str) -> str:
    """A term as it is written: "0.1*W", "-X.T @ y/n", "0.5"."""
    factor = found.text(decimal=True)
    if text == "1":
        return factor
    sign, size = ("-", factor[1:]) if factor.startswith("-") else ("", factor)
    if size == "1":
        return f"{sign}{text}"
    if size.startswith("1/"):
        return f"{sign}{text}/{size[2:]}"
    return f"{sign}{size} * {text}" if "@" in text else f"{sign}{size}*{text}"


def missing_mean(title: str, text: str) -> Diagnosis:
    return Diagnosis(
        "missing-term",
        text,
        f"{title} is the true gradient without its {text} taken off: every entry also moves the "
        "mean.",
    )


def extra_mean(title: str, text: str) -> Diagnosis:
    return Diagnosis(
        "extra-term", text, f"{title} is the true gradient with its {text} taken off needlessly."
    )


def missing(title: str, text: str, found: Formula, share: float | None) -> Diagnosis:
    """`share` is how much of the term the claim has, where that could be told."""
    penalty = {title[1:]: "the weight decay", f"sign({title[1:]})": "the L1 penalty"}
    term = coefficient(found, text)
    why = ""
    if share == 0:
        why = f": {penalty[text]} was forgotten" if text in penalty else ": it was forgotten"
    elif share == -1:
        why = f": {penalty.get(text, 'what there is of it')} has the wrong sign"
    elif share is not None and 0 < share < 1:
        why = f": it has {share:g} of it"
    return Diagnosis("missing-term", term, f"{title} lacks the term {term}{why}.")


def extra(title: str, text: str, found: Formula, share: float | None) -> Diagnosis:
    term = coefficient(found, text)
    why = ""
    if share == 2:
        why = ": it is counted twice"
    elif share is not None and share != share:
        why = ": the loss has no such term"
    return Diagnosis("extra-term", term, f"{title} has the term {term} too many{why}.")


# ---------------------------------------------------------------- regions and what goes wrong


def region(
    title: str, text: str, factor: Formula | None, added: Formula | None, infinite: bool
) -> Diagnosis:
    there = ""
    if infinite:
        there = " There it is nan or infinite."
    elif factor == Formula(-1.0):
        there = " There its sign is wrong."
    elif factor is not None:
        there = f" There it is {times(factor, title)}."
    elif added is not None:
        there = f" There {added.text(decimal=True)} is added to the true gradient."
    return Diagnosis("region", text, f"{title} is right except {where(text)}.{there}")


def where(region: str) -> str:
    """A region's description in a sentence."""
    if region.startswith(("on ", "off ", "at ")):
        return region
    if region.startswith("the "):
        return f"in {region}"
    if region.startswith("ties "):
        return f"where there are {region}"
    if region.endswith(" repeated"):
        return f"where labels in {region.removesuffix(' repeated')} are repeated"
    return f"where {region.replace(' absent from', ' is absent from')}"


def unstable(title: str, large: str) -> Diagnosis:
    return Diagnosis(
        "unstable",
        f"large {large}",
        f"{title} is mathematically right, but for large {large} it overflows or becomes nan where "
        "the true gradient is finite: use a stable form (subtract the maximum before exp).",
    )


def dtype(title: str, name: str) -> Diagnosis:
    return Diagnosis(
        "dtype",
        name,
        f"{title} is computed in {name} where float64 came in, so that only the digits of {name} "
        "are right: keep the dtype of the inputs.",
    )


def raises(title: str, error: Exception | None, region: str | None) -> Diagnosis:
    name = type(error).__name__
    said = f" {where(region)}" if region else ""
    return Diagnosis("raises", name, f"The claim for {title} raises {name}{said}: {error}")


def raises_too(error: Exception | None, region: str | None) -> str:
    said = f" {where(region)}" if region else ""
    return f"Besides, it raises {type(error).__name__}{said}: {error}"


def mutates(title: str, names: Sequence[str], wrong: bool = False) -> Diagnosis:
    values = "Its numbers are wrong besides." if wrong else "Its numbers are right."
    joined = ", ".join(names)
    return Diagnosis(
        "mutates-input",
        joined,
        f"The claim for {title} writes to its input {joined}, which the caller still needs: work "
        f"on a copy. {values}",
    )


def writes(names: Sequence[str]) -> str:
    return f"Besides, the claim writes to its input {', '.join(names)}: work on a copy."


def random(title: str) -> Diagnosis:
    return Diagnosis(
        "unexplained",
        None,
        f"The claim for {title} returns different numbers when it is called again with the same "
        "inputs: a derivative is a function, so draw no random numbers in it and keep no state.",
    )


def unexplained(title: str) -> Diagnosis:
    return Diagnosis(
        "unexplained",
        None,
        f"{title} is wrong, and no single scale, sign, transpose, term, axis or region explains "
        "it: compare the two arrays of the example.",
    )


def library(title: str, conflict: str) -> Diagnosis:
    return Diagnosis(
        "unexplained",
        None,
        f"{title} could not be judged, and that is not your derivation's fault: {conflict} "
        "disagree about the loss itself. Either a rule of the library (or of an op of your own) is "
        "wrong, or the loss hides a part of itself from autodiff, as detach() does.",
        "library",
    )
