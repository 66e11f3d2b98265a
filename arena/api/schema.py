"""What a request for a chat may hold, by OpenAI's names; what would change the answer and is not offered is refused."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from arena.api.errors import ApiError

Name = Annotated[str, Field(max_length=20_000)]  # a longer one is no name; a shorter one is looked for
Stop = Annotated[str, Field(max_length=1000)]
Tokens = Annotated[int, Field(ge=1, le=1_000_000)]

# Fields that would change the answer, each with the values that ask for nothing; every other value is refused.
# Unknown fields besides are let pass: clients send many.
UNSUPPORTED: dict[str, tuple[Any, ...]] = {
    "audio": (),
    "bad_words": ([],),
    "best_of": (1,),
    "chat_template": (),
    "chat_template_kwargs": ({},),
    "continue_final_message": (False,),
    "documents": ([],),
    "echo": (False,),
    "frequency_penalty": (0,),
    "function_call": ("none", "auto"),
    "functions": ([],),
    "guided_choice": (),
    "guided_grammar": (),
    "guided_json": (),
    "guided_regex": (),
    "ignore_eos": (False,),
    "length_penalty": (1,),
    "logit_bias": ({},),
    "logprobs": (False,),
    "logits_processors": ([],),
    "media_io_kwargs": ({},),
    "min_p": (0,),
    "min_tokens": (0,),
    "mm_processor_kwargs": ({},),
    "modalities": (["text"],),
    "n": (1,),
    "prediction": (),
    "presence_penalty": (0,),
    "prompt_logprobs": (),
    "response_format": ({"type": "text"},),
    "stop_token_ids": ([],),
    "structured_outputs": (),
    "tool_choice": ("none", "auto"),
    "tools": ([],),
    "top_k": (0, -1),
    "top_logprobs": (0,),
    "use_beam_search": (False,),
    "web_search_options": (),
}


class ImageUrl(BaseModel):
    url: str


class Part(BaseModel):
    """A piece of a message: ``text`` or ``image_url``."""

    type: str
    text: str | None = None
    image_url: ImageUrl | str | None = None


class Message(BaseModel):
    role: Literal["system", "developer", "user", "assistant"]
    content: str | Annotated[list[Part], Field(max_length=1000)] | None = None


class StreamOptions(BaseModel):
    include_usage: bool = False


class ChatRequest(BaseModel):
    """`task` and `language` are ours: which of the model's tasks it is, and the document's language (ISO 639-1)."""

    model_config = ConfigDict(extra="allow")

    model: Name = Field(examples=["qwen2_vl_2b"])
    messages: list[Message] = Field(min_length=1, max_length=1000)
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    max_tokens: Tokens | None = None
    max_completion_tokens: Tokens | None = None
    temperature: float | None = Field(None, ge=0, le=2, allow_inf_nan=False)
    top_p: float | None = Field(None, gt=0, le=1, allow_inf_nan=False)
    seed: int | None = Field(None, ge=-(2**63), lt=2**63)
    stop: Stop | Annotated[list[Stop], Field(max_length=16)] | None = None
    repetition_penalty: float | None = Field(None, gt=0, le=10, allow_inf_nan=False)
    task: str | None = Field(None, max_length=100)
    language: str | None = Field(None, pattern="^([a-z]{2})?$")

    def check(self) -> None:
        """Raises `ApiError` naming the first field that asks for what is not offered."""
        for name, value in (self.model_extra or {}).items():
            if name in UNSUPPORTED and value is not None and not any(same(value, each) for each in UNSUPPORTED[name]):
                raise ApiError(400, "api.unsupported", param=name, code="unsupported_parameter", name=name)

    def params(self) -> dict[str, object]:
        """Parameters of the run; a missing one means the model's own default."""
        asked = {
            "max_new_tokens": self.max_completion_tokens or self.max_tokens,
            "temperature": self.temperature,
            "top_p": self.top_p,
            "seed": self.seed,
            "repetition_penalty": self.repetition_penalty,
            "stop": [stop for stop in ([self.stop] if isinstance(self.stop, str) else self.stop or ()) if stop] or None,
        }
        return {name: value for name, value in asked.items() if value is not None}


class Fault(BaseModel):
    """message: in the caller's language. param: the field that is meant."""

    message: str
    type: str
    param: str | None
    code: str | None


class Refusal(BaseModel):
    """What every refusal holds, as OpenAI's clients read it."""

    error: Fault


# Of every call, for the description of the API: instead of the framework's own, which is never sent.
REFUSALS: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": Refusal, "description": "The request cannot be met as it is"},
    "5XX": {"model": Refusal, "description": "The model or the program failed"},
}


class LoadRequest(BaseModel):
    model: Name = Field(examples=["rednote-hilab/dots.ocr"])


class UnloadRequest(BaseModel):
    """Without a model every one is unloaded."""

    model: Name | None = None


def same(value: Any, harmless: Any) -> bool:
    """Equal, but ``True`` is no 1."""
    return value == harmless and isinstance(value, bool) == isinstance(harmless, bool)
