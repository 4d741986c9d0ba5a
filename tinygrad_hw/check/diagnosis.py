"""What is wrong with a claim: explanations are tried on generic samples, and the first that holds
in every one of them is named. None is named that does not: a wrong diagnosis is worse than none.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from tinygrad_hw.check import axes, messages
from tinygrad_hw.check.evidence import Evidence
from tinygrad_hw.check.fits import LOOSE, TIGHT, Formula, formula, ratio, ratios
from tinygrad_hw.check.inputs import Array, Sample, large
from tinygrad_hw.check.messages import Diagnosis
from tinygrad_hw.check.oracles import COTANGENT
from tinygrad_hw.check.terms import changed, isolated, means, terms
from tinygrad_hw.check.verdict import Trial


def diagnose(e: Evidence) -> Diagnosis:
    """Name the mistake, or say that it is unexplained."""
    problems = set(e.problems(e.every)) - {None}
    if "unknown" in problems:
        conflict = next(t.truth.conflicts[e.name] for t in e.every if e.name in t.truth.conflicts)
        return messages.library(e.title, conflict)
    again = e.claim.answer(e.smallest.sample.values).arrays.get(e.name)
    if again is not None and not np.array_equal(again, e.claimed(e.smallest), equal_nan=True):
        return messages.random(e.title)
    met = e.problems(e.generic or e.every)
    ((mostly, _),) = Counter(met).most_common(1)
    if mostly == "raises" or ("raises" in problems and not problems & {"shape", "value"}):
        return raising(e, set(met) == {"raises"})
    found = None
    if "shape" in met:
        found = misshapen(e)
    elif "shape" in problems:
        return messages.shape_somewhere(e.title, *shapes(e), e.region(e.has("shape")))
    elif "value" in problems:
        found = mistaken(e)
    elif "mutates" in problems:
        return messages.mutates(e.title, written(e))
    elif "dtype" in problems:
        return messages.dtype(e.title, dtype(e))
    if found is None or found.kind == "unexplained":
        if "raises" in problems:
            return raising(e, always=False)
        if written(e):
            return messages.mutates(e.title, written(e), wrong=True)
        return found or messages.unexplained(e.title)
    if written(e):
        found = found.also(messages.writes(written(e)))
    return found


def written(e: Evidence) -> list[str]:
    """The inputs that the claim wrote to."""
    return sorted({name for t in e.every for name in t.answer.mutated})


def dtype(e: Evidence) -> str:
    for t in e.every:
        array = t.verdicts[e.name].claimed
        if array is not None:
            return str(array.dtype)
    raise AssertionError("a claim of no dtype")


def shapes(e: Evidence) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The shape that was claimed, and the one that is due, where they differ."""
    for t in (e.smallest, *e.every):
        v = t.verdicts[e.name]
        if v.problem == "shape" and v.claimed is not None:
            return v.claimed.shape, v.true.shape
    raise AssertionError("no shape was wrong")


def raising(e: Evidence, always: bool) -> Diagnosis:
    error = next(t.answer.error for t in e.every if t.answer.error is not None)
    return messages.raises(e.title, error, None if always else e.region(e.has("raises")))


# ------------------------------------------------------------------ wrong shapes, wrong axes


def misshapen(e: Evidence) -> Diagnosis:
    """A shape that is wrong everywhere: swapped axes, a sum too many or over the wrong letter."""
    found = transposed(e) or summed_wrongly(e)
    return found or messages.shape(e.title, *shapes(e), hint(e))


def hint(e: Evidence) -> str:
    """What the numbers of a wrong shape are, where that can be told."""
    if squeezed(e):
        return "Its numbers are right: only axes of size 1 differ."
    pairs = [(e.claimed(t), e.true(t)) for t in e.paired]
    if pairs and all(
        true.ndim == 2 and claimed.shape == true.shape[:1] == true.shape[1:]
        and np.allclose(claimed, np.diag(true), rtol=1e-9)
        for claimed, true in pairs
    ):
        return "Its numbers are the diagonal's: np.diag(...) puts them there."
    return ""


def squeezed(e: Evidence) -> bool:
    """Whether only axes of size 1 are too many or too few."""
    return all(
        e.claimed(t).size == e.true(t).size
        and np.allclose(e.claimed(t).reshape(e.true(t).shape), e.true(t), rtol=1e-6)
        for t in e.paired
    ) and bool(e.paired)


def transposed(e: Evidence) -> Diagnosis | None:
    """The axes of the derivative in another order, perhaps scaled as well."""
    if not e.paired:
        return None
    ndim = e.true(e.paired[0]).ndim
    for order in itertools.permutations(range(ndim)):
        if order == tuple(range(ndim)):
            continue
        trues = [np.transpose(e.true(t), order) for t in e.paired]
        claims = [e.claimed(t) for t in e.paired]
        if all(c.shape == t.shape for c, t in zip(claims, trues, strict=True)):
            found = e.fitted(claims, trues)
            if found is not None:
                return messages.transpose(e.title, order, found, e.dimensions)
    return None


def summed_wrongly(e: Evidence) -> Diagnosis | None:
    """A sum or a mean over another axis than the right one, or over one too many."""
    claims = [e.claimed(t) for t in e.paired]
    for text, trues in axes.alternatives(e):
        if all(c.shape == t.shape for c, t in zip(claims, trues, strict=True)):
            found = e.fitted(claims, trues)
            if found is not None:
                return messages.wrong_axis(e.title, text, found)
    return None


# ----------------------------------------------------------------------------- wrong values


def mistaken(e: Evidence) -> Diagnosis:
    """Values that are wrong: everywhere, or in a region."""
    generic_wrong = any(p == "value" for p in e.problems(e.generic))
    if generic_wrong and e.paired:
        for explain in (scaled, transposed, diagonal_only, computed_narrowly, term, summed_wrongly,
                        in_a_region, scaled_and_term):
            found = explain(e)
            if found is not None:
                return checked(e, found)
        return messages.unexplained(e.title)
    return in_a_region(e) or messages.unexplained(e.title)


def scaled(e: Evidence) -> Diagnosis | None:
    found = e.fitted([e.claimed(t) for t in e.paired], [e.true(t) for t in e.paired])
    if found is None or found == Formula(1.0):
        return None
    narrow = dtype(e) if e.digits == LOOSE else None
    return messages.scale(e.title, found, e.dimensions, narrow)


def diagonal_only(e: Evidence) -> Diagnosis | None:
    """A Jacobian of which only the diagonal is claimed; or a pullback through such a one."""
    dropped = False
    for t in e.paired:
        claimed, true = e.claimed(t), e.true(t)
        if e.oracle.of == "vjp":
            jacobian = axes.jacobian(e, t)
            if jacobian is None or jacobian.shape != (*true.shape, *true.shape):
                return None
            matrix = jacobian.reshape(true.size, true.size)
            g = np.reshape(t.sample.values[COTANGENT], -1)
            expected = (np.diag(matrix) * g).reshape(true.shape)
        else:
            half = true.shape[: true.ndim // 2]
            if true.ndim % 2 or not true.ndim or half != true.shape[true.ndim // 2 :]:
                return None
            size = int(np.prod(half))
            matrix = true.reshape(size, size)
            expected = np.diag(np.diag(matrix)).reshape(true.shape)
        if not np.allclose(claimed, expected, rtol=1e-7, atol=1e-9 * np.max(abs(true), initial=0)):
            return None
        dropped |= bool((matrix != np.diag(np.diag(matrix))).any())
    return messages.diagonal_only(e.title, e.oracle.of) if dropped else None


def computed_narrowly(e: Evidence) -> Diagnosis | None:
    """Right to the digits of float32 (or of whole numbers), and no further."""
    claimed_type = np.dtype(dtype(e))
    if claimed_type.kind in "iub":
        rounded = [np.max(abs(e.claimed(t) - e.true(t)), initial=0) < 1 for t in e.paired]
        return messages.dtype(e.title, str(claimed_type)) if all(rounded) else None
    error = max(t.verdicts[e.name].error() for t in e.paired)
    if claimed_type.itemsize < 8:
        allowed = 3e-5 if claimed_type == np.float32 else 3e-2
        return messages.dtype(e.title, str(claimed_type)) if error < allowed else None
    if error > 2e-2 or decimals(e) or not moves_in_jumps(e):
        return None
    return messages.dtype(e.title, "float32" if error < 3e-5 else "float16")


def decimals(e: Evidence) -> bool:
    """Whether the claim is rounded to some decimals, which moves in jumps too."""
    claims = [e.claimed(t) for t in e.paired]
    return any(all(np.array_equal(c, np.round(c, k)) for c in claims) for k in range(10))


def moves_in_jumps(e: Evidence) -> bool:
    """Whether some input can be moved by a trifle and the claim stays where it is, to the last bit,
    while the truth moves: on the way it was rounded to a narrower type."""
    for name in e.claim.names:
        still = moved = 0
        for t in e.paired[:12]:
            x = np.asarray(t.sample.values[name])
            if x.dtype.kind != "f" or not x.ndim:
                break
            nudged = {**t.sample.values, name: x * (1 + 1e-11)}
            after = e.run(Sample(t.sample.sizes, nudged))
            if after is not None and not np.array_equal(e.true(after), e.true(t)):
                moved += 1
                still += np.array_equal(e.claimed(after), e.claimed(t))
        if moved and still > moved / 2:
            return True
    return False


def term(e: Evidence) -> Diagnosis | None:
    """A term too many or too few: what is left when the truth is taken away."""
    if any(e.claimed(t).shape != e.true(t).shape for t in e.paired):
        return None
    claims, trues = [e.claimed(t) for t in e.paired], [e.true(t) for t in e.paired]
    left = [c - t for c, t in zip(claims, trues, strict=True)]
    ones = [np.ones_like(t) for t in trues]
    constant = e.fitted(left, ones)
    if constant is not None:
        return told(e, "1", constant)
    for sign, said, arrays in (
        (1.0, messages.missing_mean, claims),
        (-1.0, messages.extra_mean, trues),
    ):
        for text, columns in common([means(a, e.letters) for a in arrays]):
            if e.fitted(left, columns) == Formula(sign):
                return said(e.title, text)
    for text, columns in each_term(e):
        found = e.fitted(left, columns)
        if found is not None:
            return told(e, text, found)
    return None


def each_term(e: Evidence) -> Iterator[tuple[str, list[Array]]]:
    yield from common(
        [
            terms(e.inputs, e.layout, e.letters, t.sample, e.name, e.true(t).shape)
            for t in e.paired
        ]
    )


def common(streams: Sequence[Iterator[tuple[str, Array]]]) -> Iterator[tuple[str, list[Array]]]:
    """What every sample has, by its text."""
    first, *others = [dict(stream) for stream in streams]
    for text, array in first.items():
        if all(text in other for other in others):
            yield text, [array, *(other[text] for other in others)]


def told(e: Evidence, text: str, found: Formula) -> Diagnosis:
    """Whether `found · text`, what the claim has more than the truth, is one too many there, or one
    that the truth has with the other sign and the claim lacks."""
    words = {*re.findall(r"[^\W\d]\w*", text), *(name for name, _ in found.powers)}
    extra = depends(e, words - {e.name}) or stands_alone(e, words) or int(np.sign(found.constant))
    share = held(e, words)
    if extra > 0:
        return messages.extra(e.title, text, found, share)
    return messages.missing(e.title, text, Formula(-found.constant, found.powers), share)


def held(e: Evidence, words: set[str]) -> float | None:
    """How much of the truth the claim holds where all that the term does not name is zero: 0 where
    the term was forgotten, 2 where it is there twice, -1 where its sign is wrong, nan where the
    loss has no such term; None where other terms are left."""
    shares = []
    for t in e.paired[:4]:
        trial = e.run(isolated(e.oracle.wrt, t.sample, words))
        if trial is None or trial.verdicts[e.name].claimed is None:
            return None
        claimed, true = e.claimed(trial), e.true(trial)
        nothing = np.max(abs(true), initial=0) <= 1e-12 < np.max(abs(claimed), initial=0)
        share = np.nan if nothing else ratio(claimed, true, e.digits)
        if share is None:
            return None
        shares.append(share)
    same = shares and (np.isnan(shares).all() or np.ptp(shares) <= 1e-6)
    return float(np.round(shares[0], 6)) if same else None


def depends(e: Evidence, words: set[str]) -> int:
    """1 if the claim alone depends on an input that the term names, -1 if the truth alone does."""
    for name in sorted(words & set(e.inputs)):
        moved = [(t, e.run(changed(t.sample, name))) for t in e.paired[:4]]
        pairs = [(t, after) for t, after in moved if after is not None]
        claim, truth = (
            any(not np.allclose(of(t), of(after), rtol=1e-9, atol=1e-12) for t, after in pairs)
            for of in (e.claimed, e.true)
        )
        if claim != truth:
            return 1 if claim else -1
    return 0


def stands_alone(e: Evidence, words: set[str]) -> int:
    """The same, looking where all that the term does not name is zero: the larger one has it."""
    votes = 0
    for t in e.paired[:8]:
        trial = e.run(isolated(e.oracle.wrt, t.sample, words))
        if trial is None or trial.verdicts[e.name].claimed is None:
            continue
        claimed, true = (np.linalg.norm(a) for a in (e.claimed(trial), e.true(trial)))
        if np.isfinite(claimed) and abs(claimed - true) > 1e-6 * max(claimed, true):
            votes += 1 if claimed > true else -1
    return votes


def scaled_and_term(e: Evidence) -> Diagnosis | None:
    """Two mistakes in one: claimed = a · true + b · term, both by a formula."""
    if any(e.claimed(t).shape != e.true(t).shape for t in e.paired):
        return None
    telling = [i for i, t in enumerate(e.paired) if e.true(t).size >= 3]
    if len(telling) < 6:
        return None
    for text, columns in each_term(e):
        pairs = []
        for i in telling:
            true, claimed = e.true(e.paired[i]).ravel(), e.claimed(e.paired[i]).ravel()
            A = np.stack([true, columns[i].ravel()], axis=1)
            solution, *_ = np.linalg.lstsq(A, claimed, rcond=None)
            if np.max(abs(A @ solution - claimed)) > e.digits * np.max(abs(claimed)):
                break
            pairs.append(solution)
        else:
            variables = {k: v[telling] for k, v in e.variables.items()}
            a, b = (formula(np.array(x), variables, 100 * e.digits) for x in np.transpose(pairs))
            # a constant and a term to choose fit too much: a has to be a letter's power, or -1
            if a is not None and b is not None and (a.powers or a == Formula(-1.0)):
                return messages.scale_and_term(e.title, a, b, text, e.dimensions)
    return None


def checked(e: Evidence, found: Diagnosis) -> Diagnosis:
    """The explanation, if the search met nothing of ordinary size that it does not cover: an
    exception or a wrong number elsewhere is a second mistake, to be named or left unexplained."""
    if any(p == "raises" for p in e.problems(e.every)):
        where = e.region(e.has("raises"))
        error = next(t.answer.error for t in e.every if t.answer.error is not None)
        return found.also(messages.raises_too(error, where))
    return found


# ----------------------------------------------------------------- wrong here and right there


def in_a_region(e: Evidence) -> Diagnosis | None:
    """Wrong for large inputs only, where a wider type would be right; or in a region."""
    wrong = [t for t in e.every if t.verdicts[e.name].problem == "value"]
    infinite = [t for t in wrong if not np.isfinite(e.claimed(t)).all()]
    if infinite and all(overflows(e, t) for t in wrong):
        return messages.unstable(e.title, ", ".join(enlarged(e.smallest)) or "values")
    text = e.region(e.entries)
    if text is None:
        text = e.region(lambda t: np.array(t.verdicts[e.name].problem == "value"))
    if text is None:
        return None
    inside = [
        (e.claimed(t)[w], e.true(t)[w])
        for t in wrong
        for w in [t.verdicts[e.name].wrong]
        if w is not None and np.isfinite(e.claimed(t)[w]).all()
    ]
    found = ratios([c for c, _ in inside], [t for _, t in inside], TIGHT) if inside else None
    factor = formula(found, {}, TIGHT) if found is not None else None
    added = None
    if factor is None and inside:
        left = [c - t for c, t in inside]
        found = ratios(left, [np.ones_like(x) for x in left], TIGHT)
        added = formula(found, {}, TIGHT) if found is not None else None
    return messages.region(e.title, text, factor, added, bool(infinite))


def overflows(e: Evidence, trial: Trial) -> bool:
    """Whether a trial is wrong by overflow alone: a wider type is right, or the claim is not finite
    (or saturates beside such a place) where an input is large."""
    wide = e.claim.answer(trial.sample.values, widen=True).arrays.get(e.name)
    true = e.true(trial)
    if wide is not None and np.isfinite(wide).all():
        return bool(np.allclose(wide.astype(float), true, rtol=1e-6, atol=1e-9))
    return bool(enlarged(trial)) and not np.isfinite(e.claimed(trial)).all()


def enlarged(trial: Trial) -> list[str]:
    """The inputs of more than ordinary size at a trial."""
    return [name for name in large(trial.sample.values) if name != COTANGENT]
