"""Callbacks that record a snapshot at the end of each epoch (or every so many steps) while a trainer trains.

Each takes the run, and what the net is to be looked at on: `batches`, a list of inputs as `record_torch` takes them (Keras: an array). `rules`, a `Rules`, is asked after
each snapshot: its alarms are told, and end the training if they are to.
"""

from .hooks import record_keras, record_torch


def keras_callback(run, inputs, rules=None, **options):
    """For `model.fit(callbacks=[...])`: the untrained model and one snapshot an epoch, with the epoch's logs as metrics."""
    import keras

    class Record(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            if not run.recorded("init"):
                record_keras(run, self.model, inputs, epoch=0, **options)

        def on_epoch_end(self, epoch, logs=None):
            record_keras(run, self.model, inputs, epoch=epoch + 1, metrics=_figures(logs), **options)
            if rules and rules.ends():
                self.model.stop_training = True

    return Record()


def lightning_callback(run, batches, rules=None, **options):
    """For Lightning's `Trainer(callbacks=[...])`: one snapshot an epoch, with the logged metrics. Epochs count from 1."""
    try:
        from lightning.pytorch import Callback
    except ImportError:
        from pytorch_lightning import Callback

    class Record(Callback):
        def on_train_start(self, trainer, module):
            if trainer.current_epoch == 0 and not run.recorded("init"):
                record_torch(run, module, _on(batches, module.device), epoch=0, step=0, **options)

        def on_train_epoch_end(self, trainer, module):
            record_torch(
                run,
                module,
                _on(batches, module.device),
                epoch=trainer.current_epoch + 1,
                step=trainer.global_step,
                metrics=_figures(trainer.callback_metrics),
                **options,
            )
            if rules and rules.ends():
                trainer.should_stop = True

    return Record()


def trainer_callback(run, batches, every_steps=None, rules=None, **options):
    """For Hugging Face's `Trainer(callbacks=[...])`: one snapshot an epoch, or every so many steps."""
    from transformers import TrainerCallback

    class Record(TrainerCallback):
        def _record(self, state, model, epoch, control):
            log = next((entry for entry in reversed(state.log_history) if "loss" in entry), {})
            record_torch(
                run, model, _on(batches, model.device), epoch=epoch, step=state.global_step, metrics=_figures(log), **options
            )
            if rules and rules.ends():
                control.should_training_stop = True

        def on_train_begin(self, args, state, control, model=None, **_):
            if state.global_step == 0 and not run.recorded("init"):
                record_torch(run, model, _on(batches, model.device), epoch=0, step=0, **options)

        def on_step_end(self, args, state, control, model=None, **_):
            if every_steps and state.global_step % every_steps == 0:
                self._record(state, model, None, control)

        def on_epoch_end(self, args, state, control, model=None, **_):
            if not every_steps:
                self._record(state, model, round(state.epoch), control)

    return Record()


def _on(batches, device):
    """Batches where the model is; tensors, or tuples or dicts of them."""

    def move(batch):
        if hasattr(batch, "to"):
            return batch.to(device)
        if hasattr(batch, "items"):
            return {key: move(value) for key, value in batch.items()}
        return type(batch)(move(item) for item in batch) if isinstance(batch, (tuple, list)) else batch

    return (move(batch) for batch in batches)


def _figures(logs):
    """What is one number."""
    figures = {}
    for name, value in (logs or {}).items():
        if name in ("epoch", "step"):
            continue
        try:
            figures[str(name)] = float(value)
        except (TypeError, ValueError):
            continue
    return figures
