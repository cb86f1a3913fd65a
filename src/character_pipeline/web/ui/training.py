"""A training of the policy in the background: one at a time, watched while it runs, and stopped when told."""

from __future__ import annotations

import logging
import re
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from character_pipeline.attribute_fusion.fusion import read_weights
from character_pipeline.database.feedback import all_feedback
from character_pipeline.errors import CharpipeError
from character_pipeline.evaluation.gold import read_gold

if TYPE_CHECKING:
    from character_pipeline.web.service import Service

log = logging.getLogger("character_pipeline")
STEP = re.compile(r"step ([\d,]+) of ([\d,]+): utility (-?[\d.]+) an attribute at no price, (-?[\d.]+) net")
MOST_LINES = 200


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be trained: with labels from a truth file, or from feedback, or without."""

    steps: int = 1_000
    price: float = 0.0
    reward: str = "truth"
    truth: Path | None = None
    masked: bool = False
    mode: str = "six"


@dataclass(slots=True)
class Course:
    """How a training goes on.

    Attributes:
        curve: step, utility at no price, utility net of cost.
        report: what the judging found, when it has ended well.
    """

    lines: list[str] = field(default_factory=list)
    curve: list[tuple[int, float, float]] = field(default_factory=list)
    report: dict[str, Any] | None = None
    error: str = ""
    stopping: bool = False
    running: bool = True

    def say(self, line: str) -> None:
        """Take a line; the curve is in some. Raises StoppedError where it is to stop."""
        self.lines = [*self.lines[-MOST_LINES:], line]
        if found := STEP.match(line):
            self.curve.append((int(found[1].replace(",", "")), float(found[3]), float(found[4])))
        if self.stopping:
            raise StoppedError


class StoppedError(Exception):
    """Somebody asked a training to stop."""


class Trainer:
    """Trains for one service, one policy at a time."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.course: Course | None = None
        self._lock = threading.Lock()

    @property
    def file(self) -> Path:
        """The policy that was trained last; it outlives the service."""
        return self.service.jobs.spool.folder / "trained-policy.safetensors"

    def start(self, wish: Wish) -> Course:
        """Begin, unless one is running: then that one goes on."""
        with self._lock:
            if self.course is None or not self.course.running:
                self.course = Course()
                self.file.unlink(missing_ok=True)
                threading.Thread(target=self._train, args=(wish, self.course), name="training", daemon=True).start()
            return self.course

    def stop(self) -> None:
        if self.course is not None:
            self.course.stopping = True

    def _train(self, wish: Wish, course: Course) -> None:
        try:
            course.report = self._learn(wish, course)
        except StoppedError:
            course.error = "stopped: nothing was written"
        except CharpipeError as error:
            course.error = str(error)
        except Exception as error:
            log.exception("the training of a policy")
            course.error = f"an error of the program ({type(error).__name__}): see its log"
        finally:
            course.running = False

    def _learn(self, wish: Wish, course: Course) -> dict[str, Any]:
        from character_pipeline.training.fusion.masked_truth import MARGIN, read_masked
        from character_pipeline.training.policy import Plan, check_mode, check_reward, train_policy

        course.say("reading the items")
        fusion, told = self.service.config.attribute_fusion, wish.truth is None and not wish.masked
        with self.service.reading() as store:
            gold = read_masked(store, course.say) if wish.masked else read_gold(store, wish.truth)
            newest = max((one.given for one in all_feedback(store)), default=0.0) if told else 0.0
        plan = Plan(
            mode=check_mode(wish.mode),
            steps=wish.steps,
            price=wish.price,
            reward=check_reward(wish.reward),
            feedback_until=newest,
            margin=MARGIN if wish.masked else 0.0,
            drawn=wish.masked,
        )
        course.say(f"{len(gold):,} {'items without labels' if wish.masked else 'labelled items'}")
        return train_policy(gold, read_weights(self.service.vocabulary, fusion), plan, self.file, course.say)
