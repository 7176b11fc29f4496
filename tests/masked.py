"""Whether attention was computed with a mask, which keeps the fastest attention of GPUs from running."""

import torch
from torch.nn.functional import scaled_dot_product_attention
from torch.overrides import TorchFunctionMode


class Attention(TorchFunctionMode):
    """Context manager: counts calls of attention, and those with a mask."""

    calls = masked = 0

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if func is scaled_dot_product_attention:
            mask = args[3] if len(args) > 3 else kwargs.get("attn_mask")
            self.calls, self.masked = self.calls + 1, self.masked + isinstance(mask, torch.Tensor)
        return func(*args, **kwargs)
