"""How a photo goes through a network, as a page that stands alone: no script, nothing else's."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from core.files import write_result
from core.html_pages import page as html_page
from core.inside.colouring import colour
from core.inside.summary import LayerTable, said
from core.language import number, tr

if TYPE_CHECKING:
    from pathlib import Path

_PICTURE_PX = 168
_STYLE = """
.row { display: flex; flex-wrap: wrap; gap: 1rem } figure { margin: 0; width: 168px }
figure img { width: 168px; height: 168px; image-rendering: pixelated }
figcaption { font-size: .85rem; overflow-wrap: anywhere } .drawing svg { width: 100%; height: auto }
"""


@dataclass(frozen=True)
class Stage:
    """A part of the network on the way.

    Attributes:
        name: dotted.
        does: what it does, in few words.
        step: whose output is shown.
        shape: of that.
    """

    name: str
    does: str
    step: int
    shape: tuple[int, ...]


@dataclass(frozen=True)
class PhotoPage:
    """What a page tells.

    Attributes:
        photo: name of the file.
        model: its title.
        answers: lines that say what the model says of the photo.
        drawing: the network as SVG, with its own header; "" of none.
        stages: in order.
        table: of the photo's pass.
    """

    photo: str
    model: str
    answers: tuple[str, ...]
    drawing: str
    stages: tuple[Stage, ...]
    table: LayerTable


def export_page(page: PhotoPage, path: Path) -> None:
    """Write the page.

    Raises:
        DroplensError: it cannot be written; what stood there before still stands.
    """
    write_result(path, to_html(page).encode())


def to_html(page: PhotoPage) -> str:
    """Return the page."""
    title = tr("{photo} through {model}", photo=page.photo, model=page.model)
    answers = "".join(f"<li>{escape(one)}</li>" for one in page.answers)
    parts = [f"<h1>{escape(title)}</h1>"]
    if answers:
        parts.append(f"<h2>{escape(tr('What it says'))}</h2><ol>{answers}</ol>")
    if page.drawing:
        heading = escape(tr("The network"))
        parts.append(f'<h2>{heading}</h2><div class="drawing">{_inline(page.drawing)}</div>')
    explained = tr(
        "Each picture shows how strong a part answers where: the root mean square over its "
        "channels, from its least to its greatest value."
    )
    parts.append(f"<h2>{escape(tr('Stage by stage'))}</h2><p class='muted'>{escape(explained)}</p>")
    parts.append(f'<div class="row">{"".join(_figures(page))}</div>')
    parts.append(f"<h2>{escape(tr('Every layer'))}</h2>{_layers(page.table)}")
    return html_page(title, parts, _STYLE)


def _inline(svg: str) -> str:
    """Return a drawing as it stands within a page: without its header."""
    return svg[max(0, svg.find("<svg")) :]


def _figures(page: PhotoPage) -> Sequence[str]:
    strengths = page.table.strengths
    found = []
    for stage in page.stages:
        values = None if strengths is None else strengths.maps[stage.step]
        if stage.step == 0 and page.table.seen is not None:
            picture = _picture(page.table.seen)
        elif values is not None and values.size > 1:
            low, high = float(values.min()), float(values.max())
            picture = _picture(colour(values, "viridis", low, high))
        else:
            picture = ""
        caption = "<br>".join(
            escape(one) for one in (stage.name, stage.does, said(stage.shape)) if one
        )
        found.append(f"<figure>{picture}<figcaption>{caption}</figcaption></figure>")
    return found


def _picture(pixels: npt.NDArray[np.uint8]) -> str:
    from PIL import Image

    image = Image.fromarray(pixels)
    if max(image.size) > 2 * _PICTURE_PX:
        image.thumbnail((2 * _PICTURE_PX, 2 * _PICTURE_PX))
    content = io.BytesIO()
    image.save(content, "PNG")
    data = base64.b64encode(content.getvalue()).decode()
    return f'<img alt="" src="data:image/png;base64,{data}">'


def _layers(table: LayerTable) -> str:
    header = (tr("Layer"), tr("Kind"), tr("Settings"), tr("Shape"), tr("Parameters"))
    cells = "".join(f"<th>{escape(one)}</th>" for one in header)
    rows = []
    for layer in table.layers:
        name = layer.name if layer.calls == 1 else f"{layer.name} ({layer.call})"
        shape = said(layer.output_shape[1:])
        texts = (name, layer.kind, layer.described.short, shape)
        row = "".join(f"<td>{escape(one)}</td>" for one in texts)
        rows.append(f'<tr>{row}<td class="n">{number(layer.parameters)}</td></tr>')
    return f'<div class="scroll"><table><tr>{cells}</tr>{"".join(rows)}</table></div>'
