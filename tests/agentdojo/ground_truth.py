"""Prints AgentDojo's ground-truth calls that have an effect. Run by its path, by the Python of build/agentdojo.

Each call is carried out in AgentDojo's own environment: it has an effect where that is not what it was before.
`python ground_truth.py` writes `{"tasks": {<kind>: {<task>: <calls of its ground truth>}}, "calls": […]}`.
"""

import importlib.abc
import importlib.machinery
import json
import sys
from unittest.mock import MagicMock

BENCHMARK = "v1.2.2"
NOT_INSTALLED = {"anthropic", "cohere", "google", "openai", "requests", "rich", "tenacity"}
"""What AgentDojo imports to ask models and to print, and no ground truth uses."""


class Absent(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Stands in for what is not installed."""

    def find_spec(self, name, path=None, target=None):
        found = name.partition(".")[0] in NOT_INSTALLED
        return importlib.machinery.ModuleSpec(name, self, is_package=True) if found else None

    def create_module(self, spec):
        return MagicMock(__path__=[], __spec__=spec, __name__=spec.name)

    def exec_module(self, module):
        pass


def carried_out(suite, task):
    """Each call of a task's ground truth, with whether it changes the environment."""
    environment = suite.load_and_inject_default_environment({})
    tools = FunctionsRuntime(suite.tools)
    for call in task.ground_truth(environment.model_copy(deep=True)):
        before = environment.model_dump_json()
        _, error = tools.run_function(environment, call.function, call.args)
        yield call, error is None and environment.model_dump_json() != before


def told():
    tasks, calls = {"injection": {}, "user": {}}, []
    for name, suite in get_suites(BENCHMARK).items():
        for kind, each in (("injection", suite.injection_tasks), ("user", suite.user_tasks)):
            for task_id, task in each.items():
                found = list(carried_out(suite, task))
                tasks[kind][f"{name} {task_id}"] = len(found)
                calls += [
                    {"kind": kind, "task": f"{name} {task_id}", "function": call.function, "arguments": dict(call.args)}
                    for call, changes in found
                    if changes
                ]
    return {"tasks": tasks, "calls": calls}


if __name__ == "__main__":
    sys.meta_path.append(Absent())
    from agentdojo.functions_runtime import FunctionsRuntime
    from agentdojo.task_suite.load_suites import get_suites

    print(json.dumps(told(), default=str))
