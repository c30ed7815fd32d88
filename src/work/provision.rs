//! Fills an empty account with the pipeline, through AWS's own calls: the local cloud exactly as an
//! account of Amazon's.
//!
//! Every step looks first and then makes what is missing, so it may be run again, also after it was
//! killed halfway. The bucket's notification comes last: the sample does not set off runs, and a bucket
//! that has it is known to be finished.

use std::collections::BTreeMap;
use std::future::Future;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use chrono::NaiveDate;
use futures::{StreamExt, TryStreamExt, stream};
use sha2::{Digest, Sha256};

use crate::aws::athena::Start;
use crate::aws::lambda::NewFunction;
use crate::aws::{Aws, Kind};
use crate::domain::problem::Problem;
use crate::domain::query::QueryState;
use crate::settings::Settings;
use crate::sql::{parameters, shipped};
use crate::work::generate::{Sample, sample};

/// The state machine: deployed, run locally and drawn from this one text.
pub const DEFINITION: &str = include_str!("../../assets/pipeline.asl.json");
/// How many records the sample has.
pub const SAMPLE: u64 = 250;
/// The seed of the sample, as in `data/`.
pub const SEED: u64 = 1;
/// Uploads under way at once.
const AT_ONCE: usize = 32;

/// What an account is to hold.
#[derive(Clone, Debug)]
pub struct Plan {
    pub bucket: String,
    pub prefix: String,
    pub database: String,
    pub table: String,
    pub workgroup: String,
    pub function: String,
    pub state_machine: String,
    pub topic: String,
    /// The function's code package, a zip.
    pub package: Bytes,
    /// The roles that function and state machine assume; `None` for one of the account's, named
    /// `ward-pipeline`. The local cloud asks for none.
    pub role_arn: Option<String>,
    /// The records to begin with.
    pub sample: Vec<Sample>,
}

impl Plan {
    /// The pipeline as settings name it, with a sample relative to `today`.
    pub fn of(settings: &Settings, package: Bytes, today: NaiveDate) -> Plan {
        Plan {
            bucket: settings.bucket.clone(),
            prefix: settings.prefix.clone(),
            database: settings.database.clone(),
            table: settings.table.clone(),
            workgroup: settings.workgroup.clone(),
            function: name_of(&settings.function),
            state_machine: name_of(&settings.state_machine),
            topic: name_of(&settings.topic),
            package,
            role_arn: None,
            sample: sample(SAMPLE, SEED, today),
        }
    }

    fn output_location(&self) -> String {
        format!("s3://{}/athena-results/", self.bucket)
    }

    /// The function's variables.
    pub fn environment(&self) -> BTreeMap<String, String> {
        [
            ("ATHENA_DATABASE", self.database.clone()),
            ("ATHENA_TABLE", self.table.clone()),
            ("ATHENA_WORKGROUP", self.workgroup.clone()),
            ("ATHENA_OUTPUT_LOCATION", self.output_location()),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
    }

    /// The state machine's definition with its places filled in.
    pub fn definition(&self, function_arn: &str, topic_arn: &str) -> String {
        let filled =
            [("${FunctionArn}", function_arn), ("${TopicArn}", topic_arn), ("${Bucket}", &self.bucket)];
        filled.iter().fold(DEFINITION.to_owned(), |text, (place, value)| text.replace(place, value))
    }
}

/// The last part of an ARN, or the name itself.
fn name_of(name: &str) -> String {
    name.rsplit(':').next().unwrap_or(name).to_owned()
}

/// What became of one part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was there, as it should be.
    Present,
    Made,
    Updated,
}

impl Outcome {
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Present => "present",
            Outcome::Made => "made",
            Outcome::Updated => "updated",
        }
    }
}

/// One step, as it ends: `bucket`, `sample` …
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub part: &'static str,
    pub name: String,
    pub outcome: Outcome,
}

/// Fills the account. `report` hears of every step as it ends.
pub async fn provision(
    aws: &Aws,
    plan: &Plan,
    report: &(dyn Fn(&Step) + Send + Sync),
) -> Result<(), Problem> {
    let job = Job { aws, plan, report };
    if job.finished().await? {
        job.say("pipeline", &plan.state_machine, Outcome::Present);
        return Ok(());
    }
    let account = aws.sts.get_caller_identity().await?.account;
    job.bucket().await?;
    let role = plan.role_arn.clone().unwrap_or_else(|| format!("arn:aws:iam::{account}:role/ward-pipeline"));
    let machine = async {
        let (function, topic) = futures::try_join!(job.function(&role), job.topic())?;
        job.state_machine(&role, &function, &topic).await?;
        Ok(function)
    };
    let ((), (), function) = futures::try_join!(job.sample(), job.table(), machine)?;
    job.notification(&function, &account).await
}

struct Job<'a> {
    aws: &'a Aws,
    plan: &'a Plan,
    report: &'a (dyn Fn(&Step) + Send + Sync),
}

impl Job<'_> {
    fn say(&self, part: &'static str, name: &str, outcome: Outcome) {
        (self.report)(&Step { part, name: name.to_owned(), outcome });
    }

    /// Whether an earlier run came to its end: the notification is the last thing made.
    async fn finished(&self) -> Result<bool, Problem> {
        match self.aws.s3.get_bucket_notification_configuration(&self.plan.bucket).await {
            Ok(notifications) => Ok(notifications
                .iter()
                .any(|one| one.function_arn.rsplit(':').next() == Some(self.plan.function.as_str()))),
            Err(error) if error.kind == Kind::NotFound => Ok(false),
            Err(error) => Err(error.problem()),
        }
    }

    async fn bucket(&self) -> Result<(), Problem> {
        let present = self.aws.s3.bucket_exists(&self.plan.bucket).await?;
        if !present {
            self.aws.s3.create_bucket(&self.plan.bucket).await?;
        }
        self.say("bucket", &self.plan.bucket, if present { Outcome::Present } else { Outcome::Made });
        Ok(())
    }

    /// A sample that was cut short is put anew as a whole: its dates belong together.
    async fn sample(&self) -> Result<(), Problem> {
        let plan = self.plan;
        let present = self.aws.s3.list_objects_v2(&plan.bucket, &plan.prefix).await?;
        let known = |one: &Sample| {
            let key = format!("{}{}", plan.prefix, one.name);
            present.iter().any(|object| object.key == key)
        };
        let name = format!("{} records", plan.sample.len());
        if plan.sample.iter().all(known) {
            self.say("sample", &name, Outcome::Present);
            return Ok(());
        }
        // Collected first: the compiler cannot follow a borrowing closure across an await.
        let uploads: Vec<_> = plan.sample.iter().map(|one| self.put(one)).collect();
        stream::iter(uploads).buffer_unordered(AT_ONCE).try_collect::<Vec<()>>().await?;
        self.say("sample", &name, Outcome::Made);
        Ok(())
    }

    fn put<'a>(&'a self, one: &'a Sample) -> impl Future<Output = Result<(), Problem>> + 'a {
        let key = format!("{}{}", self.plan.prefix, one.name);
        let body = Bytes::from(format!("{}\n", one.line.trim_end()));
        async move { Ok(self.aws.s3.put_object(&self.plan.bucket, &key, body, "application/json").await?) }
    }

    async fn table(&self) -> Result<(), Problem> {
        let plan = self.plan;
        let tables = self.aws.athena.list_table_metadata(&plan.database).await.unwrap_or_default();
        if tables.iter().any(|table| table.name == plan.table) {
            self.say("table", &plan.table, Outcome::Present);
            return Ok(());
        }
        self.ddl(shipped::CREATE_DATABASE).await?;
        self.say("database", &plan.database, Outcome::Made);
        self.ddl(shipped::CREATE_TABLE).await?;
        self.say("table", &plan.table, Outcome::Made);
        Ok(())
    }

    async fn ddl(&self, text: &str) -> Result<(), Problem> {
        let plan = self.plan;
        let values = [
            ("database", &plan.database),
            ("table", &plan.table),
            ("bucket", &plan.bucket),
            ("prefix", &plan.prefix),
        ];
        let values = values.map(|(name, value)| (name.to_owned(), value.clone())).into();
        let sql = parameters::read(text).and_then(|saved| saved.fill(&values)).map_err(|error| {
            Problem::new("The table's statement cannot be filled in").detail(error.to_string())
        })?;
        let start = Start {
            sql,
            workgroup: Some(plan.workgroup.clone()),
            output_location: Some(plan.output_location()),
            ..Start::default()
        };
        let query = self.aws.athena.run(&start).await?;
        match query.state {
            QueryState::Succeeded => Ok(()),
            _ => Err(Problem::new("Athena could not make the table")
                .detail(query.reason.unwrap_or_default())
                .hint(format!("`ward query show {}` shows the statement", query.id))),
        }
    }

    /// The function's ARN.
    async fn function(&self, role: &str) -> Result<String, Problem> {
        let plan = self.plan;
        if let Some(present) = self.aws.lambda.get_function(&plan.function).await? {
            let digest = STANDARD.encode(Sha256::digest(&plan.package));
            let same = present.code_sha256.as_deref() == Some(digest.as_str());
            if !same {
                self.aws.lambda.update_function_code(&plan.function, plan.package.clone()).await?;
            }
            self.say("function", &plan.function, if same { Outcome::Present } else { Outcome::Updated });
            return Ok(present.arn);
        }
        let new = NewFunction {
            name: plan.function.clone(),
            role_arn: role.to_owned(),
            package: plan.package.clone(),
            // The function waits up to 60 s for its query.
            timeout_seconds: 90,
            memory_mib: 256,
            environment: plan.environment(),
            description: "Counts facilities per state with Athena".to_owned(),
        };
        let arn = self.aws.lambda.create_function(&new).await?;
        self.say("function", &plan.function, Outcome::Made);
        Ok(arn)
    }

    async fn topic(&self) -> Result<String, Problem> {
        let arn = self.aws.sns.create_topic(&self.plan.topic).await?;
        self.say("topic", &self.plan.topic, Outcome::Made);
        Ok(arn)
    }

    async fn state_machine(&self, role: &str, function_arn: &str, topic_arn: &str) -> Result<(), Problem> {
        let name = &self.plan.state_machine;
        let definition = self.plan.definition(function_arn, topic_arn);
        let machines = self.aws.states.list_state_machines().await?;
        let outcome = match machines.iter().find(|machine| machine.name == *name) {
            None => {
                self.aws.states.create_state_machine(name, &definition, role).await?;
                Outcome::Made
            }
            Some(machine) => {
                let present = self.aws.states.describe_state_machine(&machine.arn).await?;
                if present.text == definition {
                    Outcome::Present
                } else {
                    self.aws.states.update_state_machine(&machine.arn, &definition).await?;
                    Outcome::Updated
                }
            }
        };
        self.say("state machine", name, outcome);
        Ok(())
    }

    async fn notification(&self, function_arn: &str, account: &str) -> Result<(), Problem> {
        let plan = self.plan;
        let bucket_arn = format!("arn:aws:s3:::{}", plan.bucket);
        self.aws
            .lambda
            .add_permission(
                &plan.function,
                "ward-raw-objects",
                "s3.amazonaws.com",
                &bucket_arn,
                Some(account),
            )
            .await?;
        self.aws
            .s3
            .put_bucket_notification_configuration(&plan.bucket, function_arn, &plan.prefix, ".json")
            .await?;
        self.say("notification", &format!("{}*.json", plan.prefix), Outcome::Made);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Plan {
        let day = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap();
        let settings = Settings { topic: "arn:aws:sns:r:1:alerts".into(), ..Settings::default() };
        Plan::of(&settings, Bytes::from_static(b"zip"), day)
    }

    #[test]
    fn the_definition_has_no_place_left_and_is_json() {
        let text = plan().definition("arn:aws:lambda:r:1:function:f", "arn:aws:sns:r:1:t");
        assert!(!text.contains("${"), "{text}");
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["StartAt"], "InvokeLambdaFunction");
    }

    #[test]
    fn names_may_be_given_as_arns() {
        let plan = plan();
        assert_eq!(plan.topic, "alerts");
        assert_eq!(plan.sample.len(), 250);
        let output = &plan.environment()["ATHENA_OUTPUT_LOCATION"];
        assert_eq!(output, "s3://healthcare-accreditation-data-pipeline/athena-results/");
    }
}
