"""The types of the API: requests and answers."""

import json
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, FiniteFloat, WithJsonSchema


def of_text(value: Any) -> Any:
    """JSON whose texts are all text: it can be written again.

    Raises:
        ValueError: if one has half of a surrogate pair.
    """
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise ValueError("a text has half of a character (a lone surrogate); correct it") from error
    except RecursionError as error:
        raise ValueError("it is nested too deeply; correct it") from error
    return value


def _numbers(count: int, kind: str = "number") -> WithJsonSchema:
    """So many numbers, said without `prefixItems`, which many clients of OpenAPI do not know."""
    return WithJsonSchema({"type": "array", "items": {"type": kind}, "minItems": count, "maxItems": count})


PointPair = Annotated[tuple[FiniteFloat, FiniteFloat], _numbers(2)]
Corners = Annotated[tuple[FiniteFloat, FiniteFloat, FiniteFloat, FiniteFloat], _numbers(4)]
Box = Annotated[tuple[int, int, int, int], _numbers(4, "integer")]
Name = Annotated[str, Field(max_length=64)]
RecipeJson = Annotated[dict[str, Any], AfterValidator(of_text)]

State = Literal["waiting", "running", "done", "failed", "cancelled", "interrupted"]
Control = Literal["mask", "image", "number", "integer", "switch", "text", "choice", "json"]
Kind = Literal["move", "remove", "resize", "rotate", "paste", "appearance", "drag", "landmarks"]


class Question(BaseModel):
    """The base of all requests: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


class PictureFacts(BaseModel):
    """An image of the session."""

    name: str = Field(description="Made from its content; always names the same image.")
    title: str = Field(description="The visitor's name for it.")
    width: int
    height: int
    notes: list[str] = []
    prompt: str = Field("", description="A description of its content, where it is known.")
    landmarks: list[PointPair] = Field([], description="Of its face, where they are known.")
    drawn: bool = Field(False, description="Whether it is a drawn scene, or came of one.")


class MaskFacts(BaseModel):
    """A mask of the session; as large as its image."""

    name: str
    width: int
    height: int
    area: float = Field(description="Share of the image.")
    box: Box = Field(description="Around it: x0, y0, x1, y1 in pixels.")
    centroid: PointPair = Field(description="Its centre of gravity in pixels; moved objects turn and grow about it.")


class PaintedFacts(MaskFacts):
    """A mask that was painted."""

    notes: list[str] = Field([], description="How its values were read.")


class Bounds(BaseModel):
    """Limits of the server that a page should know."""

    bytes: int
    pixels: int
    steps: int
    tries: int
    waiting: int


class SessionFacts(BaseModel):
    """A session, and the abilities of the server."""

    session: str = Field(description="The token that goes into the header X-Session.")
    model: str
    demo: bool = Field(description="Whether it is the embedded demo model.")
    model_notes: list[str] = Field([], description="What is known of the model since it was loaded.")
    good_for: str = Field("", description="What the model is made for, where that is little.")
    better: str = Field("", description="The command that serves the page with a model for the rest.")
    limits: Bounds
    masks: bool = Field(description="Whether objects can be selected by clicks.")
    glances: bool = Field(False, description="Whether it can be shown at once what a click would select.")
    faces: bool = Field(description="Whether landmarks of faces can be found.")
    pictures: list[PictureFacts] = []
    jobs: "list[JobFacts]" = []


class SceneQuestion(Question):
    """Asks for a drawn scene."""

    seed: int = Field(42, ge=0, lt=2**31)
    kind: Kind = "move"


class SceneFacts(BaseModel):
    """A drawn scene."""

    picture: PictureFacts
    second: PictureFacts | None = None


class SelectionQuestion(Question):
    """Asks for the object that clicks select."""

    picture: Name
    points: list[PointPair] = Field([], max_length=64)
    outside: list[PointPair] = Field([], max_length=64)
    box: Corners | None = None
    found: Name | None = Field(None, description="The mask that earlier clicks selected; with `corrected`.")
    corrected: Name | None = Field(None, description="The same mask after corrections by hand, which are preserved.")


class GlanceQuestion(Question):
    """Asks what a click at a point would select."""

    picture: Name
    point: PointPair


class SelectionFacts(BaseModel):
    """The object that clicks select."""

    found: MaskFacts = Field(description="By the clicks alone.")
    mask: MaskFacts = Field(description="With corrections by hand.")
    by: str = Field(description="The method that found it.")
    candidates: list[MaskFacts] = Field(description="Masks that the clicks may mean, from the smallest to the largest.")
    choice: int = Field(description="The place of `found` among the candidates, from 0.")
    notes: list[str] = Field(description="Reasons to doubt the selection, with remedies.")


class LandmarksQuestion(Question):
    """Asks for the landmarks of a face."""

    picture: Name
    face: int | None = Field(None, ge=0, lt=100)
    count: Literal[17, 68, 478] = 17


class LandmarksFacts(BaseModel):
    """Landmarks of a face."""

    points: list[PointPair]


class RecipeQuestion(Question):
    """A recipe whose images and masks are names of the session's."""

    recipe: RecipeJson


class JobQuestion(RecipeQuestion):
    """Asks for an edit."""

    tries: int = Field(1, ge=1, le=1000, description="Seeds that are tried; the best result is kept.")


class PaintQuestion(Question):
    """Asks for a result with the input painted back."""

    mask: Name = Field(description="Of the image that was edited: where it is light, that comes back.")


class ReportFacts(BaseModel):
    """Measures of a result that need no ground truth."""

    arrived: float | None
    ghost: float | None
    background: float | None
    error: float | None = Field(None, description="Estimated mean squared error, intensities in [0, 1].")
    score: float | None
    words: str


class JobFacts(BaseModel):
    """A job: its recipe, its progress, its result."""

    id: str
    state: State
    position: int = Field(0, description="Jobs that come before it; 0 is next or running.")
    phase: str = ""
    done: int = 0
    total: int = 0
    seconds_left: float | None = None
    seconds: float = 0.0
    frames: int = Field(0, description="Grows with every intermediate image.")
    error: str | None = None
    seed: int = 42
    tries: int = 1
    report: ReportFacts | None = None
    notes: list[str] = []
    result: PictureFacts | None = None
    painted: list[Name] = Field([], description="Images made of the result by painting the input back.")
    recipe: RecipeJson
    created: float = 0.0


class RestoredFacts(BaseModel):
    """A recipe with its images and masks in the session."""

    recipe: RecipeJson
    pictures: dict[str, PictureFacts]
    masks: dict[str, MaskFacts]
    notes: list[str] = []


class ExportFacts(BaseModel):
    """A recipe for use elsewhere."""

    recipe: str = Field(description="JSON with all images in it.")
    python: str
    command: str
    files: list[str] = Field(description="Images and masks that both name, see exports/files.")


class FieldFacts(BaseModel):
    """A field of a kind of edit, and the control that sets it in a form."""

    name: str
    title: str
    help: str
    control: Control = Field(description="`json` stands for all values that no other control sets.")
    required: bool
    default: Any = Field(None, description="Where the field is not required.")
    options: list[str] = Field([], description="The values of a `choice`.")
    of: str | None = Field(None, description="Of a `mask`: the image field it belongs to; null is the edited image.")


class EditKind(BaseModel):
    """A kind of edit: all that a client needs to offer it and to make a form for it."""

    name: str = Field(description="The value of `edit` in recipes.")
    title: str
    help: str
    fields: list[FieldFacts]


class Health(BaseModel):
    """How the server is."""

    status: Literal["ready", "loading", "failed"]
    model: str
    waiting: int
    running: int
    error: str | None = None


class Trouble(BaseModel):
    """The answer of every error."""

    detail: str
