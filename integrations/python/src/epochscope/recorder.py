"""Writes a run directory: docs/formats/run.md ("epochscope-run/1")."""

import json
import math
import os
import shutil
import warnings

import numpy as np

from .files import (
    HEADER,
    check_finite,
    check_json,
    check_name,
    clear_leftovers,
    npy_header,
    sync,
    sync_folder,
    temporary,
    write_atomic,
    write_npy,
    write_safetensors,
)
from .version import __version__


def _stored(dtype):
    """float64 for what float32 would lose digits of; 64-bit integers as they are."""
    if dtype.kind in "iu" and dtype.itemsize == 8:
        return f"<{dtype.kind}8"
    return "<f8" if dtype.kind in "iu" and dtype.itemsize > 2 or dtype == np.float64 else "<f4"


def _cast(array, dtype, what):
    """The same numbers as another type. ValueError where it does not hold one of them."""
    out = array.astype(dtype, order="C")
    with np.errstate(invalid="ignore"):
        lost = out.astype(array.dtype) != array
    if lost.any():
        at = tuple(int(i) for i in np.argwhere(lost)[0])
        raise ValueError(f"{what}: {np.dtype(dtype).name} does not hold {array[at]!r} at {at}; give all batches as one type, less an offset")
    return out


class Recorder:
    """Writes one run directory.

    directory   made if need be; one that holds a run already is refused unless overwrite=True.
    classes     class names, in the order of the labels; None where there are no classes.
    input_shape shape of one sample; default: that of the samples.
    training    anything worth keeping about the training, plain JSON.
    """

    def __init__(self, directory, classes=None, input_shape=None, training=None, overwrite=False):
        self.directory = os.fspath(directory)
        if os.path.exists(os.path.join(self.directory, "run.json")):
            if not overwrite:
                raise FileExistsError(
                    f"{self.directory} holds a run already; give another directory or overwrite=True"
                )
            # run.json goes first: what is left without it is no run.
            os.remove(os.path.join(self.directory, "run.json"))
            for name in ("samples", "snapshots", "steps", "results"):
                shutil.rmtree(os.path.join(self.directory, name), ignore_errors=True)
        os.makedirs(self.directory, exist_ok=True)
        for name in ("", "samples", "snapshots"):
            clear_leftovers(os.path.join(self.directory, name))
        self._manifest = {
            "format": "epochscope-run/1",
            "tool": {"name": "epochscope-recorder", "version": __version__},
            "model": None,
            "layers": [],
            "classes": None if classes is None else [str(c) for c in classes],
            "inputShape": None if input_shape is None else [int(s) for s in input_shape],
            "samples": None,
            "training": training,
            "snapshots": [],
            "complete": False,
        }
        check_json(training, "training")
        self._count = None
        self._watchers = []
        self._write_manifest()

    def watch(self, told):
        """Calls `told(snapshot, folder)` after each snapshot: its id, epoch, step and metrics, and the folder that holds it. What it raises
        becomes a warning, so that looking on never ends a training."""
        self._watchers.append(told)

    def samples(self, inputs=None, labels=None, source="recorded"):
        """The samples whose outputs are recorded: inputs n × shape (uint8, float32 or float64), labels n whole numbers."""
        if inputs is None and labels is None:
            raise ValueError("samples: expected inputs, labels or both")
        count = len(inputs if inputs is not None else labels)
        folder = os.path.join(self.directory, "samples")
        os.makedirs(folder, exist_ok=True)
        if inputs is not None:
            inputs = np.asarray(inputs)
            if inputs.dtype != np.uint8:
                stored = _stored(inputs.dtype)
                # Of inputs a run holds uint8, float32 and float64.
                inputs = _cast(inputs, "<f8", "inputs") if stored[1] in "iu" else inputs.astype(stored)
            check_finite(inputs, "inputs")
            write_npy(os.path.join(folder, "inputs.npy"), inputs)
            if self._manifest["inputShape"] is None:
                self._manifest["inputShape"] = [int(s) for s in inputs.shape[1:]]
        if labels is not None:
            labels = np.asarray(labels)
            if labels.ndim != 1 or len(labels) != count:
                raise ValueError(f"labels: expected {count} of them, one a sample, got shape {labels.shape}")
            if count and (not np.array_equal(labels, np.floor(labels)) or labels.min() < 0):
                raise ValueError("labels: expected whole numbers from 0")
            classes = self._manifest["classes"]
            if classes is not None and count and labels.max() >= len(classes):
                raise ValueError(f"labels: expected 0 to {len(classes) - 1}, got {labels.max()}")
            write_npy(os.path.join(folder, "labels.npy"), labels.astype(np.uint32))
        self._count = count
        self._manifest["samples"] = {"count": count, "source": str(source)}
        self._write_manifest()

    def snapshot(self, epoch=None, step=None, metrics=None, id=None):
        """A context that takes weights and outputs, and puts the snapshot into the run when it ends without an error."""
        if id is None:
            if step == 0 or (step is None and epoch == 0):
                id = "init"
            elif epoch is not None and float(epoch).is_integer():
                id = f"epoch-{int(epoch):04d}"
            elif step is not None:
                id = f"step-{int(step):08d}"
            else:
                raise ValueError("snapshot: expected an epoch, a step or an id")
        check_name(id, "snapshot id")
        if self.recorded(id):
            raise ValueError(f"snapshot {id} was recorded already")
        figures = {}
        for name, value in (metrics or {}).items():
            value = float(value)
            figures[str(name)] = value if math.isfinite(value) else None
        info = {
            "id": id,
            "epoch": None if epoch is None else float(epoch) if float(epoch) % 1 else int(epoch),
            "step": None if step is None else int(step),
            "metrics": figures,
        }
        return _Snapshot(self, info)

    def recorded(self, id):
        """Whether this snapshot is in the run already."""
        return any(snapshot["id"] == id for snapshot in self._manifest["snapshots"])

    def finish(self):
        """Marks the run complete."""
        self._manifest["complete"] = True
        self._write_manifest()

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind is None:
            self.finish()

    def _write_manifest(self):
        write_atomic(
            os.path.join(self.directory, "run.json"),
            lambda file: file.write((json.dumps(self._manifest, indent=1, allow_nan=False) + "\n").encode()),
        )


class _Snapshot:
    """One snapshot being written, in a folder under a temporary name."""

    def __init__(self, run, info):
        self._run = run
        self._info = info
        self._weights = {}
        self._files = {}
        self._kinds = {}

    def __enter__(self):
        self._path = os.path.join(self._run.directory, "snapshots", self._info["id"])
        self._folder = temporary(self._path)
        os.makedirs(os.path.join(self._folder, "outputs"))
        return self

    def weights(self, tensors):
        """Parameters by name, "<layer>.<parameter>"; stored as float32."""
        for name, tensor in tensors.items():
            array = np.asarray(tensor).astype("<f4", order="C")
            check_name(str(name), "tensor")
            check_finite(array, f"tensor {name}")
            self._weights[str(name)] = array

    def outputs(self, batch, kinds=None):
        """Outputs of layers on the next samples: layer → batch × shape. Call it batch after batch.
        float64 and 32-bit integers are stored as float64, 64-bit integers as they are (times, identifiers and coordinates keep their digits),
        all else as float32. The first batch decides; a later one that it does not hold is refused.
        kinds: layer → what it is ("dense", "relu", "log-softmax", …), for the record."""
        self._kinds.update(kinds or {})
        for name, values in batch.items():
            array = np.asarray(values)
            array = array.astype(_stored(array.dtype), order="C")
            check_name(str(name), "layer")
            if array.ndim < 1:
                raise ValueError(f"outputs of {name}: expected batch × shape, got a single number")
            if array.ndim == 1:
                array = array[:, None]
            check_finite(array, f"outputs of layer {name}")
            if name not in self._files:
                file = open(os.path.join(self._folder, "outputs", f"{name}.npy"), "xb")
                file.write(b"\0" * HEADER)
                self._files[name] = [file, 0, array.shape[1:], array.dtype.str]
            entry = self._files[name]
            if array.dtype.str != entry[3]:
                array = _cast(array, entry[3], f"outputs of {name}")
            if array.shape[1:] != entry[2]:
                raise ValueError(f"outputs of {name}: expected shape {entry[2]} a sample, got {array.shape[1:]}")
            array.tofile(entry[0])
            entry[1] += len(array)

    def __exit__(self, kind, value, trace):
        try:
            if kind is not None:
                return
            counts = {name: count for name, (_, count, _, _) in self._files.items()}
            expected = self._run._count
            for name, count in counts.items():
                if expected is None:
                    expected = count
                if count != expected:
                    raise ValueError(f"outputs of {name}: expected {expected} samples, got {count}")
            for file, count, shape, dtype in self._files.values():
                file.seek(0)
                file.write(npy_header((count,) + tuple(shape), dtype))
                sync(file)
                file.close()
            write_safetensors(os.path.join(self._folder, "weights.safetensors"), self._weights)
            self._describe_layers()
            shutil.rmtree(self._path, ignore_errors=True)
            os.rename(self._folder, self._path)
            sync_folder(os.path.dirname(self._path))
            self._run._manifest["snapshots"].append(self._info)
            self._run._write_manifest()
            for told in self._run._watchers:
                try:
                    told(dict(self._info), self._path)
                except Exception as error:
                    warnings.warn(f"snapshot {self._info['id']} is recorded, but not shown: {error}", stacklevel=2)
        finally:
            for file, *_ in self._files.values():
                file.close()
            shutil.rmtree(self._folder, ignore_errors=True)

    def _describe_layers(self):
        """Layers known only by their weights, then those with outputs in their order. Later snapshots must agree."""
        parameters = {}
        for tensor in self._weights:
            parameters.setdefault(tensor.rpartition(".")[0] or tensor, []).append(tensor)
        layers = [
            {
                "name": name,
                "kind": self._kinds.get(name, "output"),
                "shape": [int(s) for s in shape],
                "parameters": parameters.pop(name, []),
            }
            for name, (_, _, shape, _) in self._files.items()
        ]
        # The last layer is where readers look for predictions, so those without outputs come first.
        layers = [
            {
                "name": name,
                "kind": self._kinds.get(name, "parameters"),
                "shape": [int((self._weights[tensors[0]].shape[-1:] or (1,))[0])],
                "parameters": tensors,
            }
            for name, tensors in parameters.items()
        ] + layers
        known = self._run._manifest["layers"]
        if not known:
            self._run._manifest["layers"] = layers
            return
        shapes = {layer["name"]: layer["shape"] for layer in known}
        for layer in layers:
            if layer["name"] not in shapes:
                known.insert(0, layer)
            elif shapes[layer["name"]] != layer["shape"] and layer["name"] in self._files:
                raise ValueError(
                    f"layer {layer['name']}: expected shape {shapes[layer['name']]} as in earlier snapshots, got {layer['shape']}"
                )
