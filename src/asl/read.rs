//! From JSON to [`Machine`]: the one place that knows the fields of a definition.

use serde_json::Value;

use super::choice::{Condition, Rule};
use super::fields::{At, Result, fail, object};
use super::machine::*;
use super::resource::Resource;
use super::retry::{Catcher, Retrier};
use super::template::{Template, Text};

/// Flows may stand in flows; deeper than this no drawing or history is of use.
const DEPTH: usize = 64;

/// Reads a whole definition.
pub fn machine(value: &Value) -> Result<Machine> {
    let at = At::top(object(value, "/")?);
    let language = at.language("QueryLanguage")?.unwrap_or_default();
    let (comment, timeout) = (at.text("Comment")?, at.get("TimeoutSeconds").and_then(Value::as_u64));
    let flow = flow(&At { language, outer: language, ..at }, 0)?;
    Ok(Machine { comment, language, timeout, thinks: thinks(&flow), flow })
}

fn thinks(flow: &Flow) -> bool {
    flow.states()
        .iter()
        .any(|state| state.language == Language::Jsonata || state.flows().into_iter().any(thinks))
}

/// Reads one state that stands alone, as TestState takes it.
pub fn lone_state(name: &str, value: &Value) -> Result<State> {
    state(name, &At::top(object(value, "/")?), 0)
}

fn flow(at: &At<'_>, depth: usize) -> Result<Flow> {
    if depth > DEPTH {
        return fail(&at.pointer, format!("States are nested more than {DEPTH} deep"));
    }
    let start = at.required("StartAt")?;
    let Some(states) = at.inner("States")? else {
        return fail(&at.pointer, "These fields are required: [States]");
    };
    let states = states
        .object
        .iter()
        .map(|(name, value)| {
            let pointer = format!("{}/{name}", states.pointer);
            state(
                name,
                &At {
                    object: object(value, &pointer)?,
                    state: pointer.len(),
                    pointer,
                    language: at.outer,
                    outer: at.outer,
                },
                depth,
            )
        })
        .collect::<Result<Vec<_>>>()?;
    let flow = Flow::new(start, states);
    if flow.state(&flow.start_at).is_none() {
        return at.fail("StartAt", format!("Missing 'Next' target: {}", flow.start_at));
    }
    Ok(flow)
}

fn state(name: &str, outer: &At<'_>, depth: usize) -> Result<State> {
    let language = outer.language("QueryLanguage")?.unwrap_or(outer.language);
    let at = &At { pointer: outer.pointer.clone(), language, ..*outer };
    let type_name = at.required("Type")?;
    let kind = match type_name.as_str() {
        "Pass" => Kind::Pass { result: at.get("Result").cloned() },
        "Task" => Kind::Task(Box::new(task(at)?)),
        "Choice" => Kind::Choice(ChoiceState { rules: rules(at)?, default: at.text("Default")? }),
        "Wait" => Kind::Wait(until(at)?),
        "Succeed" => Kind::Succeed,
        "Fail" => Kind::Fail { error: at.words("Error")?, cause: at.words("Cause")? },
        "Parallel" => Kind::Parallel {
            branches: at.list("Branches")?.iter().map(|b| flow(b, depth + 1)).collect::<Result<_>>()?,
        },
        "Map" => Kind::Map(Box::new(map(at, depth)?)),
        _ => return at.fail("Type", format!("Unknown state type '{type_name}'")),
    };
    let parameters = match (&kind, language) {
        (Kind::Map(_), _) => None,
        (_, Language::Jsonata) => at.template("Arguments")?,
        (_, Language::JsonPath) => at.template("Parameters")?,
    };
    let next = match (&kind, at.text("Next")?, at.get("End")) {
        (Kind::Choice(_) | Kind::Succeed | Kind::Fail { .. }, ..) => Next::Own,
        (_, Some(next), _) => Next::State(next),
        (_, None, _) => Next::End,
    };
    Ok(State {
        name: name.to_owned(),
        at: at.pointer.clone(),
        comment: at.text("Comment")?,
        language,
        data: DataFlow {
            input: at.select("InputPath")?,
            parameters,
            selector: at.template("ResultSelector")?,
            result: at.place("ResultPath")?,
            output_path: at.select("OutputPath")?,
            output: if language == Language::Jsonata { at.template("Output")? } else { None },
            assign: at.assign()?,
        },
        retry: at.list("Retry")?.iter().map(retrier).collect::<Result<_>>()?,
        catch: at.list("Catch")?.iter().map(catcher).collect::<Result<_>>()?,
        next,
        kind,
    })
}

fn task(at: &At<'_>) -> Result<TaskState> {
    let arn = at.required("Resource")?;
    let Some(resource) = Resource::parse(&arn) else {
        return at.fail(
            "Resource",
            format!(
                "The resource provided {arn} is not recognized. The value is not a valid resource ARN, or the \
                 resource is not available in this region."
            ),
        );
    };
    Ok(TaskState {
        resource,
        timeout: at.amount("TimeoutSeconds")?,
        heartbeat: at.amount("HeartbeatSeconds")?,
        credentials: at.template("Credentials")?,
    })
}

fn rules(at: &At<'_>) -> Result<Vec<Rule>> {
    let rule = |rule: &At<'_>| {
        let condition = match Condition::read(rule.object, rule.location("").trim_end_matches('/')) {
            Ok(condition) => condition,
            Err((below, why)) => {
                return fail(&format!("{}{}", rule.pointer, below.trim_end_matches('/')), why);
            }
        };
        Ok(Rule {
            condition,
            next: rule.required("Next")?,
            assign: rule.assign()?,
            output: if at.language == Language::Jsonata { rule.template("Output")? } else { None },
            comment: rule.text("Comment")?,
        })
    };
    at.list("Choices")?.iter().map(rule).collect()
}

fn until(at: &At<'_>) -> Result<Until> {
    if let Some(seconds) = at.amount("Seconds")? {
        return Ok(Until::Seconds(seconds));
    }
    match at.words("Timestamp")? {
        Some(Text::Literal(text)) if super::operator::timestamp(&text).is_none() => {
            at.fail("Timestamp", "String does not match RFC3339 timestamp")
        }
        Some(text) => Ok(Until::Timestamp(text)),
        None => {
            fail(&at.pointer, "A Wait state needs one of [Seconds, SecondsPath, Timestamp, TimestampPath]")
        }
    }
}

fn map(at: &At<'_>, depth: usize) -> Result<MapState> {
    let processor = match at.inner("ItemProcessor")? {
        Some(processor) => Some(processor),
        None => at.inner("Iterator")?,
    };
    let Some(processor) = processor else {
        return fail(&at.pointer, "These fields are required: [ItemProcessor]");
    };
    let config = processor.inner("ProcessorConfig")?;
    let mode = config.as_ref().map_or(Ok(None), |c| c.text("Mode"))?;
    let distributed = if mode.as_deref() == Some("DISTRIBUTED") {
        let express = config.as_ref().map_or(Ok(None), |c| c.text("ExecutionType"))?;
        Some(Distributed {
            express: express.as_deref() == Some("EXPRESS"),
            label: at.text("Label")?,
            reader: at.inner("ItemReader")?.as_ref().map(reader).transpose()?,
            batcher: at.inner("ItemBatcher")?.as_ref().map(batcher).transpose()?,
            writer: at.inner("ResultWriter")?.as_ref().map(writer).transpose()?,
        })
    } else {
        None
    };
    let selector = match at.template("ItemSelector")? {
        None if at.language == Language::JsonPath => at.template("Parameters")?,
        selector => selector,
    };
    Ok(MapState {
        processor: flow(&processor, depth + 1)?,
        distributed,
        items_path: at.select("ItemsPath")?,
        items: if at.language == Language::Jsonata { at.template("Items")? } else { None },
        selector,
        max_concurrency: at.amount("MaxConcurrency")?,
        tolerated_count: at.amount("ToleratedFailureCount")?,
        tolerated_percentage: at.amount("ToleratedFailurePercentage")?,
    })
}

fn parameters(at: &At<'_>) -> Result<Option<Template>> {
    at.template(if at.language == Language::Jsonata { "Arguments" } else { "Parameters" })
}

fn reader(at: &At<'_>) -> Result<Reader> {
    let config = at.inner("ReaderConfig")?;
    Ok(Reader {
        resource: at.required("Resource")?,
        parameters: parameters(at)?,
        max_items: config.as_ref().map_or(Ok(None), |c| c.amount("MaxItems"))?,
        config: config.map(|c| c.object.clone()).unwrap_or_default(),
    })
}

fn batcher(at: &At<'_>) -> Result<Batcher> {
    Ok(Batcher {
        input: at.template("BatchInput")?,
        max_items: at.amount("MaxItemsPerBatch")?,
        max_bytes: at.amount("MaxInputBytesPerBatch")?,
    })
}

fn writer(at: &At<'_>) -> Result<Writer> {
    Ok(Writer {
        resource: at.text("Resource")?,
        parameters: parameters(at)?,
        config: at.inner("WriterConfig")?.map(|c| c.object.clone()).unwrap_or_default(),
    })
}

fn retrier(at: &At<'_>) -> Result<Retrier> {
    let number = |field: &str, default: f64| match at.get(field) {
        None => Ok(default),
        Some(value) => match value.as_f64() {
            Some(number) => Ok(number),
            None => at.fail(field, "Expected a number"),
        },
    };
    Ok(Retrier {
        errors: at.names("ErrorEquals")?,
        interval: number("IntervalSeconds", 1.0)?,
        max_attempts: number("MaxAttempts", 3.0)? as u32,
        backoff: number("BackoffRate", 2.0)?,
        max_delay: if at.get("MaxDelaySeconds").is_some() {
            Some(number("MaxDelaySeconds", 0.0)?)
        } else {
            None
        },
        jitter: at.text("JitterStrategy")?.as_deref() == Some("FULL"),
    })
}

fn catcher(at: &At<'_>) -> Result<Catcher> {
    Ok(Catcher {
        errors: at.names("ErrorEquals")?,
        next: at.required("Next")?,
        result: at.place("ResultPath")?,
        assign: at.assign()?,
        output: if at.language == Language::Jsonata { at.template("Output")? } else { None },
    })
}
