"""Builds a kustomization as `kubectl kustomize` does, without a cluster or a network: as much of it as is used here.

What it does not know it refuses, so nothing that is written is left out in silence. Hashes behind the names of
ConfigMaps are left out.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

Resource = dict[str, Any]

_KEYS = {"apiVersion", "kind", "namespace", "resources", "components", "configMapGenerator", "images", "patches"}
_CLUSTER_WIDE = {"Namespace"}


class NotBuilt(AssertionError):
    """The set does not hold together."""


def build(folder: Path) -> list[Resource]:
    """Every resource of a kustomization.

    Raises:
        NotBuilt: with the file, and what is wrong.
    """
    found: list[Resource] = []
    _add(folder, found, component=False)
    names = [identity(each) for each in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise NotBuilt(f"{folder.name}: twice: {twice}")
    return found


def identity(resource: Resource) -> tuple[str, str]:
    """Kind and name."""
    return resource["kind"], resource["metadata"]["name"]


def _add(folder: Path, found: list[Resource], *, component: bool) -> None:
    file = folder / "kustomization.yaml"
    (spec,) = _documents(file)
    if unknown := sorted(set(spec) - _KEYS):
        raise NotBuilt(f"{file}: keys that are not built here: {unknown}")
    if (spec["kind"] == "Component") != component:
        raise NotBuilt(f"{file}: is a {spec['kind']}, and is used as another kind")
    own: list[Resource] = found if component else []  # a component changes what is there already
    for name in spec.get("resources", []):
        if (folder / name).is_dir():
            _add((folder / name).resolve(), own, component=False)
        else:
            own += _documents(_below(folder, name))
    own += [_config_map(folder, each) for each in spec.get("configMapGenerator", [])]
    for name in spec.get("components", []):
        _add((folder / name).resolve(), own, component=True)
    for patch in spec.get("patches", []):
        _patch(own, patch, file)
    for resource in own:
        if "namespace" in spec and resource["kind"] not in _CLUSTER_WIDE:
            resource["metadata"]["namespace"] = spec["namespace"]
        for image in spec.get("images", []):
            _rename_image(resource, image)
    if not component:
        found += own


def _below(folder: Path, name: str) -> Path:
    """A file of a kustomization; kustomize reads none outside of its folder, and no link that leads there."""
    path = folder / name
    if not path.is_file():
        raise NotBuilt(f"{folder.name}/kustomization.yaml: {name} is not there")
    if not path.resolve().is_relative_to(folder.resolve()):
        raise NotBuilt(f"{folder.name}/kustomization.yaml: {name} is outside of its folder")
    return path


def _documents(file: Path) -> list[Resource]:
    """Those of a YAML file, with nothing shared between places that have the same anchor."""
    try:
        loaded = list(yaml.load_all(file.read_text(encoding="utf-8"), _OnlyOnce))
    except (OSError, yaml.YAMLError) as error:
        raise NotBuilt(f"{file}: {error}") from error
    return [json.loads(json.dumps(each)) for each in loaded if each is not None]


class _OnlyOnce(yaml.SafeLoader):
    """YAML that refuses a key which stands twice, where one of the two would count for nothing."""


def _mapping(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    keys = [loader.construct_object(key) for key, _ in node.value]
    if len(set(keys)) < len(keys):
        raise yaml.constructor.ConstructorError(None, None, f"a key stands twice among {keys}", node.start_mark)
    return loader.construct_mapping(node, deep=True)


_OnlyOnce.add_constructor("tag:yaml.org,2002:map", _mapping)


def _config_map(folder: Path, generator: dict[str, Any]) -> Resource:
    data: dict[str, str] = {}
    for name in generator.get("files", []):
        path = _below(folder, name)
        data[path.name] = path.read_text(encoding="utf-8")
    for name in generator.get("envs", []):
        for line in _below(folder, name).read_text(encoding="utf-8").splitlines():
            if line.strip() and not line.startswith("#"):
                key, _, value = line.partition("=")
                data[key] = value
    if unknown := sorted(set(generator) - {"name", "files", "envs"}):
        raise NotBuilt(f"{folder.name}: keys of a generator that are not built here: {unknown}")
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": generator["name"]}, "data": data}


def _patch(resources: list[Resource], patch: dict[str, Any], file: Path) -> None:
    target = (patch["target"]["kind"], patch["target"]["name"])
    meant = [each for each in resources if identity(each) == target]
    if not meant:
        raise NotBuilt(f"{file}: nothing is called {target}")
    for step in yaml.safe_load(patch["patch"]):
        *way, last = step["path"].strip("/").split("/")
        for place in meant:
            for key in way:
                place = place[key]
            if step["op"] != "add" and last not in place:
                raise NotBuilt(f"{file}: {step['path']} is not there")
            if step["op"] == "remove":
                del place[last]
            else:
                place[last] = step["value"]


def _rename_image(resource: Resource, image: dict[str, str]) -> None:
    for container in pod_of(resource).get("containers", []):
        name, _, tag = container["image"].rpartition(":")
        if name == image["name"]:
            container["image"] = f"{image.get('newName', name)}:{image.get('newTag', tag)}"


def pod_of(resource: Resource) -> Resource:
    """The specification of its pods; empty where it has none."""
    pod: Resource = resource.get("spec", {}).get("template", {}).get("spec", {}) if "spec" in resource else {}
    return pod
