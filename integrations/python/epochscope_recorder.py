"""Records a training run for Epochscope: one file, NumPy only.

    from epochscope_recorder import Recorder

    with Recorder("my-run", classes=list("0123456789")) as run:
        run.samples(x, y)                                 # the samples to analyse, once
        for epoch in range(1, 11):
            train_one_epoch()
            with run.snapshot(epoch=epoch, metrics={"loss": loss}) as snap:
                snap.weights({"fc1.kernel": w, "fc1.bias": b})
                for batch in batches:                     # streamed: only one batch is in memory
                    snap.outputs({"fc1": activations(batch)})

`record_torch`, `record_keras` and `record_jax` below do the snapshot of a whole model. Then: `epochscope tendency my-run`.

Layout: docs/formats/run.md ("epochscope-run/1"). Channels come last, dense kernels are [inputs, units], convolution kernels
[height, width, in, out]; `record_torch` transposes. Every file is written under a temporary name, flushed and renamed, so a
run that is cut off opens with the snapshots that were whole. A run being recorded can be read meanwhile.

Licence: MIT, as Epochscope. Works with Python 3.8+ and NumPy 1.20+.
"""

import json
import math
import os
import re
import secrets
import shutil
import struct

import numpy as np

__version__ = "0.1.0"
__all__ = ["Recorder", "record_torch", "record_keras", "record_jax", "read_result"]

_NAME = re.compile(r"^[^/\\\0]{1,200}$")
_HEADER = 128  # Bytes of an .npy header that is written last, when the number of samples is known.


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
        _json(training, "training")
        self._count = None
        self._write_manifest()

    def samples(self, inputs=None, labels=None, source="recorded"):
        """The samples whose outputs are recorded: inputs n × shape (uint8, or floats stored as float32), labels n whole numbers."""
        if inputs is None and labels is None:
            raise ValueError("samples: expected inputs, labels or both")
        count = len(inputs if inputs is not None else labels)
        folder = os.path.join(self.directory, "samples")
        os.makedirs(folder, exist_ok=True)
        if inputs is not None:
            inputs = np.asarray(inputs)
            if inputs.dtype != np.uint8:
                inputs = inputs.astype(np.float32)
            _finite(inputs, "inputs")
            _write_npy(os.path.join(folder, "inputs.npy"), inputs)
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
            _write_npy(os.path.join(folder, "labels.npy"), labels.astype(np.uint32))
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
        _check_name(id, "snapshot id")
        if any(s["id"] == id for s in self._manifest["snapshots"]):
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
        _write_atomic(
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
        self._folder = f"{self._path}.tmp-{secrets.token_hex(4)}"
        os.makedirs(os.path.join(self._folder, "outputs"))
        return self

    def weights(self, tensors):
        """Parameters by name, "<layer>.<parameter>"; stored as float32."""
        for name, tensor in tensors.items():
            array = np.asarray(tensor).astype("<f4", order="C")
            _check_name(str(name), "tensor")
            _finite(array, f"tensor {name}")
            self._weights[str(name)] = array

    def outputs(self, batch, kinds=None):
        """Outputs of layers on the next samples: layer → batch × shape, stored as float32. Call it batch after batch.
        kinds: layer → what it is ("dense", "relu", "log-softmax", …), for the record."""
        self._kinds.update(kinds or {})
        for name, values in batch.items():
            array = np.asarray(values).astype("<f4", order="C")
            _check_name(str(name), "layer")
            if array.ndim < 1:
                raise ValueError(f"outputs of {name}: expected batch × shape, got a single number")
            if array.ndim == 1:
                array = array[:, None]
            _finite(array, f"outputs of layer {name}")
            if name not in self._files:
                file = open(os.path.join(self._folder, "outputs", f"{name}.npy"), "xb")
                file.write(b"\0" * _HEADER)
                self._files[name] = [file, 0, array.shape[1:]]
            entry = self._files[name]
            if array.shape[1:] != entry[2]:
                raise ValueError(f"outputs of {name}: expected shape {entry[2]} a sample, got {array.shape[1:]}")
            array.tofile(entry[0])
            entry[1] += len(array)

    def __exit__(self, kind, value, trace):
        try:
            if kind is not None:
                return
            counts = {name: count for name, (_, count, _) in self._files.items()}
            expected = self._run._count
            for name, count in counts.items():
                if expected is None:
                    expected = count
                if count != expected:
                    raise ValueError(f"outputs of {name}: expected {expected} samples, got {count}")
            for file, count, shape in self._files.values():
                file.seek(0)
                file.write(_npy_header((count,) + tuple(shape), "<f4"))
                _sync(file)
                file.close()
            _write_safetensors(os.path.join(self._folder, "weights.safetensors"), self._weights)
            self._describe_layers()
            shutil.rmtree(self._path, ignore_errors=True)
            os.rename(self._folder, self._path)
            _sync_folder(os.path.dirname(self._path))
            self._run._manifest["snapshots"].append(self._info)
            self._run._write_manifest()
        finally:
            for file, _, _ in self._files.values():
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
            for name, (_, _, shape) in self._files.items()
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


def record_torch(run, model, batches, layers=None, epoch=None, step=None, metrics=None, log_softmax=True):
    """A snapshot of a PyTorch model: all parameters, and the outputs of its leaf modules (or of those named in `layers`)
    on `batches`, an iterable of input tensors (or of tuples whose first item is one). Runs without gradients and in eval
    mode; the model's mode is put back. The last output is also recorded as layer "log_softmax" (unless log_softmax=False):
    that is where class marks, scores and right or wrong samples come from."""
    import torch

    modules = dict(model.named_modules())
    if layers is None:
        layers = [n for n, m in modules.items() if not any(True for _ in m.children()) and not isinstance(m, torch.nn.Dropout)]
    for name in layers:
        if name not in modules:
            raise KeyError(f"the model has no module {name}; it has {', '.join(n for n in modules if n)}")
    names = {name: name or "model" for name in layers}
    kinds = {names[n]: _TORCH_KINDS.get(type(modules[n]).__name__, type(modules[n]).__name__.lower()) for n in layers}
    caught = {}

    def catch(name):
        def hook(_module, _inputs, output):
            if isinstance(output, torch.Tensor):
                key, again = names[name], 2
                while key in caught:  # A module used several times in one pass.
                    key = f"{names[name]}_{again}"
                    again += 1
                kinds.setdefault(key, kinds[names[name]])
                caught[key] = _channels_last(output.detach().cpu().float().numpy())

        return hook

    handles = [modules[name].register_forward_hook(catch(name)) for name in layers]
    training = model.training
    model.eval()
    try:
        with run.snapshot(epoch=epoch, step=step, metrics=metrics) as snap, torch.no_grad():
            snap.weights(_torch_weights(torch, model))
            for batch in batches:
                caught.clear()
                last = model(batch[0] if isinstance(batch, (tuple, list)) else batch)
                outputs = dict(caught)
                if log_softmax and isinstance(last, torch.Tensor) and last.ndim == 2:
                    outputs["log_softmax"] = _log_probabilities(last.cpu().float().numpy())
                    kinds["log_softmax"] = "log-softmax"
                snap.outputs(outputs, kinds)
    finally:
        for handle in handles:
            handle.remove()
        model.train(training)


def record_keras(run, model, inputs, layers=None, epoch=None, step=None, metrics=None, batch_size=256, log_softmax=True):
    """A snapshot of a built Keras model (functional or sequential; channels last): the weights of every layer, and the
    outputs of its layers (or of those named in `layers`) on `inputs`, n × shape. See record_torch for `log_softmax`."""
    import keras

    chosen = [
        layer for layer in model.layers if (layers is None or layer.name in layers) and type(layer).__name__ != "InputLayer"
    ]
    missing = set(layers or []) - {layer.name for layer in chosen}
    if missing:
        raise KeyError(f"the model has no layer {sorted(missing)}; it has {', '.join(l.name for l in model.layers)}")
    probe = keras.Model(model.inputs, [layer.output for layer in chosen] + [model.outputs[0]])
    kinds = {layer.name: _KERAS_KINDS.get(type(layer).__name__, type(layer).__name__.lower()) for layer in chosen}
    with run.snapshot(epoch=epoch, step=step, metrics=metrics) as snap:
        snap.weights(
            {
                f"{layer.name}.{variable.name.split('/')[-1].split(':')[0]}": value
                for layer in model.layers
                for variable, value in zip(layer.weights, layer.get_weights())
            }
        )
        for start in range(0, len(inputs), batch_size):
            values = probe.predict_on_batch(inputs[start : start + batch_size])
            outputs = {layer.name: np.asarray(v) for layer, v in zip(chosen, values)}
            last = np.asarray(values[-1])
            if log_softmax and last.ndim == 2:
                outputs["log_softmax"] = _log_probabilities(last)
                kinds["log_softmax"] = "log-softmax"
            snap.outputs(outputs, kinds)


def record_jax(run, params, apply, batches, epoch=None, step=None, metrics=None, log_softmax=None):
    """A snapshot of a JAX model: `params` is any nesting of dicts, lists and arrays; `apply(params, batch)` answers the
    outputs to record, likewise nested (Flax: the "intermediates" collection). Names are the keys joined by dots.
    log_softmax: name of the output that holds logits, recorded as "log_softmax" too."""
    with run.snapshot(epoch=epoch, step=step, metrics=metrics) as snap:
        snap.weights(_flatten(params))
        for batch in batches:
            outputs = _flatten(apply(params, batch))
            kinds = {}
            if log_softmax is not None:
                outputs["log_softmax"] = _log_probabilities(np.asarray(outputs[log_softmax]))
                kinds["log_softmax"] = "log-softmax"
            snap.outputs(outputs, kinds)


def read_result(folder):
    """An Epochscope result (results/<method>/<name>/) as nested dicts and lists with NumPy arrays in place."""
    with open(os.path.join(folder, "result.json"), encoding="utf-8") as file:
        tree = json.load(file)

    def restore(node):
        if isinstance(node, dict):
            if set(node) == {"$array"}:
                name = node["$array"]
                _check_name(name, "array")
                return np.load(os.path.join(folder, name), allow_pickle=False)
            return {key: restore(value) for key, value in node.items()}
        return [restore(value) for value in node] if isinstance(node, list) else node

    return restore(tree)


_TORCH_KINDS = {
    "Linear": "dense",
    "Conv2d": "conv2d",
    "ReLU": "relu",
    "MaxPool2d": "max-pool",
    "AvgPool2d": "average-pool",
    "Sigmoid": "sigmoid",
    "Tanh": "tanh",
    "Flatten": "flatten",
    "BatchNorm2d": "batch-norm",
    "LogSoftmax": "log-softmax",
    "Softmax": "softmax",
}

_KERAS_KINDS = {
    "MaxPooling2D": "max-pool",
    "AveragePooling2D": "average-pool",
    "GlobalAveragePooling2D": "global-average-pool",
    "BatchNormalization": "batch-norm",
    "LeakyReLU": "leaky-relu",
}


def _torch_weights(torch, model):
    """Every parameter under our names and layouts: Linear weight → kernel [in, out], Conv2d weight → kernel [h, w, in, out]."""
    tensors = {}
    for path, module in model.named_modules():
        for name, value in module.named_parameters(recurse=False):
            array = value.detach().cpu().float().numpy()
            if name == "weight" and isinstance(module, torch.nn.Linear):
                name, array = "kernel", array.T
            elif name == "weight" and isinstance(module, torch.nn.Conv2d):
                name, array = "kernel", array.transpose(2, 3, 1, 0)
            tensors[f"{path or 'model'}.{name}"] = array
    return tensors


def _channels_last(array):
    return array if array.ndim < 3 else np.moveaxis(array, 1, -1)


def _log_probabilities(last):
    """log-softmax of logits; probabilities are only logged, and log-probabilities stay what they are."""
    last = np.asarray(last, dtype=np.float64)
    if last.size and last.min() >= 0 and np.allclose(last.sum(1), 1, atol=1e-4):
        return np.log(np.maximum(last, 1e-30))
    shifted = last - last.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def _flatten(tree, path=""):
    if hasattr(tree, "items"):
        pairs = tree.items()
    elif isinstance(tree, (list, tuple)):
        if len(tree) == 1:  # Flax wraps each intermediate in a tuple.
            return _flatten(tree[0], path)
        pairs = enumerate(tree)
    else:
        return {path or "output": np.asarray(tree)}
    flat = {}
    for key, value in pairs:
        flat.update(_flatten(value, f"{path}.{key}" if path else str(key)))
    return flat


def _check_name(name, what):
    if not _NAME.match(name) or name in (".", ".."):
        raise ValueError(f"{what}: expected a plain name without slashes, got {name!r}")


def _finite(array, what):
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        at = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise ValueError(f"{what}: expected finite numbers, got {array[at]} at {at}")


def _json(value, what):
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{what}: expected plain JSON: {error}") from None


def _sync(file):
    file.flush()
    os.fsync(file.fileno())


def _sync_folder(path):
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:  # Windows opens no folders and needs no flush.
        return
    try:
        os.fsync(handle)
    except OSError:
        pass
    finally:
        os.close(handle)


def _write_atomic(path, write):
    sibling = f"{path}.tmp-{secrets.token_hex(4)}"
    try:
        with open(sibling, "xb") as file:
            write(file)
            _sync(file)
        os.replace(sibling, path)
        _sync_folder(os.path.dirname(path))
    finally:
        if os.path.exists(sibling):
            os.remove(sibling)


def _npy_header(shape, descr):
    text = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {tuple(int(s) for s in shape)}, }}"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", _HEADER - 10) + text.encode().ljust(_HEADER - 11) + b"\n"


def _write_npy(path, array):
    _write_atomic(path, lambda file: np.save(file, np.ascontiguousarray(array), allow_pickle=False))


def _write_safetensors(path, tensors):
    header, offset = {}, 0
    for name, array in tensors.items():
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [offset, offset + array.nbytes]}
        offset += array.nbytes
    text = json.dumps(header).encode()
    text = text.ljust(-len(text) % 8 + len(text))
    with open(path, "xb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for array in tensors.values():
            array.tofile(file)
        _sync(file)
