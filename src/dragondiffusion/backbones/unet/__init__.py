"""Stable Diffusion 1.x, 2.x and XL: models with a UNet, as diffusers loads them."""
