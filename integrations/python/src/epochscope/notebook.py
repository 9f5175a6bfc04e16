"""Widgets for notebooks: results drawn, and points analysed, by the engine that pages have, in the notebook's browser.

    from epochscope import Live, ivat, show

    show("my-run", "tendency")          # a result of a run, or what read_result gives, or one file
    w = ivat(X, labels=y)               # VAT and iVAT of any points; w.order, w.weights, w.blocks in the next cell
    Live(run)                           # before a training that `run`, a Recorder, records

Python holds no kernel: the browser computes and sends order, weights and blocks back. A saved notebook keeps each widget's picture.
Needs anywidget: pip install "epochscope[notebook]".
"""

import asyncio
import base64
import html
import io
import os
import sys
import threading
import time
import uuid

import numpy as np

try:
    import anywidget
    import traitlets
except ImportError:
    raise ImportError('widgets need anywidget: pip install "epochscope[notebook]"') from None

from .one_file import decode_result, encode_result
from .read import Run, read_result, read_run
from .version import __version__

_HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "jupyter")
_MOST_BYTES = 200_000_000


def _file(name):
    path = os.path.join(_HERE, name)
    if not os.path.exists(path):
        raise FileNotFoundError(f"{path} is not there: widgets come with the wheel; in a checkout `npm run wheel` makes them")
    with open(path, "rb") as file:
        return file.read()


class _Widget(anywidget.AnyWidget):
    """What is common: the engine on request, bytes that come back, and the picture that a saved notebook keeps."""

    _brought = False
    _version = traitlets.Unicode(__version__).tag(sync=True)
    _id = traitlets.Unicode().tag(sync=True)
    _kind = traitlets.Unicode("result").tag(sync=True)
    _engine = traitlets.Bytes(b"").tag(sync=True)
    _payload = traitlets.Bytes(b"").tag(sync=True)
    _labels = traitlets.Bytes(b"").tag(sync=True)
    _predictions = traitlets.Bytes(b"").tag(sync=True)
    _options = traitlets.Dict().tag(sync=True)
    selected = traitlets.Dict(help="What was chosen last by a click: snapshot, layer, sample, block, …").tag(sync=True)

    def __init__(self, **traits):
        self._parts = {}
        self._picture = None
        self._words = ""
        self._displays = []
        self._failed = None
        self._come = threading.Event()
        if not _Widget._brought:
            # Asked for, it would come when the cell is done.
            _Widget._brought, traits["_engine"] = True, _file("engine.js.gz")
        super().__init__(_esm=_file("loader.js").decode(), _id=uuid.uuid4().hex, **traits)
        self.on_msg(self._told)

    def _told(self, _widget, content, buffers):
        kind = content.get("type")
        if kind == "ping":
            self.send({"type": "pong"})
        elif kind == "engine":
            self.send({"type": "engine"}, [_file("engine.js.gz")])
        elif kind == "problem":
            self._failed = content["message"]
            self._come.set()
        elif kind in ("result", "picture"):
            parts = self._parts.setdefault(kind, {})
            parts[content["part"]] = bytes(buffers[0])
            if content["part"] == content["parts"] - 1 and len(parts) == content["parts"]:
                data = b"".join(parts[i] for i in range(len(parts)))
                del self._parts[kind]
                if kind == "picture":
                    self._keep(data, content["words"])
                else:
                    self._result = decode_result(data, "the browser's answer")
                    self._failed = None
                    self._come.set()

    def _keep(self, png, words):
        """Puts the picture into the outputs that show this widget, where it is saved with the notebook."""
        self._picture, self._words = png, words
        for display_id in self._displays:
            self._show(display_id, update=True)

    def _bundle(self):
        image = "Drawn by the notebook's browser; run the cell again to see it."
        bundle = {"text/plain": self._words or repr(self)}
        if self._picture:
            coded = base64.b64encode(self._picture).decode()
            bundle["image/png"] = coded
            image = f'<img alt="{html.escape(self._words)}" style="max-width: 640px; width: 100%" src="data:image/png;base64,{coded}">'
        bundle["text/html"] = f'<epochscope-figure data-id="{self._id}">{image}</epochscope-figure>'
        return bundle

    def _show(self, display_id, update=False):
        from IPython.display import display

        display(self._bundle(), raw=True, display_id=display_id, update=update)

    def _ipython_display_(self):
        """The output is the picture, around which the living widget is drawn: so it is there without Python and without this package."""
        if "google.colab" in sys.modules:  # Each output is a page of its own there, which only a widget's view reaches.
            from IPython.display import display

            return display(super()._repr_mimebundle_()[0], raw=True)
        self._displays.append(uuid.uuid4().hex)
        self._show(self._displays[-1])

    def __repr__(self):
        return f"<epochscope.{type(self).__name__}>"


class Shown(_Widget):
    """A result that is drawn: `result` as `read_result` gives it."""

    def __init__(self, result):
        self._result = result
        panels = result.get("panels") if result.get("method") == "tendency" else None
        super().__init__(_payload=encode_result(result))
        if panels:
            self._picture = ivat_png(panels[-1]["weights"])
            where = panels[-1]["layer"], panels[-1]["snapshot"]["id"]
            self._words = f"iVAT picture of {where[0]}, {where[1]}: dark is near."

    @property
    def result(self):
        return self._result


def show(result, method=None, name="default"):
    """Draws a result in a notebook. `result`: what `read_result` or `run.result` gives, the path of a result's folder or of one file, or a
    run (its path, or what `read_run` gives) with the method, and the name where it has several. Raises what `read_result` does."""
    if isinstance(result, (str, os.PathLike)):
        path = os.fspath(result)
        result = read_run(path) if os.path.exists(os.path.join(path, "run.json")) else read_result(path)
    if isinstance(result, Run):
        run = result
        if method is None:
            there = ", ".join(f"{m}/{n}" for m, n in run.results()) or "none"
            raise ValueError(f"{run.directory} is a run: say which result, show(run, method); it has {there}")
        result = _with_samples(run.result(method, name), run)
    if not isinstance(result, dict) or not str(result.get("format")).startswith("epochscope-result/"):
        raise TypeError(f"expected a result (read_result), its path, or a run and a method, got {type(result).__name__}")
    return Shown(result)


_MOST_IMAGES = 5_000_000


def _with_samples(node, run):
    """References to the run's samples as their images, where those are small; else they stay references, which are not drawn."""
    if isinstance(node, dict):
        if "$samples" in node:
            inputs, rows, shape = run.inputs(), node.get("rows"), node["shape"]
            if inputs is None or np.prod(shape) > _MOST_IMAGES:
                return None
            images = np.asarray(inputs if rows is None else inputs[rows])
            if images.dtype != np.uint8:
                images = np.floor(np.clip(images.astype(np.float64), 0, 1) * 255 + 0.5).astype(np.uint8)
            return {"data": images.reshape(-1), "shape": shape}
        return {key: _with_samples(value, run) for key, value in node.items()}
    return [_with_samples(value, run) for value in node] if isinstance(node, list) else node


class Ivat(_Widget):
    """VAT and iVAT of points, computed by the notebook's browser. What comes back is there a moment after the cell is done:

    order      uint32[n], the sample at each position
    weights    float32[n − 1], the edge by which position k + 1 was attached; iVAT of positions a < b is weights[a:b].max()
    parent     uint32[n − 1], the sample it was attached to
    blocks     the dark blocks: count, ranges (start, end, clearness), …
    block_of   int64[n], the block of each sample, −1 for none
    result     all of it, as `read_result` gives the command line's
    """

    def __init__(self, payload, labels, predictions, options):
        self._result = None
        super().__init__(_kind="points", _payload=payload, _labels=labels, _predictions=predictions, _options=options)

    @property
    def done(self):
        """Whether the browser has answered."""
        return self._result is not None

    async def wait(self, timeout=60):
        """`await w.wait()`: waits for the browser's answer in the same cell, and returns the widget. Needs a kernel
        that hears the browser while a cell awaits: ipykernel 7.4; with an older one go on in the next cell. Raises TimeoutError;
        RuntimeError if it failed."""
        end = time.monotonic() + timeout
        while not self._come.is_set():
            if time.monotonic() > end:
                raise TimeoutError(
                    f"no answer from the browser within {timeout} s: a notebook must be open in one; ipykernel before"
                    " 7.4 hears nothing while a cell runs: read it in the next cell"
                )
            await asyncio.sleep(0.02)
        if self._failed:
            raise RuntimeError(self._failed)
        return self

    @property
    def result(self):
        if self._failed:
            raise RuntimeError(self._failed)
        if self._result is None:
            raise RuntimeError(
                "the browser has not answered yet: read this in a later cell than the one that made it, or `await w.wait()` first"
            )
        return self._result

    @property
    def _panel(self):
        return self.result["panels"][0]

    @property
    def order(self):
        return self._panel["order"]

    @property
    def weights(self):
        return self._panel["weights"]

    @property
    def parent(self):
        return self._panel["parent"]

    @property
    def blocks(self):
        return self._panel["blocks"]

    @property
    def block_of(self):
        of = np.full(len(self.order), -1)
        for number, block in enumerate(self.blocks["ranges"]):
            of[self.order[block["start"] : block["end"]]] = number
        return of


def ivat(X, labels=None, predictions=None, classes=None, metric="euclidean", missing=False, smallest_block=None, seed=1, name="X"):
    """VAT and iVAT of the rows of X: a widget that computes in the notebook's browser what `epochscope tendency` computes, bit by bit.

    X               n × d numbers (NumPy, pandas, PyTorch, anything that NumPy takes); more axes are flattened. With metric="precomputed" a
                    square matrix of dissimilarities, or a condensed one.
    labels          one a row: whole numbers (−1: none) or names. predictions: the same, for right and wrong.
    classes         what the numbers are called.
    metric          euclidean, cosine, correlation, manhattan, jaccard, hamming, gower, precomputed.
    missing         leave NaN out, pair by pair; otherwise it is refused.
    smallest_block  samples that count as a block; default 2 % of them, at least 10.
    Raises ValueError by row and column for what is not finite, and where labels do not fit; what the browser finds wrong is said in the
    widget and raised by its properties. Time and memory: those of the browser; 10 000 × 84 takes a second.
    """
    rows = np.asarray(X)
    if rows.dtype == object:
        raise ValueError(f"X: expected numbers, got {rows.dtype} (of texts and numbers mixed, write a table: epochscope tendency FILE --metric gower)")
    if rows.dtype == bool:
        rows = rows.astype(np.uint8)
    if rows.ndim > 2:
        rows = rows.reshape(len(rows), -1)
    if rows.ndim < 1 or (rows.ndim == 1 and metric != "precomputed"):
        raise ValueError(f"X: expected rows of numbers, n × d, got shape {rows.shape}")
    if not missing and rows.dtype.kind == "f" and not np.isfinite(rows).all():
        at = [int(i) for i in np.argwhere(~np.isfinite(rows))[0]]
        place = f"row {at[0]}" + (f", column {at[1]}" if len(at) > 1 else "")
        raise ValueError(f"X, {place} (from 0): expected a finite number, got {rows[tuple(at)]}; missing=True leaves NaN out pair by pair")
    if rows.nbytes > _MOST_BYTES:
        raise ValueError(
            f"X: {rows.nbytes / 1e6:.0f} MB are more than a notebook takes ({_MOST_BYTES / 1e6:.0f} MB): np.save it, run `epochscope tendency FILE`,"
            " and show() the result"
        )
    count = len(rows)
    if metric == "precomputed" and rows.ndim == 1:
        count = int((1 + np.sqrt(1 + 8 * len(rows))) / 2)
    options = {
        "name": str(name),
        "metric": str(metric),
        "missing": bool(missing),
        "seed": int(seed),
        "smallestBlock": None if smallest_block is None else int(smallest_block),
        "classes": None if classes is None else [str(c) for c in classes],
    }
    return Ivat(_npy(rows), _one_a_row(labels, count, "labels"), _one_a_row(predictions, count, "predictions"), options)


def _npy(array):
    data = io.BytesIO()
    np.save(data, np.ascontiguousarray(array), allow_pickle=False)
    return data.getvalue()


def _one_a_row(values, count, what):
    """As .npy; texts as NumPy writes them."""
    if values is None:
        return b""
    array = np.asarray(values)
    if array.dtype == object:
        array = np.array([str(value) for value in array])
    if array.ndim != 1 or len(array) != count:
        got = len(array) if array.ndim == 1 else f"shape {array.shape}"
        raise ValueError(f"{what}: expected one for each of {count} rows, got {got}")
    return _npy(array)


class Live(_Widget):
    """Draws a run while a Recorder records it: metrics, and an iVAT picture of each layer named, after each snapshot. Display it in a cell
    before the training, or at the start of the training's own cell.

    recorder   a Recorder; of the snapshots it records from now on.
    layers     names; default: the last one recorded.
    samples    at most so many, evenly chosen; fewer of wide layers, at least 50.
    After the last snapshot `result` is what the browser found: panels with order, weights, blocks.
    """

    def __init__(self, recorder, layers=None, samples=500, metric="euclidean", seed=1):
        self._result = None
        self._frames = []
        self._layers = None if layers is None else [str(layer) for layer in layers]
        self._samples = int(samples)
        self._recorder = recorder
        self._chosen = None
        options = {
            "name": os.path.basename(os.path.normpath(recorder.directory)),
            "metric": str(metric),
            "seed": int(seed),
            "classes": recorder._manifest["classes"],
        }
        # A kernel that trains answers no requests: the engine goes along.
        super().__init__(_kind="live", _engine=_file("engine.js.gz"), _options=options)
        recorder.watch(self._recorded)

    @property
    def result(self):
        if self._result is None:
            raise RuntimeError(self._failed or "the browser has not answered yet: read this in a later cell")
        return self._result

    def _recorded(self, snapshot, folder):
        layers = self._layers or [self._recorder._manifest["layers"][-1]["name"]]
        buffers = []
        for layer in layers:
            path = os.path.join(folder, "outputs", f"{layer}.npy")
            if not os.path.exists(path):
                raise KeyError(f"no outputs of layer {layer} were recorded")
            outputs = np.load(path, mmap_mode="r", allow_pickle=False)
            outputs = outputs.reshape(len(outputs), -1)
            if self._chosen is None:
                most = max(50, min(self._samples, int(400_000 / (4 * outputs.shape[1] * len(layers)))))
                self._choose(len(outputs), most)
            buffers.append(_npy(np.asarray(outputs[self._chosen], np.float32)))
        message = {"type": "frame", "index": len(self._frames), "snapshot": snapshot, "layers": layers}
        self._frames.append((message, buffers))
        self.send(message, buffers)

    def _choose(self, count, most):
        self._chosen = np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int))
        labels = os.path.join(self._recorder.directory, "samples", "labels.npy")
        if os.path.exists(labels):
            self._labels = _npy(np.load(labels, allow_pickle=False)[self._chosen])

    def _told(self, widget, content, buffers):
        if content.get("type") == "missing":
            for message, frame in list(self._frames)[content["from"] :]:
                self.send(message, frame)
        else:
            super()._told(widget, content, buffers)


def ivat_png(weights, side=256):
    """An iVAT picture as PNG bytes, from the weights of a tendency panel: pixel (a, b) is the largest weight between the two positions,
    black is 0. What a notebook shows before, and without, a browser that draws."""
    n = len(weights) + 1
    side = max(1, min(side, n))
    at = np.linspace(0, n - 1, side).round().astype(int)
    # The largest weight from each chosen position to the next.
    steps = np.array([weights[a:b].max() if b > a else 0 for a, b in zip(at[:-1], at[1:])], dtype=np.float64)
    image = np.zeros((side, side))
    for row in range(side - 1):
        image[row, row + 1 :] = np.maximum.accumulate(steps[row:])
    image = np.maximum(image, image.T)
    high = image.max() or 1
    return png(np.floor(image / high * 255 + 0.5).astype(np.uint8))


def png(grey):
    """A picture of grey bytes, height × width."""
    import struct
    import zlib

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width = grey.shape
    lines = np.concatenate([np.zeros((height, 1), np.uint8), grey], axis=1).tobytes()
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(lines, 9)) + chunk(b"IEND", b"")


