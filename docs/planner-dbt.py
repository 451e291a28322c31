#!/usr/bin/env python3
"""Lets dbt plan and apply an environment's models for `promote`: warehouse.plan and warehouse.apply name this file.

What was built last is dbt's own manifest, kept in the folder $DBT_STATE (one per environment; on a shared disk, or
synchronised before and after). The target's name in profiles.yml is the environment's; $DBT names another dbt program.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys

DBT = os.environ.get("DBT", "dbt")
STATE = pathlib.Path(os.environ["DBT_STATE"])


def dbt(*words, target):
    """Runs dbt; its talk goes to stderr, because stdout is the answer."""
    command = [DBT, "--quiet", *words, "--target", target]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=sys.stderr, text=True)
    if done.returncode != 0:
        print(done.stdout[-4000:], file=sys.stderr)
        print(f"dbt {words[0]} says no", file=sys.stderr)
        # dbt's 1 is a model or contract that is wrong: a no. Everything else is a failure.
        sys.exit(1 if done.returncode == 1 else 3)
    return done.stdout


def nodes(path):
    """The models, seeds and snapshots of a manifest."""
    manifest = json.loads(path.read_text()) if path.exists() else {"nodes": {}}
    kinds = ("model", "seed", "snapshot")
    return {name: node for name, node in manifest["nodes"].items() if node["resource_type"] in kinds}


def relation(node):
    return ".".join(part for part in (node.get("database"), node["schema"], node.get("alias") or node["name"]) if part)


def selection():
    return ["--select", "state:modified+", "--state", str(STATE)] if (STATE / "manifest.json").exists() else []


def plan(target):
    dbt("compile", target=target)
    before, after = nodes(STATE / "manifest.json"), nodes(pathlib.Path("target/manifest.json"))
    kinds = ["--resource-type", "model", "--resource-type", "seed", "--resource-type", "snapshot"]
    listed = dbt("ls", "--output", "json", "--output-keys", "unique_id", *kinds, *selection(), target=target)
    steps = []
    for name in sorted(json.loads(line)["unique_id"] for line in listed.splitlines() if line.startswith("{")):
        node = after[name]
        table = node["config"].get("materialized") not in ("view", "ephemeral")
        steps.append({
            "code": "change-model" if name in before else "create-model",
            "object": relation(node),
            "verdict": "compatible_with_cost" if table else "compatible",
            "reason": f"{node['original_file_path']} is {'changed, or reads what is' if name in before else 'new'}",
            "ddl": [node["compiled_code"]] if node.get("compiled_code") else [],
        })
    for name in sorted(before.keys() - after.keys()):
        steps.append({
            "code": "orphan",
            "object": relation(before[name]),
            "verdict": "notice",
            "reason": "dbt no longer declares it, and leaves it where it is",
        })
    checksums = {name: node.get("checksum", {}).get("checksum") for name, node in before.items()}
    state = json.dumps(checksums, sort_keys=True)
    return {"format": 1, "summary": f"dbt: {len(steps)} to do", "state": state, "steps": steps}


def apply(target):
    dbt("build", *selection(), target=target)
    STATE.mkdir(parents=True, exist_ok=True)
    shutil.copy("target/manifest.json", STATE / "manifest.json")


request = json.load(sys.stdin)
if request["action"] == "plan":
    print(json.dumps(plan(request["environment"])))
else:
    apply(request["environment"])
