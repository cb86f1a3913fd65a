"""The tab *Batch*: many items at once, in the background, with progress, a way to stop, and their records as files."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import gradio as gr

from character_pipeline.data import ERROR_KINDS
from character_pipeline.errors import CharpipeError, ConfigError
from character_pipeline.web import access
from character_pipeline.web.ui.downloads import KINDS
from character_pipeline.web.ui.html import chip, esc, note
from character_pipeline.web.ui.scripts import PICK
from character_pipeline.web.ui.uploads import TAKEN, ZIP, keep_uploads

if TYPE_CHECKING:
    from character_pipeline.database.jobs import Job
    from character_pipeline.web.service import Service

SHOWN = 20
EVERY = 0.7
NONE_YET = "No batch was started yet."


def batch_tab(service: Service, tab: gr.Tab) -> None:
    """Lay out the tab, and wire it."""
    with gr.Row(elem_classes="cp-split"):
        with gr.Column(scale=2, min_width=320):
            sent = gr.File(
                label="Pictures with their .txt, or a .zip of these",
                file_count="multiple",
                file_types=[*sorted(TAKEN), ZIP],
                height=180,
                elem_id="sent",
            )
            folder = gr.Textbox(
                label="Or a data set on this machine",
                info="A folder, an archive, a table or a manifest.",
                visible=is_local(service),
                max_length=4096,
                elem_id="folder",
            )
            retry = gr.Checkbox(label="Try again what failed for a lasting reason", visible=is_local(service))
            start = gr.Button("Start", variant="primary", elem_id="start")
        with gr.Column(scale=3, min_width=320):
            jobs = gr.HTML("", js_on_load=PICK, elem_id="jobs")
    timer = gr.Timer(EVERY, active=False)

    def begin(files: list[str] | None, place: str, again: bool) -> list[Any]:
        start_batch(service, files or [], place.strip(), again)
        return [None, "", *_shown(service)]

    def act(event: gr.EventData) -> list[Any]:
        what, _, name = str(event.pick).partition(":")
        change_job(service, what, name)
        return _shown(service)

    def refresh() -> list[Any]:
        return _shown(service)

    shown = [jobs, timer]
    start.click(begin, [sent, folder, retry], [sent, folder, *shown], show_progress_on=start)
    jobs.pick(act, None, shown, show_progress="hidden")
    gr.on([tab.select, timer.tick], refresh, None, shown, show_progress="hidden")


def is_local(service: Service) -> bool:
    """Whether only people on this machine can ask: only they may name its folders."""
    return access.is_alone(service.config.serve)


def start_batch(service: Service, files: Sequence[str], place: str, again: bool = False) -> Job:
    """Queue what was sent, or a data set of this machine. Raises gr.Error that says what is wrong."""
    try:
        if files:
            return service.jobs.start_folder(_kept(service, files))
        if not place or not is_local(service):
            raise ConfigError("nothing was chosen: send files" + (", or name a data set" * is_local(service)))
        return service.jobs.start_folder(place, retry_failed=again)
    except CharpipeError as error:
        raise gr.Error(esc(error), print_exception=False) from error


def _kept(service: Service, files: Sequence[str]) -> Path:
    """What was sent, in a folder beside the database, where the gallery finds the pictures again."""
    config = service.config
    parent = service.jobs.spool.folder.with_suffix(".uploads")
    return keep_uploads(files, parent, config.serve.max_batch_items, config.input_loader.max_file_bytes)


def change_job(service: Service, what: str, name: str) -> None:
    """Stop a job, or let one that was stopped go on. Raises gr.Error that says what is wrong."""
    job = service.jobs.get(name)
    if job is None or what not in {"stop", "resume"}:
        return
    if what == "stop":
        service.jobs.cancel(name)
    elif can_resume(job):
        try:
            service.jobs.start_folder(job.source)
        except CharpipeError as error:
            raise gr.Error(esc(error), print_exception=False) from error


def can_resume(job: Job) -> bool:
    """Whether what was stopped or failed can go on: what came by REST is not kept."""
    return job.state in {"cancelled", "failed"} and bool(job.options)


def _shown(service: Service) -> list[Any]:
    """The jobs, and whether to look again soon."""
    jobs = service.jobs.list(SHOWN)
    busy = any(not job.finished for job in jobs)
    return [jobs_html(jobs, time.time()), gr.Timer(active=busy)]


def jobs_html(jobs: Iterable[Job], now: float) -> str:
    cards = "".join(_card(job, now) for job in jobs)
    return f'<div class="cp-jobs">{cards}</div>' if cards else note(NONE_YET)


def _card(job: Job, now: float) -> str:
    state = "stopping" if job.stopping and not job.finished else job.state
    name = esc(Path(job.source).name)
    error = f'<p class="cp-note cp-warn">{esc(job.error)}</p>' if job.error else ""
    return (
        f'<article class="cp-job" data-state="{job.state}"><header>{chip(state, job.state)} <b>{name}</b>'
        f'<span class="cp-quiet">{esc(_ago(now - job.created))}</span></header>'
        f'<progress max="{max(job.total, 1)}" value="{job.done}" aria-label="items done"></progress>'
        f"<p>{_speed(job)}</p>{error}<p>{_failures(job)}</p><p>{_acts(job)}</p></article>"
    )


def _speed(job: Job) -> str:
    parts = [f"<b>{job.done:,}</b> of {job.total:,} items"]
    parts += [f"{job.per_second:,.1f} items/s"] if job.per_second else []
    left = job.seconds_left
    parts += [f"about {duration(left)} left"] if left is not None else []
    return " · ".join(parts)


def _failures(job: Job) -> str:
    """The failures by kind, each with what can be done about it."""
    return " ".join(
        chip(f"{count:,} {kind}", "failed", ERROR_KINDS.get(kind, (False, ""))[1])
        for kind, count in sorted(job.failures.items(), key=lambda pair: (-pair[1], pair[0]))
    )


def _acts(job: Job) -> str:
    if not job.finished:
        return f'<button type="button" class="cp-button" data-pick="stop:{esc(job.name)}">Stop</button>'
    links = "".join(
        f'<a class="cp-button" download href="downloads/{quote(job.name)}/{kind}">{kind.upper()}</a> ' for kind in KINDS
    )
    resume = f'<button type="button" class="cp-button" data-pick="resume:{esc(job.name)}">Resume</button> '
    return (resume if can_resume(job) else "") + (links if job.done else "")


def duration(seconds: float) -> str:
    """Seconds as a person says them: "4 s", "12 min", "3.4 h"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _ago(seconds: float) -> str:
    return f"{duration(max(seconds, 0.0))} ago"
