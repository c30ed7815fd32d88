"""boto3 drives the local cloud through a whole run, and its numbers equal those of reference.py."""

import datetime
import io
import csv
import json
import signal
import sys
import time

import boto3
from botocore.config import Config

import reference
from support import BUCKET, DATABASE, FUNCTION, MACHINE, REGION, TOPIC, WARD, LocalCloud, check, done, equal, run, until

AS_OF = datetime.date(2026, 1, 1)

cloud = LocalCloud("--as-of", str(AS_OF), "--local-dir", __import__("tempfile").mkdtemp(prefix="ward-cloud-"), "local")


def client(name):
    return boto3.client(name, endpoint_url=cloud.url, region_name=REGION, aws_access_key_id="anything",
                        aws_secret_access_key="goes", config=Config(retries={"max_attempts": 1}))


s3, athena, sfn = client("s3"), client("athena"), client("stepfunctions")
logs, lambda_, sns, sts = client("logs"), client("lambda"), client("sns"), client("sts")


def query(sql):
    """Runs a query to its end; the final description and its rows as lists."""
    asked = athena.start_query_execution(QueryString=sql, QueryExecutionContext={"Database": DATABASE},
                                         ResultConfiguration={"OutputLocation": f"s3://{BUCKET}/athena-results/"})
    described = until(lambda: (lambda q: q if q["Status"]["State"] in ("SUCCEEDED", "FAILED", "CANCELLED") else None)(
        athena.get_query_execution(QueryExecutionId=asked["QueryExecutionId"])["QueryExecution"]))
    rows = []
    if described["Status"]["State"] == "SUCCEEDED":
        for page in athena.get_paginator("get_query_results").paginate(QueryExecutionId=asked["QueryExecutionId"]):
            rows += [[cell.get("VarCharValue") for cell in row["Data"]] for row in page["ResultSet"]["Rows"]]
    return described, rows


try:
    equal("sts: the account", sts.get_caller_identity()["Account"], "000000000000")

    keys = [o["Key"] for page in s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix="raw/")
            for o in page.get("Contents", [])]
    facilities = []
    for key in keys:
        facilities += reference.records(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode())
    equal("s3: the sample", len(facilities), 250)

    # Upload → event → function → log.
    function = lambda_.get_function(FunctionName=FUNCTION)
    check("lambda: the function stands", function["Configuration"]["FunctionName"] == FUNCTION)
    group = f"/aws/lambda/{FUNCTION}"
    newcomer = {"facility_id": "FAC900", "facility_name": "Interop Clinic", "employee_count": 12,
                "services": ["ICU"], "accreditations": [{"name": "CAP", "expiry_date": "2026-02-01"}], "state": "AZ"}
    since = int(time.time() * 1000) - 1000
    s3.put_object(Bucket=BUCKET, Key="raw/interop.json", Body=json.dumps(newcomer, separators=(",", ":")))
    facilities.append(newcomer)

    def reports():
        try:
            events = logs.filter_log_events(logGroupName=group, startTime=since)["events"]
        except logs.exceptions.ResourceNotFoundException:
            return None
        return [e["message"] for e in events] if any(e["message"].startswith("REPORT") for e in events) else None

    lines = until(reports, 90)
    check("event: the upload started the function", bool(lines), cloud.talk()[-2000:])
    expected_az = reference.per_state(facilities)["AZ"]
    check("event: its log holds the count of AZ",
          any("AZ" in line and str(expected_az) in line for line in lines or []), lines)

    # Athena over the same objects.
    described, rows = query(
        "SELECT facility_id, facility_name, employee_count, cardinality(services) AS number_of_offered_services, "
        "accreditations[1].expiry_date AS expiry_date FROM facilities ORDER BY facility_id")
    equal("athena: metrics succeed", described["Status"]["State"], "SUCCEEDED")
    equal("athena: metrics equal the reference", sorted(tuple(r) for r in rows[1:]), reference.metrics(facilities))
    described, rows = query("SELECT state, count(*) AS facilities FROM facilities GROUP BY state")
    equal("athena: per state equals the reference", {r[0]: int(r[1]) for r in rows[1:]}, reference.per_state(facilities))
    scanned = sum(o["Size"] for page in s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix="raw/")
                  for o in page["Contents"])
    equal("athena: bytes scanned are the objects' bytes", described["Statistics"]["DataScannedInBytes"], scanned)
    described, _ = query("SELECT nope FROM facilities")
    equal("athena: an unknown column fails", described["Status"]["State"], "FAILED")
    check("athena: and says so as Athena does", "COLUMN_NOT_FOUND" in described["Status"]["StateChangeReason"]
          or "cannot be resolved" in described["Status"]["StateChangeReason"], described["Status"])

    # Stage 2 by subcommand, against the same endpoint.
    env = {**cloud.env, **cloud.exports}
    listed = run(WARD, "facilities", "expiring", "--within", "6mo", "--as-of", str(AS_OF), "--output", "json", env=env)
    equal("ward: expiring exits 0", listed.returncode, 0)
    equal("ward: expiring equals the reference",
          sorted(f["facility_id"] for f in json.loads(listed.stdout or "[]")), reference.expiring(facilities, AS_OF))

    # The state machine, to the object in production/.
    machines = {m["name"]: m["stateMachineArn"] for m in sfn.list_state_machines()["stateMachines"]}
    started = sfn.start_execution(stateMachineArn=machines[MACHINE], input="{}")
    ended = until(lambda: (lambda e: e if e["status"] != "RUNNING" else None)(
        sfn.describe_execution(executionArn=started["executionArn"])), 90)
    equal("states: the pipeline succeeds", ended and ended["status"], "SUCCEEDED")
    events = [e for page in sfn.get_paginator("get_execution_history").paginate(executionArn=started["executionArn"])
              for e in page["events"]]
    entered = [e["stateEnteredEventDetails"]["name"] for e in events if "stateEnteredEventDetails" in e]
    equal("states: in the order of the definition", entered,
          ["InvokeLambdaFunction", "WaitForQueryCompletion", "CheckQueryStatus", "QueryOutcome", "QuerySucceeded",
           "CopyResultsToProduction"])
    produced = s3.list_objects_v2(Bucket=BUCKET, Prefix="production/").get("Contents", [])
    check("s3: one object in production/", len(produced) >= 1, produced)
    table = list(csv.reader(io.StringIO(s3.get_object(Bucket=BUCKET, Key=produced[-1]["Key"])["Body"].read().decode())))
    equal("s3: it holds the count per state", {r[0]: int(r[1]) for r in table[1:]}, reference.per_state(facilities))
    found = logs.filter_log_events(logGroupName=group, filterPattern=f'"{started["executionArn"]}"')["events"]
    check("logs: the function's lines are found by the execution's ARN", bool(found))
    check("sns: the topic stands", any(t["TopicArn"].endswith(":" + TOPIC) for t in sns.list_topics()["Topics"]))

    # A stopped execution and AWS's own errors.
    try:
        sfn.start_execution(stateMachineArn=machines[MACHINE], input="{not json")
        check("states: input that is not JSON is refused", False, "it was accepted")
    except sfn.exceptions.InvalidExecutionInput:
        check("states: input that is not JSON is refused", True)
    running = sfn.start_execution(stateMachineArn=machines[MACHINE], input="{}")["executionArn"]
    sfn.stop_execution(executionArn=running, error="Interop", cause="stopped on purpose")
    equal("states: stop aborts", sfn.describe_execution(executionArn=running)["status"], "ABORTED")
finally:
    equal("ward local ends cleanly on SIGTERM", cloud.stop(signal.SIGTERM), 0)

sys.exit(done())
