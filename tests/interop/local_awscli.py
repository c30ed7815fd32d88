"""The AWS CLI drives the local cloud with nothing but the variables that `ward local` prints."""

import json
import pathlib
import signal
import sys
import tempfile

from support import BUCKET, DATABASE, FUNCTION, MACHINE, TOPIC, LocalCloud, check, done, equal, run, until

AWS = str(pathlib.Path(sys.executable).parent / "aws")
cloud = LocalCloud("--ephemeral", "local")
env = {**cloud.env, **cloud.exports, "AWS_PAGER": ""}


def aws(*arguments, ok=True):
    answer = run(AWS, *arguments, "--output", "json", env=env)
    if ok and answer.returncode != 0:
        check("aws " + " ".join(arguments[:2]), False, answer.stderr)
        return {}
    return json.loads(answer.stdout) if answer.stdout.strip().startswith(("{", "[")) else answer.stdout


try:
    equal("sts get-caller-identity", aws("sts", "get-caller-identity").get("Account"), "000000000000")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="ward-cli-"))
    (folder / "odd name + %.json").write_text('{"facility_id":"FAC901","facility_name":"CLI Clinic","employee_count":3,'
                                              '"services":[],"accreditations":[],"state":"ZZ"}')
    (folder / "large.bin").write_bytes(bytes(range(256)) * 4096 * 12)  # 12 MiB: a multipart upload
    aws("s3", "cp", str(folder / "odd name + %.json"), f"s3://{BUCKET}/raw/odd name + %.json")
    aws("s3", "cp", str(folder / "large.bin"), f"s3://{BUCKET}/scratch/large.bin")
    aws("s3", "cp", f"s3://{BUCKET}/scratch/large.bin", str(folder / "back.bin"))
    check("s3 cp: 12 MiB there and back", (folder / "back.bin").exists()
          and (folder / "back.bin").read_bytes() == (folder / "large.bin").read_bytes())
    listed = aws("s3api", "list-objects-v2", "--bucket", BUCKET, "--prefix", "raw/")
    equal("s3api list-objects-v2: sample and upload", len(listed.get("Contents", [])), 251)
    aws("s3", "sync", str(folder), f"s3://{BUCKET}/scratch/sync/")
    aws("s3", "rm", f"s3://{BUCKET}/scratch/", "--recursive")
    left = aws("s3api", "list-objects-v2", "--bucket", BUCKET, "--prefix", "scratch/") or {}
    equal("s3 rm --recursive", left.get("Contents", []), [])

    asked = aws("athena", "start-query-execution", "--query-string",
                "SELECT count(*) FROM facilities WHERE state = 'ZZ'", "--query-execution-context", f"Database={DATABASE}",
                "--result-configuration", f"OutputLocation=s3://{BUCKET}/athena-results/")
    identity = asked.get("QueryExecutionId", "none")
    state = until(lambda: (lambda s: s if s not in ("QUEUED", "RUNNING") else None)(
        aws("athena", "get-query-execution", "--query-execution-id", identity)["QueryExecution"]["Status"]["State"]), 60)
    equal("athena: the query succeeds", state, "SUCCEEDED")
    rows = aws("athena", "get-query-results", "--query-execution-id", identity)["ResultSet"]["Rows"]
    equal("athena: the uploaded facility is counted", rows[1]["Data"][0]["VarCharValue"], "1")

    out = folder / "answer.json"
    event = '{"execution":"arn:aws:states:us-east-1:000000000000:execution:x:y"}'
    invoked = aws("lambda", "invoke", "--function-name", FUNCTION, "--payload", event, str(out))
    equal("lambda invoke: status", invoked.get("StatusCode"), 200)
    check("lambda invoke: no function error", "FunctionError" not in invoked, out.read_text() if out.exists() else "")
    check("lambda invoke: answers the query's id", "query_execution_id" in json.loads(out.read_text()))

    machines = {m["name"]: m["stateMachineArn"] for m in aws("stepfunctions", "list-state-machines")["stateMachines"]}
    started = aws("stepfunctions", "start-execution", "--state-machine-arn", machines[MACHINE], "--input", "{}")
    ended = until(lambda: (lambda e: e if e["status"] != "RUNNING" else None)(
        aws("stepfunctions", "describe-execution", "--execution-arn", started["executionArn"])), 90, 0.5)
    equal("stepfunctions: the pipeline succeeds", ended and ended["status"], "SUCCEEDED")
    history = aws("stepfunctions", "get-execution-history", "--execution-arn", started["executionArn"])["events"]
    equal("stepfunctions: the history ends", history[-1]["type"], "ExecutionSucceeded")
    check("s3 ls production/", BUCKET and bool(aws("s3", "ls", f"s3://{BUCKET}/production/")))
    check("logs filter-log-events", bool(aws("logs", "filter-log-events", "--log-group-name",
                                             f"/aws/lambda/{FUNCTION}")["events"]))
    check("sns list-topics", any(t["TopicArn"].endswith(":" + TOPIC) for t in aws("sns", "list-topics")["Topics"]))
    answer = run(AWS, "s3api", "head-bucket", "--bucket", "no-such-bucket-here", env=env)
    check("s3api: a missing bucket is an error", answer.returncode != 0 and "404" in answer.stderr, answer.stderr)
finally:
    equal("ward local ends cleanly on SIGINT", cloud.stop(signal.SIGINT), 0)

sys.exit(done())
