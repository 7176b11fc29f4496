"""The package's own names, imported lazily."""

import subprocess
import sys

import pytest

import dragondiffusion


def test_every_public_name_can_be_had():
    assert all(getattr(dragondiffusion, name).__name__ == name for name in dragondiffusion.__all__)
    assert set(dragondiffusion.__all__) <= set(dir(dragondiffusion))
    assert set(dragondiffusion._HOMES) == set(dragondiffusion.__all__)


def test_unknown_names():
    with pytest.raises(AttributeError, match="no attribute 'Dragon'"):
        dragondiffusion.Dragon  # noqa: B018


def test_importing_the_package_loads_no_library():
    code = "import sys, dragondiffusion; print({'torch', 'diffusers'} & sys.modules.keys())"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "set()\n"
