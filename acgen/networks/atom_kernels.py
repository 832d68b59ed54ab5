"""What a frozen PaiNN does between matrix products, atom by atom, compiled; each function beside its gradient.

Rows of whole arrays (N, ...) begin at atom `low`, arrays of the part that is being done have a row for each of its
atoms. The number of channels n is a constant of each compiled function, see `acgen.networks.edge_kernels`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from acgen.networks.compiled import compiled

SCALE = 0.25
"""Neighbour sums are scaled by about one over the root of their number, so that features stay of order one."""
LENGTH_EPS, RMS_EPS, NORM_EPS = 1e-6, 1e-3, 1e-5
"""Added to squares before a root: of a vector's length, of the mean square of vectors, of a LayerNorm's variance."""


@compiled
def _moments(x, n):
    """Mean and inverse standard deviation of the first n numbers, as of a LayerNorm."""
    number = x.dtype.type
    total = square = number(0)
    for c in range(n):
        total += x[c]
    mean = total / number(n)
    for c in range(n):
        square += (x[c] - mean) * (x[c] - mean)
    return mean, number(1) / np.sqrt(square / number(n) + number(NORM_EPS))


@compiled
def _inverse_rms(v, n):
    """One over the root mean square of the lengths of n vectors, components one after the other."""
    number = v.dtype.type
    square = number(0)
    for c in range(3 * n):
        square += v[c] * v[c]
    return number(1) / np.sqrt(square / number(n) + number(RMS_EPS))


@compiled
def _norm_gradient(g, a, x, n, out):
    """Add to `out` the gradient at x of a LayerNorm times `a`, from the gradient g behind both."""
    number = x.dtype.type
    mean, inverse = _moments(x, n)
    one = along = number(0)
    for c in range(n):
        one += g[c] * a[c]
        along += g[c] * a[c] * (x[c] - mean)
    one, along = one / number(n), along * inverse * inverse / number(n)
    for c in range(n):
        out[c] += inverse * (g[c] * a[c] - one - (x[c] - mean) * along)


@compiled
def _rms_gradient(g, v, inverse, n, out):
    """Add to `out` the gradient at the vectors v of v times `inverse` = `_inverse_rms(v)`, from the gradient g."""
    number = v.dtype.type
    along = number(0)
    for c in range(3 * n):
        along += g[c] * v[c]
    along *= inverse * inverse / number(n)
    for c in range(3 * n):
        out[c] += inverse * (g[c] - v[c] * along)


@cache
def begin(n: int) -> Callable:
    """Normalised scalars times `a` plus `b` of each atom's graph, `h` (atoms, n), and `_inverse_rms` of its vectors."""

    @compiled
    def kernel(s, v, a, b, graph, low, h, inverse):
        for row in range(len(h)):
            i = low + row
            x, out, scale, shift = s[i], h[row], a[graph[i]], b[graph[i]]
            mean, deviation = _moments(x, n)
            for c in range(n):
                out[c] = (x[c] - mean) * deviation * scale[c] + shift[c]
            inverse[row] = _inverse_rms(v[i], n)

    return kernel


@cache
def begin_gradient(n: int) -> Callable:
    """Add the gradient `gh` (atoms, n) behind `begin` to `gs` (N, n)."""

    @compiled
    def kernel(gh, s, a, graph, low, gs):
        for row in range(len(gh)):
            i = low + row
            _norm_gradient(gh[row], a[graph[i]], s[i], n, gs[i])

    return kernel


@cache
def tangents(n: int) -> Callable:
    """Normalised vectors times the last part of `q` (N, 3 n), into the vector features `vt` (N, 3 n)."""

    @compiled
    def kernel(v, inverse, q, low, vt):
        for row in range(len(inverse)):
            i, factor = low + row, inverse[row]
            x, y, out = v[i], q[i], vt[i]
            for c in range(n):
                w = factor * y[2 * n + c]
                out[c] = w * x[c]
                out[n + c] = w * x[n + c]
                out[2 * n + c] = w * x[2 * n + c]

    return kernel


@cache
def tangents_gradient(n: int) -> Callable:
    """From `gvt` (atoms, 3 n), used up, the last part of `gq` (atoms, 3 n), and what is added to `gv` (N, 3 n)."""

    @compiled
    def kernel(gvt, v, inverse, q, low, gq, gv):
        for row in range(len(gvt)):
            i, factor = low + row, inverse[row]
            x, y, g, out = v[i], q[i], gvt[row], gq[row]
            for c in range(n):
                out[2 * n + c] = factor * (g[c] * x[c] + g[n + c] * x[n + c] + g[2 * n + c] * x[2 * n + c])
                g[c] *= y[2 * n + c]
                g[n + c] *= y[2 * n + c]
                g[2 * n + c] *= y[2 * n + c]
            _rms_gradient(g, x, factor, n, gv[i])

    return kernel


@cache
def settle(n: int) -> Callable:
    """Add neighbour sums (atoms, 4 n) to scalars and vectors, into `s1` (atoms, n) and `v1` (atoms, 3 n); normalise.

    The normalised vectors go to `un` (atoms, 3 n), the normalised scalars to the first half of `mixed` (atoms, 2 n).
    """

    @compiled
    def kernel(sums, s, v, gamma, beta, low, s1, v1, un, inverse, mixed):
        factor = s.dtype.type(SCALE)
        for row in range(len(sums)):
            i = low + row
            add, x, y, u, out = sums[row], s1[row], v1[row], un[row], mixed[row]
            old = s[i]
            for c in range(n):
                x[c] = old[c] + factor * add[c]
            old = v[i]
            for c in range(3 * n):
                y[c] = old[c] + factor * add[n + c]
            mean, deviation = _moments(x, n)
            for c in range(n):
                out[c] = (x[c] - mean) * deviation * gamma[c] + beta[c]
            inverse[row] = _inverse_rms(y, n)
            for c in range(3 * n):
                u[c] = y[c] * inverse[row]

    return kernel


@cache
def settle_gradient(n: int) -> Callable:
    """Add the gradients behind `settle` to those at its sums, `gs` (N, n) and `gv` (N, 3 n), and scale these into
    `ds` and `dv`, the gradients at the neighbour sums."""

    @compiled
    def kernel(gun, gmixed, s1, v1, inverse, gamma, low, gs, gv, ds, dv):
        factor = s1.dtype.type(SCALE)
        for row in range(len(gun)):
            i = low + row
            x, y = gs[i], gv[i]
            _norm_gradient(gmixed[row], gamma, s1[row], n, x)
            _rms_gradient(gun[row], v1[row], inverse[row], n, y)
            out = ds[i]
            for c in range(n):
                out[c] = factor * x[c]
            out = dv[i]
            for c in range(3 * n):
                out[c] = factor * y[c]

    return kernel


@cache
def lengths(n: int) -> Callable:
    """Lengths of the second of each pair of vectors in `ab` (atoms, 6 n), into the second half of `mixed`."""

    @compiled
    def kernel(ab, mixed):
        eps = ab.dtype.type(LENGTH_EPS)
        for row in range(len(ab)):
            x, out = ab[row], mixed[row]
            for c in range(n):
                b0, b1, b2 = x[n + c], x[3 * n + c], x[5 * n + c]
                out[n + c] = np.sqrt(b0 * b0 + b1 * b1 + b2 * b2 + eps)

    return kernel


@cache
def finish(n: int) -> Callable:
    """The update: gated vectors and scalar products, added to scalars and vectors, into `s` (N, n) and `v` (N, 3 n)."""

    @compiled
    def kernel(s1, v1, ab, gates, low, s, v):
        for row in range(len(ab)):
            i = low + row
            x, g, old, out = ab[row], gates[row], s1[row], s[i]
            for c in range(n):
                dot = x[c] * x[n + c] + x[2 * n + c] * x[3 * n + c] + x[4 * n + c] * x[5 * n + c]
                out[c] = old[c] + g[2 * n + c] + g[n + c] * dot
            old, out = v1[row], v[i]
            for c in range(n):
                out[c] = old[c] + g[c] * x[c]
                out[n + c] = old[n + c] + g[c] * x[2 * n + c]
                out[2 * n + c] = old[2 * n + c] + g[c] * x[4 * n + c]

    return kernel


@cache
def finish_gradient(n: int) -> Callable:
    """From the gradients behind `finish`, `gs` (N, n) and `gv` (N, 3 n), that at the gates, (atoms, 3 n)."""

    @compiled
    def kernel(gs, gv, ab, low, ggates):
        for row in range(len(ab)):
            i = low + row
            x, g, y, out = ab[row], gs[i], gv[i], ggates[row]
            for c in range(n):
                dot = x[c] * x[n + c] + x[2 * n + c] * x[3 * n + c] + x[4 * n + c] * x[5 * n + c]
                out[c] = y[c] * x[c] + y[n + c] * x[2 * n + c] + y[2 * n + c] * x[4 * n + c]
                out[n + c] = g[c] * dot
                out[2 * n + c] = g[c]

    return kernel


@cache
def lengths_gradient(n: int) -> Callable:
    """The gradient at `ab`, (atoms, 6 n), from those behind `finish` and behind `lengths`, `gmixed` (atoms, 2 n)."""

    @compiled
    def kernel(gs, gv, gmixed, ab, gates, mixed, low, gab):
        for row in range(len(ab)):
            i = low + row
            x, g, y, gate, out = ab[row], gs[i], gv[i], gates[row], gab[row]
            m, gm = mixed[row], gmixed[row]
            for c in range(n):
                cross = g[c] * gate[n + c]
                w = gm[n + c] / m[n + c]
                for k in range(3):
                    out[2 * k * n + c] = y[k * n + c] * gate[c] + cross * x[(2 * k + 1) * n + c]
                    out[(2 * k + 1) * n + c] = cross * x[2 * k * n + c] + w * x[(2 * k + 1) * n + c]

    return kernel
