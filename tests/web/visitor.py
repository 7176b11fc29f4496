"""A client of the server's API."""

import io

import numpy as np
from PIL import Image

STEPS = {"steps": 4}
HERE = "http://localhost"
"""Where clients without a port believe the server to be."""


def png(values, **options):
    data = io.BytesIO()
    Image.fromarray(values).save(data, format="PNG", **options)
    return data.getvalue()


class Visitor:
    """A client with a session of its own, or one that is there already."""

    def __init__(self, client, token=None):
        self.client = client
        self.session = client.post("/api/session").json() if token is None else None
        self.token = token or self.session["session"]

    def ask(self, method, path, **options):
        headers = {"X-Session": self.token, **options.pop("headers", {})}
        return self.client.request(method, f"/api/{path}", headers=headers, **options)

    def get(self, path, **options):
        return self.ask("GET", path, **options)

    def post(self, path, **options):
        return self.ask("POST", path, **options)

    def send(self, data, title="cup.png"):
        answer = self.post("pictures", params={"title": title}, content=data)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def recipe(self, picture, mask, **more):
        """A recipe that moves something in 4 steps."""
        image = self.send(png(picture))["name"]
        painted = self.post("masks", params={"picture": image}, content=png(np.uint8(mask) * 255)).json()["name"]
        edit = {"edit": "move", "mask": painted, "offset": [20, 5]}
        return {"recipe": 1, "image": image, "edits": [edit], "settings": STEPS, **more}

    def finished(self, name):
        """A job after its end."""
        last = None
        with self.client.stream("GET", f"/api/jobs/{name}/events", headers={"X-Session": self.token}) as answer:
            for line in answer.iter_lines():
                last = line if line.startswith("data: ") else last
        assert last is not None
        return self.get(f"jobs/{name}").json()

    def edit(self, recipe, **more):
        answer = self.post("jobs", json={"recipe": recipe, **more})
        assert answer.status_code == 202, answer.text
        return self.finished(answer.json()["id"])
