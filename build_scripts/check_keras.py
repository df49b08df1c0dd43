"""Compare translated Keras models with what Keras itself computes of them.

Keras is no dependency of Droplens: it writes models and its answers in environments of its own, and
Droplens reads them in its own. Run by hand:

    python3 -m venv keras2 && keras2/bin/pip install tensorflow-cpu==2.15.1
    python3 -m venv keras3 && keras3/bin/pip install keras torch
    keras2/bin/python build_scripts/check_keras.py write FOLDER
    KERAS_BACKEND=torch keras3/bin/python build_scripts/check_keras.py write FOLDER
    .venv/bin/python build_scripts/check_keras.py compare FOLDER
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

_TOLERANCE = 1e-4
_PHOTOS = 3


def teachable_machine(keras: Any) -> Any:
    """Return Teachable Machine's layout: a body, pooled, and two layers."""
    shape = (224, 224, 3)
    body = keras.applications.MobileNetV2(
        weights=None, include_top=False, input_shape=shape, alpha=0.35
    )
    features = keras.Sequential([body, keras.layers.GlobalAveragePooling2D()])
    head = keras.Sequential(
        [
            keras.layers.Input((1280,)),
            keras.layers.Dense(100, activation="relu"),
            keras.layers.Dense(3, activation="softmax", use_bias=False),
        ]
    )
    model = keras.Sequential([features, head])
    model.build((None, *shape))
    return model


def with_head(name: str, side: int = 96) -> Callable[[Any], Any]:
    """Return a builder of a body with the head that Keras's guide to transfer learning has."""

    def make(keras: Any) -> Any:
        body = getattr(keras.applications, name)(
            weights=None, include_top=False, input_shape=(side, side, 3)
        )
        body.trainable = False
        inputs = keras.Input((side, side, 3))
        found = keras.layers.RandomFlip("horizontal")(inputs)
        found = keras.layers.Rescaling(1 / 127.5, offset=-1)(found)
        found = body(found, training=False)
        found = keras.layers.GlobalAveragePooling2D()(found)
        found = keras.layers.Dropout(0.2)(found)
        return keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(found))

    return make


def whole(name: str, side: int) -> Callable[[Any], Any]:
    """Return a builder of a whole network."""
    return lambda keras: getattr(keras.applications, name)(
        weights=None, input_shape=(side, side, 3), classes=10
    )


def with_function(name: str, module: str) -> Callable[[Any], Any]:
    """Return a builder of a body whose ``preprocess_input`` is part of the model."""

    def make(keras: Any) -> Any:
        body = getattr(keras.applications, name)(weights=None, include_top=False)
        inputs = keras.Input((75, 75, 3))
        found = getattr(keras.applications, module).preprocess_input(inputs)
        found = body(found)
        found = keras.layers.GlobalMaxPooling2D()(found)
        found = keras.layers.BatchNormalization()(found)
        found = keras.layers.Dense(16, activation="swish")(found)
        return keras.Model(inputs, keras.layers.Dense(4, activation="softmax")(found))

    return make


def odd_layers(keras: Any) -> Any:
    """Return a small network of layers that the others lack, on maps of odd sizes."""
    layers = keras.layers
    inputs = keras.Input((37, 50, 3))
    found = layers.Conv2D(8, (5, 3), 2, "same", activation="relu")(inputs)
    shared = layers.Conv2D(8, 3, padding="same", activation="tanh")
    found = layers.Average()([shared(found), shared(shared(found))])
    found = layers.PReLU(shared_axes=[1, 2])(found)
    other = layers.MaxPooling2D(3, 2, "same")(found)
    found = layers.AveragePooling2D(3, 2, "same")(found)
    found = layers.Maximum()([found, other])
    found = layers.SeparableConv2D(12, 3, padding="same", depth_multiplier=2)(found)
    found = layers.LayerNormalization()(found)
    found = layers.Conv2D(12, 3, padding="same", groups=3, dilation_rate=2)(found)
    found = layers.LeakyReLU()(found)
    found = layers.Cropping2D(((1, 0), (0, 2)))(found)
    found = layers.UpSampling2D(2, interpolation="bilinear")(found)
    found = layers.DepthwiseConv2D(4, 3, padding="same", activation="elu")(found)
    found = layers.Activation("hard_sigmoid")(found)
    found = layers.Permute((2, 1, 3))(found)
    found = layers.Reshape((-1, 6, 2))(found)
    found = layers.ZeroPadding2D((1, 2))(found)
    found = layers.AveragePooling2D(4)(found)
    found = layers.Flatten()(found)
    found = layers.Dense(20, activation="gelu")(found)
    found = layers.Concatenate()([found, layers.Dense(3, activation="selu")(found)])
    return keras.Model(inputs, layers.Activation("softmax")(layers.Dense(5)(found)))


MODELS: dict[str, Callable[[Any], Any]] = {
    "teachable_machine": teachable_machine,
    "mobilenet": whole("MobileNet", 128),
    "mobilenet_v2": whole("MobileNetV2", 128),
    "mobilenet_v3": whole("MobileNetV3Small", 128),
    "resnet50": whole("ResNet50", 96),
    "resnet50_v2": whole("ResNet50V2", 97),
    "efficientnet_b0": whole("EfficientNetB0", 128),
    "efficientnet_v2_b0": whole("EfficientNetV2B0", 128),
    "xception": whole("Xception", 101),
    "vgg16": whole("VGG16", 64),
    "inception_v3": whole("InceptionV3", 139),
    "densenet121": whole("DenseNet121", 97),
    "nasnet_mobile": whole("NASNetMobile", 224),
    "head_mobilenet_v2": with_head("MobileNetV2"),
    "head_efficientnet_b0": with_head("EfficientNetB0"),
    "function_mobilenet": with_function("MobileNet", "mobilenet"),
    "function_resnet50": with_function("ResNet50", "resnet50"),
    "odd_layers": odd_layers,
}


def write(folder: Path) -> None:
    """Save each model in both forms, with photos and what Keras answers."""
    try:
        from tensorflow import keras  # in an environment of its own
    except ImportError:
        import keras
    version = metadata.version("keras")
    chance = np.random.default_rng(0)
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in MODELS.items():
        keras.backend.clear_session()
        try:
            model = make(keras)
        except ValueError as error:  # NASNet needs TensorFlow in Keras 3
            print(f"{name}: not written: {error}")
            continue
        _shake(model, chance)
        height, width = model.input_shape[1:3]
        photos = chance.uniform(0, 255, (_PHOTOS, height, width, 3)).astype(np.float32)
        if not any(hint in name for hint in ("head", "function", "efficientnet", "v3")):
            photos = photos / 127.5 - 1
        answers = np.asarray(model.predict(photos, verbose=0))
        for ending in (".h5", ".keras"):
            stem = f"{name} {version}{ending}"
            try:
                model.save(folder / stem)
            except TypeError as error:  # Keras 2 cannot write its own caffe mode as .keras
                (folder / stem).unlink(missing_ok=True)
                print(f"{stem}: not written: {error}")
                continue
            np.savez(folder / f"{stem}.npz", photos=photos, answers=answers)
        print(f"{name}: written by Keras {version}")


def _shake(model: Any, chance: np.random.Generator) -> None:
    """Give every parameter a value of its own: those of a new model hide mistakes."""
    values = []
    for variable, value in zip(model.weights, model.get_weights(), strict=True):
        said = getattr(variable, "path", variable.name)
        if "variance" in said or "gamma" in said:
            value = chance.uniform(0.7, 1.4, value.shape)
        elif "kernel" not in said and value.ndim:
            value = value + chance.normal(0, 0.1, value.shape)
        values.append(value)
    model.set_weights(values)


def compare(folder: Path) -> int:
    """Open each model and compare; return how many differ."""
    import torch

    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from core.models.sources import source_of
    from core.values.spec import ModelChoice

    failures = 0
    for path in sorted(one for one in folder.iterdir() if one.suffix in (".h5", ".keras")):
        held = np.load(f"{path}.npz")
        opened = source_of(path).open(ModelChoice(checkpoint=path), None, lambda: False)
        photos = torch.from_numpy(held["photos"].transpose(0, 3, 1, 2).copy())
        with torch.no_grad():
            logits = opened.network(photos)
        is_sigmoid = opened.spec.outputs == "sigmoid"
        found = (logits.sigmoid() if is_sigmoid else logits.softmax(1)).numpy()
        answers = held["answers"].reshape(found.shape)
        difference = float(np.abs(found - answers).max())
        spread = float(np.ptp(answers, axis=1).max() if not is_sigmoid else answers.max())
        is_same = difference < _TOLERANCE and np.isfinite(found).all()
        failures += not is_same
        mark = "" if is_same else "  DIFFERS"
        print(f"{path.name}: {difference:.1e} (answers within {spread:.2g}){mark}")
    return failures


if __name__ == "__main__":
    target = Path(sys.argv[2])
    sys.exit(write(target) if sys.argv[1] == "write" else compare(target))
