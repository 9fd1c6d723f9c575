"""Clients that two generators from npm make of the OpenAPI document. They compile in strict mode, the types
refuse wrong requests, and the clients work through Prism."""
import json
import shutil
import subprocess

import pytest

import described
import npm
from harness import COMMAND_S, ROOT, environment

pytestmark = pytest.mark.slow
GENERATORS = {
    # It would take a field with a default for one that a request must have.
    "openapi_fetch": ["openapi-typescript", "openapi.json", "--output", "document.ts",
                      "--default-non-nullable=false"],
    "hey_api": ["openapi-ts", "--input", "openapi.json", "--output", "client", "--client",
                "@hey-api/client-fetch", "--no-log-file"],
}
STRICT = {"strict": True, "noUncheckedIndexedAccess": True, "noImplicitReturns": True, "noUnusedLocals": True}
COMPILER = {**STRICT, "target": "es2022", "module": "node16", "types": [], "skipLibCheck": True}


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """A folder with both clients, generated and compiled."""
    folder = tmp_path_factory.mktemp("generated")
    (folder / "openapi.json").write_text(json.dumps(described.document()))
    (folder / "node_modules").symlink_to(npm.MODULES)
    (folder / "tsconfig.json").write_text(json.dumps(
        {"compilerOptions": COMPILER, "files": [f"{program}.ts" for program in GENERATORS]}))
    for program, generator in GENERATORS.items():
        shutil.copy(ROOT / "tests" / "api" / "documents" / f"{program}.ts", folder)
        npm.run(folder, *generator)
    npm.run(folder, "tsc", "--project", folder)
    return folder


@pytest.mark.parametrize("program", GENERATORS)
def test_a_generated_client(compiled, prism, own_server, program):
    with prism.before(own_server) as url:
        done = subprocess.run(["node", f"{program}.js", url, f"admin/token:{own_server.token}"], cwd=compiled,
                              timeout=COMMAND_S, capture_output=True, encoding="utf-8", check=False,
                              env=environment())
    assert (done.returncode, done.stderr) == (0, ""), done
    said = json.loads(done.stdout)
    task = own_server.get(said["created"]["id"]).json
    assert (task["title"], task["address"]["zip"]) == ("From a generated client", "80202")
    assert said["changed"] == task and said["list"] == [task]
    assert said["created"] == said["read"]
    assert said["created"] == {**task, "status": "none", "updated_at": said["created"]["updated_at"]}
    assert (said["status"], said["code"]) == ("none", "invalid_fields")
    assert said["faults"] == [["task.casefile_id", "not_found"]]
