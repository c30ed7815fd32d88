//! Functions: made, read, changed, deleted and invoked.

use std::ops::ControlFlow;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use uuid::Uuid;

use super::fleet::Caller;
use super::function::{Code, Function, invalid, name};
use super::{FUNCTIONS, Lambda, PACKAGES, POLICIES, bytes, missing, read, text};
use crate::local::bus::{Bus, Event};
use crate::local::fault::Fault;

/// What a direct upload may hold, in bytes.
const LARGEST_PACKAGE: usize = 50 * 1024 * 1024;
/// What an event may hold, in bytes: when somebody waits, and when nobody does.
const LARGEST_EVENT: [usize; 2] = [6 * 1024 * 1024, 1024 * 1024];

impl Lambda {
    /// The record of the function that the input names.
    pub(super) fn function(&self, input: &Value) -> Result<Function, Fault> {
        let name = name(text(input, "FunctionName")?)?;
        if let Some(qualifier) = input["Qualifier"].as_str()
            && qualifier != "$LATEST"
        {
            return Err(missing(&self.region, &format!("{name}:{qualifier}")));
        }
        read(&self.store.get(FUNCTIONS, &name)?.ok_or_else(|| missing(&self.region, &name))?)
    }

    /// The package that the input holds or names.
    fn package(&self, code: &Value) -> Result<Vec<u8>, Fault> {
        let package = if let Some(encoded) = code["ZipFile"].as_str() {
            BASE64_STANDARD.decode(encoded).map_err(|e| invalid(format!("ZipFile is not Base64: {e}")))?
        } else if let (Some(bucket), Some(key)) = (code["S3Bucket"].as_str(), code["S3Key"].as_str()) {
            let object = self.bus()?.objects()?.read(bucket, key, None);
            object
                .map_err(|fault| {
                    invalid(format!(
                        "Error occurred while GetObject. S3 Error Code: {}. S3 Error Message: {}",
                        fault.code, fault.message
                    ))
                })?
                .to_vec()
        } else if code["ImageUri"].is_string() {
            return Err(invalid("The local cloud takes zip packages only, no container images."));
        } else {
            return Err(invalid("Please provide a source for function code."));
        };
        match package.len() > LARGEST_PACKAGE {
            true => Err(Fault::new(
                413,
                "RequestEntityTooLargeException",
                format!(
                    "Request must be smaller than {LARGEST_PACKAGE} bytes for the CreateFunction operation"
                ),
            )),
            false => Ok(package),
        }
    }

    pub(super) async fn create_function(&self, input: &Value) -> Result<Value, Fault> {
        let name = name(text(input, "FunctionName")?)?;
        let package = self.package(&input["Code"])?;
        let mut function = Function::new(name, Code::of(&package)?, self.clock.now());
        function.configure(input)?;
        if function.runtime.is_empty() || function.handler.is_empty() {
            return Err(invalid(
                "Runtime and Handler are mandatory parameters for functions created with deployment packages.",
            ));
        }
        if let Some(architectures) = input["Architectures"].as_array() {
            function.architectures =
                architectures.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect();
        }
        for (tag, value) in input["Tags"].as_object().into_iter().flatten() {
            function.tags.insert(tag.clone(), value.as_str().unwrap_or_default().to_owned());
        }
        let answer = function.describe(&self.region);
        self.store
            .transact(move |tx| {
                if tx.get(FUNCTIONS, &function.name)?.is_some() {
                    return Err(Fault::new(
                        409,
                        "ResourceConflictException",
                        format!("Function already exist: {}", function.name),
                    ));
                }
                tx.put(PACKAGES, function.name.as_str(), package);
                tx.put(FUNCTIONS, function.name.as_str(), bytes(&function)?);
                Ok(answer)
            })
            .await
    }

    pub(super) fn get_function(&self, input: &Value) -> Result<Value, Fault> {
        let function = self.function(input)?;
        let mut answer = json!({
            "Configuration": function.describe(&self.region),
            "Code": { "RepositoryType": "S3" },
        });
        if !function.tags.is_empty() {
            answer["Tags"] = json!(function.tags);
        }
        Ok(answer)
    }

    pub(super) fn list_functions(&self, input: &Value) -> Result<Value, Fault> {
        let most = match &input["MaxItems"] {
            Value::Null => 50,
            given => {
                let number = given.as_u64().or_else(|| given.as_str()?.parse().ok());
                usize::try_from(number.unwrap_or(50).clamp(1, 50)).unwrap_or(50)
            }
        };
        let mut functions = Vec::new();
        let mut last = None;
        let mut more = false;
        let mut damaged = None;
        self.store.scan(FUNCTIONS, "", input["Marker"].as_str().unwrap_or(""), |name, record| {
            if functions.len() == most {
                more = true;
                return ControlFlow::Break(());
            }
            match read::<Function>(record) {
                Ok(function) => functions.push(function.describe(&self.region)),
                Err(fault) => {
                    damaged = Some(fault);
                    return ControlFlow::Break(());
                }
            }
            last = Some(name.to_owned());
            ControlFlow::Continue(())
        })?;
        if let Some(fault) = damaged {
            return Err(fault);
        }
        let mut answer = json!({ "Functions": functions });
        if more && let Some(last) = last {
            answer["NextMarker"] = last.into();
        }
        Ok(answer)
    }

    /// Changes a function's record, and its package if there is a new one.
    pub(super) async fn change(
        &self,
        input: &Value,
        package: Option<Vec<u8>>,
        change: impl FnOnce(&mut Function) -> Result<(), Fault> + Send + 'static,
    ) -> Result<Value, Fault> {
        let name = self.function(input)?.name;
        let revision = input["RevisionId"].as_str().map(str::to_owned);
        let (now, region) = (self.clock.now(), self.region.clone());
        let changed = name.clone();
        let answer = self
            .store
            .transact(move |tx| {
                let record = tx.get(FUNCTIONS, &name)?.ok_or_else(|| missing(&region, &name))?;
                let mut function: Function = read(&record)?;
                if revision.is_some_and(|revision| revision != function.revision) {
                    return Err(Fault::new(
                        412,
                        "PreconditionFailedException",
                        "The Revision Id provided does not match the latest Revision Id. Call the GetFunction API \
                         to retrieve the latest Revision Id",
                    ));
                }
                change(&mut function)?;
                function.changed(now);
                if let Some(package) = package {
                    tx.put(PACKAGES, name.as_str(), package);
                }
                tx.put(FUNCTIONS, name, bytes(&function)?);
                Ok(function.describe(&region))
            })
            .await?;
        self.fleet.retire(&changed);
        Ok(answer)
    }

    pub(super) async fn update_function_code(&self, input: &Value) -> Result<Value, Fault> {
        let package = self.package(input)?;
        let code = Code::of(&package)?;
        if input["DryRun"] == true {
            let mut function = self.function(input)?;
            function.code = code;
            return Ok(function.describe(&self.region));
        }
        self.change(input, Some(package), move |function| {
            function.code = code;
            Ok(())
        })
        .await
    }

    pub(super) async fn delete_function(&self, input: &Value) -> Result<Value, Fault> {
        let name = self.function(input)?.name;
        let deleted = name.clone();
        self.store
            .transact(move |tx| {
                for table in [FUNCTIONS, PACKAGES, POLICIES] {
                    tx.delete(table, name.as_str());
                }
                Ok::<(), Fault>(())
            })
            .await?;
        self.fleet.retire(&deleted);
        Ok(json!({}))
    }

    pub(super) async fn invoke(&self, mut input: Value) -> Result<Value, Fault> {
        let function = self.function(&input)?;
        let payload = match input["Payload"].take() {
            Value::Null => json!({}),
            payload => payload,
        };
        let kind = input["InvocationType"].as_str().unwrap_or("RequestResponse");
        let limit = match kind {
            "RequestResponse" => LARGEST_EVENT[0],
            "Event" => LARGEST_EVENT[1],
            "DryRun" => return Ok(json!({ "StatusCode": 204 })),
            other => {
                return Err(invalid(format!(
                    "InvocationType {other} is not RequestResponse, Event or DryRun"
                )));
            }
        };
        let size = payload.to_string().len();
        if size > limit {
            return Err(Fault::new(
                413,
                "RequestTooLargeException",
                format!(
                    "{size} byte payload is too large for the {kind} invocation type (limit {limit} bytes)"
                ),
            ));
        }
        let id = request_id(&input);
        if kind == "Event" {
            let event = Event {
                service: "lambda".into(),
                operation: "InvokeAsync".into(),
                input: json!({ "FunctionName": function.name, "Payload": payload, "RequestId": id }),
            };
            self.store.transact(move |tx| Bus::post(tx, &event)).await?;
            self.bus()?.nudge();
            return Ok(json!({ "StatusCode": 202, "Payload": null }));
        }
        let outcome = self.fleet.invoke(function, id, payload, Caller::Somebody).await?;
        let mut answer =
            json!({ "StatusCode": 200, "ExecutedVersion": "$LATEST", "Payload": outcome.payload });
        if outcome.failed {
            answer["FunctionError"] = "Unhandled".into();
        }
        if input["LogType"] == "Tail" {
            answer["LogResult"] = BASE64_STANDARD.encode(outcome.tail).into();
        }
        Ok(answer)
    }

    /// The outbox delivers: a failed function is an error, so that it is tried again, under the same request id.
    pub(super) async fn invoke_async(&self, mut input: Value) -> Result<Value, Fault> {
        let function = self.function(&input)?;
        let id = request_id(&input);
        let outcome = self.fleet.invoke(function, id, input["Payload"].take(), Caller::Nobody).await?;
        match outcome.failed {
            false => Ok(json!({ "StatusCode": 202 })),
            true => Err(Fault::client(
                "FunctionError",
                outcome.payload["errorMessage"].as_str().unwrap_or("the function failed"),
            )),
        }
    }
}

/// The id of an invocation: that of the request that asked for it, kept by its retries; a new one where nothing
/// was asked over the wire, and for an event that was queued without one.
/// <https://repost.aws/knowledge-center/lambda-function-duplicate-invocations>
fn request_id(input: &Value) -> String {
    input["RequestId"].as_str().map_or_else(|| Uuid::new_v4().to_string(), str::to_owned)
}
