"""Records what a neural network learns, epoch by epoch, for Epochscope, and reads what it found. NumPy alone is needed.

    from epochscope import Recorder, record_torch

    with Recorder("my-run", classes=list("0123456789")) as run:
        run.samples(x, y)                                 # the samples to analyse, once
        for epoch in range(1, 11):
            train_one_epoch()
            record_torch(run, model, batches, epoch=epoch, metrics={"loss": loss})

Then `epochscope tendency my-run`, and `read_result("my-run", "tendency")` here. Anything else that has weights and layer outputs:
`with run.snapshot(epoch=epoch) as snap: snap.weights({...}); snap.outputs({...})`, batch after batch.

In a notebook, with `pip install "epochscope[notebook]"`: `show(result)`, `ivat(X, labels=y)`, `Live(run)` draw and compute in its browser.

Channels come last, dense kernels are [inputs, units], convolution kernels [height, width, in, out]; `record_torch` transposes. Every file
is written under a temporary name, flushed and renamed, so a run that is cut off opens with the snapshots that were whole. A run being
recorded can be read meanwhile.
"""

from .callbacks import keras_callback, lightning_callback, trainer_callback
from .hooks import record_jax, record_keras, record_torch
from .read import Run, read_result, read_run
from .recorder import Recorder
from .rules import Rules
from .version import __version__

__all__ = [
    "Live",
    "Recorder",
    "Rules",
    "Run",
    "__version__",
    "ivat",
    "keras_callback",
    "lightning_callback",
    "read_result",
    "read_run",
    "record_jax",
    "record_keras",
    "record_torch",
    "show",
    "trainer_callback",
]


def __getattr__(name):
    # Widgets alone need more than NumPy: loaded when they are asked for.
    if name in ("Live", "ivat", "show"):
        from . import notebook

        return getattr(notebook, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
