"""Checks the manifests in a folder against the strict schemas of Kubernetes, and prints the container of its Job as JSON."""

import json
import pathlib
import sys

import kubernetes_validate
import yaml

container = None
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.yaml")):
    for manifest in yaml.safe_load_all(path.read_text()):
        # A kustomization is none of the server's kinds.
        if manifest["kind"] == "Kustomization":
            continue
        kubernetes_validate.validate(manifest, kubernetes_validate.latest_version(), strict=True)
        if manifest["kind"] == "Job":
            spec = manifest["spec"]
            (container,) = spec["template"]["spec"]["containers"]
            container["user"] = spec["template"]["spec"]["securityContext"]
            container["completions"] = spec["completions"]
            container["parallelism"] = spec["parallelism"]
            container["backoffLimit"] = spec["backoffLimit"]
json.dump(container, sys.stdout)
