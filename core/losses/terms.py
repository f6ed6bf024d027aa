"""The terms of the objectives beside the adversarial ones: small pure functions of tensors.

StarGAN (arXiv 1711.09020), section 3.1; StarGAN v2 (arXiv 1912.01865), section 2.2.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def classification(classes: Tensor, domain: Tensor) -> Tensor:
    """Cross-entropy of domain logits (n, domains) with the domains (n,): L_cls."""
    return F.cross_entropy(_at_least_single(classes), domain)


def attributes(classes: Tensor, label: Tensor) -> Tensor:
    """Binary cross-entropy of logits with labels of 0 and 1, both (n, attributes): summed over these, mean over n."""
    total = F.binary_cross_entropy_with_logits(_at_least_single(classes), label, reduction="sum")
    return total / len(label)


def cycle(image: Tensor, back: Tensor) -> Tensor:
    """mean |x - G(G(x, s), E_y(x))|."""
    return (image - back).abs().mean()


def reconstruction(code: Tensor, read: Tensor) -> Tensor:
    """mean |s - E_t(G(x, s))|: `code` went in, `read` is what the encoder finds in the translation."""
    return (code - read).abs().mean()


def diversity(first: Tensor, second: Tensor) -> Tensor:
    """mean |G(x, s1) - G(x, s2)|: to be maximised."""
    return (first - second).abs().mean()


def _at_least_single(logits: Tensor) -> Tensor:
    """Not in half precision, in which logits are too coarse for a logarithm."""
    return logits.to(torch.promote_types(logits.dtype, torch.float32))
