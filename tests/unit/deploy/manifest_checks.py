"""What must be true of a built set of manifests, whatever the schema says. Each check tells what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import typer.main
import yaml
from kubernetes_validate import SchemaNotFoundError, ValidationError, validate

from pagemill import __version__
from pagemill.cli.main import app
from pagemill.config.environment import read_environment
from tests.unit.deploy.kustomization import Resource, pod_of

ROOT = Path(__file__).parents[3]
DOCKERFILE = (ROOT / "docker" / "Dockerfile").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]

VERSIONS = ("1.29", "1.37")
"""Of Kubernetes: the oldest and the newest whose schema the manifests keep to."""
SECRETS = {
    "pagemill": {"redis-url", "database-url"},
    "pagemill-api": {"secret"},
    "pagemill-redis": {"address", "password"},
}
"""What whoever deploys makes by hand, as docs/kubernetes.md tells."""
SAMPLES = {
    "redis-url": "redis://:word@pagemill-redis:6379/0",
    "database-url": "postgresql://pagemill:word@db.internal:5432/pagemill",
    "secret": "s" * 48,
}
"""What may stand in the files that variables name."""
CUSTOM = {"keda.sh/v1alpha1"}
"""Kinds of others, whose schemas nobody here has."""

Faults = Iterator[str]


def pods(built: list[Resource]) -> Iterator[tuple[str, Resource, Resource]]:
    """Name, specification and only container of each kind of pod."""
    for resource in built:
        if pod := pod_of(resource):
            (container,) = pod["containers"]
            yield resource["metadata"]["name"], pod, container


def of_pagemill(built: list[Resource]) -> Iterator[tuple[str, Resource, Resource]]:
    return ((name, pod, container) for name, pod, container in pods(built) if "args" in container)


def schema(built: list[Resource]) -> Faults:
    """Known kinds, known keys, right types, for the oldest and the newest Kubernetes."""
    for resource in built:
        if resource["apiVersion"] in CUSTOM:
            continue
        for version in VERSIONS:
            try:
                validate(resource, version, strict=True)
            except ValidationError as error:
                way = ".".join(map(str, error.path))
                yield f"{resource['metadata']['name']}: Kubernetes {version}: {way}: {error.message[:200]}"
            except SchemaNotFoundError as error:
                yield f"{resource['metadata']['name']}: {error.message}"


def references(built: list[Resource]) -> Faults:
    """ConfigMaps are generated, Secrets and their keys are among those that the documents have people make."""
    maps = {each["metadata"]["name"] for each in built if each["kind"] == "ConfigMap"}
    for name, pod, container in pods(built):
        for volume in pod["volumes"]:
            secret, config = volume.get("secret", {}), volume.get("configMap", {})
            if config and config["name"] not in maps:
                yield f"{name}: there is no ConfigMap {config['name']}"
            if secret and secret["secretName"] not in SECRETS and not secret.get("optional"):
                yield f"{name}: nobody makes the Secret {secret['secretName']}"
        for source in container.get("envFrom", []):
            if source["configMapRef"]["name"] not in maps:
                yield f"{name}: there is no ConfigMap {source['configMapRef']['name']}"
        volumes = {volume["name"] for volume in pod["volumes"]}
        volumes |= {each["metadata"]["name"] for each in _claims(built, name)}
        mounted = [mount["name"] for mount in container["volumeMounts"]]
        if set(mounted) != volumes:
            yield f"{name}: mounts {sorted(set(mounted))} of the volumes {sorted(volumes)}"
    for resource in built:
        for reference in resource["spec"].get("secretTargetRef", []) if "spec" in resource else []:
            if reference["key"] not in SECRETS.get(reference["name"], ()):
                yield f"{resource['metadata']['name']}: no key {reference['key']} in the Secret {reference['name']}"


def _claims(built: list[Resource], name: str) -> list[Resource]:
    return [
        claim
        for each in built
        if each["metadata"]["name"] == name and each["kind"] == "StatefulSet"
        for claim in each["spec"]["volumeClaimTemplates"]
    ]


def variables(built: list[Resource], pod: Resource, container: Resource) -> dict[str, str]:
    """What a container has in its environment."""
    maps = {each["metadata"]["name"]: each["data"] for each in built if each["kind"] == "ConfigMap"}
    found = dict(re.findall(r"\b(PAGEMILL_\w+)=(\S+)", DOCKERFILE))
    for source in container.get("envFrom", []):
        found |= maps.get(source["configMapRef"]["name"], {})
    found |= {each["name"]: each["value"] for each in container.get("env", [])}
    if pod.get("enableServiceLinks", True):
        for resource in built:
            if resource["kind"] == "Service":
                name = resource["metadata"]["name"].upper().replace("-", "_")
                found |= {f"{name}_SERVICE_HOST": "10.0.0.1", f"{name}_PORT": "tcp://10.0.0.1:1"}
    return found


def environment(built: list[Resource], folder: Path) -> Faults:
    """pagemill knows every variable and understands its value; what is secret is in a file that is there."""
    for name, pod, container in of_pagemill(built):
        told = variables(built, pod, container)
        secrets = {volume["name"]: volume["secret"]["secretName"] for volume in pod["volumes"] if "secret" in volume}
        for variable, path in list(told.items()):
            if not variable.endswith("_FILE"):
                continue
            mounts = [each for each in container["volumeMounts"] if Path(path).parent == Path(each["mountPath"])]
            key = Path(path).name
            if not mounts or key not in SECRETS.get(secrets.get(mounts[0]["name"], ""), ()):
                yield f"{name}: {variable}: no Secret brings {path}"
            told[variable] = str(folder / key)
            (folder / key).write_text(SAMPLES.get(key, ""), encoding="utf-8")
        read, problems = read_environment(told)
        yield from (f"{name}: {problem}" for problem in problems)
        mounted = {each["mountPath"] for each in container["volumeMounts"]}
        if {str(read.config_folder), f"{read.config_folder}/platforms"} - mounted:
            yield f"{name}: the configuration is not mounted at {read.config_folder}"
        if not (read.redis_url and read.database_url.startswith("postgresql")):
            yield f"{name}: pods share neither an embedded Redis nor a file of SQLite"


def commands(built: list[Resource]) -> Faults:
    """pagemill has the command with these options, and the image the program of each probe."""
    known: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    programs = set(re.findall(r"/usr/local/bin/([\w-]+)$", DOCKERFILE, re.MULTILINE))
    for name, _pod, container in of_pagemill(built):
        command, *options = container["args"]
        if command not in known:
            yield f"{name}: pagemill has no command {command}"
            continue
        given = {option for option in options if option.startswith("-")}
        taken = {option for parameter in known[command].params for option in parameter.opts}
        if given - taken:
            yield f"{name}: pagemill {command} has no {sorted(given - taken)}"
        for probe in _probes(container):
            if "exec" in probe and probe["exec"]["command"][0] not in programs:
                yield f"{name}: the image has no {probe['exec']['command'][0]}"


def _probes(container: Resource) -> list[Resource]:
    return [container[kind] for kind in ("startupProbe", "readinessProbe", "livenessProbe") if kind in container]


def probes(built: list[Resource], answers: Callable[[str], int]) -> Faults:
    """All three, with time for a start and before an end, at ports and paths that are there."""
    for name, _pod, container in pods(built):
        if name == "pagemill-seccomp":
            continue
        if len(_probes(container)) < 3:
            yield f"{name}: has not all three probes"
            continue
        ports = {port["name"] for port in container.get("ports", [])}
        for probe in _probes(container):
            there = probe.get("httpGet", probe.get("tcpSocket"))
            if there and there["port"] not in ports:
                yield f"{name}: a probe asks at the port {there['port']}, which is not there"
            if "httpGet" in probe and (status := answers(probe["httpGet"]["path"])) != 200:
                yield f"{name}: {probe['httpGet']['path']} answers {status} to somebody without a token"
        live, ready = container["livenessProbe"], container["readinessProbe"]
        if "exec" in live and "exec" in ready:
            if int(live["exec"]["command"][1]) <= int(ready["exec"]["command"][1]):
                yield f"{name}: is ended before it is unready"
            if min(int(each["exec"]["command"][2]) for each in _probes(container)) < 3600:
                yield f"{name}: a probe ends the process itself"


def images(built: list[Resource]) -> Faults:
    """Those of Compose, by version and not by `latest`."""
    ours = f"pagemill:{__version__}"
    redis = COMPOSE["redis"]["image"].partition(":-")[2].rstrip("}")
    if COMPOSE["worker"]["image"].partition(":-")[2].rstrip("}") != ours:
        yield f"docker-compose.yml: not {ours}"
    for name, _pod, container in pods(built):
        image = container["image"].rpartition("/")[2]
        if image not in (ours, redis):
            yield f"{name}: the image is {image}, not {ours}"


def locked(built: list[Resource]) -> Faults:
    """No root, no rights, no way to more, nothing writable but what is mounted, and no token for the cluster."""
    (uid,) = re.findall(r"useradd --uid (\d+)", DOCKERFILE)
    for name, pod, container in pods(built):
        if name == "pagemill-seccomp":
            continue
        context, own = pod["securityContext"], container["securityContext"]
        expected = 999 if name == "pagemill-redis" else int(uid)
        if not context.get("runAsNonRoot") or context["runAsUser"] != expected or context["fsGroup"] != expected:
            yield f"{name}: runs as {context.get('runAsUser')}, not as {expected}"
        if own.get("allowPrivilegeEscalation", True) or own.get("capabilities") != {"drop": ["ALL"]}:
            yield f"{name}: may get more rights"
        if not own.get("readOnlyRootFilesystem"):
            yield f"{name}: its root is writable"
        if context.get("seccompProfile", {}).get("type") not in ("RuntimeDefault", "Localhost"):
            yield f"{name}: has no seccomp profile"
        if pod.get("automountServiceAccountToken", True):
            yield f"{name}: has a token for the cluster"
        if any({"hostPath"} & volume.keys() for volume in pod["volumes"]):
            yield f"{name}: reaches the node's files"
        writable = {mount["mountPath"] for mount in container["volumeMounts"] if not mount.get("readOnly")}
        wanted = {"/tmp", "/srv/pagemill/data"} if "args" in container else {"/tmp", "/data"}
        if not wanted <= writable:
            yield f"{name}: cannot write to {sorted(wanted - writable)}"


def sizes(built: list[Resource]) -> Faults:
    """Requests and limits of all; what stands in memory is counted in; time for a drain."""
    for name, pod, container in pods(built):
        limits, requests = container["resources"]["limits"], container["resources"]["requests"]
        if not {"cpu", "memory"} <= limits.keys() & requests.keys():
            yield f"{name}: has no limit or no request of CPU or memory"
            continue
        in_memory = sum(
            _bytes(volume["emptyDir"]["sizeLimit"])
            for volume in pod["volumes"]
            if volume.get("emptyDir", {}).get("medium") == "Memory"
        )
        if _bytes(limits["memory"]) - in_memory < _bytes("32Mi") or _bytes(limits["memory"]) < _bytes(
            requests["memory"]
        ):
            yield f"{name}: {limits['memory']} of memory are too little"
        service = COMPOSE.get(name.removeprefix("pagemill-"))
        if service and pod["terminationGracePeriodSeconds"] < int(service["stop_grace_period"].rstrip("s")):
            yield f"{name}: is killed while it drains"
        if any("emptyDir" in volume and "sizeLimit" not in volume["emptyDir"] for volume in pod["volumes"]):
            yield f"{name}: a folder has no limit"
    (worker,) = [pod for name, pod, _ in pods(built) if name == "pagemill-worker"]
    shm = [volume["emptyDir"] for volume in worker["volumes"] if volume["name"] == "shm"]
    if shm != [{"medium": "Memory", "sizeLimit": "2Gi"}]:
        yield "pagemill-worker: /dev/shm is not 2 GB of memory"


def _bytes(text: str) -> int:
    number, unit = re.fullmatch(r"(\d+)(Mi|Gi)", text).groups()  # type: ignore[union-attr]
    return int(number) * {"Mi": 2**20, "Gi": 2**30}[unit]


def selectors(built: list[Resource]) -> Faults:
    """Whatever chooses pods finds some; ports are those of the pods; nobody reaches pods that no policy is about."""
    labels = {
        each["metadata"]["name"]: each["spec"]["template"]["metadata"]["labels"] for each in built if pod_of(each)
    }
    opened = {
        name: {port["containerPort"] for port in container.get("ports", [])} for name, _pod, container in pods(built)
    }
    names = {port["name"]: port["containerPort"] for _, _, each in pods(built) for port in each.get("ports", [])}
    guarded: set[str] = set()
    for resource in built:
        name, spec, kind = resource["metadata"]["name"], resource.get("spec", {}), resource["kind"]
        chooser = spec.get("podSelector", spec.get("selector"))
        if chooser is None:
            continue
        wanted = chooser if kind == "Service" else chooser.get("matchLabels", {})
        chosen = {pod for pod, has in labels.items() if wanted and wanted.items() <= has.items()}
        if not chosen or (pod_of(resource) and chosen != {name}):
            yield f"{kind} {name}: its selector finds {sorted(chosen) or 'nothing'}"
        reachable = {port for pod in chosen for port in opened[pod]}
        if kind == "Service" and not {names.get(port["targetPort"]) for port in spec["ports"]} <= reachable:
            yield f"Service {name}: leads to a port that is not there"
        if kind == "NetworkPolicy":
            guarded |= chosen if "Ingress" in spec["policyTypes"] else set()
            inward = {port["port"] for rule in spec.get("ingress", []) for port in rule["ports"]}
            if not inward <= reachable:
                yield f"NetworkPolicy {name}: lets in to {sorted(inward - reachable)}, where nobody listens"
            if any("from" not in rule for rule in spec.get("ingress", [])):
                yield f"NetworkPolicy {name}: lets everybody in"
    if unguarded := sorted(set(labels) - guarded - {"pagemill-seccomp"}):
        yield f"no NetworkPolicy is about {unguarded}"
