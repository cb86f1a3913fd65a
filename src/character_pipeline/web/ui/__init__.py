"""The web UI: a tab for each thing that a curator does. It has no logic of its own."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import gradio as gr

from character_pipeline.web.ui.analytics import analytics_tab
from character_pipeline.web.ui.batch import batch_tab
from character_pipeline.web.ui.downloads import download_router
from character_pipeline.web.ui.explore import explore_tab
from character_pipeline.web.ui.extract import extract_tab
from character_pipeline.web.ui.pictures import picture_router
from character_pipeline.web.ui.policy import policy_tab
from character_pipeline.web.ui.review import review_tab
from character_pipeline.web.ui.sent import take_only

if TYPE_CHECKING:
    from fastapi import FastAPI

    from character_pipeline.web.service import Service

STYLE = Path(__file__).with_name("style.css")
FONT = ("system-ui", "sans-serif")
MONO = ("ui-monospace", "monospace")
AT_ONCE = 16
"""Events of one kind that are answered at a time."""
FORGET = (1_800, 14_400)
"""How often what was sent to a page is looked through, and after how many seconds it is deleted."""
HEAD = '<meta name="color-scheme" content="light dark"><meta name="referrer" content="no-referrer">'
TABS = {
    "Extract": extract_tab,
    "Explore": explore_tab,
    "Review": review_tab,
    "Batch": batch_tab,
    "Analytics": analytics_tab,
    "Policy": policy_tab,
}


def build_ui(service: Service) -> gr.Blocks:
    """The pages of a service."""
    folder = _keep_uploads_private(service)
    title = "character_pipeline"
    with gr.Blocks(title=title, analytics_enabled=False, fill_width=True, delete_cache=FORGET) as blocks:
        gr.HTML('<h1 class="cp-brand">character_pipeline</h1>', js_on_load=None)
        with gr.Tabs(elem_id="tabs"):
            for name, lay_out in TABS.items():
                with gr.Tab(name, id=name.lower()) as tab:
                    lay_out(service, tab)
    blocks.queue(max_size=service.config.serve.queue_size, default_concurrency_limit=AT_ONCE, api_open=False)
    take_only(blocks, folder)
    made: gr.Blocks = blocks
    return made


def _keep_uploads_private(service: Service) -> Path:
    """Have what is sent to a page lie beside the database: gradio's own place is open to all users of the machine."""
    folder = service.jobs.spool.folder / "pages"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    os.environ["GRADIO_TEMP_DIR"] = str(folder)
    return folder.resolve()


def mount_ui(app: FastAPI, service: Service, path: str = "/") -> FastAPI:
    """Put the pages into an application that has its other routes already."""
    app.include_router(picture_router(service))
    app.include_router(download_router(service))
    gr.mount_gradio_app(
        app,
        build_ui(service),
        path,
        footer_links=[],
        run_history=False,
        show_error=False,
        max_file_size=service.config.serve.max_body_bytes,
        ssr_mode=False,
        enable_monitoring=False,
        mcp_server=False,
        theme=make_theme(),
        css_paths=[STYLE],
        head=HEAD,
    )
    return app


def make_theme() -> gr.themes.Base:
    """Calm colours, and the fonts that every system has: nothing is fetched from elsewhere."""
    return gr.themes.Base(
        primary_hue=gr.themes.colors.indigo,
        neutral_hue=gr.themes.colors.slate,
        radius_size=gr.themes.sizes.radius_md,
        font=FONT,
        font_mono=MONO,
    )
