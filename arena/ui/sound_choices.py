"""A choice that is not offered is refused in words: the framework would show its own error, and write it to the log.

It takes no forging: whoever is quick, or had the page open while the program was started anew, sends what was offered a
moment before."""

from __future__ import annotations

from typing import Any

import gradio as gr
from gradio.state_holder import SessionState

from arena.strings import tr
from arena.ui.i18n import language


class SoundChoices(gr.Blocks):  # type: ignore[misc] # its types are not followed
    """A page whose events have values that their lists of choices offer at that moment to that visitor."""

    async def process_api(
        self,
        block_fn: Any,
        inputs: list[Any],
        state: SessionState | None = None,
        request: Any = None,
        iterator: Any = None,
        **more: Any,
    ) -> dict[str, Any]:
        if iterator is None:  # else this was asked when it began
            for block, value in zip(block_fn.inputs, inputs, strict=False):
                now = state[block._id] if state and block._id in state else block  # as this visitor has it
                if not offered(now, value):
                    raise gr.Error(tr("ui.choice_gone", language(request)), print_exception=False)
        answer: dict[str, Any] = await super().process_api(block_fn, inputs, state, request, iterator, **more)
        return answer


def offered(block: Any, value: Any) -> bool:
    """Whether it may be the value of the component; of one without choices, anything.

    >>> offered(gr.Radio(["a", "b"]), "b"), offered(gr.Radio(["a", "b"]), "c")
    (True, False)
    """
    if value is None or not isinstance(block, gr.Radio | gr.Dropdown | gr.CheckboxGroup):
        return True
    choices = [choice for _, choice in block.choices]
    if isinstance(block, gr.CheckboxGroup) or getattr(block, "multiselect", False):
        return isinstance(value, list) and all(each in choices for each in value)
    return value in choices
