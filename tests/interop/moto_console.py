"""ward's AWS side against moto's server: what ward asks of AWS is judged by a stand-in nobody of ward wrote."""

import json
import pathlib
import re
import sys
import tempfile

import boto3

import reference
from support import (BUCKET, DATABASE, FUNCTION, MACHINE, REGION, ROOT, TOPIC, WARD, Console, Moto, check, done,
                     environment, equal, run, until)

moto = Moto()
env = environment(AWS_ACCESS_KEY_ID="testing", AWS_SECRET_ACCESS_KEY="testing", AWS_REGION=REGION,
                  AWS_ENDPOINT_URL=moto.url)


def client(name):
    return boto3.client(name, endpoint_url=moto.url, region_name=REGION, aws_access_key_id="testing",
                        aws_secret_access_key="testing")


def ward(*arguments, stdin=None):
    return run(WARD, *arguments, env=env, stdin=stdin)


def parsed(answer):
    try:
        return json.loads(answer.stdout)
    except json.JSONDecodeError:
        return check(f"output is JSON: {answer.args}", False, answer.stdout + answer.stderr) or []


DEFINITION = {
    "StartAt": "Prepare",
    "States": {
        "Prepare": {"Type": "Pass", "Result": {"ready": True}, "ResultPath": "$.prepared", "Next": "Hold"},
        "Hold": {"Type": "Wait", "Seconds": 1, "Next": "Decide"},
        "Decide": {"Type": "Choice", "Default": "Refuse", "Choices": [
            {"Variable": "$.go", "BooleanEquals": True, "Next": "Finish"},
            {"Variable": "$.go", "StringEquals": "slowly", "Next": "Long"}]},
        "Long": {"Type": "Wait", "Seconds": 600, "Next": "Finish"},
        "Refuse": {"Type": "Fail", "Error": "Refused", "Cause": "the input said no"},
        "Finish": {"Type": "Succeed"},
    },
}

try:
    s3, sfn, logs = client("s3"), client("stepfunctions"), client("logs")
    s3.create_bucket(Bucket=BUCKET)
    facilities = []
    for file in sorted((ROOT / "data").rglob("*.*json")):
        facilities += reference.records(file.read_text())
    equal("data/: the sample holds 250 facilities", len(facilities), 250)

    # Upload by ward, then read back by boto3 and by ward.
    answer = ward("data", "upload", str(ROOT / "data" / "facilities.ndjson"))
    equal("data upload: asks before it writes to a target that is not local", answer.returncode, 2)
    answer = ward("data", "upload", "--yes", str(ROOT / "data" / "facilities.ndjson"))
    equal("data upload --yes exits 0", (answer.returncode, answer.stderr[-300:] if answer.returncode else ""), (0, ""))
    stored = []
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix="raw/"):
        for entry in page.get("Contents", []):
            stored += reference.records(s3.get_object(Bucket=BUCKET, Key=entry["Key"])["Body"].read().decode())
    equal("data upload: every facility is in raw/", sorted(f["facility_id"] for f in stored),
          sorted(f["facility_id"] for f in facilities))
    import datetime
    as_of = datetime.date(2026, 1, 1)
    listed = parsed(ward("facilities", "list", "--as-of", str(as_of), "--output", "json"))
    equal("facilities list: all", len(listed), 250)
    expiring = parsed(ward("facilities", "expiring", "--within", "6mo", "--as-of", str(as_of), "--output", "json"))
    equal("facilities expiring equals the reference", sorted(f["facility_id"] for f in expiring),
          reference.expiring(facilities, as_of))

    # Athena: moto answers what it was told, for any SQL.
    moto.post("/moto-api/static/athena/query-results", {
        "account_id": "123456789012", "region": REGION,
        "results": [{
            "rows": [{"Data": [{"VarCharValue": "state"}, {"VarCharValue": "facilities"}]},
                     {"Data": [{"VarCharValue": "TX"}, {"VarCharValue": "42"}]}],
            "column_info": [{"CatalogName": "hive", "Name": n, "Label": n, "Type": t, "Nullable": "UNKNOWN",
                             "Precision": 0, "Scale": 0, "CaseSensitive": False}
                            for n, t in (("state", "varchar"), ("facilities", "bigint"))]}]})
    answer = ward("query", "run", "--yes", "-e", "SELECT state, count(*) AS facilities FROM facilities GROUP BY 1",
                  "--output", "json")
    check("query run exits 0", answer.returncode == 0, answer.stderr)
    rows = parsed(answer)
    equal("query run: the rows of the endpoint", [(r["state"], str(r["facilities"])) for r in rows], [("TX", "42")])

    # Step Functions, executed by moto.
    role = client("iam").create_role(RoleName="states", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    sfn.create_state_machine(name=MACHINE, definition=json.dumps(DEFINITION), roleArn=role)
    listed = parsed(ward("workflows", "list", "--machines", "--output", "json"))
    check("workflows list: names the machine", MACHINE in json.dumps(listed), listed)
    answer = ward("workflows", "start", "--yes", "--input", '{"go": true}', "--watch")
    equal("workflows start --watch: success exits 0", answer.returncode, 0)
    said = answer.stdout + answer.stderr
    at = [said.find(state) for state in ("Prepare", "Hold", "Decide", "Finish")]
    check("workflows start --watch: a line per state, in order", -1 not in at and at == sorted(at), said)
    answer = ward("workflows", "start", "--yes", "--input", '{"go": false}', "--watch")
    equal("workflows start --watch: failure exits 1", answer.returncode, 1)
    check("workflows start --watch: names error and cause", "Refused" in answer.stdout + answer.stderr
          and "the input said no" in answer.stdout + answer.stderr, answer.stdout + answer.stderr)
    answer = ward("workflows", "start", "--yes", "--input", '{"go": "slowly"}', "--name", "long-one")
    arn = re.search(r"arn:aws:states:[\w:-]+:execution:[\w:-]+", answer.stdout + answer.stderr)
    check("workflows start: names the execution", bool(arn), answer.stdout + answer.stderr)
    answer = ward("workflows", "stop", "--yes", arn[0] if arn else "none")
    equal("workflows stop exits 0", (answer.returncode, answer.stderr if answer.returncode else ""), (0, ""))
    equal("workflows stop: it is aborted", sfn.describe_execution(executionArn=arn[0])["status"], "ABORTED")
    shown = ward("workflows", "show", arn[0], "--output", "json")
    check("workflows show: ABORTED", "ABORTED" in shown.stdout, shown.stdout + shown.stderr)
    answer = ward("--read-only", "workflows", "start", "--yes", "--input", "{}")
    check("--read-only refuses to start", answer.returncode != 0 and "read-only" in answer.stderr, answer.stderr)
    answer = ward("workflows", "start", "--yes", "--input", "{not json")
    equal("workflows start: an input that is not JSON is misuse", answer.returncode, 2)

    # What is over is told as well; what moto does not have is said, with what it was.
    runs = parsed(ward("workflows", "list", "--output", "json"))
    equal("workflows list: how they ended", sorted(run["status"] for run in runs), ["ABORTED", "FAILED", "SUCCEEDED"])
    of = {run["status"]: run["execution_arn"] for run in runs}
    answer = ward("workflows", "watch", of["SUCCEEDED"])
    check("workflows watch: one that is over, to its end", answer.returncode == 0 and "Finish" in answer.stdout
          and "execution succeeded" in answer.stdout, (answer.returncode, answer.stdout, answer.stderr))
    answer = ward("workflows", "watch", of["FAILED"])
    check("workflows watch: where it failed, and exit 1", answer.returncode == 1 and "Refuse" in answer.stderr
          and "the input said no" in answer.stderr, (answer.returncode, answer.stdout, answer.stderr))
    answer = ward("workflows", "watch", "--output", "ndjson", of["FAILED"])
    events = [json.loads(line) for line in answer.stdout.splitlines()]
    theirs = [event["type"] for event in sfn.get_execution_history(executionArn=of["FAILED"])["events"]]
    equal("workflows watch: every event, once, in order", [event["type"] for event in events], theirs)
    answer = ward("workflows", "redrive", "--yes", of["FAILED"])
    check("workflows redrive: what moto does not know is said", answer.returncode == 3
          and "RedriveExecution" in answer.stderr and "is not AWS" in answer.stderr, (answer.returncode, answer.stderr))
    answer = ward("workflows", "watch", of["FAILED"] + "-no")
    check("workflows watch: one that is not there", answer.returncode == 3 and "Not found" in answer.stderr,
          (answer.returncode, answer.stderr))

    # The console: lists, a history, the board, a stop.
    slow = sfn.start_execution(stateMachineArn=of["FAILED"].rsplit(":", 1)[0].replace(":execution:", ":stateMachine:"),
                               name="slow-one", input='{"go": "slowly"}')["executionArn"]
    console = Console("--open", "workflows", env=env)
    try:
        console.see("lists executions with their inputs", "slow-one", "running", "✖ failed", '{"go":"slowly"}')
        console.see("opens the live one, following", "slow-one", "following", "○ Finish", keys="\r")
        console.see("stands in the wait", "◌ Long")
        console.see("its events are moto's", "WaitStateEntered", "Long entered", keys="vv")
        console.see("asks why before it stops", "Stop slow-one: why?", keys="X")
        console.see("and whether, naming the target", "Stop this execution?", moto.url.removeprefix("http://"), keys="\r")
        console.see("stopped", "■ aborted", keys="y")
        equal("console: moto says so too", sfn.describe_execution(executionArn=slow)["status"], "ABORTED")
        console.see("the board is empty then", "Nothing runs now", keys="b")
    finally:
        console.stop()
    console = Console("--open", f"workflows/{of['FAILED']}", env=env)
    try:
        console.see("a failed one opens on its cause", "Root cause", "Refuse: Refused", "the input said no")
        console.see("the last success beside it", "Last success", "Same definition", "$.go: true → false")
        console.see("its graph", "✖ Refuse", "○ Finish", keys="v")
        console.see("a redrive is asked about", "Redrive this execution?", keys="D")
        console.see("and its failure is told", "RedriveExecution failed", keys="y")
        console.see("in full", "is not AWS: it may not know RedriveExecution", keys="!")
    finally:
        console.stop()

    # Logs.
    group = f"/aws/lambda/{FUNCTION}"
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="one")
    import time
    logs.put_log_events(logGroupName=group, logStreamName="one", logEvents=[
        {"timestamp": int(time.time() * 1000), "message": "counted \x1b[31mAZ\x1b[0m 7"}])
    answer = ward("logs")
    check("logs: the line is there", "counted" in answer.stdout and "AZ" in answer.stdout, answer.stdout + answer.stderr)
    check("logs: no escape sequence of the data reaches the terminal", "\x1b[31m" not in answer.stdout, repr(answer.stdout))

    # The world fails.
    answer = run(WARD, "facilities", "list", env={**env, "AWS_ENDPOINT_URL": "http://127.0.0.1:9"})
    check("an unreachable endpoint is exit 3 with a remedy", answer.returncode == 3 and "127.0.0.1:9" in answer.stderr,
          (answer.returncode, answer.stderr))
    answer = ward("doctor")
    check("doctor finds what moto does not have", answer.returncode == 1, (answer.returncode, answer.stdout))
finally:
    moto.stop()

sys.exit(done())
