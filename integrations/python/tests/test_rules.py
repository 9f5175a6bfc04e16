"""The rules of a run being recorded. `python tests/test_rules.py COMMAND`: COMMAND is how epochscope is called; without it only what needs none."""

import os
import sys
import tempfile
import unittest
import warnings

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "src"))
from epochscope import Recorder, Rules  # noqa: E402

COMMAND = sys.argv.pop() if len(sys.argv) > 1 else None


def record(run, epoch, dead):
    outputs = np.arange(1, 33, dtype=np.float32).reshape(8, 4) * (epoch + 1)
    outputs[:, :dead] = 0
    with run.snapshot(epoch=epoch, metrics={"loss": 1.0 / (epoch + 1)}) as snap:
        snap.weights({"w": np.zeros(2, np.float32)})
        snap.outputs({"h": outputs}, kinds={"h": "relu"})


class RulesTest(unittest.TestCase):
    def test_needs_rules_and_the_command(self):
        with self.assertRaisesRegex(ValueError, "at least one rule"):
            Rules("run")
        with self.assertRaisesRegex(FileNotFoundError, "npm install -g epochscope"):
            Rules("run", "loss rose", command="no-such-command-here").check()

    @unittest.skipUnless(COMMAND, "without the command")
    def test_says_each_alarm_once_while_the_run_is_recorded(self):
        with tempfile.TemporaryDirectory() as folder:
            with Recorder(os.path.join(folder, "run")) as run:
                run.samples(labels=np.arange(8) % 2)
                told = []
                rules = Rules(
                    run,
                    "dead units over 0.5",
                    on_alarm=lambda alarm: told.append(alarm["text"]) or True,
                    command=COMMAND,
                )
                record(run, 0, 0)
                self.assertFalse(rules.ends())
                record(run, 1, 3)
                self.assertTrue(rules.ends())
                record(run, 2, 3)
                self.assertFalse(rules.ends())
                self.assertEqual(told, ["at epoch-0001 dead units of h is 0.75, over 0.5"])
                with warnings.catch_warnings(record=True) as caught:
                    warnings.simplefilter("always")
                    self.assertFalse(Rules(run, "loss fell", command=COMMAND).ends())
                self.assertIn("loss fell from", str(caught[0].message))
                with self.assertRaisesRegex(ValueError, "expected FIGURE"):
                    Rules(run, "loss", command=COMMAND).check()


if __name__ == "__main__":
    unittest.main()
