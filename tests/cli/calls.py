"""Calls of commands that several tests make."""

from dragondiffusion.cli import main as cli


def move(*options, photo="photo.png", mask="mask.png", out="out.png"):
    """Twelve pixels to the right, where options say nothing of a change."""
    way = [] if {"--offset", "--scale", "--angle", "--flip"} & set(options) else ["--offset", "12", "0"]
    return cli.main(["move", photo, "--mask", mask, "-o", out, *way, *options])
