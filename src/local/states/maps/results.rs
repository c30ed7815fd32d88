//! What a map run gives: its children's outputs, or the files that a ResultWriter writes.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::super::super::bus::Bus;
use super::super::super::fault::Fault;
use super::super::arn;
use super::super::record::put;
use super::record::{Ended, Item, MapRun, Written};
use crate::asl::context::iso;
use crate::asl::cursor::Outcome;
use crate::asl::data::Data;
use crate::asl::failure::Failure;

const WRITER_FAILED: &str = "States.ResultWriterFailed";

/// How outputs are written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Transformation {
    /// With what is known of each execution.
    None,
    /// The outputs alone.
    Compact,
    /// The outputs alone, lists taken apart.
    Flatten,
}

impl Transformation {
    fn of(run: &MapRun) -> Transformation {
        let config = run.writer.as_ref().map(|writer| &writer.config);
        match config.and_then(|config| config.get("Transformation")).and_then(Value::as_str) {
            Some("NONE") => Transformation::None,
            Some("FLATTEN") => Transformation::Flatten,
            Some(_) => Transformation::Compact,
            None if run.is_exported() => Transformation::None,
            None => Transformation::Compact,
        }
    }
}

fn succeeded(ended: &Ended) -> bool {
    matches!(ended.outcome, Outcome::Succeeded(_))
}

/// The Map state's output. Children that failed and were let pass are not in it.
pub async fn output(bus: &Bus, run: &mut MapRun, ended: &[Ended]) -> Result<Data, Failure> {
    if run.is_exported() {
        return export(bus, run, ended, &[]).await;
    }
    let transformation = Transformation::of(run);
    let good = ended.iter().filter(|e| succeeded(e)).flat_map(|e| shown(bus, run, e, transformation));
    Ok(Data::list(&good.collect::<Vec<_>>()))
}

fn shown(bus: &Bus, run: &MapRun, ended: &Ended, transformation: Transformation) -> Vec<Data> {
    match (&ended.outcome, transformation) {
        (_, Transformation::None) => vec![described(bus, run, ended).into()],
        (Outcome::Succeeded(output), Transformation::Flatten) => match output.value() {
            Value::Array(items) => items.iter().cloned().map(Data::from).collect(),
            _ => vec![output.clone()],
        },
        (Outcome::Succeeded(output), _) => vec![output.clone()],
        _ => Vec::new(),
    }
}

/// A child as result files tell of it.
fn described(bus: &Bus, run: &MapRun, ended: &Ended) -> Value {
    let mut shown = Map::new();
    let failure = match &ended.outcome {
        Outcome::Succeeded(_) => &Failure::default(),
        Outcome::Failed(f) | Outcome::TimedOut(f) | Outcome::Aborted(f) => f,
    };
    let mut put_text = |member: &str, text: Option<&str>| {
        if let Some(text) = text {
            shown.insert(member.to_owned(), text.into());
        }
    };
    put_text("Cause", failure.cause.as_deref());
    put_text("Error", failure.error.as_deref());
    put_text("ExecutionArn", Some(&ended.execution));
    put_text("Input", Some(&ended.input));
    let mut shown = Value::Object(shown);
    shown["InputDetails"] = json!({"Included": true});
    shown["Name"] = ended.name.as_str().into();
    let status = match &ended.outcome {
        Outcome::Succeeded(output) => {
            shown["Output"] = output.text().into();
            shown["OutputDetails"] = json!({"Included": true});
            "SUCCEEDED"
        }
        Outcome::Failed(_) => "FAILED",
        Outcome::TimedOut(_) => "TIMED_OUT",
        Outcome::Aborted(_) => "ABORTED",
    };
    shown["RedriveCount"] = ended.redrives.into();
    let reason = (status == "SUCCEEDED").then_some("Execution is SUCCEEDED and cannot be redriven");
    shown["RedriveStatus"] = if reason.is_some() { "NOT_REDRIVABLE" } else { "REDRIVABLE_BY_MAP_RUN" }.into();
    put(&mut shown, "RedriveStatusReason", reason);
    shown["StartDate"] = iso(ended.started).into();
    shown["StateMachineArn"] = arn::of_machine(&bus.region, run.machine()).into();
    shown["Status"] = status.into();
    shown["StopDate"] = iso(ended.stopped).into();
    shown
}

/// A child that never started.
fn waiting(item: &Item) -> Data {
    json!({"Input": item.input, "InputDetails": {"Included": true}, "Status": "PENDING"}).into()
}

/// Writes the result files and their manifest (AWS guide, "ResultWriter (Map)"): what succeeded, in whatever
/// attempt; what did not; and what never started. A redrive has a folder of its own.
pub async fn export(bus: &Bus, run: &mut MapRun, ended: &[Ended], pending: &[Item]) -> Result<Data, Failure> {
    let fail = |why: String| Failure::new(WRITER_FAILED, why);
    let writer = run.writer.clone().ok_or_else(|| fail("The Map state has no ResultWriter.".into()))?;
    let bucket = writer.parameters["Bucket"]
        .as_str()
        .ok_or_else(|| fail("The ResultWriter names no Bucket.".into()))?;
    let prefix = writer.parameters["Prefix"].as_str().unwrap_or_default().trim_end_matches('/');
    let mut folder = if prefix.is_empty() { run.id().to_owned() } else { format!("{prefix}/{}", run.id()) };
    if run.redrives > 0 {
        folder = format!("{folder}/Redrive-{}", run.redrives);
    }
    let lines = writer.config.get("OutputType").and_then(Value::as_str) == Some("JSONL");
    let put_object = async |key: &str, body: String| {
        let objects = bus.objects()?;
        let kind =
            if lines && !key.ends_with("manifest.json") { "application/jsonl" } else { "application/json" };
        objects.write(bucket, key, Bytes::from(body), kind).await?;
        bus.nudge();
        Ok::<_, Fault>(())
    };
    let refused =
        |fault: Fault| fail(format!("{} (Service: S3, Status Code: {})", fault.message, fault.status));
    let is_new = |e: &Ended| run.written_until.is_none_or(|until| e.stopped > until);
    let transformation = Transformation::of(run);
    let described = |e: &Ended| shown(bus, run, e, Transformation::None);
    let good = ended.iter().filter(|e| succeeded(e) && is_new(e));
    let results: [(&str, Vec<Data>); 3] = [
        ("SUCCEEDED", good.flat_map(|e| shown(bus, run, e, transformation)).collect()),
        ("FAILED", ended.iter().filter(|e| !succeeded(e)).flat_map(described).collect()),
        ("PENDING", pending.iter().map(waiting).collect()),
    ];
    let mut written = run.written.clone();
    let mut files = json!({"FAILED": [], "PENDING": [], "SUCCEEDED": []});
    for (name, results) in results {
        if !results.is_empty() {
            let body = match lines {
                true => results.iter().map(|r| format!("{}\n", r.text())).collect(),
                false => Data::list(&results).text().to_owned(),
            };
            let extension = if lines { "jsonl" } else { "json" };
            let file = Written { key: format!("{folder}/{name}_0.{extension}"), size: body.len() };
            put_object(&file.key, body).await.map_err(refused)?;
            match name {
                "SUCCEEDED" => written.push(file),
                _ => files[name] = json!([file]),
            }
        }
    }
    files["SUCCEEDED"] = json!(written);
    let manifest = json!({
        "DestinationBucket": bucket,
        "MapRunArn": run.arn(&bus.region),
        "ResultFiles": files,
    });
    let key = format!("{folder}/manifest.json");
    put_object(&key, manifest.to_string()).await.map_err(refused)?;
    (run.written, run.written_until) = (written, Some(bus.clock.now()));
    Ok(json!({
        "MapRunArn": run.arn(&bus.region),
        "ResultWriterDetails": {"Bucket": bucket, "Key": key},
    })
    .into())
}
