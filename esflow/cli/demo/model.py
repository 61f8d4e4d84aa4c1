"""What the agent expects of a model; it knows no flow, no file and no server."""

import re
from typing import Protocol, final

import attrs

ERROR_WORDS = frozenset({"fail"})
QUESTION_WORDS = frozenset({"analyse", "analyze", "choose", "decide"})


class Model(Protocol):
    """Something that continues a text."""

    def complete(self, prompt: str, *, key: str | None = None) -> str:
        """Return the completion of a prompt.

        Shape: calls with one ``key`` are one call to a server that recognizes such keys.
        Raises: ModelUnavailable, ModelRefused or ModelReplyUnusable.
        """
        ...


@final
@attrs.frozen(eq=False)
class ModelUnavailable(Exception):
    """The model gave no answer this time."""

    reason: str

    def __str__(self) -> str:
        return f"the model is unavailable: {self.reason}; retry the job later"


@final
@attrs.frozen(eq=False)
class ModelRefused(Exception):
    """The model's server will refuse this call every time."""

    reason: str
    advice: str

    def __str__(self) -> str:
        return f"the model's server refused the call: {self.reason}; {self.advice}"


@final
@attrs.frozen(eq=False)
class ModelReplyUnusable(Exception):
    """The model's server answered with something that holds no completion."""

    reason: str

    def __str__(self) -> str:
        return f"the reply holds no completion: {self.reason}; check what the base URL points to"


@final
@attrs.frozen(kw_only=True)
class Completion:
    """What a completion says: a text, with a question when a person has to decide first."""

    text: str  # The result when there is no question, the plan when there is one.
    question: str | None = None
    choices: tuple[str, ...] = ()  # Empty: any answer will do.


def read_completion(reply: str) -> Completion:
    """Find the lines ``QUESTION:`` and ``CHOICES:`` in a completion; the other lines are its text.

    Models wrap and decorate what they write, so nothing here is an error:
    a reply without a question is a result.
    """
    question: str | None = None
    choices: tuple[str, ...] = ()
    text: list[str] = []
    for line in reply.splitlines():
        name, _, rest = (part.strip(" *") for part in line.partition(":"))
        match name:
            case "QUESTION" if rest:
                question = rest
            case "CHOICES":
                # Without repetitions, in the order of their first mention.
                choices = tuple(dict.fromkeys(filter(None, map(str.strip, rest.split("|")))))
            case _:
                text.append(line)
    if question is None:
        return Completion(text=reply.strip())
    return Completion(text="\n".join(text).strip(), question=question, choices=choices)


@final
@attrs.frozen
class ScriptedModel:
    """A model that needs no key and no network, and says the same thing every time.

    Shape: whole words of the prompt's line ``Task:`` (of the whole prompt, if it has none) decide,
    and the first row that applies wins.

    ===================================  ================================================
    the task has the word ``fail``       raises ModelUnavailable
    the prompt has a line ``Answer:``    the result, naming the answer
    it has a word of QUESTION_WORDS      a plan, a question, and the choices A and B
    otherwise                            the result at once
    ===================================  ================================================
    """

    def complete(self, prompt: str, *, key: str | None = None) -> str:  # noqa: ARG002 - nothing to deduplicate
        """Return what the script says about a prompt."""
        task = _line(prompt, "Task") or prompt.strip()
        words = frozenset(re.findall(r"\w+", task.lower()))
        if words & ERROR_WORDS:
            raise ModelUnavailable("the script says fail")
        answer = _line(prompt, "Answer")
        if answer is not None:
            return f"{task}: done with option {answer}."
        if words & QUESTION_WORDS:
            return (
                f"{task}: compare the options, then go on with one.\n"
                "QUESTION: Which option, A or B?\n"
                "CHOICES: A | B"
            )
        return f"{task}: done."


def _line(prompt: str, name: str) -> str | None:
    found = re.search(rf"^{name}: (.+)$", prompt, flags=re.MULTILINE)
    return found[1].strip() if found else None
