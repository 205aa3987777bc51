"""Softmax regression on features, and its answers on pictures that it was not trained on."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Indices = NDArray[np.int64]

FOLDS = 5
_PENALTY = 3e-4
_STEPS = 60
_MEMORY = 8
_DIRECTIONS = 192


def out_of_fold(
    features: Floats,
    targets: Indices,
    classes: int,
    groups: Indices,
    *,
    trusted: NDArray[np.bool_] | None = None,
    done: Callable[[], None] = lambda: None,
) -> Floats:
    """Return each picture's probabilities from a head that was trained without it.

    Args:
        features: (n, d), see `compact`.
        targets: (n,) the classes' indices.
        classes: how many there are.
        groups: (n,) pictures with the same number, such as copies, are in the same fold.
        trusted: (n,) which pictures heads are trained on; None for all.
        done: called after each fold.

    Returns:
        (n, classes) float32.
    """
    folds = _folds(targets, groups)
    found = np.zeros((len(features), classes), np.float32)
    for fold in range(FOLDS):
        inside = folds != fold
        if trusted is not None:
            inside &= trusted
        held = folds == fold
        if held.any() and inside.any():
            found[held] = _fit(features[inside], targets[inside], classes)(features[held])
        done()
    return found


def compact(features: Floats) -> Floats:
    """Return the features along their widest directions, (n, at most 192): much less to train on.

    Their length is 1 on average, so that one penalty suits all networks.
    """
    centred = features - features.mean(axis=0)
    _, directions = np.linalg.eigh(centred.T @ centred)
    short = centred @ directions[:, -_DIRECTIONS:]
    found: Floats = short / np.float32(max(float(np.sqrt((short**2).sum(axis=1).mean())), 1e-6))
    return found


def _folds(targets: Indices, groups: Indices) -> Indices:
    """Return each picture's fold: every class is spread over all, a group is in one."""
    random = np.random.default_rng(0)
    order = random.permutation(len(targets))
    order = order[np.argsort(targets[order], kind="stable")]
    place: dict[int, int] = {}
    folds = np.zeros(len(targets), np.int64)
    for position, index in enumerate(order.tolist()):
        folds[index] = place.setdefault(int(groups[index]), position % FOLDS)
    return folds


def _fit(features: Floats, targets: Indices, classes: int) -> Callable[[Floats], Floats]:
    """Train a head; return what answers with it."""
    x = np.concatenate([features, np.ones((len(features), 1), np.float32)], axis=1)
    wanted = np.zeros((len(x), classes), np.float32)
    wanted[np.arange(len(x)), targets] = 1
    penalty = np.full((x.shape[1], 1), _PENALTY, np.float32)
    penalty[-1] = 0  # the bias

    def loss(flat: Floats) -> tuple[float, Floats]:
        weights = flat.reshape(x.shape[1], classes)
        answers = _softmax(x @ weights)
        value = -np.log(np.maximum(answers[np.arange(len(x)), targets], 1e-12)).mean()
        slope = x.T @ (answers - wanted) / np.float32(len(x)) + penalty * weights
        return float(value + 0.5 * (penalty * weights**2).sum()), slope.reshape(-1)

    weights = minimize(loss, np.zeros(x.shape[1] * classes, np.float32))
    weights = weights.reshape(x.shape[1], classes)

    def answer(features: Floats) -> Floats:
        return _softmax(features @ weights[:-1] + weights[-1])

    return answer


def minimize(loss: Callable[[Floats], tuple[float, Floats]], start: Floats) -> Floats:
    """Return where a smooth convex function is lowest (L-BFGS: Nocedal 1980)."""
    point = start
    value, slope = loss(point)
    past: deque[tuple[Floats, Floats]] = deque(maxlen=_MEMORY)
    for _ in range(_STEPS):
        direction = -_inverse_hessian(past, slope)
        downhill = float(direction @ slope)
        if downhill > -1e-9:
            break
        step = 1.0 if past else 1.0 / max(float(np.linalg.norm(slope)), 1.0)
        for _ in range(20):
            new_point = point + np.float32(step) * direction
            new_value, new_slope = loss(new_point)
            if new_value <= value + 1e-4 * step * downhill:
                break
            step /= 2
        else:
            break
        moved, turned = new_point - point, new_slope - slope
        if float(moved @ turned) > 1e-12:
            past.append((moved, turned))
        point, value, slope = new_point, new_value, new_slope
    return point


def _inverse_hessian(past: deque[tuple[Floats, Floats]], slope: Floats) -> Floats:
    """Return the inverse of the second derivative, as the last steps tell it, times the slope."""
    result = slope.copy()
    factors = []
    for moved, turned in reversed(past):
        factor = float(moved @ result) / float(moved @ turned)
        result -= np.float32(factor) * turned
        factors.append(factor)
    if past:
        moved, turned = past[-1]
        result *= np.float32(float(moved @ turned) / float(turned @ turned))
    for (moved, turned), factor in zip(past, reversed(factors), strict=True):
        other = float(turned @ result) / float(moved @ turned)
        result += np.float32(factor - other) * moved
    return result


def _softmax(logits: Floats) -> Floats:
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    answers: Floats = raised / raised.sum(axis=1, keepdims=True)
    return answers
