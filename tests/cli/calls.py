"""Calls of commands that several tests make."""

from dragondiffusion.cli import main as cli


def move(*options, photo="photo.png", mask="mask.png", out="out.png"):
    return cli.main(["move", photo, "--mask", mask, "-o", out, *options])
