//! What a map run gives: its children's outputs, or the files that a ResultWriter writes.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::super::super::bus::Bus;
use super::super::super::fault::Fault;
use super::super::arn;
use super::super::record::put;
use super::record::{Ended, MapRun};
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

/// The Map state's output. Children that failed and were let pass are not in it.
pub async fn output(bus: &Bus, run: &MapRun, ended: &[Ended]) -> Result<Data, Failure> {
    let exported = run.writer.as_ref().is_some_and(|writer| writer.resource.is_some());
    let config = run.writer.as_ref().map(|writer| &writer.config);
    let wanted = config.and_then(|config| config.get("Transformation")).and_then(Value::as_str);
    let transformation = match wanted {
        Some("NONE") => Transformation::None,
        Some("FLATTEN") => Transformation::Flatten,
        Some(_) => Transformation::Compact,
        None if exported => Transformation::None,
        None => Transformation::Compact,
    };
    let succeeded = |e: &&Ended| matches!(e.outcome, Outcome::Succeeded(_));
    let good: Vec<Data> =
        ended.iter().filter(succeeded).flat_map(|e| shown(bus, run, e, transformation)).collect();
    if !exported {
        return Ok(Data::list(&good));
    }
    let bad: Vec<Data> = ended
        .iter()
        .filter(|e| !succeeded(e))
        .flat_map(|e| shown(bus, run, e, Transformation::None))
        .collect();
    write(bus, run, &good, &bad).await
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
    shown["RedriveCount"] = 0.into();
    let reason = (status == "SUCCEEDED").then_some("Execution is SUCCEEDED and cannot be redriven");
    shown["RedriveStatus"] = if reason.is_some() { "NOT_REDRIVABLE" } else { "REDRIVABLE_BY_MAP_RUN" }.into();
    put(&mut shown, "RedriveStatusReason", reason);
    shown["StartDate"] = iso(ended.started).into();
    shown["StateMachineArn"] = arn::of_machine(&bus.region, run.machine()).into();
    shown["Status"] = status.into();
    shown["StopDate"] = iso(ended.stopped).into();
    shown
}

/// Writes the result files and their manifest.
async fn write(bus: &Bus, run: &MapRun, good: &[Data], bad: &[Data]) -> Result<Data, Failure> {
    let Some(writer) = &run.writer else { return Ok(Data::list(good)) };
    let fail = |why: String| Failure::new(WRITER_FAILED, why);
    let bucket = writer.parameters["Bucket"]
        .as_str()
        .ok_or_else(|| fail("The ResultWriter names no Bucket.".into()))?;
    let prefix = writer.parameters["Prefix"].as_str().unwrap_or_default().trim_end_matches('/');
    let folder = if prefix.is_empty() { run.id().to_owned() } else { format!("{prefix}/{}", run.id()) };
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
    let mut files = json!({"FAILED": [], "PENDING": [], "SUCCEEDED": []});
    for (name, results) in [("SUCCEEDED", good), ("FAILED", bad)] {
        if results.is_empty() {
            continue;
        }
        let body = match lines {
            true => results.iter().map(|r| format!("{}\n", r.text())).collect(),
            false => Data::list(results).text().to_owned(),
        };
        let extension = if lines { "jsonl" } else { "json" };
        let key = format!("{folder}/{name}_0.{extension}");
        files[name] = json!([{"Key": key, "Size": body.len()}]);
        put_object(&key, body).await.map_err(refused)?;
    }
    let manifest = json!({
        "DestinationBucket": bucket,
        "MapRunArn": run.arn(&bus.region),
        "ResultFiles": files,
    });
    let key = format!("{folder}/manifest.json");
    put_object(&key, manifest.to_string()).await.map_err(refused)?;
    Ok(json!({
        "MapRunArn": run.arn(&bus.region),
        "ResultWriterDetails": {"Bucket": bucket, "Key": key},
    })
    .into())
}
