"""How often a network is wrong, and how often labels are: told apart without clean labels.

If a network and a label disagree, one of them is wrong. How often networks are wrong depends on how sure they are; how
often labels are wrong does not, because the annotator did not see the network. So disagreements that become rare as
the network becomes surer are the network's, and the rate that is left where it is surest is that of the labels. This is
a logistic regression with lapses (known from psychometric functions: Wichmann and Hill 2001), fitted by expectation
maximisation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

ROUNDS = 40
"""Maximum number of rounds of expectation maximisation."""

SETTLED = 1e-4
"""Change of the responsibilities at which it stops."""

FIRST_STEPS, STEPS = 8, 2
"""Newton steps of the regression before the first round, and in each round."""

HALVINGS = 8
"""How often a Newton step is halved that leads too far."""

RIDGE = 1.0
"""Weight of the prior of a coefficient, in units of its standardised evidence: mean 0, variance 1."""

PRIOR_OBJECTS = 100.0
"""The prior of the label errors is worth as much as this number of objects."""


@dataclass(frozen=True)
class Lapses:
    """The fit for N places and K outcomes; outcome 0 is "network and label agree".

    `network` (N, K) float64 is the probability that the network is in state k and the label is right, given what was
    observed; `label` (N, K) that the network is right and the label has error k. Each row of both sums to 1. `rates`
    (K,) are the label errors for each right finding, with rates[0] = 0.
    """

    network: np.ndarray
    label: np.ndarray
    rates: np.ndarray


@dataclass(frozen=True)
class Expectation:
    """What is expected of a network before anything is seen, as if A more findings had been seen.

    `evidence` (A, F) float64 are theirs; `shares` (A, K) float64 is how many of them are in each state.
    """

    evidence: np.ndarray
    shares: np.ndarray


def fit(
    evidence: np.ndarray, network: np.ndarray, label: np.ndarray, usual_rate: float, expected: Expectation
) -> Lapses:
    """Fit network errors and label errors to what was observed at N places.

    `evidence` (N, F) float64 says how sure the network is. `network` (N, K) is the likelihood of the observation if the
    network is in state k (0: right) and the label is right; `label` (N, K) that if the network is right and the label
    has error k (column 0 is not used). Where the outcomes are simply seen, both are 1 in the column of the outcome and
    0 elsewhere. `usual_rate` is the expected rate of each label error, `expected` that of network errors, before
    anything is seen.

    Example: of 200 findings each, the labels contradict 100, 24, 4 and 4, the surer the fewer. Without label errors the
    last number would be about 1: there it is probably the label that is wrong, and at the first ones the network.

    >>> sure = np.repeat([0.0, 2.0, 4.0, 6.0], 200)
    >>> contradicts = np.concatenate([np.arange(200) < number for number in (100, 24, 4, 4)])
    >>> seen = np.eye(2)[contradicts.astype(int)]
    >>> one_right_one_wrong = Expectation(np.array([[0.0]]), np.array([[1.0, 1.0]]))
    >>> fitted = fit(sure[:, None], seen, seen, 0.01, one_right_one_wrong)
    >>> bool(fitted.label[0, 1] < 0.05), bool(fitted.label[600, 1] > 0.6)
    (True, True)
    """
    count, states = network.shape
    anchors = len(expected.evidence)
    weight = np.concatenate([expected.shares.sum(axis=1), np.ones(count)])
    both = standardised(np.concatenate([expected.evidence, evidence]), weight)
    standard = both[anchors:]
    coefficients = np.zeros((standard.shape[1], states))
    for _ in range(FIRST_STEPS):
        coefficients = _newton_step(both[:anchors], expected.shares, coefficients)
    rates = np.full(states, usual_rate)
    rates[0] = 0.0
    before = np.zeros((count, 2 * states))
    posterior = before
    for _ in range(ROUNDS):
        chances = _softmax(standard @ coefficients)
        in_network, in_label = chances * network, chances[:, :1] * rates * label
        in_network[:, 0] *= 1 - rates.sum()
        posterior = np.concatenate([in_network, in_label], axis=1)
        posterior /= np.maximum(posterior.sum(axis=1, keepdims=True), 1e-300)
        if np.abs(posterior - before).max(initial=0.0) < SETTLED:
            break
        before = posterior
        is_error = posterior[:, states:]
        shares = posterior[:, :states].copy()
        shares[:, 0] += is_error.sum(axis=1)
        for _ in range(STEPS):
            coefficients = _newton_step(both, np.concatenate([expected.shares, shares]), coefficients)
        right = shares[:, 0].sum() + PRIOR_OBJECTS
        rates = (is_error.sum(axis=0) + PRIOR_OBJECTS * usual_rate) / right
        rates[0] = 0.0
    return Lapses(posterior[:, :states], posterior[:, states:], rates)


def standardised(evidence: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The columns of (N, F), scaled to mean 0 and variance 1 with weights (N,), after a column of ones: (N, F + 1)."""
    whole = max(weight.sum(), 1e-9)
    centred = evidence - weight @ evidence / whole
    spread = np.sqrt(weight @ centred**2 / whole)
    return np.concatenate([np.ones((len(evidence), 1)), centred / np.where(spread > 1e-9, spread, 1.0)], axis=1)


def _newton_step(standard: np.ndarray, shares: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    """A Newton step of a multinomial logistic regression (F, K) on shares (N, K), with a ridge, and state 0 at 0."""
    features, states = coefficients.shape
    penalty = np.full(features, RIDGE)
    penalty[0] = 1e-3  # the rate itself is free
    weight = shares.sum(axis=1)
    chances = _softmax(standard @ coefficients)
    gradient = standard.T @ (shares - weight[:, None] * chances) - penalty[:, None] * coefficients
    hessian = np.zeros((features, states - 1, features, states - 1))
    for one in range(1, states):
        for other in range(1, states):
            curvature = weight * chances[:, one] * ((one == other) - chances[:, other])
            hessian[:, one - 1, :, other - 1] = (standard * curvature[:, None]).T @ standard
    size = features * (states - 1)
    matrix = hessian.reshape(size, size) + np.diag(np.repeat(penalty, states - 1))
    step = np.linalg.solve(matrix, gradient[:, 1:].reshape(size)).reshape(features, states - 1)
    before = _likelihood(standard, shares, coefficients, penalty)
    for halving in range(HALVINGS):
        moved = coefficients.copy()
        moved[:, 1:] += step / 2**halving
        if _likelihood(standard, shares, moved, penalty) >= before:
            return moved
    return coefficients


def _likelihood(standard: np.ndarray, shares: np.ndarray, coefficients: np.ndarray, penalty: np.ndarray) -> float:
    """The logarithm of the likelihood of the shares and of the prior, without constants."""
    chances = np.maximum(_softmax(standard @ coefficients), 1e-300)
    return float((shares * np.log(chances)).sum() - 0.5 * (penalty[:, None] * coefficients**2).sum())


def _softmax(values: np.ndarray) -> np.ndarray:
    raised = np.exp(values - values.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)
