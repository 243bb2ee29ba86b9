import sys

from captioner.training.validation import Progress


def run(progress, steps, epochs):
    progress.set_params({"steps": steps, "epochs": epochs})
    for epoch in range(epochs):
        progress.on_epoch_begin(epoch)
        for step in range(steps):
            progress.on_train_batch_end(step, {"loss": 4.5})
        progress.on_epoch_end(epoch)


def test_a_line_every_two_minutes_where_there_is_no_terminal(monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: False)
    lines, seconds = [], iter(range(0, 10_000, 30))
    run(Progress(lines.append, clock=lambda: next(seconds)), steps=10, epochs=2)
    assert lines[0] == (
        "epoch 1: step 4 of 10, loss 4.500, 30.00 s a step, about 8 min left in this stage"
    )
    assert [line.partition(",")[0] for line in lines] == [
        "epoch 1: step 4 of 10",
        "epoch 1: step 8 of 10",
        "epoch 2: step 4 of 10",
        "epoch 2: step 8 of 10",
    ]


def test_a_terminal_gets_a_bar_alone(monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    lines, seconds = [], iter(range(0, 10_000, 500))
    progress = Progress(lines.append, clock=lambda: next(seconds))
    progress.set_params({"steps": 3, "epochs": 2})
    progress.on_epoch_begin(0)
    progress.on_train_batch_end(0, {"loss": 4.5})
    # 500 s a step: two steps of this epoch, and three of the next, are to come.
    assert progress._bar.postfix == "loss=4.500, stage=42 min left"
    progress.on_epoch_end(0)
    run(progress, steps=3, epochs=1)
    assert lines == []
