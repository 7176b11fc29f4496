"""The page: our canvas in one HTML component of Gradio, and the same edits for Gradio's client."""

import asyncio
import contextlib
import re
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any, cast

import gradio as gr
from fastapi import FastAPI
from gradio.data_classes import FileData
from gradio.utils import get_upload_folder

from ..core.strict_json import parse_json, shown
from .assets import STATIC
from .limits import RefusedError
from .queue import EditJob
from .recipes import FULL, is_full
from .service import Service
from .sessions import Session

KEEP = 1800
"""Seconds after which files of Gradio's client are removed."""
RESULT = "dragondiffusion-"
"""How folders of results begin."""
OWN = re.compile(rf"[0-9a-f]{{64}}|{RESULT}\w+")
"""What folders of uploads and results are called. Others at that place are not ours to remove."""
UPLOADS = 1000
"""Files of Gradio's clients at once."""
BEAT = 0.1
"""Seconds between looks at a job that Gradio's client waits for."""
HEAD = (
    '<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">'
    '<meta name="description" content="Move, erase, paste and reshape what is in an image: tap it and drag it.">'
)
ON_LOAD = """
const base = new URL("./", document.baseURI).href;
import(base + "page/main.js").then((page) => page.mount(element, base)).catch((error) => {
  element.textContent = "The page cannot be loaded: " + error.message;
});
"""
BARE = ".gradio-container, .gradio-container main { padding: 0 !important; max-width: none !important; } "
"""The canvas fills the window; Gradio's padding around components is removed."""


def mounted(app: FastAPI, service: Service) -> FastAPI:
    """An application with the page at its root.

    Args:
        app: the API.
        service: sessions, jobs and models.
    """
    with gr.Blocks(title="dragondiffusion", analytics_enabled=False, fill_width=True) as page:
        gr.HTML(
            html_template=(STATIC / "page.html").read_text(encoding="utf-8"),
            css_template=(STATIC / "page.css").read_text(encoding="utf-8"),
            js_on_load=ON_LOAD,
            apply_default_css=False,
            elem_id="dragondiffusion",
        )
        cast(Any, gr).api(_edit(service), api_name="edit")
    fonts = ["system-ui", "sans-serif"]
    page.queue(max_size=service.limits.waiting)
    # Gradio checks whether a path is an upload only in applications that it takes to be launched.
    page.has_launched = True
    return gr.mount_gradio_app(
        app,
        page,
        path="/",
        footer_links=[],
        run_history=False,
        show_error=True,
        max_file_size=service.limits.upload,
        ssr_mode=False,
        theme=cast(Any, gr).themes.Base(font=fonts, font_mono=["ui-monospace", "monospace"]),
        css=BARE,
        head=HEAD,
    )


def _edit(service: Service) -> Any:
    """The edit as a function of Gradio's API."""

    async def edit(picture: FileData, recipe: str) -> tuple[FileData, str]:
        """Edits an image.

        Args:
            picture: the image.
            recipe: a recipe's JSON without "image"; masks in it are boxes, polygons, run lengths or PNG data, second
                images PNG data.

        Returns:
            The result, a PNG that contains its recipe, and its report in words.
        """
        try:
            _, session = service.sessions.begin()
        except RefusedError as error:
            raise gr.Error(error.sentence) from error
        try:
            job = await service.threaded(session, lambda: _submitted(service, session, picture, recipe))
            while not job.is_over:
                await asyncio.sleep(BEAT)
            if job.result is None or job.report is None:
                raise RefusedError(422, job.error or f"the edit was {job.state}")
            folder = Path(get_upload_folder())
            folder.mkdir(parents=True, exist_ok=True)
            copy = Path(
                shutil.copy(session.path(job.result), Path(tempfile.mkdtemp(prefix=RESULT, dir=folder)) / "edited.png")
            )
            return FileData(path=str(copy), orig_name="edited.png"), str(job.report["words"])
        except RefusedError as error:
            raise gr.Error(error.sentence) from error
        except OSError as error:
            if is_full(error):
                raise gr.Error(FULL) from error
            raise
        finally:
            service.sessions.end(session)

    return edit


def check_uploads(most: int) -> None:
    """Checks that there is room for a further file of Gradio's clients.

    Raises:
        RefusedError: if there are too many, or of too many bytes (429).
    """
    files = [path for path in Path(get_upload_folder()).glob("*/*") if path.is_file()]
    held = sum(path.stat().st_size for path in files)
    if len(files) >= UPLOADS or held >= most:
        raise RefusedError(
            429,
            f"{len(files)} uploaded files of {held / 1e6:.0f} MB are kept already; try again in {KEEP // 60} minutes",
        )


def sweep_uploads(age: float = KEEP) -> None:
    """Removes files of Gradio's clients, uploads and results, after some seconds."""
    for folder in [folder for folder in Path(get_upload_folder()).glob("*") if OWN.fullmatch(folder.name)]:
        with contextlib.suppress(FileNotFoundError):
            if time.time() - folder.stat().st_mtime > age:
                shutil.rmtree(folder, ignore_errors=True)


def _file_data(given: Any) -> FileData:
    try:
        return FileData(**given)
    except (TypeError, ValueError) as error:
        raise RefusedError(422, "the image is no file; send it by handle_file") from error


def _submitted(service: Service, session: Session, picture: Any, recipe: str) -> EditJob:
    """The job of a request of Gradio's client."""
    uploaded = picture if isinstance(picture, FileData) else _file_data(picture)
    # Gradio leaves the path of a function's argument as the client gave it.
    path = Path(uploaded.path).resolve()
    if not path.is_relative_to(Path(get_upload_folder()).resolve()) or not path.is_file():
        raise RefusedError(422, "the image was not uploaded; send it by handle_file")
    name = session.add(path.read_bytes(), Path(uploaded.orig_name or "picture.png").name)
    try:
        data = parse_json(recipe, "the recipe")
    except ValueError as error:
        raise RefusedError(422, str(error)) from error
    if not isinstance(data, dict):
        raise RefusedError(422, f"the recipe is {shown(data)}; give an object")
    return service.submit(session, {"recipe": 1, **data, "image": name}, 1)
