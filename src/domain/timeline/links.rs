//! What a visit leads to elsewhere: a function, a query, a nested execution, a map run, a task token.

use serde_json::Value;

use super::{HistoryEvent, Timeline, Visit, member};

/// Looking for a query's id stops this deep in a document.
const DEEP: usize = 16;

impl Timeline {
    /// The events of a visit in their order, entry and exit included.
    pub fn events_of(&self, visit: usize) -> impl Iterator<Item = &HistoryEvent> {
        let (from, to) = match self.visits().get(visit) {
            Some(one) => (one.entered_event, one.exited_event.unwrap_or(i64::MAX)),
            None => (1, 0),
        };
        let from = self.position(from).unwrap_or(0);
        let all =
            self.events.as_slice().get(from..).unwrap_or_default().iter().map(std::convert::AsRef::as_ref);
        all.take_while(move |event: &&HistoryEvent| event.id <= to)
            .filter(move |event| self.owner(event.id) == Some(visit))
    }

    /// The name of the Lambda function that a visit called.
    pub fn function(&self, visit: usize) -> Option<String> {
        let name = self.events_of(visit).find_map(|event| match event.kind.as_str() {
            "LambdaFunctionScheduled" => member(event, "resource").map(String::from),
            "TaskScheduled" if member(event, "resourceType").as_deref() == Some("lambda") => {
                let parameters = json(event, "parameters")?;
                Some(parameters.get("FunctionName")?.as_str()?.to_owned())
            }
            _ => None,
        })?;
        // `arn:aws:lambda:<region>:<account>:function:<name>[:<version>]`
        let after = name.split_once(":function:").map_or(name.as_str(), |(_, after)| after);
        Some(after.split(':').next().unwrap_or(after).to_owned())
    }

    /// The Athena query that the execution spoke of last, up to and including a visit.
    pub fn query_id(&self, upto: Option<usize>) -> Option<String> {
        let visits = self.visits();
        let upto = upto.map_or(visits.len(), |visit| visit + 1).min(visits.len());
        visits[..upto].iter().rev().find_map(|visit| {
            let output = self.output_of(visit);
            let mut texts = [output, self.input_of(visit)].into_iter().flatten();
            // Nearly all of a long history need not be read for that.
            texts.find_map(|text| match text.contains("uery") {
                true => query_in(&serde_json::from_str(&text).ok()?, 0),
                false => None,
            })
        })
    }

    /// The execution that a visit started through `states:startExecution`.
    pub fn child(&self, visit: usize) -> Option<String> {
        self.events_of(visit).find_map(|event| {
            let mine = matches!(event.kind.as_str(), "TaskSubmitted" | "TaskSucceeded" | "TaskFailed");
            if !mine || !member(event, "resource")?.starts_with("startExecution") {
                return None;
            }
            let text =
                if event.kind == "TaskFailed" { json(event, "cause")? } else { json(event, "output")? };
            Some(text.get("ExecutionArn")?.as_str()?.to_owned())
        })
    }

    /// The execution that started this one, as far as its input says so.
    pub fn parent(&self) -> Option<String> {
        let input: Value = serde_json::from_str(&self.input()?).ok()?;
        Some(input.get("AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID")?.as_str()?.to_owned())
    }

    /// The newest map run of a Distributed Map's visit.
    pub fn map_run(&self, visit: usize) -> Option<String> {
        self.visits().get(visit)?.map_run.clone()
    }

    /// The token that an open task waits for: none between two attempts, as that of an attempt ends with it. `state` is the state's JSON from the definition: it says where
    /// in the parameters the token was put.
    pub fn token(&self, visit: usize, state: &Value) -> Option<String> {
        let open = self.visits().get(visit).filter(|one: &&Visit| one.exited.is_none())?;
        if !state.get("Resource")?.as_str()?.ends_with(".waitForTaskToken") {
            return None;
        }
        let template = state.get("Parameters").or_else(|| state.get("Arguments"))?;
        let mut path = Vec::new();
        if !token_path(template, &mut path) {
            return None;
        }
        let attempt = open.attempts.last().filter(|attempt| attempt.ended.is_none())?;
        let scheduled = self.event(attempt.event)?;
        let parameters = json(scheduled, "parameters")?;
        let mut at = &parameters;
        for step in &path {
            at = match step {
                Step::Key(key) => at.get(key)?,
                Step::Index(index) => at.get(index)?,
            };
        }
        at.as_str().map(str::to_owned)
    }
}

fn json(event: &HistoryEvent, name: &str) -> Option<Value> {
    serde_json::from_str(&member(event, name)?).ok()
}

enum Step {
    Key(String),
    Index(usize),
}

/// Finds where a template puts the context's token: `"$$.Task.Token"`, or in JSONata
/// `{% $states.context.Task.Token %}`.
fn token_path(template: &Value, path: &mut Vec<Step>) -> bool {
    match template {
        Value::String(text) => text.contains("$$.Task.Token") || text.contains("$states.context.Task.Token"),
        Value::Object(members) => members.iter().any(|(key, value)| {
            path.push(Step::Key(key.strip_suffix(".$").unwrap_or(key).to_owned()));
            token_path(value, path) || path.pop().is_none()
        }),
        Value::Array(items) => items.iter().enumerate().any(|(index, value)| {
            path.push(Step::Index(index));
            token_path(value, path) || path.pop().is_none()
        }),
        _ => false,
    }
}

/// A member called `QueryExecutionId` or `query_execution_id`, nearest the root.
fn query_in(value: &Value, depth: usize) -> Option<String> {
    if depth > DEEP {
        return None;
    }
    let is_id = |key: &str| key.replace('_', "").eq_ignore_ascii_case("queryexecutionid");
    match value {
        Value::Object(members) => {
            let here = members.iter().find(|(key, value)| is_id(key) && value.is_string());
            let here = here.and_then(|(_, value)| value.as_str()).map(str::to_owned);
            here.or_else(|| members.values().find_map(|value| query_in(value, depth + 1)))
        }
        Value::Array(items) => items.iter().find_map(|value| query_in(value, depth + 1)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::timeline::Standing;
    use serde_json::json;

    fn timeline(rows: &[(i64, &str, Value)]) -> Timeline {
        let events: Vec<HistoryEvent> = rows
            .iter()
            .enumerate()
            .map(|(i, (previous, kind, details))| HistoryEvent {
                id: i as i64 + 1,
                previous: *previous,
                at: chrono::DateTime::UNIX_EPOCH,
                kind: (*kind).to_owned(),
                details: details.clone(),
            })
            .collect();
        let mut timeline = Timeline::new();
        timeline.extend(&events);
        timeline
    }

    fn one_task(scheduled: Value, output: &Value) -> Timeline {
        let resource = scheduled["resource"].clone();
        timeline(&[
            (
                0,
                "ExecutionStarted",
                json!({"input": "{\"AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID\":\"arn:p\"}"}),
            ),
            (
                0,
                "TaskStateEntered",
                json!({"name": "T", "input": "{\"q\":{\"query_execution_id\":\"abc\"}}"}),
            ),
            (2, "TaskScheduled", scheduled),
            (3, "TaskStarted", json!({})),
            (4, "TaskSubmitted", json!({"resource": resource, "output": output.to_string()})),
        ])
    }

    #[test]
    fn functions_are_named_without_account_and_version() {
        let parameters = json!({"FunctionName": "arn:aws:lambda:us-east-1:1:function:f:3"}).to_string();
        let task = json!({"resourceType": "lambda", "resource": "invoke", "parameters": parameters});
        assert_eq!(one_task(task, &json!({})).function(0).as_deref(), Some("f"));
        let direct = timeline(&[
            (0, "ExecutionStarted", json!({})),
            (0, "TaskStateEntered", json!({"name": "T"})),
            (2, "LambdaFunctionScheduled", json!({"resource": "arn:aws:lambda:us-east-1:1:function:g"})),
        ]);
        assert_eq!(direct.function(0).as_deref(), Some("g"));
        assert_eq!(direct.function(9), None);
    }

    #[test]
    fn parents_children_and_queries_are_found() {
        let task = json!({"resourceType": "states", "resource": "startExecution.sync:2", "parameters": "{}"});
        let found = one_task(task, &json!({"ExecutionArn": "arn:c"}));
        assert_eq!(found.child(0).as_deref(), Some("arn:c"));
        assert_eq!(found.parent().as_deref(), Some("arn:p"));
        assert_eq!(found.query_id(None).as_deref(), Some("abc"));
    }

    #[test]
    fn a_token_is_read_where_the_definition_puts_it() {
        let state = json!({"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            "Parameters": {"QueueUrl": "u", "MessageBody": {"list": ["x"], "Token.$": "$$.Task.Token"}}});
        let parameters = json!({"QueueUrl": "u", "MessageBody": {"list": ["x"], "Token": "AQC"}}).to_string();
        let task = json!({"resourceType": "sqs", "resource": "sendMessage.waitForTaskToken", "parameters": parameters});
        let found = one_task(task, &json!({}));
        assert_eq!(found.token(0, &state).as_deref(), Some("AQC"));
        assert_eq!(found.token(0, &json!({"Resource": "arn:aws:states:::sqs:sendMessage"})), None);
        // "Wait for a Callback with the Task Token": once the task has timed out or failed, its token is of no
        // use; the retry has one of its own.
        let failed = HistoryEvent {
            id: 6,
            previous: 5,
            kind: "TaskTimedOut".to_owned(),
            details: json!({"error": "States.Timeout"}),
            ..found.event(5).unwrap().clone()
        };
        let mut between = found.clone();
        between.apply(&failed);
        assert_eq!(between.visits()[0].standing, Standing::Retrying);
        assert_eq!(between.token(0, &state), None);
        let again = |token: &str| {
            json!({"QueueUrl": "u", "MessageBody": {"list": ["x"], "Token": token}}).to_string()
        };
        let retried = HistoryEvent {
            id: 7,
            previous: 6,
            kind: "TaskScheduled".to_owned(),
            details: json!({"resourceType": "sqs", "parameters": again("BQC")}),
            ..failed
        };
        between.apply(&retried);
        assert_eq!(between.token(0, &state).as_deref(), Some("BQC"));
    }
}
