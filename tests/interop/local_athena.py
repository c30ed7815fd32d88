"""The Athena clients of data engineers (boto3, the AWS CLI, PyAthena, awswrangler) against the local cloud."""

import gzip
import io
import json
import os
import pathlib
import signal
import sys
import tempfile

import boto3
import pandas
import pyarrow.parquet
from botocore.exceptions import ClientError

from support import REGION, LocalCloud, check, done, equal, run, until

# Without a folder and without the pipeline: nothing but what this script makes.
cloud = LocalCloud("--ephemeral", "local", "--empty")
os.environ.update(cloud.exports, AWS_EC2_METADATA_DISABLED="true", HOME=tempfile.mkdtemp(prefix="ward-home-"),
                  AWS_DEFAULT_REGION=REGION)
for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
    os.environ.pop(name, None)

import awswrangler  # noqa: E402  after the environment that says where AWS is
import pyathena  # noqa: E402
from pyathena.pandas.cursor import PandasCursor  # noqa: E402

s3, athena = boto3.client("s3"), boto3.client("athena")
OUTPUT = "s3://lake/results/"
PEOPLE = [{"id": n, "name": f"n{n}", "tags": ["a", "b"][: n % 3], "dt": f"2026-01-0{1 + n % 2}"} for n in range(1, 31)]


def body(key):
    return s3.get_object(Bucket="lake", Key=key)["Body"].read()


def query(sql, **more):
    asked = {"QueryExecutionContext": {"Database": "shop"}, "ResultConfiguration": {"OutputLocation": OUTPUT}, **more}
    started = athena.start_query_execution(QueryString=sql, **asked)["QueryExecutionId"]
    return until(lambda: (lambda q: q if q["Status"]["State"] in ("SUCCEEDED", "FAILED", "CANCELLED") else None)(
        athena.get_query_execution(QueryExecutionId=started)["QueryExecution"]), pause=0.02)


def rows(execution):
    pages = athena.get_paginator("get_query_results").paginate(QueryExecutionId=execution["QueryExecutionId"])
    return [[c.get("VarCharValue") for c in row["Data"]] for page in pages for row in page["ResultSet"]["Rows"]]


def succeeds(name, sql, **more):
    execution = query(sql, **more)
    check(name, execution["Status"]["State"] == "SUCCEEDED", execution["Status"])
    return execution


def refused(name, code, call, **inputs):
    try:
        call(**inputs)
        check(name, False, "it was accepted")
    except ClientError as error:
        equal(name, error.response["Error"]["Code"], code)


try:
    s3.create_bucket(Bucket="lake")
    packed = gzip.compress("".join(json.dumps(p) + "\n" for p in PEOPLE).encode())
    s3.put_object(Bucket="lake", Key="people/1.json.gz", Body=packed)

    # boto3.
    succeeds("boto3: a database", "CREATE DATABASE shop", QueryExecutionContext={})
    succeeds("boto3: a table", "CREATE EXTERNAL TABLE people (id bigint, name string, tags array<string>, dt date) "
             "ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' LOCATION 's3://lake/people/'")
    ended = succeeds("boto3: a query with parameters", "SELECT count(*) AS n FROM people WHERE id > ?", ExecutionParameters=["10"])
    equal("boto3: its rows", rows(ended), [["n"], ["20"]])
    equal("boto3: bytes scanned are the packed object's", ended["Statistics"]["DataScannedInBytes"], len(packed))
    statistics = athena.get_query_runtime_statistics(QueryExecutionId=ended["QueryExecutionId"])["QueryRuntimeStatistics"]
    equal("boto3: runtime statistics", statistics["Rows"]["OutputRows"], 1)
    ended = succeeds("boto3: CTAS", "CREATE TABLE copy WITH (format = 'PARQUET', write_compression = 'SNAPPY', "
                     "external_location = 's3://lake/copy/', partitioned_by = ARRAY['dt']) AS SELECT id, name, tags, CAST(dt AS varchar) AS dt FROM people")
    manifest = ended["Statistics"]["DataManifestLocation"].removeprefix("s3://lake/")
    files = body(manifest).decode().split()
    equal("boto3: a file for each partition", sorted({f.split("/")[4] for f in files}), ["dt=2026-01-01", "dt=2026-01-02"])
    tables = [pyarrow.parquet.read_table(io.BytesIO(body(f.removeprefix("s3://lake/")))) for f in files]
    read = sorted((r["id"], r["name"], r["tags"]) for table in tables for r in table.to_pylist())
    equal("pyarrow: reads what CTAS wrote", read, [(p["id"], p["name"], p["tags"]) for p in PEOPLE])
    foreign = io.BytesIO()
    pandas.DataFrame({"ID": [1, 2], "Price": [1.5, None], "At": pandas.to_datetime(["2026-01-01 10:00", "2026-01-02 00:00"])}).to_parquet(foreign)
    s3.put_object(Bucket="lake", Key="foreign/x.parquet", Body=foreign.getvalue())
    succeeds("boto3: a table over pandas' Parquet", "CREATE EXTERNAL TABLE foreign_ (id bigint, price double, at timestamp) STORED AS PARQUET LOCATION 's3://lake/foreign/'")
    equal("boto3: its rows as Athena shows them", rows(query("SELECT * FROM foreign_ ORDER BY id"))[1:],
          [["1", "1.5", "2026-01-01 10:00:00.000"], ["2", None, "2026-01-02 00:00:00.000"]])
    ended = query("INSERT INTO copy VALUES (99, 'new', ARRAY['x'], '2026-01-03')")
    equal("boto3: INSERT says how many rows", athena.get_query_results(QueryExecutionId=ended["QueryExecutionId"])["UpdateCount"], 1)
    equal("boto3: a partition is read alone", rows(query("SELECT id FROM copy WHERE dt = '2026-01-03'")), [["id"], ["99"]])
    succeeds("boto3: UNLOAD", "UNLOAD (SELECT id, name FROM people WHERE id < 3 ORDER BY id) TO 's3://lake/unload/' WITH (format = 'JSON')")
    key = s3.list_objects_v2(Bucket="lake", Prefix="unload/")["Contents"][0]["Key"]
    equal("boto3: what UNLOAD wrote", gzip.decompress(body(key)), b'{"id":1,"name":"n1"}\n{"id":2,"name":"n2"}\n')
    failed = query("SELECT nope FROM people")
    equal("boto3: a failure has its category", failed["Status"]["AthenaError"]["ErrorCategory"], 2)
    refused("boto3: a bad statement is refused", "InvalidRequestException", athena.start_query_execution, QueryString="SELEC",
            ResultConfiguration={"OutputLocation": OUTPUT})
    athena.create_work_group(Name="team", Configuration={"ResultConfiguration": {"OutputLocation": "s3://lake/team/"}})
    ended = succeeds("boto3: a work group says where", "SELECT 1", WorkGroup="team")
    check("boto3: and there it is", ended["ResultConfiguration"]["OutputLocation"].startswith("s3://lake/team/"))
    refused("boto3: a work group that there is not", "InvalidRequestException", athena.get_work_group, WorkGroup="nope")
    again = {"ResultReuseConfiguration": {"ResultReuseByAgeConfiguration": {"Enabled": True, "MaxAgeInMinutes": 10}}}
    query("SELECT max(id) FROM people", **again)
    check("boto3: a result is used again", query("SELECT max(id) FROM people", **again)["Statistics"]["ResultReuseInformation"]["ReusedPreviousResult"])
    listed = athena.list_table_metadata(CatalogName="AwsDataCatalog", DatabaseName="shop")["TableMetadataList"]
    equal("boto3: tables are listed", [t["Name"] for t in listed], ["copy", "foreign_", "people"])

    # The AWS CLI.
    aws = str(pathlib.Path(sys.executable).parent / "aws")
    started = run(aws, "athena", "start-query-execution", "--query-string", "SELECT name FROM people WHERE id = 7", "--query-execution-context",
                  "Database=shop", "--result-configuration", f"OutputLocation={OUTPUT}", "--output", "text", env=dict(os.environ))
    answer = until(lambda: (lambda r: json.loads(r.stdout) if r.returncode == 0 else None)(
        run(aws, "athena", "get-query-results", "--query-execution-id", started.stdout.strip(), "--output", "json", env=dict(os.environ))))
    equal("aws: a query's results", answer and answer["ResultSet"]["Rows"][1]["Data"][0]["VarCharValue"], "n7")

    # PyAthena.
    connection = pyathena.connect(s3_staging_dir=OUTPUT, schema_name="shop", region_name=REGION, poll_interval=0.05)
    cursor = connection.cursor()
    cursor.execute("SELECT id, name, tags, dt, id / 2.0 AS half, id > 1 AS many, NULL AS nothing FROM people WHERE id IN (1, 2) ORDER BY id")
    equal("pyathena: columns", [c[:2] for c in cursor.description][:4], [("id", "bigint"), ("name", "varchar"), ("tags", "array"), ("dt", "date")])
    first = cursor.fetchone()
    equal("pyathena: values", (first[0], first[1], str(first[3]), first[5], first[6]), (1, "n1", "2026-01-02", False, None))
    cursor.execute("SELECT name FROM people WHERE name = %(name)s", {"name": "n2"})
    equal("pyathena: parameters", cursor.fetchall(), [("n2",)])
    cursor.execute("SELECT name FROM people WHERE id = ?", ["3"], paramstyle="qmark")
    equal("pyathena: execution parameters", cursor.fetchall(), [("n3",)])
    cursor.execute("DESCRIBE people")
    equal("pyathena: DESCRIBE", [line[0].split("\t")[0].strip() for line in cursor.fetchall()], ["id", "name", "tags", "dt"])
    cursor.execute("SELECT n FROM UNNEST(sequence(1, 2500)) AS t(n)")
    equal("pyathena: pages", len(cursor.fetchall()), 2500)
    equal("pyathena: tables", sorted(t.name for t in cursor.list_table_metadata()), ["copy", "foreign_", "people"])
    equal("pyathena: databases", sorted(d.name for d in cursor.list_databases("AwsDataCatalog")), ["default", "shop"])
    try:
        cursor.execute("SELECT nope FROM people")
        check("pyathena: a failure raises", False)
    except pyathena.error.OperationalError as error:
        check("pyathena: a failure raises Athena's words", "nope" in str(error), error)
    frame = connection.cursor(PandasCursor).execute("SELECT id, dt FROM people ORDER BY id").as_pandas()
    equal("pyathena: pandas", (len(frame), int(frame["id"].sum())), (30, 465))
    frame = connection.cursor(PandasCursor, unload=True).execute("SELECT id, name FROM people").as_pandas()
    equal("pyathena: pandas through UNLOAD", (len(frame), int(frame["id"].sum())), (30, 465))

    # awswrangler, as it is by default: through a table of its own, which it deletes in Glue.
    asked = {"database": "shop", "s3_output": OUTPUT}
    frame = awswrangler.athena.read_sql_query("SELECT id, name, dt, tags FROM people ORDER BY id", ctas_approach=False, **asked)
    equal("awswrangler: a frame", (list(frame.columns), len(frame), frame["name"].iloc[0]), (["id", "name", "dt", "tags"], 30, "n1"))
    frame = awswrangler.athena.read_sql_query("SELECT id, name, tags FROM people ORDER BY id", **asked)
    equal("awswrangler: through CTAS", (sorted(frame["id"].tolist()), len(frame.columns)), (list(range(1, 31)), 3))
    equal("awswrangler: which leaves no table", [n for n in awswrangler.catalog.tables(database="shop")["Table"] if n.startswith("temp_")], [])
    frame = awswrangler.athena.read_sql_table("people", **asked)
    equal("awswrangler: a table", len(frame), 30)
    check("awswrangler: databases", "shop" in awswrangler.catalog.databases()["Database"].tolist())
    equal("awswrangler: columns", awswrangler.catalog.table(database="shop", table="people")["Type"].tolist(), ["bigint", "string", "array<string>", "date"])
    equal("awswrangler: location", awswrangler.catalog.get_table_location(database="shop", table="people"), "s3://lake/people/")
    check("awswrangler: no such table", not awswrangler.catalog.does_table_exist(database="shop", table="nope"))
    chunks = awswrangler.athena.read_sql_query("SELECT id FROM people", ctas_approach=False, chunksize=10, **asked)
    equal("awswrangler: chunks", [len(chunk) for chunk in chunks], [10, 10, 10])
    frame = awswrangler.athena.read_sql_query("SELECT id FROM people WHERE name = :name", ctas_approach=False, params={"name": "n5"}, **asked)
    equal("awswrangler: parameters", frame["id"].tolist(), [5])
    frame = awswrangler.athena.read_sql_query("SELECT id, name FROM people", ctas_approach=False, unload_approach=True, **{**asked, "s3_output": "s3://lake/wrangled/"})
    equal("awswrangler: through UNLOAD", (len(frame), int(frame["id"].sum())), (30, 465))
    started = awswrangler.athena.start_query_execution("SELECT 1", **asked)
    equal("awswrangler: waits", awswrangler.athena.wait_query(started)["Status"]["State"], "SUCCEEDED")
    check("awswrangler: history", started in awswrangler.athena.list_query_executions())
    equal("awswrangler: describe", awswrangler.athena.describe_table(table="people", **asked)["Column Name"].tolist(), ["id", "name", "tags", "dt"])
    check("awswrangler: show create", "CREATE EXTERNAL TABLE" in awswrangler.athena.show_create_table(table="people", **asked))
    awswrangler.athena.create_prepared_statement(sql="SELECT name FROM people WHERE id = ?", statement_name="by_id", workgroup="primary")
    frame = awswrangler.athena.read_sql_query("EXECUTE by_id USING 9", ctas_approach=False, **asked)
    equal("awswrangler: prepared statements", frame["name"].tolist(), ["n9"])
    awswrangler.athena.delete_prepared_statement("by_id", workgroup="primary")
finally:
    equal("ward local ends cleanly on SIGTERM", cloud.stop(signal.SIGTERM), 0)

sys.exit(done())
