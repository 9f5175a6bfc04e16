"""Reads runs and results that `epochscope` wrote, as NumPy arrays; as pandas tables where pandas is installed."""

import json
import os

import numpy as np

from .files import check_name, read_safetensors
from .one_file import decode_result

_MAX_JSON = 500_000_000


def read_run(directory):
    """Opens a run directory; reads its manifest alone. Raises FileNotFoundError, ValueError."""
    return Run(directory)


class Run:
    """A run as it is on disk.

    manifest    run.json: layers, classes, training, …
    snapshots   in order: {"id", "epoch", "step", "metrics"}, those of the step log among them; one that is not whole is left out.
    """

    def __init__(self, directory):
        self.directory = os.fspath(directory)
        self.manifest = _read_json(os.path.join(self.directory, "run.json"), "epochscope-run/1")
        self._steps = _read_steps(os.path.join(self.directory, "steps"))
        own = [
            snapshot
            for snapshot in self.manifest["snapshots"]
            if os.path.exists(os.path.join(self._folder(snapshot["id"]), "weights.safetensors"))
        ]
        snapshots = [s for s in own if s["id"] not in self._steps["at"]] + self._steps["snapshots"]
        if self._steps["snapshots"] and all(s["step"] is not None for s in snapshots):
            snapshots.sort(key=lambda s: s["step"])
        self.snapshots = snapshots

    def snapshot(self, which):
        """By id, epoch, "first" or "last"."""
        for index, name in ((0, "first"), (-1, "last")):
            if which == name and self.snapshots:
                return self.snapshots[index]
        for snapshot in self.snapshots:
            if snapshot["id"] == which or (snapshot["epoch"] is not None and snapshot["epoch"] == which):
                return snapshot
        raise KeyError(f"{self.directory} has no snapshot {which}; it has {', '.join(s['id'] for s in self.snapshots) or 'none'}")

    def weights(self, which="last"):
        """Name → array of one snapshot, read where they are used."""
        id = self.snapshot(which)["id"]
        at = self._steps["at"].get(id)
        if at is None:
            return read_safetensors(os.path.join(self._folder(id), "weights.safetensors"))
        return {
            tensor["name"]: self._steps["records"][at, tensor["offset"] // 4 :][: int(np.prod(tensor["shape"]))].reshape(tensor["shape"])
            for tensor in self._steps["tensors"]
        }

    def outputs(self, layer, which="last"):
        """One layer's outputs on the run's samples, n × shape, read where they are used (a memory map)."""
        check_name(layer, "layer")
        id = self.snapshot(which)["id"]
        path = os.path.join(self._folder(id), "outputs", f"{layer}.npy")
        if not os.path.exists(path):
            raise KeyError(f"{self.directory}: snapshot {id} holds no outputs of layer {layer}")
        return np.load(path, mmap_mode="r", allow_pickle=False)

    def inputs(self):
        """The analysis samples, n × shape; None where the run holds none."""
        return self._sample_file("inputs")

    def labels(self):
        """One class a sample; None where there are none."""
        return self._sample_file("labels")

    def metrics(self):
        """A pandas table, one row a snapshot: id, epoch, step and every metric."""
        try:
            import pandas
        except ImportError as error:
            raise ImportError("metrics() makes a pandas table: pip install pandas; the numbers are in run.snapshots") from error

        return pandas.DataFrame([{**{k: s[k] for k in ("id", "epoch", "step")}, **s["metrics"]} for s in self.snapshots])

    def results(self):
        """(method, name) of every result."""
        root = os.path.join(self.directory, "results")
        found = []
        for method in _folders(root):
            for name in _folders(os.path.join(root, method)):
                if os.path.exists(os.path.join(root, method, name, "result.json")):
                    found.append((method, name))
        return found

    def result(self, method, name="default"):
        """A result with its arrays; see `read_result`."""
        if (method, name) not in self.results():
            there = ", ".join(f"{m}/{n}" for m, n in self.results()) or "none"
            raise KeyError(f"{self.directory} has no result {method}/{name}; it has {there}")
        return read_result(os.path.join(self.directory, "results", method, name))

    def _folder(self, id):
        check_name(id, "snapshot id")
        return os.path.join(self.directory, "snapshots", id)

    def _sample_file(self, name):
        path = os.path.join(self.directory, "samples", f"{name}.npy")
        return np.load(path, mmap_mode="r", allow_pickle=False) if os.path.exists(path) else None


def read_result(path):
    """A result, the folder results/<method>/<name>/ or the one file that `epochscope export` writes, as nested dicts and lists with NumPy
    arrays in place. A folder's references to the run's samples stay as they are ({"$samples": ...}): the run has them; one file holds them."""
    folder = os.fspath(path)
    if os.path.isfile(folder):
        return _read_one_file(folder)
    tree = _read_json(os.path.join(folder, "result.json"), "epochscope-result/")

    def restore(node):
        if isinstance(node, dict):
            if set(node) == {"$array"}:
                parts = str(node["$array"]).split("/")
                for part in parts:
                    check_name(part, "array")
                return np.load(os.path.join(folder, *parts), allow_pickle=False)
            return {key: restore(value) for key, value in node.items()}
        return [restore(value) for value in node] if isinstance(node, list) else node

    return restore(tree)


def _read_one_file(path):
    with open(path, "rb") as file:
        data = file.read()
    return _checked(decode_result(data, path), path, "epochscope-result/")


def _folders(path):
    try:
        names = sorted(entry.name for entry in os.scandir(path) if entry.is_dir())
    except FileNotFoundError:
        return []
    return [name for name in names if ".tmp-" not in name]


def _read_json(path, form):
    size = os.path.getsize(path)
    if size > _MAX_JSON:
        raise ValueError(f"{path}: expected at most {_MAX_JSON} bytes, got {size}")
    with open(path, encoding="utf-8") as file:
        tree = json.load(file)
    return _checked(tree, path, form)


def _checked(tree, path, form):
    found = tree.get("format") if isinstance(tree, dict) else None
    if not isinstance(found, str) or not found.startswith(form):
        raise ValueError(f"{path}: expected format {form}, got {found!r}")
    return tree


def _read_steps(folder):
    """The step log: whole records only, the last of an id wins."""
    nothing = {"snapshots": [], "at": {}, "tensors": [], "records": None}
    try:
        with open(os.path.join(folder, "index.jsonl"), encoding="utf-8") as file:
            text = file.read()
    except FileNotFoundError:
        return nothing
    lines = text[: text.rfind("\n") + 1].splitlines()
    if not lines:
        return nothing
    head = json.loads(lines[0])
    path = os.path.join(folder, "weights.bin")
    whole = min(len(lines) - 1, os.path.getsize(path) // head["recordBytes"])
    if not whole:
        return nothing
    infos = [json.loads(line) for line in lines[1 : whole + 1]]
    records = np.memmap(path, "<f4", "r", shape=(whole, head["recordBytes"] // 4))
    at = {info["id"]: k for k, info in enumerate(infos)}
    snapshots = [{key: infos[k].get(key) for key in ("id", "epoch", "step", "metrics")} for k in sorted(at.values())]
    return {"snapshots": snapshots, "at": at, "tensors": head["tensors"], "records": records}
