"""The manifests for Kubernetes hold together and say what pagemill understands; no cluster and no network is needed."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from redis import Redis
from rq.registry import StartedJobRegistry

from pagemill.config.loading import load_config
from pagemill.control_room.dashboard import routes as dashboard
from pagemill.control_room.frame.access import AccessRules
from pagemill.control_room.frame.application import framed_application
from pagemill.intake.batch_job import open_queues
from tests.unit.control_room.api.asking import SECRET, Client, Clock
from tests.unit.control_room.test_prometheus_files import WORDS, asked_for, labels_by_name
from tests.unit.deploy import manifest_checks as checks
from tests.unit.deploy.kustomization import NotBuilt, Resource, build

ROOT = checks.ROOT
KUBERNETES = ROOT / "deploy" / "kubernetes"
DOCUMENT = ROOT / "docs" / "kubernetes.md"
SETS = ("example", "example-keda")
EXAMPLE = build(KUBERNETES / "example-keda")
"""The largest set. Tests change copies of it."""

SCALED_OBJECT = {
    "scaleTargetRef", "pollingInterval", "cooldownPeriod", "initialCooldownPeriod", "idleReplicaCount",
    "minReplicaCount", "maxReplicaCount", "fallback", "advanced", "triggers",
}  # fmt: skip
TRIGGER = {"type", "name", "metadata", "authenticationRef", "metricType", "useCachedMetrics"}
REDIS_TRIGGER = {"listName", "listLength", "activationListLength", "address", "databaseIndex", "enableTLS"}
"""What KEDA 2 knows; its definitions are in no package."""


def answers(path: str) -> int:
    """The status that somebody without a token gets at the control API's page or anywhere else in it."""
    clock = Clock()
    app = framed_application(AccessRules(SECRET, clock), "pagemill", "1.2.3", now_s=clock.monotonic_s)
    app.include_router(dashboard.router)
    return Client(app, clock, headers={"host": "10.1.2.3:8003"}).get(path).status


CHECKS: dict[str, Callable[[list[Resource], Path], Iterator[str]]] = {
    "schema": lambda built, _: checks.schema(built),
    "references": lambda built, _: checks.references(built),
    "environment": checks.environment,
    "commands": lambda built, _: checks.commands(built),
    "probes": lambda built, _: checks.probes(built, answers),
    "images": lambda built, _: checks.images(built),
    "locked": lambda built, _: checks.locked(built),
    "sizes": lambda built, _: checks.sizes(built),
    "selectors": lambda built, _: checks.selectors(built),
}


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("name", SETS)
def test_a_set_is_whole(name: str, check: str, tmp_path: Path) -> None:
    """Schema, references, variables, commands, probes, images, rights, sizes and selectors."""
    assert list(CHECKS[check](build(KUBERNETES / name), tmp_path)) == []


def get(built: list[Resource], kind: str, name: str) -> Resource:
    return next(each for each in built if (each["kind"], each["metadata"]["name"]) == (kind, name))


def pod(built: list[Resource], name: str = "pagemill-worker") -> Resource:
    kind = "StatefulSet" if name == "pagemill-redis" else "Deployment"
    found: Resource = get(built, kind, name)["spec"]["template"]["spec"]
    return found


def container(built: list[Resource], name: str = "pagemill-worker") -> Resource:
    found: Resource = pod(built, name)["containers"][0]
    return found


def spoil(place: Callable[[list[Resource]], Any], key: Any, value: Any = None) -> Callable[[list[Resource]], None]:
    """Sets a key of some place, or takes it away."""

    def change(built: list[Resource]) -> None:
        if value is None:
            del place(built)[key]
        else:
            place(built)[key] = value

    return change


def environment(built: list[Resource]) -> Resource:
    found: Resource = get(built, "ConfigMap", "pagemill-environment")["data"]
    return found


SPOILED: dict[str, dict[str, tuple[Callable[[list[Resource]], None], str]]] = {
    "schema": {
        "a misspelt key": (spoil(pod, "restartPolicie", "Always"), "restartPolicie"),
        "a wrong type": (spoil(lambda b: get(b, "Deployment", "pagemill-api")["spec"], "replicas", "two"), "replicas"),
        "no such kind": (spoil(lambda b: get(b, "Service", "pagemill-api"), "kind", "Servise"), "Servise"),
    },
    "references": {
        "no ConfigMap": (
            spoil(lambda b: get(b, "ConfigMap", "pagemill-config")["metadata"], "name", "x"),
            "pagemill-config",
        ),
        "no Secret": (spoil(lambda b: pod(b)["volumes"][2]["secret"], "secretName", "x"), "nobody makes"),
        "a volume that is nowhere": (lambda b: container(b)["volumeMounts"].pop(), "mounts"),
        "no such key": (
            spoil(
                lambda b: get(b, "TriggerAuthentication", "pagemill-redis")["spec"]["secretTargetRef"][0], "key", "x"
            ),
            "no key x",
        ),
    },
    "environment": {
        "an unknown variable": (spoil(environment, "PAGEMILL_REDIS_ADDRESS", "x"), "unknown variable"),
        "an unknown word": (spoil(environment, "PAGEMILL_LOG_LEVEL", "LOUD"), "is not known"),
        "a file that nobody brings": (spoil(environment, "PAGEMILL_REDIS_URL_FILE", "/run/redis"), "no Secret brings"),
        "SQLite": (spoil(environment, "PAGEMILL_DATABASE_URL_FILE"), "neither"),
        "another folder": (spoil(environment, "PAGEMILL_CONFIG", "/etc/pagemill"), "not mounted"),
        "variables of Services": (spoil(lambda b: pod(b, "pagemill-api"), "enableServiceLinks"), "SERVICE_HOST"),
    },
    "commands": {
        "an unknown command": (spoil(lambda b: container(b)["args"], 0, "serve"), "no command serve"),
        "an unknown option": (spoil(lambda b: container(b)["args"], 1, "--workers"), "has no"),
        "a probe that is not there": (
            spoil(lambda b: container(b)["livenessProbe"]["exec"]["command"], 0, "health.sh"),
            "has no health.sh",
        ),
    },
    "probes": {
        "a path with a token": (
            spoil(lambda b: container(b, "pagemill-api")["readinessProbe"]["httpGet"], "path", "/memory/status"),
            "without a token",
        ),
        "no probe": (spoil(container, "livenessProbe"), "all three"),
        "ended at once": (
            spoil(lambda b: container(b)["livenessProbe"]["exec"]["command"], 1, "30"),
            "before it is unready",
        ),
        "ended by a probe": (spoil(lambda b: container(b)["readinessProbe"]["exec"]["command"], 2, "180"), "itself"),
    },
    "images": {
        "another image": (spoil(container, "image", "pagemill:latest"), "pagemill:latest"),
    },
    "locked": {
        "another user": (spoil(lambda b: pod(b)["securityContext"], "runAsUser", 1000), "runs as 1000"),
        "root's rights": (spoil(lambda b: container(b)["securityContext"], "capabilities"), "more rights"),
        "a writable root": (spoil(lambda b: container(b)["securityContext"], "readOnlyRootFilesystem"), "is writable"),
        "no profile": (spoil(lambda b: pod(b)["securityContext"], "seccompProfile"), "no seccomp"),
        "a token": (spoil(pod, "automountServiceAccountToken"), "token for the cluster"),
        "nowhere to write": (spoil(lambda b: container(b)["volumeMounts"][5], "readOnly", True), "cannot write"),
    },
    "sizes": {
        "no limit": (spoil(lambda b: container(b)["resources"]["limits"], "memory"), "no limit"),
        "shm beside the limit": (spoil(lambda b: container(b)["resources"]["limits"], "memory", "2Gi"), "too little"),
        "shm on disk": (spoil(lambda b: pod(b)["volumes"][6]["emptyDir"], "medium"), "/dev/shm"),
        "no time to drain": (spoil(pod, "terminationGracePeriodSeconds", 30), "drains"),
        "a folder without end": (spoil(lambda b: pod(b)["volumes"][5]["emptyDir"], "sizeLimit"), "no limit"),
    },
    "selectors": {
        "a budget for nobody": (
            spoil(
                lambda b: get(b, "PodDisruptionBudget", "pagemill-api")["spec"]["selector"], "matchLabels", {"app": "x"}
            ),
            "finds nothing",
        ),
        "a Service to nowhere": (
            spoil(lambda b: get(b, "Service", "pagemill-api")["spec"]["ports"][0], "targetPort", "web"),
            "not there",
        ),
        "a policy for another port": (
            spoil(lambda b: get(b, "NetworkPolicy", "pagemill-api")["spec"]["ingress"][0]["ports"][0], "port", 8080),
            "nobody listens",
        ),
        "a Redis for everybody": (
            spoil(lambda b: get(b, "NetworkPolicy", "pagemill-redis")["spec"]["ingress"][0], "from"),
            "everybody",
        ),
        "no policy": (lambda b: b.remove(get(b, "NetworkPolicy", "pagemill")), "no NetworkPolicy"),
    },
}


@pytest.mark.parametrize(("check", "what"), [(check, what) for check, cases in SPOILED.items() for what in cases])
def test_what_is_wrong_is_found(check: str, what: str, tmp_path: Path) -> None:
    """Each of the checks can fail, by each thing that it looks at."""
    change, words = SPOILED[check][what]
    built = copy.deepcopy(EXAMPLE)
    change(built)
    found = list(CHECKS[check](built, tmp_path))
    assert any(words in fault for fault in found), found


def test_the_profile_can_be_left_out(tmp_path: Path) -> None:
    """The component changes the worker alone; with the profile it is the file that Compose names, by the same name as
    where the nodes get it."""
    assert pod(EXAMPLE)["securityContext"]["seccompProfile"]["localhostProfile"] == "pagemill/seccomp.json"
    (daemons,) = [each for each in build(KUBERNETES / "seccomp") if each["kind"] == "DaemonSet"]
    node = daemons["spec"]["template"]["spec"]["volumes"][1]["hostPath"]["path"]
    assert node == "/var/lib/kubelet/seccomp/pagemill"
    assert [*checks.schema(build(KUBERNETES / "seccomp")), *checks.images(build(KUBERNETES / "seccomp"))] == []
    assert "seccomp=docker/seccomp.json" in checks.COMPOSE["worker"]["security_opt"]
    spec = {"kind": "Kustomization", "resources": [str(KUBERNETES / "base")]}
    spec["components"] = [str(KUBERNETES / "without-sandbox")]
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(spec), encoding="utf-8")
    assert pod(build(tmp_path))["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}


def test_the_mounted_configuration_is_that_of_the_folder(tmp_path: Path) -> None:
    """As the kubelet lays ConfigMaps out: links to files in a hidden folder."""
    for name, place in (("pagemill-config", tmp_path), ("pagemill-platforms", tmp_path / "platforms")):
        hidden = place / "..2026_11_28"
        hidden.mkdir(parents=True)
        (place / "..data").symlink_to(hidden.name)
        for key, text in get(EXAMPLE, "ConfigMap", name)["data"].items():
            (hidden / key).write_text(text, encoding="utf-8")
            (place / key).symlink_to(f"..data/{key}")
    mounted, plain = load_config(tmp_path, {}), load_config(ROOT / "config", {})
    assert mounted.platforms == plain.platforms
    assert (mounted.settings, mounted.schedule, mounted.alerts) == (plain.settings, plain.schedule, plain.alerts)


def test_the_small_redis_is_set_up_as_that_of_compose() -> None:
    """The same file; kustomize reads none outside of its folder."""
    theirs = (ROOT / "docker" / "redis.conf").read_text(encoding="utf-8")
    assert get(EXAMPLE, "ConfigMap", "pagemill-redis")["data"]["redis.conf"] == theirs
    (script,) = container(EXAMPLE, "pagemill-redis")["command"][2:]
    (included,) = re.findall(r"^include (\S+)$", theirs, re.MULTILINE)
    assert f"> {included}" in script
    assert re.search(r"^appendonly yes$", theirs, re.MULTILINE)
    assert re.search(r"^maxmemory-policy noeviction$", theirs, re.MULTILINE)


def keda_faults(built: list[Resource]) -> Iterator[str]:
    """What KEDA would refuse, or would never scale by."""
    spec = get(built, "ScaledObject", "pagemill-worker")["spec"]
    if unknown := set(spec) - SCALED_OBJECT:
        yield f"KEDA does not know {sorted(unknown)}"
    target = spec["scaleTargetRef"]
    if "replicas" in get(built, target["kind"], target["name"])["spec"]:
        yield "applying the manifests again would set the number back"
    if not 1 <= spec["minReplicaCount"] < spec["maxReplicaCount"]:
        yield "there may be no worker, or never more than at least"
    known = {each["metadata"]["name"] for each in built if each["kind"] == "TriggerAuthentication"}
    asked: dict[str, str] = {}
    for trigger in spec["triggers"]:
        if set(trigger) - TRIGGER or set(trigger["metadata"]) - REDIS_TRIGGER or trigger["type"] != "redis":
            yield f"KEDA does not know all of {trigger}"
        if trigger["authenticationRef"]["name"] not in known:
            yield f"nobody authenticates {trigger}"
        if not all(isinstance(value, str) for value in trigger["metadata"].values()):
            yield f"KEDA takes texts only: {trigger}"
        asked[trigger["metadata"]["listName"]] = trigger["metadata"]["listLength"]
    never_asked = Redis()
    wanted: dict[str, str] = {}
    for name in get(built, "ConfigMap", "pagemill-platforms")["data"]:
        for queue in open_queues(never_asked, name.removesuffix(".yaml")):
            wanted[queue.key] = "10"
            wanted[StartedJobRegistry(queue=queue).key] = "1"
    yield from (
        f"{key}: {asked.get(key)}, not {wanted.get(key)}"
        for key in asked.keys() | wanted.keys()
        if asked.get(key) != wanted.get(key)
    )


def test_workers_are_scaled_by_every_queue() -> None:
    """Those that RQ has, of every platform of the configuration."""
    assert list(keda_faults(EXAMPLE)) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda spec: spec["triggers"].pop(), "rq:wip:pagemill:zigzag:low"),
        (lambda spec: spec["triggers"][0]["metadata"].update(listName="rq:queue:ably"), "rq:queue:ably"),
        (lambda spec: spec["triggers"][0]["metadata"].update(listLength=10), "texts only"),
        (lambda spec: spec["triggers"][0]["metadata"].update(length="10"), "not know all"),
        (lambda spec: spec["triggers"][0]["authenticationRef"].update(name="x"), "nobody authenticates"),
        (lambda spec: spec.update(maxReplicas=3), "maxReplicas"),
        (lambda spec: spec.update(minReplicaCount=0), "no worker"),
    ],
)
def test_a_wrong_scaling_is_found(change: Callable[[Resource], None], words: str) -> None:
    """The check above can fail."""
    built = copy.deepcopy(EXAMPLE)
    change(get(built, "ScaledObject", "pagemill-worker")["spec"])
    assert any(words in fault for fault in keda_faults(built))


def test_a_number_of_workers_beside_keda_is_found() -> None:
    """The component takes it away."""
    built = copy.deepcopy(EXAMPLE)
    get(built, "Deployment", "pagemill-worker")["spec"]["replicas"] = 2
    assert any("set the number back" in fault for fault in keda_faults(built))


def test_the_document_makes_the_secrets_that_are_needed() -> None:
    """With their keys, and names files and folders that are there."""
    text = DOCUMENT.read_text(encoding="utf-8").replace("\\\n", " ")
    made = {
        name: set(re.findall(r"--from-literal=([\w-]+)=", rest))
        for name, rest in re.findall(r"create secret generic (\S+)(.*)$", text, re.MULTILINE)
    }
    assert made == checks.SECRETS
    applied = re.findall(r"kubectl apply -k (\S+)$", text, re.MULTILINE)
    assert applied
    assert all((ROOT / folder / "kustomization.yaml").is_file() for folder in applied)
    folders = {path.name for path in KUBERNETES.iterdir()}
    assert folders == {name for name in folders if f"`{name}/`" in text}


def test_the_query_of_the_document_asks_for_what_is_told() -> None:
    """Of the trigger for those who have Prometheus."""
    (query,) = re.findall(r"^    query: (.+)$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    known = labels_by_name()
    asked = [(name, labels) for name, labels in asked_for(query) if name not in WORDS | {"ceil"}]
    assert asked
    assert all(labels <= known.get(name, set()) for name, labels in asked)
    assert all(name in known for name, _ in asked)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("resources: [nowhere.yaml]", "nowhere.yaml is not there"),
        ("resources: [../outside.yaml]", "outside of its folder"),
        ("resource: [inside.yaml]", "not built here"),
        ("resources: [inside.yaml, inside.yaml]", "twice"),
        ("configMapGenerator: [{name: a, files: [missing.conf]}]", "missing.conf is not there"),
        ("resources: [double.yaml]", "stands twice"),
        ("resources: [inside.yaml]\ncomponents: [../component]", "nothing is called"),
    ],
)
def test_a_set_that_does_not_hold_together_is_not_built(text: str, words: str, tmp_path: Path) -> None:
    """What kustomize would refuse, and what would count for nothing."""
    folder, component = tmp_path / "set", tmp_path / "component"
    folder.mkdir()
    component.mkdir()
    inside = "kind: ConfigMap\nmetadata: {name: a}\n"
    (tmp_path / "outside.yaml").write_text(inside, encoding="utf-8")
    (folder / "inside.yaml").write_text(inside, encoding="utf-8")
    (folder / "double.yaml").write_text("kind: ConfigMap\nkind: Secret\n", encoding="utf-8")
    patch = "kind: Component\npatches:\n  - target: {kind: Service, name: b}\n    patch: '[]'\n"
    (component / "kustomization.yaml").write_text(patch, encoding="utf-8")
    (folder / "kustomization.yaml").write_text(f"kind: Kustomization\n{text}\n", encoding="utf-8")
    with pytest.raises(NotBuilt, match=words):
        build(folder)
