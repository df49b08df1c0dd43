"""A person looks at feature maps, enlarges one over the photo, and moves on."""

from __future__ import annotations

from collections.abc import Callable, Generator

import resources
from gui.images.gallery_panel import GalleryPanel
from gui.images.photo_canvas import PhotoCanvas
from gui.inside.feature_maps_panel import FeatureMapsPanel
from gui.inside.map_grid import MapGrid
from tests.e2e.driver import Person, drive

Steps = Generator[Callable[[], object], None, None]


def test_choose_a_layer_and_enlarge_a_map() -> None:
    def script(person: Person) -> Steps:
        yield lambda: person.all_classified(5)
        panel, grid = person.see(FeatureMapsPanel), person.see(MapGrid)
        yield lambda: grid.model().rowCount() == 64
        assert panel.layer is not None
        assert panel.layer.name == "features.0"
        titles = [panel._layer.itemText(at) for at in range(panel._layer.count())]
        panel._layer.setCurrentIndex(
            next(at for at, title in enumerate(titles) if title.startswith("features.3.squeeze "))
        )
        yield lambda: grid.model().rowCount() == 16
        canvas = person.see(PhotoCanvas)
        yield lambda: not canvas._photo.isNull()
        grid.clicked.emit(grid.model().index(3, 0))
        assert canvas._map.width() == 55
        first = canvas._map
        person.choose("next")
        yield lambda: not canvas._map.isNull() and canvas._map != first
        assert panel.layer.name == "features.3.squeeze"
        panel.set_order("strength")
        person.choose("stop")
        assert canvas._map.isNull()

    drive([str(resources.path("samples"))], script)


def test_what_the_model_saw() -> None:
    def script(person: Person) -> Steps:
        yield lambda: person.all_classified(1)
        canvas = person.see(PhotoCanvas)
        yield lambda: not canvas._seen.isNull()
        assert (canvas._seen.width(), canvas._seen.height()) == (224, 224)
        person.choose("show_seen")
        assert canvas._show_seen
        gallery = person.see(GalleryPanel)
        assert gallery.current == resources.path("samples/coffee.png")

    drive([str(resources.path("samples/coffee.png"))], script)
