"""The dashboard for Grafana asks for numbers that there are."""

from __future__ import annotations

import json
import re
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from character_pipeline.web.service import Service

DASHBOARD = Path(__file__).parents[2] / "deploy" / "grafana" / "charpipe.json"


def test_every_number_of_the_dashboard_is_there(service: Service) -> None:
    service.extract(service.make_item(text="1girl, solo, black hair"))
    service.metrics.requests.labels("POST", "/v1/extract", "200").inc()
    service.metrics.latency.labels("/v1/extract").observe(0.01)
    families = text_string_to_metric_families(service.metrics.text().decode())
    known = {sample.name: set(sample.labels) for family in families for sample in family.samples}
    panels = json.loads(DASHBOARD.read_text())["panels"]
    asked = [target["expr"] for panel in panels for target in panel["targets"]]
    assert len(asked) > 10
    for expression in asked:
        names = re.findall(r"charpipe_\w+", expression)
        assert names
        assert set(names) <= known.keys(), expression
        labels = {one for found in re.findall(r"by \(([^)]*)\)", expression) for one in found.split(", ")}
        assert labels <= set.union(*(known[name] for name in names)), expression
