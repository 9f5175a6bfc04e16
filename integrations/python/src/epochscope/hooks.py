"""One snapshot of a whole model, by the framework it was made with; and callbacks that record while others train."""

import warnings

import numpy as np


def record_torch(run, model, batches, layers=None, epoch=None, step=None, metrics=None, log_softmax=True):
    """A snapshot of a PyTorch model: all parameters, and the outputs of its leaf modules (or of those named in `layers`)
    on `batches`, an iterable of input tensors (or of tuples whose first item is one, or of dicts of named inputs). Runs without gradients and in eval
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
                caught[key] = _channels_last(output.detach().cpu().float().numpy(), type(modules[name]).__name__)

        return hook

    handles = [modules[name].register_forward_hook(catch(name)) for name in layers]
    training = model.training
    others = set()
    model.eval()
    try:
        with run.snapshot(epoch=epoch, step=step, metrics=metrics) as snap, torch.no_grad():
            snap.weights(_torch_weights(torch, model))
            for batch in batches:
                caught.clear()
                last = _call(model, batch)
                # What is the same for all inputs (a table of positions) is no output on them.
                size = _size(batch)
                outputs = {name: values for name, values in caught.items() if len(values) == size}
                others.update(caught.keys() - outputs.keys())
                if log_softmax and isinstance(last, torch.Tensor) and last.ndim == 2:
                    outputs["log_softmax"] = _log_probabilities(last.cpu().float().numpy())
                    kinds["log_softmax"] = "log-softmax"
                snap.outputs(outputs, kinds)
    finally:
        for handle in handles:
            handle.remove()
        model.train(training)
    if others:
        warnings.warn(f"not recorded, having no row for each sample: {', '.join(sorted(others))}", stacklevel=2)


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


def _size(batch):
    """Samples in a batch."""
    first = next(iter(batch.values())) if hasattr(batch, "items") else batch[0] if isinstance(batch, (tuple, list)) else batch
    return len(first)


def _call(model, batch):
    """Inputs alone, the first of a tuple, or by name (Hugging Face, whose outputs hold their logits)."""
    if hasattr(batch, "items"):
        output = model(**batch)
    else:
        output = model(batch[0] if isinstance(batch, (tuple, list)) else batch)
    return getattr(output, "logits", output)


def _torch_weights(torch, model):
    """Every parameter under our names and layouts: Linear weight → kernel [in, out], Conv2d weight → kernel [h, w, in, out]. A parameter
    that several modules share is kept once, under the first."""
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


def _channels_last(array, kind):
    """[n, channels, …] → [n, …, channels]; what has three axes is [n, tokens, width] unless a one-dimensional layer made it."""
    return np.moveaxis(array, 1, -1) if array.ndim > 3 or (array.ndim == 3 and kind.endswith("1d")) else array


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
