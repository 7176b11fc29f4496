"""The pack, imported as ComfyUI imports it, beside a stand-in for ComfyUI."""

import asyncio
import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from comfy_stub import Host, installed, run_node, tensor

PACK = Path(__file__).parents[3] / "integrations" / "comfyui"


@pytest.fixture(scope="session")
def host(tmp_path_factory):
    folder = tmp_path_factory.mktemp("comfyui")
    for name in ("checkpoints", "loras", "input"):
        (folder / name).mkdir()
    return Host(folder)


@pytest.fixture
def pack(host):
    """The pack's module, loaded once; the host forgets what it saw."""
    host.progress.clear(), host.previews.clear(), host.freed.clear()
    host.cancel_after = None
    with installed(host):
        if "comfyui_pack" not in sys.modules:
            where = PACK / "__init__.py"
            spec = importlib.util.spec_from_file_location("comfyui_pack", where, submodule_search_locations=[str(PACK)])
            sys.modules["comfyui_pack"] = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(sys.modules["comfyui_pack"])
        yield sys.modules["comfyui_pack"]


@pytest.fixture
def nodes(pack):
    """The nodes by their ids."""
    found = asyncio.run(asyncio.run(pack.comfy_entrypoint()).get_node_list())
    return {node.define_schema().node_id: node for node in found}


@pytest.fixture(scope="session")
def loaded():
    return {}


@pytest.fixture
def model(nodes, data, loaded):
    """The tiny checkpoint, loaded once by the node, in inference mode."""
    if not loaded:
        loaded["model"] = run_node(nodes["DragonDiffusionLoadModel"], folder=str(data / "tiny-sd"))[0]
    return loaded["model"]


@pytest.fixture
def image(picture):
    return tensor(picture)


@pytest.fixture
def area(mask):
    with torch.inference_mode():
        return torch.from_numpy(mask.astype(np.float32))[None]
