//! Is everything there that the pipeline needs? One check after the other, each with its remedy.

use chrono::{DateTime, Utc};

use crate::aws::{self, Aws, Kind, logs::group_of};
use crate::domain::problem::Problem;
use crate::domain::query::QueryState;
use crate::domain::units;
use crate::settings::Settings;

/// How a check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Good,
    /// Works, but somebody should look.
    Doubtful,
    Bad,
    /// Could not be looked at, since something before it failed.
    Skipped,
}

impl Verdict {
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Good => "ok",
            Verdict::Doubtful => "doubtful",
            Verdict::Bad => "bad",
            Verdict::Skipped => "skipped",
        }
    }
}

/// One check, made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// `bucket`, `table` …
    pub what: &'static str,
    pub verdict: Verdict,
    /// What was found.
    pub found: String,
    /// What to do about it.
    pub remedy: Option<String>,
}

impl Check {
    pub fn good(what: &'static str, found: impl Into<String>) -> Check {
        Check { what, verdict: Verdict::Good, found: found.into(), remedy: None }
    }

    pub fn doubtful(what: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Check {
        Check { what, verdict: Verdict::Doubtful, found: found.into(), remedy: Some(remedy.into()) }
    }

    pub fn bad(what: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Check {
        Check { what, verdict: Verdict::Bad, found: found.into(), remedy: Some(remedy.into()) }
    }

    pub fn problem(what: &'static str, problem: Problem) -> Check {
        let found = match problem.detail.is_empty() {
            true => problem.title,
            false => format!("{}: {}", problem.title, problem.detail),
        };
        Check { what, verdict: Verdict::Bad, found, remedy: problem.hint }
    }

    fn error(what: &'static str, error: &aws::Error) -> Check {
        Check::problem(what, error.problem())
    }
}

/// The checks behind the first, in order: skipped when there is no identity.
const REST: [&str; 8] =
    ["bucket", "records", "table", "query", "function", "topic", "state machine", "notification"];

/// Makes every check; `report` hears of each as it ends.
pub async fn examine(
    aws: &Aws,
    settings: &Settings,
    now: DateTime<Utc>,
    report: &mut (dyn FnMut(Check) + Send),
) {
    let identity = aws.sts.get_caller_identity().await;
    match &identity {
        Ok(identity) => {
            report(Check::good("credentials", format!("{} as {}", identity.account, identity.arn)))
        }
        Err(error) => {
            report(Check::error("credentials", error));
            for what in REST {
                let found = "there is nobody to ask as".to_owned();
                report(Check { what, verdict: Verdict::Skipped, found, remedy: None });
            }
            return;
        }
    }
    let ward = Doctor { aws, settings, now };
    let bucket = ward.bucket().await;
    let there = bucket.verdict == Verdict::Good;
    report(bucket);
    report(if there { ward.records().await } else { skipped("records", "the bucket is not there") });
    let table = ward.table().await;
    let there = table.verdict == Verdict::Good;
    report(table);
    report(if there { ward.query().await } else { skipped("query", "the table is not there") });
    let (function, topic, machine) = futures::join!(ward.function(), ward.topic(), ward.machine());
    for check in [function, topic, machine] {
        report(check);
    }
    report(ward.notification().await);
    report(ward.log().await);
}

fn skipped(what: &'static str, why: &str) -> Check {
    Check { what, verdict: Verdict::Skipped, found: why.to_owned(), remedy: None }
}

struct Doctor<'a> {
    aws: &'a Aws,
    settings: &'a Settings,
    now: DateTime<Utc>,
}

impl Doctor<'_> {
    async fn bucket(&self) -> Check {
        let bucket = &self.settings.bucket;
        match self.aws.s3.bucket_exists(bucket).await {
            Ok(true) => Check::good("bucket", bucket),
            Ok(false) => Check::bad(
                "bucket",
                format!("there is no bucket {bucket}"),
                "--bucket names another; on the local cloud, `ward local` without --empty makes it",
            ),
            Err(error) => Check::error("bucket", &error),
        }
    }

    /// Listing and reading: what the console's first screen needs.
    async fn records(&self) -> Check {
        let Settings { bucket, prefix, .. } = self.settings;
        let objects = match self.aws.s3.list_objects_v2(bucket, prefix).await {
            Ok(objects) => objects,
            Err(error) => return Check::error("records", &error),
        };
        let Some(newest) = objects.iter().max_by_key(|object| object.modified) else {
            return Check::doubtful(
                "records",
                format!("nothing under {prefix}"),
                "`ward data upload` brings records, --prefix looks elsewhere",
            );
        };
        if let Err(error) = self.aws.s3.get_object(bucket, &newest.key).await {
            return Check::error("records", &error);
        }
        let age =
            newest.modified.map_or_else(String::new, |at| format!(", newest {}", units::ago(at, self.now)));
        Check::good("records", format!("{} objects under {prefix}{age}", objects.len()))
    }

    async fn table(&self) -> Check {
        let Settings { database, table, .. } = self.settings;
        let remedy = format!(
            "--database and --table name others; DDL makes it: the engineer's guide is `ward query run -e 'SHOW TABLES IN {database}'`"
        );
        match self.aws.athena.list_table_metadata(database).await {
            Ok(tables) => match tables.iter().find(|one| one.name == *table) {
                Some(found) => {
                    Check::good("table", format!("{database}.{table}, {} columns", found.columns.len()))
                }
                None => {
                    let names: Vec<&str> = tables.iter().map(|one| one.name.as_str()).collect();
                    let others = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
                    Check::bad("table", format!("{database} has no table {table}; it has: {others}"), remedy)
                }
            },
            Err(error) if error.kind == Kind::NotFound || error.code == "MetadataException" => {
                Check::bad("table", format!("there is no database {database}"), remedy)
            }
            Err(error) => Check::error("table", &error),
        }
    }

    /// Starting a query needs Athena's permission and the bucket's for the result. It scans nothing.
    async fn query(&self) -> Check {
        let start = aws::athena::Start {
            sql: "SELECT 1".into(),
            database: Some(self.settings.database.clone()),
            workgroup: Some(self.settings.workgroup.clone()),
            output_location: Some(format!("s3://{}/athena-results/", self.settings.bucket)),
            ..Default::default()
        };
        match self.aws.athena.run(&start).await {
            Ok(query) if query.state == QueryState::Succeeded => {
                let millis = query.total_millis.unwrap_or_default();
                Check::good(
                    "query",
                    format!("a query ran in {millis} ms in work group {}", self.settings.workgroup),
                )
            }
            Ok(query) => Check::bad(
                "query",
                query.reason.unwrap_or_else(|| query.state.as_str().to_owned()),
                "check --workgroup, and that the identity may write athena-results/ in the bucket",
            ),
            Err(error) => Check::error("query", &error),
        }
    }

    async fn function(&self) -> Check {
        let name = &self.settings.function;
        let function = match self.aws.lambda.get_function(name).await {
            Ok(Some(function)) => function,
            Ok(None) => {
                return Check::bad(
                    "function",
                    format!("there is no function {name}"),
                    "--function names another",
                );
            }
            Err(error) => return Check::error("function", &error),
        };
        if let Some(state) =
            function.state.as_deref().filter(|state| !matches!(*state, "Active" | "Inactive"))
        {
            return Check::doubtful(
                "function",
                format!("{name} is {state}"),
                "wait a moment, or look at its last update",
            );
        }
        for (variable, expected) in [
            ("ATHENA_DATABASE", Some(&self.settings.database)),
            ("ATHENA_WORKGROUP", Some(&self.settings.workgroup)),
            ("ATHENA_OUTPUT_LOCATION", None),
        ] {
            match (function.environment.get(variable), expected) {
                (None, _) => {
                    return Check::bad(
                        "function",
                        format!("{name} has no variable {variable}: every invocation fails"),
                        format!(
                            "set it: aws lambda update-function-configuration --function-name {name} --environment …"
                        ),
                    );
                }
                (Some(value), Some(expected)) if value != expected => {
                    return Check::doubtful(
                        "function",
                        format!("{name} has {variable}={value}, and this session says {expected}"),
                        "one of the two is not what you mean",
                    );
                }
                _ => {}
            }
        }
        Check::good("function", format!("{name}, {}", function.runtime.unwrap_or_default()))
    }

    async fn topic(&self) -> Check {
        let name = self.settings.topic.rsplit(':').next().unwrap_or_default();
        match self.aws.sns.list_topics().await {
            Ok(topics) if topics.iter().any(|arn| arn.rsplit(':').next() == Some(name)) => {
                Check::good("topic", name)
            }
            Ok(_) => Check::bad(
                "topic",
                format!("there is no topic {name}: nobody hears of failed runs"),
                format!("--topic names another; `aws sns create-topic --name {name}` makes it"),
            ),
            Err(error) => Check::error("topic", &error),
        }
    }

    async fn machine(&self) -> Check {
        let wanted = &self.settings.state_machine;
        let machines = match self.aws.states.list_state_machines().await {
            Ok(machines) => machines,
            Err(error) => return Check::error("state machine", &error),
        };
        let Some(machine) = machines.iter().find(|one| one.name == *wanted || one.arn == *wanted) else {
            let names: Vec<&str> = machines.iter().map(|one| one.name.as_str()).collect();
            let others = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            return Check::bad(
                "state machine",
                format!("there is no state machine {wanted}; there are: {others}"),
                "--state-machine names another",
            );
        };
        if machine.express {
            return Check::doubtful(
                "state machine",
                format!("{wanted} is an express machine: AWS keeps no history of its runs"),
                "watch it in its log group instead",
            );
        }
        match self.aws.states.list_executions(&machine.arn, None, None).await {
            Ok(page) => {
                let last = page.items.first().map_or_else(
                    || "no run yet".to_owned(),
                    |run| format!("last run {} {}", run.status.as_str(), units::ago(run.started, self.now)),
                );
                Check::good("state machine", format!("{}, {last}", machine.name))
            }
            Err(error) => Check::error("state machine", &error),
        }
    }

    async fn notification(&self) -> Check {
        let Settings { bucket, prefix, function, .. } = self.settings;
        let name = function.rsplit(':').next().unwrap_or_default();
        match self.aws.s3.get_bucket_notification_configuration(bucket).await {
            Ok(all) => match all.iter().find(|one| one.function_arn.rsplit(':').next() == Some(name)) {
                Some(one) => {
                    let (prefix, suffix) = (one.prefix.as_deref(), one.suffix.as_deref());
                    let pattern = format!("{}*{}", prefix.unwrap_or_default(), suffix.unwrap_or_default());
                    Check::good("notification", format!("{pattern} calls {name}"))
                }
                None => Check::bad(
                    "notification",
                    format!("new objects under {prefix} do not call {name}"),
                    "add a notification for s3:ObjectCreated:* to the bucket",
                ),
            },
            Err(error) => Check::error("notification", &error),
        }
    }

    async fn log(&self) -> Check {
        let group = group_of(&self.settings.function);
        match self.aws.logs.filter_log_events(&group, Some(self.now), None, None).await {
            Ok(_) => Check::good("log", group),
            Err(error) if error.kind == Kind::NotFound => {
                Check::good("log", format!("{group} comes with the function's first invocation"))
            }
            Err(error) => Check::error("log", &error),
        }
    }
}
