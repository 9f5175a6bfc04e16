"""A result as one file (docs/formats/result.md), written and read: JSON, then its arrays as they are."""

import json

import numpy as np

# This, the length of the JSON (8 bytes, little-endian), the JSON, then the arrays' bytes, each from a multiple of 8 on.
_MAGIC = bytes.fromhex("9345504f43485232")
_DTYPES = {name: np.dtype(name).newbyteorder("<") for name in (
    "uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64", "uint64", "int64", "float16")}  # fmt: skip


def encode_result(tree):
    """A result, as `read_result` gives it, as bytes. ValueError for a dtype that results do not have, and for NaN outside of arrays."""
    blocks, size = [], 0

    def take(node):
        nonlocal size
        if isinstance(node, np.ndarray):
            name = node.dtype.newbyteorder("=").name
            if name not in _DTYPES:
                raise ValueError(f"a result holds no arrays of {node.dtype}")
            data = np.ascontiguousarray(node, _DTYPES[name]).tobytes()
            entry = {"$data": size, "dtype": name, "length": node.size}
            blocks.append(data + b"\0" * (-len(data) % 8))
            size += len(blocks[-1])
            return entry
        if isinstance(node, dict):
            return {key: take(value) for key, value in node.items()}
        if isinstance(node, (list, tuple)):
            return [take(value) for value in node]
        return node.item() if isinstance(node, np.generic) else node

    text = json.dumps(take(tree), allow_nan=False).encode()
    text += b" " * (-len(text) % 8)
    return _MAGIC + len(text).to_bytes(8, "little") + text + b"".join(blocks)


def decode_result(data, name):
    """What `encode_result`, `epochscope export` or a page wrote, as nested dicts and lists with arrays in place. ValueError."""
    if data[:8] != _MAGIC or len(data) < 16:
        raise ValueError(f"{name}: expected a result in one file, as `epochscope export` writes it; for a result in a run give its folder")
    base = 16 + int.from_bytes(data[8:16], "little")
    if base > len(data):
        raise ValueError(f"{name}: the header says {base - 16} bytes, the file has {len(data)}: it was cut")

    def restore(node):
        if isinstance(node, dict):
            if "$data" in node:
                dtype, at, length = _DTYPES.get(node.get("dtype")), node["$data"], node.get("length")
                if dtype is None or not isinstance(at, int) or not isinstance(length, int) or min(at, length) < 0:
                    raise ValueError(f"{name}: an array of {length!r} {node.get('dtype')!r} at {at!r}")
                if base + at + length * dtype.itemsize > len(data):
                    raise ValueError(f"{name}: an array ends after the file, which has {len(data)} bytes: it was cut")
                array = np.frombuffer(data, dtype, length, base + at)
                levels = node.get("levels")
                return array if levels is None else ((array - float(levels["zero"])) * float(levels["step"])).astype(np.float32)
            return {key: restore(value) for key, value in node.items()}
        return [restore(value) for value in node] if isinstance(node, list) else node

    return restore(json.loads(data[16:base].decode("utf-8")))
