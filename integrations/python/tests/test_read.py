"""Run: python3 integrations/python/tests/test_read.py. NumPy only; tables are tried where pandas is installed."""

import json
import os
import struct
import sys
import tempfile
import unittest
import zlib

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "src"))
from epochscope import Recorder, read_result, read_run  # noqa: E402
from epochscope.files import read_safetensors  # noqa: E402


class ReadTest(unittest.TestCase):
    def setUp(self):
        self.holder = tempfile.TemporaryDirectory()
        self.folder = os.path.join(self.holder.name, "run")
        self.random = np.random.default_rng(1)
        self.weights = {epoch: self.random.normal(size=(4, 3)).astype("f4") for epoch in (0, 1, 2)}
        with Recorder(self.folder, classes=["a", "b"]) as run:
            run.samples(np.arange(10.0).reshape(5, 2), [0, 1, 0, 1, 0])
            for epoch, kernel in self.weights.items():
                with run.snapshot(epoch=epoch, metrics={"loss": 1 / (epoch + 1)}) as snap:
                    snap.weights({"fc.kernel": kernel, "fc.bias": np.zeros(0)})
                    snap.outputs({"fc": np.full((5, 3), epoch, "f4")})

    def tearDown(self):
        self.holder.cleanup()

    def put(self, path, content):
        path = os.path.join(self.folder, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb" if isinstance(content, bytes) else "w") as file:
            file.write(content)

    def test_gives_back_what_was_recorded(self):
        run = read_run(self.folder)
        self.assertEqual([s["id"] for s in run.snapshots], ["init", "epoch-0001", "epoch-0002"])
        np.testing.assert_array_equal(run.weights(1)["fc.kernel"], self.weights[1])
        np.testing.assert_array_equal(run.weights("first")["fc.kernel"], self.weights[0])
        self.assertEqual(run.weights()["fc.bias"].shape, (0,))
        np.testing.assert_array_equal(run.outputs("fc"), np.full((5, 3), 2))
        np.testing.assert_array_equal(run.labels(), [0, 1, 0, 1, 0])
        np.testing.assert_array_equal(run.inputs(), np.arange(10.0).reshape(5, 2))
        with self.assertRaisesRegex(KeyError, "has no snapshot 7; it has init, epoch-0001, epoch-0002"):
            run.weights(7)
        with self.assertRaisesRegex(KeyError, "holds no outputs of layer nothing"):
            run.outputs("nothing")
        with self.assertRaisesRegex(ValueError, "plain name"):
            run.outputs("../../run")

    def test_reads_the_step_log(self):
        records = self.random.normal(size=(3, 6)).astype("<f4")
        tensors = [{"name": "k", "shape": [2, 2], "offset": 0}, {"name": "b", "shape": [2], "offset": 16}]
        lines = [json.dumps({"format": "epochscope-steps/1", "recordBytes": 24, "tensors": tensors})]
        for k, id in enumerate(["step-1", "step-2", "step-1"]):
            lines.append(json.dumps({"id": id, "epoch": None, "step": int(id[-1]), "metrics": {"loss": k}, "crc": zlib.crc32(records[k].tobytes())}))
        # A line without an end is being written.
        self.put("steps/index.jsonl", "\n".join(lines) + '\n{"id": "step-3"')
        self.put("steps/weights.bin", records.tobytes() + b"half")
        run = read_run(self.folder)
        self.assertEqual([s["id"] for s in run.snapshots][-2:], ["step-2", "step-1"])
        np.testing.assert_array_equal(run.weights("step-1")["k"], records[2, :4].reshape(2, 2))
        np.testing.assert_array_equal(run.weights("step-2")["b"], records[1, 4:])

    def test_results_with_their_arrays(self):
        tree = {"format": "epochscope-result/2", "method": "m", "a": [{"order": {"$array": "data-1/order.npy"}}], "value": None}
        self.put("results/m/default/result.json", json.dumps(tree))
        os.makedirs(os.path.join(self.folder, "results/m/default/data-1"))
        np.save(os.path.join(self.folder, "results/m/default/data-1/order.npy"), np.arange(4))
        run = read_run(self.folder)
        self.assertEqual(run.results(), [("m", "default")])
        np.testing.assert_array_equal(run.result("m")["a"][0]["order"], np.arange(4))
        with self.assertRaisesRegex(KeyError, "has no result x/default; it has m/default"):
            run.result("x")
        for bad in ("../x.npy", "/etc/passwd", "a/../../b.npy"):
            tree["a"] = {"$array": bad}
            self.put("results/m/default/result.json", json.dumps(tree))
            with self.assertRaises(ValueError):
                read_result(os.path.join(self.folder, "results/m/default"))
        self.put("results/m/default/result.json", '{"format": "other"}')
        with self.assertRaisesRegex(ValueError, "expected format epochscope-result/, got 'other'"):
            read_result(os.path.join(self.folder, "results/m/default"))

    def test_safetensors_that_lie_are_refused(self):
        path = os.path.join(self.folder, "x.safetensors")
        good = {"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}, "b": {"dtype": "BF16", "shape": [1], "data_offsets": [8, 10]}}

        def write(header, data=struct.pack("<2f", 1, 2) + b"\x80\x3f"):
            text = json.dumps(header).encode()
            with open(path, "wb") as file:
                file.write(struct.pack("<Q", len(text)) + text + data)

        write(good)
        self.assertEqual(read_safetensors(path)["a"].tolist(), [1, 2])
        self.assertEqual(read_safetensors(path)["b"].tolist(), [1])
        for change, message in [
            ({"shape": [3]}, "do not fit"),
            ({"data_offsets": [0, 800]}, "do not fit"),
            ({"data_offsets": [-8, 0]}, "do not fit"),
            ({"dtype": "F8_E4M3"}, "is not read"),
        ]:
            write({"a": {**good["a"], **change}})
            with self.assertRaisesRegex(ValueError, message):
                read_safetensors(path)
        with open(path, "wb") as file:
            file.write(struct.pack("<Q", 1 << 60))
        with self.assertRaisesRegex(ValueError, "header within the file"):
            read_safetensors(path)

    def test_tables(self):
        try:
            import pandas  # noqa: F401
        except ImportError:
            self.skipTest("pandas is not installed")
        table = read_run(self.folder).metrics()
        self.assertEqual(table["loss"].tolist(), [1, 0.5, 1 / 3])
        self.assertEqual(table["epoch"].tolist(), [0, 1, 2])


if __name__ == "__main__":
    unittest.main(verbosity=2)
