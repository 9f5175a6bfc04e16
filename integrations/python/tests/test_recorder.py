"""Run: python3 integrations/python/tests/test_recorder.py [folder to leave a run in]. NumPy only; PyTorch is tried where it is."""

import json
import os
import sys
import tempfile
import unittest

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "src"))
from epochscope.files import MACHINE, read_safetensors, temporary  # noqa: E402
from epochscope import Recorder, read_result, read_run, record_jax, record_keras, record_torch  # noqa: E402

KEEP = None


class RecorderTest(unittest.TestCase):
    def setUp(self):
        self.holder = tempfile.TemporaryDirectory()
        self.folder = os.path.join(self.holder.name, "run")

    def tearDown(self):
        self.holder.cleanup()

    def manifest(self):
        with open(os.path.join(self.folder, "run.json")) as file:
            return json.load(file)

    def test_clears_what_a_killed_writer_left(self):
        import subprocess

        # A process that is gone, this one, and one of another machine.
        gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True)
        dead = f"{MACHINE}{int(gone.stdout):08x}01234567"
        living = temporary("x").partition(".tmp-")[2]
        names = [f"run.json.tmp-{token}" for token in (dead, living, f"zz{dead[2:]}", "01234567")]
        os.makedirs(os.path.join(self.folder, "snapshots", f"init.tmp-{dead}", "outputs"))
        for name in names:
            open(os.path.join(self.folder, name), "w").close()
        Recorder(self.folder)
        self.assertEqual(sorted(os.listdir(self.folder)), sorted([*names[1:], "run.json", "snapshots"]))
        self.assertEqual(os.listdir(os.path.join(self.folder, "snapshots")), [])

    def test_streams_batches_and_keeps_what_was_given(self):
        random = np.random.default_rng(3)
        x = random.integers(0, 256, (60, 4, 4, 1), dtype=np.uint8)
        y = np.repeat(np.arange(3), 20)
        folder = KEEP or self.folder
        with Recorder(folder, classes=["a", "b", "c"], training={"optimizer": "none"}) as run:
            run.samples(x, y, source="a test")
            for epoch in (0, 1, 12):
                flat = x.reshape(60, 16) / 255 + 5 * epoch * np.eye(3, 16)[y]
                logits = np.eye(3)[y] * epoch + random.normal(size=(60, 3)) * 0.1
                probabilities = np.log(np.exp(logits) / np.exp(logits).sum(1, keepdims=True))
                with run.snapshot(epoch=epoch, metrics={"loss": 1.5 / (epoch + 1), "broken": float("nan")}) as snap:
                    snap.weights({"fc1.kernel": random.normal(size=(16, 3)), "fc1.bias": np.zeros(3)})
                    for start in range(0, 60, 7):
                        part = slice(start, start + 7)
                        snap.outputs({"h": flat[part], "log_softmax": probabilities[part]}, {"log_softmax": "log-softmax"})
        with open(os.path.join(folder, "run.json")) as file:
            manifest = json.load(file)
        self.assertTrue(manifest["complete"])
        self.assertEqual([s["id"] for s in manifest["snapshots"]], ["init", "epoch-0001", "epoch-0012"])
        self.assertEqual(manifest["snapshots"][0]["metrics"], {"loss": 1.5, "broken": None})
        self.assertEqual([l["name"] for l in manifest["layers"]], ["fc1", "h", "log_softmax"])
        got = np.load(os.path.join(folder, "snapshots", "epoch-0012", "outputs", "h.npy"))
        np.testing.assert_array_equal(got, flat)  # float64 keeps its digits
        weights = read_safetensors(os.path.join(folder, "snapshots", "epoch-0012", "weights.safetensors"))
        self.assertEqual(weights["fc1.kernel"].shape, (16, 3))
        np.testing.assert_array_equal(np.load(os.path.join(folder, "samples", "inputs.npy")), x)

    def test_a_snapshot_that_fails_leaves_nothing(self):
        run = Recorder(self.folder)
        with self.assertRaisesRegex(RuntimeError, "stop"):
            with run.snapshot(epoch=1) as snap:
                snap.outputs({"h": np.zeros((2, 3))})
                raise RuntimeError("stop")
        with self.assertRaisesRegex(ValueError, r"layer h: expected finite numbers, got nan at \(1, 0\)"):
            with run.snapshot(epoch=1) as snap:
                snap.outputs({"h": [[0.0], [np.nan]]})
        self.assertEqual(os.listdir(os.path.join(self.folder, "snapshots")), [])
        self.assertEqual(self.manifest()["snapshots"], [])
        self.assertFalse(self.manifest()["complete"])

    def test_integers_of_64_bits_keep_their_digits(self):
        ids = np.array([[2**63 - 1], [2**63 - 3], [5]])
        run = Recorder(self.folder)
        with run.snapshot(epoch=1) as snap:
            snap.outputs({"ids": ids[:2], "unsigned": np.array([[2**64 - 1]] * 2, "u8"), "times": np.array([[1.7e9 + 0.125]] * 2)})
            snap.outputs({"ids": ids[2:], "unsigned": np.array([[1]], "u8"), "times": np.array([[3]], "f4")})
        outputs = os.path.join(self.folder, "snapshots", "epoch-0001", "outputs")
        np.testing.assert_array_equal(np.load(os.path.join(outputs, "ids.npy")), ids)
        self.assertEqual(np.load(os.path.join(outputs, "unsigned.npy"))[0, 0], 2**64 - 1)
        self.assertEqual(np.load(os.path.join(outputs, "times.npy"))[0, 0], 1.7e9 + 0.125)
        with self.assertRaisesRegex(ValueError, r"outputs of ids: float32 does not hold .*16777217.* at \(0, 0\)"):
            with run.snapshot(epoch=2) as snap:
                snap.outputs({"ids": np.ones((1, 1), "f4")})
                snap.outputs({"ids": np.array([[2**24 + 1]])})
        with self.assertRaisesRegex(ValueError, "inputs: float64 does not hold"):
            run.samples(np.array([[2**53 + 1]]))

    def test_bad_input_is_named(self):
        run = Recorder(self.folder, classes=["a", "b"])
        for call, message in [
            (lambda: run.samples(np.zeros((3, 2)), [0, 1]), "labels: expected 3 of them"),
            (lambda: run.samples(np.zeros((2, 2)), [0, 2]), "labels: expected 0 to 1, got 2"),
            (lambda: run.samples(np.zeros((2, 2)), [0, 0.5]), "labels: expected whole numbers"),
            (lambda: run.samples(np.array([[np.inf]])), "inputs: expected finite numbers, got inf"),
            (lambda: run.snapshot(), "expected an epoch, a step or an id"),
            (lambda: run.snapshot(id="../x"), "expected a plain name"),
            (lambda: Recorder(self.folder + "2", training={"a": float("nan")}), "training: expected plain JSON"),
        ]:
            with self.assertRaisesRegex(ValueError, message):
                call()
        run.samples(np.zeros((4, 2)))
        with self.assertRaisesRegex(ValueError, "outputs of h: expected 4 samples, got 3"):
            with run.snapshot(epoch=1) as snap:
                snap.outputs({"h": np.zeros((3, 2))})
        with self.assertRaisesRegex(ValueError, r"outputs of h: expected shape \(2,\) a sample, got \(3,\)"):
            with run.snapshot(epoch=1) as snap:
                snap.outputs({"h": np.zeros((3, 2))})
                snap.outputs({"h": np.zeros((1, 3))})
        with run.snapshot(epoch=1) as snap:
            snap.outputs({"h": np.zeros((4, 2))})
        with self.assertRaisesRegex(ValueError, "epoch-0001 was recorded already"):
            run.snapshot(epoch=1)
        with self.assertRaises(FileExistsError):
            Recorder(self.folder)
        Recorder(self.folder, overwrite=True)
        self.assertEqual(self.manifest()["snapshots"], [])

    def test_jax_style_trees(self):
        params = {"params": {"Dense_0": {"kernel": np.ones((4, 2)), "bias": np.zeros(2)}}}

        def apply(p, batch):
            dense = p["params"]["Dense_0"]
            return {"Dense_0": (batch @ dense["kernel"] + dense["bias"],)}

        with Recorder(self.folder) as run:
            record_jax(run, params, apply, [np.ones((3, 4)), np.zeros((2, 4))], epoch=1, log_softmax="Dense_0")
        outputs = os.path.join(self.folder, "snapshots", "epoch-0001", "outputs")
        np.testing.assert_array_equal(np.load(os.path.join(outputs, "Dense_0.npy")), [[4, 4]] * 3 + [[0, 0]] * 2)
        np.testing.assert_allclose(np.load(os.path.join(outputs, "log_softmax.npy")), np.log(0.5), rtol=1e-6)
        self.assertEqual([l["name"] for l in self.manifest()["layers"]], ["params.Dense_0", "Dense_0", "log_softmax"])

    def test_torch(self):
        try:
            import torch
        except ImportError:
            self.skipTest("PyTorch is not installed")
        from torch import nn

        torch.manual_seed(0)
        shared = nn.ReLU()
        model = nn.Sequential(nn.Conv2d(1, 3, 3), shared, nn.MaxPool2d(2), nn.Flatten(), nn.Dropout(0.5), nn.Linear(27, 8), shared, nn.Linear(8, 4))
        model.train()
        x = torch.rand(10, 1, 8, 8)
        with Recorder(self.folder, classes=list("abcd")) as run:
            record_torch(run, model, x.split(4), epoch=1)
        self.assertTrue(model.training)
        model.eval()
        read = lambda name: np.load(os.path.join(self.folder, "snapshots", "epoch-0001", "outputs", name + ".npy"))
        np.testing.assert_allclose(read("0"), model[0](x).detach().numpy().transpose(0, 2, 3, 1), rtol=1e-6)
        np.testing.assert_allclose(read("log_softmax"), torch.log_softmax(model(x), 1).detach().numpy(), atol=1e-5)
        self.assertEqual(read("1").shape, (10, 6, 6, 3))
        self.assertEqual(read("1_2").shape, (10, 8))
        weights = read_safetensors(os.path.join(self.folder, "snapshots", "epoch-0001", "weights.safetensors"))
        np.testing.assert_array_equal(weights["5.kernel"], model[5].weight.detach().numpy().T)
        self.assertEqual(weights["0.kernel"].shape, (3, 3, 1, 3))
        self.assertEqual(self.manifest()["layers"][-1]["kind"], "log-softmax")
        with self.assertRaisesRegex(KeyError, "no module nothing"):
            record_torch(run, model, [x], layers=["nothing"], epoch=2)

    def test_keras(self):
        try:
            os.environ.setdefault("KERAS_BACKEND", "jax")
            import keras
        except ImportError:
            self.skipTest("Keras is not installed")
        keras.utils.set_random_seed(1)
        layers = keras.layers
        model = keras.Sequential(
            [
                keras.Input((6, 6, 1)),
                layers.Conv2D(2, 3, name="conv", activation="relu"),
                layers.BatchNormalization(name="norm"),
                layers.MaxPooling2D(2, name="pool"),
                layers.Flatten(name="flat"),
                layers.Dropout(0.5, name="drop"),
                layers.Dense(3, name="head", activation="softmax"),
            ]
        )
        x = np.random.default_rng(0).normal(size=(10, 6, 6, 1)).astype("float32")
        with Recorder(self.folder, classes=list("abc")) as run:
            record_keras(run, model, x, epoch=1, batch_size=4)
        read = lambda name: np.load(os.path.join(self.folder, "snapshots", "epoch-0001", "outputs", name + ".npy"))
        probabilities = np.asarray(model(x, training=False))
        np.testing.assert_allclose(read("head"), probabilities, atol=1e-6)
        np.testing.assert_allclose(read("log_softmax"), np.log(probabilities), atol=1e-5)
        self.assertEqual(read("conv").shape, (10, 4, 4, 2))
        np.testing.assert_allclose(read("drop"), read("flat"), rtol=1e-6)
        weights = read_safetensors(os.path.join(self.folder, "snapshots", "epoch-0001", "weights.safetensors"))
        np.testing.assert_array_equal(weights["conv.kernel"], model.get_layer("conv").get_weights()[0])
        self.assertEqual(
            sorted(weights),
            ["conv.bias", "conv.kernel", "head.bias", "head.kernel", "norm.beta", "norm.gamma", "norm.moving_mean", "norm.moving_variance"],
        )
        kinds = {layer["name"]: layer["kind"] for layer in self.manifest()["layers"]}
        self.assertEqual(kinds["pool"], "max-pool")
        self.assertEqual(self.manifest()["layers"][-1], {"name": "log_softmax", "kind": "log-softmax", "shape": [3], "parameters": []})
        with self.assertRaisesRegex(KeyError, "no layer"):
            record_keras(run, model, x, layers=["nothing"], epoch=2)

    def test_jax(self):
        try:
            import jax
            import jax.numpy as jnp
        except ImportError:
            self.skipTest("JAX is not installed")
        keys = jax.random.split(jax.random.PRNGKey(0), 3)
        params = {"hidden": {"kernel": jax.random.normal(keys[0], (4, 5)), "bias": jnp.zeros(5)}, "out": {"kernel": jax.random.normal(keys[1], (5, 3), dtype=jnp.bfloat16)}}
        x = jax.random.normal(keys[2], (7, 4))

        @jax.jit
        def apply(p, batch):
            hidden = jnp.tanh(batch @ p["hidden"]["kernel"] + p["hidden"]["bias"])
            return {"hidden": hidden, "out": hidden @ p["out"]["kernel"].astype(jnp.float32)}

        with Recorder(self.folder) as run:
            record_jax(run, params, apply, [x[:4], x[4:]], epoch=1, log_softmax="out")
        outputs = os.path.join(self.folder, "snapshots", "epoch-0001", "outputs")
        np.testing.assert_allclose(np.load(os.path.join(outputs, "hidden.npy")), apply(params, x)["hidden"], rtol=1e-6)
        expected = jax.nn.log_softmax(apply(params, x)["out"])
        np.testing.assert_allclose(np.load(os.path.join(outputs, "log_softmax.npy")), expected, atol=1e-5)
        weights = read_safetensors(os.path.join(self.folder, "snapshots", "epoch-0001", "weights.safetensors"))
        self.assertEqual(weights["out.kernel"].shape, (5, 3))


if __name__ == "__main__":
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-"):
        KEEP = sys.argv.pop(1)
    unittest.main(verbosity=2)
