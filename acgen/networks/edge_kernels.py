"""What a frozen PaiNN does along edges, compiled: filters from a table, neighbour sums, and the gradient of both.

Edges are sorted by receiver and come in both directions. A sum over the neighbours of an atom then writes to that atom
alone, and so does its gradient, for what an atom sends along an edge comes back along the reverse edge. Nothing is
written per edge but its length, its direction and their gradient.

The number of channels is a constant of each compiled function: with it the compiler can tell that arrays do not
overlap, and makes vector instructions of the loops over channels.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from acgen.networks.compiled import compiled


@compiled
def geometry(pos, offset, senders, receivers, length, direction, first):
    """Lengths (E,) and unit vectors (E, 3) of edges, and where the edges of each atom begin, (N + 1,)."""
    tiny = pos.dtype.type(1e-8)
    first[:] = 0
    for e in range(len(senders)):
        j, i = senders[e], receivers[e]
        first[i + 1] += 1
        x = pos[j, 0] - pos[i, 0] + offset[e, 0]
        y = pos[j, 1] - pos[i, 1] + offset[e, 1]
        z = pos[j, 2] - pos[i, 2] + offset[e, 2]
        r = np.sqrt(max(x * x + y * y + z * z, tiny))
        length[e] = r
        direction[e, 0], direction[e, 1], direction[e, 2] = x / r, y / r, z / r
    for i in range(len(pos)):
        first[i + 1] += first[i]


@compiled
def geometry_gradient(d_edge, length, direction, senders, receivers, d_pos):
    """Add to `d_pos` (N, 3) the gradient at positions, from that at length and direction of the reverse of every edge,
    side by side in `d_edge` (E, 4)."""
    for e in range(len(senders)):
        j, i, r = senders[e], receivers[e], length[e]
        x, y, z = direction[e, 0], direction[e, 1], direction[e, 2]
        along = d_edge[e, 1] * x + d_edge[e, 2] * y + d_edge[e, 3] * z
        for k in range(3):
            d = (d_edge[e, k + 1] - along * direction[e, k]) / r - d_edge[e, 0] * direction[e, k]
            d_pos[i, k] += d
            d_pos[j, k] -= d


@compiled
def _weights(table, x):
    """Row of a table at x, in units of its spacing, and the weights of the values and slopes of this row and the next
    in a cubic Hermite interpolation."""
    number = table.dtype.type
    one, two, three = number(1), number(2), number(3)
    k = min(int(x), table.shape[0] - 2)
    u = x - number(k)
    v = one - u
    return k, (one + two * u) * v * v, u * v * v, u * u * (three - two * u), -u * u * v


@compiled
def _slope_weights(table, x, scale):
    """Weights for the derivative by length: of this row's values less the next's, and of both slopes."""
    number = table.dtype.type
    one, two, three, six = number(1), number(2), number(3), number(6)
    u = x - number(min(int(x), table.shape[0] - 2))
    return six * u * (u - one) * scale, (one - u) * (one - three * u) * scale, u * (three * u - two) * scale


@cache
def neighbour_sums(n: int, first_layer: bool) -> Callable:
    """A function for n channels that writes the neighbour sums of atoms `low` ... to `out` (atoms, 4 n).

    Its arguments: `q` (N, 3 n) with the scalar and radial features of all atoms, or (N, 2 n) in the first layer,
    where there are no vectors; `vt` (N, 3 n), the vector features; `table` of `acgen.networks.frozen.filter_table`
    and the inverse of its spacing; and the edges. See `acgen.networks.aggregate.neighbour_sum` for the sums.
    """
    p = n * (2 if first_layer else 3)

    @compiled
    def kernel(q, vt, table, scale, length, direction, senders, first, low, out):
        zero = q.dtype.type(0)
        for row in range(len(out)):
            o = out[row]
            o[:] = zero
            for e in range(first[low + row], first[low + row + 1]):
                dx, dy, dz = direction[e, 0], direction[e, 1], direction[e, 2]
                k, a0, a1, b0, b1 = _weights(table, length[e] * scale)
                t, h, x = table[k], table[k + 1], q[senders[e]]
                for c in range(n):
                    o[c] += x[c] * (a0 * t[c] + a1 * t[p + c] + b0 * h[c] + b1 * h[p + c])
                if first_layer:
                    for c in range(n):
                        m = n + c
                        radial = x[m] * (a0 * t[m] + a1 * t[p + m] + b0 * h[m] + b1 * h[p + m])
                        o[n + c] += radial * dx
                        o[2 * n + c] += radial * dy
                        o[3 * n + c] += radial * dz
                else:
                    y = vt[senders[e]]
                    for c in range(n):
                        m = n + c
                        radial = x[m] * (a0 * t[m] + a1 * t[p + m] + b0 * h[m] + b1 * h[p + m])
                        m = 2 * n + c
                        w = a0 * t[m] + a1 * t[p + m] + b0 * h[m] + b1 * h[p + m]
                        o[n + c] += radial * dx + w * y[c]
                        o[2 * n + c] += radial * dy + w * y[n + c]
                        o[3 * n + c] += radial * dz + w * y[2 * n + c]

    return kernel


@cache
def neighbour_sums_gradient(n: int, first_layer: bool) -> Callable:
    """A function for n channels: the gradient of `neighbour_sums`.

    From the gradient `gs` (N, n), `gv` (N, 3 n) at the sums of all atoms it writes that at the features of atoms `low`
    ..., `gq` (atoms, 2 n or 3 n) and `gvt` (atoms, 3 n), and adds that at the reverse of every edge to `d_edge` (E, 4).
    """
    p = n * (2 if first_layer else 3)

    @compiled
    def kernel(gs, gv, q, vt, table, scale, length, direction, senders, first, low, gq, gvt, d_edge):
        zero = q.dtype.type(0)
        gq[:] = zero
        gvt[:] = zero
        parts = np.empty(4 * n, q.dtype)
        for row in range(len(gq)):
            i = low + row
            x, gx = q[i], gq[row]
            for e in range(first[i], first[i + 1]):
                j = senders[e]
                dx, dy, dz = direction[e, 0], direction[e, 1], direction[e, 2]
                k, a0, a1, b0, b1 = _weights(table, length[e] * scale)
                c0, c1, d1 = _slope_weights(table, length[e] * scale, scale)
                t, h, s, v = table[k], table[k + 1], gs[j], gv[j]
                # sums over channels wait: in this order they could not be vector instructions
                for c in range(n):
                    gx[c] += s[c] * (a0 * t[c] + a1 * t[p + c] + b0 * h[c] + b1 * h[p + c])
                    parts[c] = s[c] * x[c] * (c0 * (t[c] - h[c]) + c1 * t[p + c] + d1 * h[p + c])
                for c in range(n):
                    m = n + c
                    w = a0 * t[m] + a1 * t[p + m] + b0 * h[m] + b1 * h[p + m]
                    slope = c0 * (t[m] - h[m]) + c1 * t[p + m] + d1 * h[p + m]
                    along = v[c] * dx + v[n + c] * dy + v[2 * n + c] * dz
                    gx[m] -= along * w
                    parts[c] -= along * x[m] * slope
                    w *= x[m]
                    parts[n + c] = v[c] * w
                    parts[2 * n + c] = v[n + c] * w
                    parts[3 * n + c] = v[2 * n + c] * w
                if not first_layer:
                    y, gy = vt[i], gvt[row]
                    for c in range(n):
                        m = 2 * n + c
                        w = a0 * t[m] + a1 * t[p + m] + b0 * h[m] + b1 * h[p + m]
                        slope = c0 * (t[m] - h[m]) + c1 * t[p + m] + d1 * h[p + m]
                        parts[c] += slope * (v[c] * y[c] + v[n + c] * y[n + c] + v[2 * n + c] * y[2 * n + c])
                        gy[c] += w * v[c]
                        gy[n + c] += w * v[n + c]
                        gy[2 * n + c] += w * v[2 * n + c]
                total = sx = sy = sz = zero
                for c in range(n):
                    total += parts[c]
                    sx += parts[n + c]
                    sy += parts[2 * n + c]
                    sz += parts[3 * n + c]
                d_edge[e, 0] += total
                d_edge[e, 1] += sx
                d_edge[e, 2] += sy
                d_edge[e, 3] += sz

    return kernel
