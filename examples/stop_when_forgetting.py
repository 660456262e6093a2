"""Full fine-tuning that stops when the base forgets: ``python examples/stop_when_forgetting.py``.

The demo's base is trained on its medication domain as rashly as demo:full is, with the gate at every second step.
The base is made in the first run (about a minute), the training is over in seconds. Put your own base, data and suites
in their places.
"""

from pathlib import Path

from transformers import AutoModelForCausalLM, AutoTokenizer, DataCollatorForSeq2Seq, Trainer, TrainingArguments

from pytest_forgetting import ForgettingCallback
from pytest_forgetting.demo import prepare
from pytest_forgetting.demo.facts import domain_texts
from pytest_forgetting.training.reproducible import reproducible, single_threaded

FOLDER = "stopped"
"""Here: checkpoints, the baseline's answers, and the last good checkpoint."""
SUITES = Path(__file__).parents[1] / "example_suites" / "general_qa.yaml"


def main() -> None:
    """Train, and print what the callback saw."""
    base = prepare("base")
    model, tokenizer = AutoModelForCausalLM.from_pretrained(base), AutoTokenizer.from_pretrained(base)
    rows = [{"input_ids": ids, "labels": ids} for ids in tokenizer(domain_texts())["input_ids"]]
    with reproducible(0), single_threaded():
        trainer = Trainer(
            model=model,
            args=TrainingArguments(
                output_dir=FOLDER,
                learning_rate=1.5e-3,
                max_steps=200,
                per_device_train_batch_size=8,
                save_steps=2,
                save_total_limit=2,
                use_cpu=True,
                report_to="none",
                disable_tqdm=True,
            ),
            train_dataset=rows,
            data_collator=DataCollatorForSeq2Seq(tokenizer),
            processing_class=tokenizer,
        )
        callback = ForgettingCallback(SUITES, every=2, max_drop=0.10).attach(trainer)
        trainer.train()
        for entry in trainer.state.log_history:
            if "forgetting/drop" in entry:
                print(f"step {entry['step']}: drop {entry['forgetting/drop']:.3f}")
        print(f"stopped at step {trainer.state.global_step}; last good: {callback.last_good_checkpoint}")


if __name__ == "__main__":
    main()
