//! TestState: one state run by itself, with a mock for its work or with the work really done.

mod mock;
mod shapes;

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::super::fault::Fault;
use super::record::put;
use super::{States, arn, definitions, maps, tasks, validate};
use crate::asl::check;
use crate::asl::context::iso;
use crate::asl::data::{Data, LIMIT};
use crate::asl::inspect::{self, Reading, Status, Trial, Verdict, Work};
use crate::asl::machine::{Kind, Machine};
use crate::asl::scope::Variables;
use crate::asl::step::{Progress, Task};

/// What a state that stands alone is called.
const LONE: &str = "StateName";

impl States {
    pub(super) async fn test_state(&self, input: &Value) -> Result<Value, Fault> {
        let definition = validate::text(input, "definition")?;
        let name = input["stateName"].as_str();
        let machine = machine(definition, name)?;
        let name = name.unwrap_or(LONE);
        let (_, state) = inspect::find(&machine, name).ok_or_else(unknown)?;
        let level = level(input)?;
        let mock = mock::read(input, state)?;
        let given = mock::context(input, state)?;
        if mock.is_none() && matches!(state.kind, Kind::Task(_)) && input["roleArn"].is_null() {
            return Err(Fault::client(
                "ValidationException",
                "RoleArn must be specified when testing a Task state",
            ));
        }
        let text = input["input"].as_str().unwrap_or("{}");
        for (member, text) in [
            ("input", Some(text)),
            ("variables", input["variables"].as_str()),
            ("context", input["context"].as_str()),
            ("mock.result", input["mock"]["result"].as_str()),
        ] {
            validate::secret(text.unwrap_or_default(), member, LIMIT)?;
        }
        let data = validate::execution_input(text)?;
        let (now, entropy) = super::driver::Driver::moment(&*self.bus()?);
        let configuration = &input["stateConfiguration"];
        let asked = Asked {
            name: name.to_owned(),
            context: match given {
                Some(given) => given,
                None => self.context(input, state.type_name(), name, &data, now)?,
            },
            input: data,
            variables: variables(input)?,
            now,
            entropy,
            retries: configuration["retrierRetryCount"]
                .as_u64()
                .and_then(|n| u32::try_from(n).ok())
                .unwrap_or(0),
            failures: configuration["mapIterationFailureCount"].as_u64(),
            read: match (&state.kind, configuration["mapItemReaderData"].as_str()) {
                (Kind::Map(map), Some(data)) => {
                    let reader = map.distributed.as_ref().and_then(|d| d.reader.as_ref());
                    reader.map(|reader| maps::reading(data, &reader.config))
                }
                _ => None,
            },
        };
        let resource = match &state.kind {
            Kind::Task(task) if mock.is_none() => Some(task.resource.clone()),
            _ => None,
        };
        let asked = Arc::new((machine, asked));
        let work = match resource {
            None => mock,
            Some(resource) => match tried(&asked, |trial| trial.request()).await? {
                Some(input) => Some(self.worked(Task { ticket: 0, resource, input, token: None }).await),
                None => None,
            },
        };
        tried(&asked, move |trial| answer(trial.judge(work), level)).await
    }

    /// Really does a task's work.
    async fn worked(&self, task: Task) -> Work {
        let Ok(bus) = self.bus() else {
            return Work::Error(crate::asl::failure::Failure::runtime("The local cloud is stopping."));
        };
        match tasks::ask(&bus, &task).await {
            Progress::Failed(failure) | Progress::Unscheduled(failure) => Work::Error(failure),
            Progress::Succeeded(output) | Progress::Submitted(output) => Work::Result(output),
            Progress::Started { .. } => Work::Result(Data::default()),
        }
    }

    /// The context object of a made-up execution.
    fn context(
        &self,
        input: &Value,
        kind: &str,
        name: &str,
        data: &Data,
        now: chrono::DateTime<chrono::Utc>,
    ) -> Result<Value, Fault> {
        let region = self.bus()?.region.clone();
        let (run, machine) = (uuid::Uuid::new_v4().to_string(), uuid::Uuid::new_v4().to_string());
        let mut context = json!({
            "Execution": {
                "Id": arn::of_express(&region, &format!("{machine}:{run}")),
                "Input": data.value(),
                "Name": run,
                "RoleArn": input["roleArn"].as_str().unwrap_or("arn:aws:iam::000000000000:role/none"),
                "StartTime": iso(now),
            },
            "StateMachine": {"Id": arn::of_machine(&region, &machine), "Name": machine},
            "State": {"Name": name, "EnteredTime": iso(now)},
        });
        if matches!(kind, "Task" | "Parallel" | "Map") {
            context["State"]["RetryCount"] = 0.into();
        }
        Ok(context)
    }
}

/// What is tried, but for the machine.
struct Asked {
    name: String,
    context: Value,
    input: Data,
    variables: Variables,
    now: chrono::DateTime<chrono::Utc>,
    entropy: u64,
    retries: u32,
    failures: Option<u64>,
    read: Option<Reading>,
}

fn unknown() -> Fault {
    Fault::client("ValidationException", "State not found in definition")
}

/// Tries the state on a thread of its own: its expressions may think for seconds.
async fn tried<T: Send + 'static>(
    asked: &Arc<(Machine, Asked)>,
    of: impl FnOnce(&Trial<'_>) -> T + Send + 'static,
) -> Result<T, Fault> {
    let asked = asked.clone();
    let work = move || {
        let (machine, asked) = asked.as_ref();
        let (route, state) = inspect::find(machine, &asked.name)?;
        Some(of(&Trial {
            machine,
            route,
            state,
            input: asked.input.clone(),
            variables: asked.variables.clone(),
            context: asked.context.clone(),
            now: asked.now,
            entropy: asked.entropy,
            retries: asked.retries,
            failures: asked.failures,
            read: asked.read.clone(),
        }))
    };
    let tried = tokio::task::spawn_blocking(work).await;
    tried
        .map_err(|error| Fault::internal(format!("the state could not be tried: {error}")))?
        .ok_or_else(unknown)
}

/// The machine of a definition: a whole one with the state in it, or one made around a lone state.
fn machine(definition: &str, name: Option<&str>) -> Result<Machine, Fault> {
    let parsed = serde_json::from_str::<Value>(definition);
    match parsed {
        Ok(lone @ Value::Object(_)) if lone.get("States").is_none() => {
            let around = around(lone);
            let found = check::diagnose(&around, false);
            // Where it goes on to is made up, so only what is wrong in the state itself counts.
            let own: Vec<_> = found.into_iter().filter(|d| d.code.starts_with("SCHEMA")).collect();
            match check::refusal(&own) {
                Some(message) => Err(Fault::client("InvalidDefinition", message)),
                None => read(&around),
            }
        }
        _ => {
            definitions::accept(definition, false)?;
            if name.is_none() {
                return Err(Fault::client(
                    "ValidationException",
                    "StateName must be specified when the definition is a state machine",
                ));
            }
            read(definition)
        }
    }
}

fn read(text: &str) -> Result<Machine, Fault> {
    Machine::read(text).map_err(|error| {
        Fault::client("InvalidDefinition", format!("Invalid State Machine Definition: '{error}'"))
    })
}

/// A machine around a lone state: whatever it leads to is there and does nothing.
fn around(lone: Value) -> String {
    let mut targets = Vec::new();
    for list in ["Choices", "Catch"] {
        let entries = lone[list].as_array().into_iter().flatten();
        targets.extend(entries.filter_map(|entry| entry["Next"].as_str().map(str::to_owned)));
    }
    targets.extend(["Next", "Default"].iter().filter_map(|field| lone[*field].as_str().map(str::to_owned)));
    let mut states = Map::from_iter([(LONE.to_owned(), lone)]);
    for target in targets {
        states.entry(target).or_insert_with(|| json!({"Type": "Succeed"}));
    }
    json!({"StartAt": LONE, "States": states}).to_string()
}

/// Whether the steps of the data flow are shown.
fn level(input: &Value) -> Result<bool, Fault> {
    match input["inspectionLevel"].as_str() {
        None | Some("INFO") => Ok(false),
        Some("DEBUG" | "TRACE") => Ok(true),
        Some(other) => {
            let rule = "Member must satisfy enum value set: [INFO, DEBUG, TRACE]";
            Err(validate::constraint(other, "inspectionLevel", rule))
        }
    }
}

fn variables(input: &Value) -> Result<Variables, Fault> {
    let Some(text) = input["variables"].as_str() else { return Ok(Variables::default()) };
    serde_json::from_str(text)
        .map_err(|_| Fault::client("ValidationException", "Variables must be a valid JSON object"))
}

fn answer(verdict: Verdict, inspected: bool) -> Value {
    let status = match verdict.status {
        Status::Succeeded => "SUCCEEDED",
        Status::Failed => "FAILED",
        Status::Retriable => "RETRIABLE",
        Status::CaughtError => "CAUGHT_ERROR",
    };
    let mut answer = json!({"status": status});
    put(&mut answer, "output", verdict.output.map(|output| output.text().to_owned()));
    if let Some(failure) = verdict.failure {
        put(&mut answer, "error", failure.error);
        put(&mut answer, "cause", failure.cause);
    }
    put(&mut answer, "nextState", verdict.next);
    if inspected {
        answer["inspectionData"] = verdict.seen.into();
    }
    answer
}
