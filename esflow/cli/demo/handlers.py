"""What the agent does at each of its slots.

Shared data carries the work across the pause, to whichever host goes on with it.
The routine's memory holds what only the agent itself needs to know: what it asked.
"""

from esflow import Context
from esflow.cli.demo.model import Model, read_completion

PLAN = """\
Begin this task.
Task: {task}
If you can finish it alone, reply with the result.
If a person has to decide something first, reply with your plan, and end with these two lines:
QUESTION: what you ask
CHOICES: the possible answers, separated by |"""

WORK = """\
Finish this task, now that a person has decided.
Task: {task}
Plan: {plan}
Question: {question}
Answer: {answer}
Reply with the result."""


def plan(ctx: Context, model: Model, task: str) -> None:
    """Let the model plan a task; finish, or save the plan and stop to ask a person."""
    ctx.log("task taken", task=task)
    completion = read_completion(_complete(ctx, model, PLAN.format(task=task)))
    if completion.question is None:
        _finish(ctx, task, completion.text)
        return
    ctx.shared["task"] = task
    ctx.shared["plan"] = completion.text
    ctx.memory["asked"] = completion.question
    choices = list(completion.choices)
    # Held back: a question that nobody answers never leaves the job.
    ctx.defer("question", text=completion.question, choices=choices)
    ctx.ask(completion.question, to="agent.user_input", choices=choices or None)


def take_answer(ctx: Context, answer: str) -> None:
    """Put an answer beside the question it belongs to."""
    question = str(ctx.memory["asked"])
    ctx.log("answer taken", question=question, answer=answer)
    ctx.emit("answered", question=question, answer=answer)


def work(ctx: Context, model: Model, question: str, answer: str) -> None:
    """Let the model finish the saved plan with the answer."""
    task, saved = ctx.get("task", str), ctx.get("plan", str)
    prompt = WORK.format(task=task, plan=saved, question=question, answer=answer)
    _finish(ctx, task, _complete(ctx, model, prompt))


def _complete(ctx: Context, model: Model, prompt: str) -> str:
    ctx.write("model_calls", 1, reducer="add")
    return ctx.effect(model.complete, prompt, key=ctx.idempotency_key)


def _finish(ctx: Context, task: str, result: str) -> None:
    ctx.log("task finished", task=task)
    ctx.emit("output", text=result)
    ctx.emit("completed", task=task)
