"""Stable Diffusion 3 and FLUX.1: rectified flows by transformers of image and text tokens, as diffusers loads them."""
