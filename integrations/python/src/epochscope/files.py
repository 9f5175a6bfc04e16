"""Plain files of a run: .npy, safetensors, written under a temporary name, flushed and renamed."""

import hashlib
import json
import os
import re
import secrets
import shutil
import socket
import struct
import time

import numpy as np

NAME = re.compile(r"^[^/\\\0]{1,200}$")
HEADER = 128  # Bytes of an .npy header that is written last, when the number of samples is known.


def check_name(name, what):
    if not NAME.match(name) or name in (".", ".."):
        raise ValueError(f"{what}: expected a plain name without slashes, got {name!r}")


def check_finite(array, what):
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        at = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise ValueError(f"{what}: expected finite numbers, got {array[at]} at {at}")


def check_json(value, what):
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{what}: expected plain JSON: {error}") from None


def sync(file):
    file.flush()
    os.fsync(file.fileno())


def sync_folder(path):
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


MACHINE = hashlib.sha256(socket.gethostname().encode()).hexdigest()[:4]
TEMPORARY = re.compile(r"\.tmp-(?:([0-9a-f]{4})([0-9a-f]{8}))?[0-9a-f]{8}$")
PATIENCE = 24 * 3600  # Seconds without a change, after which another machine's leftovers count as abandoned.


def temporary(path):
    """A name beside path that says who writes it: machine, process, and what differs."""
    return f"{path}.tmp-{MACHINE}{os.getpid():08x}{secrets.token_hex(4)}"


def _abandoned(path, match):
    machine, process = match.groups()
    if machine == MACHINE and os.name == "posix":
        try:
            os.kill(int(process, 16), 0)  # Signal 0 only asks whether the process is there.
        except ProcessLookupError:
            return True
        except OSError:
            pass
        return False
    try:
        return time.time() - os.stat(path).st_mtime > PATIENCE
    except OSError:
        return False


def clear_leftovers(folder):
    """Removes what killed writers left in a folder."""
    try:
        names = os.listdir(folder)
    except OSError:
        return
    for name in names:
        path = os.path.join(folder, name)
        match = TEMPORARY.search(name)
        if not match or not _abandoned(path, match):
            continue
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path, ignore_errors=True)
        else:
            try:
                os.remove(path)
            except OSError:
                pass


def write_atomic(path, write):
    sibling = temporary(path)
    try:
        with open(sibling, "xb") as file:
            write(file)
            sync(file)
        os.replace(sibling, path)
        sync_folder(os.path.dirname(path))
    finally:
        if os.path.exists(sibling):
            os.remove(sibling)


def npy_header(shape, descr):
    text = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {tuple(int(s) for s in shape)}, }}"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", HEADER - 10) + text.encode().ljust(HEADER - 11) + b"\n"


def write_npy(path, array):
    write_atomic(path, lambda file: np.save(file, np.ascontiguousarray(array), allow_pickle=False))


_DTYPES = {"<f4": "F32", "<f8": "F64", "<i4": "I32", "<i8": "I64", "|u1": "U8"}


def write_safetensors(path, tensors):
    header, offset = {}, 0
    for name, array in tensors.items():
        header[name] = {"dtype": _DTYPES[array.dtype.str], "shape": list(array.shape), "data_offsets": [offset, offset + array.nbytes]}
        offset += array.nbytes
    text = json.dumps(header).encode()
    text = text.ljust(-len(text) % 8 + len(text))
    with open(path, "xb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for array in tensors.values():
            array.tofile(file)
        sync(file)


def read_safetensors(path):
    """Name → array, read only where it is used (a memory map). bfloat16 comes as float32."""
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        (length,) = struct.unpack("<Q", file.read(8))
        if length > min(size - 8, 100_000_000):
            raise ValueError(f"{path}: expected a safetensors header within the file, got {length} bytes of {size}")
        header = json.loads(file.read(length))
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        dtype, shape = entry["dtype"], tuple(entry["shape"])
        begin, end = entry["data_offsets"]
        if dtype not in _READ:
            raise ValueError(f"{path}: tensor {name}: dtype {dtype} is not read")
        if not 0 <= begin <= end <= size - 8 - length or end - begin != np.dtype(_READ[dtype]).itemsize * int(np.prod(shape)):
            raise ValueError(f"{path}: tensor {name}: its bytes do not fit its shape {list(shape)}")
        if end == begin:
            tensors[name] = np.zeros(shape, _READ[dtype])
            continue
        array = np.memmap(path, _READ[dtype], "r", 8 + length + begin, shape)
        tensors[name] = (array.astype("<u4") << 16).view("<f4") if dtype == "BF16" else array
    return tensors


_READ = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "I64": "<i8", "U64": "<u8", "I32": "<i4", "U32": "<u4",
    "I16": "<i2", "U16": "<u2", "I8": "|i1", "U8": "|u1", "BOOL": "|b1",
}  # fmt: skip
