"""Glances: what a click would select, shown while a mouse rests there. They are kept nowhere and delay nothing."""

import io

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from dragondiffusion.bench.demo import draw_case
from dragondiffusion.web.limits import Limits
from dragondiffusion.web.routes.images import SCENE
from dragondiffusion.web.server import application

from .browser import PHONE, Window, innermost, iou
from .conftest import service_with
from .fingers import Fingers
from .visitor import HERE, Visitor, png


def values(data, size):
    """A glance's mask at the size of its image."""
    return np.array(Image.open(io.BytesIO(data)).convert("L").resize(size[::-1], Image.Resampling.BILINEAR)) / 255


@pytest.mark.parametrize("shape", [(300, 400), (1700, 2300)])
def test_it_is_what_a_click_selects_and_is_not_kept(tmp_path, editor, shape):
    y, x = np.mgrid[: shape[0], : shape[1]] / shape[0]
    disk = np.hypot(x - 0.5, y - 0.4) < 0.2
    service = service_with(lambda: editor, tmp_path, Limits())
    with TestClient(application(service, page=False), base_url=HERE) as client:
        visitor = Visitor(client)
        assert visitor.session["glances"]
        name = visitor.send(png(np.uint8(np.where(disk[..., None], (200, 60, 40), (90, 130, 110)))))["name"]
        ask = {"picture": name, "point": [0.5 * shape[0], 0.4 * shape[0]]}
        answer = visitor.post("glances", json=ask)
        assert max(Image.open(io.BytesIO(answer.content)).size) <= 256
        assert iou(values(answer.content, shape), disk) > 0.95
        session = service.sessions.find(visitor.token)
        assert session.names() == [name]  # no mask
        session.in_line += 1  # another request of the session
        assert visitor.post("glances", json=ask).status_code == 204
        session.in_line -= 1
        assert visitor.post("glances", json=ask | {"point": [-1, 5]}).status_code == 422
        assert visitor.post("glances", json=ask | {"picture": "none.png"}).status_code == 404


@pytest.mark.browser
def test_a_mouse_that_rests_shows_it_and_a_finger_does_not(browser, demo):
    case = draw_case(57, SCENE)  # the scene that newcomers see
    mask = np.asarray(case.mask) / 255
    window = Window(browser, demo)
    window.open()
    across, down = window.at(innermost(mask))
    before = window.page.screenshot(clip={"x": across - 5, "y": down - 5, "width": 10, "height": 10})
    with window.page.expect_response(lambda response: response.url.endswith("api/glances")) as waiting:
        window.page.mouse.move(across, down)
    assert waiting.value.status == 200
    window.page.wait_for_timeout(300)
    shown = window.page.screenshot(clip={"x": across - 5, "y": down - 5, "width": 10, "height": 10})
    assert shown != before
    assert window.doc["selection"] is None
    window.page.mouse.move(across + 3, down)
    window.page.mouse.down()  # also while another is on its way
    window.page.mouse.up()
    assert iou(window.mask(window.selected()), mask) > 0.9
    window.close()
    phone = Window(browser, demo, PHONE)
    asked = []
    phone.page.on("request", lambda request: asked.append(request.url))
    phone.open()
    Fingers(phone).tap(phone.at(innermost(mask)), 300)
    phone.selected()
    assert not [url for url in asked if url.endswith("api/glances")]
    phone.close()
