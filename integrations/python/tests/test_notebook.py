"""Run: python3 integrations/python/tests/test_notebook.py, where the package is installed with its extra "notebook". What needs no browser."""

import unittest
import zlib

import numpy as np
from epochscope import ivat, show
from epochscope.notebook import ivat_png
from epochscope.one_file import decode_result, encode_result


class NotebookTest(unittest.TestCase):
    def test_points_that_do_not_fit_are_refused(self):
        rows = np.arange(12.0).reshape(4, 3)
        for X, more, message in [
            (np.array([[1, "a"]], dtype=object), {}, "expected numbers"),
            (np.zeros(3), {}, "rows of numbers"),
            (np.array([[0, np.inf]]), {}, "row 0, column 1 .* got inf"),
            (rows, {"labels": [0, 1]}, "labels: expected one for each of 4 rows, got 2"),
            (rows, {"predictions": [[0, 1]]}, r"predictions: .* shape \(1, 2\)"),
            (np.zeros(6), {"metric": "precomputed", "labels": [0] * 5}, "each of 4 rows, got 5"),
        ]:
            with self.assertRaisesRegex(ValueError, message):
                ivat(X, **more)

    def test_points_stay_what_they_are(self):
        for rows in (np.arange(6, dtype=">i2").reshape(3, 2), np.zeros((3, 2, 2), "f4"), np.asfortranarray(np.eye(3))):
            widget = ivat(rows, labels=["b", "a", "b"])
            self.assertEqual(widget._payload[:6], b"\x93NUMPY")
            self.assertIn(b"'fortran_order': False", widget._payload)
            self.assertFalse(widget.done)
            with self.assertRaisesRegex(RuntimeError, "not answered yet"):
                widget.order

    def test_what_is_shown(self):
        with self.assertRaisesRegex(TypeError, "expected a result"):
            show({"panels": []})
        with self.assertRaises(FileNotFoundError):
            show("nowhere")

    def test_picture_is_the_largest_weight_between(self):
        weights = np.array([1, 3, 2], "f4")
        data = ivat_png(weights)
        at = data.index(b"IDAT")
        length = int.from_bytes(data[at - 4 : at], "big")
        lines = np.frombuffer(zlib.decompress(data[at + 4 : at + 4 + length]), np.uint8).reshape(4, 5)[:, 1:]
        expected = np.array([[0, 1, 3, 3], [1, 0, 3, 3], [3, 3, 0, 2], [3, 3, 2, 0]]) / 3 * 255
        np.testing.assert_array_equal(lines, np.floor(expected + 0.5))

    def test_one_file_gives_back_what_it_was_given(self):
        tree = {"format": "epochscope-result/2", "a": [{"order": np.arange(3, dtype="u4")}, np.zeros(0)], "b": None, "c": np.float32(0.5)}
        back = decode_result(encode_result(tree), "x")
        np.testing.assert_array_equal(back["a"][0]["order"], [0, 1, 2])
        self.assertEqual((back["a"][0]["order"].dtype, len(back["a"][1]), back["c"]), (np.uint32, 0, 0.5))
        with self.assertRaises(ValueError):
            encode_result({"x": float("nan")})
        with self.assertRaisesRegex(ValueError, "no arrays of"):
            encode_result({"x": np.zeros(2, complex)})


if __name__ == "__main__":
    unittest.main(verbosity=2)
