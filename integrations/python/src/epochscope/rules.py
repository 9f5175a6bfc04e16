"""Rules on the run that is being recorded: "block count of R4 fell", "dead units over 0.5", "loss rose for 2 snapshots".

The rules are those of `epochscope watch`, which judges them; the command must be there (`npm install -g epochscope`).
"""

import json
import os
import shlex
import subprocess
import warnings


class Rules:
    """Judges rules on a run after each snapshot.

        rules = Rules("my-run", "dead units over 0.5", "block count of R4 fell")
        ...
        for alarm in rules.check():            # {"rule", "snapshot", "text"}, each once
            print(alarm["text"])

    run       its directory, or the Recorder.
    on_alarm  called with each alarm by the callbacks; ends the training if it returns True. Default: a warning.
    samples   figures of layers are taken on the first so many samples.
    command   how epochscope is called; default: EPOCHSCOPE_COMMAND, else "epochscope".

    Raises FileNotFoundError where there is no such command, ValueError for a rule that cannot be read and for what the run does not hold.
    """

    def __init__(self, run, *rules, on_alarm=None, samples=1000, command=None):
        if not rules:
            raise ValueError('expected at least one rule, such as "dead units over 0.5"')
        self.directory = str(getattr(run, "directory", run))
        self.rules = rules
        self.on_alarm = on_alarm or _warn
        self.samples = samples
        self.command = shlex.split(command or os.environ.get("EPOCHSCOPE_COMMAND") or "epochscope")
        self._told = set()

    def check(self):
        """Alarms that are new since the last check, in the order of the snapshots."""
        call = [*self.command, "watch", self.directory, "--once", "--json", "--samples", str(self.samples)]
        for rule in self.rules:
            call += ["--rule", rule]
        try:
            done = subprocess.run(call, capture_output=True, text=True, check=False)
        except FileNotFoundError:
            raise FileNotFoundError(
                f'rules are judged by the command "{self.command[0]}", which is not here: npm install -g epochscope, '
                "or name it by command= or EPOCHSCOPE_COMMAND"
            ) from None
        # 0: no rule held, 4: one did.
        if done.returncode not in (0, 4):
            raise ValueError(_said(done))
        fresh = []
        for alarm in json.loads(done.stdout)["alarms"]:
            key = (alarm["rule"], alarm["snapshot"])
            if key not in self._told:
                self._told.add(key)
                fresh.append(alarm)
        return fresh

    def ends(self):
        """Checks, calls `on_alarm` for each new alarm, and says whether one of them ends the training."""
        return any([self.on_alarm(alarm) is True for alarm in self.check()])


def _warn(alarm):
    warnings.warn(alarm["text"], stacklevel=3)


def _said(done):
    try:
        return json.loads(done.stdout)["error"]["message"]
    except (ValueError, KeyError, TypeError):
        return done.stderr.strip() or f"epochscope watch ended with {done.returncode}"
