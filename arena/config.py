"""Settings from ARENA_* variables: one frozen object, every problem reported at once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import platformdirs

from arena.errors import ConfigError, Problem

VERSION = "0.1.0"
VLLM_IMAGE = "vllm/vllm-openai:v0.32.0"
START_MODES = ("transformers", "vllm", "auto")


@dataclass(frozen=True)
class Settings:
    """What can be set from outside. Sizes in MB (10^6 bytes), times in seconds.

    home: data folder (`ARENA_HOME`); holds the database, the images, the user's models.yaml, the lock.
    database_url: SQLAlchemy URL (`ARENA_DATABASE_URL`); SQLite in `home` by default.
    models_file: the user's own catalogue (`ARENA_MODELS`), by default ``models.yaml`` in `home` if present.
    host, port: where the page listens (`ARENA_HOST`, `ARENA_PORT`, else `GRADIO_SERVER_NAME`, `GRADIO_SERVER_PORT`).
    dev: show what is meant for developers, such as the fake model (`ARENA_DEV=1`).
    prepare: start the next model's worker while the current one generates (`ARENA_PREPARE`).
    warm: start workers from a warm parent where the system can fork (`ARENA_WARM`).
    idle_unload_s: unload a model nobody asked for after this time (`ARENA_IDLE_UNLOAD`), 0 for never.
    start_timeout_s, run_timeout_s: limits of one start and one answer (`ARENA_START_TIMEOUT`, `ARENA_RUN_TIMEOUT`).
    release_timeout_s: how long the device may take to give memory back (`ARENA_RELEASE_TIMEOUT`).
    queue_size: how many requests may wait for a device (`ARENA_QUEUE`); more are refused.
    max_upload_mb: largest file (`ARENA_MAX_UPLOAD_MB`). max_pixels: largest image (`ARENA_MAX_PIXELS`).
    first_models: the two that the page opens with (`ARENA_FIRST_MODELS`), names of the catalogue separated by a comma;
    by default the small one that comes with the project and an engine, or two engines where torch is not installed.
    mode: which mode models with several start in (`ARENA_MODE`): ``transformers``, ``vllm``, or ``auto`` for what suits
    this machine; by default what the catalogue says of each.
    vllm_image: what vLLM's containers are made from (`ARENA_VLLM_IMAGE`); the catalogue may name another for a model.
    vllm_sleep: let the container of the model before sleep with its weights in the machine's memory, so that switching
    back needs no new start (`ARENA_VLLM_SLEEP=1`); only with a GPU.
    api_keys: keys for programs that use the API, separated by commas (`ARENA_API_KEYS`); without any, only programs on
    this machine may. admin_key: the key that loads and unloads models through the API (`ARENA_ADMIN_KEY`).
    remote_images: let the API fetch images from public addresses (`ARENA_REMOTE_IMAGES`).
    share: open a public link (`ARENA_SHARE=1`); refused without a password. school: the page for a class
    (`ARENA_SCHOOL=1`). password: what visitors must know (`ARENA_PASSWORD`), teacher_password: what opens the teacher's
    panel (`ARENA_TEACHER_PASSWORD`); in clear or as ``python -m arena password`` writes it.
    visitor_quota: comparisons one visitor may start in an hour when visitors are kept apart (`ARENA_VISITOR_QUOTA`).
    keep_days: after how many days what visitors left is deleted (`ARENA_KEEP_DAYS`); 0 for never, by default 7 with a
    public link and never otherwise.
    """

    home: Path
    database_url: str
    models_file: Path | None
    host: str = "127.0.0.1"
    port: int = 7860
    dev: bool = False
    prepare: bool = True
    warm: bool = True
    idle_unload_s: float = 300.0
    start_timeout_s: float = 600.0
    run_timeout_s: float = 300.0
    release_timeout_s: float = 10.0
    queue_size: int = 32
    max_upload_mb: int = 50
    max_pixels: int = 40_000_000
    vllm_image: str = VLLM_IMAGE
    vllm_sleep: bool = False
    mode: str = ""
    first_models: tuple[str, ...] = ()
    api_keys: tuple[str, ...] = field(default=(), repr=False)
    admin_key: str = field(default="", repr=False)
    remote_images: bool = False
    share: bool = False
    school: bool = False
    password: str = field(default="", repr=False)
    teacher_password: str = field(default="", repr=False)
    visitor_quota: int = 60
    keep_days: float = 0.0

    @property
    def apart(self) -> bool:
        """Whether visitors are strangers to each other, so that each sees only what is his own."""
        return bool(self.share or self.school or self.password)

    @property
    def images(self) -> Path:
        return self.home / "images"

    @property
    def datasets(self) -> Path:
        """Where the user's own datasets lie."""
        return self.home / "datasets"


def listed(text: str) -> tuple[str, ...]:
    """The parts between commas, without the empty ones."""
    return tuple(stripped for part in text.split(",") if (stripped := part.strip()))


def load_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """Settings from the environment. Raises `ConfigError` naming every variable that cannot be used."""
    problems: list[Problem] = []

    def wrong(key: str, name: str, **more: object) -> None:
        problems.append(Problem(f"settings.{key}", {"name": name, "value": repr(environ[name]), **more}))

    def number(*names: str, default: float, least: float = 0) -> float:
        for name in names:
            if environ.get(name):
                try:
                    value = float(environ[name])
                except ValueError:
                    value = float("nan")
                if value >= least:
                    return value
                wrong("number", name, least=float(least))
        return default

    def switch(name: str, default: bool) -> bool:
        value = environ.get(name, "").strip().lower()
        if value not in ("", "0", "1", "true", "false", "yes", "no", "on", "off"):
            wrong("switch", name)
        return default if value == "" else value in ("1", "true", "yes", "on")

    home = Path(environ.get("ARENA_HOME") or platformdirs.user_data_dir("vlm-arena")).expanduser().absolute()
    own_models = environ.get("ARENA_MODELS")
    models_file = Path(own_models).expanduser() if own_models else home / "models.yaml"
    if own_models and not models_file.is_file():
        wrong("no_file", "ARENA_MODELS")
    mode = environ.get("ARENA_MODE", "").strip().lower()
    if mode not in ("", *START_MODES):
        wrong("one_of", "ARENA_MODE", known=", ".join(START_MODES))
    first_models = listed(environ.get("ARENA_FIRST_MODELS", ""))
    if len(first_models) not in (0, 2):
        wrong("two_models", "ARENA_FIRST_MODELS")
    port = int(number("ARENA_PORT", "GRADIO_SERVER_PORT", default=7860))
    if port > 65535:
        problems.append(Problem("settings.port", {"port": port}))
    share = switch("ARENA_SHARE", False)
    settings = Settings(
        home=home,
        database_url=environ.get("ARENA_DATABASE_URL") or f"sqlite:///{home / 'arena.db'}",
        models_file=models_file if models_file.is_file() else None,
        host=environ.get("ARENA_HOST") or environ.get("GRADIO_SERVER_NAME") or "127.0.0.1",
        port=port,
        dev=switch("ARENA_DEV", False),
        prepare=switch("ARENA_PREPARE", True),
        warm=switch("ARENA_WARM", True),
        idle_unload_s=number("ARENA_IDLE_UNLOAD", default=300.0),
        start_timeout_s=number("ARENA_START_TIMEOUT", default=600.0, least=0.1),
        run_timeout_s=number("ARENA_RUN_TIMEOUT", default=300.0, least=0.1),
        release_timeout_s=number("ARENA_RELEASE_TIMEOUT", default=10.0),
        queue_size=int(number("ARENA_QUEUE", default=32, least=1)),
        max_upload_mb=int(number("ARENA_MAX_UPLOAD_MB", default=50, least=1)),
        max_pixels=int(number("ARENA_MAX_PIXELS", default=40_000_000, least=1)),
        vllm_image=environ.get("ARENA_VLLM_IMAGE") or VLLM_IMAGE,
        vllm_sleep=switch("ARENA_VLLM_SLEEP", False),
        mode=mode,
        first_models=first_models,
        api_keys=listed(environ.get("ARENA_API_KEYS", "")),
        admin_key=environ.get("ARENA_ADMIN_KEY", "").strip(),
        remote_images=switch("ARENA_REMOTE_IMAGES", False),
        share=share,
        school=switch("ARENA_SCHOOL", False),
        password=environ.get("ARENA_PASSWORD", ""),
        teacher_password=environ.get("ARENA_TEACHER_PASSWORD", ""),
        visitor_quota=int(number("ARENA_VISITOR_QUOTA", default=60, least=1)),
        keep_days=number("ARENA_KEEP_DAYS", default=7.0 if share else 0.0),
    )
    if problems:
        raise ConfigError(problems)
    return settings
